package derive

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// The requests for an HTTPRoute meet its rule at the port of its parentRef, and near misses come from another namespace, or have a path that
// only begins like the prefix.
func TestHTTPRouteCohorts(t *testing.T) {
	elsewhere := strings.ReplaceAll(strings.SplitN(base, "---\n", 2)[0], "metadata: {name: client}", "metadata: {name: client, namespace: shop}")
	objects, err := manifests.Parse("f.yaml", []byte(base+elsewhere+`---
apiVersion: v1
kind: Service
metadata: {name: two}
spec: {selector: {app: client}, ports: [{name: http, port: 8080, targetPort: 3000}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: two, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: two, namespace: default, port: 8080}]
  rules: [{matches: [{path: {value: /v2}}], backendRefs: [{name: two, namespace: default, port: 8080}]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := manifests.Read(objects)
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]string{}
	for _, c := range Cohorts(rules, []string{"default", "shop"}, "client") {
		caller, _, err := rules.CallerOf(c.Entry)
		if err != nil {
			t.Fatal(err)
		}
		met[c.Entry.Caller+" "+c.Path] = rules.Table(caller).Route(&manifests.Request{Host: c.Host, Method: "GET", Path: c.Path}).Name
	}
	for request, want := range map[string]string{"shop/client /v2": "HTTPRoute two, rules[0]", "default/client /v2": "no VirtualService for", "shop/client /v2" + other: "no rule"} {
		if got, sent := met[request]; !sent || !strings.HasPrefix(got, want) {
			t.Errorf("%s meets %q, want %s; there are %v", request, got, want, met)
		}
	}
}
