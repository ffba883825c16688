package render

import (
	"cmp"
	"slices"

	"github.com/hellochaos/hellochaos/reports"
)

// headline is the line of a phase in the table at the top of the page: the figures that a reader asks for first, each with that of the phase
// before.
type headline struct {
	*phaseView
	Edge, Tries, Median, P99 figure
	Price                    string
}

// figure is a number of a phase, as it is printed. Before is that of the phase before, empty where there is none; Now is empty where the
// report does not have the number.
type figure struct{ Before, Now string }

// newHeadlines returns the lines in the order in which the phases were run, whatever the order of their sections is.
func newHeadlines(phases []phaseView) (all []headline) {
	for i := range phases {
		v := &phases[i]
		all = append(all, headline{phaseView: v, Edge: figureOf(v, edgeFails, Probability), Tries: figureOf(v, triesPerRequest, factor),
			Median: figureOf(v, goodQuantile(0.5), Duration), P99: figureOf(v, goodQuantile(0.99), Duration), Price: price(v.Former, v.Phase)})
	}
	slices.SortStableFunc(all, func(a, b headline) int { return cmp.Compare(a.number, b.number) })
	return all
}

// figureOf returns a figure of a phase and of the one before it, each of which may not have it.
func figureOf(v *phaseView, of func(*reports.Phase) (float64, bool), format func(float64) string) (f figure) {
	if now, known := of(v.Phase); known {
		f.Now = format(now)
		if v.Former != nil {
			if before, known := of(v.Former); known {
				f.Before = format(before)
			}
		}
	}
	return f
}

// edgeFails returns the share of natural requests that failed at the edge.
func edgeFails(p *reports.Phase) (float64, bool) {
	for i := range p.Shares {
		if s := &p.Shares[i]; s.Name == reports.EdgeFails && s.Measured != nil {
			return *s.Measured, true
		}
	}
	return 0, false
}

// triesPerRequest returns how many tries all services together received for a natural request at the edge, by their own counts. A report in
// which a service did not count does not have the figure.
func triesPerRequest(p *reports.Phase) (float64, bool) {
	tries := int64(0)
	for i := range p.Edges {
		if p.Edges[i].Tries != nil {
			tries += *p.Edges[i].Tries
		}
	}
	return float64(tries) / float64(max(1, p.Natural)), tries > 0 && p.Natural > 0
}

// goodQuantile returns a quantile of the latencies of all good answers at the edge.
func goodQuantile(q float64) func(*reports.Phase) (float64, bool) {
	return func(p *reports.Phase) (float64, bool) {
		l := goodLatency(p, q)
		if l == nil {
			return 0, false
		}
		return l.Value, true
	}
}

func goodLatency(p *reports.Phase, q float64) *reports.Latency {
	for i := range p.Latency {
		if l := &p.Latency[i]; l.Outcome == "ok" && l.Tries == 0 && l.Quantile == q {
			return l
		}
	}
	return nil
}

// lateNote says which phases sent requests late. Their latencies are those of the load generator, too.
func lateNote(all []headline) string {
	var late []string
	for _, h := range all {
		if h.Late {
			late = append(late, h.Name)
		}
	}
	switch len(late) {
	case 0:
		return ""
	case 1:
		return "Requests of the phase " + late[0] + " were sent late, so that no time of it is judged."
	}
	return "Requests of the phases " + list(late) + " were sent late, so that no time of them is judged."
}
