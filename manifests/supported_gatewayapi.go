package manifests

// Why fields of Gateway API are without effect on requests.
const (
	gatewayClass = "it says which controller serves the Gateway, and hellochaos executes what Istio makes of it, whatever the class is called"
	kindOfParent = "group and kind change together, from those of a Gateway to those of a Service, and no others are accepted"
	terminated   = "no other value is accepted beside HTTPS, and no rule for HTTP applies to connections of other protocols"
)

// gatewayFields are the fields of Gateway API's kinds that are accepted, by their paths.
func gatewayFields() (rows []Field) {
	add := func(kind, holder, without string, names ...string) {
		for _, name := range names {
			rows = append(rows, Field{kind, holder + name, without})
		}
	}
	const route, grant, gateway = "HTTPRoute", "ReferenceGrant", GatewayAPI + " Gateway"
	rows = append(rows, headOf(route)...)
	add(route, "spec.parentRefs[].", executed, "name", "namespace", "sectionName", "port")
	add(route, "spec.parentRefs[].", kindOfParent, "kind", "group")
	add(route, "spec.", executed, "hostnames")
	add(route, "spec.rules[].", onlyName, "name")
	add(route, "spec.rules[].matches[].", executed, "path.type", "path.value", "headers[].type", "headers[].name", "headers[].value",
		"queryParams[].type", "queryParams[].name", "queryParams[].value", "method")
	add(route, "spec.rules[].filters[].", executed, "type")
	for _, holder := range []string{"spec.rules[].filters[].", "spec.rules[].backendRefs[].filters[]."} {
		for _, filter := range []string{"requestHeaderModifier.", "responseHeaderModifier."} {
			add(route, holder+filter, executed, "set[].name", "set[].value", "add[].name", "add[].value", "remove")
		}
	}
	add(route, "spec.rules[].filters[].requestRedirect.", executed, "scheme", "hostname", "port", "statusCode", "path.type", "path.replaceFullPath", "path.replacePrefixMatch")
	add(route, "spec.rules[].filters[].urlRewrite.", executed, "hostname", "path.type", "path.replaceFullPath", "path.replacePrefixMatch")
	add(route, "spec.rules[].filters[].requestMirror.", executed, "backendRef.name", "backendRef.namespace", "backendRef.kind", "backendRef.group", "backendRef.port",
		"percent", "fraction.numerator", "fraction.denominator")
	add(route, "spec.rules[].backendRefs[].", executed, "name", "namespace", "kind", "group", "port", "weight", "filters[].type")
	add(route, "spec.rules[].", executed, "timeouts.request", "timeouts.backendRequest", "retry.codes", "retry.attempts", "retry.backoff")

	rows = append(rows, headOf(gateway)...)
	add(gateway, "spec.", gatewayClass, "gatewayClassName")
	add(gateway, "spec.listeners[].", executed, "name", "hostname", "port", "protocol")
	add(gateway, "spec.listeners[].tls.", terminated, "mode")
	add(gateway, "spec.listeners[].tls.", handshakeOnly, "certificateRefs", "options")
	add(gateway, "spec.listeners[].allowedRoutes.", executed, "namespaces.from", "namespaces.selector", "kinds[].kind", "kinds[].group")

	rows = append(rows, metadataOf(grant, "metadata.")...) // it has no status
	add(grant, "spec.", executed, "from[].group", "from[].kind", "from[].namespace", "to[].group", "to[].kind", "to[].name")
	return rows
}
