package sweep

import (
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/stats"
)

// series is one number at each point of the grid.
type series struct {
	// Name names what the number is of: "middleware".
	Name string
	At   []number // by point
}

// number is a predicted and a measured number at a point.
type number struct {
	// There is none of a point that has no such row, for example because it was aborted before.
	There     bool
	Predicted float64
	Measured  *float64
	Interval  *stats.Interval
	// Verdict is that of the row; empty where nothing of it is judged.
	Verdict reports.Verdict
}

// phaseSeries are the numbers of a phase.
type phaseSeries struct {
	Name, Title string
	// Fails are shares of failed calls, Tries tries per request, and Splits shares of the calls that go to one of several destinations.
	Fails, Tries, Splits []series
	// NeverFailed and Once name what has no series: what never failed, by the predictions and the measurements, and what was tried exactly
	// once for each request.
	NeverFailed, Once []string
}

// cell is a predicted and a measured number as tables print them.
func (n number) cell(print func(float64) string) string {
	switch {
	case !n.There:
		return ""
	case n.Measured == nil:
		return print(n.Predicted)
	}
	return print(n.Predicted) + " → " + print(*n.Measured)
}

// always reports whether the number is v wherever it is there, predicted and measured.
func (s *series) always(v float64) bool {
	return !slices.ContainsFunc(s.At, func(n number) bool {
		return n.There && (n.Predicted != v || n.Measured != nil && *n.Measured != v)
	})
}

// series returns the numbers of all phases, in their order.
func (s *Report) series() (all []phaseSeries) {
	for i := range s.Points {
		for j := range s.Points[i].Phases {
			p := &s.Points[i].Phases[j]
			at := slices.IndexFunc(all, func(known phaseSeries) bool { return known.Name == p.Name })
			if at < 0 {
				at = len(all)
				all = append(all, phaseSeries{Name: p.Name, Title: p.Title})
			}
			all[at].add(p, i, len(s.Points))
		}
	}
	for i := range all {
		all[i].Fails, all[i].NeverFailed = without(all[i].Fails, 0)
		all[i].Tries, all[i].Once = without(all[i].Tries, 1)
	}
	return all
}

// add adds the numbers of a phase at one of so many points. The share of the edge is left out where a single row leads in, which has it,
// and that of any service stands last.
func (p *phaseSeries) add(phase *Phase, point, points int) {
	for i := range phase.Hops {
		h := &phase.Hops[i]
		put(&p.Fails, h.Name, point, points, number{true, h.Fails.Predicted, h.Fails.Measured, h.Fails.Interval, h.Verdict})
		if h.Tries != nil {
			put(&p.Tries, h.Name, point, points, number{There: true, Predicted: h.Tries.Predicted, Measured: h.Tries.Measured, Verdict: h.Verdict})
		}
	}
	for i := range phase.Hops {
		for _, part := range phase.Hops[i].Split {
			put(&p.Splits, phase.Hops[i].Name+" → "+part.Name, point, points, number{true, part.Predicted, part.Measured, part.Interval, part.Verdict})
		}
	}
	for i := range phase.Shares {
		share := &phase.Shares[i]
		if entered := slices.ContainsFunc(phase.Hops, func(h Hop) bool { return strings.HasPrefix(h.Name, "edge (") }); entered && share.Name == reports.EdgeFails {
			continue
		}
		put(&p.Fails, strings.TrimSuffix(share.Name, " fails"), point, points, number{true, share.Predicted, share.Measured, share.Interval, ""})
	}
}

// put sets the number of a series at a point.
func put(all *[]series, name string, point, points int, n number) {
	at := slices.IndexFunc(*all, func(known series) bool { return known.Name == name })
	if at < 0 {
		at = len(*all)
		*all = append(*all, series{name, make([]number, points)})
	}
	(*all)[at].At[point] = n
}

// without takes out the series that are always v, and returns their names.
func without(all []series, v float64) (rest []series, names []string) {
	for _, one := range all {
		if one.always(v) {
			names = append(names, one.Name)
			continue
		}
		rest = append(rest, one)
	}
	return rest, names
}

// table is the series of one kind of number, with what prints them.
type table struct {
	// Kind is a word for identifiers, Title what the numbers are.
	Kind, Title string
	Series      []series
	print       func(float64) string
}

// tables are those of a phase that have series; that of failed calls is there always, since it has the verdicts.
func (p *phaseSeries) tables() []table {
	all := []table{{"fails", "share of failed calls", p.Fails, render.Probability}, {"tries", "tries per request", p.Tries, render.Factor},
		{"splits", "share of calls to a destination", p.Splits, render.Probability}}
	return slices.DeleteFunc(all, func(t table) bool { return len(t.Series) == 0 && t.Kind != "fails" })
}

// caption is the title of a table, and what the numbers of its cells are.
func (t *table) caption() string {
	measured := func(one series) bool {
		return slices.ContainsFunc(one.At, func(n number) bool { return n.Measured != nil })
	}
	if !slices.ContainsFunc(t.Series, measured) {
		return t.Title + ", predicted"
	}
	return t.Title + ", predicted → measured"
}

// remarks are sentences about what has no series.
func (p *phaseSeries) remarks() (all []string) {
	if len(p.NeverFailed) > 0 {
		all = append(all, "Never fails, as predicted: "+strings.Join(p.NeverFailed, ", ")+".")
	}
	if len(p.Once) > 0 {
		all = append(all, "One try for each request, as predicted: "+strings.Join(p.Once, ", ")+".")
	}
	return all
}

// expected is what came of one expectation at the points.
type expected struct {
	Text    string
	Verdict reports.Verdict
	// Lines say of each verdict but pass at which points it is so, and what was predicted and measured at the first of them.
	Lines []string
}

// expectations returns what came of each expectation, in the order in which they were given.
func (s *Report) expectations() (all []expected) {
	if len(s.Points) == 0 {
		return nil
	}
	for i := range s.Points[0].Expectations {
		one := expected{Text: s.Points[0].Expectations[i].Text}
		var verdicts []reports.Verdict
		for _, verdict := range []reports.Verdict{reports.Fail, reports.Inconclusive, reports.Pass} {
			var at []string
			first := ""
			for j := range s.Points {
				if i >= len(s.Points[j].Expectations) {
					continue
				}
				if e := &s.Points[j].Expectations[i]; e.Verdict == verdict {
					verdicts = append(verdicts, verdict)
					if at = append(at, s.At(j)); len(at) == 1 {
						first = strings.TrimPrefix(render.Expected(e), e.Text+": ") + ": " + e.Why
					}
				}
			}
			if len(at) > 0 && verdict != reports.Pass {
				of := ": "
				if len(at) > 1 {
					of = ". At the first of them: "
				}
				one.Lines = append(one.Lines, strings.ToUpper(string(verdict))+" at "+strings.Join(at, "; ")+of+first+".")
			}
		}
		one.Verdict = reports.Worst(verdicts...)
		all = append(all, one)
	}
	return all
}
