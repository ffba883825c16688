package gauge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/share"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/stats"
)

// Counter counts the observations of a worker (share.Work).
func Counter(o *share.Order) (add func(*attack.Observation), say func() any) {
	t := (&Attack{Plan: o.Plan, order: o.TargetOf}).newTally()
	return t.add, func() any { return t.wire() }
}

// gathering are the tallies of workers.
type gathering struct {
	attack *Attack
	all    []*wireTally // the last one of each; nil: none yet
	fresh  []bool       // came since the last look
	looks  int
	broken string // the expectation that cannot be met any more
	failed error  // of reading what a worker wrote
}

// Merge has the workers of a team send the attack, and makes one report of what they count: Send with less to hand over, since no single request
// is known. The part of a worker that dies is missing in the report, but for what it had said before, and the report says so. settings is the
// TLS of the plan.
func (a *Attack) Merge(ctx context.Context, team *share.Team, settings *share.TLS, tell func(Progress)) (*load.Report, error) {
	n := team.Crew.Size()
	g := &gathering{attack: a, all: make([]*wireTally, n), fresh: make([]bool, n)}
	var stopping sync.WaitGroup
	order := &share.Order{Plan: a.Plan, TLS: settings, TargetOf: a.order, Reach: !team.Crew.OneClock()}
	outcomes, err := team.Conduct(ctx, order, func(index int, l *share.Line) {
		if len(l.Tally) == 0 || !g.take(index, l) {
			return
		}
		tell(g.progress())
		if g.look(l.State == share.Ended) {
			stopping.Go(func() { _ = team.Stop(ctx, 1) }) // if it fails, they send what is planned
		}
	})
	stopping.Wait()
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	r := g.report(ctx, outcomes)
	if g.failed != nil {
		return nil, g.failed
	}
	return r, nil
}

// take takes the tally of a line.
func (g *gathering) take(index int, l *share.Line) bool {
	w := &wireTally{}
	err := json.Unmarshal(l.Tally, w)
	if err == nil {
		err = w.check(g.attack.Phases)
	}
	if err != nil {
		g.fail(index, err)
		return false
	}
	g.all[index], g.fresh[index] = w, true
	return true
}

// fail notes what is wrong with what a worker wrote.
func (g *gathering) fail(index int, err error) {
	if g.failed == nil {
		g.failed = fmt.Errorf("worker %d: %w", index+1, err)
	}
}

// merged are all tallies together.
func (g *gathering) merged() *tally {
	t := g.attack.newTally()
	for i, of := range g.all {
		if of == nil {
			continue
		}
		if err := t.mergeWire(of, g.attack.Phases); err != nil {
			g.fail(i, err)
		}
	}
	return t
}

// look reports whether the attack may end early, since an expectation cannot be met any more (Options.Abort). It looks when every worker has said
// something new, or one has ended.
func (g *gathering) look(ended bool) bool {
	if !g.attack.options.Abort || g.broken != "" || ended {
		return false
	}
	for _, fresh := range g.fresh {
		if !fresh {
			return false
		}
	}
	clear(g.fresh)
	g.looks++
	g.broken = g.merged().watch(g.attack.options.Expect, g.looks)
	return g.broken != ""
}

// progress is how far all workers have come.
func (g *gathering) progress() Progress {
	p := Progress{Planned: g.attack.planned()}
	for _, t := range g.all {
		if t != nil {
			p.Done, p.Failed = p.Done+t.requests(), p.Failed+t.Failed
		}
	}
	return p
}

// report is that of what all workers counted.
func (g *gathering) report(ctx context.Context, outcomes []share.Outcome) *load.Report {
	a, t := g.attack, g.merged()
	result := attack.Result{PlannedRate: a.Rate}
	for i := range outcomes {
		if outcomes[i].Died == nil {
			sent := *outcomes[i].Last.Result
			sent.Began = sent.Began.Add(-outcomes[i].Clock.Least) // by the clock of this process
			result.Add(&sent)
		}
	}
	incomplete := a.incomplete(outcomes, func(i int) int64 {
		if g.all[i] == nil {
			return 0
		}
		return g.all[i].requests() + g.all[i].warmup(a.Phases)
	}, &result)
	if a.options.Closed {
		result.Planned = result.Sent
	}
	if n := t.requests(); n > 0 {
		result.LateShare = float64(t.late) / float64(n)
	}
	result.LagMedian, result.LagP99 = duration(t.lag.at(0.5)), duration(t.lag.at(0.99))
	result.Judge()
	r := a.report(t, &result)
	for i := range t.phases {
		r.Phases = append(r.Phases, t.phases[i].report(len(incomplete) > 0 || g.broken != ""))
	}
	r.Workers, r.Incomplete, r.Clocks, r.Aborted = len(outcomes), incomplete, clocks(outcomes), g.broken
	if ctx.Err() != nil {
		r.Interrupted, r.Incomplete, r.Workers = "the attack was interrupted", nil, len(g.all)
	}
	conclude(r, t, a.options.Expect)
	return r
}

// incomplete are the workers that died; what they had said is added to the result. seen is of how many requests a worker had said something.
func (a *Attack) incomplete(outcomes []share.Outcome, seen func(i int) int64, result *attack.Result) (all []load.Worker) {
	for i := range outcomes {
		if outcomes[i].Died == nil {
			continue
		}
		part := a.Plan
		part.Part, part.Parts = i, len(outcomes)
		planned, known := part.Share(), seen(i)
		if a.options.Closed {
			planned = 0
		}
		result.Planned += planned
		if a.options.Run == nil { // else those that were handed over are counted already
			result.Observed += int(known)
		}
		result.Sent += int(known)
		if a.Rate > 0 {
			result.AchievedRate += float64(known) * a.Rate / float64(a.Requests) // over the whole time
		}
		all = append(all, load.Worker{Number: i + 1, Of: len(outcomes), Planned: int64(planned), Missing: max(0, int64(planned)-known), Why: outcomes[i].Died.Error()})
	}
	return all
}

// clocks says how far the clocks of workers elsewhere are ahead of the one of this process; nil: they have the same.
func clocks(outcomes []share.Outcome) *stats.Interval {
	least, most, ok := share.Clocks(outcomes)
	if !ok {
		return nil
	}
	return &stats.Interval{Lo: least.Seconds(), Hi: most.Seconds()}
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// errForm is the error of a tally of another form.
var errForm = errors.New("what it counted is no " + TallyForm)
