package target_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/service"
)

// base is the set of objects over which every row is laid. Service "one" has one pod, "two" has the versions a and b, "three" has
// three pods, "twin" has two ports and the pods of "two", "empty" has no Deployment, "gone" has a Deployment of no pods, and "hidden" and
// "vault" are outside the registry, the latter with TLS at port 443 and pods that no sidecar guards. The sidecar of the app "caller" sends the requests.
var base = deployment("script", "one", "v1", 1) + deployment("script", "two", "a", 1) + deployment("script", "two", "b", 1) +
	deployment("script", "three", "v1", 3) + deployment("script", "gone", "v1", 0) + deployment("script", "frontend", "prod", 1) +
	deployment("script", "vault", "v1", 1) + deployment("relay", "caller", "v1", 1) + serviceOf("one") + serviceOf("two") + serviceOf("three") + serviceOf("empty") +
	serviceOf("gone") + serviceOf("frontend") + twin + hidden + vault + `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: two}
spec:
  host: two
  subsets: [{name: a, labels: {version: a}}, {name: b, labels: {version: b}}, {name: none, labels: {version: c}}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec:
  egress: [{hosts: ["./*"]}]
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
---
`

// twin is another Service of the pods of two, with two ports.
const twin = `
apiVersion: v1
kind: Service
metadata: {name: twin}
spec: {selector: {app: two}, ports: [{name: http, port: 80, targetPort: 3000}, {name: http-more, port: 8081, targetPort: 3000}]}
---
`

// hidden is a Service of the pods of one that is outside the registry of the mesh.
const hidden = `
apiVersion: v1
kind: Service
metadata: {name: hidden, annotations: {networking.istio.io/exportTo: "~"}}
spec: {selector: {app: one}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
`

// vault is a Service outside the registry whose pods speak TLS at its port 443.
const vault = `
apiVersion: v1
kind: Service
metadata: {name: vault, annotations: {networking.istio.io/exportTo: "~"}}
spec: {selector: {app: vault}, ports: [{name: http, port: 80, targetPort: 3000}, {name: http-tls, port: 443, targetPort: 3443}]}
---
`

func deployment(role, app, version string, replicas int) string {
	if role == "relay" {
		role += "}, {name: UPSTREAM_URI, value: \"http://one/\"" // the relay sends its probes there
	}
	if app == "vault" {
		role += "}, {name: TLS_PORT, value: \"3443\""
	}
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s-%[3]s}
spec:
  replicas: %[4]d
  selector: {matchLabels: {app: %[2]s, version: %[3]s}}
  template:
    metadata: {labels: {app: %[2]s, version: %[3]s}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: app
          image: hello-service
          imagePullPolicy: IfNotPresent
          env: [{name: ROLE, value: %[1]s}, {name: SERVICE_NAME, value: %[2]s-%[3]s}, {name: PORT, value: "3000"}, {name: HANG_DURATION, value: 1m}]
          ports: [{containerPort: 3000}]
---
`, role, app, version, replicas)
}

func serviceOf(app string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app: %[1]s}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
`, app)
}

// rules is a VirtualService for host with these http entries, in flow style.
func rules(host string, routes ...string) string {
	return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %s}
spec:
  hosts: [%q]
  http:
    - {%s}
---
`, strings.ReplaceAll(host, ".", "-"), host, strings.Join(routes, "}\n    - {"))
}

// to is a route's destination: "two" or "two/a".
func to(destination string) string {
	host, subset, ok := strings.Cut(destination, "/")
	if ok {
		subset = ", subset: " + subset
	}
	return fmt.Sprintf("route: [{destination: {host: %s%s}}]", host, subset)
}

// split is a route's destinations with their weights: "two/a 80", "two/b 20".
func split(arms ...string) string {
	var route []string
	for _, arm := range arms {
		destination, weight, ok := strings.Cut(arm, " ")
		if ok {
			weight = ", weight: " + weight
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(to(destination), "route: [{"), "}]")
		route = append(route, "{"+inner+weight+"}")
	}
	return "route: [" + strings.Join(route, ", ") + "]"
}

// retried is a VirtualService for host one with a retry policy.
func retried(policy string) string { return rules("one", to("one")+", retries: {"+policy+"}") }

// first is a VirtualService for host one that sends the requests that the match admits to "one" and all others to "two", version
// b.
func first(match string) string { return rules("one", "match: ["+match+"], "+to("one"), to("two/b")) }

// script is a request to one whose app answers the n-th try with the n-th of the words.
func script(words string) request {
	return request{host: "one", header: map[string]string{service.HeaderScript: words}}
}

// via is a request to one with a header.
func via(name, value string) request {
	return request{host: "one", header: map[string]string{name: value}}
}

// at is a request to a path of one.
func at(path string) request { return request{host: "one", path: path} }

// gateway is a Gateway for host one.example and a VirtualService bound to it.
func gateway(route string) string {
	return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["one.example"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: door}
spec:
  hosts: ["one.example"]
  gateways: [door]
  http:
    - {` + route + `}
---
`
}

const (
	disconnected = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
	tooLate      = "upstream request timeout"
)

// exactly is a span of one count.
func exactly(n int64) *span { return &span{n, n} }

// part is rows of the contract about one thing, under the title that docs/istio-facts.md gives them.
type part struct {
	title string
	rows  []row
}

// parts are the contract: what real Istio was measured to do for objects in a namespace. Their rows hold for every target.
func parts(namespace string) []part {
	return []part{
		{"No rule, and a rule without retries", defaultRows()}, {"What retryOn covers", retryClassRows()}, {"How often a call is sent again", retryCountRows()},
		{"Time limits", timeoutRows()}, {"Waits before retries", backOffRows()}, {"Hosts and destinations", routingRows(namespace)},
		{"Splits and load balancers", slices.Concat(splitRows(), balancerRows())}, {"Headers and methods", headerRows()}, {"Paths, authorities and queries", uriRows(namespace)},
		{"The registry", registryRows(namespace)}, {"Faults, direct answers and redirects", slices.Concat(faultRows(), redirectRows())}, {"Entries", entryRows()},
		{"Rewrites, changed headers, delegates, mirrors and source labels", codeRows(namespace)}, {"Gateway API, case by case", gatewayAPIRows()},
		{"Objects of another namespace, and what Services say", slices.Concat(namespaceRows(namespace), serviceFieldRows(namespace))},
		{"Limits, ejections and hashes", slices.Concat(policyRows(namespace), limitRows(), brokenRows(namespace), hashRows(), policyLimitRows(namespace))},
		{"Shares, delegates of a namespace and exportTo", slices.Concat(shareRows(namespace), exportRows(namespace))},
		{"Near misses", nearMissRows()}, {"Precedence", precedenceRows()},
		{"Hosts outside the mesh", slices.Concat(serviceEntryRows(namespace), originationRows(namespace))}, {"Limits of Gateways, ServiceEntries and Sidecars", edgeLimitRows(namespace)},
	}
}

// table is the rows of all parts.
func table(namespace string) (rows []row) {
	for _, part := range parts(namespace) {
		rows = append(rows, part.rows...)
	}
	return rows
}

// qualified is the full name of a Service.
func qualified(service, namespace string) string {
	return service + "." + namespace + ".svc.cluster.local"
}

// one is a row with a single exchange.
func one(name, policy string, r request, w want) row {
	return row{name, policy, []exchange{{request: r, want: w}}}
}

func defaultRows() []row {
	none := func(word string, status int, body string) row {
		return one("no rule, app answers "+word, "", script(word+",200"),
			want{Status: status, Body: body, Tries: exactly(1), Attempts: "1", Flags: "-", Detail: "via_upstream"})
	}
	return []row{
		none("500", 500, ""), none("503", 503, ""),
		none("reset", 503, disconnected), none("close", 503, disconnected),
		{"a rule without retries", rules("one", to("one")), []exchange{
			{request: script("500,200"), want: want{Status: 500, Tries: exactly(1), Attempts: "1", Flags: "-"}},
			{request: script("reset,200"), want: want{Status: 503, Body: disconnected, Tries: exactly(1), Attempts: "1", Flags: "-"}},
		}},
		one("attempts without retryOn: 500", retried("attempts: 3, perTryTimeout: 2s"), script("500,200"),
			want{Status: 500, Tries: exactly(1), Flags: "-"}),
		one("attempts without retryOn: reset", retried("attempts: 3"), script("reset,200"),
			want{Status: 503, Body: disconnected, Tries: exactly(1), Flags: "-"}),
	}
}

func retryClassRows() []row {
	type outcome struct {
		words string
		tries int64
	}
	class := func(retryOn string, outcomes ...outcome) row {
		r := row{name: "retryOn " + retryOn, policy: retried(fmt.Sprintf("attempts: 3, retryOn: %q", retryOn))}
		for _, o := range outcomes {
			w := want{Status: 200, Tries: exactly(o.tries), Flags: "-", Detail: "via_upstream", Service: "one"}
			if o.tries == 1 {
				word, _, _ := strings.Cut(o.words, ",")
				w.Status, w.Service = map[string]int{"reset": 503, "close": 503}[word], ""
				if w.Status == 0 {
					fmt.Sscan(word, &w.Status)
				}
			}
			r.exchanges = append(r.exchanges, exchange{request: script(o.words), want: w})
		}
		return r
	}
	const twice = "%[1]s,%[1]s,200"
	two := func(word string) outcome { return outcome{fmt.Sprintf(twice, word), 3} }
	no := func(word string) outcome { return outcome{fmt.Sprintf(twice, word), 1} }
	return []row{
		class("5xx", two("500"), two("503"), two("504"), two("reset"), two("close"), no("409"), no("429"), no("404")),
		class("500", two("500"), no("503"), no("reset"), no("close")),
		class("503,500", two("500"), two("503"), two("reset"), two("close"), no("502")),
		class("gateway-error", two("502"), two("503"), two("504"), two("reset"), two("close"), no("500")),
		class("reset", no("reset"), no("close"), no("500"), no("503")),
		class("connect-failure", no("reset"), no("close"), no("500")),
		class("reset-before-request", no("reset"), no("close")),
		class("retriable-status-codes", no("500"), no("503")),
		class("retriable-4xx", two("409"), no("429"), no("500")),
		class("409", two("409"), no("429")),
		class("429", two("429"), no("409")),
		class("5xx,connect-failure,refused-stream", two("500"), two("reset")),
	}
}

func retryCountRows() []row {
	always := func(attempts int, retryOn, counts, flags string) row {
		return one(fmt.Sprintf("attempts %d, always 500", attempts), retried(fmt.Sprintf("attempts: %d%s", attempts, retryOn)),
			script("500"), want{Status: 500, Tries: exactly(int64(attempts) + 1), Attempts: counts, Flags: flags, Detail: "via_upstream"})
	}
	const on = ", retryOn: 5xx, backoff: 1ms"
	return []row{
		always(0, "", "1", "-"), always(1, on, "1 2", "URX"), always(3, on, "1 2 3 4", "URX"),
		always(10, on, "1 2 3 4 5 6 7 8 9 10 11", "URX"),
		one("the last answer passes through", retried("attempts: 3"+on), script("500,502,503,504"),
			want{Status: 504, Service: "one", Attempts: "1 2 3 4", Flags: "URX", Detail: "via_upstream"}),
		one("always reset", retried("attempts: 2"+on), script("reset"),
			want{Status: 503, Body: disconnected, Tries: exactly(3), Flags: "URX", Detail: "via_upstream"}),
		one("a body is sent again whole", retried("attempts: 3"+on),
			request{host: "one", method: http.MethodPost, body: "a small body", header: map[string]string{service.HeaderScript: "500,200"}},
			want{Status: 200, Tries: exactly(2), Header: map[string]string{service.HeaderBody: "12", service.HeaderMethod: "POST"}}),
		one("a body too large to keep is sent once", retried("attempts: 3"+on),
			request{host: "one", method: http.MethodPost, body: strings.Repeat("x", 1<<20+1), header: map[string]string{service.HeaderScript: "500,200"}},
			want{Status: 500, Tries: exactly(1), Header: map[string]string{service.HeaderBody: "1048577"}, Flags: "-"}),
		one("the app's x-envoy-max-retries is ignored", retried("attempts: 3"+on),
			request{host: "one", header: map[string]string{service.HeaderScript: "500", "x-envoy-max-retries": "1"}},
			want{Status: 500, Tries: exactly(4)}),
		one("the app's retry headers are ignored without a policy", "",
			request{host: "one", header: map[string]string{service.HeaderScript: "500", "x-envoy-max-retries": "3", "x-envoy-retry-on": "5xx"}},
			want{Status: 500, Tries: exactly(1)}),
		one("the app's timeout headers are ignored", rules("one", to("one")+", timeout: 600ms"),
			request{host: "one", header: map[string]string{service.HeaderScript: "hang", "x-envoy-upstream-rq-timeout-ms": "100",
				"x-envoy-upstream-rq-per-try-timeout-ms": "50"}},
			want{Status: 504, Tries: exactly(1), Flags: "UT", Detail: "response_timeout", Elapsed: ms(590, 600+slack)}),
		one("an answer has no attempt count", retried("attempts: 3"+on), script("500,200"),
			want{Status: 200, Attempts: "1 2", Header: map[string]string{"x-envoy-attempt-count": ""}}),
		one("the app's attempt count is replaced", "",
			request{host: "one", header: map[string]string{"x-envoy-attempt-count": "7"}}, want{Status: 200, Attempts: "1"}),
		{"retries look for another host, five picks in all", rules("three", to("three")+", retries: {attempts: 2"+on+"}"),
			[]exchange{{request: request{host: "three", header: map[string]string{service.HeaderScript: "500"}}, times: 600,
				want: want{Status: 500, Tries: exactly(1800), Distinct: &span{470, 565}}}}},
		{"retries that may meet a host again", rules("three", to("three")+", retries: {attempts: 2, retryIgnorePreviousHosts: false"+on+"}"),
			[]exchange{{request: request{host: "three", header: map[string]string{service.HeaderScript: "500"}}, times: 600,
				want: want{Status: 500, Tries: exactly(1800), Distinct: &span{80, 190}}}}}, // 3!/3^3 of 600 is 133
	}
}

// ms is a range of times in milliseconds. It begins 5 ms early, since Envoy's timers use the time at which their event loop last
// woke up: a time limit of 2500 ms was seen to end a call after 2499.5 ms.
func ms(from, to int) *times {
	return &times{time.Duration(max(0, from-5)) * time.Millisecond, time.Duration(to) * time.Millisecond}
}

// slack is how late a busy machine may be, in milliseconds. It is well below the minute for which a try hangs.
const slack = 20000

func timeoutRows() []row {
	return []row{
		one("perTryTimeout, hangs once", retried("attempts: 3, perTryTimeout: 1s, retryOn: 5xx"), script("hang,200"),
			want{Status: 200, Tries: exactly(2), Cut: exactly(1), Attempts: "1 2", Flags: "-", Elapsed: ms(1000, 1025+slack)}),
		one("perTryTimeout without retryOn", retried("attempts: 3, perTryTimeout: 300ms"), script("hang,200"),
			want{Status: 504, Body: tooLate, Tries: exactly(1), Cut: exactly(1), Flags: "UT", Detail: "upstream_per_try_timeout", Elapsed: ms(300, 300+slack)}),
		one("perTryTimeout, always hangs", retried("attempts: 2, perTryTimeout: 300ms, retryOn: 5xx"), script("hang"),
			want{Status: 504, Body: tooLate, Tries: exactly(3), Cut: exactly(3), Flags: "URX,UT", Detail: "upstream_per_try_timeout", Elapsed: ms(900, 980+slack)}),
		one("perTryTimeout and retryOn 500", retried(`attempts: 2, perTryTimeout: 300ms, retryOn: "500"`), script("hang,200"),
			want{Status: 504, Tries: exactly(1), Cut: exactly(1), Flags: "UT"}),
		one("timeout ends all tries", rules("one", to("one")+", timeout: 2500ms, retries: {attempts: 3, perTryTimeout: 1500ms, retryOn: 5xx}"), script("hang"),
			want{Status: 504, Body: tooLate, Tries: exactly(2), Cut: exactly(2), Flags: "UT", Detail: "response_timeout", Elapsed: ms(2500, 2500+slack)}),
		one("perTryTimeout beyond the timeout", rules("one", to("one")+", timeout: 300ms, retries: {attempts: 3, perTryTimeout: 1s, retryOn: 5xx}"), script("hang"),
			want{Status: 504, Body: tooLate, Tries: exactly(1), Cut: exactly(1), Flags: "UT", Detail: "response_timeout", Elapsed: ms(290, 300+slack)}),
		one("timeout alone", rules("one", to("one")+", timeout: 300ms"), script("hang"),
			want{Status: 504, Body: tooLate, Tries: exactly(1), Cut: exactly(1), Flags: "UT", Detail: "response_timeout", Elapsed: ms(300, 300+slack)}),
		one("timeout that is long enough", rules("one", to("one")+", timeout: 20s"), script("200"), want{Status: 200, Flags: "-"}),
		one("timeout includes the back-off", rules("one", to("one")+", timeout: 400ms, retries: {attempts: 10, backoff: 300ms, retryOn: 5xx}"), script("500"),
			want{Status: 504, Body: tooLate, Flags: "UT", Detail: "response_timeout", Elapsed: ms(400, 400+slack)}),
	}
}

func backOffRows() []row {
	always := func(name, policy string, tenth, median, all *times) row {
		return row{name, retried(policy), []exchange{{request: script("500"), times: 60, parallel: 12,
			want: want{Status: 500, Tenth: tenth, Median: median, Elapsed: all}}}}
	}
	return []row{
		// Only a uniform wait meets both limits: the tenth of a constant wait equals its median. A correct mesh has fewer than 7 of
		// 60 uniform waits below 900 of 2000 ms once in ten million runs, and 30 of them below 450 ms once in a million.
		always("back-off of one retry is uniform from 0", "attempts: 1, backoff: 2s, retryOn: 5xx", ms(0, 900), ms(450, 1900), ms(0, 2000+slack)),
		// The five default waits are uniform below 25, 50, 100, 200 and 250 ms. Together they take 312 ms on average and 625 ms at
		// most.
		always("back-off of five retries by default", "attempts: 5, retryOn: 5xx", ms(80, 1500), ms(220, 2000), ms(10, 625+slack)),
		always("no back-off without retries", "attempts: 0", ms(0, 2000), ms(0, 2000), ms(0, slack)),
	}
}

func routingRows(namespace string) []row {
	const unavailable = "no healthy upstream"
	missing := func(name, policy, host string) row {
		return one(name, policy, request{host: host},
			want{Status: 503, Body: empty, Tries: exactly(0), Flags: "NC", Detail: "cluster_not_found"})
	}
	unhealthy := func(name, policy, host string) row {
		return one(name, policy, request{host: host},
			want{Status: 503, Body: unavailable, Tries: exactly(0), Flags: "UH", Detail: "no_healthy_upstream"})
	}
	return []row{
		missing("subset that nothing defines", rules("two", to("two/undefined")+", retries: {attempts: 3, retryOn: 5xx}"), "two"),
		missing("destination host that does not exist", rules("two", to("nowhere")), "two"),
		unhealthy("subset without pods", rules("two", to("two/none")), "two"),
		unhealthy("subset without pods, with retries", rules("two", to("two/none")+", retries: {attempts: 3, retryOn: 5xx}"), "two"),
		unhealthy("Service without endpoints", "", "empty"),
		unhealthy("Deployment of no replicas", "", "gone"),
		one("no rule matches", rules("one", "match: [{uri: {exact: /only}}], "+to("one")), at("/"),
			want{Status: 404, Body: empty, Tries: exactly(0), Flags: "NR", Detail: "route_not_found"}),
		one("catch-all before a header rule", rules("one", to("one"), "match: [{headers: {x-dev-user: {exact: super-secret}}}], "+to("two/a")),
			via("x-dev-user", "super-secret"), want{Status: 200, Service: "one"}),
		{"names of a Service", rules("one", to("two/a")), []exchange{
			{request: request{host: "ONE"}, want: want{Status: 200, Service: "two"}},
			{request: request{host: "one:80"}, want: want{Status: 200, Service: "two"}},
			{request: request{host: "one." + namespace}, want: want{Status: 200, Service: "two"}},
			{request: request{host: "one." + namespace + ".svc"}, want: want{Status: 200, Service: "two"}},
			{request: request{host: qualified("one", namespace)}, want: want{Status: 200, Service: "two"}},
			{request: request{host: "one.elsewhere"}, want: want{Status: 502, Body: empty, Tries: exactly(0)}},
		}},
		{"rule for a host that no Service has", rules("any.example", to("one")), []exchange{
			{request: request{host: "any.example"}, want: want{Status: 200, Service: "one"}},
			{request: request{host: "other.example"}, want: want{Status: 502, Body: empty, Tries: exactly(0)}},
		}},
		{"rule for a wildcard", strings.Replace(rules("*.example", to("one")), "name: *-example", "name: wildcard", 1), []exchange{
			{request: request{host: "a.b.example"}, want: want{Status: 200, Service: "one"}},
			{request: request{host: "example"}, want: want{Status: 502, Body: empty, Tries: exactly(0)}},
		}},
		one("destination with the Service's port", rules("two", "route: [{destination: {host: one, port: {number: 80}}}]"), request{host: "two"},
			want{Status: 200, Service: "one"}),
		missing("destination with a port that the Service lacks", rules("two", "route: [{destination: {host: one, port: {number: 81}}}]"), "two"),
		one("full host name with a port", retried("attempts: 1, retryOn: 5xx"),
			request{host: qualified("one", namespace) + ":80", header: map[string]string{service.HeaderScript: "500,200"}},
			want{Status: 200, Service: "one"}),
		one("path and query arrive as sent", "", at("/a%20b/c?x=1&y=%2F"),
			want{Status: 200, Header: map[string]string{service.HeaderPath: "/a%20b/c?x=1&y=%2F"}}),
		one("backslashes and escaped dots are resolved", "", at(`/a\b/%2e%2e/c?x=%2e`), want{Status: 200, Header: map[string]string{service.HeaderPath: "/a/c?x=%2e"}}),
		one("dot segments are resolved", "", at("/a/../foo?x=1"), want{Status: 200, Header: map[string]string{service.HeaderPath: "/foo?x=1"}}),
	}
}

func splitRows() []row {
	arms := func(name, policy string, times int, a, b span) row {
		return row{name, policy, []exchange{{request: request{host: "two"}, times: times, parallel: 4,
			want: want{Status: 200, Versions: map[string]span{"a": a, "b": b}}}}}
	}
	all, none := span{100, 100}, span{0, 0}
	return []row{
		arms("weights 80 and 20", rules("two", split("two/a 80", "two/b 20")), 1000, span{735, 865}, span{135, 265}),
		arms("weights 1 and 1", rules("two", split("two/a 1", "two/b 1")), 1000, span{420, 580}, span{420, 580}),
		arms("weights 3 and 1", rules("two", split("two/a 3", "two/b 1")), 800, span{535, 665}, span{135, 265}),
		arms("weights 0 and 100", rules("two", split("two/a 0", "two/b 100")), 100, none, all),
		arms("weight 50 and omitted", rules("two", split("two/a 50", "two/b")), 100, all, none),
		arms("a single destination with weight 20", rules("two", split("two/a 20")), 100, all, none),
		arms("no rule, versions a and b", "", 1000, span{410, 590}, span{410, 590}),
		arms("RANDOM", balancer("{loadBalancer: {simple: RANDOM}}"), 1000, span{410, 590}, span{410, 590}),
		arms("ROUND_ROBIN", balancer("{loadBalancer: {simple: ROUND_ROBIN}}"), 400, span{196, 204}, span{196, 204}), // each thread of Envoy takes its own turns
		arms("an empty load balancer", balancer("{loadBalancer: {}}"), 1000, span{410, 590}, span{410, 590}),
		{"retries stay in the arm", rules("two", split("two/a 50", "two/b 50")+", retries: {attempts: 1, retryIgnorePreviousHosts: true, backoff: 1ms, retryOn: 5xx}"),
			[]exchange{{request: request{host: "two", header: map[string]string{service.HeaderScript: "500"}}, times: 60,
				want: want{Status: 500, Tries: exactly(120), Distinct: exactly(0)}}}},
	}
}

func balancer(policy string) string {
	return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: two}
spec: {host: two, trafficPolicy: ` + policy + `}
---
`
}

// admitted is a row with requests that a match admits to "one" (yes) and requests that it does not admit (no).
func admitted(name, match string, yes, no []request) row {
	r := row{name: name, policy: first(match)}
	for _, q := range yes {
		r.exchanges = append(r.exchanges, exchange{request: q, want: want{Status: 200, Service: "one", Version: "v1"}})
	}
	for _, q := range no {
		r.exchanges = append(r.exchanges, exchange{request: q, want: want{Status: 200, Service: "two", Version: "b"}})
	}
	return r
}

func headerRows() []row {
	x := func(value string) request { return via("x-a", value) }
	return []row{
		admitted("header exact", "{headers: {x-dev-user: {exact: super-secret}}}",
			[]request{via("x-dev-user", "super-secret"), via("X-DEV-USER", "super-secret"), via("x-dev-user", "super-secret ")},
			[]request{via("x-dev-user", "Super-Secret"), via("x-dev-user", "super-secret2"), via("x-dev-user", ""), {host: "one"}}),
		admitted("header prefix", "{headers: {x-a: {prefix: ab}}}", []request{x("ab"), x("abc")}, []request{x("a"), x("xab"), x("AB")}),
		admitted("header regex", `{headers: {x-a: {regex: "a.c"}}}`, []request{x("abc")}, []request{x("abcd"), x("xabc"), x("ABC")}),
		admitted("header present", "{headers: {x-a: {}}}", []request{x("any"), x("")}, []request{{host: "one"}}),
		admitted("withoutHeaders", "{withoutHeaders: {x-a: {}}}", []request{{host: "one"}}, []request{x("any"), x("b"), x("")}),
		admitted("withoutHeaders with a value", "{withoutHeaders: {x-a: {exact: a}}}", []request{{host: "one"}, x("b"), x(""), x("A")}, []request{x("a")}),
		admitted("a list of matches is OR", "{headers: {x-a: {exact: a}}}, {headers: {x-b: {exact: b}}}",
			[]request{x("a"), via("x-b", "b")}, []request{x("b"), {host: "one"}}),
		admitted("fields of a match are AND", "{headers: {x-a: {exact: a}}, uri: {prefix: /foo}}",
			[]request{{host: "one", path: "/foo", header: map[string]string{"x-a": "a"}}},
			[]request{x("a"), at("/foo")}),
		admitted("method", "{method: {exact: POST}}", []request{{host: "one", method: http.MethodPost}}, []request{{host: "one"}}),
	}
}

func uriRows(namespace string) []row {
	paths := func(list ...string) (all []request) {
		for _, path := range list {
			all = append(all, at(path))
		}
		return all
	}
	return []row{
		admitted("uri prefix", "{uri: {prefix: /foo}}", paths("/foo", "/foobar", "/foo/x", "/foo?x=1", "/a/../foo"), paths("/FOO", "/fo", "/x/foo")),
		admitted("uri exact", "{uri: {exact: /foo}}", paths("/foo", "/foo?x=1"), paths("/FOO", "/foo/", "/foobar")),
		admitted("uri exact, ignoreUriCase", "{uri: {exact: /foo}, ignoreUriCase: true}", paths("/foo", "/FOO"), paths("/foobar")),
		admitted("authority", "{authority: {exact: one}}", []request{{host: "one"}}, []request{{host: "one." + namespace}, {host: "one:80"}}),
		admitted("queryParams exact", "{queryParams: {a: {exact: b}}}", paths("/?a=b", "/x?c=d&a=b", "/?a=b&a=c"), paths("/", "/?a=B", "/?a=bc", "/?A=b", "/?a", "/?a=c&a=b")),
		admitted("queryParams regex", `{queryParams: {a: {regex: "b.*"}}}`, paths("/?a=b", "/?a=bcd"), paths("/", "/?a=xb", "/?a")),
		admitted("uri regex", `{uri: {regex: "/f.o"}}`, paths("/foo", "/fxo", "/foo?x=1"), paths("/foobar", "/x/foo")),
	}
}

func registryRows(namespace string) []row {
	outside := qualified("hidden", namespace)
	entry := func(resolution string) string {
		return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: hidden}
spec: {hosts: [` + outside + `], ports: [{number: 80, name: http, protocol: HTTP}], resolution: ` + resolution + `}
---
`
	}
	blocked := want{Status: 502, Body: empty, Tries: exactly(0), Flags: "-", Detail: "direct_response"}
	open := want{Status: 200, Service: "one", Flags: "-", Detail: "via_upstream"}
	// The sidecar does not listen for HTTP there: Istio takes the request for a TCP connection and sends it to its BlackHoleCluster.
	reset := want{Broken: true, Tries: exactly(0), Flags: "UH", Detail: "-"}
	sidecar := func(spec string) string {
		return `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec: {` + spec + `}
---
`
	}
	return []row{
		one("host outside the registry", "", request{host: "nowhere.example"}, blocked),
		one("address outside the registry, at a port of HTTP", "", request{host: "10.0.0.1"}, blocked),
		one("pod's own address", "", request{host: "10.0.0.1:3000"}, reset),
		one("known host at a port that no Service has", "", request{host: "one:81"}, reset),
		one("ServiceEntry opens its port to blocked hosts", strings.Replace(entry("DNS"), "number: 80", "number: 81", 1),
			request{host: "nowhere.example:81"}, blocked),
		one("Sidecar that imports nothing", sidecar(`egress: [{hosts: ["~/*"]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}`),
			request{host: "one"}, reset),
		one("Service that is exported to nobody", "", request{host: outside}, blocked),
		one("ServiceEntry opens a host, DNS", entry("DNS"), request{host: outside}, open),
		one("ServiceEntry opens a host, NONE", entry("NONE"), request{host: outside}, open),
		one("ALLOW_ANY lets a host through", sidecar("outboundTrafficPolicy: {mode: ALLOW_ANY}"), request{host: outside}, open),
		one("Sidecar that imports nothing of the namespace",
			sidecar(`egress: [{hosts: ["istio-system/*"]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}`), request{host: "one"}, blocked),
	}
}

func faultRows() []row {
	abort := func(name, more string) row {
		return one(name, rules("one", to("one")+", fault: {abort: {httpStatus: 503, percentage: {value: 100}}}"+more), request{host: "one"},
			want{Status: 503, Body: "fault filter abort", Tries: exactly(0), Flags: "FI", Detail: "fault_filter_abort"})
	}
	return []row{
		abort("abort", ""), abort("abort is not retried", ", retries: {attempts: 3, retryOn: 5xx}"),
		{"abort of 30 %", rules("one", to("one")+", fault: {abort: {httpStatus: 418, percentage: {value: 30}}}"),
			[]exchange{{request: request{host: "one"}, times: 1000, parallel: 4,
				want: want{Statuses: map[int]span{418: {225, 375}, 200: {625, 775}}}}}},
		one("delay", rules("one", to("one")+", fault: {delay: {fixedDelay: 400ms, percentage: {value: 100}}}"), request{host: "one"},
			want{Status: 200, Tries: exactly(1), Flags: "DI", Detail: "via_upstream", Elapsed: ms(400, 400+slack)}),
		{"delay of 30 %", rules("one", to("one")+", fault: {delay: {fixedDelay: 1ms, percentage: {value: 30}}}"),
			[]exchange{{request: request{host: "one"}, times: 1000, parallel: 4,
				want: want{Status: 200, Flagged: map[string]span{"DI": {225, 375}, "-": {625, 775}}}}}},
		one("a fault without a percentage", rules("one", to("one")+", fault: {abort: {httpStatus: 418}}"), request{host: "one"},
			want{Status: 200, Flags: "-"}),
		one("delay is not counted by the time limits", rules("one", to("one")+", timeout: 2s, retries: {attempts: 1, perTryTimeout: 1900ms, retryOn: 5xx}, fault: {delay: {fixedDelay: 2500ms, percentage: {value: 100}}}"),
			request{host: "one"}, want{Status: 200, Tries: exactly(1), Flags: "DI", Elapsed: ms(2500, 2500+slack)}),
		one("a fault does not switch retries off", rules("one", to("one")+", fault: {abort: {httpStatus: 418, percentage: {value: 0}}}, retries: {attempts: 3, backoff: 1ms, retryOn: 5xx}"),
			script("500"), want{Status: 500, Tries: exactly(4), Flags: "URX"}),
		one("directResponse", rules("one", "directResponse: {status: 418, body: {string: teapot}}"), request{host: "one"},
			want{Status: 418, Body: "teapot", Tries: exactly(0), Flags: "-", Detail: "direct_response"}),
		one("redirect by default", rules("one", "redirect: {authority: else.example}"), at("/old?x=1"),
			want{Status: 301, Body: empty, Tries: exactly(0), Header: map[string]string{"location": "http://else.example/old?x=1"}}),
		one("redirect", rules("one", "redirect: {uri: /new, authority: else.example, redirectCode: 302}"), at("/old?x=1"),
			want{Status: 302, Body: empty, Tries: exactly(0), Flags: "-", Header: map[string]string{"location": "http://else.example/new?x=1"}}),
	}
}

func entryRows() []row {
	bound := gateway(to("one") + ", retries: {attempts: 3, backoff: 1ms, retryOn: 5xx}")
	through := func(host, words string) request {
		return request{from: fromGateway, host: host, header: map[string]string{service.HeaderScript: words}}
	}
	return []row{
		one("direct entry has no attempt count", "", request{from: fromDirect, host: "frontend"},
			want{Status: 200, Service: "frontend", Attempts: "0"}),
		one("direct entry is not retried", rules("frontend", to("frontend")+", retries: {attempts: 3, retryOn: 5xx}"),
			request{from: fromDirect, host: "frontend", header: map[string]string{service.HeaderScript: "500,200"}}, want{Status: 500, Attempts: "0"}),
		one("gateway retries", bound, through("one.example", "500,500,200"), want{Status: 200, Service: "one", Attempts: "1 2 3", Flags: "-"}),
		one("gateway, exhausted", bound, through("one.example", "500"), want{Status: 500, Attempts: "1 2 3 4", Flags: "URX"}),
		one("gateway, host with a port", bound, through("one.example:80", "200"), want{Status: 200, Service: "one"}),
		{"a rule of both gateway and mesh", strings.Replace(bound, "gateways: [door]", "gateways: [mesh, door]", 1), []exchange{
			{request: through("one.example", "500,200"), want: want{Status: 200, Attempts: "1 2", Flags: "-"}},
			{request: request{host: "one.example", header: map[string]string{service.HeaderScript: "500,200"}}, want: want{Status: 200, Attempts: "1 2", Flags: "-"}},
		}},
		{"a match of the gateway's", strings.Replace(gateway("match: [{gateways: [door]}], "+to("one")), "gateways: [door]\n  http", "gateways: [mesh, door]\n  http", 1), []exchange{
			{request: through("one.example", "200"), want: want{Status: 200, Service: "one"}},
			{request: request{host: "one.example"}, want: want{Status: 502, Flags: "-"}},
		}},
		one("gateway, unknown host", bound, through("two.example", "200"),
			want{Status: 404, Body: empty, Tries: exactly(0), Flags: "NR", Detail: "route_not_found"}),
		{"a rule of the gateway and another of the mesh", bound + rules("one.example", to("two/a")), []exchange{
			{request: through("one.example", "500,200"), want: want{Status: 200, Service: "one", Attempts: "1 2", Flags: "-"}},
			{request: request{host: "one.example", header: map[string]string{service.HeaderScript: "500,200"}}, want: want{Status: 500, Service: "two", Attempts: "1", Flags: "-"}},
		}},
	}
}
