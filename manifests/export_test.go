package manifests

import (
	"strings"
	"testing"
)

// gatewayTo is a Gateway, and a VirtualService that routes from it to the backend.
func gatewayTo(exportTo string) string {
	return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: door}
spec: {hosts: ["*"], gateways: [door], exportTo: ` + exportTo + `, http: [{route: [{destination: {host: backend}}]}]}
`
}

// TestExportTo checks which rules the proxies of two namespaces and the gateway know.
func TestExportTo(t *testing.T) {
	virtualService := func(namespace, exportTo string) string {
		return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: b, namespace: " + namespace + "}\n" +
			"spec: {hosts: [backend.default.svc.cluster.local, only.example.com], exportTo: " + exportTo + ", http: [{directResponse: {status: 418}}]}\n"
	}
	own, other, gateway := Caller{Namespace: Namespace}, Caller{Namespace: "other"}, Caller{Gateway: "default/door"}
	const full, only = "backend.default.svc.cluster.local", "only.example.com"
	for _, c := range []struct {
		name, yaml string
		caller     Caller
		host, want string
	}{
		{"no exportTo, its own namespace", virtualService(Namespace, "[]"), own, full, "418 direct_response"},
		{"no exportTo, another namespace", virtualService(Namespace, "[]"), other, full, "418 direct_response"},
		{"for all, another namespace", virtualService(Namespace, "['*']"), other, full, "418 direct_response"},
		{"for its own, its own", virtualService(Namespace, "[.]"), own, full, "418 direct_response"},
		{"for its own, another namespace", virtualService(Namespace, "[.]"), other, full, full},
		{"another's for its own", virtualService("other", "[.]"), own, full, full},
		{"another's for its own, there", virtualService("other", "[.]"), other, full, "418 direct_response"},
		{"a host of its own, its own namespace", virtualService(Namespace, "[.]"), own, only, "418 direct_response"},
		{"a host of its own, another namespace", virtualService(Namespace, "[.]"), other, only, only},
		{"by name, there", virtualService(Namespace, "[other]"), other, full, "418 direct_response"},
		{"by name, not in its own", virtualService(Namespace, "[third, other]"), own, full, full},
		{"by name, elsewhere", virtualService(Namespace, "[third]"), other, full, full},
		{"by name and for its own", virtualService(Namespace, "[other, .]"), own, full, "418 direct_response"},
		{"at the gateway, by name", gatewayTo("[istio-system]"), gateway, "any", full},
		{"at the gateway, for all", gatewayTo("['*']"), gateway, "any", full},
		{"at the gateway, no exportTo", gatewayTo("[]"), gateway, "any", full},
		{"at the gateway, hidden from its proxy", gatewayTo("[.]"), gateway, "any", "404 route_not_found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rulesOf(t, "apiVersion: v1\nkind: Service\nmetadata: {name: backend}\nspec: {ports: [{name: http, port: 80}]}\n---\n"+c.yaml)
			rule := r.Table(c.caller).Route(&Request{Host: c.host, Path: "/"})
			got := ""
			if rule.Direct != nil {
				got = outcome(r, rule)
			} else {
				got = rule.Split[0].Host
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Read refuses a DestinationRule or a ServiceEntry that some callers would not know, since here all callers have the same ones.
func TestExportToThatSomeWouldMiss(t *testing.T) {
	const destination = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d}\nspec: {host: backend, exportTo: [.], subsets: [{name: a, labels: {version: a}}]}\n"
	const elsewhere = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: there, namespace: other}\nspec: {hosts: [a.example.com], http: [{route: [{destination: {host: backend.default.svc.cluster.local}}]}]}\n"
	const caller = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller, namespace: NS}
spec:
  selector: {matchLabels: {app: caller}}
  template:
    metadata: {labels: {app: caller}}
    spec:
      containers: [{name: app, image: hello-service, env: [{name: SERVICE_NAME, value: caller-a}, {name: UPSTREAM_URI, value: "http://backend.default/"}]}]
`
	for _, c := range []struct {
		name, yaml string
		want       []string // empty when Read accepts it
	}{
		{"alone", destination, nil},
		{"a caller beside it", destination + "---" + strings.Replace(caller, "NS", Namespace, 1), nil},
		{"a caller elsewhere", destination + "---" + strings.Replace(caller, "NS", "other", 1), []string{"DestinationRule d: spec.exportTo", "sidecar of Deployment caller in namespace other", "remove exportTo"}},
		{"a rule elsewhere", destination + "---\n" + elsewhere, []string{"DestinationRule d: spec.exportTo", "sidecars of namespace other", "VirtualService there (t.yaml:6) routes", "remove exportTo"}},
		{"a rule elsewhere, for a gateway alone", destination + "---\n" + strings.Replace(elsewhere, "spec: {", "spec: {gateways: [x], ", 1), nil},
		{"a rule elsewhere, at a gateway for the sidecars", destination + "---\n" + strings.Replace(strings.Replace(elsewhere, "spec: {", "spec: {gateways: [x], ", 1), "[{route", "[{match: [{gateways: [mesh]}], route", 1),
			[]string{"sidecars of namespace other"}},
		{"a rule beside it", destination + "---\n" + strings.Replace(elsewhere, "namespace: other", "namespace: default", 1), nil},
		{"a caller elsewhere by CALLS", destination + "---" + strings.NewReplacer("NS", "other", `UPSTREAM_URI, value: "http://backend.default/"`, `CALLS, value: '[[{"url": "http://backend.default/"}]]'`).Replace(caller),
			[]string{"DestinationRule d: spec.exportTo", "sidecar of Deployment caller in namespace other"}},
		{"who calls nobody elsewhere", destination + "---" + strings.NewReplacer("NS", "other", `UPSTREAM_URI, value: "http://backend.default/"`, "CALLS, value: '[]'").Replace(caller), nil},
		{"the gateway", destination + "---\n" + gatewayTo("[]"), []string{"DestinationRule d: spec.exportTo", "pods run in namespace istio-system", "VirtualService door", "remove exportTo"}},
		{"a gateway that knows no route there", destination + "---\n" + gatewayTo("[.]"), nil},
		{"the gateway, to an entry", "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e}\nspec: {hosts: [a.example.com], exportTo: [.], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}\n---\n" +
			strings.Replace(gatewayTo("[]"), "host: backend", "host: a.example.com", 1), []string{"ServiceEntry e: spec.exportTo", "VirtualService door"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects, err := Parse("t.yaml", []byte(c.yaml))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Read(objects)
			if (err == nil) != (len(c.want) == 0) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
		})
	}
}
