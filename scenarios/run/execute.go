package run

import (
	"context"
	"crypto/tls"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/expectations"
	"github.com/hellochaos/hellochaos/scenarios/explain"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/stats"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// closeTimeout bounds the putting back. It has to outlast an API server that is away for a while.
	closeTimeout = 3 * time.Minute
	// drainTimeout bounds the wait for tries in flight before counters are read. It has to outlast an API server that is away for a
	// while.
	drainTimeout = 60 * time.Second
	// progressEvery is how often progress is told.
	progressEvery = 100 * time.Millisecond
	// mostRepeats is how often a phase is sent again more slowly when this machine could not keep a rate that we chose
	// ourselves. The draws are the same again, so the same seed still gives the same counts.
	mostRepeats = 2
	// lookEvery is after how many requests it is looked whether everything is decided.
	lookEvery = 25
)

// Execute runs the plan on a target and closes it. It always returns a report: of all that was measured until ctx ended
// or the target failed.
func (r *Run) Execute(ctx context.Context, on target.Target) *reports.Report {
	began := time.Now()
	report := r.report(on.Describe(), began)
	r.emit(Began{report})
	var verdicts []reports.Verdict
	for i, p := range r.phases {
		p.traced = on.Describe().Traced
		if p.change != nil {
			changes, err := r.changes(ctx, p.change, on)
			report.Changes = append(report.Changes, changes...)
			for i := range changes {
				verdicts = append(verdicts, changes[i].Verdict)
			}
			if r.stopped(ctx, report, err) {
				break
			}
		}
		phase, err := r.phase(ctx, p, on, p.Name)
		phase.Manifests = r.added[i]
		report.Phases = append(report.Phases, *phase)
		report.Phases[i].Words = explain.Phase(report, i)
		if phase.Verdict == reports.Pass && p.Promised == nil && !p.Base { // what the author says is of the author's own objects
			report.Phases[i].Words = append(report.Phases[i].Words, p.Lessons...)
		}
		verdicts = append(verdicts, phase.Verdict)
		r.emit(PhaseEnded{&report.Phases[i]})
		if r.stopped(ctx, report, err) {
			break
		}
	}
	if report.Error != "" || report.Aborted {
		verdicts = append(verdicts, reports.Inconclusive)
	}
	for _, finding := range report.Findings {
		if finding.Severity == reports.SeverityError {
			verdicts = append(verdicts, reports.Fail)
		}
	}
	report.Expectations = expectations.Judge(report, r.wanted)
	for i := range report.Expectations {
		verdicts = append(verdicts, report.Expectations[i].Verdict)
	}
	report.Verdict = reports.Worst(verdicts...)
	putBack(ctx, on, report)
	report.Elapsed = time.Since(began).Seconds()
	report.Summary = explain.Summary(report)
	r.emit(Ended{report})
	return report
}

// stopped notes an error that ends the run, and reports whether there is one.
func (r *Run) stopped(ctx context.Context, report *reports.Report, err error) bool {
	if err == nil {
		return false
	}
	if report.Aborted = ctx.Err() != nil; !report.Aborted {
		report.Error = err.Error()
	}
	return true
}

// putBack closes the target, whatever became of the run.
func putBack(ctx context.Context, on target.Target, report *reports.Report) {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	report.Restored = reports.Restored
	closed := time.Now()
	restoration, err := on.Close(closing)
	if err != nil || restoration.Objects > 0 {
		report.Restoration = &reports.Restoration{Objects: restoration.Objects, Detail: restoration.Detail, Elapsed: time.Since(closed).Seconds()}
	}
	if err != nil {
		report.Restored, report.Restoration.Problem = reports.NotRestored, err.Error()
	}
}

// report is what a report has before anything was measured.
func (r *Run) report(described target.Description, began time.Time) *reports.Report {
	o := r.options
	return &reports.Report{
		Schema: reports.SchemaVersion, Started: began.UTC(),
		Tool: reports.Tool{Name: "hellochaos", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
			Processors: runtime.GOMAXPROCS(0), Draws: trail.Form},
		Target:   reports.Target{Kind: described.Kind, Detail: described.Detail, Versions: described.Versions, Deviation: described.Deviation},
		Scenario: reports.Scenario{Name: r.name, Services: r.services(), Derived: r.options.Derived},
		Settings: reports.Settings{Seed: o.Seed, Fail: o.Fail, Hang: o.Hang, Cascade: o.Cascade, Exclude: o.Exclude,
			SplitTolerance: stats.Interval{Lo: o.SplitLo, Hi: o.SplitHi}, Parameters: o.Parameters, RequireTimes: o.RequireTimes,
			Rate: o.Attack.Rate, ManifestsHash: r.hash},
		Phases: []reports.Phase{}, Findings: r.findings, Cases: o.Cases,
	}
}

// services are those of all phases, callers before those that they call.
func (r *Run) services() (names []string) {
	for _, p := range r.phases {
		for _, name := range p.services {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// phase applies the objects of a phase, sends its requests, and judges them. On an error the phase has what was measured until
// then.
func (r *Run) phase(ctx context.Context, p *planned, on target.Target, name string) (*reports.Phase, error) {
	done := &reports.Phase{Name: name, Title: p.Title, Base: p.Base, Entry: p.kindsOfEntry(), Verdict: reports.Inconclusive,
		Planned: len(p.sequence), Natural: p.natural, Probes: p.probes, PlannedRate: p.rate, Shares: check.PredictedShares(p.predictions)}
	began := time.Now()
	if err := on.Apply(ctx, p.calm()); err != nil {
		done.Undecided = endedBy(ctx)
		return done, fmt.Errorf("applying the objects of phase %s: %w", name, err)
	}
	done.Applied = time.Since(began).Seconds()
	addresses, err := p.find(ctx, on)
	if err != nil {
		done.Undecided = endedBy(ctx)
		return done, err
	}
	done.Way = addresses.way()
	var repeated []string
	for {
		done.PlannedRate = p.rate
		r.emit(PhaseBegan{done})
		s := newSending(p)
		err := s.attack(ctx, on, addresses, func() { r.emit(s.progress(done)) })
		if slower := s.slower(); err == nil && p.options.Attack.Rate == 0 && len(repeated) < mostRepeats && p.mayTake(slower) {
			if why := s.resend(repeated); why != "" {
				repeated = append(repeated, "The phase was sent again more slowly, since "+why+".")
				p.rate = slower
				continue
			}
		}
		s.record(ctx, on, done, err)
		done.Warnings = append(repeated, done.Warnings...)
		if err == nil {
			err = r.policies(ctx, p, on, done)
		}
		return done, err
	}
}

// mayTake reports whether the phase may be sent again at another rate.
func (p *planned) mayTake(rate float64) bool {
	return rate >= 1 && (p.options.Longest == 0 || float64(p.settled) <= rate*p.options.Longest.Seconds())
}

// addresses are those of a phase's entries.
type addresses map[manifests.Entry]target.Address

// find asks the target where the cohorts enter.
func (p *planned) find(ctx context.Context, on target.Target) (addresses, error) {
	found := addresses{}
	for _, entry := range p.entries {
		if _, known := found[entry]; known {
			continue
		}
		address, err := p.address(ctx, on, entry)
		if err != nil {
			return nil, err
		}
		found[entry] = address
	}
	return found, nil
}

// url is the base of the requests of an entry.
func (a addresses) url(entry manifests.Entry) string { return a[entry].URL }

// secure is how connections with TLS are made; nil where no entry has its own way. All entries of a target have one.
func (a addresses) secure() *tls.Config {
	for _, address := range a {
		if address.TLS != nil {
			return address.TLS
		}
	}
	return nil
}

// way says how the addresses were found.
func (a addresses) way() string {
	var ways []string
	for _, address := range a {
		ways = append(ways, address.Way)
	}
	slices.Sort(ways)
	return strings.Join(slices.Compact(ways), ", ")
}

// sending is one time that the requests of a phase are sent.
type sending struct {
	*planned
	plan     attack.Plan
	tally    *observe.Tally
	load     *attack.Tally // of the natural requests
	splits   []*check.Split
	evidence check.Evidence
	result   attack.Result
	sampling sampling
	// slow are how long the requests took that took longer than a second, so that limits can be compared with them.
	slow      []time.Duration
	began     time.Time
	incidents []target.Incident
	count     int
	cohorts   []string
	sent      string // a sentence about how others sent the requests; "": this process did
}

func newSending(p *planned) *sending {
	s := &sending{planned: p, load: attack.NewTally(len(p.Cohorts), p.services...),
		splits: check.NewSplits(p.ways, p.options.SplitLo, p.options.SplitHi, p.biased())}
	for _, cohort := range p.Cohorts {
		s.cohorts = append(s.cohorts, cohort.Name)
	}
	return s
}

// attack sends the phase's requests once, and reads what the services counted of them.
func (s *sending) attack(ctx context.Context, on target.Target, at addresses, tell func()) error {
	before, err := s.counters(ctx, on)
	if err != nil {
		return err
	}
	s.plan = s.attackOn(at.url, at.secure())
	s.tally = observe.NewTally(s.ways, s.judged, s.plan.RequestName)
	s.sampling = sampling{plan: s.plan, first: s.first}
	s.sampling.mark(ctx, on)
	s.began = time.Now()
	tell()
	s.result, s.sent, err = s.send(ctx, s.plan, s.observer(tell))
	s.sampling.began = s.result.Began
	tell()
	if err != nil {
		return err
	}
	after, err := s.counters(ctx, on)
	if err != nil {
		return err
	}
	s.evidence.Counters, s.evidence.Counted = after.Since(before).Uncopied(), true
	s.incidents, err = on.Incidents(ctx)
	return err
}

// counters reads the services' counters with a bound on the wait for tries in flight.
func (s *sending) counters(ctx context.Context, on target.Target) (target.Counters, error) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	counters, err := on.Counters(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the services' counters: %w", err)
	}
	return counters, nil
}

// observer judges observations in planned order, and ends the phase when all is decided.
func (s *sending) observer(tell func()) func(*attack.Observation) bool {
	shown := time.Now()
	return func(o *attack.Observation) bool {
		s.tally.Add(o)
		if o.Cohort < len(s.Cohorts) {
			s.load.Add(o)
		}
		if o.Latency >= time.Second {
			s.slow = append(s.slow, o.Latency)
		}
		if s.count++; time.Since(shown) > progressEvery {
			shown = time.Now()
			tell()
		}
		return s.count < s.settled || s.count%lookEvery != 0 || !s.decided()
	}
}

// decided reports whether all that the mesh draws itself is decided.
func (s *sending) decided() bool {
	s.feed()
	for row, split := range s.splits {
		if split != nil && s.shown(row) > 0 && !split.Decided() {
			return false
		}
	}
	return true
}

// feed gives the tests of splits what was counted since they were fed last.
func (s *sending) feed() {
	for row, split := range s.splits {
		if split != nil {
			split.Feed(&s.tally.Rows[row])
		}
	}
}

// progress is how far the sending has come.
func (s *sending) progress(done *reports.Phase) Progress {
	at := *done
	at.Started, at.Observed = s.began.UTC(), s.count
	return Progress{Phase: &at, Done: s.count, Tally: s.tally, Load: s.load, Cohorts: s.cohorts, Stand: func() *Standing { return s.standing(done) }}
}

// standing is how a phase stands that is still being sent. Nothing of it decides anything: the tests of splits get no more than they have, since
// to look at them at other times would make other runs of a seed, and waits and counters are judged at the end alone.
func (s *sending) standing(done *reports.Phase) *Standing {
	e := s.evidence
	s.complete(&e)
	e.Untimed, e.Counted = true, false
	phase := s.pictured(&e, s.load.Latency(true))
	phase.Name, phase.PlannedRate = done.Name, done.PlannedRate
	phase.Verdict = reports.Worst(append(ofCalls(phase), reports.Inconclusive)...)
	return &Standing{Phase: phase, Settled: s.settled, Done: s.count}
}

// pictured is a phase as evidence shows it before its end; good are the times of answers without failure.
func (s *sending) pictured(e *check.Evidence, good *hdrhistogram.Histogram) *reports.Phase {
	phase := &reports.Phase{Name: s.Name, Title: s.Title, Base: s.Base, Entry: s.kindsOfEntry(), Planned: len(s.planned.sequence), Started: s.began.UTC(),
		Natural: int(s.tally.Natural), Probes: int(s.tally.Probes), PlannedRate: s.rate, Observed: s.count, Elapsed: time.Since(s.began).Seconds()}
	phase.Shares, phase.Calls = e.Shares(), e.Calls()
	s.compared(phase)
	phase.Mismatches, phase.Latency = s.mismatches(), latencies("ok", 0, good)
	return phase
}

// ofCalls are the verdicts of the calls of a phase.
func ofCalls(phase *reports.Phase) (all []reports.Verdict) {
	for i := range phase.Calls {
		all = append(all, phase.Calls[i].Verdict)
	}
	return all
}

// limited reports whether the generator could not keep its schedule, or sent more than it counted.
func (s *sending) limited() bool { return s.result.Limited || s.result.Resends > 0 }

// hurried reports whether a slower pace may give a verdict where there is none: requests were not sent, or time limits may have
// decided what could not be judged therefore.
func (s *sending) hurried() bool {
	if s.limited() || s.tally.Open == 0 {
		return s.limited()
	}
	s.judge()
	for _, c := range s.evidence.Calls() {
		lacking := func(b reports.Branch) bool { return b.Verdict == reports.Inconclusive }
		if c.Open > 0 && (c.Requests == reports.Inconclusive || slices.ContainsFunc(c.Branches, lacking)) {
			return true
		}
	}
	return false
}

// waitsStrayed is why a phase is sent again whose waits alone contradicted the rules.
const waitsStrayed = "waits contradicted the back-off, which a pause of this machine makes them do, too"

// slower is at how many requests a second the phase is sent again: at half the rate, or at the one that this machine kept, where that is lower.
func (s *sending) slower() float64 {
	rate := s.rate / 2
	if kept := s.result.AchievedRate; kept > 0 {
		rate = min(rate, kept)
	}
	return rate
}

// resend says as a clause why the phase should be sent again at a slower pace; "" where it should not. repeated are the warnings of the
// times that it was sent again before.
func (s *sending) resend(repeated []string) string {
	told := func(warning string) bool { return strings.Contains(warning, waitsStrayed) }
	switch {
	case s.hurried(), len(repeated) == 0 && s.times() && s.late():
		return fmt.Sprintf("%.0f requests a second were too many for this machine", s.rate)
	case !slices.ContainsFunc(repeated, told) && s.strayed():
		return waitsStrayed
	}
	return ""
}

// strayed reports whether waits alone contradict the rules. A pause of this machine holds up dozens of waits at once, and the test of
// waits takes them for independent; a mesh that waits otherwise does it again.
func (s *sending) strayed() bool {
	s.judge()
	strayed := false
	for _, c := range s.evidence.Calls() {
		if c.Verdict != reports.Fail {
			continue
		}
		waits := slices.ContainsFunc(c.Waits, func(w reports.Wait) bool { return w.Verdict == reports.Fail })
		c.Waits = nil
		if !waits || check.Verdict(&c) == reports.Fail {
			return false
		}
		strayed = true
	}
	return strayed
}

// late reports whether so many requests left late that no time is judged.
func (s *sending) late() bool { return s.result.LagP99 > lateAfter }

// replaced reports whether pods were replaced meanwhile: calls were cut and counts are lost, which no policy asked for.
func (s *sending) replaced() bool {
	return slices.ContainsFunc(s.incidents, func(i target.Incident) bool { return i.Pod })
}
