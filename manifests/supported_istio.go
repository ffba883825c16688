package manifests

// Why fields and values of Istio are without effect on requests.
const (
	onlyName        = "it is a name for the logs and the statistics of proxies"
	noSidecars      = "it says who is to have a certificate of the mesh, and no rule for HTTP looks at it"
	protocolPort    = "it is what holds where nothing says which port a redirect names"
	oneValue        = "no other value than the default is accepted"
	sameForDNS      = "with each of these values, and with none, requests for a host without endpoints go to the address that DNS has for it"
	anyTLS          = "sidecars accept calls with mutual TLS and without: only a PeerAuthentication could forbid it, and that is no kind that is read"
	protocolTells   = "Istio takes the protocol of the port from the field protocol"
	ownHTTP2        = "it is for connections of HTTP/2, and requests and the connections on which proxies send them on are HTTP/1.1"
	laterClosed     = "it decides when a proxy closes a connection, and the next request gets a new one"
	atOnce          = "the programs of a run accept or refuse a connection at once"
	deprecated      = "Istio reads it no more"
	spreadsKeys     = "it decides how evenly keys are spread over endpoints, and not whether requests with the same key go to the same one"
	ownCertificates = "it names files or lists of certificates, which are not read: hosts outside get a certificate of the run, which proxies trust, and proxies that show one show one of the run"
	handshakeOnly   = "it decides which clients get a connection with TLS, and by which certificate; those of a run get one, by a certificate of the run, and what becomes of their requests is the same"
)

// istioFields are the fields that are accepted, by message of Istio's API.
var istioFields = []Field{
	{"VirtualService", "hosts", executed},
	{"VirtualService", "gateways", executed},
	{"VirtualService", "http", executed},
	{"VirtualService", "exportTo", executed},

	{"HTTPRoute", "name", onlyName},
	{"HTTPRoute", "match", executed},
	{"HTTPRoute", "route", executed},
	{"HTTPRoute", "redirect", executed},
	{"HTTPRoute", "directResponse", executed},
	{"HTTPRoute", "timeout", executed},
	{"HTTPRoute", "retries", executed},
	{"HTTPRoute", "fault", executed},
	{"HTTPRoute", "rewrite", executed},
	{"HTTPRoute", "headers", executed},
	{"HTTPRoute", "delegate", executed},
	{"HTTPRoute", "mirror", executed},
	{"HTTPRoute", "mirrors", executed},
	{"HTTPRoute", "mirrorPercentage", executed},
	{"HTTPRoute", "mirrorPercent", executed},

	{"HTTPMirrorPolicy", "destination", executed},
	{"HTTPMirrorPolicy", "percentage", executed},

	{"HTTPMatchRequest", "name", onlyName},
	{"HTTPMatchRequest", "uri", executed},
	{"HTTPMatchRequest", "method", executed},
	{"HTTPMatchRequest", "authority", executed},
	{"HTTPMatchRequest", "headers", executed},
	{"HTTPMatchRequest", "withoutHeaders", executed},
	{"HTTPMatchRequest", "queryParams", executed},
	{"HTTPMatchRequest", "ignoreUriCase", executed},
	{"HTTPMatchRequest", "gateways", executed},
	{"HTTPMatchRequest", "port", executed},
	{"HTTPMatchRequest", "sourceNamespace", executed},
	{"HTTPMatchRequest", "sourceLabels", executed},

	{"StringMatch", "exact", executed},
	{"StringMatch", "prefix", executed},
	{"StringMatch", "regex", executed},

	{"Delegate", "name", executed},
	{"Delegate", "namespace", executed},

	{"HTTPRewrite", "uri", executed},
	{"HTTPRewrite", "authority", executed},
	{"HTTPRewrite", "uriRegexRewrite", executed},

	{"RegexRewrite", "match", executed},
	{"RegexRewrite", "rewrite", executed},

	{"Headers", "request", executed},
	{"Headers", "response", executed},

	{"HeaderOperations", "set", executed},
	{"HeaderOperations", "add", executed},
	{"HeaderOperations", "remove", executed},

	{"HTTPRouteDestination", "destination", executed},
	{"HTTPRouteDestination", "weight", executed},
	{"HTTPRouteDestination", "headers", executed},

	{"Destination", "host", executed},
	{"Destination", "subset", executed},
	{"Destination", "port", executed},

	{"PortSelector", "number", executed},

	{"HTTPRetry", "attempts", executed},
	{"HTTPRetry", "perTryTimeout", executed},
	{"HTTPRetry", "retryOn", executed},
	{"HTTPRetry", "backoff", executed},
	{"HTTPRetry", "retryIgnorePreviousHosts", executed},

	{"HTTPFaultInjection", "delay", executed},
	{"HTTPFaultInjection", "abort", executed},

	{"Delay", "fixedDelay", executed},
	{"Delay", "percentage", executed},
	{"Delay", "percent", executed},

	{"Abort", "httpStatus", executed},
	{"Abort", "percentage", executed},

	{"Percent", "value", executed},

	{"HTTPRedirect", "uri", executed},
	{"HTTPRedirect", "authority", executed},
	{"HTTPRedirect", "redirectCode", executed},
	{"HTTPRedirect", "prefixRewrite", executed},
	{"HTTPRedirect", "scheme", executed},
	{"HTTPRedirect", "port", executed},
	{"HTTPRedirect", "derivePort", executed},

	{"HTTPDirectResponse", "status", executed},
	{"HTTPDirectResponse", "body", executed},

	{"HTTPBody", "string", executed},

	{"DestinationRule", "host", executed},
	{"DestinationRule", "subsets", executed},
	{"DestinationRule", "trafficPolicy", executed},
	{"DestinationRule", "exportTo", executed},

	{"Subset", "name", executed},
	{"Subset", "labels", executed},
	{"Subset", "trafficPolicy", executed},

	{"TrafficPolicy", "loadBalancer", executed},
	{"TrafficPolicy", "connectionPool", executed},
	{"TrafficPolicy", "outlierDetection", executed},
	{"TrafficPolicy", "retryBudget", executed},
	{"TrafficPolicy", "tls", executed},
	{"TrafficPolicy", "portLevelSettings", executed},

	{"PortTrafficPolicy", "port", executed},
	{"PortTrafficPolicy", "loadBalancer", executed},
	{"PortTrafficPolicy", "connectionPool", executed},
	{"PortTrafficPolicy", "outlierDetection", executed},
	{"PortTrafficPolicy", "tls", executed},

	{"ClientTLSSettings", "mode", executed},
	{"ClientTLSSettings", "sni", executed},
	{"ClientTLSSettings", "subjectAltNames", executed},
	{"ClientTLSSettings", "insecureSkipVerify", executed},
	{"ClientTLSSettings", "credentialName", executed},
	{"ClientTLSSettings", "caCertificates", ownCertificates},
	{"ClientTLSSettings", "clientCertificate", ownCertificates},
	{"ClientTLSSettings", "privateKey", ownCertificates},
	{"ClientTLSSettings", "caCrl", ownCertificates},

	{"LoadBalancerSettings", "simple", executed},
	{"LoadBalancerSettings", "consistentHash", executed},

	{"ConsistentHashLB", "httpHeaderName", executed},
	{"ConsistentHashLB", "httpCookie", executed},
	{"ConsistentHashLB", "useSourceIp", executed},
	{"ConsistentHashLB", "httpQueryParameterName", executed},
	{"ConsistentHashLB", "ringHash", spreadsKeys},
	{"ConsistentHashLB", "maglev", spreadsKeys},
	{"ConsistentHashLB", "minimumRingSize", spreadsKeys},

	{"HTTPCookie", "name", executed},
	{"HTTPCookie", "path", executed},
	{"HTTPCookie", "ttl", executed},

	{"RingHash", "minimumRingSize", spreadsKeys},

	{"MagLev", "tableSize", spreadsKeys},

	{"ConnectionPoolSettings", "tcp", executed},
	{"ConnectionPoolSettings", "http", executed},

	{"TCPSettings", "maxConnections", executed},
	{"TCPSettings", "connectTimeout", atOnce},
	{"TCPSettings", "tcpKeepalive", laterClosed},
	{"TCPSettings", "maxConnectionDuration", laterClosed},
	{"TCPSettings", "idleTimeout", laterClosed},

	{"TcpKeepalive", "probes", laterClosed},
	{"TcpKeepalive", "time", laterClosed},
	{"TcpKeepalive", "interval", laterClosed},

	{"HTTPSettings", "http1MaxPendingRequests", executed},
	{"HTTPSettings", "http2MaxRequests", executed},
	{"HTTPSettings", "maxRetries", executed},
	{"HTTPSettings", "maxRequestsPerConnection", laterClosed},
	{"HTTPSettings", "idleTimeout", laterClosed},
	{"HTTPSettings", "h2UpgradePolicy", ownHTTP2},
	{"HTTPSettings", "useClientProtocol", ownHTTP2},
	{"HTTPSettings", "maxConcurrentStreams", ownHTTP2},
	{"HTTPSettings", "http2KeepAlive", ownHTTP2},

	{"RetryBudget", "percent", executed},
	{"RetryBudget", "minRetryConcurrency", executed},

	{"ConnectionKeepalive", "interval", ownHTTP2},
	{"ConnectionKeepalive", "timeout", ownHTTP2},

	{"OutlierDetection", "consecutive5xxErrors", executed},
	{"OutlierDetection", "consecutiveGatewayErrors", executed},
	{"OutlierDetection", "splitExternalLocalOriginErrors", executed},
	{"OutlierDetection", "consecutiveLocalOriginFailures", executed},
	{"OutlierDetection", "consecutiveErrors", deprecated},
	{"OutlierDetection", "interval", executed},
	{"OutlierDetection", "baseEjectionTime", executed},
	{"OutlierDetection", "maxEjectionPercent", executed},
	{"OutlierDetection", "minHealthPercent", executed},

	{"Gateway", "selector", executed},
	{"Gateway", "servers", executed},

	{"Server", "port", executed},
	{"Server", "hosts", executed},
	{"Server", "name", onlyName},
	{"Server", "tls", executed},

	{"Port", "number", executed},
	{"Port", "name", protocolTells},
	{"Port", "protocol", executed},

	{"ServerTLSSettings", "httpsRedirect", executed},
	{"ServerTLSSettings", "mode", executed},
	{"ServerTLSSettings", "credentialName", handshakeOnly},
	{"ServerTLSSettings", "credentialNames", handshakeOnly},
	{"ServerTLSSettings", "serverCertificate", handshakeOnly},
	{"ServerTLSSettings", "privateKey", handshakeOnly},
	{"ServerTLSSettings", "caCertificates", handshakeOnly},
	{"ServerTLSSettings", "subjectAltNames", handshakeOnly},
	{"ServerTLSSettings", "verifyCertificateSpki", handshakeOnly},
	{"ServerTLSSettings", "verifyCertificateHash", handshakeOnly},
	{"ServerTLSSettings", "minProtocolVersion", handshakeOnly},
	{"ServerTLSSettings", "maxProtocolVersion", handshakeOnly},
	{"ServerTLSSettings", "cipherSuites", handshakeOnly},

	{"ServiceEntry", "hosts", executed},
	{"ServiceEntry", "ports", executed},
	{"ServiceEntry", "location", noSidecars},
	{"ServiceEntry", "resolution", executed},
	{"ServiceEntry", "addresses", executed},
	{"ServiceEntry", "endpoints", executed},
	{"ServiceEntry", "subjectAltNames", executed},
	{"ServiceEntry", "exportTo", executed},

	{"ServicePort", "number", executed},
	{"ServicePort", "name", protocolTells},
	{"ServicePort", "protocol", executed},
	{"ServicePort", "targetPort", executed},

	{"WorkloadEntry", "address", executed},
	{"WorkloadEntry", "ports", executed},
	{"WorkloadEntry", "labels", executed},

	{"Sidecar", "egress", executed},
	{"Sidecar", "outboundTrafficPolicy", executed},

	{"IstioEgressListener", "hosts", executed},

	{"OutboundTrafficPolicy", "mode", executed},
}

// istioValues are the values that are accepted, by enumeration of Istio's API. A value that is executed differs from another accepted
// value in what the mesh does.
var istioValues = []Field{
	{"RedirectPortSelection", "FROM_PROTOCOL_DEFAULT", protocolPort},
	{"RedirectPortSelection", "FROM_REQUEST_PORT", executed},

	{"Location", "MESH_EXTERNAL", noSidecars},
	{"Location", "MESH_INTERNAL", noSidecars},

	{"Resolution", "STATIC", executed},
	{"Resolution", "DNS", sameForDNS},
	{"Resolution", "DNS_ROUND_ROBIN", sameForDNS},
	{"Resolution", "NONE", sameForDNS},

	{"SimpleLB", "LEAST_REQUEST", executed},
	{"SimpleLB", "RANDOM", executed},
	{"SimpleLB", "ROUND_ROBIN", executed},
	{"SimpleLB", "LEAST_CONN", executed},
	{"SimpleLB", "UNSPECIFIED", executed},

	// UPGRADE would make HTTP/2 of the calls, which share one connection then.
	{"H2UpgradePolicy", "DEFAULT", ownHTTP2},
	{"H2UpgradePolicy", "DO_NOT_UPGRADE", ownHTTP2},

	{"Mode", "REGISTRY_ONLY", executed},
	{"Mode", "ALLOW_ANY", executed},

	// Calls between pods with sidecars are mutual TLS in any case: Istio chooses it by itself. The calls of the embedded mesh count
	// as such. Read refuses ISTIO_MUTUAL for hosts outside the mesh, which have no sidecar. DISABLE sends calls without TLS, which
	// sidecars accept, and hosts outside get in any case: the answer is the same. (Only a PeerAuthentication of mode STRICT, which is
	// no kind that is read, makes sidecars refuse it.)
	{"TLSmode", "ISTIO_MUTUAL", anyTLS},
	{"TLSmode", "DISABLE", anyTLS},
	// The proxy opens TLS: to hosts outside, whose stand-ins speak it where the real hosts would. Sidecars of the mesh do not answer it.
	{"TLSmode", "SIMPLE", executed},
	{"TLSmode", "MUTUAL", executed},

	// A server that passes TLS through routes by the name that the client asks for, and no rule for HTTP applies there. The others end
	// TLS, and ask clients for a certificate or do not.
	{"ServerTLSSettings.TLSmode", "PASSTHROUGH", executed},
	{"ServerTLSSettings.TLSmode", "SIMPLE", executed},
	{"ServerTLSSettings.TLSmode", "MUTUAL", executed},
	{"ServerTLSSettings.TLSmode", "AUTO_PASSTHROUGH", executed},
	{"ServerTLSSettings.TLSmode", "ISTIO_MUTUAL", executed},
	{"ServerTLSSettings.TLSmode", "OPTIONAL_MUTUAL", executed},

	{"TLSProtocol", "TLS_AUTO", handshakeOnly},
	{"TLSProtocol", "TLSV1_0", handshakeOnly},
	{"TLSProtocol", "TLSV1_1", handshakeOnly},
	{"TLSProtocol", "TLSV1_2", handshakeOnly},
	{"TLSProtocol", "TLSV1_3", handshakeOnly},
}
