package findings

import (
	"fmt"
	"net/http"
	"strings"
)

// trap is objects that have a finding, and a twin that has none. seen and twinSeen are what comes of the requests: how many answers have
// each status, by the status, and how many tries each workload received, by its name. What they do not name must be 0.
type trap struct {
	id             string
	objects, twin  string
	sent, twinSent []sent // twinSent are what the twin is sent, where that differs
	text           string // a part of the finding's text: what it claims of the traffic
	seen, twinSeen map[string]span
}

// failing and hanging make every try of a service fail or hang.
var (
	failing = http.Header{"Fail": {"1"}}
	hanging = http.Header{"Hang": {"1"}}
)

const (
	toOne   = "route: [{destination: {host: one}}]"
	toA     = "route: [{destination: {host: two, subset: a}}]"
	toB     = "route: [{destination: {host: two, subset: b}}]"
	teapot  = "directResponse: {status: 418}"
	on5xx   = "retries: {attempts: 3, retryOn: 5xx}"
	weights = "route: [{destination: {host: two, subset: a}, weight: %s}, {destination: {host: two, subset: b}, weight: %s}]"
)

// ask sends to a host through the sidecar of frontend, and asks is many such requests.
func ask(host string) []sent  { return []sent{{host: host}} }
func asks(host string) []sent { return []sent{{host: host, times: many}} }

func split(a, b string) string { return fmt.Sprintf(weights, a, b) }

func one(entries ...string) string {
	return virtualService("one", "one", "gateways: [mesh]", entries...)
}
func two(entries ...string) string {
	return virtualService("two", "two", "gateways: [mesh]", entries...)
}

// all are the answers and tries of many calls to two of which this share goes to version a and the rest to b; each calls three.
func all(a float64) map[string]span {
	seen := map[string]span{"200": exactly(many), "three-v1": exactly(many)}
	if a > 0 {
		seen["two-a"] = about(a)
	}
	if a < 1 {
		seen["two-b"] = about(1 - a)
	}
	return seen
}

var traps = map[string]trap{
	"a host that does not exist": {id: NoHost, sent: asks("one"),
		objects: one("route: [{destination: {host: one}, weight: 75}, {destination: {host: onne}, weight: 25}]"), twin: one(toOne),
		text:     "The proxy answers 503 to 25 % of the calls to one that meet the rule",
		seen:     map[string]span{"503": about(.25), "200": about(.75), "one-v1": about(.75)},
		twinSeen: map[string]span{"200": exactly(many), "one-v1": exactly(many)}},
	"a port that does not exist": {id: NoPort, sent: ask("one"), objects: one("route: [{destination: {host: one, port: {number: 8080}}}]"), twin: one(toOne),
		text: "The proxy answers 503 to all of the calls to one", seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a subset that does not exist": {id: NoSubset, sent: ask("two"), objects: two("route: [{destination: {host: two, subset: c}}]"), twin: two(toA),
		text: "The proxy answers 503 to all of the calls to two", seen: map[string]span{"503": exactly(1)},
		twinSeen: map[string]span{"200": exactly(1), "two-a": exactly(1), "three-v1": exactly(1)}},
	"a gateway that does not exist": {id: NoGateway, sent: []sent{{from: byGateway, host: "shop.example.com"}},
		objects: virtualService("one", "shop.example.com", "gateways: [shopp]", toOne) + gatewayFor("'*'"), twin: virtualService("one", "shop.example.com", "gateways: [shop]", toOne) + gatewayFor("'*'"),
		text: "Every request for host shop.example.com at gateway default/shop is answered 404", seen: map[string]span{"404": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a subset that no pod has": {id: NoPods, sent: ask("two"), objects: two("route: [{destination: {host: two, subset: c}}]") + "---\n" + destinationRule("two", "default", "two", "c"),
		twin: two("route: [{destination: {host: two, subset: c}}]") + "---\n" + destinationRule("two", "default", "two", "c=a"),
		text: "The proxy answers 503 to all of the calls to two", seen: map[string]span{"503": exactly(1)},
		twinSeen: map[string]span{"200": exactly(1), "two-a": exactly(1), "three-v1": exactly(1)}},
	"hosts of a Gateway and a VirtualService that do not meet": {id: HostsApart, sent: []sent{{from: byGateway, host: "store.example.com"}},
		objects: virtualService("one", "store.example.com", "gateways: [shop]", toOne) + gatewayFor("shop.example.com"),
		twin:    virtualService("one", "store.example.com", "gateways: [shop]", toOne) + gatewayFor("'*.example.com'"),
		text:    "Gateway shop serves none of the hosts of VirtualService one: its servers have shop.example.com, and the VirtualService is for host store.example.com. The gateway has none of the rules, and answers 404 to every request for these hosts. Every request for host store.example.com at gateway default/shop is answered 404",
		seen:    map[string]span{"404": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a Gateway that admits another namespace's VirtualServices alone": {id: HostsApart, sent: []sent{{from: byGateway, host: "store.example.com"}},
		objects: virtualService("one", "store.example.com", "gateways: [shop]", toOne) + gatewayFor("other/*.example.com"),
		twin:    virtualService("one", "store.example.com", "gateways: [shop]", toOne) + gatewayFor("./*.example.com"),
		text:    "its servers have other/*.example.com", seen: map[string]span{"404": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"hosts that another Gateway of the same pods serves": {id: HostsApart, sent: []sent{{from: byGateway, host: "store.example.com"}},
		objects: virtualService("one", "store.example.com", "gateways: [shop]", toOne) + "---\n" + virtualService("more", "'*.example.com'", "gateways: [open]", teapot) +
			gatewayFor("shop.example.com") + gatewayOf("open", "'*'"),
		twin: virtualService("one", "store.example.com", "gateways: [open]", toOne) + gatewayFor("shop.example.com") + gatewayOf("open", "'*'"),
		text: "The gateway has none of the rules. Name a host in spec.hosts", seen: map[string]span{"418": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a server that is left out, since another one has its host": {id: LeftOut, sent: []sent{{from: byGateway, host: "shop.example.com"}},
		objects: virtualService("one", "shop.example.com", "gateways: [shop]", toOne) + redirectingGateway("admin.example.com, shop.example.com"),
		twin:    virtualService("one", "shop.example.com", "gateways: [shop]", toOne) + redirectingGateway("shop.example.com"),
		text:    "Gateway default/shop, servers[1] is left out by Istio, since Gateway default/shop, servers[0] (f.yaml:15) has the host admin.example.com at port 80 of the same pods, too. It comes behind the other one. No request meets a rule by this server, for whichever of its hosts admin.example.com and shop.example.com. Give",
		seen:    map[string]span{"404": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"the only server for a host redirects": {id: Shadowed, sent: []sent{{from: byGateway, host: "admin.example.com"}},
		twinSent: []sent{{from: byGateway, host: "shop.example.com"}},
		objects:  virtualService("one", "admin.example.com", "gateways: [shop]", toOne) + redirectingGateway("shop.example.com"),
		twin:     virtualService("one", "shop.example.com", "gateways: [shop]", toOne) + redirectingGateway("shop.example.com"),
		text:     "the requests for its host enter at Gateway default/shop, servers[0] (f.yaml:15), which answers 301 to https (tls.httpsRedirect) before it looks at rules. The rule has no effect",
		seen:     map[string]span{"301": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"443 opened and 80 called": {id: ClosedPort, sent: ask("clock.outside.svc.cluster.local"), objects: serviceEntry(443, "TLS"), twin: serviceEntry(80, "HTTP"),
		text: "The calls of a caller in the mesh to clock.outside.svc.cluster.local are for port 80 with HTTP, and ServiceEntry clock opens 443 (TLS) alone. The sidecar answers 502 to all of them. Open the port in spec.ports: {number: 80, name: http, protocol: HTTP}",
		seen: map[string]span{"502": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "clock-prod": exactly(1)}},
	"plain HTTP to a port of TLS": {id: PlainToTLS, sent: ask("api.example.com"), objects: outside + entryOf("") + toTLS("api.example.com"), twin: outside + entryOf("") + toTLS("api.example.com") + opensTLS("", "mode: SIMPLE"),
		text: "All of the requests of a caller in the mesh for api.example.com are sent without TLS to port 443 of api.example.com, at which TLS is spoken. Most servers of TLS answer 400 to that, as the stand-in does",
		seen: map[string]span{"400": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a Secret that sidecars do not read": {id: PlainToTLS, sent: ask("api.example.com"), objects: outside + entryOf(", targetPort: 443") + opensTLS("", "mode: SIMPLE, credentialName: ca"),
		twin: outside + entryOf(", targetPort: 443") + opensTLS("", "mode: SIMPLE, caCertificates: /ca.pem"), text: "since it has a credentialName, which counts at gateways alone",
		seen: map[string]span{"400": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"TLS to a port of plain HTTP": {id: TLSFails, sent: ask("api.example.com"), objects: outside + entryOf("") + opensTLS("", "mode: SIMPLE"), twin: outside + entryOf("") + opensTLS("443", "mode: SIMPLE"),
		text: "no TLS is spoken at port 80 of api.example.com. The proxy of a caller in the mesh answers 503 to all of the requests for api.example.com",
		seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"TLS with a name that the certificate has not": {id: TLSFails, sent: ask("alias.example.com"), objects: outside + entryOf("") + toTLS("alias.example.com") + opensTLS("443", "mode: SIMPLE"),
		twin: outside + entryOf("") + toTLS("alias.example.com") + opensTLS("443", "mode: SIMPLE, sni: api.example.com"),
		text: "the proxy asks for the name alias.example.com, and the certificate of api.example.com is taken to be for api.example.com",
		seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"TLS with a name that has a dot at its end": {id: TLSFails, sent: ask("api.example.com"), objects: outside + entryOf("") + toTLS("api.example.com") + opensTLS("443", "mode: SIMPLE, sni: api.example.com., insecureSkipVerify: true"),
		twin: outside + entryOf("") + toTLS("api.example.com") + opensTLS("443", "mode: SIMPLE, sni: api.example.com, insecureSkipVerify: true"),
		text: "the proxy asks for the name api.example.com., and no server may be asked for a name with a dot at its end",
		seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"TLS to a Service of the mesh": {id: TLSFails, sent: ask("one"), objects: strings.ReplaceAll(opensTLS("", "mode: SIMPLE"), "api.example.com", "one"), twin: strings.ReplaceAll(opensTLS("", "mode: ISTIO_MUTUAL"), "api.example.com", "one"),
		text: "the pods of one.default.svc.cluster.local speak HTTP at its port 80, which is none of TLS",
		seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a port that a Service does not have": {id: ClosedPort, sent: ask("one:81"), twinSent: ask("one:80"),
		objects: "apiVersion: v1\nkind: Service\nmetadata: {name: one}\nspec: {selector: {app: one}, ports: [{name: http, port: 80, targetPort: 3000}]}\n---\n" +
			"apiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {selector: {app: one}, ports: [{name: http, port: 81, targetPort: 3000}]}\n",
		text: "are for port 81 with HTTP, and Service one opens 80 (HTTP) alone. The sidecar answers 502 to all of them", seen: map[string]span{"502": exactly(1)},
		twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a host that nobody calls": {id: NotCalled, sent: ask("one"), objects: virtualService("one", "one.shop.svc.cluster.local", "", teapot), twin: one(teapot),
		text: "The rule has no effect on any request", seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"418": exactly(1)}},
	"a rule for a gateway alone, and no request there": {id: OtherProxy, sent: ask("one"), objects: virtualService("one", "one", "gateways: [shop]", teapot) + gatewayFor("'*'"), twin: virtualService("one", "one", "gateways: [shop, mesh]", teapot) + gatewayFor("'*'"),
		text: "add mesh to spec.gateways if they are to obey it. The rule has no effect on any request", seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"418": exactly(1)}},
	"retries of a host that is entered from outside the mesh": {id: OtherProxy, sent: []sent{{from: straight, host: "frontend", header: failing}}, twinSent: []sent{{host: "frontend", header: failing}},
		objects: virtualService("frontend", "frontend", "", "{route: [{destination: {host: frontend}}], "+on5xx+"}"),
		text:    "Each request has 1 try, and not up to 4", seen: map[string]span{"500": exactly(1), "frontend-v1": exactly(1)}, twinSeen: map[string]span{"500": exactly(1), "frontend-v1": exactly(4)}},
	"a rule for the host that a gateway sends requests to": {id: OtherProxy, sent: []sent{{from: byGateway, host: "shop.example.com"}}, twinSent: ask("one"),
		objects: virtualService("shop", "shop.example.com", "gateways: [shop]", toOne) + gatewayFor("'*'") + "---\n" + one(teapot), twin: one(teapot),
		text: "requests reach its host by gateway shop, where they meet VirtualService shop, http[0] (f.yaml:8); a gateway obeys the rules for the host of a request, and not those for the host that it sends it to. The rule has no effect on any request",
		seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"418": exactly(1)}},
	"a rule behind two that take its requests": {id: Shadowed, sent: []sent{{host: "one", path: "/a/b"}, {host: "one", method: http.MethodPost, path: "/c"}, {host: "one"}},
		objects: one("{match: [{uri: {prefix: /a}}], "+toOne+"}", "{match: [{method: {exact: POST}}], "+teapot+"}", "{match: [{uri: {prefix: /a/b}}, {method: {exact: POST}}], "+teapot+"}", toOne),
		twin:    one("{match: [{uri: {prefix: /a}}], "+toOne+"}", "{match: [{method: {exact: POST}}], "+teapot+"}", toOne),
		text:    "VirtualService one, http[0] (f.yaml:8) and VirtualService one, http[1] (f.yaml:9) come before it and take each of the run's requests that could meet this one. The rule has no effect on any request of the run",
		seen:    map[string]span{"200": exactly(2), "one-v1": exactly(2), "418": exactly(1)}, twinSeen: map[string]span{"200": exactly(2), "one-v1": exactly(2), "418": exactly(1)}},
	"a rule for a port at which its host is not": {id: OtherProxy, sent: ask("one:81"), twinSent: ask("one"),
		objects: one("{match: [{port: 81}], "+teapot+"}") + "---\n" +
			"apiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {selector: {app: one}, ports: [{name: http, port: 81, targetPort: 3000}]}\n",
		twin: one("{match: [{port: 80}], " + teapot + "}"),
		text: "No request meets VirtualService one, http[0]: the proxy of the requests that could meet it has no rules at their port, and they are outside the registry (REGISTRY_ONLY)",
		seen: map[string]span{"502": exactly(1)}, twinSeen: map[string]span{"418": exactly(1)}},
	"a rule behind one for the only port": {id: Shadowed, sent: ask("one"), objects: one("{match: [{port: 80}], "+toOne+"}", teapot), twin: one("{match: [{port: 80}], " + toOne + "}"),
		text: "VirtualService one, http[0] (f.yaml:8) comes before it and takes each of the run's requests that could meet this one",
		seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a rule behind one for every path": {id: Shadowed, sent: ask("one"), objects: one("{match: [{uri: {prefix: /}}], "+toOne+"}", teapot), twin: one(toOne),
		text: "comes before it and takes every request, since its condition holds for each. The rule has no effect on any request.",
		seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a rule for every request before another one": {id: Shadowed, sent: ask("one"), objects: one(toOne, "{match: [{uri: {prefix: /}}], "+teapot+"}"), twin: one("{match: [{uri: {prefix: /}}], " + teapot + "}"),
		text: "takes every request, since it has no condition. The rule has no effect on any request", seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"418": exactly(1)}},
	"a path that is never sent": {id: NeverSent, sent: []sent{{host: "one", path: "/API"}}, objects: one("{match: [{uri: {prefix: /api}}], "+teapot+"}", toOne), twin: one("{match: [{uri: {prefix: /api}, ignoreUriCase: true}], " + teapot + "}"),
		text: `it asks for path prefix "/api", and the calls for its host have "/API" (values are compared with regard to case). The rule has no effect on any request`, seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"418": exactly(1)}},
	"a query that is never sent": {id: NeverSent, sent: []sent{{host: "one", path: "/?user=ann"}}, objects: one("{match: [{queryParams: {name: {exact: ann}}}], "+teapot+"}", toOne), twin: one("{match: [{queryParams: {user: {exact: ann}}}], " + teapot + "}"),
		text: "it asks for query parameter name", seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"418": exactly(1)}},
	"a header in another case": {id: NeverSent, sent: []sent{{host: "one", header: http.Header{"X-Dev-User": {"Jason"}}}}, objects: one("{match: [{headers: {x-dev-user: {exact: jason}}}], "+teapot+"}", toOne),
		twin: one("{match: [{headers: {x-dev-user: {exact: Jason}}}], " + teapot + "}"),
		text: "values are compared with regard to case", seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"418": exactly(1)}},
	"a rule behind an answer of a proxy": {id: NotReached, sent: ask("two"), objects: two("directResponse: {status: 403}") + "---\n" + virtualService("three", "three", "", "route: [{destination: {host: three}}]"),
		twin: two(toA) + "---\n" + virtualService("three", "three", "", "route: [{destination: {host: three}}]"),
		text: "The rule has no effect on any request", seen: map[string]span{"403": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "two-a": exactly(1), "three-v1": exactly(1)}},
	"a split under a host that nobody calls": {id: OtherHost, sent: asks("two"), objects: virtualService("two", "two.example.com", "", split("90", "10")), twin: two(split("90", "10")),
		text: "it is for host two.example.com, and a caller in the mesh calls its destination by host two; all of these calls meet Istio's default, by which a call that is answered has 1 try, whatever its status is, and they spread over the pods: about 50 % to two-a and 50 % to two-b; the rule belongs under spec.hosts: [two]",
		seen: all(.5), twinSeen: all(.9)},
	"a split under the host of its caller": {id: OtherHost, sent: []sent{{from: straight, host: "frontend", times: many}}, objects: virtualService("frontend", "frontend", "", split("90", "10")), twin: two(split("90", "10")),
		text: "about 50 % to two-a and 50 % to two-b; a rule is for the calls to its host, and not for those that its host makes; the rule belongs under spec.hosts: [two]",
		seen: with(all(.5), "frontend-v1", exactly(many)), twinSeen: with(all(.9), "frontend-v1", exactly(many))},
	"a half of a full name": {id: HalfName, sent: asks("two"), objects: virtualService("two", "two.default", "", toA), twin: virtualService("two", "two.default.svc.cluster.local", "", toA),
		text: "Istio completes only names without a dot, so that its host two.default is not two.default.svc.cluster.local, which a caller in the mesh calls; all of these calls meet Istio's default, by which a call that is answered has 1 try, whatever its status is, and they spread over the pods: about 50 % to two-a and 50 % to two-b; write two.default.svc.cluster.local, or two in namespace default",
		seen: all(.5), twinSeen: all(1)},
	"a DestinationRule for nobody": {id: ForNobody, sent: ask("two"), objects: destinationRule("more", "default", "twoo", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		twin: destinationRule("more", "default", "two", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		text: `Host "twoo" is not in the mesh's registry (did you mean "two"?): no Service and no ServiceEntry that the mesh knows has it; there are frontend, one, three and two. It holds for 0 calls, and it defines its subset c for nobody: a proxy answers 503 to all calls that a route sends to a subset that it does not know`,
		seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "two-a": exactly(1), "three-v1": exactly(1)}},
	"a DestinationRule for a half of a full name": {id: ForNobody, sent: ask("two"), objects: destinationRule("more", "default", "two.default", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		twin: destinationRule("more", "default", "two.default.svc.cluster.local", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		text: "Istio completes only names without a dot, so that it is not two.default.svc.cluster.local",
		seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "two-a": exactly(1), "three-v1": exactly(1)}},
	"a DestinationRule where nobody looks": {id: OutOfSight, sent: ask("two"), objects: destinationRule("more", "shop", "two.default.svc.cluster.local", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		twin: destinationRule("more", "default", "two.default.svc.cluster.local", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		text: "it is in namespace shop, and for the calls to two.default.svc.cluster.local Istio looks in default and istio-system, the namespaces of its callers and of its Service or ServiceEntry, and the root namespace. It holds for 0 calls",
		seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "two-a": exactly(1), "three-v1": exactly(1)}},
	"a DestinationRule behind a nearer one": {id: OutOfSight, sent: ask("two"), objects: destinationRule("more", "istio-system", "two.default.svc.cluster.local", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		twin: destinationRule("more", "default", "two", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		text: "for the calls to two.default.svc.cluster.local Istio obeys DestinationRule two (base.yaml:95), and stops at its namespace, default, before it comes to istio-system. It holds for 0 calls",
		seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "two-a": exactly(1), "three-v1": exactly(1)}},
	"a DestinationRule that is not for those who call": {id: OutOfSight, sent: ask("one"), objects: destinationRule("one", "default", "one, exportTo: [shop]", "c=v1") + one("route: [{destination: {host: one, subset: c}}]"),
		twin: destinationRule("one", "default", "one, exportTo: [shop, default]", "c=v1") + one("route: [{destination: {host: one, subset: c}}]"),
		text: `No proxy that calls one knows DestinationRule one: its exportTo, ["shop"], leaves them out`, seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"a DestinationRule of the root namespace alone": {id: OutOfSight, sent: ask("one"), objects: destinationRule("one", "shop", "one.default.svc.cluster.local", "c=v1") + one("route: [{destination: {host: one, subset: c}}]"),
		twin: destinationRule("one", "istio-system", "one.default.svc.cluster.local", "c=v1") + one("route: [{destination: {host: one, subset: c}}]"),
		text: "Move it to namespace default", seen: map[string]span{"503": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"retries that do not cover 500": {id: NotRetried, sent: []sent{{host: "one", header: failing}}, objects: one("{" + toOne + ", retries: {attempts: 3, retryOn: gateway-error}}"), twin: one("{" + toOne + ", " + on5xx + "}"),
		text: "it has 1 try, and not up to 4", seen: map[string]span{"500": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"500": exactly(1), "one-v1": exactly(4)}},
	// A try that a busy machine brings to the service only after its time limit is not counted there.
	"a perTryTimeout above the timeout": {id: PerTryUnused, sent: []sent{{host: "one", header: hanging}}, objects: one("{" + toOne + ", timeout: 300ms, retries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx}}"),
		twin: one("{" + toOne + ", timeout: 1m, retries: {attempts: 3, perTryTimeout: 500ms, retryOn: 5xx}}"),
		text: "The perTryTimeout of VirtualService one, http[0], 2s, is not below its timeout, 300ms: Envoy ignores it. A call whose first try hangs is answered 504 after 300ms, with 1 try and none of its 3 retries",
		seen: map[string]span{"504": exactly(1), "one-v1": {0, 1}}, twinSeen: map[string]span{"504": exactly(1), "one-v1": {2, 4}}},
	"a timeout that ends the second try": {id: TimeoutShort, sent: []sent{{host: "one", header: hanging}}, objects: one("{" + toOne + ", timeout: 700ms, retries: {attempts: 3, perTryTimeout: 400ms, retryOn: 5xx}}"),
		twin: one("{" + toOne + ", timeout: 1m, retries: {attempts: 3, perTryTimeout: 500ms, retryOn: 5xx}}"),
		text: "The timeout of VirtualService one, http[0], 700ms, is too short for its 3 retries: where each try takes all of its perTryTimeout of 400ms, retry 1 is the last that is sure to be sent, since with the longest back-offs retry 2 would begin after 875ms. The timeout must be above 1.375s for all of them to be sent",
		seen: map[string]span{"504": exactly(1), "one-v1": {0, 2}}, twinSeen: map[string]span{"504": exactly(1), "one-v1": {3, 4}}},
	"retries behind retries": {id: Multiplied, sent: []sent{{host: "two", header: http.Header{"Cascade": {"propagate"}}}},
		objects: two("{"+toA+", "+on5xx+"}") + "---\n" + virtualService("three", "three", "", "{route: [{destination: {host: three}}], retries: {attempts: 2, retryOn: 5xx}}") + "---\n" + failed("three"),
		twin:    two("{"+toA+", "+on5xx+"}") + "---\n" + failed("three"),
		text:    "one request leads by these calls alone to up to 4 × 3 = 12 tries at three",
		seen:    map[string]span{"500": exactly(1), "two-a": exactly(4), "three-v1": exactly(12)}, twinSeen: map[string]span{"500": exactly(1), "two-a": exactly(4), "three-v1": exactly(4)}},
	"an abort beside retries": {id: AbortFinal, sent: asks("one"), objects: one("{" + toOne + ", fault: {abort: {httpStatus: 503, percentage: {value: 30}}}, " + on5xx + "}"), twin: one("{" + toOne + ", " + on5xx + "}"),
		text: "the proxy answers 503 to 30 % of the calls itself, before the first try, so that such a call has 0 tries and not up to 4, whatever retryOn has. The retries are for the other 70 %",
		seen: map[string]span{"503": about(.3), "200": about(.7), "one-v1": about(.7)}, twinSeen: map[string]span{"200": exactly(many), "one-v1": exactly(many)}},
	"retries of POST": {id: Repeated, sent: []sent{{host: "one", method: http.MethodPost, header: failing}}, objects: one("{" + toOne + ", " + on5xx + "}"),
		twin: one("{match: [{method: {exact: POST}}], " + toOne + ", retries: {attempts: 0}}"),
		text: `sends a POST up to 4 times (retryOn "5xx")`, seen: map[string]span{"500": exactly(1), "one-v1": exactly(4)}, twinSeen: map[string]span{"500": exactly(1), "one-v1": exactly(1)}},
	"weights that do not add up to 100": {id: WeightsOff, sent: asks("two"), objects: two(split("80", "10")), twin: two(split("80", "20")),
		text: "The weights 80 and 10 of VirtualService two, http[0] add up to 90, and not to 100: each destination gets its part of 90, which is 88.9 % to two, subset a and 11.1 % to two, subset b",
		seen: all(80. / 90), twinSeen: all(.8)},
	"the weight of a single destination": {id: WeightsOff, sent: asks("two"), objects: two("route: [{destination: {host: two, subset: a}, weight: 20}]"), twin: two(split("20", "80")),
		text: "so that 100 % and not 20 % go to two, subset a", seen: all(1), twinSeen: all(.2)},
	"a destination without a weight": {id: Weightless, sent: asks("two"), objects: two("route: [{destination: {host: two, subset: a}, weight: 50}, {destination: {host: two, subset: b}}]"), twin: two(split("50", "50")),
		text: "it gets 0 % of the calls, and they split as 100 % to two, subset a and 0 % to two, subset b", seen: all(1), twinSeen: all(.5)},
	"a rule at a gateway that callers in the mesh do not have": {id: GatewayOnly, sent: []sent{{host: "two", times: many}, {from: byGateway, host: "two.default.svc.cluster.local"}},
		objects: virtualService("two", "two", "gateways: [shop]", toA) + gatewayFor("'*'"), twin: virtualService("two", "two", "gateways: [shop, mesh]", toA) + gatewayFor("'*'"),
		text:     "the calls to two that a caller in the mesh sends pass its sidecar, and no VirtualService for the sidecars has the host. All of these calls meet Istio's default, by which a call that is answered has 1 try, whatever its status is, and they spread over the pods: about 50 % to two-a and 50 % to two-b. Add mesh to spec.gateways",
		seen:     map[string]span{"200": exactly(many + 1), "three-v1": exactly(many + 1), "two-a": plus(about(.5), 1), "two-b": about(.5)},
		twinSeen: map[string]span{"200": exactly(many + 1), "three-v1": exactly(many + 1), "two-a": exactly(many + 1)}},
	"values of a header in two cases": {id: LetterCase, sent: []sent{{host: "two", header: http.Header{"X-Dev-User": {"Ann"}}}, {host: "two", header: http.Header{"X-Dev-User": {"ann"}}}, {host: "two"}},
		objects: two("{match: [{headers: {x-dev-user: {exact: Ann}}}], "+toA+"}", "{match: [{headers: {x-dev-user: {exact: ann}}}], "+toB+"}", toB),
		twin:    two("{match: [{headers: {x-dev-user: {exact: Ann}}}, {headers: {x-dev-user: {exact: ann}}}], "+toA+"}", toB),
		text:    `VirtualService two, http[1] asks for header x-dev-user exact "ann", and VirtualService two, http[0] (f.yaml:8) asks for exact "Ann". Values are compared with regard to case, so that a request meets one of the two at most`,
		seen:    map[string]span{"200": exactly(3), "three-v1": exactly(3), "two-a": exactly(1), "two-b": exactly(2)}, twinSeen: map[string]span{"200": exactly(3), "three-v1": exactly(3), "two-a": exactly(2), "two-b": exactly(1)}},
	"outlier detection that ejects nobody": {id: NeverEjected, sent: []sent{{host: "two", header: failing, times: many}}, objects: outlier("two", "consecutive5xxErrors: 1"), twin: outlier("two", "consecutive5xxErrors: 1, maxEjectionPercent: 50"),
		text: "OutlierDetection for two ejects nobody: maxEjectionPercent is 10, and one of 2 pods is more than that. However often it fails, calls go on to it. A pod can be ejected where there are at least 10 of them, or with a maxEjectionPercent of at least 50.",
		seen: map[string]span{"500": exactly(many), "two-a": about(.5), "two-b": about(.5)}, twinSeen: map[string]span{"500": exactly(many), "two-a": {1, many - 1}, "two-b": {1, many - 1}}},
	"outlier detection that ejects all": {id: AllEjected, sent: []sent{{host: "two", header: failing, times: many}}, objects: outlier("two", "consecutive5xxErrors: 1, maxEjectionPercent: 100"), twin: outlier("two", "consecutive5xxErrors: 1, maxEjectionPercent: 100, minHealthPercent: 50"),
		text: "after 1 answer of 5xx at each of them, the proxy answers 503 to all of the calls for at least 30s",
		seen: map[string]span{"500": exactly(2), "503": exactly(many - 2), "two-a": exactly(1), "two-b": exactly(1)}, twinSeen: map[string]span{"500": exactly(many), "two-a": {1, many - 1}, "two-b": {1, many - 1}}},
	"a setting of outlier detection that is ignored": {id: ErrorsIgnored, sent: []sent{{host: "two", header: failing, times: 4}}, objects: outlier("two", "consecutiveErrors: 1, maxEjectionPercent: 50"), twin: outlier("two", "consecutive5xxErrors: 1, maxEjectionPercent: 50"),
		text: "has consecutiveErrors: 1, which Istio reads no more: what ejects a pod is 5 answers of 5xx in a row",
		seen: map[string]span{"500": exactly(4), "two-a": {0, 4}, "two-b": {0, 4}}, twinSeen: map[string]span{"500": exactly(4), "two-a": {1, 3}, "two-b": {1, 3}}},
	"a mirror that leads to nobody": {id: CopiesLost, sent: asks("two"), objects: two("{" + toA + ", mirror: {host: two, subset: c}, mirrorPercentage: {value: 50}}"), twin: two("{" + toA + ", mirror: {host: two, subset: b}}"),
		text: `No DestinationRule defines the subset "c" of the mirror's host two (did you mean "a"?). No copy is sent, and nobody gets an error: 50 % of the requests that meet VirtualService two, http[0] were to be copied`,
		seen: all(1), twinSeen: map[string]span{"200": exactly(many), "two-a": exactly(many), "two-b": exactly(many), "three-v1": exactly(2 * many)}},
	"a mirror of no share": {id: NothingCopied, sent: asks("two"), objects: two("{" + toA + ", mirror: {host: two, subset: b}, mirrorPercentage: {value: 0}}"), twin: two("{" + toA + ", mirror: {host: two, subset: b}, mirrorPercentage: {value: 100}}"),
		text: "The mirror two subset b of VirtualService two, http[0] has 0 percent: no request is copied to it",
		seen: all(1), twinSeen: map[string]span{"200": exactly(many), "two-a": exactly(many), "two-b": exactly(many), "three-v1": exactly(2 * many)}},
	"a percentage without a mirror": {id: NothingCopied, sent: asks("two"), objects: two("{" + toA + ", mirrors: [{destination: {host: two, subset: b}}], mirrorPercentage: {value: 0}}"), twin: two("{" + toA + ", mirrors: [{destination: {host: two, subset: b}, percentage: {value: 0.0001}}]}"),
		text: "MirrorPercentage of VirtualService two, http[0] is for mirror: each of its mirrors has its own percentage, and 100 where it has none",
		seen: map[string]span{"200": exactly(many), "two-a": exactly(many), "two-b": exactly(many), "three-v1": exactly(2 * many)}, twinSeen: all(1)},
	"labels that no pods have": {id: NoBearer, sent: asks("two"), objects: two("{match: [{sourceLabels: {app: frontnd}}], "+teapot+"}", "{"+toA+"}"), twin: two("{match: [{sourceLabels: {app: frontend}, uri: {exact: /a}}], "+teapot+"}", "{"+toA+"}"), twinSent: append(asks("two"), sent{host: "two", path: "/a"}),
		text: `asks for requests of pods with app: frontnd, and no workload has these labels (did you mean "frontend"?)`, seen: all(1),
		twinSeen: map[string]span{"200": exactly(many), "418": exactly(1), "two-a": exactly(many), "three-v1": exactly(many)}},
	"labels beside gateways": {id: LabelsIgnored, sent: asks("two"), objects: two("{match: [{sourceLabels: {app: two}, gateways: [mesh]}], "+toB+"}", "{"+toA+"}"), twin: two("{match: [{sourceLabels: {app: frontend}, uri: {exact: /b}}], "+toB+"}", "{"+toA+"}"), twinSent: append(asks("two"), sent{host: "two", path: "/b"}),
		text: "asks for pods with app: two beside gateways, and Istio looks at no labels of the caller where a match names gateways: the requests of all pods meet it", seen: all(0),
		twinSeen: map[string]span{"200": exactly(many + 1), "two-a": exactly(many), "two-b": exactly(1), "three-v1": exactly(many + 1)}},
	"a method that Envoy does not know": {id: NoMethod, sent: []sent{{host: "two", method: "get"}}, objects: two("{match: [{method: {exact: get}}], "+teapot+"}", "{"+toA+"}"), twin: two("{match: [{method: {exact: GET}}], "+teapot+"}", "{"+toA+"}"), twinSent: append(ask("two"), sent{host: "two", method: "POST"}),
		text: `asks for method "get", which Envoy does not know (did you mean "GET"?): it answers 400 to such a request, and looks at no rule. No request meets it by this match`,
		seen: map[string]span{"400": exactly(1)}, twinSeen: map[string]span{"418": exactly(1), "200": exactly(1), "two-a": exactly(1), "three-v1": exactly(1)}},
	"a subset without labels": {id: Unlabelled, sent: asks("two"), objects: strings.Replace(destinationRule("more", "default", "two", "c=a"), "labels: {version: a}", "labels: {}", 1) + two("route: [{destination: {host: two, subset: c}}]"),
		twin: destinationRule("more", "default", "two", "c=a") + two("route: [{destination: {host: two, subset: c}}]"),
		text: "Subset c has no labels, so that all pods of host two belong to it: the calls that VirtualService two, http[0] sends to it spread over them, about 50 % to two-a and 50 % to two-b", seen: all(.5), twinSeen: all(1)},
	"a subset that is defined twice": {id: SubsetTwice, sent: asks("two"), objects: destinationRule("two-more", "default", "two", "a=b") + two(toA), twin: destinationRule("two-more", "default", "two", "c=b") + two("route: [{destination: {host: two, subset: c}}]"),
		text: "Subset a of host two is defined with other labels by DestinationRule two (base.yaml:98)", seen: all(1), twinSeen: all(0)},
	"a delegate that does not go together": {id: Dropped, sent: []sent{{host: "two", path: "/a/b"}, {host: "two", path: "/c"}}, objects: delegating("{regex: '/a/.*'}"), twin: delegating("{prefix: /a/b}"),
		text: "requests meet what is left, as if the rule were not there", seen: map[string]span{"200": exactly(2), "three-v1": exactly(2), "two-a": exactly(2)},
		twinSeen: map[string]span{"200": exactly(2), "three-v1": exactly(2), "two-a": exactly(1), "two-b": exactly(1)}},
	"two VirtualServices for a host at a gateway": {id: OpenOrder, sent: []sent{{from: byGateway, host: "shop.example.com", path: "/a"}, {from: byGateway, host: "shop.example.com", path: "/b"}},
		objects: virtualService("first", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}], "+toOne+"}") + "---\n" +
			virtualService("second", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /b}}], "+teapot+"}", "{match: [{uri: {prefix: /b}}], "+toOne+"}") + gatewayFor("'*'"),
		twin: virtualService("first", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /a}}], "+toOne+"}") + "---\n" +
			virtualService("second", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /b}}], "+teapot+"}") + gatewayFor("'*'"),
		text: "VirtualService second, http[0] and VirtualService first, http[0] (f.yaml:8) are both for requests such as GET /b at gateway shop, and Istio takes the rule of the VirtualService that was created first. In the order of their names, as where both are created in the same second, all of them meet VirtualService first, http[0], and 0 % meet VirtualService second, http[0]",
		seen: map[string]span{"200": exactly(2), "one-v1": exactly(2)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1), "418": exactly(1)}},
	"two VirtualServices for a host at a gateway, the other way round": {id: OpenOrder, sent: []sent{{from: byGateway, host: "shop.example.com", path: "/b"}},
		objects: virtualService("second", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /b}}], "+teapot+"}") + "---\n" +
			virtualService("first", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /b}}], "+toOne+"}") + gatewayFor("'*'"),
		twin: virtualService("first", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /b}}], "+toOne+"}") + gatewayFor("'*'"),
		text: "all of them meet VirtualService first, http[0]", seen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1)}},
	"two VirtualServices for a host at two Gateways of the same pods": {id: OpenOrder, sent: []sent{{from: byGateway, host: "shop.example.com", path: "/a"}, {from: byGateway, host: "shop.example.com", path: "/b"}, {from: byGateway, host: "shop.example.com", path: "/b/c"}},
		objects: virtualService("second", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /b}}], "+teapot+"}") + "---\n" +
			virtualService("first", "shop.example.com", "gateways: [open]", "{match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}], "+toOne+"}") + gatewayFor("'*'") + gatewayOf("open", "'*.example.com'"),
		twin: virtualService("second", "shop.example.com", "gateways: [shop]", "{match: [{uri: {prefix: /b}}], "+teapot+"}") + "---\n" +
			virtualService("first", "shop.example.com", "gateways: [open]", "{match: [{uri: {prefix: /a}}], "+toOne+"}") + gatewayFor("'*'") + gatewayOf("open", "'*.example.com'"),
		text: "are both for requests such as GET /b at the gateways shop and open of the same pods and port, and Istio takes the rule of the Gateway that was created first. In the order of the Gateways' names all of them meet VirtualService first, http[0], and 0 % meet VirtualService second, http[0]",
		seen: map[string]span{"200": exactly(3), "one-v1": exactly(3)}, twinSeen: map[string]span{"200": exactly(1), "one-v1": exactly(1), "418": exactly(2)}},
	"a name of a header in capitals": {id: CapitalName, sent: []sent{{host: "two", header: http.Header{"X-Dev-User": {"ann"}}}, {host: "two"}}, objects: two("{match: [{headers: {X-Dev-User: {exact: ann}}}], "+toA+"}", toB),
		twin: two("{match: [{headers: {x-dev-user: {exact: ann}}}], "+toA+"}", toB), text: "this alone takes 0 requests from the rule. Write x-dev-user",
		seen: map[string]span{"200": exactly(2), "three-v1": exactly(2), "two-a": exactly(1), "two-b": exactly(1)}, twinSeen: map[string]span{"200": exactly(2), "three-v1": exactly(2), "two-a": exactly(1), "two-b": exactly(1)}},
}

// delegating are rules for two, of which the first one delegates to a VirtualService whose only rule asks so for the path.
func delegating(uri string) string {
	return two("{match: [{uri: {prefix: /a}}], delegate: {name: part}}", toA) +
		"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: part}\nspec: {http: [{match: [{uri: " + uri + "}], " + toB + "}]}\n"
}

func with(seen map[string]span, name string, count span) map[string]span {
	seen[name] = count
	return seen
}

func plus(s span, n int64) span { return span{s.low + n, s.high + n} }

// failed is a stand-in all of whose tries fail.
func failed(app string) string { return stand(app, "v1", "[]", `{name: FAIL_PROBABILITY, value: "1"}`) }

// outlier is a DestinationRule with outlierDetection for a host. It has a name of its own, beside the one with subsets.
func outlier(host, settings string) string {
	return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " + host + "-outlier}\nspec: {host: " + host + ", trafficPolicy: {outlierDetection: {" + settings + "}}}\n"
}
