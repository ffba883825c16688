package gauge

import (
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports/load"
)

// phaseTally counts the observations of a phase.
type phaseTally struct {
	of               *attack.Phase
	begin, end       time.Duration // planned
	ok, failed, late int64
	latency          distribution // of good answers
}

// newPhaseTallies returns an empty tally for each phase.
func newPhaseTallies(phases []attack.Phase) (all []phaseTally) {
	begin := time.Duration(0)
	for i := range phases {
		end := begin + phases[i].Duration
		all = append(all, phaseTally{of: &phases[i], begin: begin, end: end, latency: newDistribution()})
		begin = end
	}
	return all
}

// count counts an observation in its phase, which it returns (-1: there are none), and reports whether that is the warm-up.
func (t *tally) count(o *attack.Observation) (phase int, warmup bool) {
	for i := range t.phases {
		p := &t.phases[i]
		if o.Planned >= p.end && i+1 < len(t.phases) {
			continue
		}
		if o.Late() {
			p.late++
		}
		if o.Bad() {
			p.failed++
		} else {
			p.ok++
			p.latency.add(o.Response())
		}
		return i, p.of.Warmup
	}
	return -1, false
}

// warmup is how long the warm-up is planned, and how many requests are planned and were answered in it.
func (t *tally) warmup() (lasts time.Duration, planned, answered int64) {
	if len(t.phases) == 0 || !t.phases[0].of.Warmup {
		return 0, 0, 0
	}
	p := &t.phases[0]
	return p.end, int64(p.of.Requests()), p.ok + p.failed
}

// report has the rows of the phases. What was planned and not sent is known of an attack that was not interrupted.
func (p *phaseTally) report(interrupted bool) load.Phase {
	r := load.Phase{Name: p.of.Name, Warmup: p.of.Warmup, Seconds: p.of.Duration.Seconds(), Planned: int64(p.of.Requests()), OK: p.ok, Failed: p.failed,
		Latency: p.latency.report()}
	sent := p.ok + p.failed
	if !interrupted {
		r.Skipped = max(0, r.Planned-sent)
	}
	r.Limited = attack.Limited(sent, p.late, r.Skipped)
	return r
}
