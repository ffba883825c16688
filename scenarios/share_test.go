package scenarios

import (
	"math/rand/v2"
	"testing"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
)

// drawn is a check's trials that come in one after another with a true probability.
type drawn struct{ k, n int64 }

func (d *drawn) count(*attack.Tally) (int64, int64) { return d.k, d.n }

// decide plays a phase of a proportion: trials one by one with looks as in a run, and the final judgement.
func decide(predicted, truth, tolerance float64, chance *rand.Rand) (reports.Verdict, int64) {
	d := &drawn{}
	p := &proportion{name: "share", predicted: predicted, tolerance: tolerance, reach: 1, count: d.count}
	most := int(p.demand())
	p.begin(most, 4)
	for next := 25; d.n < int64(most); {
		d.n++
		if chance.Float64() < truth {
			d.k++
		}
		if int(d.n) == next {
			next += max(25, next/20)
			if p.look(nil) {
				return p.measure(&evidence{}).Verdict, d.n
			}
		}
	}
	return p.measure(&evidence{}).Verdict, d.n
}

// A true share passes but for one time in 2,000, and one as far off as a mesh without its rule fails, soon.
func TestProportionDecides(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		predicted, truth float64
		want             reports.Verdict
		mostMean         float64 // observations on average
		runs, wrong      int
	}{
		{0.0625, 0.0625, reports.Pass, 700, 300, 1},
		{0.3, 0.3, reports.Pass, 2000, 300, 1},
		{0.2, 0.3, reports.Fail, 1800, 300, 15},
		{0.0625, 0.5, reports.Fail, 60, 300, 0},
		{0.3, 0, reports.Fail, 60, 300, 0},
		{0, 0, reports.Pass, 200, 100, 0},
		{1, 1, reports.Pass, 200, 100, 0},
	} {
		wrong, total := 0, int64(0)
		for range c.runs {
			verdict, n := decide(c.predicted, c.truth, 0.05, chance)
			total += n
			if verdict != c.want {
				wrong++
			}
		}
		if wrong > c.wrong {
			t.Errorf("predicted %v, true %v: %d of %d are not %s, want at most %d", c.predicted, c.truth, wrong, c.runs, c.want, c.wrong)
		}
		if mean := float64(total) / float64(c.runs); mean > c.mostMean {
			t.Errorf("predicted %v, true %v: %.0f observations on average, want at most %.0f", c.predicted, c.truth, mean, c.mostMean)
		}
	}
}

func TestProportionWithoutData(t *testing.T) {
	p := &proportion{predicted: 0.5, tolerance: 0.05, reach: 0, count: (&drawn{}).count}
	p.begin(200, 1)
	if m := p.measure(&evidence{tally: attack.NewTally(1)}); m.Verdict != reports.Inconclusive || m.Measured != nil || m.Note == "" {
		t.Errorf("%+v, want inconclusive with a note and no number", m)
	}
	few := &proportion{predicted: 0.5, tolerance: 0.05, reach: 0.5, count: (&drawn{50, 100}).count}
	few.begin(200, 1)
	if m := few.measure(&evidence{}); m.Verdict != reports.Inconclusive || m.Note == "" {
		t.Errorf("50 of 100 around .5: %+v, want inconclusive with what would settle it", m)
	}
}

func TestExact(t *testing.T) {
	for _, c := range []struct {
		name      string
		predicted float64
		k, n      int64
		want      reports.Verdict
		wrong     int64
	}{
		{"none of many", 0, 0, 400, reports.Pass, 0},
		{"one of many", 0, 1, 400, reports.Fail, 1},
		{"all", 1, 400, 400, reports.Pass, 0},
		{"all but one", 1, 399, 400, reports.Fail, 1},
		{"none of fewer than planned", 0, 0, 399, reports.Inconclusive, 0},
		{"no data", 1, 0, 0, reports.Inconclusive, 0},
	} {
		x := &exact{predicted: c.predicted, reach: 1, least: 400, tolerance: 0.05,
			count: func(*attack.Tally) (int64, int64, []int, []int) { return c.k, c.n, nil, nil }}
		if m := x.measure(&evidence{}); m.Verdict != c.want || m.Violations != c.wrong {
			t.Errorf("%s: %s with %d violations, want %s with %d", c.name, m.Verdict, m.Violations, c.want, c.wrong)
		}
	}
}

// What was decided early and what all trials say cannot both be true of one share.
func TestProportionThatChanges(t *testing.T) {
	d := &drawn{600, 2000}
	p := &proportion{predicted: 0.3, tolerance: 0.05, reach: 1, count: d.count}
	p.begin(4000, 1)
	if !p.look(nil) || p.decided != reports.Pass {
		t.Fatalf("600 of 2000 around .3 is %q, want an early pass", p.decided)
	}
	d.k, d.n = 2600, 4000
	if m := p.measure(&evidence{}); m.Verdict != reports.Inconclusive || m.Note != "the share changed during the phase" {
		t.Errorf("%s (%s), want inconclusive", m.Verdict, m.Note)
	}
}
