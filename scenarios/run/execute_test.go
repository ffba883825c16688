package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// standIn is a target of one service without a mesh, which may fail at one step.
type standIn struct {
	at      string // the step that fails
	service *service.Service
	server  *httptest.Server
	// handle, where it is set, is asked first, and answers itself where it returns true.
	handle    func(w http.ResponseWriter, r *http.Request) bool
	incidents []target.Incident
	closed    int
	read      int // how often the counters were
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	config, _, err := service.FromEnvironment(func(name string) string {
		return map[string]string{"SERVICE_NAME": "frontend-v1", "CALLS": "[]"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &standIn{incidents: []target.Incident{{Text: "somebody looked"}, {Text: "two sources agree", Note: true}}}
	if s.service, err = service.New(config); err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.handle == nil || !s.handle(w, r) {
			s.service.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { s.server.Close(); s.service.Close() })
	return s
}

// run is the plan of two phases whose only service is the stand-in. Nothing is probed in them.
func (s *standIn) run(t *testing.T, o Options) *Run { return s.plan(t, true, o) }

func (s *standIn) plan(t *testing.T, base bool, o Options) *Run {
	t.Helper()
	objects, err := manifests.Parse("mine.yaml", []byte(deployed("frontend", "v1", "[]", "")+served("frontend")))
	if err != nil {
		t.Fatal(err)
	}
	phase := scenarios.Phase{Name: "first", Base: base, Objects: objects, Cohorts: []scenarios.Cohort{{Entry: manifests.Entry{Service: "frontend"}}}}
	second := phase
	second.Name, second.Base = "second", false
	r, err := Plan("mine", []scenarios.Phase{phase, second}, o, pace)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// limited are options of phases of so many requests.
func limited(requests int) Options {
	o := usual()
	o.Attack.MaxRequests, o.Attack.Rate = requests, 1000
	return o
}

func (s *standIn) step(name string) error {
	if s.at == name {
		return errors.New(name + " went wrong")
	}
	return nil
}

func (s *standIn) Apply(context.Context, []manifests.Object) error { return s.step("apply") }
func (s *standIn) Address(context.Context, manifests.Entry) (target.Address, error) {
	return target.Address{URL: s.server.URL, Way: "loopback"}, s.step("address")
}
func (s *standIn) Incidents(context.Context) ([]target.Incident, error) {
	return s.incidents, s.step("incidents")
}
func (s *standIn) Counters(context.Context) (target.Counters, error) {
	if s.read++; s.read == 2 && s.at == "counters after the load" {
		return nil, s.step(s.at)
	}
	w := httptest.NewRecorder()
	s.service.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	counters, _, err := target.ReadCounters(w.Body)
	return counters, errors.Join(err, s.step("counters"))
}
func (s *standIn) Spans(context.Context, []string) ([]trail.Recording, error) {
	return nil, s.step("spans")
}
func (s *standIn) Describe() target.Description { return target.Description{Kind: "mesh"} }
func (s *standIn) Close(ctx context.Context) (target.Restoration, error) {
	s.closed++
	if err := ctx.Err(); err != nil {
		return target.Restoration{}, err // a cancelled context could not put anything back
	}
	return target.Restoration{}, s.step("close")
}

// A stand-in that does what its draws say passes, with the numbers of what was sent.
func TestExecute(t *testing.T) {
	on := newStandIn(t)
	o := usual()
	o.Attack.Rate = 2000
	report := on.plan(t, false, o).Execute(t.Context(), on)
	if report.Verdict != reports.Pass || report.Error != "" || report.ExitCode() != 0 || on.closed != 1 || report.Restored != reports.Restored {
		t.Fatalf("%s, error %q, closed %d times: %s", report.Verdict, report.Error, on.closed, report.Summary)
	}
	for i, p := range report.Phases {
		if p.Verdict != reports.Pass || p.Undecided != "" || p.Sent != p.Planned || p.Observed != p.Sent || p.Natural != 300 || (p.Probes > 0) != (i == 0) || len(p.Outcomes) != 300 || p.Way != "loopback" || p.Entry != "direct" || p.Started.IsZero() {
			t.Errorf("%s: %s (%s), planned %d, sent %d, observed %d, %d natural, %d probes, %d outcomes", p.Name, p.Verdict, p.Undecided, p.Planned, p.Sent, p.Observed, p.Natural, p.Probes, len(p.Outcomes))
		}
		if !slices.Equal(p.Incidents, []string{"somebody looked"}) || !slices.Equal(p.Compared, []string{"two sources agree"}) {
			t.Errorf("%s: incidents %q, compared %q", p.Name, p.Incidents, p.Compared)
		}
		c := p.Calls[0]
		if len(p.Calls) != 1 || c.From != "edge" || c.To != "frontend" || c.Judged != int64(p.Observed) || c.Fails.N != 300 || c.Tries.Tries != 300 || c.Ledger.Verdict != reports.Pass {
			t.Errorf("%s: %+v", p.Name, c)
		}
		if p.Shares[0].K != c.Fails.K || p.Shares[0].N != 300 {
			t.Errorf("%s: the edge's share is %+v, that of the only call %+v", p.Name, p.Shares[0], c.Fails)
		}
	}
	if tool := report.Tool; report.Schema != reports.SchemaVersion || tool.Draws != trail.Form || report.Scenario.Name != "mine" || !slices.Equal(report.Scenario.Services, []string{"frontend"}) || report.Settings.Fail != 0.3 {
		t.Errorf("%+v, %+v, %+v", tool, report.Scenario, report.Settings)
	}
}

// Whatever goes wrong in a target, it is closed once, under a context that is not cancelled, and the exit code says what
// it was.
func TestExecuteWhenTheTargetFails(t *testing.T) {
	const unwell, interrupted = "the phase did not end well: see the run's error", "the run was interrupted"
	for at, c := range map[string]struct {
		code   int
		undone string // why the first phase has no verdict
	}{
		"apply": {reports.ExitInfrastructure, unwell}, "address": {reports.ExitInfrastructure, unwell}, "counters": {reports.ExitInfrastructure, unwell},
		"counters after the load": {reports.ExitInfrastructure, unwell}, "incidents": {reports.ExitInfrastructure, unwell},
		"close": {reports.ExitNotRestored, ""}, "interrupt": {reports.ExitAborted, interrupted},
	} {
		t.Run(at, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			on := newStandIn(t)
			on.at = at
			on.handle = func(http.ResponseWriter, *http.Request) bool {
				if at == "interrupt" {
					cancel()
				}
				return false
			}
			report := on.run(t, limited(20)).Execute(ctx, on)
			if code := report.ExitCode(); code != c.code || on.closed != 1 {
				t.Errorf("exit %d and closed %d times, want %d and once: %s", code, on.closed, c.code, report.Summary)
			}
			if report.Verdict == reports.Pass && at != "close" {
				t.Error("not all was measured, and the verdict is a pass")
			}
			cause := report.Error
			if at == "close" {
				cause = report.Restoration.Problem
			}
			if at != "interrupt" && !strings.Contains(cause, at+" went wrong") || report.Aborted != (at == "interrupt") || report.Aborted && report.Error != "" {
				t.Errorf("error %q, aborted %v, want the cause", cause, report.Aborted)
			}
			first := report.Phases[0]
			if first.Undecided != c.undone || c.undone != "" && first.Verdict != reports.Inconclusive {
				t.Errorf("the first phase: %s because of %q, want inconclusive and %q", first.Verdict, first.Undecided, c.undone)
			}
			if measured := at == "counters after the load" || at == "incidents" || at == "close"; measured && (first.Observed != 20 || len(first.Calls) != 1 || len(first.Shares) != 2) {
				t.Errorf("%d observed, %d calls, %d shares; want what was measured", first.Observed, len(first.Calls), len(first.Shares))
			}
			// Counts that were not read are no numbers.
			if at == "counters after the load" && (first.Calls[0].Tries != nil || first.Calls[0].Ledger != nil) {
				t.Errorf("tries %+v, ledger %+v", first.Calls[0].Tries, first.Calls[0].Ledger)
			}
			if want := map[bool]int{true: 2, false: 1}[at == "close"]; len(report.Phases) != want {
				t.Errorf("%d phases, want %d", len(report.Phases), want)
			}
		})
	}
}

// Pods that were replaced cut calls and take counts with them: nothing is judged, however wrong it looks.
func TestReplacedPods(t *testing.T) {
	on := newStandIn(t)
	on.incidents = []target.Incident{{Text: "pod frontend-v1 was replaced", Pod: true}}
	on.handle = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	report := on.run(t, limited(20)).Execute(t.Context(), on)
	if report.Verdict != reports.Inconclusive || report.Error != "" {
		t.Errorf("%s (%s), want inconclusive", report.Verdict, report.Error)
	}
	for _, p := range report.Phases {
		if p.Verdict != reports.Inconclusive || !p.Replaced || p.Undecided != "pods were replaced meanwhile, so that calls were cut and counts were lost" || len(p.Mismatches) == 0 {
			t.Errorf("%s: %s (%s), replaced %v, %d mismatches", p.Name, p.Verdict, p.Undecided, p.Replaced, len(p.Mismatches))
		}
	}
}

// A phase counts as late in the report exactly where its waits are not judged for that reason, so that the first lines can say so: from
// one request in a hundred on.
func TestLateInTheReport(t *testing.T) {
	for lag, want := range map[time.Duration]bool{lateAfter: false, lateAfter + time.Microsecond: true} {
		on := newStandIn(t)
		s := newSending(on.run(t, limited(20)).phases[1])
		s.plan = s.attackOn(anywhere, nil)
		s.tally = observe.NewTally(s.ways, s.judged, s.plan.RequestName)
		s.result = attack.Result{Sent: 100, Observed: 100, LagP99: lag, LateShare: 0.02}
		s.judge()
		var done reports.Phase
		s.describe(&done)
		if done.Late != want || s.evidence.Late != want {
			t.Errorf("99 %% left within %v: late %v in the report, %v for the waits, want %v", lag, done.Late, s.evidence.Late, want)
		}
	}
}

// A mismatch names the request, the rule and the command that sends the request again.
func TestMismatchesInTheReport(t *testing.T) {
	on := newStandIn(t)
	on.handle = func(w http.ResponseWriter, r *http.Request) bool {
		if n := r.Header.Get(trail.HeaderRequest); n == "1/first/7" || n == "1/first/9" {
			w.WriteHeader(http.StatusTeapot)
			return true
		}
		return false
	}
	o := limited(20)
	o.Again = func(name string) string { return "hellochaos run mine --seed 1 --request " + name }
	report := on.run(t, o).Execute(t.Context(), on)
	p := report.Phases[0]
	if report.Verdict != reports.Fail || p.Verdict != reports.Fail || len(p.Mismatches) != 1 {
		t.Fatalf("%s, %s, %+v", report.Verdict, p.Verdict, p.Mismatches)
	}
	m := p.Mismatches[0]
	if m.Count != 2 || m.Request != "1/first/7" || m.Again != "hellochaos run mine --seed 1 --request first/7" || m.Probe || m.From != "edge" || m.To != "frontend" || m.Status != http.StatusTeapot || m.Kind != "no trail" || m.FirstAt != 0.007 || m.LastAt != 0.009 {
		t.Errorf("%+v", m)
	}
}

// hesitating lets every third request wait for longer than the edge does, as long as slow is above 0.
func hesitating(slow *atomic.Int64) func(http.ResponseWriter, *http.Request) bool {
	var n atomic.Int64
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if slow.Load() > 0 && n.Add(1)%3 == 0 {
			<-r.Context().Done()
			return true
		}
		return false
	}
}

// impatient are options with which a phase of 60 requests is sent in a moment, and the edge waits for so long.
func impatient(timeout time.Duration) Options {
	o := usual()
	o.Attack.MaxRequests, o.Attack.Timeout = 60, timeout
	return o
}

// A phase in which time limits may have decided too much is sent again more slowly, as the same requests.
func TestAPhaseIsRepeatedMoreSlowly(t *testing.T) {
	t.Parallel()
	on := newStandIn(t)
	var slow atomic.Int64
	on.handle = hesitating(&slow)
	r := on.run(t, impatient(2*time.Second))
	began := map[string][]float64{}
	r.Subscribe(func(e Event) {
		if e, ok := e.(PhaseBegan); ok {
			began[e.Phase.Name] = append(began[e.Phase.Name], e.Phase.PlannedRate)
			slow.Store(0)
			if e.Phase.Name == "second" && len(began["second"]) == 1 {
				slow.Store(1)
			}
		}
	})
	report := r.Execute(t.Context(), on)
	for _, p := range report.Phases { // a busy machine may be why a phase is sent again, too
		if rates := began[p.Name]; len(rates) != 1+repeats(&p) || !slices.IsSortedFunc(rates, func(a, b float64) int { return cmp.Compare(b/2, a) }) || p.PlannedRate != rates[len(rates)-1] {
			t.Errorf("phase %s began at %v, and ended at %v with warnings %q", p.Name, rates, p.PlannedRate, p.Warnings)
		}
	}
	second := report.Phases[1]
	want := fmt.Sprintf("The phase was sent again more slowly, since %.0f requests a second were too many for this machine.", began["second"][0])
	if len(second.Warnings) == 0 || second.Warnings[0] != want || second.Calls[0].Open > 0 || second.Observed != 60 || second.Natural+second.Probes != 60 {
		t.Errorf("warnings %q, %d open, %d observed", second.Warnings, second.Calls[0].Open, second.Observed)
	}
}

// repeats is how often a phase was sent again.
func repeats(p *reports.Phase) (n int) {
	for _, warning := range p.Warnings {
		if strings.HasPrefix(warning, "The phase was sent again more slowly") {
			n++
		}
	}
	return n
}

// It is repeated twice at most, and never at a rate that the user asked for.
func TestRepeatsEnd(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]int{0: 1 + mostRepeats, 500: 1} {
		on := newStandIn(t)
		var slow atomic.Int64
		slow.Store(1)
		on.handle = hesitating(&slow)
		o := impatient(250 * time.Millisecond)
		o.Attack.Rate = rate
		r := on.run(t, o)
		times := 0
		r.Subscribe(func(e Event) {
			if e, ok := e.(PhaseBegan); ok && e.Phase.Name == "second" {
				times++
			}
		})
		report := r.Execute(t.Context(), on)
		c := report.Phases[1].Calls[0]
		if times != want || c.Requests != reports.Inconclusive || !strings.Contains(c.Note, "of 60 calls, because this machine was too slow to tell") || c.Open < 20 || c.Mismatched > 0 {
			t.Errorf("at rate %v: sent %d times, %s (%s), %d mismatched; want %d times and inconclusive", rate, times, c.Requests, c.Note, c.Mismatched, want)
		}
	}
}

// Events come in order: the run, each phase from its first request to its last answer, the end.
func TestEventsComeInOrder(t *testing.T) {
	on := newStandIn(t)
	o := limited(200)
	o.Attack.Rate = 500 // 0.4 s a phase
	r := on.run(t, o)
	var got []string
	between := 0
	r.Subscribe(func(e Event) {
		switch e := e.(type) {
		case Began:
			got = append(got, fmt.Sprintf("began, seed %d, %d phases", e.Report.Settings.Seed, len(e.Report.Phases)))
		case PhaseBegan:
			got = append(got, fmt.Sprintf("%s begins with %d", e.Phase.Name, e.Phase.Planned))
		case Progress:
			seen := e.Tally.Natural + e.Tally.Probes
			if int(seen) != e.Done || e.Phase.Observed != e.Done || e.Phase.Started.IsZero() || len(e.Cohorts) != 1 || e.Load.Cohorts[0].Requests != e.Tally.Natural {
				t.Errorf("%d done, %d observed, %d in the tally", e.Done, e.Phase.Observed, seen)
			}
			if e.Done > 0 && e.Done < 200 {
				between++
			} else if line := fmt.Sprintf("%s: %d done", e.Phase.Name, e.Done); got[len(got)-1] != line { // it may be told again after the last
				got = append(got, line)
			}
		case PhaseEnded:
			got = append(got, fmt.Sprintf("%s ended with %d calls, %s", e.Phase.Name, len(e.Phase.Calls), e.Phase.Verdict))
		case Ended:
			got = append(got, fmt.Sprintf("ended, %d phases, %s, %s", len(e.Report.Phases), e.Report.Verdict, e.Report.Restored))
		}
	})
	var second []string
	r.Subscribe(func(e Event) { second = append(second, fmt.Sprintf("%T", e)) })
	r.Execute(t.Context(), on)
	want := []string{"began, seed 1, 0 phases", "first begins with 200", "first: 0 done", "first: 200 done", "first ended with 1 calls, pass",
		"second begins with 200", "second: 0 done", "second: 200 done", "second ended with 1 calls, pass", "ended, 2 phases, pass, restored"}
	if !slices.Equal(got, want) {
		t.Errorf("events\n%q\nwant\n%q", got, want)
	}
	if between < 4 || len(second) < len(got)+between {
		t.Errorf("%d times in between, want at least 4 of about 6; the second subscriber saw %d events of %d", between, len(second), len(got)+between)
	}
}

// A finding that is an error fails a run in which each request was right.
func TestAFindingFailsTheRun(t *testing.T) {
	t.Parallel()
	on := newStandIn(t)
	r := on.run(t, limited(200))
	r.findings = []reports.Finding{{ID: "dead-rule", Severity: reports.SeverityWarning}}
	if report := r.Execute(t.Context(), on); report.Verdict != reports.Pass {
		t.Errorf("with a warning: %s, want pass", report.Verdict)
	}
	r = on.run(t, limited(200))
	r.findings = []reports.Finding{{ID: "dead-rule", Severity: reports.SeverityError}}
	if report := r.Execute(t.Context(), on); report.Verdict != reports.Fail || report.ExitCode() != reports.ExitFail {
		t.Errorf("with an error: %s, want fail", report.Verdict)
	}
}

// On a remote target a connection may be lost without anybody's fault.
func TestLostConnectionsOnARemoteTarget(t *testing.T) {
	t.Parallel()
	for remote, want := range map[bool]reports.Verdict{true: reports.Pass, false: reports.Fail} {
		on := newStandIn(t)
		on.handle = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get(trail.HeaderRequest) == "1/second/17" {
				panic(http.ErrAbortHandler)
			}
			return false
		}
		o := limited(1200)
		o.Attack.Rate = 3000
		r := on.run(t, o)
		for _, p := range r.phases {
			p.pace.Remote = remote
			p.settled = 1200
			p.sequence = p.sequence[:0]
			for n := range 1200 {
				p.sequence = append(p.sequence, attack.Slot{Number: int32(n)})
			}
			p.wants = make([]oracle.Want, len(p.wants))
		}
		report := r.Execute(t.Context(), on)
		if p := report.Phases[1]; p.Verdict != want || (len(p.Incidents) == 2) != remote {
			t.Errorf("remote %v: %s, incidents %q; want %s", remote, p.Verdict, p.Incidents, want)
		}
	}
}
