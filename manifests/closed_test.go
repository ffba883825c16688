package manifests

import (
	"fmt"
	"testing"
)

// What has a host and opens other ports alone is named, with its ports; what opens the port, or nothing that the sidecar knows, is not.
func TestClosed(t *testing.T) {
	entry := func(name, ports string) string {
		return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name + "}\nspec:\n  hosts: [api.example.com]\n  ports: [" + ports + "]\n"
	}
	const http80, tls443, http81 = "{number: 80, name: http, protocol: HTTP}", "{number: 443, name: tls, protocol: TLS}", "{number: 81, name: other, protocol: HTTP}"
	only443 := rulesOf(t, entry("a", tls443+", "+http81))
	for name, c := range map[string]struct {
		rules  *Rules
		caller Caller
		host   string
		want   string
	}{
		"a ServiceEntry":                    {only443, Caller{}, "api.example.com", "ServiceEntry a api.example.com:80 [443 (TLS) 81 (HTTP)]"},
		"its open port":                     {only443, Caller{}, "api.example.com:81", ""},
		"another one opens it":              {rulesOf(t, entry("a", tls443), entry("b", http80)), Caller{}, "api.example.com", ""},
		"a Service":                         {only443, Caller{Namespace: Namespace}, "backend:81", "Service backend backend.default.svc.cluster.local:81 [80 (HTTP)]"},
		"its port":                          {only443, Caller{Namespace: Namespace}, "backend", ""},
		"a host that nobody has":            {only443, Caller{}, "b.example.com:81", ""},
		"hidden from the mesh":              {only443, Caller{}, "clock.outside.svc.cluster.local:81", ""},
		"not imported":                      {rulesOf(t, entry("a", tls443), sidecarOf("{egress: [{hosts: ['istio-system/*']}]}")), Caller{}, "api.example.com", ""},
		"a Service not imported":            {rulesOf(t, sidecarOf("{egress: [{hosts: ['istio-system/*']}]}")), Caller{}, "backend:81", ""},
		"a gateway, which looks at no port": {only443, Caller{Gateway: "default/g"}, "api.example.com", ""},
	} {
		got := ""
		if closed := c.rules.Closed(c.caller, &Request{Host: c.host}); closed != nil {
			got = fmt.Sprintf("%s %s:%d %v", closed.Object, closed.Host, closed.Port, closed.Ports)
			if closed.File == "" || closed.File == "test.yaml" && closed.Line != 6 {
				t.Errorf("%s: it stands at %s:%d, want line 6 of test.yaml", name, closed.File, closed.Line)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
