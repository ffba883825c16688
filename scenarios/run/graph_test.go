package run

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// shop is eight services: frontend calls catalog and cart side by side, then checkout. Version v1 of catalog calls prices, and v2 calls
// stock. cart calls store, which is in a namespace of its own, and checkout, which fails more often by itself, calls payments twice.
func shop() string {
	return deployed("frontend", "v1", `[[{"url":"http://catalog/"},{"url":"http://cart/","method":"POST"}],[{"url":"http://checkout/"}]]`, "") + served("frontend") +
		deployed("catalog", "v1", `[[{"url":"http://prices/"}]]`, "") + deployed("catalog", "v2", `[[{"url":"http://stock/all?of=them"}]]`, "") + served("catalog") +
		deployed("prices", "v1", "[]", "") + served("prices") + deployed("stock", "v1", "[]", "") + served("stock") +
		deployed("cart", "v1", `[[{"url":"http://store.data/"}]]`, "") + served("cart") +
		deployed("checkout", "v1", `[[{"url":"http://payments/"}],[{"url":"http://payments/receipt"}]]`, `, {name: FAIL_PROBABILITY, value: "0.4"}`) + served("checkout") +
		deployed("payments", "v1", "[]", "") + deployed("payments", "v2", "[]", "") + served("payments") +
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: data, labels: {istio-injection: enabled}}\n---\n" +
		strings.ReplaceAll(deployed("store", "v1", "[]", "")+served("store"), "metadata: {name: store", "metadata: {namespace: data, name: store")
}

// route is a VirtualService with retries on 5xx; 0: its rule has none of its own.
func route(host string, retries int, routes ...string) string {
	more := ""
	if retries > 0 {
		more = fmt.Sprintf(", retries: {attempts: %d, retryOn: 5xx, perTryTimeout: 20s}", retries)
	}
	for i := range routes {
		routes[i] += more
	}
	name, _, _ := strings.Cut(host, ".")
	return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: %s}\nspec: {hosts: [%s], http: [{%s}]}\n---\n", name, host, strings.Join(routes, "}, {"))
}

func subsets(name string) string {
	return strings.ReplaceAll("apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: @}\nspec: {host: @, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}\n---\n", "@", name)
}

// shopRules are the rules of the shop: retries at every hop, half of the calls to each version of catalog, and payments of developers
// to a version of their own.
func shopRules() string {
	return route("catalog", 2, "route: [{destination: {host: catalog, subset: v1}, weight: 50}, {destination: {host: catalog, subset: v2}, weight: 50}]") + subsets("catalog") +
		route("prices", 1, "route: [{destination: {host: prices}}]") + route("stock", 2, "route: [{destination: {host: stock}}]") +
		route("cart", 3, "route: [{destination: {host: cart}}]") + route("store.data.svc.cluster.local", 1, "route: [{destination: {host: store.data.svc.cluster.local}}]") +
		route("checkout", 2, "route: [{destination: {host: checkout}}]") +
		route("payments", 3, "match: [{headers: {x-dev-user: {exact: super-secret}}}], route: [{destination: {host: payments, subset: v2}}]", "route: [{destination: {host: payments, subset: v1}}]") + subsets("payments")
}

// shopRun is a run of the shop without rules, and then with these.
func shopRun(t *testing.T, rules string, o Options) *Run {
	t.Helper()
	user := func(name, value string) scenarios.Cohort {
		return scenarios.Cohort{Name: name, Entry: manifests.Entry{Service: "frontend"}, Header: http.Header{"X-Dev-User": {value}}}
	}
	services := parsed(t, "shop.yaml", shop())
	added := parsed(t, "rules.yaml", rules)
	phase := scenarios.Phase{Name: "services", Base: true, Objects: services,
		Cohorts: []scenarios.Cohort{{Name: "customer", Entry: manifests.Entry{Service: "frontend"}}, user("developer", "super-secret"), user("another case", "Super-Secret")}}
	ruled := phase
	ruled.Name, ruled.Base, ruled.Added, ruled.Objects = "rules", false, added, manifests.Overlay(services, added)
	r, err := Plan("shop", []scenarios.Phase{phase, ruled}, o, pace)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// quick are options of a run of few requests.
func quick(fail float64) Options {
	o := hasty(fail, 5)
	o.Exclude = 0.1
	return o
}

// A mesh that obeys passes on any graph: side by side, in turn, versions that call different services, a service that fails by itself, a
// namespace of its own.
func TestAnEightServiceGraphPasses(t *testing.T) {
	o := hasty(0.3, 5)
	o.Exclude = 0.3
	r := shopRun(t, shopRules(), o)
	r.phases[0].onlySo(5)
	found := ""
	for _, f := range r.Findings() {
		found += fmt.Sprintf("%s %s %s ", f.Severity, f.ID, f.Object)
	}
	// The rules do send POST again, and one behind the other.
	if len(r.Notices()) > 0 || found != "warning HC206 VirtualService cart warning HC204 VirtualService payments " {
		t.Errorf("notices %q, findings %+v", r.Notices(), r.Findings())
	}
	report := onMesh(t, r, "")
	if outrun(t, report) {
		return
	}
	if report.Verdict != reports.Pass {
		t.Fatalf("%s: %s", report.Verdict, failures(report))
	}
	p := report.Phases[1]
	services := map[string]int{}
	for _, c := range p.Calls {
		services[c.To]++
		if c.From != "edge" && (c.Excludes == nil || *c.Excludes > 0.3) {
			t.Errorf("calls from %s to %s exclude %v", c.From, c.To, c.Excludes)
		}
		if c.To == "checkout" && (c.Fails.Predicted < 0.06 || c.Fails.Predicted > 0.07) {
			t.Errorf("%v of the calls to checkout are predicted to fail, want 0.4³", c.Fails.Predicted)
		}
		if c.To == "store" && (c.From != "cart" || c.Ledger == nil || c.Ledger.Verdict != reports.Pass) {
			t.Errorf("calls from %s to store, in a namespace of its own: %+v", c.From, c.Ledger)
		}
	}
	if len(services) != 8 || services["payments"] != 2 {
		t.Errorf("calls to %v, want eight services, and payments by two rules", services)
	}
	if met, all := p.Coverage(); met != all || all < 25 {
		t.Errorf("%d of %d branches were met", met, all)
	}
	edges := map[string]bool{}
	for _, e := range p.Edges {
		edges[e.From+">"+e.To+"-"+e.Version] = true
	}
	for _, want := range []string{"edge>frontend-v1", "frontend>catalog-v1", "frontend>catalog-v2", "catalog>prices-v1", "catalog>stock-v1", "frontend>cart-v1", "cart>store-v1", "frontend>checkout-v1", "checkout>payments-v1", "checkout>payments-v2"} {
		if !edges[want] {
			t.Errorf("the graph has no edge %s: %v", want, edges)
		}
	}
	for _, s := range p.Samples {
		if s.Missing != "" {
			t.Errorf("sample %s: %s", s.Name, s.Missing)
		}
	}
}

// Each deviation of the mesh fails, and the first mismatch is of the first hop that it is about. Not told apart from a mesh that obeys:
// waits that are longer, on a machine that is late; a gateway that is bypassed and hosts outside that are let through, since requests
// enter without a gateway here and no service calls a host outside.
func TestEveryBreakOfTheEightServiceGraphIsFound(t *testing.T) {
	told := map[string]struct {
		requests       int
		from, to, kind string // of the first mismatch; none: the split of the calls to catalog shows it
	}{
		"no-retries":               {40, "frontend", "catalog", "not retried"},
		"one-retry-less":           {40, "frontend", "catalog", "not retried"},
		"retry-too-often":          {100, "frontend", "catalog", "too many tries"},
		"retry-not-5xx":            {40, "frontend", "catalog", "not retried"},
		"header-ignored":           {40, "checkout", "payments", "wrong destination"},
		"header-sometimes-ignored": {250, "checkout", "payments", "wrong destination"},
		"header-case-insensitive":  {40, "checkout", "payments", "wrong destination"},
		"stale-rules":              {400, "", "", ""},
		"split-70-30":              {400, "", "", ""},
	}
	untold := map[string]string{
		"slow-backoff":     "times are not judged here",
		"routes-dropped":   "it shows only while rules change",
		"limits-ignored":   "no connectionPool has limits",
		"never-ejected":    "nothing has outlierDetection",
		"keys-ignored":     "nothing has a consistentHash",
		"slow-backend":     "it contradicts no manifest",
		"gateway-bypassed": "requests enter without a gateway",
		"egress-open":      "no service calls a host outside",
	}
	for _, b := range mesh.Breaks() {
		want, ok := told[b.Name]
		if !ok {
			if untold[b.Name] == "" && !b.OnlyFiles && !b.OnlyPolicy {
				t.Errorf("it is not said whether %s can be found here", b.Name)
			}
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			r := shopRun(t, shopRules(), quick(0.3))
			r.phases[0].onlySo(10)
			if b.Name == "split-70-30" { // natural requests alone show it
				r.phases[1].unprobed()
			}
			r.phases[1].onlySo(want.requests)
			report := onMesh(t, r, b.Name)
			p := report.Phases[1]
			if report.Verdict != reports.Fail || p.Verdict != reports.Fail {
				t.Fatalf("%s, want fail: %s", report.Verdict, failures(report))
			}
			switch {
			case b.Name == "split-70-30":
				for _, c := range p.Calls {
					if c.Split != nil && (c.Split.Verdict == reports.Fail) != (c.To == "catalog") {
						t.Errorf("the split of the calls to %s: %s", c.To, c.Split.Verdict)
					}
				}
			case b.Name == "stale-rules": // any hop may be the first that obeys the rules before, by its own count of requests
				if len(p.Mismatches) == 0 {
					t.Error("no mismatch")
				}
			case p.Mismatches[0].From != want.from || p.Mismatches[0].To != want.to || p.Mismatches[0].Kind != want.kind || p.Mismatches[0].File != "rules.yaml" || p.Mismatches[0].Line == 0:
				t.Errorf("the first mismatch is %+v, want %+v", p.Mismatches[0], want)
			}
		})
	}
}

// Where one hop alone has a rule that is not obeyed, the first mismatch names it, wherever in the graph it is.
func TestAMismatchNamesTheHop(t *testing.T) {
	for _, c := range []struct{ from, to, rule string }{
		{"frontend", "catalog", route("catalog", 2, "route: [{destination: {host: catalog}}]")},
		{"frontend", "cart", route("cart", 2, "route: [{destination: {host: cart}}]")},
		{"catalog", "stock", route("stock", 2, "route: [{destination: {host: stock}}]")},
		{"cart", "store", route("store.data.svc.cluster.local", 1, "route: [{destination: {host: store.data.svc.cluster.local}}]")},
		{"checkout", "payments", route("payments", 3, "route: [{destination: {host: payments}}]")},
	} {
		t.Run(c.to, func(t *testing.T) {
			t.Parallel()
			r := shopRun(t, c.rule, quick(0.1))
			r.phases[0].onlySo(5)
			r.phases[1].onlySo(60)
			p := onMesh(t, r, "no-retries").Phases[1]
			if len(p.Mismatches) == 0 || p.Verdict != reports.Fail {
				t.Fatalf("%s with %d mismatches", p.Verdict, len(p.Mismatches))
			}
			for _, m := range p.Mismatches {
				if m.From != c.from || m.To != c.to || m.Kind != "not retried" || !strings.HasPrefix(m.Rule, "VirtualService "+c.to) || m.Request == "" {
					t.Errorf("%+v, want only calls from %s to %s that are not retried", m, c.from, c.to)
				}
			}
		})
	}
}
