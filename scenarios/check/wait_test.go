package check_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// waits draws what n calls with so many failed tries add, in milliseconds: the ways of all tries, and a back-off before each but the
// first. draw makes a back-off from its bound.
func waits(r *rand.Rand, n, failures int, way float64, draw func(r *rand.Rand, bound float64) float64) (all []float64) {
	for range n {
		sum := 0.0
		for k := range failures + 1 {
			sum += way * (0.8 + 0.4*r.Float64())
			if k > 0 {
				sum += draw(r, 25*math.Pow(2, float64(k-1)))
			}
		}
		all = append(all, sum)
	}
	return all
}

func jittered(r *rand.Rand, bound float64) float64 { return bound * r.Float64() }

// The whole distribution of waits is judged: those that the policy draws pass, others fail; too few, late ones and those that the way
// hides are not judged.
func TestWaits(t *testing.T) {
	const way = 1
	for _, c := range []struct {
		name    string
		n       int
		way     float64
		draw    func(*rand.Rand, float64) float64
		set     func(*phase)
		verdict [3]reports.Verdict // before try 2, 3 and 4
		note    string
	}{
		{"right", 300, way, jittered, func(*phase) {}, [3]reports.Verdict{reports.Pass, reports.Pass, reports.Pass}, ""},
		{"half as long again, which 100 waits show before the last try", 100, way, func(r *rand.Rand, b float64) float64 { return 1.5 * jittered(r, b) }, func(*phase) {}, [3]reports.Verdict{reports.Pass, reports.Pass, reports.Fail}, "waits are longer than"},
		{"half as long again, of more", 300, way, func(r *rand.Rand, b float64) float64 { return 1.5 * jittered(r, b) }, func(*phase) {}, [3]reports.Verdict{reports.Fail, reports.Fail, reports.Fail}, "waits are longer than"},
		{"without jitter", 100, way, func(_ *rand.Rand, b float64) float64 { return b }, func(*phase) {}, [3]reports.Verdict{reports.Fail, reports.Fail, reports.Fail}, "waits are longer than"},
		{"no wait", 100, way, func(*rand.Rand, float64) float64 { return 0 }, func(*phase) {}, [3]reports.Verdict{reports.Fail, reports.Fail, reports.Fail}, "waits are shorter than"},
		{"late", 300, way, func(*rand.Rand, float64) float64 { return 0 }, func(p *phase) { p.Late = true }, [3]reports.Verdict{reports.NotJudged, reports.NotJudged, reports.NotJudged}, "requests left late, so that no time is judged"},
		{"late, and times are required", 300, way, jittered, func(p *phase) { p.Late, p.RequireTimes = true, true }, [3]reports.Verdict{reports.Inconclusive, reports.Inconclusive, reports.Inconclusive}, "requests left late"},
		{"late in a Base phase", 300, way, jittered, func(p *phase) { p.Late, p.RequireTimes, p.Base = true, true, true }, [3]reports.Verdict{reports.NotJudged, reports.NotJudged, reports.NotJudged}, "requests left late"},
		{"too few", 49, way, jittered, func(*phase) {}, [3]reports.Verdict{reports.NotJudged, reports.NotJudged, reports.NotJudged}, "49 waits are too few to be judged"},
		{"too few, and times are required", 49, way, jittered, func(p *phase) { p.RequireTimes = true }, [3]reports.Verdict{reports.Inconclusive, reports.Inconclusive, reports.Inconclusive}, "49 waits are too few"},
		{"a way longer than the first wait", 300, 20, jittered, func(*phase) {}, [3]reports.Verdict{reports.NotJudged, reports.Pass, reports.Pass}, "a try's way itself takes up to"},
		{"a target that is held to no such waits", 300, way, jittered, func(p *phase) { p.Timed, p.RequireTimes = 20*time.Millisecond, true }, [3]reports.Verdict{reports.NotJudged, reports.Pass, reports.Pass}, "this target cannot be held to waits below 20ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			p := newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
			p.wants("middleware", oracle.Want{Timed: 100})
			c.set(p)
			row, _ := p.row("middleware")
			row.Added[0] = added(waits(r, 500, 0, c.way, c.draw)...)
			for failures := 1; failures <= 3; failures++ {
				row.Added[failures] = added(waits(r, c.n, failures, c.way, c.draw)...)
			}
			got := p.judged("middleware").Waits
			notes := ""
			for i, w := range got {
				if w.Verdict != c.verdict[i] || w.Try != i+2 || w.N != int64(c.n) || (w.Note == "") != (w.Verdict == reports.Pass) {
					t.Errorf("before try %d: %s of %d waits (%s), want %s of %d before try %d", w.Try, w.Verdict, w.N, w.Note, c.verdict[i], c.n, i+2)
				}
				if want := []float64{0.0125, 0.0375, 0.0875}[i]; math.Abs(w.Predicted-want) > 1e-4 {
					t.Errorf("before try %d: a median of %v s is predicted, want %v", w.Try, w.Predicted, want)
				}
				notes += w.Note
			}
			if len(got) != 3 || !strings.Contains(notes, c.note) {
				t.Errorf("%d waits with notes %q, want 3 and %q", len(got), notes, c.note)
			}
			if m := got[2]; c.name == "right" && (m.Measured == nil || m.Interval == nil || m.Interval.Lo > *m.Measured || m.Interval.Hi < *m.Measured || math.Abs(*m.Measured-0.0875) > 0.008) {
				t.Errorf("before try 4: measured %v in %v, want about 0.0875 in its interval", m.Measured, m.Interval)
			}
		})
	}
}

// Waits by the rule of the phase before are judged only where there are enough.
func TestWaitsThatWereNotPlanned(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	p := newPhase(t, "retry", "", oracle.Request{Fail: 0.5})
	row, _ := p.row("middleware")
	row.Added[0], row.Added[1], row.Added[2] = added(waits(r, 500, 0, 1, jittered)...), added(waits(r, 60, 1, 1, jittered)...), added(waits(r, 10, 2, 1, jittered)...)
	if got := p.judged("middleware").Waits; len(got) != 1 || got[0].Verdict != reports.Pass || got[0].Try != 2 {
		t.Errorf("%+v, want only the waits before try 2", got)
	}
}

// A fault that holds calls back hides how long is waited between tries.
func TestWaitsOfDelayedCalls(t *testing.T) {
	p := newPhase(t, "prod", virtualService(toProd, retrying+"\n^fault: {delay: {fixedDelay: 1s, percentage: {value: 50}}}"), oracle.Request{Fail: 0.5})
	p.wants("middleware", oracle.Want{Timed: 100})
	for _, w := range p.judged("middleware").Waits {
		if w.Verdict != reports.NotJudged || w.Note != "a fault holds such calls back, and the answers do not say for how long" {
			t.Errorf("before try %d: %s (%s)", w.Try, w.Verdict, w.Note)
		}
	}
}

// Waits that are right hardly ever fail: once in 20,000 tests.
func TestRightWaitsHardlyEverFail(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	failed := 0
	for range 100 {
		p := newPhaseAgain(t)
		row, _ := p.row("middleware")
		row.Added[0] = added(waits(r, 500, 0, 1, jittered)...)
		for failures := 1; failures <= 3; failures++ {
			row.Added[failures] = added(waits(r, 100, failures, 1, jittered)...)
		}
		for _, w := range p.judged("middleware").Waits {
			if w.Verdict != reports.Pass {
				failed++
			}
		}
	}
	if failed > 0 {
		t.Errorf("%d of 300 tests of right waits failed", failed)
	}
}

func fraction(v float64) string { return fmt.Sprintf("%.3g", v) }
