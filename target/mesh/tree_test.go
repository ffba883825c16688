package mesh

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// standIn is a Service and a Deployment of one version of an app, with these environment variables besides SERVICE_NAME.
func standIn(app, version, variables string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app: %[1]s}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s-%[2]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s, version: %[2]s}}
    spec:
      containers:
        - name: app
          image: hello-service
          env: [{name: SERVICE_NAME, value: %[1]s-%[2]s}, %[3]s]
---
`, app, version, variables)
}

// callsBelow are the calls below a hop: "number URL status, by the service at its attempt [calls]".
func callsBelow(h *trail.Hop) string {
	var calls []string
	for i := range h.Calls {
		c := &h.Calls[i]
		text := fmt.Sprintf("%d %s %d", c.Number, c.URL, c.Status)
		if c.Hop != nil {
			text += fmt.Sprintf(" by %s at %d", c.Hop.Service, c.Hop.Attempt)
			if below := callsBelow(c.Hop); below != "" {
				text += " [" + below + "]"
			}
		}
		calls = append(calls, text)
	}
	return strings.Join(calls, ", ")
}

// A tree of calls goes through the proxies. Each call has the retries of its own rule, and a rule can match the method; the body
// arrives with each try; a failed call does not affect the call beside it; and pins decide which tries fail.
func TestTreeOfCalls(t *testing.T) {
	const rules = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
    - match: [{method: {exact: POST}, headers: {x-tier: {exact: gold}}}]
      retries: {attempts: 2, retryOn: 5xx}
      route: [{destination: {host: reviews}}]
    - fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
      route: [{destination: {host: reviews}}]
---
`
	m := applied(t, Options{}, rules+
		standIn("frontend", "v1", `{name: FORWARD_HEADERS, value: x-tier}, {name: CALLS, value: '[[{"url":"http://details/"},{"url":"http://reviews/a?b=c","method":"POST","body":"stars"}],[{"url":"http://ratings/"}]]'}`)+
		standIn("details", "v1", `{name: CALLS, value: "[]"}`)+
		standIn("reviews", "v2", `{name: CALLS, value: '[[{"url":"http://ratings/"},{"url":"http://ratings/"}]]'}`)+
		standIn("ratings", "v1", `{name: CALLS, value: "[]"}, {name: FAIL_PROBABILITY, value: "0"}`))
	address, err := m.Address(t.Context(), manifests.Entry{Service: "frontend"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ tier, pins, want string }{
		{"gold", "9=fail", "0 http://details/ 200 by details at 1, 1 http://reviews/a?b=c 200 by reviews at 1 " +
			"[0 http://ratings/ 200 by ratings at 1, 1 http://ratings/ 200 by ratings at 1], 2 http://ratings/ 200 by ratings at 1"},
		// No rule retries calls to ratings. Istio's default has two retries, but none for a status.
		{"gold", "0.1=fail,0:1.1=fail,0:1.2=fail,0:1.3:1.1=fail", "0 http://details/ 500 by details at 1, 1 http://reviews/a?b=c 200 by reviews at 3 " +
			"[0 http://ratings/ 200 by ratings at 1, 1 http://ratings/ 500 by ratings at 1], 2 http://ratings/ 200 by ratings at 1"},
		{"gold", "0:1.*=fail", "0 http://details/ 200 by details at 1, 1 http://reviews/a?b=c 500 by reviews at 3, 2 http://ratings/ 200 by ratings at 1"},
		{"silver", trail.PinNothing, "0 http://details/ 200 by details at 1, 1 http://reviews/a?b=c 418, 2 http://ratings/ 200 by ratings at 1"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address.URL+"/metrics", strings.NewReader("a body of the request's own"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Accept": {"application/json"}, "X-Tier": {test.tier}, "X-Hellochaos-Pins": {test.pins}, "X-Hellochaos-Request": {"1/tree/1"}}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		hop, err := trail.Decode(body)
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if got := callsBelow(hop); got != test.want {
			t.Errorf("tier %s, pins %s:\n got %s\nwant %s", test.tier, test.pins, got, test.want)
		}
	}
	counters, err := m.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := counters.Sum(func(t target.Tries) bool { return !t.Pinned }); got != 0 {
		t.Errorf("%d tries were counted as of requests without pins, want none: pins go on with every call", got)
	}
	// Reviews receives 1, 3 and 3 tries. Ratings receives 2 tries from each of the two tries of reviews that did not fail, and 4
	// from the frontend.
	for service, want := range map[string]int64{"frontend": 4, "details": 4, "reviews": 7, "ratings": 8} {
		if got := counters.Sum(func(t target.Tries) bool { return t.Service == service && t.Pinned }); got != want {
			t.Errorf("%s counted %d tries of requests with pins, want %d", service, got, want)
		}
	}
}

// The work of a Deployment is added to the work that a break adds.
func TestWorkOfItsOwnAndOfABreak(t *testing.T) {
	const own = 20 * time.Millisecond
	yaml := standIn("frontend", "v1", `{name: UPSTREAM_URI, value: "http://backend/"}, {name: WORK_DURATION, value: 20ms}`) +
		standIn("backend", "v1", `{name: CALLS, value: "[]"}, {name: WORK_DURATION, value: 20ms}`)
	for _, test := range []struct {
		name              string
		frontend, backend time.Duration
	}{{"", own, own}, {"slow-backend", own, own + slowWork}} {
		m := applied(t, Options{Break: test.name}, yaml)
		address, err := m.Address(t.Context(), manifests.Entry{Service: "frontend"})
		if err != nil {
			t.Fatal(err)
		}
		hop := trailOf(t, address.URL)
		backend := hop.Calls[0].Hop
		if frontend := hop.Elapsed - hop.Calls[0].Elapsed; frontend < test.frontend || backend == nil || backend.Elapsed < test.backend {
			t.Errorf("break %q: the frontend worked %v, the backend %+v; want %v and %v at least", test.name, frontend, backend, test.frontend, test.backend)
		}
	}
}
