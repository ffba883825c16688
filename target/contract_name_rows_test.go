package target_test

import (
	"fmt"
	"strings"
)

// nameRows are what random objects showed when Istio's own translation read them beside package manifests (the module differential): which
// names a sidecar and a gateway know, and which rules they obey for them. Istio's code is named beside each row.
func nameRows(namespace string) []row {
	full := qualified("one", namespace)
	const tea = "directResponse: {status: 418}"
	meets := func(host string, status int) exchange {
		return exchange{request: request{host: host}, want: want{Status: status}}
	}
	nobody := func(name, policy string) row {
		return one(name, policy, request{host: "one"}, want{Status: 503, Body: empty, Flags: "NC", Detail: "cluster_not_found"})
	}
	named := func(name, host string) string {
		return strings.Replace(rules(host, tea), "{name: "+strings.ReplaceAll(host, ".", "-")+"}", "{name: "+name+"}", 1)
	}
	return []row{
		// BuildSidecarVirtualHostWrapper: a host of a VirtualService that is not in the registry has its own name, and no other.
		{"rules for a name with the namespace", named("dotted", "one."+namespace), []exchange{meets("one."+namespace, 418), meets("one", 200)}},
		{"rules for a name that nobody has", rules("nobody", tea), []exchange{meets(qualified("nobody", namespace), 418), meets("nobody", 502)}},
		// GenerateAltVirtualHosts: of the names of a Service, only the full one may end with a dot.
		{"names with a dot at the end", rules("one", tea), []exchange{meets(full+".", 418), meets("one."+namespace+".", 502), meets("one.", 502)}},
		// ResolveShortnameToFQDN keeps upper case, and no cluster has it.
		nobody("a destination in upper case", rules("one", to("TWO"))),
		// getGatewayNames: the gateways of a match bind nothing that the VirtualService does not list.
		{"a match of gateways that are not listed", strings.Replace(rules("one", "match: [{gateways: [mesh]}], "+tea), "spec:", "spec:\n  gateways: [door]", 1), []exchange{meets("one", 200)}},
		// Envoy's mutateRequestHeaders comes before the route is looked for.
		{"a match of headers that the proxy adds", rules("one", "match: [{headers: {x-forwarded-proto: {exact: http}, x-request-id: {}}}], "+tea), []exchange{meets("one", 418)}},
		// SelectVirtualServices: one host of a VirtualService that meets one import is enough.
		{"an import that rules for more cover", imports("./"+full) + named("wide", qualified("*", namespace)), []exchange{meets("one", 418), meets("two", 502)}},
		// hostClassification.Excluded.
		{"a host that the Sidecar excludes", imports("./*", "~/"+full), []exchange{meets("one", 502), meets("two", 200)}},
		// buildClusters: a subset without endpoints has no cluster where DNS resolves the host.
		nobody("a subset of a host that DNS resolves", entryOf("api.example")+"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: api}\nspec: {host: api.example, subsets: [{name: a, labels: {app: one}}]}\n---\n"+
			rules("one", "route: [{destination: {host: api.example, subset: a}}]")),
		// collectImportedServices: a proxy has a cluster of a hidden Service of its own namespace. serviceNeedsPush: nobody tells it of the pods.
		one("a hidden Service to which rules route", rules("two", to("hidden")), request{host: "two"}, want{Status: 503, Body: "no healthy upstream", Flags: "UH"}),
		// virtualServiceDestinationsFilteredBySourceNamespace: an entry with a match for another namespace counts as one for it, whatever its other matches say.
		nobody("a destination that no Sidecar imports, beside a match of another namespace", imports("./"+full)+ofTwoMatches("elsewhere", to("two/a"))),
		{"a destination that the Sidecar imports, beside a match of another namespace", imports("./*") + ofTwoMatches("elsewhere", to("two/a")), []exchange{meets("one", 200)}},
		{"a destination that no Sidecar imports, beside a match of the caller's namespace", imports("./"+full) + ofTwoMatches(namespace, to("two/a")), []exchange{meets("one", 200)}},
		// separateVSHostsAndServices: a wildcard that a wider one of a ServiceEntry covers does not stand alone, and has no host of the registry either.
		{"a wildcard inside that of a ServiceEntry", strings.Replace(entryOf("'*.example'"), "resolution: DNS", "resolution: NONE", 1) + wildcardRules("narrow", "*.api.example", 419) + wildcardRules("wide", "*.example", 418),
			[]exchange{meets("a.api.example", 418), meets("www.example", 418)}},
		{"a wildcard inside that of another VirtualService", wildcardRules("narrow", "*.api.example", 419) + wildcardRules("wide", "*.example", 418),
			[]exchange{meets("a.api.example", 419), meets("www.example", 418)}},
	}
}

// imports is the Sidecar of the base with these hosts instead of all of its namespace.
func imports(hosts ...string) string {
	return "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default}\nspec:\n  egress: [{hosts: [\"istio-system/*\", \"" + strings.Join(hosts, `", "`) +
		"\"]}]\n  outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n---\n"
}

// entryOf is a ServiceEntry for a host that DNS resolves.
func entryOf(host string) string {
	return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: entry}\nspec: {hosts: [" + host + "], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}\n---\n"
}

// ofTwoMatches are rules for one with a match that asks for a namespace beside one that does not.
func ofTwoMatches(namespace, route string) string {
	return rules("one", "match: [{sourceNamespace: "+namespace+"}, {uri: {prefix: /}}], "+route)
}

// wildcardRules are rules that answer for a wildcard themselves.
func wildcardRules(name, host string, status int) string {
	return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: %s}\nspec: {hosts: ['%s'], http: [{directResponse: {status: %d}}]}\n---\n", name, host, status)
}
