package run

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/stats"
	"github.com/hellochaos/hellochaos/target"
)

// latencyRisk is how often the interval of a latency's quantile misses it.
const latencyRisk = 0.05

// lateAfter is how much later than planned one request in a hundred may leave while times are judged.
const lateAfter = 20 * time.Millisecond

// endedBy says why a phase has no verdict that ended with an error.
func endedBy(ctx context.Context) string {
	if ctx.Err() != nil {
		return "the run was interrupted"
	}
	return "the phase did not end well: see the run's error"
}

// record judges what was sent and writes it into the phase. failed is the error with which the phase ended, if any: then it has
// numbers and no verdict.
func (s *sending) record(ctx context.Context, on target.Target, done *reports.Phase, failed error) {
	if done.Undecided = s.undecided(ctx, failed); s.tally == nil {
		return
	}
	if failed == nil {
		s.sampling.read(ctx, on, s.samples())
	} else {
		s.sampling.unread = fmt.Errorf("the services' spans were not read, since the phase did not end well: %w", failed)
	}
	s.describe(done)
	s.judge()
	done.Shares, done.Calls = s.evidence.Shares(), s.evidence.Calls()
	s.compared(done)
	done.Mismatches, done.Outcomes = s.mismatches(), s.tally.Outcomes
	if lost := s.evidence.Lost(); lost != "" {
		done.Incidents = append(done.Incidents, lost)
	}
	if done.Undecided != "" {
		for i := range done.Calls {
			unjudge(&done.Calls[i])
		}
		return
	}
	done.Verdict = reports.Worst(ofCalls(done)...)
}

// unjudge takes the verdicts away from what was measured of a call, since its phase has none.
func unjudge(c *reports.Call) {
	c.Verdict, c.Requests, c.Excludes = reports.NotJudged, reports.NotJudged, nil
	for i := range c.Branches {
		c.Branches[i].Verdict = reports.NotJudged
	}
	for i := range c.Waits {
		c.Waits[i].Verdict = reports.NotJudged
	}
	if c.Split != nil {
		c.Split.Verdict = reports.NotJudged
		for i := range c.Split.Parts {
			c.Split.Parts[i].Verdict = reports.NotJudged
		}
	}
	if c.Ledger != nil {
		c.Ledger.Verdict = reports.NotJudged
	}
}

// undecided says why nothing of a phase is judged; "" where it is.
func (s *sending) undecided(ctx context.Context, failed error) string {
	switch {
	case failed != nil:
		return endedBy(ctx)
	case s.replaced():
		return "pods were replaced meanwhile, so that calls were cut and counts were lost"
	case s.result.Resends > 0:
		return fmt.Sprintf("%d requests were sent more than once by the transport", s.result.Resends)
	case s.result.Limited:
		return fmt.Sprintf("the load generator could not keep its schedule: %d of %d requests were not sent", s.result.Unsent, s.result.Sent+s.result.Unsent)
	}
	return ""
}

// judge completes the evidence.
func (s *sending) judge() {
	s.feed()
	s.complete(&s.evidence)
}

// complete completes evidence, of all but what feed gives to the tests of splits.
func (s *sending) complete(e *check.Evidence) {
	e.Ways, e.Tally, e.Predictions, e.Wants, e.Splits = s.ways, s.tally, s.predictions, s.wants, s.splits
	e.Inwards, e.Cohorts, e.Base = s.inwards, s.leading(), s.Base || s.options.Request != ""
	e.Exclude, e.Elsewhere = s.options.Exclude, s.elsewhere()
	e.Biased, e.Remote = s.biased(), s.pace.Remote
	e.Untimed, e.RequireTimes, e.Timed, e.Late = s.untimed(), s.options.RequireTimes, s.pace.Timed, s.late()
	e.Slow = func(limit time.Duration) (n int64) {
		for _, took := range s.slow {
			if took >= limit {
				n++
			}
		}
		return n
	}
}

// deviations are the kinds of mismatches, from the edge inwards.
func (s *sending) deviations() []observe.Deviation {
	return slices.SortedFunc(maps.Keys(s.tally.Mismatches), func(a, b observe.Deviation) int {
		return cmp.Or(slices.Index(s.inwards, a.Row)-slices.Index(s.inwards, b.Row), strings.Compare(string(a.Kind), string(b.Kind)))
	})
}

// mismatches are the first of each kind and row, from the edge inwards.
func (s *sending) mismatches() (all []reports.Mismatch) {
	for _, key := range s.deviations() {
		of, row := s.tally.Mismatches[key], &s.ways.Rows[key.Row]
		m := reports.Mismatch{Kind: string(key.Kind), From: row.Caller, To: check.Service(row), Count: of.Count,
			Request: of.Request, Probe: of.Probe, Call: of.First.Call, Try: of.First.Try, Expected: of.First.Expected, Met: of.First.Met,
			Status: of.First.Status, By: of.First.By, Cohorts: s.deviating(of), FirstAt: of.FirstAt.Seconds(), LastAt: of.LastAt.Seconds()}
		if row.Rule != nil {
			m.Rule, m.File, m.Line = row.Rule.Name, row.Rule.File, row.Rule.Line
		}
		if s.options.Again != nil {
			_, name, _ := strings.Cut(of.Request, "/") // without the seed
			m.Again = s.options.Again(name)
		}
		all = append(all, m)
	}
	return all
}

// deviating are the names of the cohorts whose requests deviated; nil where the phase has one.
func (s *sending) deviating(d *observe.Deviations) (names []string) {
	if len(s.Cohorts) == 1 {
		return nil
	}
	for _, cohort := range s.Cohorts {
		for at := range d.Cohorts {
			if s.planned.cohorts[at].Name == cohort.Name && !slices.Contains(names, cohort.Name) {
				names = append(names, cohort.Name)
			}
		}
	}
	return names
}

// describe writes down how the attack went.
func (s *sending) describe(done *reports.Phase) {
	r := s.result
	if r.Sent > 0 {
		done.Started = r.Began.UTC()
	}
	done.Elapsed = r.Elapsed.Seconds()
	done.Sent, done.Observed, done.Unsent = r.Sent, r.Observed, r.Unsent
	done.Natural, done.Probes = int(s.tally.Natural), int(s.tally.Probes)
	done.PlannedRate, done.AchievedRate = r.PlannedRate, r.AchievedRate
	done.LagMedian, done.LagP99 = r.LagMedian.Seconds(), r.LagP99.Seconds()
	done.Stopped, done.GeneratorLimited, done.Late, done.Replaced = r.Stopped, s.limited(), s.late(), s.replaced()
	r.Late = r.Late && s.options.Attack.Rate > 0 // at a rate of ours it matters to times alone, which then are not judged
	done.Warnings = append(done.Warnings, r.Warnings()...)
	if s.sent != "" {
		done.Compared = append(done.Compared, s.sent)
	}
	for _, incident := range s.incidents {
		if incident.Note {
			done.Compared = append(done.Compared, incident.Text)
		} else {
			done.Incidents = append(done.Incidents, incident.Text)
		}
	}
	done.Latency = append(latencies("ok", 0, s.load.Latency(true)), latencies("failed", 0, s.load.Latency(false))...)
	for _, l := range s.load.LatencyByTries() {
		if l.Tries > 0 {
			done.Latency = append(append(done.Latency, latencies("ok", l.Tries, l.OK)...), latencies("failed", l.Tries, l.Failed)...)
		}
	}
	done.Seconds = seconds(s.load.Seconds())
	done.Distributions = distributions(s.load.LatencyByTries())
	done.Edges, done.Samples = s.edges(), s.sampling.samples(s.samples())
}

// seconds are the latencies of each second, bin by bin.
func seconds(all []attack.Second) []reports.Second {
	var told []reports.Second
	for _, s := range all {
		told = append(told, reports.Second{Number: s.Number, OK: bins(s.OK), Failed: bins(s.Failed)})
	}
	return told
}

// latencies are the quantiles of one outcome and number of tries, each with an interval where there are enough values for
// one.
func latencies(outcome string, tries int, h *hdrhistogram.Histogram) []reports.Latency {
	if h == nil || h.TotalCount() == 0 {
		return nil
	}
	n := h.TotalCount()
	var all []reports.Latency
	for _, q := range []float64{0.5, 0.9, 0.99} {
		l := reports.Latency{Outcome: outcome, Tries: tries, Quantile: q, Value: float64(h.ValueAtPercentile(100*q)) / 1e6, N: n}
		if lo, hi, ok := stats.QuantileRanks(n, q, latencyRisk); ok {
			l.Interval = between(h, lo, hi)
		}
		all = append(all, l)
	}
	return all
}

// between are the values in seconds between which a quantile lies whose ranks are lo and hi.
func between(h *hdrhistogram.Histogram, lo, hi int64) *stats.Interval {
	from, _ := bin(h, lo)
	_, to := bin(h, hi)
	return &stats.Interval{Lo: from, Hi: to}
}

func pointer[T any](v T) *T { return &v }

// bin is the lowest and highest value, in seconds, of the bin that holds a rank (1 is the smallest) of a histogram in
// microseconds.
func bin(h *hdrhistogram.Histogram, rank int64) (from, to float64) {
	var below int64
	for _, bar := range h.Distribution() {
		if below += bar.Count; below >= rank {
			return float64(bar.From) / 1e6, float64(bar.To) / 1e6
		}
	}
	return float64(h.Max()) / 1e6, float64(h.Max()) / 1e6
}
