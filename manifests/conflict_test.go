package manifests

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestConflicts checks the line, the object and the field of each refusal of Read. Each case is laid over the application.
func TestConflicts(t *testing.T) {
	const uninjected = "apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {istio-injection: disabled}}\n---\n"
	within := func(yaml string) string { return strings.Replace(yaml, "{name: m}", "{name: m, namespace: other}", 1) }
	gateway := func(name string) string {
		return "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " + name +
			"}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
	}
	service := func(port string) string {
		return "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  selector: {app: m}\n  ports:\n    - {name: http, " + port + "}\n"
	}
	addressed := func(name string) string {
		return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name + "}\nspec: {hosts: [" + name + ".example], addresses: [240.0.0.1], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}\n---\n"
	}
	addressedIn := func(name, namespace string) string {
		return strings.NewReplacer("{name: "+name+"}", "{name: "+name+", namespace: "+namespace+"}", "spec: {", "spec: {exportTo: [.], ").Replace(addressed(name))
	}
	for _, c := range []struct {
		name, yaml    string
		line          int
		object, field string
		text          string // empty: nothing is refused
	}{
		{"another target port", service("port: 80, targetPort: 8080") + "---\n" + deploymentWith("", "", ""), 7, "Service m", "spec.ports[0].targetPort",
			"must be 3000, the port at which the pods of Deployment m listen (their variable PORT), not 8080"},
		{"no target port", service("port: 80") + "---\n" + deploymentWith("", "", ""), 7, "Service m", "spec.ports[0].targetPort", "(their variable PORT), not 80"},
		{"another PORT", service("port: 80, targetPort: 3000") + "---\n" + env("PORT", "8080"), 7, "Service m", "spec.ports[0].targetPort", "must be 8080, the port at which the pods of Deployment m listen"},
		{"the right PORT", service("port: 80, targetPort: 8080") + "---\n" + env("PORT", "8080"), 0, "", "", ""},
		{"no target port, but the same", service("port: 3000") + "---\n" + deploymentWith("", "", ""), 0, "", "", ""},
		{"pods of another namespace", service("port: 80") + "---\n" + within(deploymentWith("", "", "")), 0, "", "", ""},
		{"two gateways", gateway("a") + "---\n" + gateway("b"), 0, "", "", ""},
		{"two owners", middlewareOf("{"+toM+"}") + "---\n" + renamed(middlewareOf("{"+toM+"}"), "second"), 9, "VirtualService second", "spec.hosts[0]",
			"VirtualService middleware (f.yaml:1) has rules for middleware.default.svc.cluster.local already"},
		{"two owners by two names", middlewareOf("{"+toM+"}") + "---\n" + strings.Replace(renamed(middlewareOf("{"+toM+"}"), "second"), "[middleware]", "[middleware.default.svc.cluster.local]", 1),
			9, "VirtualService second", "spec.hosts[0]", "VirtualService middleware (f.yaml:1)"},
		{"a VirtualService for another name of a Service with an HTTPRoute", strings.Replace(middlewareOf("{"+toM+"}"), "[middleware]", "[middleware.default]", 1) + "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n" +
			"metadata: {name: r}\nspec: {parentRefs: [{group: '', kind: Service, name: middleware}]}\n", 9, "HTTPRoute r", "spec.parentRefs[0]", "has rules for middleware.default already"},
		{"one of them at the gateway", middlewareOf("{"+toM+"}") + "---\n" + strings.Replace(renamed(middlewareOf("{"+toM+"}"), "second"), "http:", "gateways: [g], http:", 1), 0, "", "", ""},
		{"a caller without a sidecar", uninjected + within(deploymentWith("", "", "")), 18, "Deployment m", "spec.template.spec.containers[0].env", "has UPSTREAM_URI, but namespace other is labelled istio-injection: disabled"},
		{"a caller by CALLS without a sidecar", uninjected + within(calling(`[[{"url": "http://b/"}]]`)), 18, "Deployment m", "spec.template.spec.containers[0].env", "has CALLS, but namespace other is labelled istio-injection: disabled"},
		{"no call without a sidecar", uninjected + within(calling("[]")), 0, "", "", ""},
		{"a callee without a sidecar", uninjected + within(serviceWith("")), 7, "Service m", "metadata.annotations", `must have networking.istio.io/exportTo: "~", since namespace other is labelled istio-injection: disabled`},
		{"mutual TLS with the outside", specOf("ServiceEntry", "{hosts: [a.b], resolution: DNS, location: MESH_EXTERNAL, ports: [{number: 80, name: http, protocol: HTTP}]}") + "---\n" +
			specOf("DestinationRule", "{host: a.b, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}"), 9, "DestinationRule m", "spec.trafficPolicy.tls.mode",
			"must not be ISTIO_MUTUAL for host a.b, which ServiceEntry m (f.yaml:1) says is outside the mesh"},
		{"mutual TLS with a port outside", specOf("ServiceEntry", "{hosts: [a.b], resolution: DNS, location: MESH_EXTERNAL, ports: [{number: 80, name: http, protocol: HTTP}]}") + "---\n" +
			specOf("DestinationRule", "{host: a.b, trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: ISTIO_MUTUAL}}]}}"), 9, "DestinationRule m",
			"spec.trafficPolicy.portLevelSettings[0].tls.mode", "must not be ISTIO_MUTUAL for host a.b"},
		{"no TLS with the outside", specOf("ServiceEntry", "{hosts: [a.b], resolution: DNS, location: MESH_EXTERNAL, ports: [{number: 80, name: http, protocol: HTTP}]}") + "---\n" +
			specOf("DestinationRule", "{host: a.b, trafficPolicy: {tls: {mode: DISABLE}}}"), 0, "", "", ""},
		{"mutual TLS within", specOf("DestinationRule", "{host: backend, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}"), 0, "", "", ""},
		{"an address of two hosts", addressed("a") + addressed("b"), 9, "ServiceEntry b", "spec.addresses[0]", "is an address of ServiceEntry a (f.yaml:1), too"},
		{"an address of two hosts that no namespace knows both", addressedIn("a", "shop") + addressedIn("b", "bank"), 0, "", "", ""},
		{"an address of one host twice", addressed("a") + strings.Replace(addressed("a"), "{name: a}", "{name: b}", 1), 0, "", "", ""},
		{"an address of two hosts, one of which has rules", addressed("a") + addressed("b") + strings.NewReplacer("[middleware]", "[b.example]").Replace(middlewareOf("{"+toM+"}")), 0, "", "", ""},
		{"neither", uninjected + strings.Replace(within(serviceWith("")), "namespace: other", "namespace: other, annotations: {networking.istio.io/exportTo: '~'}", 1), 0, "", "", ""},
		{"with sidecars", strings.Replace(uninjected, "disabled", "enabled", 1) + within(serviceWith("")) + "---\n" + within(deploymentWith("", "", "")), 0, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects, err := Parse("f.yaml", []byte(c.yaml))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Read(Overlay(Application(), objects))
			if c.text == "" {
				if err != nil {
					t.Errorf("error %v, want none", err)
				}
				return
			}
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error %v, want Problems", err)
			}
			want := Problem{File: "f.yaml", Line: c.line, Object: c.object, Field: c.field}
			if !slices.ContainsFunc(problems, func(p Problem) bool {
				found := strings.Contains(p.Text, c.text)
				p.Text = ""
				return found && p == want
			}) {
				t.Errorf("got\n%v\nwant %v: …%s…", err, want, c.text)
			}
		})
	}
}
