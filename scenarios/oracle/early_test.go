package oracle

import (
	"net/http"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/graph"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Timers of real Envoys ended up to a few milliseconds before their time, and they must end.
func TestTimersMayEndEarly(t *testing.T) {
	delayed := &manifests.Rule{Fault: &manifests.Fault{Delay: 50 * time.Millisecond, DelayShare: 1}}
	cut := &manifests.Rule{Timeout: 600 * time.Millisecond}
	for _, test := range []struct {
		what    string
		rule    *manifests.Rule
		status  int
		elapsed time.Duration
		want    Kind
	}{
		{"a delay", delayed, http.StatusOK, 50 * time.Millisecond, ""},
		{"a delay of an Envoy whose turn began before the request came", delayed, http.StatusOK, 48670 * time.Microsecond, ""},
		{"no delay", delayed, http.StatusOK, 15 * time.Millisecond, DelayMissing},
		{"a time limit", cut, http.StatusGatewayTimeout, 599 * time.Millisecond, ""},
		{"a try that hangs past the time limit of the call, and is delivered", cut, http.StatusOK, 5 * time.Second, NotTimedOut},
		{"504 that no time limit can have caused", cut, http.StatusGatewayTimeout, 490 * time.Millisecond, ByProxy},
	} {
		at := &Workload{Workload: &graph.Workload{Service: "a", Version: "v1", Ours: true, HangTime: 5 * time.Second}, Share: 1}
		call := &Call{Rule: test.rule, Destinations: []Destination{{Name: "a", Share: 1, Workloads: []*Workload{at}}}}
		seen := &trail.Call{Status: test.status, Elapsed: test.elapsed}
		if test.status == http.StatusOK {
			seen.Hop = &trail.Hop{Service: "a", Version: "v1", Status: test.status, Attempt: 1}
		}
		var got Kind
		new(Judge).Request(&Request{Name: "early", Hang: 1}, call, seen, func(e *Evidence) {
			if e.Mismatch != nil {
				got = e.Mismatch.Kind
			}
		})
		if got != test.want {
			t.Errorf("%s, after %v: %q, want %q", test.what, test.elapsed, got, test.want)
		}
	}
}
