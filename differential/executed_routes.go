package differential

import (
	"fmt"
	"net/http"

	"github.com/hellochaos/hellochaos/manifests"
)

// executedEntry is the Gateway of Gateway API of executed HTTPRoutes.
var executedEntry = tree{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": tree{"name": "entry", "namespace": "default"},
	"spec": tree{"gatewayClassName": "istio", "listeners": []any{tree{"name": "web", "port": 80, "protocol": "HTTP", "allowedRoutes": tree{"namespaces": tree{"from": "All"}}}}}}

// executedRoute draws the HTTPRoute of one of n Services: what sidecars, and often a gateway too, do with the requests for it.
func (d draw) executedRoute(i, n int) tree {
	name, namespace := executedName(i)
	parents := []any{tree{"group": "", "kind": "Service", "name": name}}
	spec := tree{}
	if d.chance(0.5) {
		parents = append(parents, tree{"name": "entry", "namespace": "default"})
		spec["hostnames"] = []any{name + ".example"}
	}
	spec["parentRefs"] = parents
	var rules []any
	for range d.IntN(4) {
		r := d.executedRule(i, n)
		r["matches"] = list([]tree{d.routeMatch(), d.routeMatch()}[:1+d.IntN(2)])
		rules = append(rules, r)
	}
	if len(rules) == 0 || d.chance(0.9) {
		rules = append(rules, d.executedRule(i, n))
	}
	spec["rules"] = rules
	return tree{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": tree{"name": name, "namespace": namespace}, "spec": spec}
}

// executedRule draws a rule without matches. A backend of another namespace, to which a gateway needs a ReferenceGrant, is answered 500 there.
func (d draw) executedRule(i, n int) tree {
	r := tree{}
	redirects := d.chance(0.08)
	var filters []any
	for _, kind := range []string{"Request", "Response"} {
		if d.chance(0.15) {
			filters = append(filters, d.modifier(kind))
		}
	}
	switch {
	case redirects:
		filters = append(filters, tree{"type": "RequestRedirect", "requestRedirect": tree{"hostname": "elsewhere.example", "statusCode": []int{301, 302, 307}[d.IntN(3)]}})
	case d.chance(0.2):
		filters = append(filters, tree{"type": "URLRewrite", "urlRewrite": []tree{{"hostname": "inside.example"},
			{"path": tree{"type": "ReplaceFullPath", "replaceFullPath": d.one("/new", "/", "/x/")}}}[d.IntN(2)]})
	}
	if len(filters) > 0 {
		r["filters"] = filters
	}
	if redirects {
		return r
	}
	r["backendRefs"] = d.executedBackends(i, n)
	if d.chance(0.7) {
		retry := tree{"attempts": 1 + d.IntN(4)}
		if d.chance(0.85) {
			retry["codes"] = [][]any{{500}, {500, 503}, {503}, {500, 502, 504}}[d.IntN(4)]
		}
		if d.chance(0.6) {
			retry["backoff"] = d.one(bases...)
		}
		r["retry"] = retry
	}
	if d.chance(0.4) {
		r["timeouts"] = []tree{{"request": d.one(timeouts...)}, {"backendRequest": d.one(perTries...)}, {"request": "30s", "backendRequest": d.one(perTries...)}}[d.IntN(3)]
	}
	return r
}

// executedBackends draws backends, of which the first is the Service itself.
func (d draw) executedBackends(i, n int) []any {
	var all []any
	for k, j := range append([]int{i}, d.Perm(n)[:[]int{0, 0, 1, 2}[d.IntN(4)]]...) {
		name, namespace := executedName(j)
		b := tree{"name": name, "namespace": namespace, "port": 80}
		if k == 0 || d.chance(0.7) {
			b["weight"] = 1 + d.IntN(90)
		}
		if k > 0 && d.chance(0.06) {
			b["name"] = "nobody"
		}
		all = append(all, b)
	}
	return all
}

// executedRouteRequest draws a request for an HTTPRoute that executedRoute drew: three in four have what one of its matches asks for, or almost.
func (d draw) executedRouteRequest(route tree) asked {
	metadata, spec := route["metadata"].(tree), route["spec"].(tree)
	name, namespace := metadata["name"].(string), metadata["namespace"].(string)
	a := asked{caller: manifests.Caller{Namespace: d.one("default", "shop")}}
	a.request = manifests.Request{Host: fmt.Sprintf("%s.%s%s", name, namespace, d.one("", ".svc", ".svc.cluster.local")), Method: d.one("GET", "GET", "POST"), Path: d.one(routePaths...), Header: http.Header{}}
	if spec["hostnames"] != nil && d.chance(0.4) {
		a.caller, a.request.Host = manifests.Caller{Gateway: "default/entry", Port: 80}, name+".example"
	}
	for _, header := range d.some(0, 1, "x-a", "X-B") {
		a.request.Header.Set(header, d.one("1", "12", "A", "a"))
	}
	rules := spec["rules"].([]any)
	if matches, _ := rules[d.IntN(len(rules))].(tree)["matches"].([]any); len(matches) > 0 && d.chance(0.75) {
		d.meets(&a, matches[d.IntN(len(matches))].(tree))
	}
	return a
}
