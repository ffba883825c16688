package manifests

import (
	"strings"
	"testing"
)

// A rule that no http entry wrote says why it is met, with the object that decides.
func TestWhy(t *testing.T) {
	entry := func(ports string) string {
		return specOf("ServiceEntry", "{hosts: [clock.outside.svc.cluster.local], location: MESH_EXTERNAL, resolution: DNS, ports: ["+ports+"]}") + "---\n"
	}
	const clock, block = "clock.outside.svc.cluster.local", "; Sidecar default (application.yaml:217) blocks hosts outside the registry (REGISTRY_ONLY)"
	gateway := "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n---\n"
	atGateway := func(host, entry string) string {
		return gateway + "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {hosts: [" + host + "], gateways: [g], http: [" + entry + "]}\n"
	}
	for name, c := range map[string]struct {
		yaml, host string
		caller     Caller
		why        string
		file       string
	}{
		"blocked":           {"", clock, Caller{}, "no ServiceEntry has the host, and its Service is hidden from the mesh" + block, "application.yaml"},
		"nobody's":          {"", "a.example.com", Caller{}, "no Service and no ServiceEntry has the host" + block, "application.yaml"},
		"another port":      {"", "backend:81", Caller{}, "the Service has no port 81" + block, "application.yaml"},
		"by another port":   {entry("{number: 443, name: tls, protocol: TLS}"), clock, Caller{}, "ServiceEntry m (test.yaml:1) has the host at port 443 (TLS) alone, and the calls are for port 80 with HTTP" + block, "application.yaml"},
		"by its protocol":   {entry("{number: 80, name: tls, protocol: HTTPS}, {number: 8080, name: http, protocol: http}"), clock, Caller{}, "ServiceEntry m (test.yaml:1) has the host at port 80 (HTTPS), 8080 (HTTP) alone, and the calls are for port 80 with HTTP" + block, "application.yaml"},
		"not imported":      {strings.Replace(entry("{number: 80, name: http, protocol: HTTP}"), "{name: m}", "{name: m, namespace: shop}", 1), clock, Caller{}, "ServiceEntry m (test.yaml:1) has the host, but the Sidecar does not import it" + block, "application.yaml"},
		"known":             {entry("{number: 80, name: http, protocol: HTTP}"), clock, Caller{}, "ServiceEntry m (test.yaml:1) has the host", ""},
		"a Service":         {"", "backend", Caller{}, "", ""},
		"open":              {"apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default}\nspec:\n  outboundTrafficPolicy: {mode: ALLOW_ANY}\n", clock, Caller{}, "no ServiceEntry has the host, and its Service is hidden from the mesh; Sidecar default (test.yaml:5) lets hosts outside the registry through (ALLOW_ANY)", "test.yaml"},
		"without a Sidecar": {"", "a.example.com", Caller{Namespace: "shop"}, "no Service and no ServiceEntry has the host; no Sidecar says otherwise: Istio by itself lets hosts outside the registry through (ALLOW_ANY)", ""},
		"no gateway":        {"", "x", Caller{Gateway: "default/g"}, "there is no Gateway default/g", ""},
		"nothing is bound":  {gateway, "x", Caller{Gateway: "default/g"}, "no VirtualService has a rule at Gateway default/g", ""},
		"other hosts":       {atGateway("a.b, c.d", "{"+toM+"}"), "x", Caller{Gateway: "default/g"}, "Gateway default/g has rules for the hosts a.b, c.d alone", ""},
		"other conditions":  {atGateway("a.b", "{match: [{uri: {exact: /x}}], "+toM+"}"), "a.b", Caller{Gateway: "default/g"}, "the conditions of none of the rules for host a.b hold at Gateway default/g", ""},
		"in the mesh":       {middlewareOf("{match: [{uri: {exact: /x}}], " + toProd + "}"), "middleware", Caller{}, "the conditions of none of the rules for host middleware.default.svc.cluster.local hold", ""},
	} {
		var documents []string
		if c.yaml != "" {
			documents = append(documents, c.yaml)
		}
		rule := rulesOf(t, documents...).Table(c.caller).Route(&Request{Host: c.host, Path: "/"})
		if rule.Why != c.why || rule.File != c.file || (rule.Line > 0) != (c.file != "") {
			t.Errorf("%s: %q at %s:%d, want %q at %s", name, rule.Why, rule.File, rule.Line, c.why, c.file)
		}
	}
}

// The same host has one rule at all callers of a namespace, and a copy of the rules that lets hosts through does not share it.
func TestOutsideIsKept(t *testing.T) {
	r := rulesOf(t)
	q := &Request{Host: "a.example.com", Path: "/"}
	first := r.Table(Caller{}).Route(q)
	if again := r.Table(Caller{}).Route(q); again != first {
		t.Error("a second table has another rule for the same host")
	}
	if open := r.AllowingAny().Table(Caller{}).Route(q); open.Direct != nil {
		t.Errorf("a copy that allows any answers %v", open.Direct)
	}
}

// The share of a delay is that of percentage, or that of the old field percent, which Istio still executes.
func TestShareOfADelay(t *testing.T) {
	for fields, want := range map[string]float64{"": 0, "percent: 40": 0.4, "percentage: {value: 12.5}": 0.125, "percent: 40, percentage: {value: 10}": 0.1, "percent: 40, percentage: {}": 0} {
		r := rulesOf(t, subsets(t), middlewareOf("{fault: {delay: {fixedDelay: 1s, "+fields+"}}, "+toProd+"}"))
		if got := r.Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"}).Fault.DelayShare; got != want {
			t.Errorf("%q: share %v, want %v", fields, got, want)
		}
	}
}
