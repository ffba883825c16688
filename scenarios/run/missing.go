package run

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

const (
	// mostAttempts is the largest attempt count that is believed to stand for so many tries.
	mostAttempts = 1000
	// mostNamed tries are named one by one.
	mostNamed = 8
)

// gaps says which tries must have been made, by the attempt counts of others and by the delivered trail, and were not
// recorded.
func (s *sampling) gaps(tries []recordedTry, cohort int, delivered *trail.Hop) []string {
	g := gaps{recorded: tries}
	if cohort < len(s.first) {
		g.first = s.first[cohort]
	}
	for i := range tries {
		g.made(tries[i].path, tries[i].service)
	}
	if delivered != nil {
		g.delivered(delivered, nil, 0)
	}
	return g.texts()
}

// delivered notes the try that answered a call, and those of all calls below it, as made.
func (g *gaps) delivered(hop *trail.Hop, above []step, call int) {
	path := append(slices.Clone(above), step{call, hop.Attempt})
	g.made(path, hop.Service)
	for i := range hop.Calls {
		if c := &hop.Calls[i]; c.Hop != nil {
			g.delivered(c.Hop, path, c.Number)
		}
	}
}

// gaps collects the tries of a request that must have been made and were not recorded.
type gaps struct {
	recorded []recordedTry
	first    *oracle.Call // the way of the request
	missing  []string
}

// made notes that a try was made: so were all above it, and all before it and them.
func (g *gaps) made(path []step, service string) {
	for length := 1; length <= len(path); length++ {
		last := path[length-1]
		for earlier := 1; earlier < last.attempt && last.attempt <= mostAttempts; earlier++ {
			g.need(append(slices.Clone(path[:length-1]), step{last.call, earlier}), "")
		}
		if length < len(path) {
			g.need(path[:length], "")
		}
	}
	g.need(path, service)
}

// need notes a try as missing where it was not recorded. A service without a name is the only one that can answer there.
func (g *gaps) need(path []step, service string) {
	if find(g.recorded, path) >= 0 {
		return
	}
	if service == "" && g.first != nil {
		service = serviceAt([]*oracle.Call{g.first}, path)
	}
	if text := strings.TrimSpace(service + " " + dotted(path)); !slices.Contains(g.missing, text) {
		g.missing = append(g.missing, text)
	}
}

// serviceAt is the service of ours that answers the try at a path whose first call is one of some; "" where that is nobody or may be
// several.
func serviceAt(calls []*oracle.Call, path []step) string {
	var next []*oracle.Call
	var services []string
	for _, c := range calls {
		for i := range c.Destinations {
			for _, w := range c.Destinations[i].Workloads {
				if w.Ours && !slices.Contains(services, w.Service) {
					services = append(services, w.Service)
				}
				if len(path) > 1 {
					next = append(next, called(w, path[1].call)...)
				}
			}
		}
	}
	switch {
	case len(path) > 1:
		return serviceAt(next, path[1:])
	case len(services) == 1:
		return services[0]
	}
	return ""
}

// called is the call with a number that a workload makes, if it makes so many.
func called(w *oracle.Workload, number int) (calls []*oracle.Call) {
	for _, step := range w.Steps {
		for _, c := range step {
			if c.Number == number {
				calls = append(calls, c)
			}
		}
	}
	return calls
}

func (g *gaps) texts() []string {
	n := len(g.missing)
	if n == 0 {
		return nil
	}
	text := fmt.Sprintf("%d tries were made and are not recorded", n)
	if n == 1 {
		text = "1 try was made and is not recorded"
	}
	text += ": " + strings.Join(g.missing[:min(n, mostNamed)], ", ")
	if n > mostNamed {
		text += fmt.Sprintf(" and %d more", n-mostNamed)
	}
	return []string{text}
}

// dotted is a path as trail.Tries writes it.
func dotted(path []step) (text string) {
	for i, s := range path {
		if i > 0 {
			text = trail.CallOf(text, s.call)
		}
		text = trail.Tries(text, s.attempt)
	}
	return text
}

// repeated says which tries cannot be told apart.
func repeated(tries []recordedTry) (texts []string) {
	for i := range tries {
		if i > 0 && slices.Equal(tries[i].path, tries[i-1].path) {
			texts = append(texts, fmt.Sprintf("%s %s was recorded more than once: the calls that it made are shown with the first record", tries[i].service, tries[i].Tries))
		}
	}
	return texts
}

// losses says what else may have been of a request that began then, and why it is not there.
func (s *sampling) losses(began int64) (texts []string) {
	for i := range s.recordings {
		r := &s.recordings[i]
		lost := r.Overwritten - s.marks[r.Instance]
		if lost > 0 && r.OldestEnd >= began {
			texts = append(texts, fmt.Sprintf("%s-%s has overwritten the first %d of its %d tries of the phase, perhaps some of this request",
				r.Service, r.Version, lost, r.Recorded-s.marks[r.Instance]))
		}
		if r.LeftOut > 0 {
			texts = append(texts, fmt.Sprintf("%s-%s has %d more tries of the phase's samples than it reports", r.Service, r.Version, r.LeftOut))
		}
	}
	if s.unread != nil {
		texts = append(texts, oneLine(s.unread))
	}
	if s.unmarked != nil {
		texts = append(texts, "what was recorded before the phase could not be told apart: "+oneLine(s.unmarked))
	}
	return texts
}

// oneLine is an error's text on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// contradictions says where the recorders' clocks cannot both be right: a try that began before its caller did.
func contradictions(spans []reports.Span) []string {
	worst, at := 0.0, 0
	for i := 1; i < len(spans); i++ {
		if early := spans[spans[i].Parent].Start - spans[i].Start; early > worst {
			worst, at = early, i
		}
	}
	if at == 0 {
		return nil
	}
	child, parent := spans[at], spans[spans[at].Parent]
	return []string{fmt.Sprintf("by their own clocks %s began %.3f ms before its caller %s: the clocks of their machines differ",
		child.Service, 1000*worst, parent.Service)}
}
