package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// patient are the stages' objects with time limits that no machine is too slow for: a try that was cut goes on at its
// service while the next one is under way.
func patient(t *testing.T) map[string][]manifests.Object {
	t.Helper()
	all := map[string][]manifests.Object{}
	for _, name := range manifests.StageNames() {
		text, err := manifests.StageYAML(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = parsed(t, name+".yaml", strings.ReplaceAll(string(text), "perTryTimeout: 2s", "perTryTimeout: 50s"))
	}
	return all
}

// attacked is a phase of a stage that was attacked on the embedded mesh, slowly enough for a build with the race detector,
// as many times as asked; what the last attack brought is told.
func attacked(t *testing.T, stage string, times int, o Options) (*phase, *evidence) {
	t.Helper()
	stages, err := Choose([]string{stage})
	if err != nil {
		t.Fatal(err)
	}
	o.Cascade, o.Tolerance = "absorb", 0.08
	o.Attack = attack.Options{Rate: 250, MaxRequests: 300, Timeout: attack.MaxTimeout}
	run, err := Plan(stages, o, Pace{mesh.Capacity, mesh.Timed}, patient(t))
	if err != nil {
		t.Fatal(err)
	}
	on, err := mesh.New(mesh.Options{Seed: o.Seed})
	if err != nil {
		t.Fatal(err)
	}
	defer on.Close(t.Context())
	p := run.phases[0][1]
	if err := on.Apply(t.Context(), p.objects); err != nil {
		t.Fatal(err)
	}
	address, err := on.Address(t.Context(), p.entry)
	if err != nil {
		t.Fatal(err)
	}
	var e *evidence
	for range times {
		if e, err = p.attack(t.Context(), on, address.URL, 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	e.sampling.read(t.Context(), on, e.tally.Samples())
	return p, e
}

// Each sample has every try that its delivered trail tells of, in its place. That the names were used before, by attacks on
// the same pods, changes nothing.
func TestSamplesOnTheMesh(t *testing.T) {
	for stage, entry := range map[string]int{"retry": 0, "ingress": 1} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			p, e := attacked(t, stage, 1+entry, Options{Fail: 0.5, Seed: 1})
			kept := e.tally.Samples()
			told := e.sampling.samples(kept)
			if len(told) < 2 || len(told) != len(kept) {
				t.Fatalf("%d samples, %d were kept", len(told), len(kept))
			}
			most := 0
			for i, sample := range told {
				if sample.Missing != "" || sample.Name != fmt.Sprintf("1/%s-after/%d", stage, kept[i].Number) || sample.Trace != "" {
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
				most = max(most, checkSpans(t, &sample, p.own()))
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
	p, e := attacked(t, "canary", 1, Options{Fail: 0.4, Seed: 3, CanaryWeight: 30})
	var done reports.Phase
	describe(&done, p, e, true)
	var observed, latencies int64
	for _, c := range e.tally.Cohorts {
		observed += c.Requests
	}
	for _, d := range done.Distributions {
		for _, b := range d.Bins {
			latencies += b[1]
		}
	}
	if observed == 0 || latencies != observed || int(observed) != done.Observed {
		t.Errorf("%d latencies of %d requests, of %d observed", latencies, observed, done.Observed)
	}
	for _, service := range append(p.own(), attack.Clock) {
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
		for _, c := range e.tally.Cohorts {
			tallied += c.Hops[service].Calls
		}
		counted := e.counters.Sum(func(t target.Tries) bool { return t.Service == service })
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
