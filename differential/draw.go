package differential

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// tree is an object, or a part of one, as YAML has it.
type tree = map[string]any

// draw draws objects and requests. The same seed gives the same ones.
type draw struct{ *rand.Rand }

func newDraw(seed uint64) draw { return draw{rand.New(rand.NewPCG(seed, 0))} }

func (d draw) chance(p float64) bool { return d.Float64() < p }

func (d draw) one(list ...string) string { return list[d.IntN(len(list))] }

// some are between low and high of a list, each once, in a random order.
func (d draw) some(low, high int, list ...string) (chosen []string) {
	for _, i := range d.Perm(len(list))[:min(len(list), low+d.IntN(high-low+1))] {
		chosen = append(chosen, list[i])
	}
	return chosen
}

// Names of the parts of the world, in all forms that somebody may write.
var (
	namespaces   = []string{"default", "default", "shop", "shop", "istio-system"}
	meshHosts    = []string{"one", "two", "three", "plain", "empty", "hidden", "one.default", "two.default.svc", "one.shop", "one.default.svc.cluster.local", "two.default.svc.cluster.local", "one.shop.svc.cluster.local", "three.shop.svc.cluster.local", "plain.default.svc.cluster.local"}
	oddHosts     = []string{"TWO", "One.Default.svc.cluster.local", "nobody", "nobody.shop.svc.cluster.local", "one.default.svc.cluster.local."}
	outsideHosts = []string{"api.example", "www.example", "a.api.example", "API.Example", "hidden.default.svc.cluster.local", "one.default.svc.cluster.local"}
	wildcards    = []string{"*.default.svc.cluster.local", "*.shop.svc.cluster.local", "*.svc.cluster.local", "*.cluster.local", "*.example", "*.api.example", "*.local"}
	gateways     = []string{"mesh", "door", "default/door", "shop/door", "shop/side", "side", "nowhere"}
	paths        = []string{"/", "/a", "/a/", "/a/b", "/A", "/ab", "/a.b", "/aXb", "/a/b/c"}
	headers      = []string{"x-a", "X-B", "x-forwarded-proto", "x-request-id", "x-forwarded-for", "x_c", "user-agent"}
	values       = []string{"1", "12", "A", "a", "http", "https", ""}
	subsets      = []string{"a", "b", "v1", "none", "lost"}
)

// policy draws one object of Istio. The number is part of its name, so that no two objects of a set have one name.
func (d draw) policy(number int) tree {
	kind := d.one("VirtualService", "VirtualService", "VirtualService", "VirtualService", "DestinationRule", "ServiceEntry", "Gateway", "Sidecar")
	name, namespace := fmt.Sprintf("%s%d", d.one("p", "q", "z"), number), d.one(namespaces...)
	var spec tree
	switch kind {
	case "VirtualService":
		spec = d.virtualService(false)
		if d.chance(0.08) {
			spec, name = d.virtualService(true), d.one("to", "too")
		}
	case "DestinationRule":
		spec = d.destinationRule()
	case "ServiceEntry":
		spec = d.serviceEntry()
	case "Gateway":
		name, spec = d.one("door", "side"), d.gateway()
	case "Sidecar":
		name, spec = "default", d.sidecar()
	}
	if _, ok := spec["exportTo"]; !ok && kind != "Gateway" && kind != "Sidecar" && d.chance(0.15) {
		spec["exportTo"] = []any{d.one(".", "*")}
		if kind == "VirtualService" && d.chance(0.6) {
			spec["exportTo"] = list(d.some(1, 2, "default", "shop", "istio-system", "."))
		}
	}
	return tree{"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": tree{"name": name, "namespace": namespace}, "spec": spec}
}

func list[T any](all []T) (anys []any) {
	for _, one := range all {
		anys = append(anys, one)
	}
	return anys
}

func (d draw) virtualService(delegate bool) tree {
	spec := tree{}
	if !delegate {
		pool := [][]string{meshHosts, meshHosts, outsideHosts, wildcards, oddHosts}[d.IntN(5)]
		hosts := d.some(1, 3, pool...)
		if d.chance(0.25) {
			hosts = append(hosts, d.one(outsideHosts...))
		}
		spec["hosts"] = list(hosts)
		if d.chance(0.5) {
			spec["gateways"] = list(d.some(1, 3, gateways...))
			if d.chance(0.2) {
				spec["hosts"] = []any{"*"}
			}
		}
	}
	var http []any
	for range 1 + d.IntN(4) {
		http = append(http, d.http(delegate))
	}
	spec["http"] = http
	return spec
}

func (d draw) http(delegate bool) tree {
	h := tree{}
	if d.chance(0.75) {
		var matches []any
		for range 1 + d.IntN(2) {
			matches = append(matches, d.match())
		}
		h["match"] = matches
	}
	switch {
	case !delegate && d.chance(0.08):
		to := tree{"name": d.one("to", "too")}
		if d.chance(0.5) {
			to["namespace"] = d.one("default", "shop")
		}
		h["delegate"] = to
	case d.chance(0.08):
		h["redirect"] = tree{"uri": d.one(paths...), "redirectCode": 302}
		if d.chance(0.3) {
			h["redirect"] = tree{"authority": "elsewhere.example"}
		}
		if d.chance(0.2) {
			h["headers"] = d.changes()
		}
		return h
	case d.chance(0.1):
		h["directResponse"] = tree{"status": 418, "body": tree{"string": "tea"}}
		if d.chance(0.2) {
			h["headers"] = d.changes()
		}
		return h
	default:
		h["route"] = d.route()
	}
	d.extras(h)
	d.mirrors(h)
	return h
}

// mirrors are the fields by which requests are copied.
func (d draw) mirrors(h tree) {
	to := func() tree { return d.route()[0].(tree)["destination"].(tree) }
	percentage := func() tree { return []tree{{"value": 0}, {"value": 100}, {"value": 12.5}, {"value": 0.01}}[d.IntN(4)] }
	if d.chance(0.2) {
		h["mirror"] = to()
	}
	if d.chance(0.15) {
		h["mirrorPercentage"] = percentage()
	}
	if d.chance(0.1) {
		h["mirrorPercent"] = d.IntN(101)
	}
	if d.chance(0.15) {
		var all []any
		for range 1 + d.IntN(2) {
			m := tree{"destination": to()}
			if d.chance(0.7) {
				m["percentage"] = percentage()
			}
			all = append(all, m)
		}
		h["mirrors"] = all
	}
}

// extras are the fields beside a route.
func (d draw) extras(h tree) {
	if d.chance(0.15) {
		h["rewrite"] = []tree{{"uri": d.one("/new", "/", "/x/")}, {"authority": "inside.example"}, {"uri": "/new", "authority": "in"},
			{"uriRegexRewrite": tree{"match": "/a(.*)", "rewrite": `/z\1`}}}[d.IntN(4)]
	}
	if d.chance(0.1) {
		h["timeout"] = d.one("1s", "2s", "0s")
	}
	if d.chance(0.2) {
		retries := tree{"attempts": 1 + d.IntN(4)}
		if d.chance(0.7) {
			retries["retryOn"] = d.one("5xx", "503", "gateway-error,500", "reset,connect-failure", "retriable-4xx", "500,429", "envoy-ratelimited", "retriable-status-codes")
		}
		if d.chance(0.3) {
			retries["perTryTimeout"] = d.one("500ms", "1s", "3s")
		}
		if d.chance(0.2) {
			retries["backoff"] = d.one("10ms", "1s")
		}
		if d.chance(0.2) {
			retries["retryIgnorePreviousHosts"] = d.chance(0.5)
		}
		h["retries"] = retries
		if d.chance(0.15) {
			h["retries"] = tree{"attempts": 0}
		}
	}
	if d.chance(0.08) {
		h["fault"] = []tree{{"abort": tree{"httpStatus": 503, "percentage": tree{"value": 25.5}}}, {"delay": tree{"fixedDelay": "1s", "percentage": tree{"value": 0.5}}},
			{"abort": tree{"httpStatus": 404}}, {"delay": tree{"fixedDelay": "1s", "percent": 30}, "abort": tree{"httpStatus": 500, "percentage": tree{"value": 100}}}}[d.IntN(4)]
	}
	if d.chance(0.12) {
		h["headers"] = d.changes()
	}
}

// changes are changes of headers.
func (d draw) changes() tree {
	operations := func(names ...string) tree {
		all := tree{}
		for _, kind := range d.some(1, 3, "set", "add", "remove") {
			if kind == "remove" {
				all[kind] = []any{d.one("x-a", "X-B")}
			} else {
				all[kind] = tree{d.one(names...): d.one("1", "set.example", "5%%")}
			}
		}
		return all
	}
	h := tree{}
	if d.chance(0.7) {
		h["request"] = operations("x-a", "X-B", "x-new", "host", ":authority")
	}
	if d.chance(0.4) {
		h["response"] = operations("x-a", "X-B", "x-new")
	}
	return h
}

func (d draw) route() []any {
	var route []any
	for range []int{1, 1, 1, 2, 2, 3}[d.IntN(6)] {
		to := tree{"host": d.one(d.destinationHosts()...)}
		if d.chance(0.3) {
			to["subset"] = d.one(subsets...)
		}
		if d.chance(0.25) {
			to["port"] = tree{"number": []int{80, 81, 8000, 8080, 443, 9}[d.IntN(6)]}
		}
		destination := tree{"destination": to}
		if d.chance(0.8) {
			destination["weight"] = []int{0, 1, 20, 80, 100}[d.IntN(5)]
		}
		if d.chance(0.08) {
			destination["headers"] = d.changes()
		}
		route = append(route, destination)
	}
	return route
}

func (d draw) destinationHosts() []string {
	return [][]string{meshHosts, meshHosts, meshHosts, outsideHosts, oddHosts}[d.IntN(5)]
}

func (d draw) match() tree {
	m := tree{}
	part := func(p float64, name string, draw func() any) {
		if d.chance(p) {
			m[name] = draw()
		}
	}
	part(0.45, "uri", func() any { return d.text(paths...) })
	part(0.1, "ignoreUriCase", func() any { return d.chance(0.8) })
	part(0.1, "method", func() any { return d.text("GET", "POST", "get") })
	part(0.1, "authority", func() any { return d.text("one", "one.default", "api.example", "two:81", "One", "api.example:80") })
	part(0.3, "headers", func() any { return d.named(headers) })
	part(0.12, "withoutHeaders", func() any { return d.named(headers) })
	part(0.15, "queryParams", func() any { return d.named([]string{"q", "Q", "r"}) })
	part(0.12, "port", func() any { return []int{80, 81, 8080, 8000}[d.IntN(4)] })
	part(0.1, "sourceNamespace", func() any { return d.one("default", "shop", "istio-system") })
	part(0.12, "sourceLabels", func() any {
		return []tree{{"app": "caller"}, {"app": "caller", "version": "v2"}, {"app": "other"}, {"app": "caller", "version": "v1"}, {"istio": "ingressgateway"}}[d.IntN(5)]
	})
	part(0.15, "gateways", func() any { return list(d.some(1, 2, gateways...)) })
	return m
}

func (d draw) named(names []string) tree {
	all := tree{}
	for _, name := range d.some(1, 2, names...) {
		all[name] = d.text(values...)
		if d.chance(0.15) {
			all[name] = tree{}
		}
	}
	return all
}

func (d draw) text(pool ...string) tree {
	s := d.one(pool...)
	switch d.IntN(5) {
	case 0, 1:
		return tree{"exact": s}
	case 2, 3:
		return tree{"prefix": s}
	}
	return tree{"regex": d.one(".*", "*", s, s+".*", "["+strings.ReplaceAll(s, "/", "")+"x]+", s+"|1", ".+", "")}
}

func (d draw) destinationRule() tree {
	spec := tree{"host": d.one([][]string{meshHosts, meshHosts, meshHosts, outsideHosts, oddHosts, wildcards}[d.IntN(6)]...)}
	var all []any
	for _, name := range d.some(0, 3, "a", "b", "v1", "none") {
		one := tree{"name": name, "labels": tree{"version": d.one(name, name, name, "a", "b")}}
		if d.chance(0.35) {
			one["trafficPolicy"] = d.trafficPolicy()
		}
		all = append(all, one)
	}
	if len(all) > 0 {
		spec["subsets"] = all
	}
	if d.chance(0.6) {
		spec["trafficPolicy"] = d.trafficPolicy()
	}
	return spec
}

func (d draw) trafficPolicy() tree {
	balancer := func() tree { return tree{"simple": d.one("ROUND_ROBIN", "RANDOM", "LEAST_REQUEST")} }
	policy := tree{}
	if d.chance(0.2) { // by itself, since one of the other settings is refused more often than not
		policy["retryBudget"] = d.retryBudget(0.9)
		if d.chance(0.3) {
			policy["connectionPool"] = tree{"http": tree{"maxRetries": d.IntN(4)}}
		}
		return policy
	}
	if d.chance(0.7) {
		policy["loadBalancer"] = balancer()
	}
	if d.chance(0.3) {
		policy["tls"] = d.tls()
	}
	if d.chance(0.4) {
		policy["connectionPool"] = d.connectionPool()
	}
	if d.chance(0.4) {
		policy["outlierDetection"] = d.outlierDetection()
	}
	if d.chance(0.4) {
		policy["retryBudget"] = d.retryBudget(0.3)
	}
	if d.chance(0.4) {
		at := tree{"port": tree{"number": []int{80, 80, 81, 8080, 443}[d.IntN(5)]}, "loadBalancer": balancer()}
		if d.chance(0.3) {
			at["tls"] = d.tls()
		}
		if d.chance(0.5) {
			at["connectionPool"] = d.connectionPool()
		}
		if d.chance(0.5) {
			at["outlierDetection"] = d.outlierDetection()
		}
		policy["portLevelSettings"] = []any{at}
	}
	return policy
}

// retryBudget has each of its settings with a probability.
func (d draw) retryBudget(each float64) tree {
	all := tree{}
	if d.chance(each) {
		all["percent"] = []float64{0, 0.5, 20, 25, 33.3, 100}[d.IntN(6)]
	}
	if d.chance(each) {
		all["minRetryConcurrency"] = d.IntN(12)
	}
	return all
}

// connectionPool has limits, now and then one that Istio refuses.
func (d draw) connectionPool() tree {
	return tree{"http": d.settings(map[string]any{"http1MaxPendingRequests": d.IntN(5) - 1, "http2MaxRequests": d.IntN(4), "maxRetries": d.IntN(4), "maxRequestsPerConnection": d.IntN(3),
		"idleTimeout": d.one("1s", "5m"), "h2UpgradePolicy": d.one("DEFAULT", "DO_NOT_UPGRADE"), "useClientProtocol": d.chance(0.1), "maxConcurrentStreams": d.IntN(3)}),
		"tcp": d.settings(map[string]any{"maxConnections": d.IntN(5) - 1, "connectTimeout": d.one("30ms", "0s", "10s"), "idleTimeout": d.one("0s", "1m"), "tcpKeepalive": tree{"time": "7200s"}})}
}

// outlierDetection has settings, now and then one that Istio refuses.
func (d draw) outlierDetection() tree {
	return d.settings(map[string]any{"consecutive5xxErrors": d.IntN(4), "consecutiveGatewayErrors": d.IntN(4), "splitExternalLocalOriginErrors": d.chance(0.7), "consecutiveLocalOriginFailures": d.IntN(3),
		"interval": d.one("1s", "300ms", "1m"), "baseEjectionTime": d.one("1s", "3m"), "maxEjectionPercent": d.IntN(104), "minHealthPercent": d.IntN(104) - 1, "consecutiveErrors": d.IntN(3)})
}

// settings are some of the fields.
func (d draw) settings(fields map[string]any) tree {
	all := tree{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if d.chance(0.3) {
			all[name] = fields[name]
		}
	}
	return all
}

// tls is how a proxy is to open TLS.
func (d draw) tls() tree {
	tls := tree{"mode": d.one("DISABLE", "ISTIO_MUTUAL", "SIMPLE", "SIMPLE", "MUTUAL")}
	if tls["mode"] == "MUTUAL" || d.chance(0.05) {
		tls["clientCertificate"], tls["privateKey"] = "/cert.pem", "/key.pem"
	}
	part := func(p float64, name string, value any) {
		if d.chance(p) {
			tls[name] = value
		}
	}
	part(0.3, "sni", d.one("api.example", "Api.Example", "other.example"))
	part(0.2, "subjectAltNames", []any{d.one("api.example", "www.example")})
	part(0.15, "insecureSkipVerify", d.chance(0.8))
	part(0.15, "credentialName", "secret")
	part(0.15, "caCertificates", "/ca.pem")
	return tls
}

func (d draw) serviceEntry() tree {
	var ports []any
	for _, port := range d.Perm(4)[:1+d.IntN(2)] {
		ports = append(ports, []any{tree{"number": 80, "name": "http", "protocol": "HTTP"}, tree{"number": 8081, "name": "http-x", "protocol": "http"},
			tree{"number": 443, "name": "https", "protocol": "HTTPS"}, tree{"number": 81, "name": "web", "protocol": "HTTP"}}[port])
	}
	for _, port := range ports {
		if d.chance(0.25) {
			port.(tree)["targetPort"] = []int{443, 8443, 80}[d.IntN(3)]
		}
	}
	if d.chance(0.1) {
		ports = append(ports, tree{"number": 9000, "name": "data", "protocol": d.one("TCP", "MONGO", "TLS")})
	}
	spec := tree{"hosts": list(d.some(1, 2, outsideHosts...)), "ports": ports, "resolution": d.one("DNS", "DNS", "NONE", "STATIC", "STATIC", "DNS_ROUND_ROBIN")}
	if d.chance(0.15) {
		spec["hosts"] = list(d.some(1, 2, "*.example", "*.api.example", "api.example"))
	}
	if d.chance(0.5) {
		spec["location"] = d.one("MESH_EXTERNAL", "MESH_EXTERNAL", "MESH_INTERNAL")
	}
	if d.chance(0.5) || spec["resolution"] == "STATIC" {
		spec["endpoints"] = d.endpoints(ports, spec["resolution"].(string))
	}
	if d.chance(0.1) {
		spec["addresses"] = []any{d.one("240.1.1.1", "240.1.1.2", "10.9.0.0/16")}
	}
	if d.chance(0.1) {
		spec["subjectAltNames"] = []any{"www.example"}
	}
	return spec
}

// endpoints are those of a ServiceEntry with these ports.
func (d draw) endpoints(ports []any, resolution string) (all []any) {
	for range d.IntN(3) {
		address := d.one("198.51.100.1", "198.51.100.2", "198.51.100.3")
		if resolution != "STATIC" && d.chance(0.7) {
			address = d.one("us.example.org", "eu.example.org")
		}
		e := tree{"address": address}
		if d.chance(0.7) {
			e["labels"] = tree{"version": d.one("a", "b", "v1")}
		}
		if d.chance(0.3) {
			e["ports"] = tree{ports[d.IntN(len(ports))].(tree)["name"].(string): []int{8443, 80, 443}[d.IntN(3)]}
		}
		all = append(all, e)
	}
	return all
}

func (d draw) gateway() tree {
	port := []int{80, 8080}[d.IntN(2)]
	var servers []any
	for i := range 1 + d.IntN(2) {
		var hosts []any
		for _, host := range d.some(1, 2, "*", "*.example", "api.example", "www.example", "one.default.svc.cluster.local", "*.svc.cluster.local", "API.example", "one") {
			if d.chance(0.3) {
				host = d.one("./", "*/", "shop/", "default/") + host
			}
			hosts = append(hosts, host)
		}
		servers = append(servers, tree{"port": tree{"number": port, "name": fmt.Sprintf("http-%d", i), "protocol": "HTTP"}, "hosts": hosts})
	}
	spec := tree{"servers": servers}
	if d.chance(0.9) {
		spec["selector"] = tree{"istio": d.one("ingressgateway", "ingressgateway", "ingress")}
	}
	return spec
}

func (d draw) sidecar() tree {
	spec := tree{}
	if d.chance(0.8) {
		var hosts []any
		for range 1 + d.IntN(3) {
			host := d.one("*", "*", "one.default.svc.cluster.local", "two.default.svc.cluster.local", "one.shop.svc.cluster.local", "*.shop.svc.cluster.local", "*.default.svc.cluster.local", "*.example", "api.example", "one", "hidden.default.svc.cluster.local")
			hosts = append(hosts, d.one("./", "*/", "default/", "shop/", "istio-system/", "~/")+host)
		}
		spec["egress"] = []any{tree{"hosts": hosts}}
	}
	if d.chance(0.7) {
		spec["outboundTrafficPolicy"] = tree{"mode": d.one("REGISTRY_ONLY", "REGISTRY_ONLY", "ALLOW_ANY")}
	}
	return spec
}

// text is a set of objects in YAML.
func text(objects []tree) string {
	var all []string
	for _, o := range objects {
		data, err := yaml.Marshal(o)
		if err != nil {
			panic(err) // trees are of maps, lists, texts and numbers
		}
		all = append(all, string(data))
	}
	return strings.Join(all, "---\n")
}
