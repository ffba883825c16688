package run

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// hasty are options of a run that sends its requests as fast as this machine answers them, a few at a time. They leave late, so that no
// time is judged; what they meet does not depend on it. As of derived cohorts, no requests are planned for times either.
func hasty(fail float64, seed uint64) Options {
	o := usual()
	o.Fail, o.Seed, o.Derived, o.Attack.Rate, o.Attack.Connections = fail, seed, true, 5000, 48
	return o
}

// onMesh executes a run on the embedded mesh.
func onMesh(t *testing.T, r *Run, deviation string) *reports.Report {
	t.Helper()
	on, err := mesh.New(mesh.Options{Seed: r.options.Seed, Break: deviation})
	if err != nil {
		t.Fatal(err)
	}
	report := r.Execute(t.Context(), on)
	if report.Error != "" || report.Restored != reports.Restored {
		t.Fatal(report.Error)
	}
	return report
}

// onlySo leaves the first so many requests of a phase.
func (p *planned) onlySo(many int) {
	p.sequence = p.sequence[:min(many, len(p.sequence))]
	p.settled = min(p.settled, many)
	p.recount()
}

// unprobed leaves the natural requests of a phase, and no probe.
func (p *planned) unprobed() {
	p.sequence = slices.DeleteFunc(p.sequence, func(s attack.Slot) bool { return p.judged[s.Cohort].Probe })
	p.settled = len(p.sequence)
	p.recount()
}

// without leaves so many natural requests of a phase, and all probes.
func (p *planned) without(most int) {
	p.sequence = slices.DeleteFunc(p.sequence, func(s attack.Slot) bool { return !p.judged[s.Cohort].Probe && int(s.Number) >= most })
	p.settled = len(p.sequence)
	p.recount()
}

// patient are the stages' own objects with time limits that no machine is too slow for: a try that was cut goes on at its service
// while the next one is under way.
func patient(t *testing.T) map[string][]manifests.Object {
	t.Helper()
	all := map[string][]manifests.Object{}
	for _, name := range scenarios.Names() {
		text, err := scenarios.YAMLIn(scenarios.IstioAPI, name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = parsed(t, name+".yaml", strings.ReplaceAll(string(text), "perTryTimeout: 2s", "perTryTimeout: 50s"))
	}
	return all
}

// Each deviation of the mesh fails the run of its stage, at any fail probability, by the calls that it is about. Which calls deviate is
// drawn from their names, but for stale rules, which every 200th call of a proxy obeys. Here each is tried at one probability;
// 'make verify' tries each at all of them.
func TestEveryBreakIsFound(t *testing.T) {
	for i, c := range []struct {
		name, stages string
		parameters   map[string]string
		requests     int    // that are sent at most after the phase before
		before       int    // and in the phase before
		phase, to    string // where it shows first
		kind         string // of the first mismatch; empty: none
	}{
		{"egress-open", "egress", nil, 5, 40, "application", "clock.outside.svc.cluster.local", "answered by the proxy"},
		{"split-70-30", "prod", map[string]string{"canary-weight": "20"}, 4000, 5, "prod", "middleware", ""},
		{"stale-rules", "prod", nil, 1000, 5, "prod", "middleware", "wrong destination"},
		{"no-retries", "retry", nil, 40, 5, "retry", "middleware", "not retried"},
		{"one-retry-less", "retry", nil, 40, 5, "retry", "middleware", "not retried"},
		{"retry-too-often", "retry", nil, 150, 5, "retry", "middleware", "too many tries"},
		{"retry-not-5xx", "retry", nil, 40, 5, "retry", "middleware", "not retried"},
		{"gateway-bypassed", "ingress", nil, 10, 5, "ingress", "frontend", "no attempt count"},
		{"header-ignored", "canary", nil, 40, 5, "canary", "middleware", "wrong destination"},
		{"header-sometimes-ignored", "canary", nil, 400, 5, "canary", "middleware", "wrong destination"},
		{"header-case-insensitive", "canary", nil, 40, 5, "canary", "middleware", "wrong destination"},
	} {
		fail := []float64{0.01, 0.5, 0.1}[i%3]
		t.Run(fmt.Sprintf("%s at %v", c.name, fail), func(t *testing.T) {
			t.Parallel()
			o := hasty(fail, 7)
			phases := phasesOf(t, c.stages, nil, c.parameters)
			if c.name == "stale-rules" {
				mostlyCanary(t, phases)
			}
			r, err := Plan(c.stages, phases, o, pace)
			if err != nil {
				t.Fatal(err)
			}
			r.phases[0].onlySo(c.before)
			r.phases[1].onlySo(c.requests)
			report := onMesh(t, r, c.name)
			p := report.Phases[slices.IndexFunc(report.Phases, func(p reports.Phase) bool { return p.Name == c.phase })]
			if report.Verdict != reports.Fail || p.Verdict != reports.Fail || (len(p.Mismatches) > 0) != (c.kind != "") {
				t.Fatalf("%s, phase %s: %s with %d mismatches, want a failure", report.Verdict, p.Name, p.Verdict, len(p.Mismatches))
			}
			if c.kind != "" {
				if m := p.Mismatches[0]; m.Kind != c.kind || m.To != c.to {
					t.Errorf("the first mismatch is %s of a call to %s (expected %s; met %s), want %s of one to %s", m.Kind, m.To, m.Expected, m.Met, c.kind, c.to)
				}
				requireSample(t, &p, p.Mismatches[0].Request)
			} else if at := slices.IndexFunc(p.Calls, func(c reports.Call) bool { return c.Split != nil && c.Split.Verdict == reports.Fail }); at < 0 || p.Calls[at].To != c.to {
				t.Errorf("no split of calls to %s failed", c.to)
			}
		})
	}
}

// requireSample requires that the request of a mismatch is a sample, with the tries that the services recorded.
func requireSample(t *testing.T, p *reports.Phase, request string) {
	t.Helper()
	for _, s := range p.Samples {
		if s.Name == request {
			if !strings.Contains(s.Why, "deviated") || len(s.Spans) < 2 {
				t.Errorf("the sample of %s: %s with %d spans, want its tries", request, s.Why, len(s.Spans))
			}
			return
		}
	}
	t.Errorf("the request %s of the first mismatch is no sample", request)
}

// mostlyCanary gives middleware nine pods of version canary, so that calls by the rules before stage prod show it nine times in ten.
func mostlyCanary(t *testing.T, phases []scenarios.Phase) {
	t.Helper()
	canary := strings.Replace(deployed("middleware", "canary", `[[{"url":"http://backend/"}]]`, ""), "spec:\n", "spec:\n  replicas: 9\n", 1)
	for i := range phases {
		phases[i].Objects = manifests.Overlay(phases[i].Objects, parsed(t, "mine.yaml", canary))
	}
}

// Waits that are four times as long fail, unless the machine was too late to judge them.
func TestSlowBackOffIsFound(t *testing.T) {
	for _, fail := range []float64{0.01} {
		t.Run(fmt.Sprint(fail), func(t *testing.T) {
			t.Parallel()
			o := usual()
			o.Fail, o.Seed, o.Attack.Rate = fail, 7, 300
			r := planOf(t, "retry", o, nil)
			r.phases[0].onlySo(5)
			r.phases[1].without(0)
			r.phases[1].onlySo(300)
			p := onMesh(t, r, "slow-backoff").Phases[1]
			if len(p.Mismatches) > 0 {
				t.Errorf("at %v: %+v", fail, p.Mismatches[0])
			}
			failed := 0
			for _, c := range p.Calls {
				for _, w := range c.Waits {
					if w.Verdict == reports.Pass {
						t.Errorf("at %v: %s: %d waits before try %d with a median of %v s pass, where %v s are predicted", fail, c.To, w.N, w.Try, *w.Measured, w.Predicted)
					}
					if w.Verdict == reports.Fail {
						failed++
					}
				}
			}
			if p.LagP99 < lateAfter.Seconds() && failed == 0 || (failed > 0) != (p.Verdict == reports.Fail) {
				t.Errorf("at %v: %s with %d waits that fail, 99 of 100 requests left within %v s", fail, p.Verdict, failed, p.LagP99)
			}
		})
	}
}

// A mesh that obeys passes, at any fail probability.
func TestAMeshThatObeysPasses(t *testing.T) {
	for _, c := range []struct {
		stages  string
		fail    float64
		exclude float64
		cascade string
	}{
		{"all", 0.3, 0.1, "absorb"}, {"retry", 0.5, 0.1, "absorb"}, {"retry", 0.1, 0.1, "propagate"}, {"ingress", 0.01, 0.1, "absorb"},
	} {
		t.Run(fmt.Sprintf("%s at %v", c.stages, c.fail), func(t *testing.T) {
			t.Parallel()
			o := hasty(c.fail, 3)
			o.Exclude, o.Cascade = c.exclude, c.cascade
			phases := phasesOf(t, c.stages, patient(t), nil)
			for i := range phases {
				phases[i].Exclude = 0
			}
			r, err := Plan(c.stages, phases, o, pace)
			if err != nil {
				t.Fatal(err)
			}
			if c.stages != "all" {
				r.phases[0].onlySo(5) // the phase before a stage is that of another one, which is among all
			}
			if report := onMesh(t, r, ""); report.Verdict != reports.Pass && !outrun(t, report) {
				t.Errorf("%s: %s", report.Verdict, failures(report))
			}
		})
	}
}

// outrun reports whether nothing is wrong in a report but that a phase could not send all of its requests half a minute after the last
// one was due: nothing can be said of a mesh on a machine that is as busy as that. On any other machine the verdict is asked for.
func outrun(t *testing.T, r *reports.Report) bool {
	t.Helper()
	for _, p := range r.Phases {
		if strings.HasPrefix(p.Undecided, "the load generator could not keep its schedule") && r.Verdict == reports.Inconclusive {
			t.Logf("phase %s: %s", p.Name, p.Undecided)
			return true
		}
	}
	return false
}

// failures are what is wrong in a report, for the test's own messages.
func failures(r *reports.Report) string {
	var all []string
	for _, p := range r.Phases {
		if p.Undecided != "" {
			all = append(all, p.Name+": "+p.Undecided)
		}
		for _, m := range p.Mismatches {
			all = append(all, fmt.Sprintf("%s: %s calls %s: %s: expected %s, met %s", p.Name, m.From, m.To, m.Kind, m.Expected, m.Met))
		}
		for _, c := range p.Checks() {
			if c.Verdict != reports.Pass && c.Verdict != reports.NotJudged {
				all = append(all, fmt.Sprintf("%s: %s: %s: %s (%s)", p.Name, c.Name, c.Verdict, c.Text, c.Note))
			}
		}
	}
	return strings.Join(all, "\n")
}

// What is predicted from manifests of the user's own is what the mesh then does.
func TestPredictionsAgreeWithTheMesh(t *testing.T) {
	t.Parallel()
	rule := func(more string) string {
		return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: middleware}
spec:
  hosts: [middleware]
  http:
    - route: [{destination: {host: middleware, subset: prod}}]
` + more
	}
	const subsets = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: middleware}
spec: {host: middleware, subsets: [{name: prod, labels: {version: prod}}, {name: canary, labels: {version: canary}}]}
`
	for _, c := range []struct {
		name, stage, yaml string
		fail, hang        float64
		cascade           string
		want              float64 // share of the calls to middleware that fail
		within            float64 // of it
		promised          float64 // by the scenario's own rules; 0: not looked at
	}{
		{"one retry of 500 alone", "retry", rule(`      retries: {attempts: 1, retryOn: "500"}`), 0.5, 0, "absorb", 0.25, 1e-9, 0.0625},
		{"an abort before any try", "retry", rule("      retries: {attempts: 3, retryOn: 5xx}\n      fault: {abort: {httpStatus: 503, percentage: {value: 40}}}"),
			0.3, 0, "absorb", 0.4 + 0.6*0.0081, 1e-9, 0.0081},
		{"weights of any ratio", "prod", strings.Replace(rule(""), "[{destination: {host: middleware, subset: prod}}]",
			"[{destination: {host: middleware, subset: prod}, weight: 3}, {destination: {host: middleware, subset: canary}, weight: 1}]", 1) + subsets, 0.1, 0, "absorb", 0.1, 1e-9, 0.1},
		{"an undefined subset", "retry", strings.Replace(rule(""), "subset: prod", "subset: none", 1), 0.2, 0, "absorb", 1, 1e-9, 0.0016},
		{"a route timeout", "retry", rule("      timeout: 2s"), 0, 0.2, "absorb", 1 - 0.64, 0.01, 0},
		{"a failure that propagates", "retry", rule("      retries: {attempts: 2, retryOn: 5xx, perTryTimeout: 20s}"), 0.4, 0, "propagate", math.Pow(1-0.6*(1-math.Pow(0.4, 4)), 3), 0.01, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			overrides := patient(t)
			overrides[c.stage] = manifests.Overlay(overrides[c.stage], parsed(t, "mine/"+c.stage+".yaml", c.yaml))
			o := hasty(c.fail, 11)
			o.Hang, o.Cascade, o.Attack.Timeout = c.hang, c.cascade, attack.MaxTimeout
			r, err := Plan(c.stage, phasesOf(t, c.stage, overrides, nil), o, pace)
			if err != nil {
				t.Fatal(err)
			}
			r.phases[0].onlySo(1)
			r.phases[1].unprobed()
			r.phases[1].onlySo(120)
			report := onMesh(t, r, "")
			done := report.Phases[1]
			if len(done.Mismatches) > 0 || done.Verdict == reports.Fail || (report.Verdict == reports.Fail) != (c.want == 1) { // a rule that leads nowhere is a finding
				t.Errorf("%s: %s", report.Verdict, failures(report))
			}
			at := slices.IndexFunc(done.Calls, func(c reports.Call) bool { return c.From == "frontend" })
			call := done.Calls[at]
			if math.Abs(call.Fails.Predicted-c.want) > c.within {
				t.Errorf("%.5f of the calls are predicted to fail, want %.5f", call.Fails.Predicted, c.want)
			}
			// What the scenario's own rules promise stands beside it.
			if c.promised > 0 && (call.Fails.Promised == nil || math.Abs(*call.Fails.Promised-c.promised) > 1e-9 || !done.PromiseBroken) {
				t.Errorf("promised %v, broken %v; want %v, which is not kept", call.Fails.Promised, done.PromiseBroken, c.promised)
			}
			// By its draws a request's fate is decided, so that one seed gives always the same here.
			for _, s := range append(slices.Clone(done.Shares), call.Fails) {
				if call.Open > 0 {
					break // this machine was so slow that time limits may have decided calls
				}
				if deviation := math.Sqrt(s.Predicted * (1 - s.Predicted) / float64(s.N)); s.N < 50 || math.Abs(*s.Measured-s.Predicted) > 4*deviation+c.within {
					t.Errorf("%s: %d of %d, and %.5f are predicted", s.Name, s.K, s.N, s.Predicted)
				}
			}
		})
	}
}

// decided is everything in a report that only draws and pins decide.
func decided(r *reports.Report) string {
	var all []string
	for _, p := range r.Phases {
		all = append(all, fmt.Sprint(p.Name, p.Sent, p.Observed, p.Natural, p.Probes, p.Outcomes))
		for _, s := range p.Shares {
			all = append(all, fmt.Sprint(s.Name, s.K, s.N))
		}
		for _, c := range p.Calls {
			all = append(all, fmt.Sprint(c.From, c.To, c.Judged, c.Mismatched, c.Decisive, c.Fails.K, c.Fails.N))
			if c.Tries != nil {
				all = append(all, fmt.Sprint(c.Tries.Tries))
			}
			if c.Ledger != nil {
				all = append(all, fmt.Sprint(c.Ledger.Attempts))
			}
			for _, b := range c.Branches {
				all = append(all, fmt.Sprint(b.Name, b.Met))
			}
		}
	}
	return strings.Join(all, "\n")
}

// The same seed gives the same counts, the services' own included; another seed others.
func TestSameSeedSameCounts(t *testing.T) {
	t.Parallel()
	var got []string
	for _, seed := range []uint64{5, 5, 6} {
		o := hasty(0.5, seed)
		o.Attack.MaxRequests = 60
		r, err := Plan("retry", phasesOf(t, "retry", patient(t), nil), o, pace)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, decided(onMesh(t, r, "")))
	}
	if got[0] != got[1] {
		t.Errorf("seed 5 twice:\n%s\n\n%s", got[0], got[1])
	}
	if got[0] == got[2] {
		t.Error("seeds 5 and 6 give the same counts")
	}
}

// attacked is the last phase of a stage that was attacked on the embedded mesh as many times as asked; what the last attack brought is returned.
func attacked(t *testing.T, stage string, times int, o Options, parameters map[string]string) *sending {
	t.Helper()
	o.Attack = attack.Options{Rate: 1000, Connections: 48, MaxRequests: 150, Timeout: attack.MaxTimeout}
	r, err := Plan(stage, phasesOf(t, stage, patient(t), parameters), o, pace)
	if err != nil {
		t.Fatal(err)
	}
	on, err := mesh.New(mesh.Options{Seed: o.Seed})
	if err != nil {
		t.Fatal(err)
	}
	defer on.Close(t.Context())
	p := r.phases[1]
	if err := on.Apply(t.Context(), p.Objects); err != nil {
		t.Fatal(err)
	}
	found, err := p.find(t.Context(), on)
	if err != nil {
		t.Fatal(err)
	}
	var s *sending
	for range times {
		s = newSending(p)
		if err := s.attack(t.Context(), on, found, func() {}); err != nil {
			t.Fatal(err)
		}
	}
	s.sampling.read(t.Context(), on, s.load.Samples())
	return s
}

// Each sample has every try that its delivered trail tells of, in its place. That the names were used before, by attacks on
// the same pods, changes nothing.
func TestSamplesOnTheMesh(t *testing.T) {
	for stage, entry := range map[string]int{"retry": 0, "ingress": 1} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			o := usual()
			o.Fail = 0.5
			s := attacked(t, stage, 1+entry, o, nil)
			kept := s.load.Samples()
			told := s.sampling.samples(kept)
			if len(told) < 2 || len(told) != len(kept) {
				t.Fatalf("%d samples, %d were kept", len(told), len(kept))
			}
			most := 0
			for i, sample := range told {
				if sample.Missing != "" || sample.Name != s.plan.RequestName(kept[i].Number) || !strings.HasPrefix(sample.Name, "1/"+stage+"/") || sample.Trace != "" {
					t.Errorf("%+v", sample)
				}
				tries := 0
				for hop := kept[i].Trail; hop != nil; {
					tries += max(1, hop.Attempt)
					if len(hop.Calls) == 0 {
						break
					}
					hop = hop.Calls[0].Hop
				}
				if kept[i].Trail != nil && len(sample.Spans) != 1+tries {
					t.Errorf("%s: %d spans, its trail tells of %d tries", sample.Name, len(sample.Spans)-1, tries)
				}
				most = max(most, checkSpans(t, &sample, s.services))
			}
			if most < 4 {
				t.Errorf("no sample has a call of more than %d tries", most)
			}
		})
	}
}

// checkSpans holds the spans of a sample to what every request of a chain obeys, and returns the most tries of one call.
func checkSpans(t *testing.T, sample *reports.Sample, own []string) (most int) {
	t.Helper()
	const rounding = 1e-9
	edge := sample.Spans[0]
	if edge.Service != "edge" || edge.Parent != -1 || edge.Start != 0 || edge.Elapsed != sample.Latency || edge.Status != sample.Status {
		t.Errorf("%s: the edge's span is %+v", sample.Name, edge)
	}
	before := map[int]reports.Span{} // the last try of a caller
	tries := map[int]int{}
	for i, span := range sample.Spans[1:] {
		if span.Parent < 0 || span.Parent > i {
			t.Fatalf("%s: span %d has parent %d", sample.Name, i+1, span.Parent)
		}
		parent := sample.Spans[span.Parent]
		if hop := 1 + slices.Index(own, parent.Service); own[hop] != span.Service {
			t.Errorf("%s: %s is told as called by %s", sample.Name, span.Service, parent.Service)
		}
		start, end := 0.0, parent.Elapsed // of the caller's call
		if span.Parent > 0 {
			if parent.CallStart == nil {
				t.Fatalf("%s: span %d has a caller that made no call: %+v", sample.Name, i+1, parent)
			}
			start, end = *parent.CallStart, *parent.CallStart+*parent.CallElapsed
		}
		if span.Start < start-rounding || span.Start+span.Elapsed > end+rounding {
			t.Errorf("%s: try %+v is not inside of its caller's call, %f to %f", sample.Name, span, start, end)
		}
		tries[span.Parent]++
		if last, more := before[span.Parent]; more {
			if span.Attempt != last.Attempt+1 {
				t.Errorf("%s: attempt %d follows %d", sample.Name, span.Attempt, last.Attempt)
			}
			if gap := span.Start - last.Start - last.Elapsed; gap < -rounding {
				t.Errorf("%s: attempt %d of %s began %f s before the one before it ended", sample.Name, span.Attempt, span.Service, -gap)
			}
		} else if span.Attempt > 1 {
			t.Errorf("%s: the first try of a call of %s is attempt %d", sample.Name, span.Service, span.Attempt)
		}
		before[span.Parent] = span
		most = max(most, tries[span.Parent])
	}
	return most
}

// The graph and the distributions are of the same requests and tries as the tally and the counters.
func TestEdgesAndDistributionsOnTheMesh(t *testing.T) {
	t.Parallel()
	o := usual()
	o.Fail, o.Seed = 0.4, 3
	s := attacked(t, "canary", 1, o, map[string]string{"canary-weight": "30"})
	var done reports.Phase
	s.describe(&done)
	var observed, latencies int64
	for _, c := range s.load.Cohorts {
		observed += c.Requests
	}
	for _, d := range done.Distributions {
		for _, b := range d.Bins {
			latencies += b[1]
		}
	}
	if observed == 0 || latencies != observed || int(observed) != done.Natural || done.Natural+done.Probes != done.Observed {
		t.Errorf("%d latencies of %d natural requests, %d and %d probes of %d observed", latencies, observed, done.Natural, done.Probes, done.Observed)
	}
	for _, service := range append(slices.Clone(s.services), attack.Clock) {
		var calls, tallied, tries int64
		for _, edge := range done.Edges {
			if edge.To != service {
				continue
			}
			calls += edge.Calls
			if edge.Tries != nil {
				tries += *edge.Tries
			}
			if (edge.Tries == nil || edge.FailedTries == nil) != (edge.Version == "") || edge.Version == "" && service != attack.Clock {
				t.Errorf("tries of %+v", edge)
			}
		}
		for _, c := range s.load.Cohorts {
			if of := c.Hops[service]; of != nil {
				tallied += of.Calls
			}
		}
		counted := s.evidence.Counters.Sum(func(t target.Tries) bool { return t.Service == service && !t.Pinned })
		if service == attack.Clock { // it is not ours: what the bundled one counts is not told
			counted = 0
		}
		if calls != tallied || tries != counted {
			t.Errorf("%s: %d calls and %d tries by the edges, %d in the tally and %d by the counters", service, calls, tries, tallied, counted)
		}
	}
	if from := done.Edges[0].From; from != "edge" || done.Started.IsZero() {
		t.Errorf("the first edge is from %q, the phase started %v", from, done.Started)
	}
}
