package reports

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports/page"
)

// stageView is the data of a stage on the page.
type stageView struct {
	*Stage
	ID            string
	Rows          []checkView
	Kinds         map[string]bool // the kinds of its checks, each of which the page explains
	Notes         []string
	Amplification string
	Graphs        []phaseGraph
	Calls         []callRow
	Timeline      timeline
	Latencies     []distribution
	Distributions *page.Picture
	Waterfalls    []phaseWaterfalls
}

// checkView is a row of a stage's table.
type checkView struct {
	*Check
	Predicted, Catches    string
	BeforeCell, AfterCell measuredCell
	Product               string // the prediction as a product, where it is one
	Violations            string
	Void                  string // why the check has no verdict, where the reason is the whole phase
	Picture               *page.Picture
}

// measuredCell is the result of one phase: the text of the text report, the exact number, and the number of trials.
type measuredCell struct{ Text, Raw, Count string }

func newMeasuredCell(c *Check, m *Measurement) measuredCell {
	cell := measuredCell{Text: measured(c, m), Count: count(c, m)}
	if m != nil && m.Measured != nil {
		cell.Raw = strconv.FormatFloat(*m.Measured, 'g', -1, 64)
	}
	return cell
}

// void returns a note that notes leaves out, because the phase reports it for all of its checks.
func void(c *Check) string {
	for _, m := range []*Measurement{c.After, c.Before} {
		if m != nil && strings.HasPrefix(m.Note, "void") {
			return m.Note
		}
	}
	return ""
}

// violations reports how many violations an exact check or a ledger has, and at which requests the first ones were.
func violations(c *Check) string {
	var all []string
	for _, side := range c.sides() {
		if side.Measurement == nil || side.Violations == 0 {
			continue
		}
		words := fmt.Sprintf("%s: %d violations", side.phase, side.Violations)
		if len(side.First) > 0 {
			words += ", first at requests " + strings.Trim(fmt.Sprint(side.First), "[]")
		}
		all = append(all, words)
	}
	return strings.Join(all, "; ")
}

// phaseGraph is the service graph of one phase.
type phaseGraph struct {
	Phase   string
	Picture *page.Picture // nil where the report has no calls of this phase
}

// callRow is an arrow of the graphs in numbers, by phase.
type callRow struct {
	From, To, Version string
	Phases            []*Edge // by phase; nil where it has no call
}

// phaseWaterfalls are the sampled requests of one phase.
type phaseWaterfalls struct {
	Phase   string
	Samples []waterfall
}

// Unsaid returns the incidents of a phase that the stage's words do not report.
func (v stageView) Unsaid(p Phase) []string { return unsaid(v.Stage, &p) }

func newStageView(r *Report, s *Stage, id string) stageView {
	v := stageView{Stage: s, ID: id, Kinds: map[string]bool{}, Notes: notes(s), Amplification: amplification(s.Amplification)}
	for i := range s.Checks {
		c := &s.Checks[i]
		v.Kinds[string(c.Kind)] = true
		v.Rows = append(v.Rows, checkView{
			Check: c, Predicted: predicted(c), Catches: catches(c), Violations: violations(c), Void: void(c), Product: product(r, s, c),
			BeforeCell: newMeasuredCell(c, c.Before), AfterCell: newMeasuredCell(c, c.After),
			Picture: checkPicture(fmt.Sprintf("%s-check-%d", id, i+1), c),
		})
	}
	v.graphs()
	v.Timeline = newTimeline(id+"-timeline", s.Phases)
	if v.Latencies = distributions(s.Phases); len(v.Latencies) > 0 {
		v.Distributions = distributionPicture(id+"-distributions", v.Latencies)
	}
	v.waterfalls()
	return v
}

// waterfalls draws the sampled requests. The one with most tries in the last phase that has any is unfolded when the page opens.
func (v *stageView) waterfalls() {
	var shown *waterfall
	for i, p := range v.Phases {
		samples := phaseWaterfalls{Phase: p.Name}
		for j := range p.Samples {
			samples.Samples = append(samples.Samples, newWaterfall(fmt.Sprintf("%s-phase-%d-sample-%d", v.ID, i+1, j+1), &p.Samples[j]))
		}
		for j := range samples.Samples {
			if one := &samples.Samples[j]; j == 0 || strings.Contains(p.Samples[j].Why, mostTries) {
				shown = one
			}
		}
		v.Waterfalls = append(v.Waterfalls, samples)
	}
	if shown != nil {
		shown.Open = true
	}
}

// graphs draws the service graph of each phase, with each service in the same place, and fills the table of their numbers.
func (v *stageView) graphs() {
	g := layOut(v.Phases)
	for i := range v.Phases {
		one := phaseGraph{Phase: v.Phases[i].Name}
		if len(v.Phases[i].Edges) > 0 {
			one.Picture = g.picture(fmt.Sprintf("%s-graph-%d", v.ID, i+1), &v.Phases[i])
		}
		v.Graphs = append(v.Graphs, one)
	}
	for _, layer := range g.layers {
		for _, service := range layer {
			for _, lane := range g.lanes[service] {
				row := callRow{From: lane.from, To: lane.to, Version: lane.version, Phases: make([]*Edge, len(v.Phases))}
				for i := range v.Phases {
					for j := range v.Phases[i].Edges {
						if e := &v.Phases[i].Edges[j]; name(*e) == lane {
							row.Phases[i] = e
						}
					}
				}
				v.Calls = append(v.Calls, row)
			}
		}
	}
}

// Passed returns how many checks of the stage pass.
func (v stageView) Passed() (n int) {
	for _, c := range v.Checks {
		if c.Verdict == Pass {
			n++
		}
	}
	return n
}

// HasGraph reports whether any phase has calls.
func (v stageView) HasGraph() bool { return len(v.Calls) > 0 }

// HasSamples reports whether any phase has a sampled request.
func (v stageView) HasSamples() bool {
	for _, w := range v.Waterfalls {
		if len(w.Samples) > 0 {
			return true
		}
	}
	return false
}

// HasLatency reports whether any phase has quantiles of latencies.
func (v stageView) HasLatency() bool {
	for _, p := range v.Phases {
		if len(p.Latency) > 0 {
			return true
		}
	}
	return false
}
