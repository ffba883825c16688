package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// Names of the parts of the world for objects of Gateway API.
var (
	meshNames  = []string{"one", "one", "two", "two", "plain", "empty", "hidden", "three", "nobody"}
	hostnames  = []string{"api.example", "www.example", "*.example", "*.api.example", "a.api.example", "one.default.svc.cluster.local"}
	entrances  = []string{"entry", "porch"}
	routePaths = []string{"/", "/a", "/a", "/a/", "/a/b", "/A", "/ab", "/a.b", "/a/b/c"}
)

// objects draws a set of n objects: half of the sets are mostly of Gateway API.
func (d draw) objects(n int) []tree {
	routes := d.chance(0.5)
	all := make([]tree, n)
	for i := range all {
		if routes && d.chance(0.8) {
			all[i] = d.gatewayAPI(i)
		} else {
			all[i] = d.policy(i)
		}
	}
	return all
}

// gatewayAPI draws one object of Gateway API. The number is part of its name, as in policy.
func (d draw) gatewayAPI(number int) tree {
	kind := d.one("HTTPRoute", "HTTPRoute", "HTTPRoute", "HTTPRoute", "HTTPRoute", "Gateway", "Gateway", "ReferenceGrant")
	name, namespace, version := fmt.Sprintf("%s%d", d.one("p", "q", "z"), number), d.one("default", "default", "shop", "shop", "istio-system"), "v1"
	var spec tree
	switch kind {
	case "HTTPRoute":
		spec = d.httpRoute()
	case "Gateway":
		name, spec = d.one(entrances...), d.listeners()
	case "ReferenceGrant":
		to := tree{"group": "", "kind": "Service"}
		if d.chance(0.4) {
			to["name"] = d.one(meshNames...)
		}
		spec = tree{"from": []any{tree{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": d.one("default", "shop", "istio-system")}}, "to": []any{to}}
	}
	return tree{"apiVersion": "gateway.networking.k8s.io/" + version, "kind": kind, "metadata": tree{"name": name, "namespace": namespace}, "spec": spec}
}

func (d draw) listeners() tree {
	var all []any
	for _, name := range d.some(1, 3, "a", "b", "c") {
		l := tree{"name": name, "port": []int{80, 80, 8080}[d.IntN(3)], "protocol": "HTTP"}
		if d.chance(0.6) {
			l["hostname"] = d.one(hostnames...)
		}
		if d.chance(0.7) {
			l["allowedRoutes"] = tree{"namespaces": []tree{{"from": "All"}, {"from": "All"}, {"from": "Same"},
				{"from": "Selector", "selector": tree{"matchLabels": tree{"kubernetes.io/metadata.name": d.one("default", "shop")}}}}[d.IntN(4)]}
		}
		all = append(all, l)
	}
	return tree{"gatewayClassName": "istio", "listeners": all}
}

func (d draw) httpRoute() tree {
	spec := tree{}
	var parents []any
	for range 1 + d.IntN(2) {
		parents = append(parents, d.parent())
	}
	spec["parentRefs"] = parents
	if d.chance(0.5) {
		spec["hostnames"] = list(d.some(1, 2, hostnames...))
	}
	var rules []any
	for range 1 + d.IntN(3) {
		rules = append(rules, d.routeRule())
	}
	spec["rules"] = rules
	return spec
}

func (d draw) parent() tree {
	p := tree{}
	if d.chance(0.5) {
		p["namespace"] = d.one("default", "shop")
	}
	if d.chance(0.45) {
		p["name"] = d.one(entrances...)
		if d.chance(0.25) {
			p["sectionName"] = d.one("a", "b", "c")
		}
		if d.chance(0.15) {
			p["port"] = []int{80, 8080}[d.IntN(2)]
		}
		return p
	}
	p["group"], p["kind"], p["name"] = "", "Service", d.one(meshNames...)
	if d.chance(0.3) {
		p["port"] = []int{80, 80, 81, 8000, 8080}[d.IntN(5)]
	}
	return p
}

func (d draw) routeRule() tree {
	r := tree{}
	if d.chance(0.8) {
		var matches []any
		for range 1 + d.IntN(2) {
			matches = append(matches, d.routeMatch())
		}
		r["matches"] = matches
	}
	redirects := d.chance(0.12)
	if filters := d.routeFilters(redirects); len(filters) > 0 {
		r["filters"] = filters
	}
	if redirects {
		return r
	}
	var backends []any
	for range []int{0, 1, 1, 1, 1, 2, 2, 3}[d.IntN(8)] {
		b := d.backend()
		if d.chance(0.5) {
			b["weight"] = []int{0, 1, 20, 80}[d.IntN(4)]
		}
		if d.chance(0.1) {
			b["filters"] = []any{d.modifier(d.one("Request", "Response"))}
		}
		backends = append(backends, b)
	}
	if len(backends) > 0 {
		r["backendRefs"] = backends
	}
	if d.chance(0.2) {
		r["timeouts"] = []tree{{"request": "1s"}, {"backendRequest": "500ms"}, {"request": "2s", "backendRequest": "1s"}, {"request": "0s"}}[d.IntN(4)]
	}
	if d.chance(0.25) {
		retry := d.settings(map[string]any{"attempts": 1 + d.IntN(4), "backoff": d.one("10ms", "1s")})
		if d.chance(0.7) {
			retry["codes"] = [][]any{{503}, {500, 502}, {429}, {500, 503, 504}}[d.IntN(4)]
		}
		r["retry"] = retry
	}
	return r
}

func (d draw) backend() tree {
	b := tree{"name": d.one(meshNames...), "port": []int{80, 80, 80, 81, 8000, 8080, 9}[d.IntN(7)]}
	if d.chance(0.3) {
		b["namespace"] = d.one("default", "shop")
	}
	return b
}

func (d draw) routeMatch() tree {
	m := tree{}
	if d.chance(0.7) {
		m["path"] = tree{"type": d.one("PathPrefix", "PathPrefix", "Exact"), "value": d.one(routePaths...)}
		if d.chance(0.15) {
			m["path"] = tree{"type": "RegularExpression", "value": d.one("/a.*", "/.*", "/a(/b)?", ".*", "/[ab]+")}
		}
		if d.chance(0.1) {
			delete(m["path"].(tree), "type")
		}
	}
	values := func(names ...string) (all []any) {
		for _, name := range names {
			v := tree{"name": name, "value": d.one("1", "12", "A", "a", "http")}
			switch d.IntN(5) {
			case 0:
				v["type"], v["value"] = "RegularExpression", d.one(".*", "1.*", "[a1]", "1|a", ".+")
			case 1:
				v["type"] = "Exact"
			}
			all = append(all, v)
		}
		return all
	}
	if d.chance(0.35) {
		m["headers"] = values(d.some(1, 2, headers...)...)
	}
	if d.chance(0.15) {
		m["queryParams"] = values(d.some(1, 2, "q", "Q", "r")...)
	}
	if d.chance(0.12) {
		m["method"] = d.one("GET", "POST")
	}
	return m
}

func (d draw) routeFilters(redirects bool) (all []any) {
	for _, kind := range []string{"Request", "Response"} {
		if d.chance(0.12) {
			all = append(all, d.modifier(kind))
		}
	}
	if redirects {
		r := d.settings(map[string]any{"hostname": "elsewhere.example", "scheme": d.one("http", "https"), "port": []int{80, 443, 8443}[d.IntN(3)], "statusCode": []int{301, 302, 303, 307, 308}[d.IntN(5)]})
		if d.chance(0.5) {
			r["path"] = d.pathModifier()
		}
		return append(all, tree{"type": "RequestRedirect", "requestRedirect": r})
	}
	if d.chance(0.15) {
		w := tree{}
		if d.chance(0.4) {
			w["hostname"] = "inside.example"
		}
		if len(w) == 0 || d.chance(0.6) {
			w["path"] = d.pathModifier()
		}
		all = append(all, tree{"type": "URLRewrite", "urlRewrite": w})
	}
	for d.chance(0.12) {
		m := tree{"backendRef": d.backend()}
		if d.chance(0.4) {
			m["percent"] = d.IntN(101)
		} else if d.chance(0.4) {
			m["fraction"] = []tree{{"numerator": 1, "denominator": 8}, {"numerator": 5}, {"numerator": 0, "denominator": 10}}[d.IntN(3)]
		}
		all = append(all, tree{"type": "RequestMirror", "requestMirror": m})
	}
	return all
}

func (d draw) pathModifier() tree {
	if d.chance(0.4) {
		return tree{"type": "ReplaceFullPath", "replaceFullPath": d.one("/new", "/", "/x/")}
	}
	return tree{"type": "ReplacePrefixMatch", "replacePrefixMatch": d.one("/new", "/", "/x/", "")}
}

// modifier is a filter that changes the headers of requests ("Request") or answers ("Response").
func (d draw) modifier(of string) tree {
	changes := tree{}
	for _, kind := range d.some(1, 3, "set", "add", "remove") {
		if kind == "remove" {
			changes[kind] = []any{d.one("x-a", "X-B")}
		} else {
			changes[kind] = []any{tree{"name": d.one("x-a", "X-B", "x-new"), "value": d.one("1", "set.example")}}
		}
	}
	return tree{"type": of + "HeaderModifier", strings.ToLower(of) + "HeaderModifier": changes}
}

// nearRoute makes a request one that is about an HTTPRoute: to one of its parents, with what one of its matches asks for, or almost.
func (d draw) nearRoute(a *asked, route tree, gateways []string) {
	own, spec := route["metadata"].(tree)["namespace"].(string), route["spec"].(tree)
	parents := spec["parentRefs"].([]any)
	p := parents[d.IntN(len(parents))].(tree)
	namespace, _ := p["namespace"].(string)
	if namespace == "" {
		namespace = own
	}
	at, _ := p["port"].(int)
	if p["kind"] == "Service" {
		a.caller = manifests.Caller{Namespace: d.one(own, namespace, "default", "shop")}
		a.request.Host = fmt.Sprintf("%s.%s%s", p["name"], namespace, d.one("", ".svc", ".svc.cluster.local"))
		if ports := map[string]int{"three": 8000, "plain": 8080}; at == 0 {
			at = ports[p["name"].(string)]
		}
		if at != 0 && d.chance(0.8) {
			a.request.Host += fmt.Sprintf(":%d", at)
		}
	} else if name := fmt.Sprintf("%s/%s", namespace, p["name"]); slices.Contains(gateways, name) {
		a.caller, a.request.Host = manifests.Caller{Gateway: name}, d.one("api.example", "www.example", "a.api.example", "b.example", "other.org", "api.example:8080")
		if names, _ := spec["hostnames"].([]any); len(names) > 0 && d.chance(0.8) {
			a.request.Host = strings.Replace(names[d.IntN(len(names))].(string), "*", d.one("w", "api"), 1)
		}
	}
	rules := spec["rules"].([]any)
	matches, _ := rules[d.IntN(len(rules))].(tree)["matches"].([]any)
	if len(matches) > 0 {
		d.meets(a, matches[d.IntN(len(matches))].(tree))
	}
}

// meets gives a request what a match of an HTTPRoute asks for, or almost.
func (d draw) meets(a *asked, m tree) {
	q := &a.request
	if path, ok := m["path"].(tree); ok && path["type"] != "RegularExpression" {
		q.Path = path["value"].(string) + d.one("", "", "", "x", "/x", "/")
	}
	if method, ok := m["method"].(string); ok {
		q.Method = method
	}
	conditions, _ := m["headers"].([]any)
	for _, c := range conditions {
		if h := c.(tree); h["type"] == nil || h["type"] == "Exact" {
			q.Header.Set(h["name"].(string), h["value"].(string)+d.one("", "", "", "x"))
		} else {
			q.Header.Set(h["name"].(string), d.one("1", "a"))
		}
	}
	conditions, _ = m["queryParams"].([]any)
	asked := make(map[string]string)
	for _, c := range conditions {
		asked[c.(tree)["name"].(string)] = c.(tree)["value"].(string)
	}
	var query []string
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if !strings.ContainsAny(asked[name], ".*|[+") {
			query = append(query, name+"="+asked[name])
		}
	}
	if path, _, _ := strings.Cut(q.Path, "?"); len(query) > 0 {
		q.Path = path + "?" + strings.Join(query, "&")
	}
}
