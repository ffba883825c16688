package findings

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// of are the findings of a phase, as text: "error HC101 f.yaml:7 VirtualService a: …".
func of(t *testing.T, p *scenarios.Phase) (all []string) {
	t.Helper()
	rules, err := manifests.Read(p.Objects)
	if err != nil {
		t.Fatal(err)
	}
	ways, err := oracle.NewWays(rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, cohort := range p.Cohorts {
		entry, host := cohort.Entry, cohort.Host
		if entry.Gateway != "" {
			for name := range rules.Gateways {
				entry.Gateway = name
				host, _ = rules.EntryHost(name, 0)
			}
		}
		if _, err := ways.Enter(entry, manifests.Request{Host: host, Path: "/", Header: cohort.Header}); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range Of(p, rules, ways) {
		if f.Phase != p.Name {
			t.Errorf("%s is of phase %q, want %q", f.ID, f.Phase, p.Name)
		}
		all = append(all, fmt.Sprintf("%s %s %s:%d %s: %s", f.Severity, f.ID, f.File, f.Line, f.Object, f.Text))
	}
	return all
}

// The tutorial's own files have nothing wrong with them, whichever share the canary gets.
func TestBundledFilesHaveNoFindings(t *testing.T) {
	for _, weight := range []string{"0", "20", "100"} {
		phases, err := scenarios.Phases(scenarios.Stages(), nil, map[string]string{"canary-weight": weight})
		if err != nil {
			t.Fatal(err)
		}
		for i := range phases {
			if found := of(t, &phases[i]); len(found) > 0 {
				t.Errorf("weight %s, phase %s: %q", weight, phases[i].Name, found)
			}
		}
	}
}

// The author accepts that the tutorial's retries multiply. What the user writes in place of one of them is the user's.
func TestAcceptedOfTheAuthorAlone(t *testing.T) {
	for name, c := range map[string]struct {
		objects string
		want    string
	}{
		"nothing":          {"", ""},
		"something else":   {virtualService("clock", "clock.outside.svc.cluster.local", "", "{route: [{destination: {host: clock.outside.svc.cluster.local}}], timeout: 2s}"), ""},
		"one of the rules": {virtualService("middleware", "middleware", "exportTo: ['.']", "{"+toProd+", retries: {attempts: 4, retryOn: 5xx}}"), "5 × 4 = 20 tries at backend"},
	} {
		overrides := map[string][]manifests.Object{}
		if c.objects != "" {
			own, err := manifests.Parse("f.yaml", []byte(c.objects))
			if err != nil {
				t.Fatal(err)
			}
			if overrides, err = scenarios.OverlayFrom("retry", nil, own); err != nil {
				t.Fatal(err)
			}
		}
		stages, err := scenarios.Choose([]string{"retry"})
		if err != nil {
			t.Fatal(err)
		}
		phases, err := scenarios.Phases(stages, overrides, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(of(t, &phases[1]), "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
	}
}

// virtualService is the YAML of a VirtualService whose spec begins in line 5 with its hosts and its http entries in line 6.
func virtualService(name, hosts, more string, entries ...string) string {
	return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec:\n  hosts: [" + hosts + "]\n  " + more + "\n  http:\n    - " +
		strings.Join(entries, "\n    - ") + "\n"
}

const (
	gateway = "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: shop}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
	toProd  = "route: [{destination: {host: middleware, subset: prod}}]"
	toAll   = "route: [{destination: {host: middleware}}]"
	dead    = " The rule has no effect on any request of the run."
	// named are the calls of the chain.
	named = "the calls are for backend.default.svc.cluster.local, clock.outside.svc.cluster.local and middleware.default.svc.cluster.local"
)

// Each finding says what is wrong, where, what it does to the calls, and what may have been meant.
func TestFindings(t *testing.T) {
	user := []scenarios.Cohort{{Name: "with", Header: http.Header{"X-Dev-User": {"Jason"}}}, {Name: "without"}}
	middleware := func(entries ...string) string {
		return virtualService("middleware", "middleware", "gateways: [mesh]", entries...)
	}
	for name, c := range map[string]struct {
		stage   string // the stage over which the objects are laid
		objects string
		enters  string // "gateway", or empty for straight at frontend
		cohorts []scenarios.Cohort
		unmet   string
		want    []string
	}{
		"a host that does not exist": {stage: "prod", objects: middleware("route: [{destination: {host: middleware, subset: prod}, weight: 75}, {destination: {host: midleware}, weight: 25}]"),
			want: []string{`error HC101 f.yaml:8 VirtualService middleware: Host "midleware" does not exist (did you mean "middleware"?): no Service and no ServiceEntry has it; there are backend, clock.outside.svc.cluster.local, frontend and middleware. The proxy answers 503 to 25 % of frontend's calls to middleware that meet the rule.`}},
		"with weight 0 nothing is lost": {stage: "prod", objects: middleware("route: [{destination: {host: middleware, subset: prod}, weight: 100}, {destination: {host: midleware}, weight: 0}]")},
		"half of them are aborted": {stage: "prod", objects: middleware("{route: [{destination: {host: x.example.com}}], fault: {abort: {httpStatus: 403, percentage: {value: 50}}}}"),
			want: []string{`error HC101 f.yaml:8 VirtualService middleware: Host "x.example.com" does not exist: no Service and no ServiceEntry has it; there are backend, clock.outside.svc.cluster.local, frontend and middleware. The proxy answers 503 to 50 % of frontend's calls to middleware that meet the rule.`}},
		"no import": {stage: "prod", objects: middleware("{match: [{sourceNamespace: shop}, {uri: {prefix: /}}], route: [{destination: {host: backend}}]}") +
			"---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default}\nspec: {egress: [{hosts: [./middleware.default.svc.cluster.local]}]}\n",
			want: []string{`error HC101 f.yaml:8 VirtualService middleware: No Sidecar imports host backend for callers of the rule, and Istio takes the rule for one of other namespaces: one of its matches asks for a sourceNamespace. The proxy answers 503 to all of frontend's calls to middleware that meet the rule.`}},
		"a port": {stage: "prod", objects: middleware("\n      route:\n      - destination:\n          host: middleware\n          subset: prod\n          port: {number: 8080}"),
			want: []string{`error HC102 f.yaml:13 VirtualService middleware: Host middleware has no port 8080 for HTTP: it has 80. The proxy answers 503 to all of frontend's calls to middleware that meet the rule.`}},
		"a port of TLS": {stage: "prod", objects: middleware("route: [{destination: {host: clock.outside.svc.cluster.local, port: {number: 443}}}]"),
			want: []string{`error HC109 f.yaml:8 VirtualService middleware: All of the requests of frontend for middleware are sent without TLS to port 443 of clock.outside.svc.cluster.local, at which TLS is spoken. Most servers of TLS answer 400 to that, and others break the connection, so that the proxy answers 503. Have the proxy open TLS by a DestinationRule for clock.outside.svc.cluster.local with trafficPolicy.portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE}}].`}},
		"a destination without a port, whose host has another one than that of the request": {stage: "prod", objects: middleware("route: [{destination: {host: api.example.com}}]") +
			"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: api}\nspec: {hosts: [api.example.com], ports: [{number: 8000, name: http, protocol: HTTP}], resolution: DNS, location: MESH_EXTERNAL}\n",
			want: []string{`error HC102 f.yaml:8 VirtualService middleware: Host api.example.com has no port 80 for HTTP, which is the port of the request, and the destination names none: it has 8000. The proxy answers 503 to all of frontend's calls to middleware that meet the rule.`}},
		"a subset": {stage: "prod", objects: middleware("route: [{destination: {host: middleware, subset: prd}}]"),
			want: []string{`error HC103 f.yaml:8 VirtualService middleware: No DestinationRule defines the subset "prd" (did you mean "prod"?): for host middleware there are canary and prod. The proxy answers 503 to all of frontend's calls to middleware that meet the rule.`}},
		"a subset without any DestinationRule": {stage: "egress", objects: middleware(toProd),
			want: []string{`error HC103 f.yaml:8 VirtualService middleware: No DestinationRule defines the subset "prod": no DestinationRule for host middleware defines a subset. The proxy answers 503 to all of frontend's calls to middleware that meet the rule.`}},
		"a subset of a DestinationRule that is not merged": {stage: "egress", objects: middleware(toProd) + "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: middleware, subsets: [{name: prod, labels: {version: prod}}]}\n" +
			"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: b}\nspec: {host: middleware, exportTo: ['*'], trafficPolicy: {loadBalancer: {simple: RANDOM}}}\n",
			want: []string{`error HC103 f.yaml:8 VirtualService middleware: No DestinationRule that holds for these calls defines the subset "prod": DestinationRule a (f.yaml:10) defines it, and Istio obeys DestinationRule b (f.yaml:15) in its place: it does not merge DestinationRules whose exportTo differs. The proxy answers 503 to all of frontend's calls to middleware that meet the rule.`}},
		"a subset without pods": {stage: "prod", objects: middleware(toProd) + "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: middleware}\nspec: {host: middleware, subsets: [{name: prod, labels: {version: production}}]}\n",
			want: []string{`error HC105 f.yaml:8 VirtualService middleware: No pod belongs to host middleware, subset prod: no Deployment with replicas has the labels. The proxy answers 503 to all of frontend's calls to middleware that meet the rule.`}},
		"a gateway": {stage: "retry", enters: "gateway", objects: virtualService("frontend", "'*'", "gateways: [shopp]", "route: [{destination: {host: frontend}}]") + gateway,
			want: []string{`error HC104 f.yaml:6 VirtualService frontend: Gateway "shopp" does not exist (did you mean "shop"?): there is shop. No proxy has the rule, not even the sidecars, since mesh is not among its gateways. Every request for host * at gateway default/shop is answered 404.`}},
		"a delegate that conflicts": {stage: "prod", objects: middleware("{match: [{uri: {regex: /}}], delegate: {name: all}}", toProd) +
			"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: all}\nspec:\n  http:\n    - match: [{uri: {prefix: /}}]\n      " + toProd + "\n",
			want: []string{`error HC121 f.yaml:16 VirtualService all: No proxy obeys the rule: the rule delegates from VirtualService middleware, http[0] (f.yaml:8), and its match[0] does not go together with the conditions there: uri has a regex beside another condition, which Istio takes for a conflict. Istio drops it and says so in its log alone: requests meet what is left, as if the rule were not there.`}},
		"a gateway beside mesh": {stage: "prod", objects: virtualService("middleware", "middleware", "gateways: [mesh, x]", toProd),
			want: []string{`error HC104 f.yaml:6 VirtualService middleware: Gateway "x" does not exist: there is none. Only the sidecars have the rule.`}},
		"a gateway of a match": {stage: "egress", objects: virtualService("middleware", "middleware", "gateways: [mesh, shop]", "{match: [{gateways: [shop/x]}], "+toAll+"}", toAll) + gateway,
			want: []string{`error HC104 f.yaml:8 VirtualService middleware: Gateway "shop/x" does not exist (did you mean "shop"?): there is shop. No proxy has the rule, not even the sidecars, since mesh is not among its gateways.`}},
		"a host that nobody calls": {stage: "prod", objects: virtualService("orders", "orders.shop.svc.cluster.local, o.example.com", "", "route: [{destination: {host: orders.shop.svc.cluster.local, subset: v1}}]", "route: [{destination: {host: middleware}}]"),
			want: []string{"error HC111 f.yaml:1 VirtualService orders: No request meets VirtualService orders: it is for the hosts orders.shop.svc.cluster.local and o.example.com, and no call is for that; " + named + "." + dead}},
		"a host of another namespace": {stage: "prod", objects: virtualService("backend", "backend.prod.svc.cluster.local", "", "route: [{destination: {host: backend}}]"),
			want: []string{"error HC111 f.yaml:1 VirtualService backend: No request meets VirtualService backend: it is for host backend.prod.svc.cluster.local, and no call is for that; " + named + ` (did you mean "backend.default.svc.cluster.local"?).` + dead}},
		"a misspelt host": {stage: "prod", objects: virtualService("x", "clok.outside.svc.cluster.local", "", "route: [{destination: {host: backend}}]"),
			want: []string{"error HC111 f.yaml:1 VirtualService x: No request meets VirtualService x: it is for host clok.outside.svc.cluster.local, and no call is for that; " + named + ` (did you mean "clock.outside.svc.cluster.local"?).` + dead}},
		"by intention": {stage: "prod", unmet: "VirtualService orders", objects: virtualService("orders", "orders.shop.svc.cluster.local", "", "route: [{destination: {host: middleware}}]")},
		"at a gateway alone": {stage: "prod", objects: virtualService("backend", "backend", "gateways: [shop]", "route: [{destination: {host: backend}}]") + gateway,
			want: []string{`error HC112 f.yaml:1 VirtualService backend: No request meets VirtualService backend: it is for gateway shop alone, and the calls for its host are sent by sidecars; add mesh to spec.gateways if they are to obey it.` + dead}},
		"in the mesh alone": {stage: "ingress", enters: "gateway", objects: virtualService("shop", "hellochaos.example.com", "", "route: [{destination: {host: frontend}}]") + "---\n" +
			"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: frontend}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com']}]}\n",
			want: []string{`error HC112 f.yaml:1 VirtualService shop: No request meets VirtualService shop: it is for the sidecars alone, and the requests for its host enter by gateway default/frontend; name that in spec.gateways if it is to obey the rule.` + dead}},
		"past every proxy": {stage: "prod", objects: virtualService("frontend", "frontend", "", "route: [{destination: {host: frontend}}]"),
			want: []string{`error HC112 f.yaml:1 VirtualService frontend: No request meets VirtualService frontend: the requests for frontend enter from outside the mesh, straight to its pods, so that no proxy is on their way that could obey the rule.` + dead}},
		"hidden by exportTo": {stage: "prod", objects: strings.Replace(virtualService("backend", "backend.default.svc.cluster.local", "exportTo: ['.']", "route: [{destination: {host: backend.default.svc.cluster.local}}]"), "{name: backend}", "{name: backend, namespace: shop}", 1),
			want: []string{`error HC112 f.yaml:1 VirtualService backend: No request meets VirtualService backend: the proxies that send the calls do not know it, since its exportTo ["."] hides it from the proxies of namespace default.` + dead}},
		"not imported": {stage: "prod", objects: strings.Replace(virtualService("backend", "backend.default.svc.cluster.local", "", "route: [{destination: {host: backend.default.svc.cluster.local}}]"), "{name: backend}", "{name: backend, namespace: shop}", 1),
			want: []string{`error HC112 f.yaml:1 VirtualService backend: No request meets VirtualService backend: the proxies that send the calls do not know it, since Sidecar default (application.yaml:217) does not import it.` + dead}},
		"a rule behind one without a match": {stage: "prod", objects: middleware(toProd, "{match: [{headers: {x-dev-user: {exact: jason}}}], "+toAll+"}"),
			want: []string{`error HC113 f.yaml:9 VirtualService middleware: No request meets VirtualService middleware, http[1]: VirtualService middleware, http[0] (f.yaml:8) comes before it and takes every request, since it has no condition. The rule has no effect on any request.`}},
		"a rule behind a wider one": {stage: "prod", cohorts: user, objects: middleware("{match: [{headers: {x-dev-user: {prefix: J}}}], "+toAll+"}", "{match: [{headers: {x-dev-user: {exact: Jason}}}], "+toAll+"}", toProd),
			want: []string{`error HC113 f.yaml:9 VirtualService middleware: No request meets VirtualService middleware, http[1]: VirtualService middleware, http[0] (f.yaml:8) comes before it and takes each of the run's requests that could meet this one.` + dead}},
		"a header in another case": {stage: "prod", cohorts: user, objects: middleware("{match: [{headers: {x-dev-user: {exact: jason}}}], "+toAll+"}", toProd),
			want: []string{`error HC114 f.yaml:8 VirtualService middleware: No request meets VirtualService middleware, http[0]: it asks for header x-dev-user exact "jason", and the calls for its host have "Jason" and none (values are compared with regard to case).` + dead}},
		"a header that is misspelt": {stage: "prod", cohorts: user, objects: middleware("{match: [{headers: {x-dev-user: {exact: Jsaon}}}], "+toAll+"}", toProd),
			want: []string{`error HC114 f.yaml:8 VirtualService middleware: No request meets VirtualService middleware, http[0]: it asks for header x-dev-user exact "Jsaon", and the calls for its host have "Jason" and none (did you mean "Jason"?).` + dead}},
		"a header that services do not forward": {stage: "prod", cohorts: []scenarios.Cohort{{Header: http.Header{"End-User": {"jason"}}}}, objects: middleware("{match: [{headers: {end-user: {}}}], "+toAll+"}", toProd),
			want: []string{`error HC114 f.yaml:8 VirtualService middleware: No request meets VirtualService middleware, http[0]: it asks for header end-user to be present, and the calls for its host have none.` + dead}},
		"a header that is always there": {stage: "prod", cohorts: user[:1], objects: middleware("{match: [{withoutHeaders: {x-dev-user: {}}}], "+toAll+"}", toProd),
			want: []string{`error HC114 f.yaml:8 VirtualService middleware: No request meets VirtualService middleware, http[0]: it asks for header x-dev-user to be absent, and the calls for its host have "Jason".` + dead}},
		"a path": {stage: "prod", objects: middleware("{match: [{uri: {prefix: /api}}], "+toAll+"}", toProd),
			want: []string{`error HC114 f.yaml:8 VirtualService middleware: No request meets VirtualService middleware, http[0]: it asks for path prefix "/api", and the calls for its host have "/".` + dead}},
		"a method": {stage: "prod", objects: middleware("{match: [{method: {exact: POST}}], "+toAll+"}", toProd),
			want: []string{`error HC114 f.yaml:8 VirtualService middleware: No request meets VirtualService middleware, http[0]: it asks for method exact "POST", and the calls for its host have "GET".` + dead}},
		"a query": {stage: "prod", objects: middleware("{match: [{queryParams: {a: {regex: b.*}}}], "+toAll+"}", toProd),
			want: []string{`error HC114 f.yaml:8 VirtualService middleware: No request meets VirtualService middleware, http[0]: it asks for query parameter a regex "b.*", and the calls for its host have none.` + dead}},
		"behind an answer of a proxy": {stage: "prod", objects: middleware("directResponse: {status: 403}") + "---\n" + virtualService("backend", "backend", "", "route: [{destination: {host: backend}}]"),
			want: []string{`error HC115 f.yaml:10 VirtualService backend: No request meets VirtualService backend: the calls for its host are made by middleware, which no request reaches.` + dead}},
		"behind a route to nobody": {stage: "prod", objects: middleware("route: [{destination: {host: middleware, port: {number: 1}}}]") + "---\n" + virtualService("backend", "backend", "", "route: [{destination: {host: backend}}]"),
			want: []string{`error HC102 f.yaml:8 VirtualService middleware: Host middleware has no port 1 for HTTP: it has 80. The proxy answers 503 to all of frontend's calls to middleware that meet the rule.`}},
		"retries that cover no 500": {stage: "prod", objects: middleware("{" + toProd + ", retries: {attempts: 2, retryOn: 'gateway-error,reset'}}"),
			want: []string{`warning HC201 f.yaml:8 VirtualService middleware: RetryOn "gateway-error,reset" covers no 500. A call that is answered 500 is not sent again: it has 1 try, and not up to 3; add 5xx or 500 to retryOn if it is to be sent again.`}},
		"retries without retryOn": {stage: "prod", objects: middleware("{" + toProd + ", retries: {attempts: 2}}"),
			want: []string{`warning HC201 f.yaml:8 VirtualService middleware: The retries have no retryOn, and Istio's default (connect-failure, refused-stream, unavailable, cancelled, retriable-status-codes) covers no 500. A call that is answered 500 is not sent again: it has 1 try, and not up to 3; add 5xx or 500 to retryOn if it is to be sent again.`}},
		"retries of tries alone that nobody received": {stage: "prod", objects: middleware("{" + toProd + ", retries: {attempts: 2, retryOn: 'connect-failure,refused-stream'}}")},
		"a DestinationRule for nobody, without subsets": {stage: "prod", objects: "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: m}\nspec:\n  host: midleware\n  trafficPolicy: {loadBalancer: {simple: RANDOM}}\n",
			want: []string{`error HC118 f.yaml:5 DestinationRule m: Host "midleware" is not in the mesh's registry (did you mean "middleware"?): no Service and no ServiceEntry that the mesh knows has it; there are backend, clock.outside.svc.cluster.local, frontend and middleware. It holds for 0 calls.`}},
		"a DestinationRule where nobody looks, with subsets": {stage: "prod", objects: "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: m, namespace: shop}\nspec:\n  host: frontend.default.svc.cluster.local\n  subsets: [{name: a, labels: {version: a}}, {name: b, labels: {version: b}}]\n",
			want: []string{`error HC119 f.yaml:1 DestinationRule m: No proxy knows DestinationRule m: it is in namespace shop, and for the calls to frontend.default.svc.cluster.local Istio looks in default and istio-system, the namespaces of its callers and of its Service or ServiceEntry, and the root namespace. It holds for 0 calls, and it defines its subsets a and b for nobody: a proxy answers 503 to all calls that a route sends to a subset that it does not know. Move it to namespace default.`}},
		"two VirtualServices at a gateway, one of which has the nearer host": {stage: "retry", enters: "gateway", objects: virtualService("near", "'*.example.com'", "gateways: [shop]", "route: [{destination: {host: frontend}}]") + "---\n" +
			virtualService("wide", "'*.com'", "gateways: [shop]", "route: [{destination: {host: frontend}}]") + strings.Replace(gateway, "'*'", "'*.com'", 1), unmet: "VirtualService wide"},
		"two VirtualServices at a gateway for all hosts": {stage: "retry", enters: "gateway", objects: virtualService("one", "'*.example.com'", "gateways: [shop]", "route: [{destination: {host: frontend}}]") + "---\n" +
			virtualService("two", "'*.example.com'", "gateways: [shop]", "route: [{destination: {host: frontend}}]") + gateway,
			want: []string{`error HC113 f.yaml:17 VirtualService two: No request meets VirtualService two, http[0]: VirtualService one, http[0] (f.yaml:8) takes each of the run's requests that could meet this one. The rule has no effect on any request of the run.`,
				`warning HC214 f.yaml:17 VirtualService two: VirtualService two, http[0] and VirtualService one, http[0] (f.yaml:8) are both for requests such as GET / at gateway shop, and Istio takes the rule of the VirtualService that was created first. In the order of their names, as where both are created in the same second, all of them meet VirtualService one, http[0], and 0 % meet VirtualService two, http[0]; in the other order it is the other way round. Put the rules into one VirtualService, where their order is written.`}},
		"a timeout below the back-offs": {stage: "prod", objects: middleware("{" + toProd + ", timeout: 60ms, retries: {attempts: 3, retryOn: 5xx}}"),
			want: []string{`warning HC203 f.yaml:8 VirtualService middleware: The timeout of VirtualService middleware, http[0], 60ms, is too short for its 3 retries: where each try fails at once, retry 1 is the last that is sure to be sent, since with the longest back-offs retry 2 would begin after 75ms. The timeout must be above 175ms for all of them to be sent.`}},
		"a timeout for no retry": {stage: "prod", objects: middleware("{" + toProd + ", timeout: 100ms, retries: {attempts: 1, perTryTimeout: 80ms, retryOn: '500'}}"),
			want: []string{`warning HC203 f.yaml:8 VirtualService middleware: The timeout of VirtualService middleware, http[0], 100ms, is too short for its 1 retry: where each try fails just before its perTryTimeout of 80ms is over, no retry is sure to be sent, since with the longest back-offs retry 1 would begin after 105ms. The timeout must be above 105ms for all of them to be sent.`}},
		"a timeout that ends the only retry": {stage: "prod", objects: middleware("{" + toProd + ", timeout: 700ms, retries: {attempts: 1, perTryTimeout: 400ms, retryOn: 5xx}}"),
			want: []string{`warning HC203 f.yaml:8 VirtualService middleware: The timeout of VirtualService middleware, http[0], 700ms, is too short for its 1 retry: where the first try takes all of its perTryTimeout of 400ms, the second one can never be whole. Try 2 of such a call is ended after at most 300ms of its 400ms. The timeout must be 825ms for both of them.`}},
		"a timeout that is long enough": {stage: "prod", objects: middleware("{" + toProd + ", timeout: 7s, retries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx}}")},
		"an abort of all calls": {stage: "prod", objects: middleware("{" + toProd + ", fault: {abort: {httpStatus: 503, percentage: {value: 100}}}, retries: {attempts: 1, retryOn: 5xx}}"),
			want: []string{`warning HC205 f.yaml:8 VirtualService middleware: The abort of VirtualService middleware, http[0] is not retried: the proxy answers 503 to 100 % of the calls itself, before the first try, so that such a call has 0 tries and not up to 2, whatever retryOn has. No call is sent at all, so that the retries have no effect. To see retries, let the service itself fail, or abort a call that it makes.`}},
		"a POST that is asked for": {stage: "prod", objects: middleware("{match: [{method: {exact: POST}}], "+toProd+", retries: {attempts: 1, retryOn: 5xx}}", toProd), unmet: "VirtualService middleware",
			want: []string{`warning HC206 f.yaml:8 VirtualService middleware: VirtualService middleware, http[0] sends a POST up to 2 times (retryOn "5xx"): the proxy does not look at the method, and a service that fails after it has done its work does it up to 2 times. Give POST a rule of its own before this one, with retries: {attempts: 0}, or with retryOn: connect-failure, which covers only tries that no service received.`}},
		"a POST that is sent again only where nobody received it": {stage: "prod", objects: middleware("{match: [{method: {exact: POST}}], "+toProd+", retries: {attempts: 1, retryOn: connect-failure}}", toProd), unmet: "VirtualService middleware"},
		"no retries":                {stage: "prod", objects: middleware("{" + toProd + ", retries: {attempts: 0}}")},
		"retries of a host outside": {stage: "prod", objects: virtualService("clock", "clock.outside.svc.cluster.local", "", "{route: [{destination: {host: clock.outside.svc.cluster.local}}], retries: {attempts: 2, retryOn: reset}}")},
	} {
		t.Run(name, func(t *testing.T) {
			base, err := scenarios.Through(c.stage, nil)
			if err != nil {
				t.Fatal(err)
			}
			own, err := manifests.Parse("f.yaml", []byte(c.objects))
			if err != nil {
				t.Fatal(err)
			}
			p := &scenarios.Phase{Name: c.stage, Objects: manifests.Overlay(base, own), Cohorts: c.cohorts, Unmet: []scenarios.Unmet{{Rule: c.unmet}},
				Accepted: []scenarios.Accepted{{Finding: Multiplied, Rule: "VirtualService backend"}}}
			if c.stage == "retry" || c.stage == "ingress" {
				p.Unmet = append(p.Unmet, scenarios.Unmet{Rule: "VirtualService frontend"})
			}
			if len(p.Cohorts) == 0 {
				p.Cohorts = []scenarios.Cohort{{}}
			}
			for i := range p.Cohorts {
				p.Cohorts[i].Entry = manifests.Entry{Service: "frontend"}
				if c.enters == "gateway" {
					p.Cohorts[i].Entry = manifests.Entry{Gateway: scenarios.OnlyGateway}
				}
			}
			if got, want := strings.Join(of(t, p), "\n"), strings.Join(c.want, "\n"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// A DestinationRule in a namespace whose pods may call its host holds for them, although the requests are those of callers elsewhere.
func TestCallersElsewhere(t *testing.T) {
	rule := destinationRule("more", "shop", "two.default.svc.cluster.local", "c=a")
	for name, c := range map[string]struct {
		objects string
		want    bool
	}{
		"nobody there":  {rule, true},
		"a caller":      {rule + strings.Replace(stand("frontend", "v1", "[]"), "metadata: {name: frontend-v1}", "metadata: {name: frontend-v1, namespace: shop}", 1), false},
		"another app's": {rule + strings.Replace(stand("three", "v1", "[]"), "metadata: {name: three-v1}", "metadata: {name: three-v1, namespace: shop}", 1), true},
	} {
		objects := laid(t, c.objects)
		rules, err := manifests.Read(objects)
		if err != nil {
			t.Fatal(err)
		}
		ways, err := oracle.NewWays(rules)
		if err != nil {
			t.Fatal(err)
		}
		phase := &scenarios.Phase{Name: "p", Objects: objects, Cohorts: []scenarios.Cohort{{Entry: manifests.Entry{Caller: "default/frontend"}, Host: "two"}}}
		if _, err := ways.Enter(phase.Cohorts[0].Entry, manifests.Request{Host: "two", Path: "/"}); err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(Of(phase, rules, ways), func(f reports.Finding) bool { return f.ID == OutOfSight })
		if found != c.want {
			t.Errorf("%s: out of sight: %v, want %v", name, found, c.want)
		}
	}
}

func TestSeverity(t *testing.T) {
	f := &finder{phase: &scenarios.Phase{Name: "p"}}
	f.add(NoHost, &manifests.HTTPEntry{}, 1, "a")
	f.add(NotRetried, &manifests.HTTPEntry{}, 1, "b")
	f.add(NoHost, &manifests.HTTPEntry{}, 1, "a")
	if len(f.found) != 2 || f.found[0].Severity != reports.SeverityError || f.found[1].Severity != reports.SeverityWarning {
		t.Errorf("%+v, want an error and a warning, each once", f.found)
	}
}

func TestList(t *testing.T) {
	for want, names := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"},
		"1, 2, 3, 4, 5, 6, 7, 8 and 9": strings.Split("123456789", ""), "1, 2, 3, 4, 5, 6, 7, 8 and 2 more": strings.Split("1234567890", "")} {
		if got := list(names); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
