package manifests

import (
	"fmt"
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

// TestExportToOfHosts checks which proxies know a DestinationRule, a ServiceEntry and a Service by their exportTo, and what becomes of a request
// of those that do not.
func TestExportToOfHosts(t *testing.T) {
	const api = "api.example.com"
	service := func(annotation string) string {
		return "apiVersion: v1\nkind: Service\nmetadata: {name: backend, annotations: {networking.istio.io/exportTo: \"" + annotation + "\"}}\nspec: {selector: {app: backend}, ports: [{name: http, port: 80, targetPort: 3000}]}\n---\n"
	}
	routed := func(host, more string) string {
		return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: r}\nspec: {hosts: [only.example.com], gateways: [mesh, door], http: [{route: [{destination: {host: " + host + more + "}}]}]}\n---\n"
	}
	destination := func(namespace, name, host, exportTo string) string {
		return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " + name + ", namespace: " + namespace + "}\nspec: {host: \"" + host + "\", exportTo: " + exportTo + ", subsets: [{name: " + name + ", labels: {}}]}\n---\n"
	}
	entry := func(exportTo string) string {
		return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e}\nspec: {hosts: [" + api + "], exportTo: " + exportTo + ", resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}\n---\n"
	}
	blocked := "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default, namespace: istio-system}\nspec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n---\n"
	const backend, only = "backend.default.svc.cluster.local", "only.example.com"
	own, other, third, gateway := Caller{Namespace: Namespace}, Caller{Namespace: "other"}, Caller{Namespace: "third"}, Caller{Gateway: "default/door"}
	const ownGateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: own}\nspec: {gatewayClassName: istio, listeners: [{name: web, port: 80, protocol: HTTP}]}\n---\n" +
		"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: own}\nspec: {parentRefs: [{name: own}], rules: [{backendRefs: [{name: backend, port: 80}]}]}\n---\n"
	rule := func(exportTo string) string {
		return service("*") + routed(backend, ", subset: a") + destination(Namespace, "a", backend, exportTo)
	}
	for _, c := range []struct {
		name, yaml string
		caller     Caller
		host, want string // what is at the destination: "1 workload", "1 outside", "unknown", or the answer
	}{
		{"a DestinationRule for its own, there", rule("[.]"), own, only, "1 workload"},
		{"a DestinationRule for its own, elsewhere", rule("[.]"), other, only, "unknown"},
		{"a DestinationRule for its own, at the gateway", gatewayTo("[]") + "---\n" + rule("[.]"), gateway, only, "unknown"},
		{"a DestinationRule for the gateway by name", gatewayTo("[]") + "---\n" + rule("[istio-system]"), gateway, only, "1 workload"},
		{"a DestinationRule by name, there", rule("[other]"), other, only, "1 workload"},
		{"a DestinationRule by name, not in its own", rule("[other]"), own, only, "unknown"},
		{"a DestinationRule by name, in a third", rule("[other]"), third, only, "unknown"},
		{"a DestinationRule by name and for its own", rule("[., other]"), own, only, "1 workload"},
		{"a DestinationRule of a namespace where Istio does not look", service("*") + routed(backend, ", subset: a") + destination("third", "a", backend, "[other]"), other, only, "unknown"},
		{"the root namespace, where that of the host is hidden", rule("[third]") + destination("istio-system", "b", backend, "[other]"), other, only, "unknown"},
		{"the subset of the root namespace", service("*") + routed(backend, ", subset: b") + destination(Namespace, "a", backend, "[third]") + destination("istio-system", "b", backend, "[other]"), other, only, "1 workload"},
		{"a hidden one of the host shadows a wildcard", service("*") + routed(backend, ", subset: b") + destination(Namespace, "a", backend, "[third]") + destination(Namespace, "b", "*.default.svc.cluster.local", "[other]"), other, only, "unknown"},
		{"a ServiceEntry for its own, there", blocked + entry("[.]"), own, api, "1 outside"},
		{"a ServiceEntry for its own, elsewhere", blocked + entry("[.]"), other, api, "502 direct_response"},
		{"a ServiceEntry by name, there", blocked + entry("[other]"), other, api, "1 outside"},
		{"a ServiceEntry by name, not in its own", blocked + entry("[other]"), own, api, "502 direct_response"},
		{"a rule to a ServiceEntry that others alone know", entry("[other]") + routed(api, ""), third, only, "unknown"},
		{"a rule to a ServiceEntry of its own that others alone know", entry("[other]") + routed(api, ""), own, only, "1 outside"},
		{"the gateway, to a ServiceEntry for its own", gatewayTo("[]") + "---\n" + entry("[.]") + routed(api, ""), gateway, only, "unknown"},
		{"a Service by name, there", blocked + service("other, third"), third, backend, "1 workload"},
		{"a Service by name, elsewhere", blocked + service("third"), other, backend, "502 direct_response"},
		{"a Service for its own, there", blocked + service("."), own, backend, "1 workload"},
		{"a Service for its own, elsewhere", blocked + service("."), other, backend, "502 direct_response"},
		{"a gateway in the namespace of a Service that others alone know", ownGateway + service("other"), Caller{Gateway: "default/own"}, only, "unknown"},
		{"a gateway in the namespace of a hidden Service", ownGateway + service("~"), Caller{Gateway: "default/own"}, only, "unknown"},
		{"a gateway in the namespace of a Service for its own", ownGateway + service("."), Caller{Gateway: "default/own"}, only, "1 workload"},
		{"a rule elsewhere to a Service for its own", service(".") + routed(backend, ""), other, only, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rulesOf(t, strings.TrimSuffix(c.yaml, "---\n"))
			met := r.Table(c.caller).Route(&Request{Host: c.host, Path: "/"})
			got := "unknown"
			if met.Direct != nil {
				got = outcome(r, met)
			} else if e := r.Endpoints(&met.Split[0]); e.Known && len(e.External) > 0 {
				got = fmt.Sprintf("%d outside", len(e.External))
			} else if e.Known {
				got = fmt.Sprintf("%d workload", len(e.Workloads))
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
