package target_test

import (
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// elsewhere is the second namespace of the contract, beside that of most objects. On a cluster both have names of their own.
func elsewhere(namespace string) string {
	if namespace == manifests.Namespace {
		return "elsewhere"
	}
	return namespace + "-elsewhere"
}

// placed are objects that stand in a namespace.
func placed(namespace, objects string) string {
	return strings.ReplaceAll(objects, "metadata: {name: ", "metadata: {namespace: "+namespace+", name: ")
}

// away is what the second namespace has in every row about it: a Service with a pod, far, one whose Deployment has none, idle, and one
// whose selector the pod of far meets but for one label, right.
func away(namespace string) string {
	there := elsewhere(namespace)
	selecting := func(app, side string) string {
		return strings.Replace(serviceOf(app), "{app: "+app+"}", "{app: far, side: "+side+"}", 1)
	}
	far := strings.Replace(deployment("script", "far", "v1", 1), "{labels: {", "{labels: {side: left, ", 1)
	return "\napiVersion: v1\nkind: Namespace\nmetadata: {name: " + there + ", labels: {istio-injection: enabled, team: a}}\n---\n" +
		placed(there, far+deployment("script", "idle", "v1", 0)+selecting("far", "left")+selecting("right", "right")+serviceOf("idle"))
}

// namespaceRows are what becomes of objects of another namespace than that of the callers, and of what names them. Those about a Gateway
// of Gateway API come first, since its pods are there already.
func namespaceRows(namespace string) (rows []row) {
	for _, part := range [][]row{doorNamespaceRows(namespace), grantRows(namespace), windowRows(namespace), routeNamespaceRows(namespace), ruleNamespaceRows(namespace)} {
		rows = append(rows, part...)
	}
	return rows
}

// The names of the rows that show what the objects of away are.
const podsRow, allowedRow = "Services and pods of another namespace", "Gateway: routes that its listeners allow"

// What callers see of a host that they do not know, of a Service without pods, and of a destination for which there is no cluster.
var (
	unknownHost = want{Status: 502, Body: empty, Tries: exactly(0)}
	noPods      = want{Status: 503, Body: "no healthy upstream", Tries: exactly(0), Flags: "UH"}
	noCluster   = want{Status: 503, Body: empty, Tries: exactly(0), Flags: "NC"}
)

// fromFar is an answer of the pod of far. Its tries are not compared, since nobody counts them on a cluster.
var fromFar = want{Status: 200, Service: "far", Version: "v1"}

// ofVersion is an answer of one of the versions of two.
func ofVersion(version string) want {
	return want{Status: 200, Service: "two", Version: version, Tries: exactly(1)}
}

// calls is a request of the caller to a path of a host.
func calls(host, path string, w want) exchange {
	return exchange{request: request{host: host, path: path}, want: w}
}

// ruleNamespaceRows: Services, Deployments and Istio's rules. Which namespace's DestinationRule holds says PushContext.destinationRule, and which
// ServiceEntry is known SidecarScope.
func ruleNamespaceRows(namespace string) []row {
	there := elsewhere(namespace)
	far, idle, right := qualified("far", there), qualified("idle", there), qualified("right", there)
	three, hidden, vault := qualified("three", namespace), qualified("hidden", namespace), qualified("vault", namespace)
	const more = "{number: 8099, name: http-more, protocol: HTTP}, "
	both := imports("./*", there+"/*") + away(namespace)
	near := strings.Replace(serviceOf("near"), "app: near", "app: far", 1)
	answers := func(host, status string) string { return rules(host, "directResponse: {status: "+status+"}") }
	subsets := func(host, name string) string {
		return strings.Replace(policyOf(host, "x"), "trafficPolicy: {x}", "subsets: [{name: "+name+", labels: {version: v1}}]", 1)
	}
	opened := func(host, ports string) string {
		return strings.NewReplacer("name: entry", "name: "+strings.Split(host, ".")[0], "ports: [", "ports: ["+ports).Replace(entryOf(host))
	}
	return []row{
		{podsRow, both + near, []exchange{
			calls(far, "/", fromFar), calls("far."+there, "/", fromFar), calls("far", "/", unknownHost), calls(idle, "/", noPods), calls(right, "/", noPods), calls("near", "/", noPods),
			{request: request{host: far, header: script("418").header}, want: want{Status: 418, Service: "far"}}}},
		{"a Sidecar of another namespace", away(namespace) + placed(there, strings.Replace(imports("./*"), "REGISTRY_ONLY", "ALLOW_ANY", 1)), []exchange{
			calls(far, "/", unknownHost), calls(hidden, "/", unknownHost), calls("one", "/", want{Status: 200, Service: "one"})}},
		{"VirtualServices of another namespace", both + placed(there, answers("far", "418")+answers("one", "419")+rules(three, to("far"))), []exchange{
			calls(far, "/", want{Status: 418}), calls("one", "/", want{Status: 200, Service: "one"}), calls("three", "/", fromFar)}},
		{"DestinationRules of another namespace", both + placed(there, subsets("far", "v")+subsets(three, "v")+subsets("right", "v")) + subsets(right, "other") +
			rules(far, to(far+"/v")) + rules("three", to("three/v")) + rules(right, to(right+"/v")), []exchange{
			calls(far, "/", fromFar), calls("three", "/", noCluster), calls(right, "/", noCluster)}},
		{"a ServiceEntry of another namespace that the callers import", imports("./*", there+"/"+hidden, there+"/"+vault) + placed(there, opened(hidden, "")+opened(vault, more)+opened("unknown.example", "")) + opened(vault, ""), []exchange{
			calls(hidden, "/", want{Status: 200, Service: "one"}), calls("unknown.example", "/", unknownHost), calls(vault, "/", want{Status: 200, Service: "vault"}), calls(vault+":8099", "/", want{Broken: true})}},
		gatewayNamespaceRow(namespace),
	}
}

// gatewayNamespaceRow: a Gateway of another namespace at the pods and the port of the one at which requests enter. Its hosts may be for the
// VirtualServices of one namespace alone (Istio's MergeGateways). Another Gateway there selects pods that there are none of.
func gatewayNamespaceRow(namespace string) row {
	there := elsewhere(namespace)
	gatewayOf := func(name, pods, hosts string) string {
		return placed(there, "\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: "+name+"}\nspec: {selector: {istio: "+pods+"}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["+hosts+"]}]}\n---\n")
	}
	others := gatewayOf("door", "ingressgateway", "two.example, ./three.example, "+namespace+"/four.example") + gatewayOf("side", "sidegateway", "five.example")
	bound := func(name, gateway, hosts, version string) string {
		return "\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec: {hosts: [" + hosts + "], gateways: [" + gateway + "], http: [{" + to("two/"+version) + "}]}\n---\n"
	}
	enters := func(host string, w want) exchange {
		return exchange{request: request{from: fromGateway, host: host}, want: w}
	}
	nobody := want{Status: 404, Body: empty, Tries: exactly(0)}
	return row{"Gateways of another namespace", others + gateway(to("one")) + bound("a", "door", "two.example", "a") + bound("b", there+"/door", "two.example, three.example, four.example, one.example", "b") +
		bound("c", there+"/side", "five.example", "b"), []exchange{
		enters("one.example", want{Status: 200, Service: "one"}), enters("two.example", ofVersion("b")), enters("three.example", nobody), enters("four.example", ofVersion("b")), enters("five.example", nobody)}}
}

// serviceFieldRows: what a Service says about the protocol of a port, and to whom it is exported. No pods are behind them.
func serviceFieldRows(namespace string) []row {
	port := func(name, port string) string {
		return strings.NewReplacer("name: http, port: 80", port, "app: "+name, "app: nobody").Replace(serviceOf(name))
	}
	exported := func(name, to string) string {
		return strings.Replace(port(name, "name: http, port: 80"), "{name: "+name+"}", "{name: "+name+", annotations: {networking.istio.io/exportTo: \""+to+"\"}}", 1)
	}
	return []row{
		{"appProtocol of a Service", port("said", "appProtocol: http, port: 8088") + port("silent", "port: 8089"), []exchange{
			calls("nobody.example:8088", "/", unknownHost), calls("nobody.example:8089", "/", want{Broken: true, Tries: exactly(0)})}},
		{"exportTo of Services", exported("own", ".") + exported("all", "*") + exported("none", "~") + exported("some", namespace+","+elsewhere(namespace)) + exported("others", elsewhere(namespace)), []exchange{
			calls("own", "/", noPods), calls("all", "/", noPods), calls("none", "/", unknownHost), calls("some", "/", noPods), calls("others", "/", unknownHost)}},
	}
}

// ofNamespace is the only backend of a rule: a Service of a namespace.
func ofNamespace(namespace, name string) string {
	return `backendRefs: [{group: "", kind: Service, name: ` + name + ", namespace: " + namespace + ", port: 80}]"
}

// under is a rule for the paths of a prefix.
func under(prefix, rest string) string { return "matches: [{path: {value: " + prefix + "}}], " + rest }

// routeNamespaceRows: HTTPRoutes for the callers of Services. One in the namespace of the Service is for all callers, and one in another for those
// of its own, which meet it first. They need no ReferenceGrant.
func routeNamespaceRows(namespace string) []row {
	there := elsewhere(namespace)
	far, right := qualified("far", there), qualified("right", there)
	at := func(name, of string) string {
		return `parentRefs: [{group: "", kind: Service, name: ` + name + ", namespace: " + of + "}]"
	}
	mirror := func(prefix, refs string) string {
		return under(prefix, "filters: [{type: RequestMirror, requestMirror: {backendRef: {"+refs+"}}}], "+ofNamespace(namespace, "two-a"))
	}
	const kind, group = "kind: Other, name: two-b, port: 80, namespace: ", `group: a.example, kind: Service, name: two-b, port: 80, namespace: `
	routes := httpRoute("far", at("far", there), under("/there", ofNamespace(namespace, "two-a")), under("/lost", backend("two-a")),
		under("/kind", "backendRefs: [{"+kind+namespace+"}]"), under("/group", "backendRefs: [{"+group+namespace+"}]"),
		mirror("/copied", `group: "", kind: Service, name: two-b, port: 80, namespace: `+namespace), mirror("/uncopied", "name: two-b, port: 80"),
		mirror("/kindless", kind+namespace), mirror("/groupless", group+namespace)) +
		httpRoute("one", at("one", namespace), ofNamespace(namespace, "two-b")) + httpRoute("right", at("right", there), ofNamespace(namespace, "two-a"))
	copies := func(b int64) want {
		return want{Status: 200, Version: "a", Versions: map[string]span{"a": {1, 1}, "b": {b, b}}}
	}
	refused := want{Status: 500, Body: empty, Tries: exactly(0)}
	return []row{
		{"HTTPRoutes of another namespace", imports("./*", there+"/*") + away(namespace) + versioned + placed(there, routes) + httpRoute("right", at("right", there), backend("two-b")), []exchange{
			calls(far, "/there", ofVersion("a")), calls(far, "/lost", refused), calls(far, "/kind", refused), calls(far, "/group", refused), calls(far, "/", want{Status: 404, Flags: "NR"}),
			calls(far, "/copied", copies(1)), calls(far, "/uncopied", copies(0)), calls(far, "/kindless", copies(0)), calls(far, "/groupless", copies(0)),
			calls("one", "/", want{Status: 200, Service: "one"}), calls(right, "/", ofVersion("b"))}},
	}
}

// entersDoor is a request at the pods of the Gateway door.
func entersDoor(host, path string, w want) exchange {
	return exchange{request: request{from: fromDoor, host: host, path: path}, want: w}
}

// doorNamespaceRows: which listeners of a Gateway take HTTPRoutes of which namespaces, kinds and section names (Istio's referenceAllowed). The routes of
// the Gateway's own namespace stand before those of others, and among all of them the longer prefix is met.
func doorNamespaceRows(namespace string) []row {
	there := elsewhere(namespace)
	listener := func(name, allowed string) string {
		return "name: " + name + ", port: 80, protocol: HTTP, hostname: " + name + ".example, allowedRoutes: {" + allowed + "}"
	}
	chosen := func(labels string) string {
		return "namespaces: {from: Selector, selector: {matchLabels: {" + labels + "}}}"
	}
	const all, ofRoutes = "namespaces: {from: All}", ", kinds: [{group: gateway.networking.k8s.io, kind: HTTPRoute}]"
	listeners := door(listener("same", "namespaces: {from: Same}"), listener("all", all+ofRoutes), listener("chosen", chosen("team: a")), listener("unchosen", chosen("team: b")),
		listener("named", chosen("kubernetes.io/metadata.name: "+there)), listener("grpc", all+", kinds: [{kind: GRPCRoute}]"), listener("foreign", all+", kinds: [{group: a.example, kind: HTTPRoute}]"))
	atDoor := func(more string) string {
		return "parentRefs: [{name: door, namespace: " + namespace + more + "}]"
	}
	routes := placed(there, httpRoute("all", atDoor(""), backend("far"))+httpRoute("lost", "parentRefs: [{name: door}]", under("/lost", backend("right")))+httpRoute("section", atDoor(", sectionName: all"), under("/section", backend("right")))) +
		httpRoute("own", atDoor(""), under("/own", backend("two-b"))) + httpRoute("other", "parentRefs: [{name: window}]", under("/other", backend("two-b")))
	nobody, right := want{Status: 404, Body: empty, Tries: exactly(0)}, want{Status: 503, Tries: exactly(0)}
	return []row{
		{allowedRow, away(namespace) + versioned + listeners + routes, []exchange{
			entersDoor("same.example", "/", nobody), entersDoor("same.example", "/own", ofVersion("b")), entersDoor("same.example", "/other", nobody),
			entersDoor("all.example", "/", fromFar), entersDoor("all.example", "/own", ofVersion("b")), entersDoor("all.example", "/lost", fromFar), entersDoor("all.example", "/section", right),
			entersDoor("a.all.example", "/", nobody), entersDoor("chosen.example", "/", fromFar), entersDoor("chosen.example", "/own", fromFar), entersDoor("chosen.example", "/section", fromFar),
			entersDoor("unchosen.example", "/", nobody), entersDoor("named.example", "/", fromFar), entersDoor("named.example", "/own", fromFar), entersDoor("grpc.example", "/", nobody), entersDoor("foreign.example", "/", nobody)}},
	}
}

// grantRows: at a Gateway, a route may name a Service of another namespace where a ReferenceGrant there says so. Each of the grants for two-b but
// lacks one thing.
func grantRows(namespace string) []row {
	there := elsewhere(namespace)
	grant := func(name, of, from, to string) string {
		return "\napiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {name: " + name + ", namespace: " + of + "}\nspec: {from: [{" + from + "}], to: [{" + to + "}]}\n---\n"
	}
	const ofRoutes, service = "group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ", `group: "", kind: Service`
	const toB = service + ", name: two-b"
	grants := grant("a", namespace, ofRoutes+there, service+", name: two-a") + grant("far", there, ofRoutes+namespace, service) +
		grant("other-group", namespace, "group: a.example, kind: HTTPRoute, namespace: "+there, toB) + grant("other-kind", namespace, "group: gateway.networking.k8s.io, kind: GRPCRoute, namespace: "+there, toB) +
		grant("other-namespace", namespace, ofRoutes+namespace, toB) + grant("to-group", namespace, ofRoutes+there, "group: a.example, kind: Service, name: two-b") +
		grant("to-kind", namespace, ofRoutes+there, `group: "", kind: Secret, name: two-b`) + grant("to-name", namespace, ofRoutes+there, service+", name: two-c") + grant("misplaced", there, ofRoutes+there, toB)
	mirror := func(name string) string {
		return `filters: [{type: RequestMirror, requestMirror: {backendRef: {group: "", kind: Service, name: ` + name + ", namespace: " + namespace + ", port: 80}}}], "
	}
	routes := placed(there, httpRoute("there", "parentRefs: [{name: door, namespace: "+namespace+"}]", under("/a", ofNamespace(namespace, "two-a")), under("/b", ofNamespace(namespace, "two-b")),
		under("/copied", mirror("two-a")+ofNamespace(namespace, "two-a")), under("/uncopied", mirror("two-b")+ofNamespace(namespace, "two-a")))) +
		httpRoute("own", "parentRefs: [{name: door}]", under("/far", ofNamespace(there, "far")))
	copied := func(n int64) want { return want{Status: 200, Version: "a", Tries: exactly(n)} }
	return []row{
		{"Gateway: backends that ReferenceGrants allow", away(namespace) + versioned + door("name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}") + grants + routes, []exchange{
			entersDoor("any.org", "/a", ofVersion("a")), entersDoor("any.org", "/b", want{Status: 500, Body: empty, Tries: exactly(0)}), entersDoor("any.org", "/copied", copied(2)), entersDoor("any.org", "/uncopied", copied(1)),
			entersDoor("any.org", "/far", fromFar)}},
	}
}

// windowRows: sidecars listen at the ports of the Service that Istio writes for a Gateway of Gateway API, in its namespace.
func windowRows(namespace string) []row {
	there := elsewhere(namespace)
	window := away(namespace) + placed(there, strings.Replace(door("name: http, port: 8099, protocol: HTTP"), "name: door", "name: window", 1))
	return []row{
		{"Gateway: one of another namespace that the callers import", imports("./*", there+"/*") + window, []exchange{calls("nobody.example:8099", "/", unknownHost)}},
		{"Gateway: one of another namespace that they do not import", window, []exchange{calls("nobody.example:8099", "/", want{Broken: true, Tries: exactly(0)})}},
	}
}
