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
	Entry    Entry
	// Cohorts are requests that share headers; at least one. They take turns.
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

// Entry is a way in. Exactly one field is set.
type Entry struct {
	// Service is the Service whose pods are called straight, past every proxy.
	Service string
	// Gateway: requests enter by the one Gateway of the objects, with a host that it admits.
	Gateway bool
}

// Cohort is requests that share headers.
type Cohort struct {
	Name   string
	Header http.Header
}

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
