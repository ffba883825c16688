package manifests

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// rulesOf is the rules of the bundled application with the documents laid over it.
func rulesOf(t testing.TB, documents ...string) *Rules {
	t.Helper()
	r, err := Read(Overlay(Application(), parse(t, documents...)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// subsets is the DestinationRule of stage prod.
func subsets(t testing.TB) string {
	t.Helper()
	text, err := BundledYAML("prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rule, _, _ := strings.Cut(string(text), "---")
	return rule
}

// middlewareOf is a VirtualService for host middleware with http entries in flow style.
func middlewareOf(entries string) string {
	return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: middleware}\nspec: {hosts: [middleware], http: [" + entries + "]}\n"
}

const (
	toProd   = "route: [{destination: {host: middleware, subset: prod}}]"
	toCanary = "route: [{destination: {host: middleware, subset: canary}}]"
)

// TestMatch checks requests against one match list that leads to the canary; all other requests go to prod.
func TestMatch(t *testing.T) {
	type request struct {
		method, path, host string
		header             http.Header
	}
	get := func(path string) request { return request{path: path} }
	with := func(value ...string) request { return request{header: http.Header{"X-A": value}} }
	for _, c := range []struct {
		match   string
		yes, no []request
	}{
		{"{headers: {X-a: {exact: ab}}}", []request{with("ab")}, []request{with("Ab"), with("abc"), with(""), {}, with("ab", "ab")}},
		{"{headers: {x-a: {exact: 'a,b'}}}", []request{with("a", "b"), with("a,b")}, []request{with("a"), with("b", "a")}},
		{"{headers: {x-a: {exact: ''}}}", []request{with("")}, []request{with("a"), {}}},
		{"{headers: {x-a: {prefix: ab}}}", []request{with("ab"), with("abc")}, []request{with("a"), with("Ab"), with("xab"), {}}},
		{"{headers: {x-a: {regex: a.c}}}", []request{with("abc")}, []request{with("abcd"), with("xabc"), with("ABC"), {}}},
		{"{headers: {x-a: {regex: a|bc}}}", []request{with("a"), with("bc")}, []request{with("ab"), with("abc"), with("ac")}},
		{"{headers: {x-a: {}}}", []request{with("a"), with("")}, []request{{}}},
		{"{withoutHeaders: {x-a: {}}}", []request{{}}, []request{with("a"), with("")}},
		{"{withoutHeaders: {x-a: {regex: '*'}}}", []request{{}}, []request{with("a"), with("")}},
		{"{withoutHeaders: {x-a: {exact: b}}}", []request{{}, with("a"), with("")}, []request{with("b")}},
		{"{withoutHeaders: {x-a: {exact: ''}}}", []request{with("a")}, []request{with(""), {}}},
		{"{uri: {prefix: /foo}}", []request{get("/foo"), get("/foobar"), get("/foo/x"), get("/foo?x=1"), get("/a/../foo"), get("/foo#x")},
			[]request{get("/FOO"), get("/fo"), get("/a/foo"), get("/?/foo")}},
		{"{uri: {exact: /foo}}", []request{get("/foo"), get("/foo?x=1"), get("/./foo"), get(`/a\..\foo`), get("/%2e/foo")},
			[]request{get("/foo/"), get("/FOO"), get("/foobar"), get("//foo")}},
		{"{uri: {exact: /foo}, ignoreUriCase: true}", []request{get("/FOO"), get("/Foo?x")}, []request{get("/foobar")}},
		{"{uri: {prefix: /foo}, ignoreUriCase: true}", []request{get("/FOObar")}, []request{get("/fO")}},
		{"{uri: {regex: /f.o}, ignoreUriCase: true}", []request{get("/foo"), get("/fxo?y")}, []request{get("/foo/"), get("/FOO"), get("/a/foo")}},
		{"{method: {exact: POST}}", []request{{method: "POST"}}, []request{{method: "GET"}, {method: "PUT"}}},
		{"{authority: {prefix: middleware.}}", []request{{host: "middleware.default:80"}}, []request{{host: "middleware"}}},
		{"{queryParams: {a: {exact: b}}}", []request{get("/?a=b"), get("/?x&a=b&a=c")}, []request{get("/?a=c&a=b"), get("/?a"), get("/?A=b"), get("/"), get("/#?a=b")}},
		{"{queryParams: {a: {exact: ''}}}", []request{get("/?a"), get("/?a=&b")}, []request{get("/?a=b"), get("/")}},
		{"{queryParams: {a: {}}}", []request{get("/?a"), get("/?b&a=c")}, []request{get("/?b")}},
		{"{headers: {x-a: {exact: a}}, uri: {prefix: /foo}}", []request{{path: "/foo", header: http.Header{"X-A": {"a"}}}}, []request{with("a"), get("/foo")}},
		{"{headers: {x-a: {exact: a}}}, {uri: {prefix: /foo}}", []request{with("a"), get("/foo")}, []request{{}}},
		{"{}", []request{{}, with("a")}, nil},
		{"{gateways: [g], uri: {prefix: /}}", nil, []request{{}}},
		{"{gateways: [mesh]}", []request{{}}, nil},
	} {
		r := rulesOf(t, subsets(t), middlewareOf("{match: ["+c.match+"], "+toCanary+"}, {"+toProd+"}"))
		table := r.Table(Caller{Namespace: Namespace})
		check := func(q request, want string) {
			t.Helper()
			full := &Request{Host: or(q.host, "middleware"), Method: or(q.method, "GET"), Path: NormalPath(or(q.path, "/")), Header: q.header}
			if got := outcome(r, table.Route(full)); got != want {
				t.Errorf("match [%s], %+v: %s, want %s", c.match, q, got, want)
			}
		}
		for _, q := range c.yes {
			check(q, "middleware-canary")
		}
		for _, q := range c.no {
			check(q, "middleware-prod")
		}
	}
}

func or(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

func TestOrderOfRules(t *testing.T) {
	header := "{match: [{headers: {x-a: {}}}], " + toCanary + "}"
	for _, c := range []struct{ name, entries, want string }{
		{"the first match wins", header + ", {" + toProd + "}", "middleware-canary"},
		{"a catch-all takes all", "{" + toProd + "}, " + header, "middleware-prod"},
		{"uri prefix / is a catch-all", "{match: [{uri: {prefix: /}}], " + toProd + "}, " + header, "middleware-prod"},
		{"no rule", "{match: [{headers: {x-b: {}}}], " + toProd + "}", "404 route_not_found"},
	} {
		r := rulesOf(t, subsets(t), middlewareOf(c.entries))
		q := &Request{Host: "middleware", Path: "/", Header: http.Header{"X-A": {"1"}}}
		if got := outcome(r, r.Table(Caller{}).Route(q)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestRuleNames(t *testing.T) {
	r := rulesOf(t, subsets(t), middlewareOf("{match: [{headers: {x-a: {}}}], "+toCanary+"}, {"+toProd+"}"))
	table := r.Table(Caller{})
	for host, want := range map[string]string{
		"middleware": "VirtualService middleware, http[1]",
		"backend":    "no VirtualService for backend.default.svc.cluster.local, Istio's default",
		"elsewhere":  "outside the registry (REGISTRY_ONLY)",
	} {
		if got := table.Route(&Request{Host: host, Path: "/"}).Name; got != want {
			t.Errorf("host %s: rule %q, want %q", host, got, want)
		}
	}
}

// TestHosts checks by which names a sidecar knows a service.
func TestHosts(t *testing.T) {
	const known, blocked, none = "backend-prod", "502 direct_response", "reset"
	for host, want := range map[string]string{
		"backend": known, "backend:80": known, "BackEnd": known, "backend.default": known, "backend.default.svc": known,
		"backend.default.svc.cluster.local": known, "backend.default.svc.cluster.local.": known,
		"backend.default.svc.cluster.local.:80": known,
		"backend:81":                            none, "10.0.0.1:3000": none, "[::1]:3000": none, "backend.other:443": none,
		"backend.other": blocked, "end": blocked, "": blocked, "[::1]:80": blocked, "10.0.0.1": blocked,
		"backend.default.svc.cluster": blocked,
	} {
		r := rulesOf(t)
		if got := outcome(r, r.Table(Caller{Namespace: Namespace}).Route(&Request{Host: host, Path: "/"})); got != want {
			t.Errorf("host %q: %s, want %s", host, got, want)
		}
	}
}

func TestHostsFromAnotherNamespace(t *testing.T) {
	r := rulesOf(t)
	table := r.Table(Caller{Namespace: "other"}) // has no Sidecar: everything, ALLOW_ANY
	for host, want := range map[string]string{
		"backend.default": "backend-prod",
		"backend":         "backend:80",
		"clock.outside":   "clock.outside.svc.cluster.local:80",
	} {
		if got := outcome(r, table.Route(&Request{Host: host, Path: "/"})); got != want {
			t.Errorf("host %q: %s, want %s", host, got, want)
		}
	}
}

func sidecarOf(spec string) string {
	return "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default}\nspec: " + spec + "\n"
}

func TestSidecar(t *testing.T) {
	const blocked, open = "502 direct_response", "backend.default.svc.cluster.local:80"
	for _, c := range []struct{ spec, want string }{
		{"{egress: [{hosts: ['istio-system/*']}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}", blocked},
		{"{egress: [{hosts: ['./*']}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}", "backend-prod"},
		{"{egress: [{hosts: ['*/*']}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}", "backend-prod"},
		{"{egress: [{hosts: ['~/*']}], outboundTrafficPolicy: {}}", "reset"},
		{"{egress: [{hosts: ['default/backend.default.svc.cluster.local']}], outboundTrafficPolicy: {}}", "backend-prod"},
		{"{egress: [{hosts: ['default/*.default.svc.cluster.local']}], outboundTrafficPolicy: {}}", "backend-prod"},
		{"{egress: [{hosts: ['default/middleware.default.svc.cluster.local']}], outboundTrafficPolicy: {}}", blocked},
		{"{outboundTrafficPolicy: {mode: REGISTRY_ONLY}}", "backend-prod"},
		{"{egress: [{hosts: ['istio-system/*']}]}", open},
		{"{egress: [{hosts: ['istio-system/*']}], outboundTrafficPolicy: {mode: ALLOW_ANY}}", open},
	} {
		r := rulesOf(t, sidecarOf(c.spec))
		if got := outcome(r, r.Table(Caller{Namespace: Namespace}).Route(&Request{Host: "backend", Path: "/"})); got != c.want {
			t.Errorf("Sidecar %s: %s, want %s", c.spec, got, c.want)
		}
	}
}

func TestSidecarOfTheRootNamespace(t *testing.T) {
	root := strings.Replace(sidecarOf("{egress: [{hosts: ['*/*']}], outboundTrafficPolicy: {}}"), "{name: default}", "{name: default, namespace: istio-system}", 1)
	r := rulesOf(t, root)
	if got := outcome(r, r.Table(Caller{Namespace: "other"}).Route(&Request{Host: "nowhere", Path: "/"})); got != "502 direct_response" {
		t.Errorf("a namespace without a Sidecar: %s, want the root namespace's 502", got)
	}
}

func TestPassThrough(t *testing.T) {
	r := rulesOf(t, sidecarOf("{outboundTrafficPolicy: {mode: ALLOW_ANY}}"))
	table := r.Table(Caller{Namespace: Namespace})
	for host, want := range map[string]string{
		"Example.com": "example.com:80", "example.com:8080": "example.com:8080", "[::1]:81": "[::1]:81",
		"clock.outside": "clock.outside.svc.cluster.local:80", "backend:81": "backend.default.svc.cluster.local:81",
	} {
		rule := table.Route(&Request{Host: host, Path: "/"})
		if got := outcome(r, rule); got != want {
			t.Errorf("host %q: %s, want %s", host, got, want)
		}
		if rule.Retry.Attempts != 0 || rule.Retry.Covers(Failure{ConnectFailure: true}) || rule.Timeout != 0 {
			t.Errorf("host %q: %+v, want no retries and no timeout", host, rule)
		}
		if again := table.Route(&Request{Host: host, Path: "/"}); r.Endpoints(&again.Split[0]) != r.Endpoints(&rule.Split[0]) {
			t.Errorf("host %q: another Endpoints for the second request", host)
		}
	}
}

func TestDestinations(t *testing.T) {
	for _, c := range []struct{ name, route, want string }{
		{"undefined subset", "{destination: {host: middleware, subset: beta}}", "unknown"},
		{"unknown host", "{destination: {host: nobody}}", "unknown"},
		{"hidden host", "{destination: {host: clock.outside.svc.cluster.local}}", "unknown"},
		{"dotted host is not completed", "{destination: {host: backend.default}}", "unknown"},
		{"full host", "{destination: {host: backend.default.svc.cluster.local}}", "backend-prod"},
		{"undefined port", "{destination: {host: backend, port: {number: 81}}}", "unknown"},
		{"its port", "{destination: {host: backend, port: {number: 80}}}", "backend-prod"},
		{"subset without pods", "{destination: {host: backend, subset: beta}}", "none"},
		{"both", "{destination: {host: middleware, subset: prod}, weight: 1}, {destination: {host: backend}, weight: 1}", "middleware-prod backend-prod"},
	} {
		beta := specOf("DestinationRule", "{host: backend, subsets: [{name: beta, labels: {version: beta}}]}")
		r := rulesOf(t, subsets(t), beta, middlewareOf("{route: ["+c.route+"]}"))
		if got := outcome(r, r.Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"})); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPortOfServiceWithSeveral(t *testing.T) {
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: backend}\nspec: {selector: {app: backend}, ports: [{name: http, port: 80, targetPort: 3000}, {name: http-x, port: 81, targetPort: 3000}]}\n"
	r := rulesOf(t, service, middlewareOf("{route: [{destination: {host: backend}}]}"))
	table := r.Table(Caller{})
	if got := table.Route(&Request{Host: "middleware", Path: "/"}).Split[0].Port; got != 80 {
		t.Errorf("port %d, want the request's, 80", got)
	}
	if got := table.Route(&Request{Host: "backend:81", Path: "/"}).Split[0].Port; got != 81 {
		t.Errorf("port %d, want 81", got)
	}
}

func TestBalancer(t *testing.T) {
	for simple, want := range map[string]string{
		"": "LEAST_REQUEST", "LEAST_REQUEST": "LEAST_REQUEST", "LEAST_CONN": "LEAST_REQUEST", "UNSPECIFIED": "LEAST_REQUEST",
		"RANDOM": "RANDOM", "ROUND_ROBIN": "ROUND_ROBIN",
	} {
		policy := "{loadBalancer: {}}"
		if simple != "" {
			policy = "{loadBalancer: {simple: " + simple + "}}"
		}
		r := rulesOf(t, specOf("DestinationRule", "{host: backend, trafficPolicy: "+policy+"}"))
		rule := r.Table(Caller{}).Route(&Request{Host: "backend", Path: "/"})
		if got := r.Endpoints(rule.Pick(0)).Balancer; got != want {
			t.Errorf("simple %q: %s, want %s", simple, got, want)
		}
	}
}

func TestDestinationRulesOfOneHostJoin(t *testing.T) {
	second := strings.Replace(specOf("DestinationRule", "{host: middleware, exportTo: [.], subsets: [{name: all}, {name: prod, labels: {version: none}}]}"), "{name: m}", "{name: second}", 1)
	r := rulesOf(t, subsets(t), second)
	for subset, want := range map[string]int{"prod": 1, "canary": 1, "all": 2} {
		d := &Destination{Host: "middleware.default.svc.cluster.local", Subset: subset, Port: 80}
		if got := len(r.Endpoints(d).Workloads); got != want {
			t.Errorf("subset %s has %d workloads, want %d", subset, got, want)
		}
	}
}

// DestinationRules of one host in two namespaces do not join: those of the caller's namespace hold, those of the root namespace last.
func TestNearestDestinationRulesHold(t *testing.T) {
	in := func(namespace string) string {
		return strings.Replace(specOf("DestinationRule", "{host: backend.default.svc.cluster.local, subsets: [{name: "+namespace+"}]}"), "{name: m}", "{name: m, namespace: "+namespace+"}", 1)
	}
	own, root := in(Namespace), in(rootNamespace)
	for _, c := range []struct {
		name  string
		rules []string
		holds string
	}{
		{"its own and the root", []string{own, root}, Namespace},
		{"the root and its own", []string{root, own}, Namespace},
		{"the root", []string{root}, rootNamespace},
	} {
		r := rulesOf(t, c.rules...)
		for _, subset := range []string{Namespace, rootNamespace} {
			d := &Destination{Host: "backend.default.svc.cluster.local", Subset: subset, Port: 80}
			if got := r.Endpoints(d).Known; got != (subset == c.holds) {
				t.Errorf("%s: subset of the rule in %s: known %v, want %v", c.name, subset, got, subset == c.holds)
			}
		}
	}
}

// Of two DestinationRules of one host, the first one with a trafficPolicy has the balancer, even if that is the default.
func TestFirstPolicyHasTheBalancer(t *testing.T) {
	random := strings.Replace(specOf("DestinationRule", "{host: backend, trafficPolicy: {loadBalancer: {simple: RANDOM}}}"), "{name: m}", "{name: second}", 1)
	for first, want := range map[string]string{
		"{host: backend, trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}}": "LEAST_REQUEST",
		"{host: backend, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}":             "LEAST_REQUEST",
		"{host: backend, subsets: [{name: a}]}":                                   "RANDOM",
	} {
		r := rulesOf(t, specOf("DestinationRule", first), random)
		rule := r.Table(Caller{}).Route(&Request{Host: "backend", Path: "/"})
		if got := r.Endpoints(rule.Pick(0)).Balancer; got != want {
			t.Errorf("first %s: %s, want %s", first, got, want)
		}
	}
}

func TestDestinationRuleElsewhereDoesNotHold(t *testing.T) {
	elsewhere := strings.Replace(specOf("DestinationRule", "{host: backend.default.svc.cluster.local, subsets: [{name: a}]}"), "{name: m}", "{name: m, namespace: other}", 1)
	r := rulesOf(t, elsewhere)
	if r.Endpoints(&Destination{Host: "backend.default.svc.cluster.local", Subset: "a", Port: 80}).Known {
		t.Error("a DestinationRule of a third namespace defines a subset")
	}
}

// Istio obeys the DestinationRules of the first namespace that has any for the host, whatever their order in the files is.
func TestDestinationRuleOfTheRootNamespace(t *testing.T) {
	root := strings.Replace(specOf("DestinationRule", "{host: middleware.default.svc.cluster.local, subsets: [{name: root}]}"), "{name: m}", "{name: m, namespace: istio-system}", 1)
	for name, c := range map[string]struct {
		documents  []string
		root, prod bool
	}{"alone": {[]string{root}, true, false}, "before": {[]string{root, subsets(t)}, false, true}, "behind": {[]string{subsets(t), root}, false, true}} {
		r := rulesOf(t, c.documents...)
		for subset, want := range map[string]bool{"root": c.root, "prod": c.prod} {
			if got := r.Endpoints(&Destination{Host: "middleware.default.svc.cluster.local", Subset: subset, Port: 80}).Known; got != want {
				t.Errorf("%s: subset %s is known: %v, want %v", name, subset, got, want)
			}
		}
	}
}

// A name with a dot is not completed: the rules for "backend.default" hold for requests that name the host so, and for no others.
func TestHalfOfAFullName(t *testing.T) {
	half := "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: half}\nspec: {hosts: [backend.default], http: [{directResponse: {status: 418}}]}\n"
	r := rulesOf(t, half)
	for host, want := range map[string]string{"backend": "backend-prod", "backend.default.svc": "backend-prod", "backend.default.svc.cluster.local": "backend-prod", "backend.default": "418 direct_response"} {
		if got := outcome(r, r.Table(Caller{}).Route(&Request{Host: host, Path: "/"})); got != want {
			t.Errorf("host %s: %s, want %s", host, got, want)
		}
	}
}

func TestSelectorsStayInTheirNamespace(t *testing.T) {
	stranger := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: m, namespace: other}\nspec: {selector: {matchLabels: {app: backend}}, template: {metadata: {labels: {app: backend}}, spec: {containers: [{name: a, image: b, env: [{name: SERVICE_NAME, value: m-a}, {name: UPSTREAM_URI, value: 'http://b/'}]}]}}}\n"
	r := rulesOf(t, stranger)
	if got := outcome(r, r.Table(Caller{}).Route(&Request{Host: "backend", Path: "/"})); got != "backend-prod" {
		t.Errorf("backend has the pods %s, want backend-prod alone", got)
	}
}

func TestPick(t *testing.T) {
	for _, c := range []struct {
		weights []string
		shares  []float64
		draws   map[float64]int // draw -> arm
	}{
		{[]string{"80", "20"}, []float64{.8, .2}, map[float64]int{0: 0, .79: 0, .8: 1, .999: 1}},
		{[]string{"3", "1"}, []float64{.75, .25}, map[float64]int{.7499: 0, .75: 1}},
		{[]string{"0", "100"}, []float64{0, 1}, map[float64]int{0: 1, .999: 1}},
		{[]string{"100", "0"}, []float64{1, 0}, map[float64]int{0: 0, .9999999999: 0}},
		{[]string{"20"}, []float64{1}, map[float64]int{0: 0, .999: 0}},
		{[]string{"1", "1", "1"}, []float64{1. / 3, 1. / 3, 1. / 3}, map[float64]int{.3: 0, .34: 1, .67: 2, 1 - 1e-16: 2}},
	} {
		var route []string
		for _, w := range c.weights {
			route = append(route, "{destination: {host: backend}, weight: "+w+"}")
		}
		r := rulesOf(t, middlewareOf("{route: ["+strings.Join(route, ",")+"]}"))
		rule := r.Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"})
		for i, want := range c.shares {
			if got := rule.Split[i].Share; got != want {
				t.Errorf("weights %v: share %d is %v, want %v", c.weights, i, got, want)
			}
		}
		for draw, arm := range c.draws {
			if got := rule.Pick(draw); got != &rule.Split[arm] {
				t.Errorf("weights %v: draw %v falls on %+v, want arm %d", c.weights, draw, got, arm)
			}
		}
	}
	if got := noRoute("").Pick(.5); got != nil {
		t.Errorf("a direct answer has the destination %+v, want none", got)
	}
}

func TestActions(t *testing.T) {
	r := rulesOf(t, middlewareOf(`{match: [{uri: {exact: /redirect}}], redirect: {uri: /x, authority: z}},
		{match: [{uri: {exact: /see}}], redirect: {uri: /x, redirectCode: 303}},
		{match: [{uri: {exact: /direct}}], directResponse: {status: 418, body: {string: tea}}},
		{timeout: 500ms, retries: {attempts: 3, perTryTimeout: 300ms, retryOn: 5xx}, fault: {delay: {fixedDelay: 400ms, percentage: {value: 25}}, abort: {httpStatus: 503, percentage: {value: 0.1}}}, route: [{destination: {host: backend}}]}`))
	table := r.Table(Caller{})
	at := func(path string) *Rule { return table.Route(&Request{Host: "middleware", Path: path}) }
	if got := at("/redirect").Redirect; *got != (Redirect{Status: 301, URI: "/x", Authority: "z"}) {
		t.Errorf("redirect %+v, want 301 to z/x", got)
	}
	if got := at("/see").Redirect; *got != (Redirect{Status: 303, URI: "/x"}) {
		t.Errorf("redirect %+v, want 303 to /x", got)
	}
	if got := at("/direct").Direct; *got != (Direct{Status: 418, Body: "tea", Flags: "-", Detail: "direct_response"}) {
		t.Errorf("direct answer %+v, want 418 tea", got)
	}
	rule := at("/")
	if rule.Timeout != 500*time.Millisecond || rule.Retry.PerTry != 300*time.Millisecond {
		t.Errorf("timeout %v, per try %v, want 500ms and 300ms", rule.Timeout, rule.Retry.PerTry)
	}
	if want := (Fault{Delay: 400 * time.Millisecond, DelayShare: .25, AbortStatus: 503, AbortShare: .001}); *rule.Fault != want {
		t.Errorf("fault %+v, want %+v", rule.Fault, want)
	}
}

func TestFaultWithoutPercentageNeverStrikes(t *testing.T) {
	r := rulesOf(t, middlewareOf("{fault: {abort: {httpStatus: 503}}, route: [{destination: {host: backend}}]}"))
	if got := r.Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"}).Fault.AbortShare; got != 0 {
		t.Errorf("an abort without percentage strikes with share %v, want 0", got)
	}
}

// renamed is a document of middlewareOf under another name.
func renamed(document, name string) string {
	return strings.Replace(document, "{name: middleware}", "{name: "+name+"}", 1)
}

func TestWildcardVirtualServices(t *testing.T) {
	wild := func(name, host, to string) string {
		return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec: {hosts: ['" + host + "'], http: [{" + to + "}]}\n"
	}
	r := rulesOf(t, subsets(t),
		wild("a", "*.cluster.local", "directResponse: {status: 201}"),
		wild("b", "*.default.svc.cluster.local", "directResponse: {status: 202}"),
		wild("c", "middleware", "directResponse: {status: 203}"),
		wild("d", "*.example.com", "directResponse: {status: 204}"),
		wild("e", "only.example.com", "directResponse: {status: 205}"))
	table := r.Table(Caller{})
	for host, want := range map[string]string{
		"backend": "202", "middleware": "203", "x.example.com": "204", "only.example.com": "205",
		"example.com": "502", "x.example.com:81": "reset", "x.cluster.local": "502",
	} {
		if got, _, _ := strings.Cut(outcome(r, table.Route(&Request{Host: host, Path: "/"})), " "); got != want {
			t.Errorf("host %s: %s, want %s", host, got, want)
		}
	}
}

func TestGateway(t *testing.T) {
	gateway := "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com', 'plain.org', 'default/own.net', 'other/foreign.net']}]}\n"
	bound := func(name, hosts, entries string) string {
		return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec: {hosts: " + hosts + ", gateways: [g], http: [" + entries + "]}\n"
	}
	r := rulesOf(t, gateway,
		bound("first", "[a.example.com]", "{directResponse: {status: 201}}"),
		bound("second", "[a.example.com]", "{match: [{headers: {x-a: {}}}], directResponse: {status: 202}}, {match: [{uri: {prefix: /}}], directResponse: {status: 203}}, {match: [{headers: {x-b: {}}}], directResponse: {status: 205}}"),
		bound("third", "['*']", "{directResponse: {status: 204}}"),
		virtualServiceYAML("meshonly", "b.example.com"))
	table := r.Table(Caller{Gateway: "default/g"})
	for _, c := range []struct {
		host   string
		header http.Header
		want   string
	}{
		{"a.example.com", nil, "201"},
		{"A.example.com:8080", nil, "201"},
		{"a.example.com", http.Header{"X-A": {"1"}}, "202"}, // appended, and the catch-alls moved behind it
		{"a.example.com", http.Header{"X-B": {"1"}}, "201"}, // behind its own VirtualService's catch-all: dropped
		{"b.example.com", nil, "204"},
		{"plain.org", nil, "204"},
		{"own.net", nil, "204"},
		{"foreign.net", nil, "404"},
		{"example.com", nil, "404"},
		{"elsewhere", nil, "404"},
		{"", nil, "404"},
	} {
		rule := table.Route(&Request{Host: c.host, Path: "/", Header: c.header})
		if got, _, _ := strings.Cut(outcome(r, rule), " "); got != c.want {
			t.Errorf("host %q, header %v: %s, want %s", c.host, c.header, got, c.want)
		}
	}
	if flags := table.Route(&Request{Host: "elsewhere", Path: "/"}).Direct.Flags; flags != "NR" {
		t.Errorf("an unknown host has the flags %q, want NR", flags)
	}
	if g := r.Gateways["default/g"]; !slices.Equal(g.Ports(), []int{80}) || !slices.Equal(g.Hosts(), []string{"*.example.com", "plain.org", "default/own.net", "other/foreign.net"}) {
		t.Errorf("gateway %+v, want port 80 and its four hosts", g)
	}
}

func TestLongestWildcardAtAGateway(t *testing.T) {
	bound := func(name, host, status string) string {
		return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec: {hosts: ['" + host + "'], gateways: [g], http: [{directResponse: {status: " + status + "}}]}\n"
	}
	gateway := "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
	r := rulesOf(t, gateway, bound("a", "*", "201"), bound("b", "*.b.c", "202"), bound("c", "*.a.b.c", "203"))
	table := r.Table(Caller{Gateway: "default/g"})
	for host, want := range map[string]int{"x": 201, "b.c": 201, "x.b.c": 202, "x.a.b.c": 203} {
		if got := table.Route(&Request{Host: host, Path: "/"}).Direct.Status; got != want {
			t.Errorf("host %s: %d, want %d", host, got, want)
		}
	}
}

func TestServiceEntry(t *testing.T) {
	entry := specOf("ServiceEntry", "{hosts: [api.example.com], resolution: DNS, ports: [{number: 8080, name: http, protocol: HTTP}, {number: 443, name: https, protocol: HTTPS}]}")
	r := rulesOf(t, entry, specOf("DestinationRule", "{host: api.example.com, subsets: [{name: a, labels: {b: c}}]}"),
		middlewareOf("{match: [{uri: {exact: /subset}}], route: [{destination: {host: api.example.com, port: {number: 8080}, subset: a}}]}, "+
			"{match: [{uri: {exact: /port}}], route: [{destination: {host: api.example.com, port: {number: 8080}}}]}, {route: [{destination: {host: api.example.com}}]}"))
	table := r.Table(Caller{Namespace: Namespace})
	for _, c := range []struct{ host, path, want string }{
		{"api.example.com:8080", "/", "api.example.com:8080"},
		{"api.example.com", "/", "502 direct_response"},
		{"api.example.com:443", "/", "reset"}, // passed through by its server name, no HTTP in the clear
		{"middleware", "/port", "api.example.com:8080"},
		{"middleware", "/", "unknown"},       // a sidecar takes the port of the request, even if the host has a single one
		{"middleware", "/subset", "unknown"}, // a host that DNS resolves has no labels
	} {
		if got := outcome(r, table.Route(&Request{Host: c.host, Path: c.path})); got != c.want {
			t.Errorf("host %s, path %s: %s, want %s", c.host, c.path, got, c.want)
		}
	}
}

func TestEntryHost(t *testing.T) {
	gateway := "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [%]}]}\n"
	rule := "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {hosts: [%], gateways: [g], http: [{" + toM + "}]}\n"
	for _, c := range []struct {
		gateway, rule, want string
		served              bool
	}{
		{"'*'", "'*'", "", true},
		{"'*'", "a.b", "a.b", true},
		{"a.b", "'*'", "a.b", true},
		{"'*.a.b'", "'*'", "hellochaos.a.b", true},
		{"'*.a.b'", "'*.c.a.b'", "hellochaos.c.a.b", true},
		{"a.b", "c.d", "a.b", false},
		{"'*'", "", "", false},
		{"'*.a.b'", "", "hellochaos.a.b", false},
	} {
		documents := []string{strings.Replace(gateway, "%", c.gateway, 1)}
		if c.rule != "" {
			documents = append(documents, strings.Replace(rule, "%", c.rule, 1))
		}
		r := rulesOf(t, documents...)
		got, ok := r.EntryHost("default/g", 0)
		if got != c.want || !ok {
			t.Errorf("gateway %s, rule %s: %q %v, want %q", c.gateway, c.rule, got, ok, c.want)
		}
		if rule := r.Table(Caller{Gateway: "default/g"}).Route(&Request{Host: or(got, "any:1"), Path: "/"}); (rule.Direct == nil) != c.served {
			t.Errorf("gateway %s, rule %s: host %q meets %s", c.gateway, c.rule, got, rule.Name)
		}
	}
	if _, ok := rulesOf(t).EntryHost("default/g", 0); ok {
		t.Error("a gateway that does not exist has an entry host")
	}
}

func TestReadRefusesTwoOfAName(t *testing.T) {
	objects := parse(t, virtualServiceYAML("a", "x"))
	_, err := Read(append(objects, objects...))
	if want := "test.yaml:1: VirtualService a: has the kind and name of another object: write an object once"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func BenchmarkRoute(b *testing.B) {
	r := through(b, "canary")
	for _, c := range []struct {
		name   string
		caller Caller
		q      Request
	}{
		{"canary", Caller{Namespace: Namespace}, Request{Host: "middleware", Method: "GET", Path: "/", Header: http.Header{"X-Dev-User": {"super-secret"}}}},
		{"prod", Caller{Namespace: Namespace}, Request{Host: "middleware", Method: "GET", Path: "/", Header: http.Header{}}},
		{"gateway", Caller{Gateway: "default/frontend"}, Request{Host: "127.0.0.1:41234", Method: "GET", Path: "/", Header: http.Header{}}},
		{"blocked", Caller{Namespace: Namespace}, Request{Host: "elsewhere.example.com", Method: "GET", Path: "/", Header: http.Header{}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			table := r.Table(c.caller)
			b.ReportAllocs()
			for b.Loop() {
				if rule := table.Route(&c.q); rule.Direct == nil {
					r.Endpoints(rule.Pick(.5))
				}
			}
		})
	}
}

// TestPortsOfHTTP sends requests to an unknown host at a port that only one Service has. The sidecar answers there only when the
// Service declares the port as HTTP and the sidecar knows the Service.
func TestPortsOfHTTP(t *testing.T) {
	for _, c := range []struct{ port, annotations, want string }{
		{"{name: http, port: 90, targetPort: 3000}", "{}", "502 direct_response"},
		{"{name: http-web, port: 90, targetPort: 3000}", "{}", "502 direct_response"},
		{"{appProtocol: http, port: 90, targetPort: 3000}", "{}", "502 direct_response"},
		{"{port: 90, targetPort: 3000}", "{}", "reset"}, // Istio guesses the protocol from the traffic, at this Service's address only
		{"{name: http, port: 90, targetPort: 3000}", "{networking.istio.io/exportTo: '~'}", "reset"},
	} {
		r := rulesOf(t, "apiVersion: v1\nkind: Service\nmetadata: {name: more, annotations: "+c.annotations+"}\nspec: {selector: {app: backend}, ports: ["+c.port+"]}\n")
		if got := outcome(r, r.Table(Caller{Namespace: Namespace}).Route(&Request{Host: "nowhere.example:90", Path: "/"})); got != c.want {
			t.Errorf("port %s, annotations %s: %s, want %s", c.port, c.annotations, got, c.want)
		}
	}
}
