package target_test

import (
	"fmt"
	"net/http"
	"strings"
)

// edgeLimitRows are where the settings of Gateways, ServiceEntries and Sidecars end, and which of them hold where several ask for something.
func edgeLimitRows(namespace string) []row {
	return []row{sharedPortRow(), exactServerRow(namespace), competingEntriesRow(namespace), openSidecarRow(namespace)}
}

// sharedPortRow: servers of one port have their hosts together, of which those of a server with httpsRedirect are redirected, also where another
// one has the host more exactly and a rule leads it elsewhere (Istio's buildGatewayHTTPRouteConfig).
func sharedPortRow() row {
	const servers = `servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [one.example, one.org]}, {port: {number: 80, name: grpc, protocol: GRPC}, hosts: [two.org]}, ` +
		`{port: {number: 80, name: old, protocol: HTTP}, hosts: ["*.example"], tls: {httpsRedirect: true}}, {port: {number: 8099, name: far, protocol: HTTP}, hosts: [three.org]}]`
	const hosts = `hosts: [one.example, two.example, one.org, two.org, three.org, four.org]`
	policy := strings.NewReplacer(`servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["one.example"]}]`, servers, `hosts: ["one.example"]`, hosts).Replace(gateway(to("one")))
	asks := func(host string, w want) exchange {
		return exchange{request: request{from: fromGateway, host: host}, want: w}
	}
	reaches, nobody := want{Status: http.StatusOK, Service: "one"}, want{Status: http.StatusNotFound, Body: empty, Tries: exactly(0), Flags: "NR"}
	redirected := func(to string) want {
		return want{Status: http.StatusMovedPermanently, Tries: exactly(0), Header: map[string]string{"Location": to}}
	}
	return row{"servers of a Gateway that share a port", policy, []exchange{
		asks("one.org", reaches), asks("two.org", reaches), asks("three.org", nobody), asks("four.org", nobody),
		asks("one.example", redirected("https://one.example/")), asks("two.example", redirected("https://two.example/"))}}
}

// exactServerRow: of the servers with TLS at one port the one that names the host most exactly says what a client must show. Those that pass TLS
// through have no rules here, so that they leave their hosts to the wildcard.
func exactServerRow(namespace string) row {
	var servers []string
	add := func(mode, host string) {
		settings := "mode: " + mode
		if mode == "SIMPLE" || mode == "MUTUAL" || mode == "OPTIONAL_MUTUAL" {
			settings += ", credentialName: " + namespace
		}
		servers = append(servers, fmt.Sprintf("{port: {number: 443, name: https-%d, protocol: HTTPS}, hosts: ['%s'], tls: {%s}}", len(servers), host, settings))
	}
	for _, mode := range []string{"MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL", "PASSTHROUGH", "AUTO_PASSTHROUGH"} {
		add(mode, strings.ToLower(strings.ReplaceAll(mode, "_", "-"))+".example")
	}
	add("SIMPLE", "*.example")
	add("MUTUAL", "*.org")
	add("SIMPLE", "simple.org")
	policy := strings.NewReplacer(`servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["one.example"]}]`, "servers: ["+strings.Join(servers, ", ")+"]",
		`hosts: ["one.example"]`, `hosts: ["*.example", "*.org"]`).Replace(gateway(to("one")))
	asks := func(host, shows string, w want) exchange {
		return exchange{request: request{from: fromGateway, host: host, shows: shows}, want: w}
	}
	accepted, refused := want{Status: http.StatusOK, Service: "one"}, want{Broken: true}
	return row{"servers with TLS for a host and for a wildcard", policy, []exchange{
		asks("other.example", anonymous, accepted), asks("mutual.example", anonymous, refused), asks("mutual.example", "", accepted),
		asks("optional-mutual.example", stranger, refused), asks("optional-mutual.example", anonymous, accepted), asks("istio-mutual.example", anonymous, refused),
		asks("passthrough.example", anonymous, accepted), asks("auto-passthrough.example", anonymous, accepted),
		asks("other.org", anonymous, refused), asks("other.org", "", accepted), asks("simple.org", anonymous, accepted)}}
}

// competingEntriesRow: an exact host comes before a wildcard, an endpoint and the resolution STATIC before what DNS says of the host, the port of
// an endpoint before the targetPort, and the protocol of a port before its name. Of two hosts with one address the first has it.
func competingEntriesRow(namespace string) row {
	const http = "{number: 80, name: http, protocol: HTTP}"
	at := func(name, host, more string) string {
		return "\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name + "}\nspec: {hosts: ['" + host + "'], " + more + "}\n---\n"
	}
	one, vault := qualified("hidden", namespace), qualified("vault", namespace)
	to := func(address string) string {
		return "resolution: DNS, endpoints: [{address: " + address + "}], ports: [" + http
	}
	policy := at("exact", "a.wide.example", to(one)+", {number: 8081, name: tcp-more, protocol: HTTP, targetPort: 80}]") + at("wide", "*.wide.example", to(vault)+", {number: 8082, name: more, protocol: HTTP, targetPort: 443}]") +
		at("moved", vault, to(one)+"]") + at("nobody", one, "resolution: STATIC, ports: ["+http+"]") +
		at("ports", "ports.example", "resolution: DNS, endpoints: [{address: "+vault+", ports: {http: 80}}], ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}, {number: 8081, name: more, protocol: HTTP, targetPort: 443}]") +
		at("first", "first.example", "addresses: [240.240.2.1], "+to(one)+"]") + at("second", "second.example", "addresses: [240.240.2.1], "+to(vault)+"]") + rules("second.example", "route: [{destination: {host: second.example}}]")
	goes := func(host, service string) exchange {
		return exchange{request: request{host: host}, want: want{Status: 200, Service: service, Tries: exactly(1)}}
	}
	fails := func(host string, w want) exchange {
		w.Tries = exactly(0)
		return exchange{request: request{host: host}, want: w}
	}
	return row{"ServiceEntries that compete for a host or a port", policy, []exchange{
		goes("a.wide.example", "one"), goes("a.wide.example:8081", "one"), goes("b.wide.example", "vault"), fails("b.wide.example:8081", want{Status: 502, Body: empty}), fails("b.wide.example:8082", want{Status: 400}),
		goes(vault, "one"), fails(one, want{Status: 503, Flags: "UH"}), goes("ports.example", "vault"), fails("ports.example:8081", want{Status: 400}),
		goes("240.240.2.1", "vault"), goes("first.example", "one")}}
}

// openSidecarRow: ALLOW_ANY lets through what nobody has a rule or an entry for.
func openSidecarRow(namespace string) row {
	vault := qualified("vault", namespace)
	entry := strings.Replace(entryOf(vault), "resolution: DNS", "resolution: DNS, endpoints: [{address: "+qualified("hidden", namespace)+"}]", 1)
	policy := strings.Replace(imports("./*"), "REGISTRY_ONLY", "ALLOW_ANY", 1) + rules("one", "directResponse: {status: 418}") + rules("any.example", "directResponse: {status: 419}") + entry
	answers := func(host string, status int, service string) exchange {
		return exchange{request: request{host: host}, want: want{Status: status, Service: service}}
	}
	return row{"hosts that are known beside ALLOW_ANY", policy, []exchange{
		answers("one", 418, ""), answers("any.example", 419, ""), answers(vault, 200, "one"), answers(qualified("hidden", namespace), 200, "one")}}
}
