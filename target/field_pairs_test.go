package target_test

import (
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/service"
)

// pairs are the pairs of the table of what is supported, by the name of the row.
func pairs() map[string]pair {
	all := make(map[string]pair)
	for _, part := range []map[string]pair{
		virtualServicePairs(), delegatePairs(), rewritePairs(), headerPairs(), matchPairs(), destinationPairs(), retryPairs(), faultPairs(), answerPairs(), destinationRulePairs(),
		balancerPairs(), originationPairs(), endpointPairs(), exportPairs(), mirrorPairs(), sourceLabelPairs(), connectionPoolPairs(), ejectionPairs(), hashPairs(), gatewayPairs(), serverPairs(), serviceEntryPairs(), sidecarPairs(), routePairs(), listenerPairs(), grantPairs(), headPairs(), servicePairs(), deploymentPairs(),
	} {
		for name, p := range part {
			if _, twice := all[name]; twice {
				panic("two pairs are called " + name)
			}
			all[name] = p
		}
	}
	return all
}

// edited is a manifest, and the same with one text in it replaced by another.
func edited(manifest, old, new string, requests ...request) pair {
	if strings.Count(manifest, old) != 1 {
		panic(old + " is not once in " + manifest)
	}
	return pair{without: manifest, with: strings.Replace(manifest, old, new, 1), requests: requests}
}

// routes is two VirtualServices for host one that differ in their only http entry.
func routes(without, with string, requests ...request) pair {
	return pair{without: rules("one", without), with: rules("one", with), requests: requests}
}

// matches is two VirtualServices for host one. The requests that the match entry admits go to one, and the others to two.
func matches(without, with string, requests ...request) pair {
	return pair{without: first(without), with: first(with), requests: requests}
}

// get are requests for the root of each host.
func get(hosts ...string) (requests []request) {
	for _, host := range hosts {
		requests = append(requests, request{host: host})
	}
	return requests
}

// repeated is n requests for the root of a host.
func repeated(n int, host string) (requests []request) {
	for range n {
		requests = append(requests, request{host: host})
	}
	return requests
}

// atGateway is a request to a host at the gateway.
func atGateway(host string) request { return request{from: fromGateway, host: host} }

// brief is the Deployment of one, whose tries hang for half a second only.
var brief = strings.Replace(deployment("script", "one", "v1", 1), "HANG_DURATION, value: 1m", "HANG_DURATION, value: 500ms", 1)

func virtualServicePairs() map[string]pair {
	const host, x = `hosts: ["one.example"]`, "match: [{uri: {exact: /x}}], "
	prefixed := func(without, with string) pair {
		const old = "match: [{uri: {prefix: /old}}], redirect: {authority: else.example"
		return routes(old+without+"}", old+with+"}", at("/old/a?x=1"))
	}
	more := func(without, with string) pair { // of a Service with another port than 80
		of := func(settings string) string { return rules("twin", "redirect: {authority: else.example"+settings+"}") }
		return pair{without: of(without), with: of(with), requests: get("twin:8081")}
	}
	return map[string]pair{
		"VirtualService.hosts":    edited(rules("one", to("two/b")), `hosts: ["one"]`, `hosts: ["three"]`, get("one")...),
		"VirtualService.gateways": edited(gateway(to("one")), "gateways: [door]", "gateways: [door, mesh]", get("one.example")...),
		"VirtualService.http":     {without: rules("one", x+to("one")), with: rules("one", x+to("one"), to("two/b")), requests: get("one")},
		"VirtualService.exportTo": edited(gateway(to("one")), host+"\n  gateways", host+"\n  exportTo: [.]\n  gateways", atGateway("one.example")),

		"HTTPRoute.name":                              routes(to("one"), "name: a, "+to("one"), get("one")...),
		"HTTPRoute.match":                             routes(to("one"), x+to("one"), get("one")...),
		"HTTPRoute.route":                             routes(to("two/a"), split("two/a", "two/b 100"), get("one")...),
		"HTTPRoute.redirect":                          routes("redirect: {uri: /a}", "redirect: {uri: /b}", get("one")...),
		"HTTPRedirect.prefixRewrite":                  prefixed("", ", prefixRewrite: /new"),
		"HTTPRedirect.scheme":                         prefixed("", ", scheme: https"),
		"HTTPRedirect.port":                           prefixed("", ", port: 8443"),
		"HTTPRedirect.derivePort":                     more("", ", derivePort: FROM_REQUEST_PORT"),
		"RedirectPortSelection.FROM_REQUEST_PORT":     more(", derivePort: FROM_PROTOCOL_DEFAULT", ", derivePort: FROM_REQUEST_PORT"),
		"RedirectPortSelection.FROM_PROTOCOL_DEFAULT": more("", ", derivePort: FROM_PROTOCOL_DEFAULT"),
		"HTTPRoute.directResponse":                    routes("directResponse: {status: 418}", "directResponse: {status: 419}", get("one")...),
		"HTTPRoute.timeout":                           {without: brief + rules("one", to("one")), with: brief + rules("one", to("one")+", timeout: 50ms"), requests: []request{script("hang")}},
		"HTTPRoute.retries":                           routes(to("one"), to("one")+", retries: {attempts: 1, retryOn: 5xx}", script("500,200")),
		"HTTPRoute.fault":                             routes(to("one"), to("one")+", fault: {abort: {httpStatus: 418, percentage: {value: 100}}}", get("one")...),
	}
}

func delegatePairs() map[string]pair {
	inner := func(name, metadata, version string) string {
		return strings.NewReplacer("  hosts: [\""+name+"\"]\n", "", "{name: "+name, "{name: "+name+metadata).Replace(rules(name, to("two/"+version)))
	}
	delegating := func(to string) string {
		return rules("one", "delegate: {"+to+"}", "route: [{destination: {host: three}}]")
	}
	two := delegating("name: inner-a") + inner("inner-a", "", "a") + inner("inner-b", "", "b")
	spaces := delegating("name: inner-a") + inner("inner-a", "", "a") + strings.Replace(inner("inner-a", ", namespace: elsewhere", "b"), "host: two", "host: two.default.svc.cluster.local", 1)
	return map[string]pair{
		"HTTPRoute.delegate":           edited(two, "{name: inner-a}}", "{name: inner-b}}", get("one")...),
		"Delegate.name":                edited(two, "{name: inner-a}}", "{name: inner-b}}", get("one")...),
		"Delegate.namespace":           edited(spaces, "{name: inner-a}}", "{name: inner-a, namespace: elsewhere}}", get("one")...),
		"VirtualService.metadata.name": edited(two, "metadata: {name: inner-a}", "metadata: {name: inner-c}", get("one")...),
	}
}

func rewritePairs() map[string]pair {
	regex := func(match, rewrite string) string {
		return to("one") + `, rewrite: {uriRegexRewrite: {match: "` + match + `", rewrite: "` + rewrite + `"}}`
	}
	return map[string]pair{
		"HTTPRoute.rewrite":           routes(to("one"), to("one")+", rewrite: {uri: /new}", at("/old")),
		"HTTPRewrite.uri":             routes(to("one")+", rewrite: {authority: a.example}", to("one")+", rewrite: {authority: a.example, uri: /new}", at("/old")),
		"HTTPRewrite.authority":       routes(to("one")+", rewrite: {uri: /new}", to("one")+", rewrite: {uri: /new, authority: a.example}", at("/old")),
		"HTTPRewrite.uriRegexRewrite": routes(to("one"), regex("^/o", "/n"), at("/old")),
		"RegexRewrite.match":          routes(regex("^/o", "/n"), regex("^/ol", "/n"), at("/old")),
		"RegexRewrite.rewrite":        routes(regex("^/o", "/n"), regex("^/o", "/m"), at("/old")),
	}
}

func headerPairs() map[string]pair {
	tell := request{host: "one", header: map[string]string{"x-a": "1", service.HeaderTell: "x-a"}}
	headers := func(text string) string { return to("one") + ", headers: {" + text + "}" }
	return map[string]pair{
		"HTTPRoute.headers":            routes(to("one"), headers("request: {set: {x-a: b}}"), tell),
		"HTTPRouteDestination.headers": routes(to("one"), "route: [{destination: {host: one}, headers: {request: {set: {x-a: b}}}}]", tell),
		"Headers.request":              routes(to("one"), headers("request: {set: {x-a: b}}"), tell),
		"Headers.response":             routes(to("one"), headers("response: {set: {x-a: b}}"), tell),
		"HeaderOperations.set":         routes(to("one"), headers("request: {set: {x-a: b}}"), tell),
		"HeaderOperations.add":         routes(to("one"), headers("request: {add: {x-a: b}}"), tell),
		"HeaderOperations.remove":      routes(to("one"), headers("request: {remove: [x-a]}"), tell),
	}
}

func matchPairs() map[string]pair {
	return map[string]pair{
		"HTTPMatchRequest.name":            matches("{uri: {exact: /x}}", "{name: a, uri: {exact: /x}}", at("/x"), at("/y")),
		"HTTPMatchRequest.uri":             matches("{}", "{uri: {exact: /x}}", at("/y")),
		"HTTPMatchRequest.method":          matches("{}", "{method: {exact: POST}}", get("one")...),
		"HTTPMatchRequest.authority":       matches("{}", "{authority: {exact: 'one:80'}}", get("one")...),
		"HTTPMatchRequest.headers":         matches("{}", "{headers: {x-a: {exact: a}}}", via("x-a", "b")),
		"HTTPMatchRequest.withoutHeaders":  matches("{}", "{withoutHeaders: {x-a: {exact: a}}}", via("x-a", "a")),
		"HTTPMatchRequest.queryParams":     matches("{}", "{queryParams: {a: {exact: b}}}", at("/?a=c")),
		"HTTPMatchRequest.ignoreUriCase":   matches("{uri: {exact: /x}}", "{uri: {exact: /x}, ignoreUriCase: true}", at("/X")),
		"HTTPMatchRequest.gateways":        matches("{}", "{gateways: [door]}", get("one")...),
		"HTTPMatchRequest.port":            matches("{port: 80}", "{port: 81}", get("one")...),
		"HTTPMatchRequest.sourceNamespace": matches("{}", "{sourceNamespace: elsewhere}", get("one")...),

		"StringMatch.exact":  matches("{uri: {exact: /x}}", "{uri: {exact: /y}}", at("/x")),
		"StringMatch.prefix": matches("{uri: {prefix: /x}}", "{uri: {prefix: /xy}}", at("/xz")),
		"StringMatch.regex":  matches(`{uri: {regex: "/x."}}`, `{uri: {regex: "/x.z"}}`, at("/xy")),
	}
}

func destinationPairs() map[string]pair {
	port := func(number string) string {
		return "route: [{destination: {host: one, port: {number: " + number + "}}}]"
	}
	return map[string]pair{
		"HTTPRouteDestination.destination": routes(to("one"), to("three"), get("one")...),
		"HTTPRouteDestination.weight":      routes(split("two/a 100", "two/b 0"), split("two/a 0", "two/b 100"), get("one")...),
		"Destination.host":                 routes(to("one"), to("three"), get("one")...),
		"Destination.subset":               routes(to("two/a"), to("two/b"), get("one")...),
		"Destination.port":                 routes(to("one"), port("81"), get("one")...),
		"PortSelector.number":              routes(port("80"), port("81"), get("one")...),
	}
}

func retryPairs() map[string]pair {
	const always = "attempts: 5, retryOn: 5xx, backoff: "
	hung := brief + retried("attempts: 1, retryOn: 5xx")
	elsewhere := rules("three", to("three")+", retries: {attempts: 1, retryOn: 5xx, backoff: 1ms}")
	var failing []request
	for range 12 {
		failing = append(failing, request{host: "three", header: script("500").header})
	}
	return map[string]pair{
		"HTTPRetry.attempts":                 {without: retried("attempts: 1, retryOn: 5xx"), with: retried("attempts: 2, retryOn: 5xx"), requests: []request{script("500,500,200")}},
		"HTTPRetry.perTryTimeout":            edited(hung, "attempts: 1", "attempts: 1, perTryTimeout: 50ms", script("hang,200")),
		"HTTPRetry.retryOn":                  {without: retried("attempts: 1, retryOn: gateway-error"), with: retried("attempts: 1, retryOn: 5xx"), requests: []request{script("500,200")}},
		"HTTPRetry.backoff":                  {without: retried(always + "1ms"), with: retried(always + "40ms"), requests: []request{script("500")}, slower: 100 * time.Millisecond},
		"HTTPRetry.retryIgnorePreviousHosts": edited(elsewhere, "attempts: 1", "attempts: 1, retryIgnorePreviousHosts: false", failing...),
	}
}

func faultPairs() map[string]pair {
	fault := func(text string) string { return to("one") + ", fault: {" + text + "}" }
	const (
		noAbort  = "abort: {httpStatus: 418, percentage: {value: 0}}"
		abort    = "abort: {httpStatus: 418, percentage: {value: 100}}"
		noDelay  = "delay: {fixedDelay: 1ms, percentage: {value: 0}}"
		oneDelay = "delay: {fixedDelay: 1ms, percentage: {value: 100}}"
	)
	slow := routes(fault(oneDelay), fault("delay: {fixedDelay: 150ms, percentage: {value: 100}}"), get("one")...)
	slow.slower = 150 * time.Millisecond
	return map[string]pair{
		"HTTPFaultInjection.delay": routes(fault(noAbort), fault(noAbort+", "+oneDelay), get("one")...),
		"HTTPFaultInjection.abort": routes(fault(noDelay), fault(noDelay+", "+abort), get("one")...),
		"Delay.fixedDelay":         slow,
		"Delay.percentage":         routes(fault("delay: {fixedDelay: 1ms}"), fault(oneDelay), get("one")...),
		"Delay.percent":            routes(fault("delay: {fixedDelay: 1ms}"), fault("delay: {fixedDelay: 1ms, percent: 100}"), get("one")...),
		"Abort.httpStatus":         routes(fault(abort), fault(strings.Replace(abort, "418", "419", 1)), get("one")...),
		"Abort.percentage":         routes(fault("abort: {httpStatus: 418}"), fault(abort), get("one")...),
		"Percent.value":            routes(fault(noAbort), fault(abort), get("one")...),
	}
}

func answerPairs() map[string]pair {
	return map[string]pair{
		"HTTPRedirect.uri":          routes("redirect: {authority: a.example}", "redirect: {authority: a.example, uri: /b}", get("one")...),
		"HTTPRedirect.authority":    routes("redirect: {uri: /b}", "redirect: {uri: /b, authority: a.example}", get("one")...),
		"HTTPRedirect.redirectCode": routes("redirect: {uri: /b}", "redirect: {uri: /b, redirectCode: 307}", get("one")...),
		"HTTPDirectResponse.status": routes("directResponse: {status: 418}", "directResponse: {status: 419}", get("one")...),
		"HTTPDirectResponse.body":   routes("directResponse: {status: 418}", "directResponse: {status: 418, body: {string: tea}}", get("one")...),
		"HTTPBody.string":           routes("directResponse: {status: 418, body: {string: tea}}", "directResponse: {status: 418, body: {string: pot}}", get("one")...),
	}
}

// destinationRule is a DestinationRule in flow style.
func destinationRule(spec string) string {
	return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: two}
spec: {` + spec + `}
---
`
}

func destinationRulePairs() map[string]pair {
	subsets := rules("one", to("two/b")) + destinationRule("host: two, subsets: [{name: b, labels: {version: b}}]")
	plain := rules("one", to("two/b")) + destinationRule("host: two, subsets: [{name: a, labels: {version: a}}]")
	whole := rules("one", to("two/all")) + destinationRule("host: two, subsets: [{name: all, labels: {}}]")
	ports := func(settings string) string {
		return balancer("{portLevelSettings: [{port: {number: " + settings + "}]}")
	}
	tls := balancer("{loadBalancer: {}, tls: {mode: ISTIO_MUTUAL}}")
	return map[string]pair{
		"TrafficPolicy.portLevelSettings": {without: balancer("{loadBalancer: {}}"), with: balancer("{loadBalancer: {}, portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: ROUND_ROBIN}}]}"), requests: repeated(8, "two")},
		"PortTrafficPolicy.port":          {without: ports("80}, loadBalancer: {simple: ROUND_ROBIN}"), with: ports("81}, loadBalancer: {simple: ROUND_ROBIN}"), requests: repeated(8, "two")},
		"PortTrafficPolicy.loadBalancer":  {without: ports("80}, loadBalancer: {simple: RANDOM}"), with: ports("80}, loadBalancer: {simple: ROUND_ROBIN}"), requests: repeated(8, "two")},
		"TLSmode.DISABLE":                 edited(tls, "ISTIO_MUTUAL", "DISABLE", repeated(4, "two")...),
		"DestinationRule.host":            edited(subsets, "host: two, subsets", "host: three, subsets", get("one")...),
		"DestinationRule.subsets":         edited(plain, "[{name: a", "[{name: b, labels: {version: b}}, {name: a", get("one")...),
		"DestinationRule.trafficPolicy":   edited(destinationRule("host: two"), "host: two", "host: two, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}", repeated(8, "two")...),
		"Subset.name":                     edited(subsets, "name: b", "name: c", get("one")...),
		"Subset.trafficPolicy":            edited(whole, "labels: {}", "labels: {}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}", repeated(8, "one")...),
		"Subset.labels":                   edited(subsets, "version: b", "version: a", get("one")...),
		"TLSmode.ISTIO_MUTUAL":            {without: balancer("{loadBalancer: {}}"), with: balancer("{loadBalancer: {}, tls: {mode: ISTIO_MUTUAL}}"), requests: repeated(4, "two")},
	}
}

func balancerPairs() map[string]pair {
	simple := func(name string) string { return balancer("{loadBalancer: {simple: " + name + "}}") }
	among := func(without, with string) pair {
		return pair{without: simple(without), with: simple(with), requests: repeated(12, "two")}
	}
	// Only while a pod is busy does LEAST_REQUEST choose another one than RANDOM does by the same draws.
	busy := func(name string) pair {
		p := among("RANDOM", name)
		p.held = &request{host: "two", header: script("hang").header}
		return p
	}
	return map[string]pair{
		"TrafficPolicy.loadBalancer":  {without: balancer("{tls: {mode: ISTIO_MUTUAL}}"), with: balancer("{tls: {mode: ISTIO_MUTUAL}, loadBalancer: {simple: ROUND_ROBIN}}"), requests: repeated(8, "two")},
		"LoadBalancerSettings.simple": {without: balancer("{loadBalancer: {}}"), with: simple("ROUND_ROBIN"), requests: repeated(8, "two")},
		"SimpleLB.LEAST_REQUEST":      busy("LEAST_REQUEST"),
		"SimpleLB.LEAST_CONN":         busy("LEAST_CONN"),
		"SimpleLB.UNSPECIFIED":        busy("UNSPECIFIED"),
		"SimpleLB.RANDOM":             among("ROUND_ROBIN", "RANDOM"),
		"SimpleLB.ROUND_ROBIN":        among("RANDOM", "ROUND_ROBIN"),
	}
}

func gatewayPairs() map[string]pair {
	bound := gateway(to("one"))
	other := strings.Replace(bound, `hosts: ["one.example"]}]`, `hosts: ["two.example"]}]`, 1)
	// A route that names no port leads to the port of the gateway where its Service has several.
	ports := strings.Replace(serviceOf("one"), "ports: [", "ports: [{name: http-more, port: 82, targetPort: 3000}, ", 1) + bound
	// A rule of another Gateway holds at this one where both select the same pods.
	beside := strings.Replace(other, "{name: door}", "{name: beside}", 1)
	merged := strings.NewReplacer("gateways: [door]", "gateways: [beside]", "two.example", "one.example").Replace(beside) + strings.Split(other, "---")[0]
	ask := atGateway("one.example")
	return map[string]pair{
		"Gateway.selector": edited(strings.Replace(merged, "selector: {istio: ingressgateway}", "selector: {app: gate}", 1), "selector: {app: gate}", "selector: {istio: ingressgateway}", ask),
		"Gateway.servers":  edited(other, `hosts: ["two.example"]}]`, `hosts: ["two.example"]}, {port: {number: 80, name: more, protocol: HTTP}, hosts: ["one.example"]}]`, ask),
		"Server.port":      edited(ports, "number: 80", "number: 81", ask),
		"Server.hosts":     edited(other, `hosts: ["two.example"]}]`, `hosts: ["one.example"]}]`, ask),
		"Server.name":      edited(bound, "servers: [{", "servers: [{name: a, ", ask),
		"Port.number":      edited(ports, "number: 80", "number: 81", ask),
		"Port.name":        edited(bound, "name: http,", "name: http-a,", ask),
		"Port.protocol":    edited(withOther(bound), "protocol: HTTP}, hosts: [\"one", "protocol: TCP}, hosts: [\"one", ask),
	}
}

// withOther is a Gateway with a second server, at port 8080 for two.example: requests enter there where no rule for HTTP applies at the
// first one.
func withOther(gateway string) string {
	return strings.Replace(gateway, `hosts: ["one.example"]}]`, `hosts: ["one.example"]}, {port: {number: 8080, name: other, protocol: HTTP}, hosts: ["two.example"]}]`, 1)
}

// secured is withOther whose first server has TLS with these fields.
func secured(fields string) string {
	first := strings.Replace(withOther(gateway(to("one"))), "protocol: HTTP}, hosts: [\"one", "protocol: HTTPS}, tls: {"+fields+"}, hosts: [\"one", 1)
	return strings.Replace(first, "number: 80,", "number: 443,", 1)
}

func serverPairs() map[string]pair {
	ask, certain := atGateway("one.example"), "mode: SIMPLE, credentialName: a"
	more := func(before, field string) pair {
		return pair{without: secured(before), with: secured(before + ", " + field), requests: []request{ask}}
	}
	mode := func(before, after string) pair {
		return pair{without: secured("mode: " + before + ", credentialName: a"), with: secured("mode: " + after + ", credentialName: a"), requests: []request{ask}}
	}
	asking := "mode: MUTUAL, credentialName: a"
	all := map[string]pair{
		"Server.tls":                                 edited(gateway(to("one")), "protocol: HTTP}", "protocol: HTTP}, tls: {httpsRedirect: true}", ask),
		"ServerTLSSettings.httpsRedirect":            edited(gateway(to("one")), "protocol: HTTP}", "protocol: HTTP}, tls: {httpsRedirect: true}", ask, atGateway("two.example")),
		"ServerTLSSettings.mode":                     mode("SIMPLE", "PASSTHROUGH"),
		"ServerTLSSettings.credentialName":           {without: secured(certain), with: secured("mode: SIMPLE, credentialName: b"), requests: []request{ask}},
		"ServerTLSSettings.credentialNames":          {without: secured("mode: SIMPLE, credentialNames: [a]"), with: secured("mode: SIMPLE, credentialNames: [a, b]"), requests: []request{ask}},
		"ServerTLSSettings.serverCertificate":        more(certain, "serverCertificate: /a"),
		"ServerTLSSettings.privateKey":               more(certain, "privateKey: /a"),
		"ServerTLSSettings.caCertificates":           more(asking, "caCertificates: /a"),
		"ServerTLSSettings.subjectAltNames":          more(asking, "subjectAltNames: [a]"),
		"ServerTLSSettings.verifyCertificateSpki":    more(asking, "verifyCertificateSpki: [a]"),
		"ServerTLSSettings.verifyCertificateHash":    more(asking, "verifyCertificateHash: [a]"),
		"ServerTLSSettings.minProtocolVersion":       more(certain, "minProtocolVersion: TLSV1_3"),
		"ServerTLSSettings.maxProtocolVersion":       more(certain, "maxProtocolVersion: TLSV1_2"),
		"ServerTLSSettings.cipherSuites":             more(certain, "cipherSuites: [ECDHE-RSA-AES256-GCM-SHA384]"),
		"ServerTLSSettings.TLSmode.PASSTHROUGH":      mode("SIMPLE", "PASSTHROUGH"),
		"ServerTLSSettings.TLSmode.AUTO_PASSTHROUGH": mode("SIMPLE", "AUTO_PASSTHROUGH"),
		"ServerTLSSettings.TLSmode.SIMPLE":           mode("PASSTHROUGH", "SIMPLE"),
		"ServerTLSSettings.TLSmode.MUTUAL":           mode("PASSTHROUGH", "MUTUAL"),
		"ServerTLSSettings.TLSmode.OPTIONAL_MUTUAL":  mode("PASSTHROUGH", "OPTIONAL_MUTUAL"),
		"ServerTLSSettings.TLSmode.ISTIO_MUTUAL":     {without: secured("mode: PASSTHROUGH"), with: secured("mode: ISTIO_MUTUAL"), requests: []request{ask}},
	}
	for _, version := range []string{"TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"} {
		all["TLSProtocol."+version] = more(certain, "minProtocolVersion: "+version)
	}
	return all
}

// hiddenHost is outside the registry of the mesh.
const hiddenHost = "hidden.default.svc.cluster.local"

// serviceEntry is a ServiceEntry for hiddenHost.
const serviceEntry = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: hidden}
spec:
  hosts: [` + hiddenHost + `]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
---
`

func serviceEntryPairs() map[string]pair {
	both := []request{{host: hiddenHost}, {host: "nowhere.example"}}
	edit := func(old, new string) pair { return edited(serviceEntry, old, new, both...) }
	unresolved := strings.Replace(serviceEntry, "  resolution: DNS\n", "", 1)
	return map[string]pair{
		"ServiceEntry.hosts":      edit("["+hiddenHost+"]", "[other.example]"),
		"ServiceEntry.ports":      edit("ports: [{number: 80", "ports: [{number: 81, name: more, protocol: HTTP}, {number: 82"),
		"ServiceEntry.location":   edit("  resolution", "  location: MESH_EXTERNAL\n  resolution"),
		"ServiceEntry.resolution": edit("resolution: DNS", "resolution: STATIC"),
		"ServicePort.number":      edit("number: 80", "number: 81"),
		"ServicePort.name":        edit("name: http,", "name: tcp,"),
		"ServicePort.protocol":    edit("protocol: HTTP", "protocol: HTTPS"),
		"Location.MESH_EXTERNAL":  edit("  resolution", "  location: MESH_EXTERNAL\n  resolution"),
		"Location.MESH_INTERNAL":  edit("  resolution", "  location: MESH_INTERNAL\n  resolution"),
		"Resolution.DNS":          {without: unresolved, with: serviceEntry, requests: both},
		"Resolution.NONE":         edit("resolution: DNS", "resolution: NONE"),

		"Resolution.DNS_ROUND_ROBIN": edit("resolution: DNS", "resolution: DNS_ROUND_ROBIN"),
	}
}

func sidecarPairs() map[string]pair {
	const sidecar = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec:
  egress: [{hosts: ["./*"]}]
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
---
`
	without := strings.Replace(sidecar, "  outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n", "", 1)
	open := strings.Replace(sidecar, "REGISTRY_ONLY", "ALLOW_ANY", 1)
	hidden := get(hiddenHost)
	return map[string]pair{
		"Sidecar.egress":                edited(sidecar, `[{hosts: ["./*"]}]`, `[{hosts: ["istio-system/*"]}]`, get("one")...),
		"Sidecar.outboundTrafficPolicy": {without: without, with: sidecar, requests: hidden},
		"IstioEgressListener.hosts":     edited(sidecar, `"./*"`, `"./one.default.svc.cluster.local"`, get("three")...),
		"OutboundTrafficPolicy.mode":    edited(sidecar, "REGISTRY_ONLY", "ALLOW_ANY", hidden...),
		"Mode.REGISTRY_ONLY":            {without: open, with: sidecar, requests: hidden},
		"Mode.ALLOW_ANY":                {without: sidecar, with: open, requests: hidden},
		"Sidecar.metadata.namespace":    edited(open, "metadata: {name: default}", "metadata: {name: default, namespace: elsewhere}", hidden...),
	}
}
