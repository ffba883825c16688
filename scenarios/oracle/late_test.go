package oracle

import (
	"net/http"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/graph"
	"github.com/hellochaos/hellochaos/service/trail"
)

// A call that was sent again although none of its tries fails as drawn is one of a mesh that retries without cause, unless it took so long that a
// try may have run into its limit: then what was met is open. A service that notices the limit first breaks the connection, for which the sidecar
// of its pod answers 503.
func TestRetriesOfASlowMachine(t *testing.T) {
	const limit = 2 * time.Second
	for _, test := range []struct {
		on      string
		perTry  time.Duration
		elapsed time.Duration
		open    bool
		want    Kind
	}{
		{"5xx", limit, 3 * time.Second, true, ""},
		{"connect-failure,500,503", limit, 3 * time.Second, true, ""},
		{"connect-failure,500,503", limit, time.Second, false, RetryNotDue},
		{"connect-failure,500,503", 0, 3 * time.Second, false, RetryNotDue},
		{"connect-failure,500", limit, 3 * time.Second, false, RetryNotDue},
		{"5xx", limit, time.Second, false, RetryNotDue},
	} {
		rule := &manifests.Rule{Retry: manifests.Retry{Attempts: 2, PerTry: test.perTry}}
		rule.Retry.SetOn(test.on)
		at := &Workload{Workload: &graph.Workload{Service: "a", Version: "v1", Ours: true}, Share: 1}
		call := &Call{Rule: rule, Destinations: []Destination{{Name: "a", Share: 1, Workloads: []*Workload{at}}}}
		seen := &trail.Call{Status: http.StatusOK, Elapsed: test.elapsed, Hop: &trail.Hop{Service: "a", Version: "v1", Status: http.StatusOK, Attempt: 2}}
		var got Kind
		var open bool
		new(Judge).Request(&Request{Name: "late"}, call, seen, func(e *Evidence) {
			open = e.Open
			if e.Mismatch != nil {
				got = e.Mismatch.Kind
			}
		})
		if got != test.want || open != test.open {
			t.Errorf("retries on %s with a limit of %v, after %v: %q, open %v, want %q, %v", test.on, test.perTry, test.elapsed, got, open, test.want, test.open)
		}
	}
}
