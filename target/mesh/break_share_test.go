package mesh

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
)

// met is what happened to one call, by the access log of its proxy.
type met struct {
	status, attempts int
	flags, detail    string
	host             string // of the last try
}

// calls sends n calls to host one through its own sidecar, atOnce of them at a time, and returns what happened to each. header
// sets the header of call i.
func calls(t *testing.T, name, yaml string, n, atOnce int, header func(i int, h http.Header)) []met {
	t.Helper()
	all := make([]met, n)
	m := applied(t, Options{Break: name, AccessLog: func(e AccessLogEntry) {
		i, err := strconv.Atoi(strings.TrimPrefix(e.Path, "/"))
		if err != nil {
			t.Error(err)
			return
		}
		all[i] = met{status: e.Status, attempts: e.Attempts, flags: e.Flags, detail: e.Detail}
		if e.Attempts > 0 {
			all[i].host = e.Hosts[e.Attempts-1]
		}
	}}, yaml)
	proxied := transport{m.sidecars[sidecarName{"default", "one", ""}].calls}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://one/%d", i), nil)
			if err != nil {
				return err
			}
			r.Header.Set(trail.HeaderRequest, strconv.Itoa(i))
			header(i, r.Header)
			response, err := proxied.RoundTrip(r)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			_, err = io.Copy(io.Discard, response.Body)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Counters(t.Context()); err != nil { // waits until every call is logged
		t.Fatal(err)
	}
	return all
}

// wantShare fails the test unless some of n is the share, within three standard errors. The draws are the same in every run.
func wantShare(t *testing.T, what string, some, n int, share float64) {
	t.Helper()
	if deviation := math.Abs(float64(some) - share*float64(n)); deviation > 3*math.Sqrt(float64(n)*share*(1-share)) {
		t.Errorf("%s: %d of %d, want %.0f %%", what, some, n, 100*share)
	}
}

// TestRetryTooOften compares several thousand calls with the same calls of a correct mesh. A fifth of the calls whose retries are
// used up must have one more try, which may succeed, and nothing else may differ.
func TestRetryTooOften(t *testing.T) {
	scripts := []string{"500", "500,500,500,200", "500,500,200", "500,200", "200", "500,404"}
	const n, exhausted = 3600, 2 // the first two scripts
	yaml := serviceOne + virtualService("one", "retries: {attempts: 2, retryOn: 5xx, backoff: 1ms}") + deployment1("one")
	script := func(i int, h http.Header) { h.Set(service.HeaderScript, scripts[i%len(scripts)]) }
	right, broken := calls(t, "", yaml, n, 32, script), calls(t, "retry-too-often", yaml, n, 32, script)
	more := make([]int, len(scripts))
	for i := range n {
		r, b, s := right[i], broken[i], i%len(scripts)
		r.host, b.host = "", ""
		switch {
		case b == r:
		case s == 0 && b == met{status: 500, attempts: 4, flags: "URX", detail: "via_upstream"},
			s == 1 && b == met{status: 200, attempts: 4, flags: "-", detail: "via_upstream"}:
			more[s]++
		default:
			t.Fatalf("script %s: %+v, and %+v in a mesh that is right", scripts[s], b, r)
		}
	}
	for s := range exhausted {
		wantShare(t, "one more try of "+scripts[s], more[s], n/len(scripts), 0.2)
	}
	again := calls(t, "retry-too-often", yaml, n/10, 1, script)
	for i := range again {
		if again[i].attempts != broken[i].attempts {
			t.Fatalf("call %d has %d tries, and %d when it is sent again", i, broken[i].attempts, again[i].attempts)
		}
	}
}

// TestHeaderSometimesIgnored compares several thousand calls with the same calls of a correct mesh. Of the calls that a rule
// matches by a header one in a hundred must meet the next rule, and nothing else may differ.
func TestHeaderSometimesIgnored(t *testing.T) {
	yaml := serviceOne + `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: policy}
spec:
  hosts: [one]
  http:
    - {match: [{headers: {x-dev-user: {exact: super-secret}}}], directResponse: {status: 201}}
    - {match: [{headers: {x-dev-user: {prefix: super}}}, {uri: {prefix: /no}}], directResponse: {status: 202}}
    - {directResponse: {status: 203}}
---
` + deployment1("one")
	const n = 16000
	values := []string{"super-secret", "super-user", "", "another"}
	user := func(i int, h http.Header) {
		if value := values[i%len(values)]; value != "" {
			h.Set(trail.HeaderDevUser, value)
		}
	}
	right, broken := calls(t, "", yaml, n, 8, user), calls(t, "header-sometimes-ignored", yaml, n, 8, user)
	skipped := make([]int, len(values))
	for i := range n {
		v := i % len(values)
		if want := []int{201, 202, 203, 203}[v]; right[i].status != want {
			t.Fatalf("value %q: %d in a mesh that is right, want %d", values[v], right[i].status, want)
		}
		r := right[i]
		if broken[i] == r {
			continue
		}
		if r.status = 203; broken[i] != r || v > 1 {
			t.Fatalf("value %q: %+v, want %d or, one in a hundred of those that match, 203", values[v], broken[i], right[i].status)
		}
		skipped[v]++
	}
	for v := range 2 {
		wantShare(t, "rule of "+values[v]+" skipped", skipped[v], n/len(values), 0.01)
	}
	again := calls(t, "header-sometimes-ignored", yaml, n/10, 1, user)
	for i := range again {
		if again[i] != broken[i] {
			t.Fatalf("call %d: %+v, and %+v when it is sent again", i, broken[i], again[i])
		}
	}
}

// TestSeldomRulesShareEndpoints checks that ROUND_ROBIN takes turns over all calls together, whichever of two sets of rules they
// obey.
func TestSeldomRulesShareEndpoints(t *testing.T) {
	const n, replicas = 600, 3
	yaml := serviceOne + virtualService("one", "retries: {attempts: 2, retryOn: 5xx}") + `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: one}
spec: {host: one, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}
---
` + strings.Replace(deployment1("one"), "spec:\n", "spec:\n  replicas: 3\n", 1)
	all := calls(t, "retry-too-often", yaml, n, 1, func(int, http.Header) {})
	for i := replicas; i < n; i++ {
		if all[i].host != all[i-replicas].host || all[i].host == all[i-1].host {
			t.Fatalf("call %d went to %s, want the endpoint of %d calls before", i, all[i].host, replicas)
		}
	}
}
