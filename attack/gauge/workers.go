package gauge

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports/load"
)

// mostLine is how long a line of a worker may be.
const mostLine = 64 << 20

// worker is what a worker has said so far.
type worker struct {
	tally *tally // the last one; nil: none yet
	final *attack.Result
	err   error
}

// Merge has workers send the attack, and makes one report of what they count. start runs the worker with an index, hands what it writes (Work)
// to lines, and returns when it has ended, with the error that it ended with. The part of a worker that dies is missing in the report, but for what
// it had said before, and the report says so.
func (a *Attack) Merge(ctx context.Context, workers int, tell func(Progress), start func(ctx context.Context, index int, lines func(io.Reader) error) error) (*load.Report, error) {
	all := make([]worker, workers)
	var mutex sync.Mutex // guards all
	var wait sync.WaitGroup
	for i := range all {
		wait.Go(func() {
			err := start(ctx, i, func(from io.Reader) error {
				return a.lines(from, func(t *tally, final *attack.Result) {
					mutex.Lock()
					defer mutex.Unlock()
					all[i].tally, all[i].final = t, final
					tell(a.progress(all))
				})
			})
			mutex.Lock()
			defer mutex.Unlock()
			all[i].err = err
		})
	}
	wait.Wait()
	return a.merged(ctx, all), nil
}

// progress is how far all workers have come.
func (a *Attack) progress(all []worker) Progress {
	p := Progress{Planned: a.planned()}
	for i := range all {
		if t := all[i].tally; t != nil {
			p.Done, p.Failed = p.Done+t.requests(), p.Failed+t.failed
		}
	}
	return p
}

// lines reads what a worker writes.
func (a *Attack) lines(from io.Reader, take func(*tally, *attack.Result)) error {
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, mostLine)
	for scanner.Scan() {
		var line wireLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil || line.Form != TallyForm {
			return fmt.Errorf("it wrote %.60q, which is no %s", scanner.Text(), TallyForm)
		}
		t, err := line.Tally.read(a.Phases)
		if err != nil {
			return err
		}
		var final *attack.Result
		if line.Final {
			final = &line.Result
		}
		take(t, final)
	}
	return scanner.Err()
}

// merged is the report of what all workers counted.
func (a *Attack) merged(ctx context.Context, all []worker) *load.Report {
	t := a.newTally()
	result := attack.Result{PlannedRate: a.Rate, First: map[string]string{}}
	var incomplete []load.Worker
	for i := range all {
		w, part := &all[i], a.Plan
		part.Part, part.Parts = i, len(all)
		share := part.Share()
		if a.options.Closed {
			share = 0 // nothing is planned
		}
		seen := int64(0)
		if w.tally != nil {
			t.merge(w.tally)
			_, _, warm := w.tally.warmup()
			seen = w.tally.requests() + warm
		}
		if w.final != nil {
			addResult(&result, w.final)
			continue
		}
		why := "it ended without an error"
		if w.err != nil {
			why = w.err.Error()
		}
		result.Planned += share
		result.Sent, result.Observed = result.Sent+int(seen), result.Observed+int(seen)
		if a.Rate > 0 {
			result.AchievedRate += float64(seen) * a.Rate / float64(a.Requests) // over the whole time
		}
		incomplete = append(incomplete, load.Worker{Number: i + 1, Of: len(all), Planned: int64(share), Missing: max(0, int64(share)-seen), Why: why})
	}
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
		r.Phases = append(r.Phases, t.phases[i].report(len(incomplete) > 0))
	}
	r.Workers, r.Incomplete = len(all), incomplete
	if ctx.Err() != nil {
		r.Interrupted, r.Incomplete = "the attack was interrupted", nil
	}
	conclude(r, t, a.options.Expect)
	return r
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// addResult adds the figures of a worker that came to its end. Rates add up, and so do the requests in flight at the same time, at most.
func addResult(to, from *attack.Result) {
	if to.Began.IsZero() || from.Began.Before(to.Began) {
		to.Began = from.Began
	}
	to.Elapsed = max(to.Elapsed, from.Elapsed)
	to.Planned, to.Sent, to.Observed, to.Unsent = to.Planned+from.Planned, to.Sent+from.Sent, to.Observed+from.Observed, to.Unsent+from.Unsent
	to.AchievedRate += from.AchievedRate
	to.Resends, to.Opened, to.MostInFlight = to.Resends+from.Resends, to.Opened+from.Opened, to.MostInFlight+from.MostInFlight
	for class, text := range from.First {
		if to.First[class] == "" {
			to.First[class] = text
		}
	}
}
