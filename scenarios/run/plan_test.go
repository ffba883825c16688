package run

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/service/trail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// usual are options that a test changes: those of a command line without flags.
func usual() Options {
	return Options{Fail: 0.3, Cascade: trail.Absorb, Exclude: 0.01, SplitLo: 0.7, SplitHi: 1.4, Seed: 1, Attack: attack.Options{Timeout: attack.DefaultTimeout}}
}

// phasesOf are the phases of stages, with objects that take the place of a stage's own.
func phasesOf(t testing.TB, stages string, overrides map[string][]manifests.Object, parameters map[string]string) []scenarios.Phase {
	t.Helper()
	chosen, err := scenarios.Choose(strings.Fields(stages))
	if err != nil {
		t.Fatal(err)
	}
	phases, err := scenarios.Phases(chosen, overrides, parameters)
	if err != nil {
		t.Fatal(err)
	}
	return phases
}

// pace is that of the tests' own targets.
var pace = Pace{Capacity: 10_000, Timed: 5 * time.Millisecond}

func planOf(t testing.TB, stages string, o Options, parameters map[string]string) *Run {
	t.Helper()
	r, err := Plan(stages, phasesOf(t, stages, nil, parameters), o, pace)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// names are the names of the requests of a phase, natural ones and probes apart, in the order in which they are sent.
func names(p *planned) (natural, probes []string) {
	plan := p.attackOn(anywhere, nil)
	for n, slot := range p.sequence {
		if p.judged[slot.Cohort].Probe {
			probes = append(probes, plan.RequestName(n))
		} else {
			natural = append(natural, plan.RequestName(n))
		}
	}
	return natural, probes
}

// The name of a natural request, which decides its draws, is its number and nothing of the plan: neither probes nor other rules shift
// it. Probes have names of their own.
func TestNamesDoNotDependOnThePlan(t *testing.T) {
	o := usual()
	few := planOf(t, "retry", o, nil).phases[1]
	o.Exclude, o.Fail = 0.002, 0.7
	many := planOf(t, "retry", o, map[string]string{"canary-weight": "20"}).phases[1]
	fewNames, fewProbes := names(few)
	manyNames, manyProbes := names(many)
	if len(fewProbes) < 500 || len(manyProbes) < 3*len(fewProbes) || len(manyNames) <= len(fewNames) {
		t.Fatalf("%d and %d probes, %d and %d natural requests: the plans do not differ as the test wants", len(fewProbes), len(manyProbes), len(fewNames), len(manyNames))
	}
	for n, name := range manyNames {
		if want := fmt.Sprintf("1/retry/%d", n); name != want || n < len(fewNames) && fewNames[n] != want {
			t.Fatalf("natural request %d is called %s, want %s", n, name, want)
		}
	}
	for n, name := range manyProbes {
		if want := fmt.Sprintf("1/retry/p/%d", n); name != want {
			t.Fatalf("probe %d is called %s, want %s", n, name, want)
		}
	}
}

// Cohorts take turns by the number of the request, so that one number is of one cohort in every plan.
func TestCohortsTakeTurns(t *testing.T) {
	p := planOf(t, "canary", usual(), nil).phases[1]
	for _, slot := range p.sequence {
		header := p.cohorts[slot.Cohort].Header
		if p.judged[slot.Cohort].Probe {
			if header.Get(trail.HeaderPins) == "" || header.Get(trail.HeaderFail) != "" {
				t.Fatalf("a probe carries %v", header)
			}
			continue
		}
		if int(slot.Cohort) != int(slot.Number)%4 || header.Get(trail.HeaderFail) != "0.3" || header.Get(trail.HeaderPins) != "" || header.Get("Accept") != "application/json" {
			t.Fatalf("natural request %d is of cohort %d and carries %v", slot.Number, slot.Cohort, header)
		}
	}
	if user := p.cohorts[0].Header.Get("x-dev-user"); user != "super-secret" {
		t.Errorf("the first cohort sends x-dev-user %q", user)
	}
}

// What is planned follows from the manifests: enough of every rule that is new, nothing for others, none in a Base phase.
func TestPlanFollowsFromTheManifests(t *testing.T) {
	for _, c := range []struct {
		stages, phase string
		parameters    map[string]string
		fail          float64
		natural, most int // natural requests
		least, atMost int // probes
		timed         bool
	}{
		{"retry", "prod", nil, 0.3, 300, 300, 0, 0, false},
		{"retry", "retry", nil, 0.3, 300, 300, 690, 1100, true},
		{"retry", "retry", nil, 0.01, 300, 300, 690, 1100, true},
		{"egress", "egress", nil, 0.3, 300, 300, 500, 700, false},
		{"prod", "prod", nil, 0.3, 300, 300, 2400, 2800, false},
		{"prod", "prod", nil, 0.9, 300, 300, 2600, 2800, false},
		{"prod", "prod", map[string]string{"canary-weight": "20"}, 0.3, 300, 3400, 140, 200, false},
		{"egress", "egress", nil, 0.95, 1980, 1980, 650, 750, false}, // the balancer's choice of versions is seen by one request in 20
	} {
		o := usual()
		o.Fail = c.fail
		r := planOf(t, c.stages, o, c.parameters)
		p := r.phases[slices.IndexFunc(r.phases, func(p *planned) bool { return p.Name == c.phase })]
		if p.natural < c.natural || p.natural > c.natural+20 || p.mostNatural < p.natural || p.mostNatural > c.most+20 || p.probes < c.least || p.probes > c.atMost || p.times() != c.timed {
			t.Errorf("%s at %v: %d to %d natural requests, %d probes, timed %v; want %d to %d, %d to %d, %v", c.phase, c.fail, p.natural, p.mostNatural, p.probes, p.times(),
				c.natural, c.most, c.least, c.atMost, c.timed)
		}
		if len(p.notices) > 0 {
			t.Errorf("%s at %v: %q", c.phase, c.fail, p.notices)
		}
		var last int // probes are sent among the first natural requests, so that both see the same machine
		for i, slot := range p.sequence {
			if p.judged[slot.Cohort].Probe {
				last = i
			}
		}
		if p.probes > 0 && (last < p.settled*9/10 || last >= p.settled+2) {
			t.Errorf("%s: the last probe is sent as number %d, want near the %dth", c.phase, last, p.settled)
		}
	}
}

// The pace follows from the tries that a request leads to, unless the user sets it.
func TestPace(t *testing.T) {
	o := usual()
	o.Fail = 0
	r := planOf(t, "retry", o, nil)
	base, retry := r.phases[0], r.phases[1]
	// Without failures, the edge's own work and one try each of frontend, middleware, backend and the clock.
	if base.rate != math.Floor(10_000/5.0) || base.connections != leastConnections {
		t.Errorf("before: rate %v, %d connections; want a fifth of the capacity, and %d", base.rate, base.connections, leastConnections)
	}
	if retry.rate >= timedShare*10_000/5 || retry.rate < timedShare*10_000/12 {
		t.Errorf("with retries: rate %v, want less than %v of it, since waits are timed", retry.rate, timedShare)
	}
	o.Attack.Rate, o.Attack.Connections = 77, 5
	for _, p := range planOf(t, "retry", o, nil).phases {
		if p.rate != 77 || p.connections != 5 {
			t.Errorf("phase %s: rate %v, %d connections; want what the user set", p.Name, p.rate, p.connections)
		}
	}
	o = usual()
	o.Hang = 0.5
	hung := planOf(t, "retry", o, nil).phases[0]
	if most := float64(mostConnections) / 2 / hung.predictions[0].Mean.Seconds(); hung.rate > most || hung.connections <= leastConnections {
		t.Errorf("where half of the tries hang: rate %v, %d connections; want at most %v, so that connections suffice", hung.rate, hung.connections, most)
	}
}

// A limit that makes a check undecidable is reported before the start.
func TestLimitsAreNoticed(t *testing.T) {
	count := func(p *planned) (natural, probes int) {
		naturals, all := names(p)
		return len(naturals), len(all)
	}
	o := usual()
	o.Attack.MaxRequests = 100
	r := planOf(t, "retry", o, nil)
	if got := r.Notices(); len(got) != 1 || !strings.HasPrefix(got[0], "phase retry: ") || !strings.HasSuffix(got[0], "requests are needed to prove every rule, and the limits that you set allow 100, so that some checks may stay undecided") {
		t.Errorf("%q, want one notice of phase retry: nothing is to be proved in the one before", got)
	}
	for _, p := range r.phases {
		if natural, probes := count(p); len(p.sequence) != 100 || p.settled != 100 || p.natural != natural || p.probes != probes || natural+probes != 100 {
			t.Errorf("phase %s: %d requests, %d natural and %d probes; %d and %d are told", p.Name, len(p.sequence), natural, probes, p.natural, p.probes)
		}
	}
	if expected, most, _ := r.Requests(); expected != 200 || most != 200 || r.InFlight() > 100 {
		t.Errorf("%d requests, at most %d, %d in flight", expected, most, r.InFlight())
	}
	o = usual()
	o.Attack.Rate, o.Attack.Duration = 100, 2*time.Second
	if r := planOf(t, "retry", o, nil); len(r.phases[1].sequence) != 200 || len(r.Notices()) != 1 {
		t.Errorf("at 100 a second for 2 s: %d requests, %q", len(r.phases[1].sequence), r.Notices())
	}
	o = usual()
	o.Attack.MaxRequests = 3300
	if got := planOf(t, "prod", o, map[string]string{"canary-weight": "20"}).Notices(); len(got) != 1 || !strings.Contains(got[0], "are needed to decide what the mesh draws, and the limits that you set allow 3300, so that a split may stay undecided") {
		t.Errorf("%q, want a notice of the split", got)
	}
	o = usual()
	o.Fail = 0.9
	if got := planOf(t, "prod", o, map[string]string{"canary-weight": "1"}).Notices(); len(got) != 1 || !strings.HasPrefix(got[0], "phase prod: the split of the calls to middleware is decided by about ") || !strings.Contains(got[0], "at most 50000 are sent") {
		t.Errorf("%q, want a notice that the split needs more requests than a phase sends", got)
	}
}

// --request leaves one request of one phase.
func TestOneRequest(t *testing.T) {
	for _, c := range []struct{ request, name, pins string }{
		{"retry/17", "1/retry/17", ""}, {"retry/499", "1/retry/499", ""}, {"retry/1234567", "1/retry/1234567", ""}, {"prod/3", "1/prod/3", ""}, {"retry/p/3", "1/retry/p/3", "pins"},
	} {
		o := usual()
		o.Request = c.request
		r := planOf(t, "retry", o, nil)
		if len(r.phases) != 1 || len(r.phases[0].sequence) != 1 || len(r.Notices()) != 0 {
			t.Errorf("%s: %d phases, notices %q", c.request, len(r.phases), r.Notices())
			continue
		}
		p := r.phases[0]
		at := p.attackOn(anywhere, nil)
		header := p.cohorts[p.sequence[0].Cohort].Header
		if got := at.RequestName(0); got != c.name || at.Check() != nil || (header.Get(trail.HeaderPins) != "") != (c.pins != "") {
			t.Errorf("%s: %s with pins %q, %v", c.request, got, header.Get(trail.HeaderPins), at.Check())
		}
		if expected, most, _ := r.Requests(); expected != 1 || most != 1 || p.natural+p.probes != 1 || (p.probes == 1) != (c.pins != "") {
			t.Errorf("%s: %d requests, at most %d, %d natural and %d probes", c.request, expected, most, p.natural, p.probes)
		}
	}
	for _, name := range []string{"retry/p/99999", "retry/x", "retry/-1", "retry/+1", "retry/01", "retry/p/-1", "retry", "canary/1", "retry/10000000", "retry/99999999999999999999", "retry/p/p/1", "1/retry/17"} {
		o := usual()
		o.Request = name
		_, err := Plan("retry", phasesOf(t, "retry", nil, nil), o, pace)
		if err == nil || !strings.Contains(err.Error(), "--request "+name+": no phase of the run has such a request: name a phase (prod, retry) and a number, as in retry/17 or, for a probe, retry/p/3") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cohort's own request is that of its number: 17 of canary's four cohorts is the second one's.
func TestOneRequestOfACohort(t *testing.T) {
	o := usual()
	o.Request = "canary/99999"
	p := planOf(t, "canary", o, nil).phases[0]
	if p.sequence[0].Cohort != 99999%4 {
		t.Errorf("cohort %d, want %d", p.sequence[0].Cohort, 99999%4)
	}
}

// anywhere is where nothing is sent.
func anywhere(manifests.Entry) string { return "http://127.0.0.1" }

// All that is wrong is reported, each once.
func TestPlanReportsWhatIsWrong(t *testing.T) {
	phases := phasesOf(t, "retry ingress", nil, nil)
	for i := range phases {
		phases[i].Cohorts = []scenarios.Cohort{{Entry: manifests.Entry{Service: "nobody"}}}
	}
	_, err := Plan("mine", phases, usual(), pace)
	if err == nil || err.Error() != "phase prod: no Service nobody in the objects" {
		t.Errorf("%v", err)
	}
	for i := range phases {
		phases[i].Cohorts = []scenarios.Cohort{{Entry: manifests.Entry{Gateway: scenarios.OnlyGateway}}}
	}
	_, err = Plan("mine", phases, usual(), pace)
	if err == nil || !strings.HasPrefix(err.Error(), "phase prod: requests enter by the Gateway of the objects, and there must be exactly one: there is none") || strings.Contains(err.Error(), "phase retry") {
		t.Errorf("%v, want one line of the first phase without a Gateway", err)
	}
	o := usual()
	o.Attack.Rate, o.Attack.MaxRequests = 0.001, 0
	if _, err := Plan("mine", phasesOf(t, "retry", nil, nil), o, pace); err == nil || !strings.Contains(err.Error(), "would take") {
		t.Errorf("a run of months: %v", err)
	}
}

// A rule whose calls are made so seldom that no plan proves it is reported before the start.
func TestRulesThatNoPlanProves(t *testing.T) {
	yaml := fourServices(1)
	objects, err := manifests.Parse("mine.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	phases := []scenarios.Phase{{Name: "mine", Objects: objects, Cohorts: []scenarios.Cohort{{Entry: manifests.Entry{Service: "frontend"}}}}}
	r, err := Plan("mine", phases, usual(), pace)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, notice := range r.Notices() {
		found = found || strings.Contains(notice, "so few calls to seldom are made that no plan of probes proves their rule")
	}
	if probes := r.phases[0].probes; !found || probes > 3000 {
		t.Errorf("%d probes, notices %q", probes, r.Notices())
	}
}

// fourServices are a frontend that calls middle, of which so many calls in 1,000 lead to a version that calls seldom, and others to
// one that calls often.
func fourServices(weight int) string {
	yaml := deployed("frontend", "v1", `[[{"url":"http://middle/"}]]`, "") + served("frontend") +
		deployed("middle", "v1", `[[{"url":"http://often/"}]]`, "") + deployed("middle", "v2", `[[{"url":"http://seldom/"}]]`, "") + served("middle") +
		deployed("often", "v1", "[]", "") + served("often") + deployed("seldom", "v1", "[]", "") + served("seldom")
	return yaml + fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: middle}
spec: {host: middle, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: middle}
spec: {hosts: [middle], http: [{route: [{destination: {host: middle, subset: v1}, weight: %d}, {destination: {host: middle, subset: v2}, weight: %d}]}]}
`, 1000-weight, weight)
}

// served is a Service for the pods with its name.
func served(name string) string {
	return strings.ReplaceAll("apiVersion: v1\nkind: Service\nmetadata: {name: @}\nspec: {selector: {app: @}, ports: [{name: http, port: 80, targetPort: 3000}]}\n---\n", "@", name)
}

// deployed is a Deployment of a version of a service, with its calls and more of its environment.
func deployed(name, version, calls, environment string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s-%[2]s}
spec:
  selector: {matchLabels: {app: %[1]s, version: %[2]s}}
  template:
    metadata: {labels: {app: %[1]s, version: %[2]s}}
    spec: {containers: [{name: hello-service, image: hello-service, env: [{name: SERVICE_NAME, value: %[1]s-%[2]s}, {name: CALLS, value: '%[3]s'}%[4]s], ports: [{containerPort: 3000}]}]}
---
`, name, version, calls, environment)
}

// The names of the cohorts that lead to calls are given only where not all do.
func TestCohortsThatLeadToCalls(t *testing.T) {
	p := planOf(t, "canary", usual(), nil).phases[1]
	leading := p.leading()
	for i := range p.ways.Rows {
		row := &p.ways.Rows[i]
		var want []string
		if check.Service(row) == "middleware" {
			if want = []string{"no header", "another value", "another case"}; strings.Contains(row.Destinations[0].Name, "canary") {
				want = []string{"exact header"}
			}
		}
		if !slices.Equal(leading[i], want) {
			t.Errorf("calls from %s to %s: cohorts %q, want %q", row.Caller, row.Host, leading[i], want)
		}
	}
}

// The Host header is one that the Gateway admits.
func TestTheGatewaysHost(t *testing.T) {
	const gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: frontend}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example]}]}
`
	objects, err := manifests.Parse("mine.yaml", []byte(gateway))
	if err != nil {
		t.Fatal(err)
	}
	phases := phasesOf(t, "ingress", nil, nil)
	phases[1].Objects = manifests.Overlay(phases[1].Objects, objects)
	r, err := Plan("ingress", phases, usual(), pace)
	if err != nil {
		t.Fatal(err)
	}
	if host := r.phases[1].attackOn(anywhere, nil).Cohorts[0].Host; host != "shop.example" {
		t.Errorf("requests carry Host %q, want shop.example", host)
	}
}

// Where a call is sent again because of what the service called, answers do not show what earlier tries met.
func TestBiased(t *testing.T) {
	o := usual()
	for name, want := range map[string]bool{"absorb": false, "propagate": true, "hang": true} {
		o.Cascade, o.Hang = trail.Absorb, 0
		switch name {
		case "propagate":
			o.Cascade = trail.Propagate
		case "hang":
			o.Hang = 0.1
		}
		if got := planOf(t, "prod", o, nil).phases[1].biased(); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	objects := parsed(t, "mine.yaml", deployed("frontend", "v1", "[]", `, {name: HANG_PROBABILITY, value: "0.1"}`)+served("frontend"))
	r, err := Plan("mine", []scenarios.Phase{{Name: "mine", Objects: objects, Cohorts: []scenarios.Cohort{{Entry: manifests.Entry{Service: "frontend"}}}}}, usual(), pace)
	if err != nil || !r.phases[0].biased() {
		t.Errorf("a service that hangs by itself: %v, want biased", err)
	}
}

// A phase that ends when what the mesh draws is decided sends the same requests in each run of a seed: at that moment fewer are under
// way than are sent in any case (attack.TestRunStopsOnThePlannedPrefix).
func TestMoreRequestsFollowTheStopThanAreUnderWay(t *testing.T) {
	for _, rate := range []float64{0, 200} {
		o := usual()
		o.Attack.Rate = rate
		p := planOf(t, "prod", o, map[string]string{"canary-weight": "20"}).phases[1]
		attack := p.attackOn(anywhere, nil)
		if expected := int(2 * p.rate * 0.02); attack.Lead < expected || rate == 0 && attack.Lead < attack.Connections || attack.Lead > len(p.sequence)/4 {
			t.Errorf("at %g requests a second: %d follow the stop, of %d in all and at most %d under way", p.rate, attack.Lead, len(p.sequence), attack.Connections)
		}
	}
}
