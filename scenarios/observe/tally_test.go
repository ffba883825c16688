package observe_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

const (
	fail = 0.5
	// way is what each call takes longer at its caller than at the service that answers it.
	way = time.Millisecond
)

// chain are the ways of the tutorial's requests in a stage, which enter directly.
func chain(t testing.TB, stage string) (*oracle.Ways, *oracle.Call) {
	t.Helper()
	objects, err := scenarios.Through(stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	return entered(t, objects)
}

// entered are the ways of requests that enter directly.
func entered(t testing.TB, objects []manifests.Object) (*oracle.Ways, *oracle.Call) {
	t.Helper()
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	ways, err := oracle.NewWays(rules)
	if err != nil {
		t.Fatal(err)
	}
	first, err := ways.Enter(manifests.Entry{Service: "frontend"}, manifests.Request{Path: "/", Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	return ways, first
}

// request is one request of the chain in stage retry, as a mesh answers it that obeys.
type request struct {
	name, pins string
	// versions answer in turn, so that the same requests may be answered by others.
	version string
	// tries are the attempt counts of the delivered tries of middleware and backend that were counted, for the test's own sums.
	tries map[string]int
	// failed are the services whose delivered try failed.
	failed []string
}

func (r *request) fails(service, path string) bool {
	if r.pins != "" {
		return trail.Pinned(r.pins, path) == trail.PinFail
	}
	return trail.Draw(trail.HeaderFail, r.name, service, path) < fail
}

// answer is the call of a service at the end of a path, with all its tries.
func (r *request) answer(service, path string, retries int) trail.Call {
	hop := &trail.Hop{Service: service, Version: "prod"}
	if service == "middleware" {
		hop.Version = r.version
	}
	for failures := 0; ; failures++ {
		if service != "frontend" { // a proxy is on the way, which counts
			hop.Attempt++
		}
		hop.Status = http.StatusOK
		at := trail.Tries(path, hop.Attempt)
		if !r.fails(service, at) {
			if next := map[string]string{"frontend": "middleware", "middleware": "backend"}[service]; next != "" {
				hop.Calls = []trail.Call{r.answer(next, at, 3)}
				hop.Calls[0].URL = "http://" + next + "/"
			} else {
				hop.Calls = []trail.Call{{URL: "http://clock.outside.svc.cluster.local/", Status: http.StatusOK}}
			}
			break
		}
		hop.Status = http.StatusInternalServerError
		if failures == retries {
			r.failed = append(r.failed, service)
			break
		}
	}
	r.tries[service] = hop.Attempt
	return trail.Call{Status: hop.Status, Hop: hop, Elapsed: way}
}

// observe is what the attack sees of a request.
func (r *request) observe(number, cohort int) *attack.Observation {
	r.tries = map[string]int{}
	call := r.answer("frontend", "", 0)
	return &attack.Observation{Number: number, Cohort: cohort, Status: call.Status, Latency: way, Trail: call.Hop, Planned: time.Duration(number) * time.Millisecond}
}

const (
	natural = 0
	probe   = 1
)

// tally judges requests of two cohorts in stage retry: natural ones, and probes with these pins.
func tally(t testing.TB, ways *oracle.Ways, first *oracle.Call, pins string, name func(int) string) *observe.Tally {
	t.Helper()
	return observe.NewTally(ways, []observe.Cohort{
		{Way: first, Request: oracle.Request{Fail: fail}},
		{Way: first, Request: oracle.Request{Fail: fail, Pins: pins}, Probe: true},
	}, name)
}

func name(number int) string { return fmt.Sprintf("1/retry/%d", number) }

// rowOf is the row of the calls to a service.
func rowOf(t testing.TB, ways *oracle.Ways, service string) int {
	t.Helper()
	for i := range ways.Rows {
		if ways.Rows[i].Service() == service {
			return i
		}
	}
	t.Fatalf("no row to %s", service)
	return -1
}

// The counts are those of the requests by row, with the natural ones apart.
func TestTallyCountsByRow(t *testing.T) {
	ways, first := chain(t, "retry")
	const pins = "0.1=fail,0.2=fail,0.3.1=fail"
	got := tally(t, ways, first, pins, name)
	var calls, failed, good, bad [3]map[int]int64 // by service and tries
	services := []string{"frontend", "middleware", "backend"}
	for i := range services {
		calls[i], failed[i], good[i], bad[i] = map[int]int64{}, map[int]int64{}, map[int]int64{}, map[int]int64{}
	}
	var edge, any int64
	for n := range 400 {
		r := request{name: name(n), version: "prod"}
		cohort := natural
		if n%4 == 3 {
			r.pins, cohort = pins, probe
		}
		o := r.observe(n, cohort)
		got.Add(o)
		if cohort == natural {
			if o.Status >= 500 {
				edge++
			}
			if len(r.failed) > 0 {
				any++
			}
		}
		for i, service := range services {
			attempt, called := r.tries[service]
			if !called {
				continue
			}
			bit := slices.Contains(r.failed, service)
			failures := max(0, attempt-1)
			if bit {
				bad[i][failures+1]++
			} else {
				good[i][failures]++
			}
			calls[i][cohort]++
			if bit {
				failed[i][cohort]++
			}
		}
	}
	if got.Natural != 300 || got.Probes != 100 || got.Edge != edge || got.Any != any || got.Wrong != 0 || got.Open != 0 || len(got.Outcomes) != 300 {
		t.Errorf("%d natural, %d probes, %d failed at the edge, %d anywhere, %d wrong, %d open, %d outcomes; want 300, 100, %d, %d, 0, 0, 300",
			got.Natural, got.Probes, got.Edge, got.Any, got.Wrong, got.Open, len(got.Outcomes), edge, any)
	}
	for i, service := range services {
		row := &got.Rows[rowOf(t, ways, service)]
		if row.Calls != calls[i][natural] || row.Failed != failed[i][natural] || row.Judged != calls[i][natural]+calls[i][probe] || row.Mismatched+row.Open+row.Unknown != 0 {
			t.Errorf("%s: %d calls, %d failed, %d judged; want %d, %d, %d", service, row.Calls, row.Failed, row.Judged, calls[i][natural], failed[i][natural], calls[i][natural]+calls[i][probe])
		}
		for tries := range row.Good {
			if row.Good[tries] != good[i][tries] || row.Bad[tries] != bad[i][tries] {
				t.Errorf("%s: %d good and %d bad calls with %d tries, want %d and %d", service, row.Good[tries], row.Bad[tries], tries, good[i][tries], bad[i][tries])
			}
			if h := row.Added[tries]; (h != nil) != (good[i][tries] > 0) || h != nil && (h.TotalCount() != good[i][tries] || h.Min() < 990 || h.Max() > 1010) {
				t.Errorf("%s: what %d tries added was not counted for each good call as %v", service, tries, way)
			}
		}
		if row.Destinations[0] != row.Calls || row.Spared != row.Calls || row.Reached[0] != row.Judged || row.Workloads[0][0] != row.Calls {
			t.Errorf("%s: destinations %v, spared %d, reached %v, workloads %v; want all of %d natural and %d calls", service, row.Destinations, row.Spared, row.Reached, row.Workloads, row.Calls, row.Judged)
		}
	}
	clock := &got.Rows[slices.IndexFunc(ways.Rows, func(r oracle.Row) bool { return r.Caller == "backend" })]
	if clock.Judged == 0 || clock.Judged != clock.Proxy || clock.Failed != 0 {
		t.Errorf("the clock: %d calls, %d answered without a trail, %d failed", clock.Judged, clock.Proxy, clock.Failed)
	}
}

// A mismatch is kept with the first request that showed it, and counted; below it nothing is judged.
func TestTallyKeepsTheFirstMismatchOfEachKindAndRow(t *testing.T) {
	ways, first := chain(t, "retry")
	got := tally(t, ways, first, "none", name)
	middleware, backend := rowOf(t, ways, "middleware"), rowOf(t, ways, "backend")
	add := func(n int, change func(*trail.Hop)) {
		o := (&request{name: name(n), pins: "none", version: "prod"}).observe(n, probe)
		change(o.Trail)
		got.Add(o)
	}
	retried := func(h *trail.Hop) { h.Calls[0].Hop.Attempt = 2 } // the first try did not fail
	elsewhere := func(h *trail.Hop) { h.Calls[0].Hop.Version = "canary" }
	below := func(h *trail.Hop) { h.Calls[0].Hop.Calls[0].Hop.Attempt = 3 }
	for n, change := range []func(*trail.Hop){func(*trail.Hop) {}, retried, elsewhere, retried, below, retried} {
		add(n, change)
	}
	for _, want := range []struct {
		key            observe.Deviation
		count          int64
		request        string
		firstAt, until time.Duration
	}{
		{observe.Deviation{Kind: oracle.RetryNotDue, Row: middleware}, 3, "1/retry/1", time.Millisecond, 5 * time.Millisecond},
		{observe.Deviation{Kind: oracle.WrongWorkload, Row: middleware}, 1, "1/retry/2", 2 * time.Millisecond, 2 * time.Millisecond},
		{observe.Deviation{Kind: oracle.RetryNotDue, Row: backend}, 1, "1/retry/4", 4 * time.Millisecond, 4 * time.Millisecond},
	} {
		m := got.Mismatches[want.key]
		if m == nil || m.Count != want.count || m.Request != want.request || !m.Probe || m.FirstAt != want.firstAt || m.LastAt != want.until || !m.Cohorts[probe] || m.Cohorts[natural] {
			t.Errorf("%+v: %+v, want %+v", want.key, m, want)
		}
	}
	if len(got.Mismatches) != 3 || got.Wrong != 5 || got.Broken != 0 || got.Rows[middleware].Mismatched != 4 || got.Rows[backend].Judged != 2 {
		t.Errorf("%d kinds, %d wrong, %d broken, %d of middleware, %d calls of backend judged; want 3, 5, 0, 4, 2", len(got.Mismatches), got.Wrong, got.Broken, got.Rows[middleware].Mismatched, got.Rows[backend].Judged)
	}
}

const sideBySide = `apiVersion: v1
kind: Service
metadata: {name: frontend}
spec: {selector: {app: frontend}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend-v1}
spec:
  selector: {matchLabels: {app: frontend}}
  template:
    metadata: {labels: {app: frontend, version: v1}}
    spec: {containers: [{name: hello-service, image: hello-service, env: [{name: SERVICE_NAME, value: frontend-v1}, {name: CALLS, value: '[[{"url":"http://a/"},{"url":"http://b/"}]]'}], ports: [{containerPort: 3000}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec: {hosts: [a], http: [{directResponse: {status: 418}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: b}
spec: {hosts: [b], http: [{directResponse: {status: 418}}]}
---
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {selector: {app: a}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: v1
kind: Service
metadata: {name: b}
spec: {selector: {app: b}, ports: [{name: http, port: 80, targetPort: 3000}]}
`

// A request may have several mismatches: each row shows its own. It is broken only where all of them are lost connections.
func TestTallyOfSeveralMismatchesInOneRequest(t *testing.T) {
	objects, err := manifests.Parse("mine.yaml", []byte(sideBySide))
	if err != nil {
		t.Fatal(err)
	}
	ways, first := entered(t, objects)
	// The proxy answers 418 for both.
	for _, c := range []struct {
		a, b          int // statuses
		wrong, broken int64
		rows          [2]int64
	}{
		{418, 418, 0, 0, [2]int64{}}, {503, 418, 1, 1, [2]int64{1, 0}}, {0, 503, 1, 1, [2]int64{1, 1}}, {503, 404, 1, 0, [2]int64{1, 1}}, {404, 503, 1, 0, [2]int64{1, 1}},
	} {
		got := tally(t, ways, first, "none", name)
		got.Add(&attack.Observation{Status: 200, Trail: &trail.Hop{Service: "frontend", Version: "v1", Status: 200, Calls: []trail.Call{
			{URL: "http://a/", Status: c.a}, {Number: 1, URL: "http://b/", Status: c.b}}}, Cohort: probe})
		var rows [2]int64
		var kinds int64
		for i := range got.Rows {
			if at := slices.Index([]string{"a", "b"}, ways.Rows[i].Host); at >= 0 {
				rows[at] = got.Rows[i].Mismatched
			}
		}
		for _, m := range got.Mismatches {
			kinds += m.Count
		}
		if got.Wrong != c.wrong || got.Broken != c.broken || rows != c.rows || kinds != rows[0]+rows[1] {
			t.Errorf("answers %d and %d: %d wrong, %d broken, rows %v, %d mismatches; want %+v", c.a, c.b, got.Wrong, got.Broken, rows, kinds, c)
		}
	}
}

// outcomes are those of natural requests of a seed. Each version answers every so many requests, and between them are so many probes.
func outcomes(t *testing.T, seed, probes int, versions ...string) []byte {
	t.Helper()
	ways, first := chain(t, "") // no rule sends middleware's calls to one version
	of := func(n int) string { return fmt.Sprintf("%d/application/%d", seed, n) }
	got := tally(t, ways, first, "none", of)
	for n := range 200 {
		got.Add((&request{name: of(n), version: versions[n%len(versions)]}).withoutRetries(n, natural))
		for range probes {
			got.Add((&request{name: of(n), pins: "none", version: "prod"}).withoutRetries(n, probe))
		}
	}
	if got.Wrong > 0 {
		t.Fatalf("%d requests were wrong", got.Wrong)
	}
	return got.Outcomes
}

// withoutRetries is the request where no rule sends a call again, and the clock is blocked.
func (r *request) withoutRetries(number, cohort int) *attack.Observation {
	r.tries = map[string]int{}
	o := &attack.Observation{Number: number, Cohort: cohort, Latency: way}
	frontend := r.once("frontend", "")
	o.Status, o.Trail = frontend.Status, frontend.Hop
	return o
}

func (r *request) once(service, path string) trail.Call {
	call := r.answer(service, path, 0)
	if call.Status != http.StatusOK {
		return call
	}
	at := trail.Tries(path, call.Hop.Attempt)
	switch service {
	case "frontend":
		call.Hop.Calls = []trail.Call{r.once("middleware", at)}
	case "middleware":
		call.Hop.Calls = []trail.Call{r.once("backend", at)}
	default:
		call.Hop.Calls[0].Status = http.StatusBadGateway
	}
	return call
}

// What the draws decide of a request is its outcome: neither the version that answered nor the probes between are part of it.
func TestOutcomesAreThoseOfTheDraws(t *testing.T) {
	want := outcomes(t, 1, 0, "prod")
	if got := outcomes(t, 1, 2, "canary", "prod", "canary"); !slices.Equal(got, want) {
		t.Errorf("with probes and other versions: % x\nwant % x", got, want)
	}
	other := outcomes(t, 2, 0, "prod")
	differ := 0
	for i := range want {
		if want[i]>>2 == 0 {
			t.Errorf("request %d: the hash is 0, which stands for an open request", i)
		}
		if want[i] != other[i] {
			differ++
		}
	}
	if differ < 50 {
		t.Errorf("%d of 200 requests of another seed differ", differ)
	}
}

// The two lowest bits are the failures; requests that differ in any call have other hashes, but for one in 63.
func TestOutcomeBits(t *testing.T) {
	ways, first := chain(t, "retry")
	hashes := map[byte]bool{}
	for _, c := range []struct {
		pins string
		bits byte
	}{
		{"none", 0}, {"0=fail", 3}, {"0.1=fail", 0}, {"0.1=fail,0.2=fail", 0}, {"0.*=fail", 2},
		{"0.1.1=fail", 0}, {"0.1.1=fail,0.1.2=fail", 0}, {"0.1.1=fail,0.1.2=fail,0.1.3=fail", 0}, {"0.1.*=fail", 2}, {"0.1=fail,0.2.1=fail", 0},
	} {
		// The cohort counts as natural, so that the outcome of its pins is kept.
		got := observe.NewTally(ways, []observe.Cohort{{Way: first, Request: oracle.Request{Pins: c.pins}}}, name)
		got.Add((&request{name: name(0), pins: c.pins, version: "prod"}).observe(0, 0))
		if got.Wrong > 0 || got.Outcomes[0]&3 != c.bits {
			t.Errorf("pins %s: %d wrong, outcome %08b, want the lowest bits %02b", c.pins, got.Wrong, got.Outcomes[0], c.bits)
		}
		hashes[got.Outcomes[0]>>2] = true
	}
	if len(hashes) < 9 {
		t.Errorf("ten different requests have %d hashes", len(hashes))
	}
}

// The last call of a request is in its outcome as much as the first: here it alone differs, by its tries.
func TestOutcomesOfTheLastCall(t *testing.T) {
	yaml := strings.NewReplacer(`,{"url":"http://b/"}`, "", "directResponse: {status: 418}", "route: [{destination: {host: a}}], retries: {attempts: 3, retryOn: 5xx}").Replace(sideBySide) +
		"---\n" + strings.NewReplacer("frontend", "a", `[[{"url":"http://a/"},{"url":"http://b/"}]]`, "[]").Replace(sideBySide[strings.Index(sideBySide, "apiVersion: apps"):strings.Index(sideBySide, "---\napiVersion: networking")])
	objects, err := manifests.Parse("mine.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	ways, first := entered(t, objects)
	hashes := map[byte]bool{}
	for failures := range 4 {
		pins := "0.9=fail"
		for n := range failures {
			pins += fmt.Sprintf(",0.%d=fail", n+1)
		}
		got := observe.NewTally(ways, []observe.Cohort{{Way: first, Request: oracle.Request{Pins: pins}}}, name)
		got.Add(&attack.Observation{Status: 200, Trail: &trail.Hop{Service: "frontend", Version: "v1", Status: 200, Calls: []trail.Call{
			{URL: "http://a/", Status: 200, Hop: &trail.Hop{Service: "a", Version: "v1", Status: 200, Attempt: failures + 1}}}}})
		if got.Wrong > 0 {
			t.Fatalf("%d failures: %+v", failures, got.Mismatches)
		}
		hashes[got.Outcomes[0]] = true
	}
	if len(hashes) != 4 {
		t.Errorf("four requests that differ in their last call have %d outcomes", len(hashes))
	}
}

// A request that a time limit may have decided has no hash, and one that deviates has another one than the right request.
func TestOutcomesOfOpenAndWrongRequests(t *testing.T) {
	ways, first := chain(t, "retry")
	got := tally(t, ways, first, "none", name)
	right := (&request{name: name(0), version: "prod"}).observe(0, natural)
	for n := 0; right.Trail.Calls == nil || right.Trail.Calls[0].Status != 200 || right.Trail.Calls[0].Hop.Calls[0].Status != 200; n++ { // one in which all is called
		right = (&request{name: name(n), version: "prod"}).observe(n, natural)
	}
	got.Add(right)
	slow := *right
	slow.Trail = &trail.Hop{Service: "frontend", Version: "prod", Status: 200, Calls: []trail.Call{{URL: "http://middleware/", Status: http.StatusGatewayTimeout, Elapsed: 9 * time.Second}}}
	got.Add(&slow)
	wrong := *right
	wrong.Trail = &trail.Hop{Service: "frontend", Version: "prod", Status: 200, Calls: []trail.Call{{URL: "http://middleware/", Status: http.StatusNotFound}}}
	got.Add(&wrong)
	if got.Open != 1 || got.Wrong != 1 || got.Outcomes[0] == got.Outcomes[2] || got.Outcomes[2]>>2 == 0 || got.Outcomes[1] != 2 {
		t.Errorf("%d open, %d wrong, outcomes %08b; want 1, 1, two different hashes and the failure alone of the open one", got.Open, got.Wrong, got.Outcomes)
	}
	row := &got.Rows[rowOf(t, ways, "middleware")]
	if row.Judged != 3 || row.Open != 1 || row.Mismatched != 1 || row.Calls != 3 || row.Spared != 1 {
		t.Errorf("middleware: %d judged, %d open, %d mismatched, %d calls, %d spared; want 3, 1, 1, 3, 1", row.Judged, row.Open, row.Mismatched, row.Calls, row.Spared)
	}
}

// Only calls whose tries failed at once tell how long was waited between tries.
func TestOnlyPromptCallsAreTimed(t *testing.T) {
	ways, first := chain(t, "retry")
	for _, c := range []struct {
		request oracle.Request
		elapsed time.Duration
		timed   bool
	}{
		{oracle.Request{Pins: "0.1=fail"}, 15 * time.Millisecond, true},
		{oracle.Request{Pins: "0.1=hang"}, 2015 * time.Millisecond, false},                   // cut after 2 s
		{oracle.Request{Pins: "0.1.*=fail", Propagate: true}, 400 * time.Millisecond, false}, // failed after all tries of its own call
	} {
		got := observe.NewTally(ways, []observe.Cohort{{Way: first, Request: c.request}}, name)
		backend := trail.Call{URL: "http://backend/", Status: 200, Hop: &trail.Hop{Service: "backend", Version: "prod", Status: 200, Attempt: 1,
			Calls: []trail.Call{{URL: "http://clock.outside.svc.cluster.local/", Status: 200}}}}
		got.Add(&attack.Observation{Status: 200, Trail: &trail.Hop{Service: "frontend", Version: "prod", Status: 200, Calls: []trail.Call{
			{URL: "http://middleware/", Status: 200, Elapsed: c.elapsed, Hop: &trail.Hop{Service: "middleware", Version: "prod", Status: 200, Attempt: 2, Calls: []trail.Call{backend}}}}}})
		row := &got.Rows[rowOf(t, ways, "middleware")]
		if row.Mismatched != 0 || row.Good[1] != 1 || (row.Added[1] != nil) != c.timed {
			t.Errorf("pins %s: %d mismatched, %d good at try 2, timed %v; want 0, 1, %v", c.request.Pins, row.Mismatched, row.Good[1], row.Added[1] != nil, c.timed)
		}
	}
}

// A host of which nothing is known may answer anything, or nothing: that is right, not open, and not part of the outcome.
func TestAnswersOfAHostOutside(t *testing.T) {
	yaml := strings.Replace(sideBySide[:strings.Index(sideBySide, "---\napiVersion: networking")], `[[{"url":"http://a/"},{"url":"http://b/"}]]`, `[[{"url":"http://outside.example/","external":true}]]`, 1) + `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside}
spec: {hosts: [outside.example], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
`
	objects, err := manifests.Parse("mine.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	ways, first := entered(t, objects)
	got := observe.NewTally(ways, []observe.Cohort{{Way: first, Request: oracle.Request{}}}, func(int) string { return "1/mine/0" })
	statuses := []int{200, 404, 503, 0}
	for n, status := range statuses {
		got.Add(&attack.Observation{Number: n, Status: 200, Trail: &trail.Hop{Service: "frontend", Version: "v1", Status: 200, Calls: []trail.Call{{URL: "http://outside.example/", Status: status}}}})
	}
	row := &got.Rows[slices.IndexFunc(ways.Rows, func(r oracle.Row) bool { return r.Caller == "frontend" })]
	if row.Judged != 4 || row.Unknown != 4 || row.Open+row.Mismatched != 0 || got.Open+got.Wrong != 0 || row.Failed != 2 || got.Any != 0 {
		t.Errorf("%d judged, %d unknown, %d open, %d mismatched, %d failed, %d anywhere of ours; want 4, 4, 0, 0, 2, 0", row.Judged, row.Unknown, row.Open, row.Mismatched, row.Failed, got.Any)
	}
	for _, outcome := range got.Outcomes {
		if outcome != got.Outcomes[0] {
			t.Errorf("outcomes %08b differ by what a host outside answered", got.Outcomes)
		}
	}
}

// observations are natural requests and probes of one plan.
func observations(n int) (all []*attack.Observation) {
	for i := range n {
		r := request{name: "1/retry/0", version: "prod"}
		cohort := natural
		if i%2 == 1 {
			r.pins, cohort = "0.1=fail,0.2.1=fail", probe
		}
		all = append(all, r.observe(i, cohort))
	}
	return all
}

// Judging and counting allocate nothing once every histogram is there, apart from the request's name, which is the plan's, and the
// growth of the outcomes.
func TestAddAllocatesNothing(t *testing.T) {
	ways, first := chain(t, "retry")
	got := tally(t, ways, first, "0.1=fail,0.2.1=fail", func(int) string { return "1/retry/0" })
	all := observations(2)
	for _, o := range all {
		got.Add(o)
	}
	got.Outcomes = slices.Grow(got.Outcomes, 10_000)
	if n := testing.AllocsPerRun(500, func() {
		for _, o := range all {
			got.Add(o)
		}
	}); n != 0 {
		t.Errorf("%v allocations for two requests, want none", n)
	}
}

// BenchmarkAdd is the price of judging a request of three services.
func BenchmarkAdd(b *testing.B) {
	ways, first := chain(b, "retry")
	got := tally(b, ways, first, "0.1=fail,0.2.1=fail", func(int) string { return "1/retry/0" })
	all := observations(2)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		got.Add(all[i%2])
	}
}
