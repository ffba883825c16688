package reports

import "testing"

// A share before is that of all calls to the same service; a service that was known by its host alone is found by its caller.
func TestBefore(t *testing.T) {
	fails := func(k, n int64) Share { return Share{K: k, N: n} }
	r := &Report{Phases: []Phase{
		{Calls: []Call{{From: "a", To: "b", Fails: fails(1, 10)}, {From: "c", To: "b", Fails: fails(8, 20)}, {From: "b", To: "clock.outside.svc.cluster.local", Fails: fails(5, 5)},
			{From: "a", To: "d.example.com", Fails: fails(0, 3)}, {From: "a", To: "e", Fails: fails(0, 0)}}},
		{Calls: []Call{{From: "c", To: "b"}, {From: "b", To: "clock"}, {From: "b", To: "d"}, {From: "a", To: "e"}}},
	}}
	for i, want := range []*Share{{K: 9, N: 30}, {K: 5, N: 5}, nil, nil} {
		got := r.Before(1, &r.Phases[1].Calls[i])
		switch {
		case (got == nil) != (want == nil):
			t.Errorf("call to %s: %+v, want %+v", r.Phases[1].Calls[i].To, got, want)
		case got != nil && (got.K != want.K || got.N != want.N || *got.Measured != float64(want.K)/float64(want.N)):
			t.Errorf("call to %s: %d of %d (%g), want %d of %d", r.Phases[1].Calls[i].To, got.K, got.N, *got.Measured, want.K, want.N)
		}
	}
	if got := r.Before(0, &r.Phases[0].Calls[0]); got != nil {
		t.Errorf("before the first phase: %+v", got)
	}
}
