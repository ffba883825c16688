package manifests

import (
	"net/http"
	"testing"
)

// The proxies of each namespace obey the DestinationRules of their own one for a host, or else those beside the Service, or else those of
// the root namespace.
func TestDestinationRulesByNamespaceOfTheCaller(t *testing.T) {
	rule := func(namespace, label string) string {
		return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: m, namespace: " + namespace + "}\nspec:\n  host: backend.default.svc.cluster.local\n" +
			"  subsets:\n  - {name: it, labels: {version: " + label + "}}\n"
	}
	route := `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: backend}
spec:
  hosts: [backend]
  http:
  - route: [{destination: {host: backend, subset: it}}]
`
	tests := []struct {
		rules, caller string
		pods          int // of backend-prod, the only version; -1: the subset does not exist
	}{
		{rule("shop", "prod"), "shop", 1},
		{rule("shop", "prod"), "default", -1},
		{rule("shop", "prod") + rule("default", "none"), "shop", 1},
		{rule("shop", "none") + rule("default", "prod"), "shop", 0},
		{rule("shop", "none") + rule("default", "prod"), "other", 1},
		{rule("istio-system", "prod"), "other", 1},
		{rule("istio-system", "none") + rule("default", "prod"), "istio-system", 1},
	}
	for _, test := range tests {
		r := rulesOf(t, test.rules+route)
		met := r.Table(Caller{Namespace: test.caller}).Route(&Request{Host: "backend.default", Method: http.MethodGet, Path: "/"})
		got := -1
		if endpoints := r.Endpoints(&met.Split[0]); endpoints.Known {
			got = len(endpoints.Workloads)
		}
		if got != test.pods {
			t.Errorf("a caller in %s finds %d pods, want %d, with%s", test.caller, got, test.pods, test.rules)
		}
	}
}
