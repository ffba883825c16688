package cases

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/derive"
)

// NotMet is the id of the finding that a case does not hold.
const NotMet = "HC301"

// Judgement is what became of the cases of a suite.
type Judgement struct {
	// Held is how many hold.
	Held int
	// NotMet are findings, one for each case that does not.
	NotMet []reports.Finding
	// Cohorts are the requests of all cases, each once, that a run can send.
	Cohorts []scenarios.Cohort
	// Unsent are sentences about requests that were compared with the rules alone.
	Unsent []string
}

// Judge holds the cases against rules: a case holds where the rule that each of its requests meets, at each proxy that has rules for its
// host, is as the case expects. clients and client are those of derive.Cohorts, and phase is the name of the phase that sends the
// requests.
func (s *Suite) Judge(rules *manifests.Rules, clients []string, client, phase string) *Judgement {
	j := &judge{rules: rules, clients: clients, client: client, entries: rules.HTTPEntries(), tables: map[manifests.Caller]*manifests.Table{}, done: &Judgement{}, known: map[string]bool{}}
	for i := range s.Cases {
		c := &s.Cases[i]
		if text := j.judge(c); text != "" {
			j.done.NotMet = append(j.done.NotMet, reports.Finding{ID: NotMet, Severity: reports.SeverityError, Phase: phase, File: c.File, Line: c.Line,
				Object: fmt.Sprintf("test case %q", c.Description), Text: text})
			continue
		}
		j.done.Held++
	}
	return j.done
}

// judge is the state of Judge.
type judge struct {
	rules   *manifests.Rules
	clients []string
	client  string
	entries []manifests.HTTPEntry
	tables  map[manifests.Caller]*manifests.Table
	done    *Judgement
	known   map[string]bool // the names of the cohorts
}

// judge says why a case does not hold; empty where it does.
func (j *judge) judge(c *Case) string {
	first, wrong, all := "", 0, 0
	unsent := map[string]int{}
	for i := range c.Requests {
		r := &c.Requests[i]
		cohorts := derive.At(j.rules, j.clients, j.client, r.Wanted)
		if len(cohorts) == 0 {
			return fmt.Sprintf("No proxy sends requests for %s: the files have neither a Gateway nor a rule for sidecars.", r.Host)
		}
		if r.Unsent != "" {
			unsent[r.Unsent] += len(cohorts)
		}
		for k := range cohorts {
			all++
			if r.Unsent == "" {
				j.send(&cohorts[k])
			}
			if text := j.compare(c, &cohorts[k]); text != "" {
				if wrong++; wrong == 1 {
					first = text
				}
			}
		}
	}
	for _, r := range c.Requests {
		if n := unsent[r.Unsent]; n > 0 {
			j.done.Unsent = append(j.done.Unsent, fmt.Sprintf("Compared with the rules alone, and not sent, since %s: %s of the test case %q (%s:%d).", r.Unsent, counted(n, "request"), c.Description, c.File, c.Line))
			delete(unsent, r.Unsent)
		}
	}
	if wrong > 1 || wrong == 1 && all > 1 {
		first += fmt.Sprintf(" The case does not hold for %d of its %s.", wrong, counted(all, "request"))
	}
	return first
}

// send adds a cohort, unless it is there already.
func (j *judge) send(cohort *scenarios.Cohort) {
	if !j.known[cohort.Name] {
		j.known[cohort.Name] = true
		j.done.Cohorts = append(j.done.Cohorts, *cohort)
	}
}

// compare says how the rule that a request meets differs from what a case expects; empty where it does not.
func (j *judge) compare(c *Case, cohort *scenarios.Cohort) string {
	rule := j.route(cohort)
	entry := j.entryOf(rule)
	var texts []string
	for i := range c.expected {
		p := &c.expected[i]
		switch {
		case p.metBy(entry) == c.WantMatch:
		case !c.WantMatch:
			texts = append(texts, fmt.Sprintf("It must not have the %s %s, and does (wantMatch is false).", p.name, p))
		case entry == nil:
			texts = append(texts, fmt.Sprintf("A rule with the %s %s is expected.", p.name, p))
		default:
			texts = append(texts, fmt.Sprintf("It must have the %s %s, and %s.", p.name, p, has(p.name, entry)))
		}
	}
	if len(texts) == 0 {
		return ""
	}
	return fmt.Sprintf("%s meets %s: %s. %s", cohort.Name, j.named(rule, entry), becomes(rule), strings.Join(texts, " "))
}

// route is the rule that a request meets.
func (j *judge) route(cohort *scenarios.Cohort) *manifests.Rule {
	caller, _, err := j.rules.CallerOf(cohort.Entry)
	if err != nil {
		return &manifests.Rule{} // derive.At names callers and Gateways that there are
	}
	if j.tables[caller] == nil {
		j.tables[caller] = j.rules.Table(caller)
	}
	return j.tables[caller].Route(&manifests.Request{Host: cohort.Host, Method: cohort.Method, Path: cohort.Path, Header: cohort.Header})
}

// entryOf is the http entry of a rule; nil for a rule that no file has.
func (j *judge) entryOf(rule *manifests.Rule) *manifests.HTTPEntry {
	i := slices.IndexFunc(j.entries, func(e manifests.HTTPEntry) bool {
		return e.Name == rule.Name && e.File == rule.File && e.Line == rule.Line
	})
	if i < 0 {
		return nil
	}
	return &j.entries[i]
}

// metBy reports whether an http entry has the part, as istio-config-validator compares it: as it is written, and not what it comes to.
// Short names of hosts are completed in the namespace of the entry. A delegate is that in which the entry stands; its namespace counts
// where the case names one.
func (p *part) metBy(e *manifests.HTTPEntry) bool {
	if e == nil {
		return false
	}
	if p.name == "delegate" {
		wanted := p.values[0].(*networking.Delegate)
		name, namespace, delegated := e.Delegate()
		return delegated && wanted.Name == name && (wanted.Namespace == "" || wanted.Namespace == namespace)
	}
	return slices.EqualFunc(p.values, partOf(p.name, e.Written()).values, func(a, b proto.Message) bool {
		return proto.Equal(full(a, e.Namespace), full(b, e.Namespace))
	})
}

// full is a message with the full name of the host of a destination.
func full(m proto.Message, namespace string) proto.Message {
	d, ok := m.(*networking.HTTPRouteDestination)
	if !ok || d.GetDestination() == nil {
		return m
	}
	d = proto.Clone(d).(*networking.HTTPRouteDestination)
	d.Destination.Host = manifests.FullHost(d.Destination.Host, namespace)
	return d
}

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
