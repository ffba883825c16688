package findings

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// What is wrong with HTTPRoutes is said in the words of Gateway API: which listener does not take a route and why, and that a backend is
// answered 500.
func TestHTTPRouteFindings(t *testing.T) {
	const door = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop}
spec: {gatewayClassName: istio, listeners: [{name: web, port: 80, protocol: HTTP}]}
---
`
	route := func(parent, rule string) string {
		return door + `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: mine}
spec: {parentRefs: [{` + parent + `}], rules: [{` + rule + `}]}
`
	}
	const backend = "backendRefs: [{name: frontend, port: 80}]"
	for _, c := range []struct{ objects, id, part string }{
		{route("name: shop, sectionName: http", backend), HostsApart, "listener web is not called http, as the parentRef asks"},
		{route("name: shop, port: 81", backend), HostsApart, "listener web has port 80, and the parentRef asks for 81"},
		{route("name: shap", backend), NoGateway, `did you mean "shop"?`},
		{route("group: '', kind: Service, name: middleware", "backendRefs: [{name: frontand, port: 80}]"), NoHost, "answers 500 to all of frontend's calls to middleware"},
		{route("group: '', kind: Service, name: middleware", "retry: {codes: [503]}, backendRefs: [{name: middleware, port: 80}]"), NotRetried, "add 500 to codes if it is to be sent again"},
		{route("group: '', kind: Service, name: middleware", "matches: [{method: POST}], retry: {codes: [503]}, backendRefs: [{name: middleware, port: 80}]"), Repeated, "whose retry names no codes"},
		{route("name: shop", "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: frontand, port: 80}}}], "+backend), CopiesLost, "to be copied"},
		{route("group: '', kind: Service, name: frontend", "filters: [{type: RequestMirror, requestMirror: {percent: 0, backendRef: {name: backend, port: 80}}}], "+backend), NothingCopied, "HTTPRoute mine, rules[0] has 0 percent"},
	} {
		base, err := scenarios.Through("egress", nil)
		if err != nil {
			t.Fatal(err)
		}
		own, err := manifests.Parse("f.yaml", []byte(c.objects))
		if err != nil {
			t.Fatal(err)
		}
		found := strings.Join(of(t, &scenarios.Phase{Name: "egress", Objects: manifests.Overlay(base, own),
			Cohorts: []scenarios.Cohort{{Entry: manifests.Entry{Service: "frontend"}}}}), "\n")
		if !strings.Contains(found, c.id) || !strings.Contains(found, c.part) {
			t.Errorf("%s\nfindings %s\nwant %s with %q", c.objects, found, c.id, c.part)
		}
	}
}
