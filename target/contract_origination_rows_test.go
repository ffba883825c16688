package target_test

import (
	"net/http"
	"strings"

	"github.com/hellochaos/hellochaos/service"
)

// outsideEntry is a ServiceEntry of the name of its host, NAME.example, whose calls go to the vault: port 80 to a port of it, and port 8081 to
// its port 443.
func outsideEntry(namespace, name, port string) string {
	return "\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name + "}\nspec: {hosts: [" + name + ".example], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP, targetPort: " + port +
		"}, {number: 8081, name: more, protocol: HTTP, targetPort: 443}], endpoints: [{address: " + qualified("vault", namespace) + "}]}\n---\n"
}

// policyOutside is a DestinationRule for the host of an outsideEntry.
func policyOutside(name, policy string) string {
	return strings.Replace(policyOf(name, policy), `host: "`+name+`"`, "host: "+name+".example", 1)
}

// originationRows: buildUpstreamClusterTLSContext in Istio's pilot/pkg/networking/core/cluster_tls.go. The certificate of the vault is trusted by
// nobody who looks at it, so that a proxy must be told not to.
func originationRows(namespace string) []row {
	const secure = "{mode: SIMPLE, insecureSkipVerify: true"
	entry := func(name, port, policy string) string {
		return outsideEntry(namespace, name, port) + policyOutside(name, policy)
	}
	to := func(host string) request {
		return request{host: host, header: map[string]string{service.HeaderTell: service.ServerName}}
	}
	asks := func(host, name string) exchange {
		return exchange{request: to(host), want: want{Status: http.StatusOK, Service: "vault", Tries: exactly(1), Header: map[string]string{service.HeaderTold: name}}}
	}
	refused := func(host string) exchange { // by the server: it speaks TLS, and the proxy does not
		return exchange{request: to(host), want: want{Status: http.StatusBadRequest, Tries: exactly(0)}}
	}
	fails := func(host string) exchange {
		return exchange{request: to(host), want: want{Status: http.StatusServiceUnavailable, Tries: exactly(0), Flags: "URX,UF"}} // the default policy sends it again
	}
	ports := func(host, port string) string {
		return "tls: " + host + ", portLevelSettings: [{port: {number: 80}, tls: " + port + "}]"
	}
	return []row{
		{"TLS that a proxy opens", entry("named", "443", "tls: "+secure+", sni: inner.example}") + entry("unnamed", "443", "tls: "+secure+"}") + entry("plain", "80", "tls: "+secure+"}") +
			entry("port", "443", ports("{mode: DISABLE}", secure+"}")) + entry("port-without", "443", ports(secure+"}", "{mode: DISABLE}")) +
			entry("secret", "443", "tls: {mode: SIMPLE, credentialName: a}") + outsideEntry(namespace, "without", "443") + policyOf("one", "tls: "+secure+"}"), []exchange{
			asks("named.example", "inner.example"), asks("unnamed.example", "unnamed.example"), asks("port.example", "port.example"), asks("port-without.example:8081", "port-without.example"),
			refused("without.example"), refused("port.example:8081"), refused("port-without.example"), refused("secret.example"),
			fails("plain.example"), fails("one"), fails("unnamed.example.")}},
	}
}

// brokenRows: the outlier detection of Envoy for tries that got no answer, at pods that no sidecar guards.
func brokenRows(namespace string) []row {
	entry := func(name, settings string) string {
		return outsideEntry(namespace, name, "80") + policyOutside(name, "outlierDetection: {maxEjectionPercent: 100, baseEjectionTime: 1h, "+settings+"}")
	}
	broken := func(host string) exchange {
		return exchange{request: request{host: host, header: script("reset").header}, want: want{Status: http.StatusServiceUnavailable, Tries: exactly(1)}}
	}
	there := func(host string) exchange {
		return exchange{request: request{host: host}, want: want{Status: http.StatusOK, Service: "vault"}}
	}
	gone := func(host string) exchange {
		return exchange{request: request{host: host}, want: want{Status: http.StatusServiceUnavailable, Tries: exactly(0), Flags: "UH"}}
	}
	const split = "splitExternalLocalOriginErrors: true"
	return []row{
		{"ejections of pods that break connections", entry("together", "consecutive5xxErrors: 1") + entry("apart", "consecutive5xxErrors: 1, "+split) +
			entry("counted", "consecutive5xxErrors: 9, "+split+", consecutiveLocalOriginFailures: 1"), []exchange{
			broken("together.example"), gone("together.example"), broken("apart.example"), there("apart.example"), broken("counted.example"), gone("counted.example")}},
	}
}
