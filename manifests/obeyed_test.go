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

// DestinationRules of a host in one namespace are merged where their exportTo is the same, and of the others the last one holds
// (mergeDestinationRule and SidecarScope.DestinationRule of Istio). Each rule defines a subset of its own.
func TestDestinationRulesThatAreNotMerged(t *testing.T) {
	const none, own, every = "", "exportTo: [.], ", "exportTo: ['*'], "
	for _, c := range []struct {
		exportTo []string // in the order of the names of the rules
		holds    string   // the subsets that there are
	}{
		{[]string{none, none}, "ab"},
		{[]string{own, own}, "ab"},
		{[]string{every, every}, "ab"},
		{[]string{none, own}, "b"},
		{[]string{own, none}, "b"},
		{[]string{none, every}, "b"},
		{[]string{none, none, own}, "c"},
		{[]string{none, own, own}, "bc"},
		{[]string{none, own, none}, "c"},
		{[]string{none, own, none, none}, "cd"},
	} {
		text := ""
		for i, exportTo := range c.exportTo {
			name := string(rune('a' + i))
			text += "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " + name + "}\nspec: {" + exportTo + "host: backend, subsets: [{name: " + name + ", labels: {}}]}\n"
		}
		r := rulesOf(t, text)
		got := ""
		for i := range c.exportTo {
			d := Destination{Host: "backend.default.svc.cluster.local", Port: 80, Subset: string(rune('a' + i))}
			if r.Endpoints(&d).Known {
				got += d.Subset
			}
		}
		if got != c.holds {
			t.Errorf("exportTo %q: the subsets are %q, want %q", c.exportTo, got, c.holds)
		}
	}
}

// An HTTPRoute of another namespace than its Service serves the callers of its own one alone. It keeps the wildcard of a VirtualService from the host
// for all others, too (mostSpecificWildcardVsIndex of Istio's sidecar.go has it for them).
func TestWildcardBesideHTTPRouteElsewhere(t *testing.T) {
	const wide = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: wide}\nspec: {hosts: ['*.default.svc.cluster.local'], http: [{directResponse: {status: 418}}]}\n"
	const route = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: own, namespace: shop}\n" +
		"spec: {parentRefs: [{group: '', kind: Service, name: backend, namespace: default}], rules: [{backendRefs: [{name: backend, namespace: default, port: 80}]}]}\n"
	for _, c := range []struct{ objects, caller, want string }{
		{wide, "cellar", "VirtualService wide, http[0]"},
		{wide + route, "cellar", "no VirtualService for backend.default.svc.cluster.local, Istio's default"},
		{wide + route, "default", "VirtualService wide, http[0]"}, // its Sidecar does not import the HTTPRoute
		{wide + route, "shop", "HTTPRoute own, rules[0]"},
	} {
		r := rulesOf(t, c.objects)
		caller, q := Caller{Namespace: c.caller}, &Request{Host: "backend.default", Path: "/"}
		if met := r.Table(caller).Route(q); met.Name != c.want {
			t.Errorf("a caller in %s meets %q, want %q", c.caller, met.Name, c.want)
		}
		entry := r.HTTPEntries()[0]
		if miss := entry.Miss(caller, q); c.want == "no VirtualService for backend.default.svc.cluster.local, Istio's default" && (miss == nil || miss.Kind != MissNamespace) {
			t.Errorf("the rule is missed by %+v, want a MissNamespace", miss)
		}
	}
}
