package scenarios

import (
	"fmt"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// record measures a phase's checks and writes them into the stage's report; a phase that did not end shows its numbers and gets
// no verdict, and unended says why.
func record(stage *reports.Stage, p *phase, e *evidence, unended string) {
	for _, c := range p.checks {
		row := rowOf(stage, c.row())
		m := c.measure(e)
		switch {
		case unended != "":
			m.Verdict, m.Note = reports.Inconclusive, unended
		case e.void():
			m.Verdict, m.Note = reports.Inconclusive, "void: the phase has no verdict, for the reason that is reported with it"
		}
		if p.after {
			row.After = m
		} else {
			row.Before = m
		}
	}
	amplify(stage, p, e)
}

// rowOf finds a check's row, or adds it.
func rowOf(stage *reports.Stage, c reports.Check) *reports.Check {
	for i := range stage.Checks {
		if stage.Checks[i].Name == c.Name {
			if c.Kind != stage.Checks[i].Kind { // exact on one side, a share on the other
				stage.Checks[i].Kind = reports.Proportion
			}
			return &stage.Checks[i]
		}
	}
	stage.Checks = append(stage.Checks, c)
	return &stage.Checks[len(stage.Checks)-1]
}

// amplify reports the tries per edge request of each hop beside their prediction.
func amplify(stage *reports.Stage, p *phase, e *evidence) {
	if e.result.Sent == 0 || !e.counted {
		return
	}
	for i, h := range p.forecasts[0].hops {
		if h.external {
			continue
		}
		f := &reports.Factor{Requests: int64(e.result.Sent)}
		for _, forecast := range p.forecasts {
			f.Predicted += forecast.tries[i] / float64(len(p.forecasts))
		}
		for _, t := range e.counters {
			if t.Service == h.name {
				f.Tries += t.Count
			}
		}
		f.Measured = float64(f.Tries) / float64(f.Requests)
		at := 0
		for at < len(stage.Amplification) && stage.Amplification[at].Hop != h.name {
			at++
		}
		if at == len(stage.Amplification) {
			stage.Amplification = append(stage.Amplification, reports.Amplification{Hop: h.name})
		}
		if p.after {
			stage.Amplification[at].After = f
		} else {
			stage.Amplification[at].Before = f
		}
	}
}

// describe writes down how the attack went, and what that takes away from its checks; late: also that requests left late,
// which takes nothing away from counts.
func describe(done *reports.Phase, p *phase, e *evidence, late bool) {
	r := e.result
	if r.Sent > 0 {
		done.Started = r.Began.UTC()
	}
	done.Elapsed = r.Elapsed.Seconds()
	done.Sent, done.Observed, done.Unsent = r.Sent, r.Observed, r.Unsent
	done.PlannedRate, done.AchievedRate = r.PlannedRate, r.AchievedRate
	done.LagMedian, done.LagP99 = r.LagMedian.Seconds(), r.LagP99.Seconds()
	done.Stopped, done.GeneratorLimited, done.Late, done.Replaced = r.Stopped, e.limited(), r.Late, e.replaced()
	r.Late = r.Late && late
	done.Warnings = r.Warnings()
	for _, incident := range e.incidents {
		if incident.Note {
			done.Compared = append(done.Compared, incident.Text)
		} else {
			done.Incidents = append(done.Incidents, incident.Text)
		}
	}
	var bare int64
	for i := range e.tally.Cohorts {
		bare += e.tally.Cohorts[i].WithoutTrail
	}
	if bare > 0 {
		done.Warnings = append(done.Warnings, fmt.Sprintf("%d answers carried no trail: nothing is known of the hops behind them", bare))
	}
	done.Latency = append(latencies("ok", 0, e.tally.Latency(true)), latencies("failed", 0, e.tally.Latency(false))...)
	for _, l := range e.tally.LatencyByTries() {
		if l.Tries > 0 {
			done.Latency = append(append(done.Latency, latencies("ok", l.Tries, l.OK)...), latencies("failed", l.Tries, l.Failed)...)
		}
	}
	done.Seconds = seconds(e.tally.Seconds())
	done.Distributions = distributions(e.tally.LatencyByTries())
	done.Edges, done.Samples = edgesOf(e, p.own()), e.sampling.samples(e.tally.Samples())
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
		if lo, hi, ok := stats.QuantileRanks(n, q, alphaEarly+alphaFinal); ok {
			l.Interval = between(h, lo, hi)
		}
		all = append(all, l)
	}
	return all
}

// summarize says a report's verdict in one sentence.
func summarize(r *reports.Report) string {
	count := map[reports.Verdict]int{}
	checks, limited, replaced, worst := 0, false, false, ""
	for _, s := range r.Stages {
		for _, c := range s.Checks {
			count[c.Verdict]++
			checks++
			if c.Verdict == r.Verdict && worst == "" && r.Verdict != reports.Pass {
				worst = fmt.Sprintf("%q of stage %s", c.Name, s.Name)
			}
		}
		for _, p := range s.Phases {
			limited, replaced = limited || p.GeneratorLimited, replaced || p.Replaced
		}
	}
	switch {
	case r.Error != "":
		return "no verdict: " + r.Error
	case r.Aborted:
		return fmt.Sprintf("what was measured until then is below (%d checks)", checks)
	case r.Verdict == reports.Pass:
		return agreement(r, checks)
	case r.Verdict == reports.Fail && checks == 1:
		return "the check contradicts the manifests: " + worst
	case r.Verdict == reports.Fail:
		return fmt.Sprintf("%d of %d checks contradict the manifests; the first is %s", count[reports.Fail], checks, worst)
	case limited:
		return "no verdict: the load generator could not keep its schedule"
	case replaced:
		return "no verdict: pods of the chain were replaced meanwhile"
	}
	return fmt.Sprintf("%d of %d checks could not be decided; the first is %s", count[reports.Inconclusive], checks, worst)
}

// agreement is the summary of a pass, which may still not be what the tutorial promises.
func agreement(r *reports.Report, checks int) string {
	text := fmt.Sprintf("all %d checks agree with what the manifests predict", checks)
	if checks == 1 {
		text = "the check agrees with what the manifests predict"
	}
	var broken []string
	for _, s := range r.Stages {
		if s.PromiseBroken {
			broken = append(broken, s.Name)
		}
	}
	if len(broken) > 0 {
		text += ", but that is not what the tutorial promises: see " + strings.Join(broken, ", ")
	}
	return text
}
