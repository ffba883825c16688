package differential

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// asked is a request and who sends it.
type asked struct {
	caller  manifests.Caller
	request manifests.Request
}

func (a *asked) String() string {
	from := "the sidecar of a pod in " + a.caller.Namespace
	if a.caller.Gateway != "" {
		from = "Gateway " + a.caller.Gateway
	}
	var all []string
	for name, values := range a.request.Header {
		all = append(all, fmt.Sprintf("%s: %q", name, values))
	}
	return fmt.Sprintf("%s %s%s %s by %s", a.request.Method, a.request.Host, a.request.Path, strings.Join(all, ", "), from)
}

// near draws a request that is about one of the objects: it has a host of it, and what one of its matches asks for, or almost.
func (d draw) near(policies []tree, gateways []string) asked {
	a := d.request(gateways)
	about := policies[d.IntN(len(policies))]
	if about["kind"] == "HTTPRoute" {
		d.nearRoute(&a, about, gateways)
		return a
	}
	spec, _ := about["spec"].(tree)
	if hosts, _ := spec["hosts"].([]any); len(hosts) > 0 {
		host := strings.Replace(hosts[d.IntN(len(hosts))].(string), "*", d.one("w", "one", "api"), 1)
		if _, text, found := strings.Cut(a.request.Host, ":"); found {
			host += ":" + text
		}
		a.request.Host = host
	}
	http, _ := spec["http"].([]any)
	if len(http) == 0 {
		return a
	}
	matches, _ := http[d.IntN(len(http))].(tree)["match"].([]any)
	if len(matches) == 0 {
		return a
	}
	match := matches[d.IntN(len(matches))].(tree)
	if uri, ok := match["uri"].(tree); ok {
		a.request.Path = d.asWanted(uri, a.request.Path)
	}
	if method, ok := match["method"].(tree); ok {
		a.request.Method = d.asWanted(method, a.request.Method)
	}
	if headers, ok := match["headers"].(tree); ok {
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			a.request.Header.Set(name, d.asWanted(headers[name].(tree), "1"))
		}
	}
	if namespace, ok := match["sourceNamespace"].(string); ok && a.caller.Gateway == "" {
		a.caller.Namespace = namespace
	}
	return a
}

// asWanted is a text that a condition is about; otherwise is that where it names none.
func (d draw) asWanted(condition tree, otherwise string) string {
	for _, kind := range []string{"exact", "prefix"} {
		if text, ok := condition[kind].(string); ok && text != "" {
			return text + d.one("", "", "", "x", "/x")
		}
	}
	return otherwise
}

// request draws a request that a set of objects may be about. Gateways are those of the set, "namespace/name".
func (d draw) request(gateways []string) asked {
	a := asked{caller: manifests.Caller{Namespace: d.one("default", "default", "shop", "shop", "istio-system")}}
	host := d.one([][]string{meshHosts, meshHosts, meshHosts, outsideHosts, oddHosts}[d.IntN(5)]...)
	if d.chance(0.15) {
		host = d.one("b.example", "x.api.example", "new.default.svc.cluster.local", "one.default.", "one.", "two.default.svc.cluster.local.", "one.default.svc", "three.shop.svc", "240.1.1.1", "two.default", "API.EXAMPLE", "other.org")
	}
	if len(gateways) > 0 && d.chance(0.4) {
		a.caller = manifests.Caller{Gateway: d.one(gateways...)}
		host = d.one("api.example", "www.example", "a.api.example", "one.default.svc.cluster.local", "one", "two.default.svc.cluster.local", "api.example:8080", "other.org", "API.example")
	}
	if a.caller.Gateway == "" && d.chance(0.3) {
		host += d.one(":80", ":81", ":8080", ":8000", ":8081", ":9")
	}
	a.request = manifests.Request{Host: host, Method: d.one("GET", "GET", "POST"), Path: d.one(paths...), Header: http.Header{}}
	if d.chance(0.3) {
		a.request.Path += d.one("?q=1", "?q", "?q=12&r=a", "?Q=1", "?r=&q=a", "?")
	}
	for _, name := range d.some(0, 2, headers...) {
		a.request.Header.Add(name, d.one(values...))
	}
	if len(a.request.Header) > 0 && d.chance(0.1) {
		a.request.Header.Add("X-A", d.one(values...))
	}
	return a
}
