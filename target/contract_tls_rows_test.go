package target_test

import "strings"

// withTLS is a policy whose Gateway has TLS at port 443 with these settings, and the certificate of the Secret that has the name of the
// namespace.
func withTLS(policy, namespace, settings string) string {
	return strings.Replace(policy, "number: 80, name: http, protocol: HTTP}", "number: 443, name: https, protocol: HTTPS}, tls: {"+settings+", credentialName: "+namespace+"}", 1)
}

// How a client that connects to a server with TLS differs from the one that a run has.
const (
	anonymous = "without a certificate"
	stranger  = "with a certificate of another issuer"
)

// tlsRows: buildGatewayListenerTLSContext and buildGatewayListenersForServers in Istio's pilot/pkg/networking/core/gateway.go, and how Envoy
// chooses a filter chain by the name that a client asks for.
func tlsRows(namespace string) []row {
	mutual := withTLS(gateway("match: [{uri: {prefix: /old}}], redirect: {uri: /new}}\n    - {"+to("one")), namespace, "mode: MUTUAL")
	proto := withTLS(gateway("match: [{headers: {x-forwarded-proto: {exact: https}}}], directResponse: {status: 418}}\n    - {"+to("one")), namespace, "mode: SIMPLE")
	return []row{
		{"a server with TLS", mutual, []exchange{
			{request: atGateway("one.example"), want: want{Status: 200, Service: "one"}},
			{request: request{from: fromGateway, host: "one.example", path: "/old"}, want: want{Status: 301, Header: map[string]string{"Location": "https://one.example/new"}}}}},
		one("x-forwarded-proto at a server with TLS", proto, request{from: fromGateway, host: "one.example", header: map[string]string{"x-forwarded-proto": "http"}}, want{Status: 418}),
		modesRow(namespace),
	}
}

// modesRow has a server for each tls.mode at one port, beside one for each other protocol that shares it.
func modesRow(namespace string) row {
	servers := ""
	for i, mode := range []string{"SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL", "PASSTHROUGH", "AUTO_PASSTHROUGH"} {
		settings := "mode: " + mode
		if i < 3 {
			settings += ", credentialName: " + namespace
		}
		name := strings.ToLower(strings.ReplaceAll(mode, "_", "-"))
		servers += "{port: {number: 443, name: " + name + ", protocol: HTTPS}, hosts: [" + name + ".example], tls: {" + settings + "}}, "
	}
	policy := strings.NewReplacer(`servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["one.example"]}]`, "servers: ["+strings.TrimSuffix(servers, ", ")+"]",
		`hosts: ["one.example"]`, `hosts: ["*.example"]`).Replace(gateway(to("one")))
	asks := func(host, shows string, w want) exchange {
		return exchange{request: request{from: fromGateway, host: host + ".example", shows: shows}, want: w}
	}
	accepted, refused := want{Status: 200, Service: "one"}, want{Broken: true}
	return row{"the modes of servers with TLS", policy, []exchange{
		asks("simple", "", accepted), asks("simple", anonymous, accepted), asks("simple", stranger, accepted),
		asks("mutual", "", accepted), asks("mutual", anonymous, refused), asks("mutual", stranger, refused),
		asks("optional-mutual", "", accepted), asks("optional-mutual", anonymous, accepted), asks("optional-mutual", stranger, refused),
		asks("istio-mutual", anonymous, refused), asks("istio-mutual", stranger, refused),
		asks("passthrough", "", refused), asks("auto-passthrough", "", refused), asks("unknown", "", refused)}}
}
