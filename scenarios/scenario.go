// Package scenarios holds scenarios as data: which objects are in force one after another, how requests enter meanwhile, which
// headers they carry, and what the author has to say about it. The stages of the tutorial are scenario files in this folder. The
// package knows manifests. It must not know how requests are sent or judged: scenarios/run executes what it describes.
package scenarios

import (
	"net/http"

	"github.com/hellochaos/hellochaos/manifests"
)

// Phase is a set of objects in force, and how requests enter meanwhile.
type Phase struct {
	// Name is unique in a run: the name of the stage that the phase adds, or "application" where it adds none. Title says in one
	// line what the phase adds.
	Name, Title string
	// Base: the phase is only what the next one is compared with; its rules are not probed.
	Base bool
	// Objects are all that is in force, and Added those of them that the phase adds to the one before.
	Objects, Added []manifests.Object
	// Promised are the objects that the scenario's author wrote, where the user replaced some of them; nil where nothing was.
	Promised []manifests.Object
	// Cohorts are requests that are alike; at least one. They take turns.
	Cohorts []Cohort
	// Exclude, where it is not 0, is the share of deviating calls to be excluded for rules that say where calls go, in place of that
	// of the run.
	Exclude float64
	// Unmet are rules that no request of the phase meets by intention, each with the reason.
	Unmet []Unmet
	// Accepted are findings that the author means so, as long as they are about objects that the user did not replace.
	Accepted []Accepted
	// Lessons are sentences of the author about what the phase shows. They are printed where it passes with the author's own objects.
	Lessons []string
}

// OnlyGateway is the name of a Gateway in an Entry that means the only one of the objects, whatever its name is.
const OnlyGateway = "*"

// Cohort is requests that share their entry, method, host, path and headers.
type Cohort struct {
	Name  string
	Entry manifests.Entry
	// Weight is how often its natural requests come, beside those of the other cohorts; 0 is 1.
	Weight int
	// Method is GET where it is empty, and Path "/"; it may have a query.
	Method, Path string
	// Host is the Host header. Where it is empty, requests at a gateway have a host that the gateway serves. Requests that enter
	// straight at a Service need none, and those of a caller must have one.
	Host   string
	Header http.Header
	// Aside: an expectation is about these requests only where it spells them out, or names no others. They are near misses of a rule, and
	// requests that another expectation spells out.
	Aside bool
}

// Often is the weight of a cohort, at least 1.
func (c *Cohort) Often() int { return max(1, c.Weight) }

// Accepted is a finding that is there by intention.
type Accepted struct {
	// Finding is its id, "HC204". Rule is the object, "VirtualService backend", and Reason a clause that says why it is meant so.
	Finding, Rule, Reason string
}

// Unmet is a rule that no request meets.
type Unmet struct {
	// Rule is the object, "VirtualService frontend", and Reason a clause that says why nothing meets it.
	Rule, Reason string
}
