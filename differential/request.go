package differential

import (
	"fmt"
	"net/http"
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

// request draws a request that a set of objects may be about. Gateways are those of the set, "namespace/name".
func (d draw) request(gateways []string) asked {
	a := asked{caller: manifests.Caller{Namespace: d.one("default", "default", "shop")}}
	host := d.one([][]string{meshHosts, meshHosts, meshHosts, outsideHosts, oddHosts}[d.IntN(5)]...)
	if d.chance(0.15) {
		host = d.one("b.example", "x.api.example", "new.default.svc.cluster.local", "one.default.", "one.", "two.default.svc.cluster.local.", "one.default.svc", "three.shop.svc", "two.default", "API.EXAMPLE", "other.org")
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
