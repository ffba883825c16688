package target_test

import "strings"

// serviceEntryRows: hosts of ServiceEntries whose calls go to other addresses. The one that all of them name is that of the Service hidden, whose pods
// are those of one.
func serviceEntryRows(namespace string) []row {
	at := qualified("hidden", namespace)
	entry := func(name, spec string) string {
		return "\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n---\n"
	}
	const http, more = "{number: 80, name: http, protocol: HTTP}", "{number: 8081, name: more, protocol: HTTP"
	machines := entry("machines", "hosts: [machines.example], resolution: DNS, addresses: [240.240.1.1], ports: ["+http+", "+more+", targetPort: 80}], endpoints: [{address: "+at+", labels: {version: a}}]") +
		strings.Replace(policyOf("machines", "x"), "host: \"machines\", trafficPolicy: {x}", "host: machines.example, subsets: [{name: a, labels: {version: a}}, {name: b, labels: {version: b}}]", 1) +
		rules("alias.example", "match: [{uri: {prefix: /b}}], route: [{destination: {host: machines.example, subset: b}}]", "route: [{destination: {host: machines.example, subset: a}}]")
	wild := entry("wild", `hosts: ["*.wild.example"], resolution: DNS, ports: [`+more+"}], endpoints: [{address: "+at+", ports: {more: 80}}]")
	inside := entry("inside", "hosts: [inside.example], location: MESH_INTERNAL, resolution: DNS, ports: ["+http+"], endpoints: [{address: "+at+"}]")
	nobody := entry("nobody", "hosts: [nobody.example], resolution: STATIC, ports: ["+http+"]")
	goes := func(host string) exchange {
		return exchange{request: request{host: host}, want: want{Status: 200, Service: "one", Tries: exactly(1)}}
	}
	fails := func(host, path string, w want) exchange {
		w.Tries = exactly(0)
		return exchange{request: request{host: host, path: path}, want: w}
	}
	return []row{
		{"ServiceEntries whose calls go to other addresses", machines + wild + inside + nobody, []exchange{
			goes("machines.example"), goes("machines.example:8081"), goes("alias.example"), goes("240.240.1.1"), goes("a.wild.example:8081"), goes("inside.example"),
			fails("alias.example", "/b", want{Status: 503, Flags: "NC"}),
			fails("240.240.1.2", "/", want{Status: 502, Body: empty}),
			fails("wild.example:8081", "/", want{Status: 502, Body: empty}),
			fails("nobody.example", "/", want{Status: 503, Flags: "UH"})}},
	}
}

// exportRows: what its exportTo keeps from the callers, whose namespace is that of the objects.
func exportRows(namespace string) []row {
	entry := "\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: NAME}\nspec: {hosts: [NAME.example], exportTo: [TO], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: " +
		qualified("hidden", namespace) + "}]}\n---\n"
	entryFor := func(name, exports string) string {
		return strings.NewReplacer("NAME", name, "TO", exports).Replace(entry)
	}
	subsets := func(host, exports string) string {
		return strings.Replace(policyOf(host, "x"), "trafficPolicy: {x}", "exportTo: ["+exports+"], subsets: [{name: v, labels: {version: v1}}]", 1)
	}
	// answers is a VirtualService that answers with a status.
	answers := func(name, host, exports string, status int) string {
		return strings.Replace(wildcardRules(name, host, status), "hosts:", "exportTo: ["+exports+"], hosts:", 1)
	}
	unknown := want{Status: 503, Flags: "NC", Tries: exactly(0)}
	return []row{
		{"exportTo of VirtualServices, DestinationRules and ServiceEntries", subsets("one", elsewhere(namespace)) + rules("one", to("one/v")) + subsets("three", namespace+", "+elsewhere(namespace)) + rules("three", to("three/v")) +
			entryFor("known", namespace+", "+elsewhere(namespace)) + entryFor("unknown", elsewhere(namespace)) + rules("alias.example", "route: [{destination: {host: unknown.example}}]") +
			answers("two", "two", elsewhere(namespace), 418) + answers("wide", qualified("*", namespace), namespace, 419), []exchange{
			{request: request{host: "one"}, want: unknown},
			{request: request{host: "three"}, want: want{Status: 200, Service: "three"}},
			{request: request{host: "two"}, want: want{Status: 419, Tries: exactly(0)}}, // the rules for this host alone are for others
			{request: request{host: "known.example"}, want: want{Status: 200, Service: "one"}},
			{request: request{host: "unknown.example"}, want: want{Status: 502, Body: empty, Tries: exactly(0)}},
			{request: request{host: "alias.example"}, want: want{Status: 200, Service: "one", Tries: exactly(1)}}}}, // its namespace has it where a rule leads there
	}
}
