package manifests

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// bakery is a Gateway with two listeners, three Services of namespace default, and one of namespace cellar.
const bakery = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  gatewayClassName: istio
  listeners:
    - {name: any, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
    - {name: rolls, port: 80, protocol: HTTP, hostname: rolls.example}
    - {name: old, port: 8080, protocol: HTTP}
---
apiVersion: v1
kind: Service
metadata: {name: bread}
spec: {selector: {app: bread}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: v1
kind: Service
metadata: {name: cake}
spec: {selector: {app: cake}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: v1
kind: Service
metadata: {name: flour, namespace: cellar}
spec: {selector: {app: flour}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
`

// ofBakery is an HTTPRoute of a namespace, with the fields of its spec.
func ofBakery(name, namespace, spec string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: " + name + ", namespace: " + namespace + "}\nspec:\n" + spec + "---\n"
}

// routeCase is what becomes of requests under some HTTPRoutes: the host of the destination without its domain, the status of an answer of the
// proxy, or where a redirect sends.
type routeCase struct {
	name, routes string
	caller       Caller
	want         map[string]string // by "METHOD host/path"
}

const atShop = "  parentRefs: [{name: shop}]\n"

// TestHTTPRoutesLead holds requests against HTTPRoutes. Each case says why Istio does so.
func TestHTTPRoutesLead(t *testing.T) {
	door := Caller{Gateway: "default/shop", Port: 80}
	for _, c := range []routeCase{
		// Of matches the more specific one is tried first, whatever the order: exact, the longer prefix, a method, headers, the query. A prefix
		// ends where a segment does, and a slash at its end says nothing (sortHTTPRoutes, createURIMatch).
		{"order and segments", ofBakery("a", "default", atShop+`  rules:
    - {backendRefs: [{name: bread, port: 80}]}
    - {matches: [{path: {value: /rye/}}, {path: {value: /oat}, method: POST}], backendRefs: [{name: cake, port: 80}]}
    - {matches: [{path: {type: Exact, value: /rye/old}}], backendRefs: [{name: bread, port: 80}]}
`), door, map[string]string{"GET x/": "bread.default", "GET x/rye": "cake.default", "GET x/rye/": "cake.default", "GET x/rye/new": "cake.default",
			"GET x/ryes": "bread.default", "GET x/rye/old": "bread.default", "GET x/oat": "bread.default", "POST x/oat": "cake.default"}},
		// The rules of two routes for one host are ranked together, and of equal ones that of the first name holds (mergeHTTPRoutes).
		{"two routes", ofBakery("b", "default", atShop+"  rules: [{matches: [{path: {value: /a/b}}], backendRefs: [{name: cake, port: 80}]}]\n") +
			ofBakery("a", "default", atShop+"  rules: [{matches: [{path: {value: /a}}, {path: {value: /c}}], backendRefs: [{name: bread, port: 80}]}]\n") +
			ofBakery("c", "default", atShop+"  rules: [{matches: [{path: {value: /c}}], backendRefs: [{name: cake, port: 80}]}]\n"),
			door, map[string]string{"GET x/a/b": "cake.default", "GET x/a/c": "bread.default", "GET x/c": "bread.default", "GET x/d": "404"}},
		// Backends that do not exist, that no ReferenceGrant allows, or that are none are answered 500 (buildDestination,
		// cluster_not_found_response_code).
		{"no backend", ofBakery("a", "default", atShop+`  rules:
    - {matches: [{path: {value: /gone}}], backendRefs: [{name: gone, port: 80}]}
    - {matches: [{path: {value: /port}}], backendRefs: [{name: bread, port: 81}]}
    - {matches: [{path: {value: /cellar}}], backendRefs: [{name: flour, namespace: cellar, port: 80}]}
    - {matches: [{path: {value: /kind}}], backendRefs: [{name: bread, kind: Oven, group: a.example, port: 80}]}
    - {matches: [{path: {value: /none}}]}
    - {matches: [{path: {value: /zero}}], backendRefs: [{name: bread, port: 80, weight: 0}]}
`), door, map[string]string{"GET x/gone": "500", "GET x/port": "500", "GET x/cellar": "500", "GET x/kind": "500", "GET x/none": "500", "GET x/zero": "500"}},
		{"a grant", "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {name: a, namespace: cellar}\nspec:\n" +
			"  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}]\n  to: [{group: '', kind: Service}]\n---\n" +
			ofBakery("a", "default", atShop+"  rules: [{backendRefs: [{name: flour, namespace: cellar, port: 80}]}]\n"),
			door, map[string]string{"GET x/": "flour.cellar"}},
		// A listener with a hostname takes its requests from one without (hostnameAllowedByIsolation), and takes no route of another namespace
		// unless it says so.
		{"listeners", ofBakery("a", "default", "  parentRefs: [{name: shop, sectionName: any}]\n  rules: [{backendRefs: [{name: bread, port: 80}]}]\n") +
			ofBakery("b", "cellar", "  parentRefs: [{name: shop, namespace: default, sectionName: rolls}]\n  hostnames: [rolls.example]\n  rules: [{backendRefs: [{name: flour, port: 80}]}]\n") +
			ofBakery("c", "cellar", "  parentRefs: [{name: shop, namespace: default, sectionName: any}]\n  hostnames: [rolls.example, pies.example]\n  rules: [{backendRefs: [{name: flour, port: 80}]}]\n"),
			door, map[string]string{"GET x/": "bread.default", "GET rolls.example/": "bread.default", "GET pies.example/": "flour.cellar"}},
		{"a port of the parent", ofBakery("a", "default", "  parentRefs: [{name: shop, port: 8080}]\n  rules: [{backendRefs: [{name: bread, port: 80}]}]\n"),
			door, map[string]string{"GET x/": "404"}},
		// Where a redirect goes (ApplyRedirect, and newUri in Envoy's config_impl.cc).
		{"redirects", ofBakery("a", "default", atShop+`  rules:
    - {matches: [{path: {value: /scheme}}], filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}
    - {matches: [{path: {value: /port}}], filters: [{type: RequestRedirect, requestRedirect: {port: 8083, statusCode: 301}}]}
    - {matches: [{path: {value: /prefix}}], filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}}]}
    - {matches: [{path: {value: /full}}], filters: [{type: RequestRedirect, requestRedirect: {hostname: a.example, path: {type: ReplaceFullPath, replaceFullPath: /whole}}}]}
`), door, map[string]string{"GET x/scheme": "302 https://x/scheme", "GET x:80/scheme": "302 https://x/scheme", "GET x:81/port": "301 http://x:8083/port",
			"GET x/prefix/a?b=c": "302 http://x/new/a?b=c", "GET x/full/a": "302 http://a.example/whole"}},
		{"a redirect at another port", ofBakery("a", "default", atShop+"  rules: [{filters: [{type: RequestRedirect, requestRedirect: {statusCode: 307}}]}]\n"),
			Caller{Gateway: "default/shop", Port: 8080}, map[string]string{"GET x/a": "307 http://x:8080/a"}},
		// The path that is sent (applyHTTPRouteDestination): what stays after a prefix begins with one slash.
		{"rewrites", ofBakery("a", "default", atShop+`  rules:
    - {matches: [{path: {value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b/}}}], backendRefs: [{name: bread, port: 80}]}
    - {matches: [{path: {value: /strip}}], filters: [{type: URLRewrite, urlRewrite: {hostname: h.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}], backendRefs: [{name: bread, port: 80}]}
    - {matches: [{path: {value: /full}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /w}}}], backendRefs: [{name: bread, port: 80}]}
`), door, map[string]string{"GET x/a": "bread.default x/b", "GET x/a/c?d": "bread.default x/b/c?d", "GET x/strip": "bread.default h.example/",
			"GET x/strip/": "bread.default h.example/", "GET x/strip/a": "bread.default h.example/a", "GET x/full/a?b": "bread.default x/w?b"}},
		// A route in the namespace of its Service holds for all callers, and one elsewhere for those of its own namespace, which prefer it
		// (SelectVirtualServices, buildSidecarVirtualHostsForVirtualService). It needs no grant.
		{"callers of default", consumed, Caller{Namespace: "default"}, map[string]string{"GET bread.default/": "cake.default"}},
		{"callers of cellar", consumed, Caller{Namespace: "cellar"}, map[string]string{"GET bread.default/": "flour.cellar"}},
		{"callers of elsewhere", consumed, Caller{Namespace: "elsewhere"}, map[string]string{"GET bread.default/": "cake.default"}},
		// Each host of an HTTPRoute is a VirtualService of its own, which a Sidecar imports or not (SelectVirtualServices).
		{"one route of which a Sidecar imports one host", ofBakery("mine", "cellar", "  parentRefs: [{group: '', kind: Service, name: bread, namespace: default}, {group: '', kind: Service, name: flour}]\n"+
			"  rules: [{backendRefs: [{name: cake, namespace: default, port: 80}]}]\n") + sidecarIn("cellar", "default/*, ./flour.cellar.svc.cluster.local")[len("---\n"):], Caller{Namespace: "cellar"},
			map[string]string{"GET bread.default/": "bread.default", "GET flour.cellar/": "cake.default"}},
		{"one route for two namespaces", ofBakery("mine", "cellar", "  parentRefs: [{group: '', kind: Service, name: bread, namespace: default}, {group: '', kind: Service, name: flour}]\n"+
			"  rules: [{backendRefs: [{name: cake, namespace: default, port: 80}]}]\n"), Caller{Namespace: "elsewhere"}, map[string]string{"GET bread.default/": "bread.default", "GET flour.cellar/": "cake.default"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Read(parse(t, bakery+c.routes))
			if err != nil {
				t.Fatal(err)
			}
			for request, want := range c.want {
				method, address, _ := strings.Cut(request, " ")
				host, path, _ := strings.Cut(address, "/")
				q := &Request{Method: method, Host: host, Path: "/" + path, Header: http.Header{}}
				if got := became(r, r.Table(c.caller).Route(q), q); got != want {
					t.Errorf("%s: %s, want %s", request, got, want)
				}
			}
		})
	}
}

var consumed = ofBakery("mine", "cellar", "  parentRefs: [{group: '', kind: Service, name: bread, namespace: default}]\n  rules: [{backendRefs: [{name: flour, port: 80}]}]\n") +
	ofBakery("bread", "default", "  parentRefs: [{group: '', kind: Service, name: bread}]\n  rules: [{backendRefs: [{name: cake, port: 80}]}]\n")

// became is what becomes of a request under a rule.
func became(r *Rules, rule *Rule, q *Request) string {
	switch {
	case rule.Direct != nil:
		return strconv.Itoa(rule.Direct.Status)
	case rule.Redirect != nil:
		uri := q.Path
		if rule.Redirect.Prefix != nil {
			uri = rule.Redirect.Prefix.Of(q)
		} else if rule.Redirect.URI != "" {
			uri = rule.Redirect.URI
		}
		return strconv.Itoa(rule.Redirect.Status) + " " + rule.Redirect.Location("http", "http", q.Host, uri)
	}
	to := rule.Pick(0)
	if !r.Endpoints(to).Known {
		return strconv.Itoa(rule.NoDestination())
	}
	name := strings.TrimSuffix(to.Host, domain)
	if host, path := rule.Rewritten(q, to); host != q.Host || path != q.Path {
		name += " " + host + path
	}
	return name
}

// TestRouteMirrors is what the filters RequestMirror become, and what is missing of each: no file has pods.
func TestRouteMirrors(t *testing.T) {
	filter := func(mirror string) string { return "{type: RequestMirror, requestMirror: {" + mirror + "}}" }
	text := bakery + ofBakery("a", "default", atShop+"  rules: [{backendRefs: [{name: bread, port: 80}], filters: ["+strings.Join([]string{
		filter("backendRef: {name: cake, port: 80}, percent: 0"),
		filter("backendRef: {name: cake, port: 80}, fraction: {numerator: 5, denominator: 1000}"),
		filter("backendRef: {name: flour, namespace: cellar, port: 80}, fraction: {numerator: 5}"),
		filter("backendRef: {name: gone, port: 80}"),
		filter("backendRef: {name: cake, kind: Oven, group: a.example}, percent: 30"),
	}, ",\n    ")+"]}]\n")
	r, err := Read(parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	rule := r.Table(Caller{Gateway: "default/shop", Port: 80}).Route(&Request{Host: "x", Path: "/", Header: http.Header{}})
	for i := range rule.Mirrors {
		m := &rule.Mirrors[i]
		got = append(got, fmt.Sprintf("%s %g %s +%d", m.Host, m.Share, r.Gap(&m.Destination).Part, m.Line-rule.Line))
	}
	want := []string{"cake.default.svc.cluster.local 0.005 pods +1", "flour.cellar.svc.cluster.local 0.05 grant +2", "gone.default.svc.cluster.local 1 host +3", "cake.default.oven.a.example 0.3 host +4"}
	if !slices.Equal(got, want) {
		t.Errorf("mirrors %q, want %q", got, want)
	}
}
