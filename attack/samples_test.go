package attack

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// texts are the samples as "why number", in their order.
func texts(samples []Sample) string {
	var all []string
	for _, s := range samples {
		all = append(all, fmt.Sprintf("%s: %d", s.Why, s.Number))
	}
	return strings.Join(all, "; ")
}

func TestSamples(t *testing.T) {
	chain := func(first, second, third int) Observation {
		return Observation{Status: 200, Latency: ms, Trail: hop("frontend", "prod", 200, first, 0,
			call("http://middleware/", 200, 0, hop("middleware", "prod", 200, second, 0,
				call("http://backend/", 200, 0, hop("backend", "prod", 200, third, 0, call(clockURL, 502, 0, nil))))))}
	}
	slow := func(o Observation, latency time.Duration) Observation { o.Latency = latency; return o }
	absorbed := Observation{Status: 200, Latency: ms, Trail: hop("frontend", "prod", 200, 1, 0, call("http://middleware/", 503, 0, nil))}
	edge := Observation{Status: 500, Latency: ms, Trail: hop("frontend", "prod", 500, 4, 0, nil)}
	for _, test := range []struct {
		name string
		all  []Observation
		want string
	}{
		{"none", nil, ""},
		{"one that failed nowhere", []Observation{chain(1, 1, 1)}, "slowest, most tries: 0"},
		{"the first of equals", []Observation{chain(0, 2, 1), chain(0, 1, 2), slow(chain(0, 1, 1), 2*ms), slow(chain(0, 1, 1), 2*ms)}, "slowest: 2; most tries: 0"},
		{"a failed hop where the edge had none", []Observation{chain(1, 1, 1), absorbed, absorbed}, "slowest, most tries: 0; failed: 1"},
		{"the edge's failure goes first", []Observation{chain(1, 1, 1), absorbed, edge, edge}, "slowest: 0; failed, most tries: 2"},
		{"all three in one", []Observation{chain(1, 1, 1), slow(edge, time.Second)}, "slowest, failed, most tries: 1"},
		{"no trail", []Observation{{Error: Timeout, Latency: time.Second}}, "slowest, failed: 0"},
		{"a failure of the clock does not count", []Observation{chain(1, 1, 1), slow(chain(1, 1, 1), 3*ms)}, "slowest: 1; most tries: 0"},
	} {
		tally := chainTally(1)
		for i, o := range test.all {
			o.Number = i
			tally.Add(&o)
		}
		if got := texts(tally.Samples()); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// A sample does not change when the caller uses the observation again for another request.
func TestSamplesAreCopies(t *testing.T) {
	tally := chainTally(1)
	o := Observation{Number: 7, Cohort: 0, Status: 500, Latency: time.Second, Started: 3 * ms, Trail: hop("frontend", "prod", 500, 2, 0, nil)}
	tally.Add(&o)
	o = Observation{Number: 8, Status: 200, Latency: ms}
	tally.Add(&o)
	got := tally.Samples()
	if len(got) != 1 || got[0].Number != 7 || got[0].Status != 500 || got[0].Started != 3*ms || got[0].Trail == nil || got[0].Trail.Attempt != 2 {
		t.Errorf("%+v, want request 7 as it was", got)
	}
}

func TestEdges(t *testing.T) {
	tally := chainTally(2)
	for i, o := range tallied {
		o.Number, o.Cohort = i, i%2
		tally.Add(&o)
	}
	want := []Calls{
		{Edge, frontend, "", 3, 2}, {Edge, frontend, "prod", 6, 1},
		{frontend, middleware, "", 2, 2}, {frontend, middleware, "canary", 1, 0}, {frontend, middleware, "prod", 2, 0},
		{middleware, backend, "prod", 3, 1}, {backend, Clock, "", 2, 1},
	}
	if got := tally.Edges(); !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, service := range []string{frontend, middleware, backend, Clock} {
		var calls, failed, tallied, bad int64
		for _, e := range tally.Edges() {
			if e.To == service {
				calls, failed = calls+e.Calls, failed+e.Failed
			}
		}
		for _, c := range tally.Cohorts {
			if h := c.Hops[service]; h != nil {
				tallied, bad = tallied+h.Calls, bad+h.Failed
			}
		}
		if calls != tallied || failed != bad {
			t.Errorf("%s: %d calls and %d failed by its edges, %d and %d by its hop", service, calls, failed, tallied, bad)
		}
	}
}

// No answer can make the edges grow without end.
func TestEdgesBound(t *testing.T) {
	tally := chainTally(1)
	for n := range 3 * maxVersions {
		tally.Add(&Observation{Number: n, Status: 200, Trail: hop("frontend", fmt.Sprint("v", n), 200, 1, 0, nil)})
	}
	edges := tally.Edges()
	if len(edges) != maxVersions+1 || edges[0] != (Calls{Edge, frontend, otherVersion, 2 * maxVersions, 0}) {
		t.Errorf("%d edges, first %+v", len(edges), edges[0])
	}
}
