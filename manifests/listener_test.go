package manifests

import (
	"net/http"
	"strings"
	"testing"
)

// twoPorts is a Service backend with the ports 80 and 81.
const twoPorts = "apiVersion: v1\nkind: Service\nmetadata: {name: backend}\nspec: {selector: {app: backend}, ports: [{name: http, port: 80, targetPort: 3000}, {name: http-x, port: 81, targetPort: 3000}]}\n"

// backendOf is a VirtualService for host backend.
func backendOf(entries string) string {
	return renamed(strings.Replace(middlewareOf(entries), "hosts: [middleware]", "hosts: [backend]", 1), "backend")
}

// TestMatchOfListeners checks the rules of VirtualServices that ask for the port at which a request arrives, or for the caller's
// namespace: Istio's TranslateRoute and sourceMatchHTTP leave the others out of the routes of a proxy.
func TestMatchOfListeners(t *testing.T) {
	const first, second, byDefault = "VirtualService backend, http[0]", "VirtualService backend, http[1]", "no VirtualService for backend.default.svc.cluster.local, Istio's default"
	toBackend := "route: [{destination: {host: backend}}]"
	for name, c := range map[string]struct {
		entries, namespace, host, want string
	}{
		"its port":                    {"{match: [{port: 81}], " + toBackend + "}, {" + toBackend + "}", "default", "backend:81", first},
		"another port":                {"{match: [{port: 81}], " + toBackend + "}, {" + toBackend + "}", "default", "backend", second},
		"no rule for the port":        {"{match: [{port: 81}], " + toBackend + "}", "default", "backend", byDefault},
		"its namespace":               {"{match: [{sourceNamespace: other}], " + toBackend + "}, {" + toBackend + "}", "other", "backend.default", first},
		"another namespace":           {"{match: [{sourceNamespace: other}], " + toBackend + "}, {" + toBackend + "}", "default", "backend", second},
		"no rule for the namespace":   {"{match: [{sourceNamespace: other}], " + toBackend + "}", "default", "backend", byDefault},
		"gateways before a namespace": {"{match: [{sourceNamespace: other, gateways: [mesh]}], " + toBackend + "}, {" + toBackend + "}", "default", "backend", first},
		"one of two matches":          {"{match: [{port: 81}, {sourceNamespace: default}], " + toBackend + "}", "default", "backend", first},
	} {
		r := rulesOf(t, twoPorts, backendOf(c.entries))
		rule := r.Table(Caller{Namespace: c.namespace}).Route(&Request{Host: c.host, Method: http.MethodGet, Path: "/"})
		if rule.Name != c.want {
			t.Errorf("%s: a request meets %q, want %q", name, rule.Name, c.want)
		}
	}
}

func TestMatchOfGatewayPort(t *testing.T) {
	gateway := "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: door}\nspec: {servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
	toBackend := "route: [{destination: {host: backend}}]}"
	entries := "{match: [{port: 80}], " + toBackend + ", {match: [{port: 8080, sourceNamespace: default}], " + toBackend + ", {match: [{port: 8080, sourceNamespace: istio-system}], " + toBackend
	r := rulesOf(t, gateway, strings.Replace(middlewareOf(entries), "hosts: [middleware]", "hosts: ['*'], gateways: [door]", 1))
	rule := r.Table(Caller{Gateway: "default/door"}).Route(&Request{Host: "x", Path: "/"})
	if rule.Name != "VirtualService middleware, http[2]" {
		t.Errorf("a request meets %q", rule.Name)
	}
}

// What keeps a request from a rule for another port or namespace is told like its other conditions.
func TestMissOfListener(t *testing.T) {
	r := rulesOf(t, twoPorts, backendOf("{match: [{port: 81, sourceNamespace: other}], route: [{destination: {host: backend}}]}"))
	e := r.HTTPEntries()[0]
	miss := e.Miss(Caller{Namespace: "default"}, &Request{Host: "backend", Path: "/"})
	want := []Condition{{"port", "81", "81", "80", true}, {"caller's namespace", "other", "other", "default", true}}
	if miss == nil || miss.Kind != MissCondition || len(miss.Failing) != 2 || miss.Failing[0] != want[0] || miss.Failing[1] != want[1] {
		t.Errorf("%+v, want %+v", miss, want)
	}
	if miss := e.Miss(Caller{Namespace: "other"}, &Request{Host: "backend.default:81", Path: "/"}); miss != nil {
		t.Errorf("a request that meets it misses it: %+v", miss)
	}
}
