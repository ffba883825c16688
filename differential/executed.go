package differential

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// The time limits and faults of executed policies. A try that hangs takes hangTime, which is longer than each limit by more than what the
// oracle calls a race (oracle.Margin), and so is each limit than a try that does not.
const hangTime = 2400 * time.Millisecond

var (
	perTries  = []string{"600ms", "900ms"}
	timeouts  = []string{"1500ms", "1800ms", "30s"}
	bases     = []string{"1ms", "10ms", "60ms", "120ms"}
	retryOns  = []string{"5xx", "500", "500", "5xx,retriable-4xx", "gateway-error,500", "gateway-error", "reset,connect-failure", "503,429", "reset-before-request", "retriable-status-codes"}
	delays    = []string{"50ms", "300ms"}
	abortions = []int{403, 418, 503, 555}
)

// executedWorld has n Services that fail and hang as their requests ask for, in two versions of one or two pods, and those who call them.
func (d draw) executedWorld(n int) string {
	all := []string{chained("caller", "default", "v1", 1), chained("caller", "shop", "v1", 1)}
	for i := range n {
		name, namespace := executedName(i)
		all = append(all, serviceOf(name, namespace, "", "{name: http, port: 80, targetPort: 3000}"),
			chained(name, namespace, "a", 1), chained(name, namespace, "b", 1+d.IntN(2)))
	}
	return strings.Join(all, "\n---\n")
}

func executedName(i int) (name, namespace string) {
	return fmt.Sprintf("s%d", i), []string{"default", "shop"}[i%2]
}

func executedHost(i int) string {
	name, namespace := executedName(i)
	return name + "." + namespace + ".svc.cluster.local"
}

// chained is the Deployment of a demo service that calls nobody.
func chained(app, namespace, version string, replicas int) string {
	plain := deployment(app, namespace, version, replicas)
	return strings.Replace(plain, "{name: ROLE, value: script}", fmt.Sprintf(`{name: CALLS, value: "[]"}, {name: HANG_DURATION, value: %v}`, hangTime), 1)
}

// executedDoor is the Gateway of executed policies.
var executedDoor = tree{"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": tree{"name": "door", "namespace": "default"},
	"spec": tree{"selector": tree{"istio": "ingressgateway"}, "servers": []any{tree{"port": tree{"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": []any{"*"}}}}}

// executed draws the policy of one of n Services: what sidecars, and often a gateway too, do with the requests for it, and its versions.
func (d draw) executed(i, n int) (virtualService, destinationRule tree) {
	name, namespace := executedName(i)
	object := func(kind string, spec tree) tree {
		return tree{"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": tree{"name": name, "namespace": namespace}, "spec": spec}
	}
	spec := tree{"hosts": []any{d.one(name, executedHost(i))}}
	if d.chance(0.5) {
		spec["hosts"] = append(spec["hosts"].([]any), name+".example")
		spec["gateways"] = []any{"mesh", "default/door"}
	}
	var http []any
	for range d.IntN(4) {
		h := d.executedHTTP(i, n)
		h["match"] = list([]tree{d.executedMatch(), d.executedMatch()}[:1+d.IntN(2)])
		http = append(http, h)
	}
	if len(http) == 0 || d.chance(0.9) {
		http = append(http, d.executedHTTP(i, n))
	}
	spec["http"] = http
	var subsets []any
	for _, version := range []string{"a", "b", "lost"} {
		subsets = append(subsets, tree{"name": version, "labels": tree{"version": version}})
	}
	rule := tree{"host": executedHost(i), "subsets": subsets}
	if d.chance(0.5) {
		rule["trafficPolicy"] = tree{"loadBalancer": tree{"simple": d.one("ROUND_ROBIN", "RANDOM", "LEAST_REQUEST")}}
	}
	return object("VirtualService", spec), object("DestinationRule", rule)
}

// executedHTTP draws an http entry without a match.
func (d draw) executedHTTP(i, n int) tree {
	switch {
	case d.chance(0.06):
		return tree{"redirect": tree{"uri": d.one(paths...), "authority": "elsewhere.example", "redirectCode": []int{301, 302, 307}[d.IntN(3)]}}
	case d.chance(0.06):
		return tree{"directResponse": tree{"status": []int{200, 418, 503}[d.IntN(3)], "body": tree{"string": "tea"}}}
	}
	h := tree{}
	var route []any
	for _, j := range append([]int{i}, d.Perm(n)[:[]int{0, 0, 1, 2}[d.IntN(4)]]...) {
		to := tree{"host": executedHost(j)}
		switch {
		case d.chance(0.5):
			to["subset"] = d.one("a", "b")
		case d.chance(0.06):
			to["subset"] = d.one("lost", "none")
		}
		route = append(route, tree{"destination": to, "weight": []int{0, 1, 10, 30, 50, 90}[d.IntN(6)]})
	}
	route[0].(tree)["weight"] = 10 + d.IntN(90)
	h["route"] = route
	d.executedExtras(h)
	return h
}

// executedExtras are the fields beside a route.
func (d draw) executedExtras(h tree) {
	if d.chance(0.7) {
		retries := tree{"attempts": d.IntN(6), "retryOn": d.one(retryOns...)}
		if retries["attempts"] == 0 {
			delete(retries, "retryOn")
		} else {
			if d.chance(0.35) {
				retries["perTryTimeout"] = d.one(perTries...)
			}
			if d.chance(0.6) {
				retries["backoff"] = d.one(bases...)
			}
			if d.chance(0.2) {
				retries["retryIgnorePreviousHosts"] = d.chance(0.5)
			}
		}
		h["retries"] = retries
	}
	if d.chance(0.25) {
		h["timeout"] = d.one(timeouts...)
	}
	if d.chance(0.2) {
		fault, percentages := tree{}, []float64{100, 50, 10, 1.5}
		if d.chance(0.6) {
			fault["abort"] = tree{"httpStatus": abortions[d.IntN(len(abortions))], "percentage": tree{"value": percentages[d.IntN(4)]}}
		}
		if len(fault) == 0 || d.chance(0.3) {
			fault["delay"] = tree{"fixedDelay": d.one(delays...), "percentage": tree{"value": percentages[d.IntN(4)]}}
		}
		h["fault"] = fault
	}
	if d.chance(0.25) {
		h["rewrite"] = []tree{{"uri": d.one("/new", "/", "/x/")}, {"authority": "inside.example"}, {"uri": "/new", "authority": "in"},
			{"uriRegexRewrite": tree{"match": "/a(.*)", "rewrite": `/z\1`}}}[d.IntN(4)]
	}
	if d.chance(0.25) {
		h["headers"] = d.changes()
	}
}

// executedMatch draws a match that asks for something.
func (d draw) executedMatch() tree {
	m := tree{}
	for len(m) == 0 {
		if d.chance(0.5) {
			m["uri"] = d.text(paths...)
		}
		if d.chance(0.4) {
			m["headers"] = d.named([]string{"x-a", "X-B"})
		}
		if d.chance(0.15) {
			m["withoutHeaders"] = d.named([]string{"x-a", "X-B"})
		}
		if d.chance(0.15) {
			m["method"] = tree{"exact": d.one("GET", "POST")}
		}
		if d.chance(0.15) {
			m["queryParams"] = d.named([]string{"q"})
		}
		if d.chance(0.1) {
			m["ignoreUriCase"] = true
		}
	}
	return m
}

// executedRequest draws a request for a VirtualService that executed drew: three in four have what one of its matches asks for, or almost.
func (d draw) executedRequest(virtualService tree) asked {
	metadata, spec := virtualService["metadata"].(tree), virtualService["spec"].(tree)
	name, namespace := metadata["name"].(string), metadata["namespace"].(string)
	a := asked{caller: manifests.Caller{Namespace: d.one("default", "shop")}}
	a.request = manifests.Request{Host: name + "." + namespace + d.one("", ".svc", ".svc.cluster.local"), Method: d.one("GET", "GET", "POST"), Path: d.one(paths...), Header: http.Header{}}
	if a.caller.Namespace == namespace && d.chance(0.3) {
		a.request.Host = name
	}
	if d.chance(0.2) {
		a.request.Host += ":80"
	}
	if spec["gateways"] != nil && d.chance(0.4) {
		a.request.Host = name + ".example"
		if d.chance(0.7) {
			a.caller = manifests.Caller{Gateway: "default/door", Port: 80}
		}
	}
	if d.chance(0.2) {
		a.request.Path += d.one("?q=1", "?q", "?q=12&r=a")
	}
	for _, name := range d.some(0, 1, "x-a", "X-B") {
		a.request.Header.Set(name, d.one("1", "12", "A", "a"))
	}
	entries := spec["http"].([]any)
	matches, _ := entries[d.IntN(len(entries))].(tree)["match"].([]any)
	if len(matches) == 0 || d.chance(0.25) {
		return a
	}
	d.toMeet(&a.request, matches[d.IntN(len(matches))].(tree))
	return a
}

// toMeet gives a request what a match asks for, or almost.
func (d draw) toMeet(q *manifests.Request, match tree) {
	if uri, ok := match["uri"].(tree); ok {
		q.Path = d.asWanted(uri, q.Path)
	}
	if method, ok := match["method"].(tree); ok {
		q.Method = method["exact"].(string)
	}
	if headers, ok := match["headers"].(tree); ok {
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			q.Header.Set(name, d.asWanted(headers[name].(tree), "1"))
		}
	}
}
