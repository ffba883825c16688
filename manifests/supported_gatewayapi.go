package manifests

// Why fields of Gateway API are without effect on requests.
const (
	gatewayClass = "it says which controller serves the Gateway, and hellochaos executes what Istio makes of it, whatever the class is called"
	oneKind      = "no other value than the default is accepted"
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
	add(route, "spec.parentRefs[].", executed, "name", "namespace", "kind", "group", "sectionName", "port")
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
	add(route, "spec.rules[].backendRefs[].", executed, "name", "namespace", "kind", "group", "port", "weight", "filters[].type")
	add(route, "spec.rules[].", executed, "timeouts.request", "timeouts.backendRequest", "retry.codes", "retry.attempts", "retry.backoff")

	rows = append(rows, headOf(gateway)...)
	add(gateway, "spec.", gatewayClass, "gatewayClassName")
	add(gateway, "spec.listeners[].", executed, "name", "hostname", "port", "protocol")
	add(gateway, "spec.listeners[].tls.", executed, "mode")
	add(gateway, "spec.listeners[].tls.", handshakeOnly, "certificateRefs", "options")
	add(gateway, "spec.listeners[].allowedRoutes.", executed, "namespaces.from", "namespaces.selector", "kinds[].kind", "kinds[].group")

	rows = append(rows, headOf(grant)...)
	add(grant, "spec.", executed, "from[].group", "from[].kind", "from[].namespace", "to[].group", "to[].kind", "to[].name")
	return rows
}
