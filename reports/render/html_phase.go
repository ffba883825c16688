package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/page"
)

// side is a phase beside another: the one before, or the one that is shown.
type side struct {
	*reports.Phase
	Class string // "before" or "now"
}

// phaseView is the data of a phase on the page.
type phaseView struct {
	*reports.Phase
	number int // in the run, from 0
	ID     string
	Open   bool // the section is unfolded when the page opens
	// Former is the phase before, nil for the first one. Pair is both, as far as they exist.
	Former    *reports.Phase
	Pair      []side
	Sentences []sentenceView
	Problems  []string // why checks failed or have no verdict; the head of the page has those that were not judged
	Rows      []callView
	Shares    []callView // the shares of natural requests, which are not judged
	Product   string
	Branches  []branchesView
	Met, Of   int
	Times     []drawnView // waits of retries
	Splits    []drawnView
	Ledgers   []drawnView
	Graph     *page.Picture // nil where there is no call, or where it is too wide
	Edges     []edgeRow
	Timeline  timeline

	Latencies     []distribution
	Distributions *page.Picture
	Waterfalls    []phaseWaterfalls
	Mismatches    []mismatchView // hides those of the report
}

// mismatchView is the first call of a kind that deviated, with its request try by try.
type mismatchView struct {
	*reports.Mismatch
	Waterfall *waterfall // nil where the request was not sampled
}

// sentenceView is a sentence of the text report, with the mark of its kind.
type sentenceView struct{ Mark, Text string }

// edgeRow is an arrow of the graphs in numbers, by phase.
type edgeRow struct {
	From, To, Version string
	Phases            []*reports.Edge // by phase; nil where it has no call
}

// phaseWaterfalls are the sampled requests of one phase.
type phaseWaterfalls struct {
	Phase   string
	Samples []waterfall
}

func newPhaseView(r *reports.Report, phase int, id string) phaseView {
	v := phaseView{Phase: &r.Phases[phase], number: phase, ID: id, Problems: slices.DeleteFunc(problems(&r.Phases[phase]), func(line string) bool { return strings.HasPrefix(line, notJudgedLead) })}
	if phase > 0 {
		v.Former = &r.Phases[phase-1]
		v.Pair = append(v.Pair, side{v.Former, "before"})
	}
	v.Pair = append(v.Pair, side{v.Phase, "now"})
	for _, one := range sentences(v.Phase) {
		v.Sentences = append(v.Sentences, sentenceView{strings.TrimSpace(string(one.mark)), one.text})
	}
	v.calls(r, phase)
	v.Met, v.Of = v.Coverage()
	v.graph()
	v.Timeline = newTimeline(id+"-timeline", v.Pair)
	if v.Latencies = distributions(v.Pair); len(v.Latencies) > 0 {
		v.Distributions = distributionPicture(id+"-distributions", v.Latencies)
	}
	v.waterfalls(r, phase)
	v.mismatches()
	return v
}

// mismatches draws the request of each mismatch that was sampled. A request is drawn once.
func (v *phaseView) mismatches() {
	drawn := map[string]bool{}
	for i := range v.Phase.Mismatches {
		one := mismatchView{Mismatch: &v.Phase.Mismatches[i]}
		at := slices.IndexFunc(v.Phase.Samples, func(s reports.Sample) bool { return s.Name == one.Request })
		if at >= 0 && !drawn[one.Request] {
			shown := newWaterfall(fmt.Sprintf("%s-mismatch-%d", v.ID, i+1), &v.Phase.Samples[at])
			one.Waterfall, drawn[one.Request] = &shown, true
		}
		v.Mismatches = append(v.Mismatches, one)
	}
}

// calls fills the rows of the table, and the pictures of what was judged of each call.
func (v *phaseView) calls(r *reports.Report, phase int) {
	for i := range v.Calls {
		c := &v.Calls[i]
		id := fmt.Sprintf("%s-call-%d", v.ID, i+1)
		row := newCallView(r, phase, i, id)
		v.Rows = append(v.Rows, row)
		if v.Product == "" {
			v.Product = product(r, c)
		}
		if len(c.Branches) > 0 {
			v.Branches = append(v.Branches, newBranchesView(row.Name, c))
		}
		if len(c.Waits) > 0 {
			v.Times = append(v.Times, newWaitsView(id+"-waits", row.Name, c))
		}
		if c.Split != nil {
			v.Splits = append(v.Splits, newSplitView(id+"-split", row.Name, r.Settings, c))
		}
		if c.Ledger != nil {
			v.Ledgers = append(v.Ledgers, newLedgerView(id+"-ledger", row.Name, c.Ledger))
		}
	}
	for i := range v.Phase.Shares {
		if s := &v.Phase.Shares[i]; !sameNumbers(v.Phase, s) {
			v.Shares = append(v.Shares, newShareView(shareBefore(r, phase, s.Name), s, fmt.Sprintf("%s-share-%d", v.ID, i+1)))
		}
	}
}

// waterfalls draws the sampled requests of the phase, and those of the phase before where it has no section of its own. The request with
// most tries of the phase is unfolded when the page opens.
func (v *phaseView) waterfalls(r *reports.Report, phase int) {
	var shown *waterfall
	for i, p := range v.Pair {
		if p.Phase == v.Former && hasSection(r, phase-1) {
			continue
		}
		samples := phaseWaterfalls{Phase: p.Name}
		for j := range p.Samples {
			if p.Samples[j].Why == deviatedSample {
				continue // It is drawn where its mismatch is.
			}
			samples.Samples = append(samples.Samples, newWaterfall(fmt.Sprintf("%s-phase-%d-sample-%d", v.ID, i+1, j+1), &p.Samples[j]))
		}
		for j := range samples.Samples {
			if j == 0 || strings.Contains(samples.Samples[j].why, mostTries) {
				shown = &samples.Samples[j]
			}
		}
		v.Waterfalls = append(v.Waterfalls, samples)
	}
	if shown != nil {
		shown.Open = true
	}
}

// graph draws the service graph of the phase with that of the phase before, and fills the table of their numbers.
func (v *phaseView) graph() {
	all := newEdges(v.Former, v.Phase)
	g := layOut(all)
	if len(g.edges) > 0 && g.width <= mostGraphWidth {
		v.Graph = g.picture(v.ID+"-graph", v.Name, all)
	}
	for _, layer := range g.layers {
		for _, n := range layer {
			for _, c := range n.columns {
				for _, lane := range c.lanes {
					row := edgeRow{From: lane.from, To: lane.to, Version: lane.version, Phases: make([]*reports.Edge, len(v.Pair))}
					for i, p := range v.Pair {
						for j := range p.Phase.Edges {
							if e := &p.Phase.Edges[j]; identity(e) == lane {
								row.Phases[i] = e
							}
						}
					}
					v.Edges = append(v.Edges, row)
				}
			}
		}
	}
}

// TooWide reports whether the graph is not drawn because no reader could follow its arrows.
func (v *phaseView) TooWide() bool { return v.Graph == nil && len(v.Edges) > 0 }

// HasSamples reports whether any request is drawn.
func (v *phaseView) HasSamples() bool {
	for _, w := range v.Waterfalls {
		if len(w.Samples) > 0 {
			return true
		}
	}
	return false
}

// JudgesCalls reports whether calls were judged one by one, which a report of schema 1 does not do.
func (v *phaseView) JudgesCalls() bool {
	return slices.ContainsFunc(v.Calls, func(c reports.Call) bool { return c.Judged > 0 })
}

// TestsWaits reports whether the distribution of a wait was tested.
func (v *phaseView) TestsWaits() bool {
	return slices.ContainsFunc(v.Calls, func(c reports.Call) bool {
		return slices.ContainsFunc(c.Waits, func(w reports.Wait) bool { return w.Limit > 0 })
	})
}

// HasLatency reports whether any of the two phases has quantiles of latencies.
func (v *phaseView) HasLatency() bool {
	for _, p := range v.Pair {
		if len(p.Latency) > 0 {
			return true
		}
	}
	return false
}

// Tally are the verdicts of the calls, for the list of phases.
func (v *phaseView) Tally() (all []reports.Verdict) {
	for i := range v.Calls {
		all = append(all, v.Calls[i].Verdict)
	}
	return all
}

// Proof returns in one sentence what the requests of the phase showed.
func (v *phaseView) Proof() string { return proof(v.Phase) }
