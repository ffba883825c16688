package manifests

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"
)

// httpEntry is the YAML of a VirtualService "m" whose only http entry is entry, in flow style, in line 6.
func httpEntry(entry string) string {
	return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: m}\nspec:\n  hosts: [m]\n  http: [" + entry + "]\n"
}

const toM = "route: [{destination: {host: m}}]"

// specOf is the YAML of an object "m" of one of Istio's kinds, with a spec in flow style in line 4.
func specOf(kind, spec string) string {
	return "apiVersion: networking.istio.io/v1\nkind: " + kind + "\nmetadata: {name: m}\nspec: " + spec + "\n"
}

// serviceWith is the YAML of a Service "m" with an additional line in its spec, line 5.
func serviceWith(line string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  " + line + "\n  ports: [{name: http, port: 80}]\n"
}

// deploymentWith is the YAML of a Deployment "m". Arguments that are not empty take the place of the metadata of its pods in
// line 8, of a line in the spec of the pods, and of a line in the container; with empty ones it is accepted.
func deploymentWith(metadata, pod, container string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: m}\nspec:\n  selector: {matchLabels: {app: m}}\n  template:\n" +
		"    metadata:\n      " + or(metadata, "labels: {app: m}") + "\n    spec:\n      " + or(pod, "nodeSelector: {a: b}") +
		"\n      containers:\n        - name: a\n          " + or(container, "image: b") +
		"\n          env:\n            - {name: SERVICE_NAME, value: m-a}\n            - {name: UPSTREAM_URI, value: 'http://b/'}\n"
}

// env is the YAML of deploymentWith with a third environment variable, in line 17.
func env(name, value string) string {
	return deploymentWith("", "", "") + "            - {name: " + name + ", value: '" + value + "'}\n"
}

// calling is deploymentWith calls in place of the upstream, in line 16, the second variable.
func calling(calls string) string {
	return strings.Replace(deploymentWith("", "", ""), "{name: UPSTREAM_URI, value: 'http://b/'}", "{name: CALLS, value: '"+calls+"'}", 1)
}

const callsValue = "spec.template.spec.containers[0].env[1].value"

const envValue = "spec.template.spec.containers[0].env[2].value"

// item is the YAML of an object as one item of a List.
func item(yaml string) string {
	return "- " + strings.ReplaceAll(strings.TrimSpace(yaml), "\n", "\n  ") + "\n"
}

// bomb is a few lines whose aliases stand for 10 to the power of levels of strings.
func bomb(levels int) string {
	text := "a0: &a0 x\n"
	for i := range levels {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return text
}

// TestRefused checks the line, the object, the field and the words of each refusal.
// entryWith is a ServiceEntry with this resolution, and what follows it.
func entryWith(resolution string) string {
	return specOf("ServiceEntry", "{hosts: [a.b], ports: [{number: 80, name: http, protocol: HTTP}], resolution: "+resolution+"}")
}

func TestRefused(t *testing.T) {
	const vs = "VirtualService m"
	for _, c := range []struct {
		name, yaml    string
		line          int
		object, field string
		text          string
	}{
		// Unknown, unsupported and mistyped fields.
		{"misspelt field", httpEntry("{" + toM + ", retries: {attempts: 3, retryOnn: 5xx}}"), 6, vs, "spec.http[0].retries.retryOnn",
			`unknown field (did you mean "retryOn"?); accepted: attempts, perTryTimeout, retryOn, backoff, retryIgnorePreviousHosts`},
		{"snake case", httpEntry("{" + toM + ", retries: {attempts: 3, per_try_timeout: 2s}}"), 6, vs, "spec.http[0].retries.per_try_timeout", `did you mean "perTryTimeout"?`},
		{"one level too deep", httpEntry("{route: [{destination: {host: m}, timeout: 1s}]}"), 6, vs, "spec.http[0].route[0].timeout", "is not a field of this place: it belongs to spec.http[0], as spec.http[0].timeout"},
		{"two levels too deep", httpEntry("{route: [{destination: {host: m, retries: {attempts: 1}}}]}"), 6, vs, "spec.http[0].route[0].destination.retries", "it belongs to spec.http[0], as spec.http[0].retries"},
		{"one level too high", httpEntry("{" + toM + ", perTryTimeout: 1s}"), 6, vs, "spec.http[0].perTryTimeout", "is not a field of this place: it belongs to spec.http[0].retries, as spec.http[0].retries.perTryTimeout"},
		{"a subset too high", httpEntry("{route: [{destination: {host: m}, subset: a}]}"), 6, vs, "spec.http[0].route[0].subset", "it belongs to spec.http[0].route[0].destination, as spec.http[0].route[0].destination.subset"},
		{"old percent of an abort", httpEntry("{" + toM + ", fault: {abort: {httpStatus: 500, percent: 50}}}"), 6, vs, "spec.http[0].fault.abort.percent", "is a field that Istio removed: write percentage: {value: 50} for 50 percent"},
		{"old percent out of range", httpEntry("{" + toM + ", fault: {delay: {fixedDelay: 1s, percent: 101}}}"), 6, vs, "spec.http[0].fault.delay.percent", "must be from 0 to 100, not 101"},
		{"mutual TLS without a certificate", specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {mode: MUTUAL, clientCertificate: /a}}}"), 4, "DestinationRule m", "spec.trafficPolicy.tls", "must have clientCertificate and privateKey, or a credentialName"},
		{"certificates from two places", specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {mode: SIMPLE, credentialName: a, caCertificates: /a}}}"), 4, "DestinationRule m", "spec.trafficPolicy.tls.credentialName", "certificates from two places"},
		{"a ConfigMap of certificates", specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {mode: SIMPLE, credentialName: 'configmap://a'}}}"), 4, "DestinationRule m", "spec.trafficPolicy.tls.credentialName", "is not supported by hellochaos"},
		{"names that are not verified", specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: [a.b]}}}"), 4, "DestinationRule m", "spec.trafficPolicy.tls.insecureSkipVerify", "Istio refuses it"},
		{"nothing near", httpEntry("{" + toM + ", zzzzzz: 1}"), 6, vs, "spec.http[0].zzzzzz", "unknown field; accepted: name, match"},
		{"two ways to mirror", httpEntry("{" + toM + ", mirror: {host: x}, mirrors: [{destination: {host: x}}]}"), 6, vs, "spec.http[0]", "only one of mirror and mirrors"},
		{"a mirror to nowhere", httpEntry("{" + toM + ", mirrors: [{percentage: {value: 1}}]}"), 6, vs, "spec.http[0].mirrors[0]", "must have a destination"},
		{"a mirror of too much", httpEntry("{" + toM + ", mirror: {host: x}, mirrorPercentage: {value: 101}}"), 6, vs, "spec.http[0].mirrorPercentage.value", "from 0 to 100"},
		{"an old mirror of too much", httpEntry("{" + toM + ", mirror: {host: x}, mirror_percent: 101}"), 6, vs, "spec.http[0].mirrorPercent", "from 0 to 100"},
		{"an old percentage by two names", httpEntry("{" + toM + ", mirror: {host: x}, mirror_percent: 1, mirrorPercent: 1}"), 6, vs, "spec.http[0].mirror_percent", "beside mirrorPercent"},
		{"corsPolicy", httpEntry("{" + toM + ", corsPolicy: {maxAge: 1s}}"), 6, vs, "spec.http[0].corsPolicy", notExecuted},
		{"corsPolicy", httpEntry("{" + toM + ", corsPolicy: {}}"), 6, vs, "spec.http[0].corsPolicy", notExecuted},
		{"source labels", httpEntry("{match: [{sourceLabels: {a: b/c}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].sourceLabels.a", "not a valid value of a label"},
		{"scheme", httpEntry("{match: [{scheme: {exact: https}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].scheme", notExecuted},
		{"match port", httpEntry("{match: [{port: 65536}], " + toM + "}"), 6, vs, "spec.http[0].match[0].port", "65536 is not a port"},
		{"source namespace", httpEntry("{match: [{sourceNamespace: a.b}], " + toM + "}"), 6, vs, "spec.http[0].match[0].sourceNamespace", `"a.b" is not a valid name`},
		{"exportTo a namespace", specOf("DestinationRule", "{host: m, exportTo: [shop_a]}"), 4, "DestinationRule m", "spec.exportTo[0]", "is not a valid name"},
		{"exportTo no name", specOf("VirtualService", "{hosts: [m], exportTo: ['~'], http: [{"+toM+"}]}"), 4, vs, "spec.exportTo[0]", `"~" exports the object to nobody`},
		{"exportTo some and all", specOf("VirtualService", "{hosts: [m], exportTo: [shop, '*'], http: [{"+toM+"}]}"), 4, vs, "spec.exportTo[1]", "must be alone"},
		{"exportTo one twice", specOf("VirtualService", "{hosts: [m], exportTo: [., default], http: [{"+toM+"}]}"), 4, vs, "spec.exportTo[1]", "a second time"},
		{"exportTo nobody", specOf("DestinationRule", "{host: m, exportTo: ['~']}"), 4, "DestinationRule m", "spec.exportTo[0]", `"~" exports the object to nobody, which hellochaos does not support`},
		{"exportTo twice", specOf("ServiceEntry", "{hosts: [a.b], exportTo: [., '*'], resolution: DNS, location: MESH_EXTERNAL, ports: [{number: 80, name: http, protocol: HTTP}]}"), 4, "ServiceEntry m", "spec.exportTo[1]", "must be alone"},
		{"exportTo of a Gateway", specOf("Gateway", "{exportTo: [.], servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}"), 4, "Gateway m", "spec.exportTo", "unknown field"},
		{"tcp", specOf("VirtualService", "{hosts: [m], tcp: [], http: [{"+toM+"}]}"), 4, vs, "spec.tcp", notExecuted},
		{"grpc abort", httpEntry("{" + toM + ", fault: {abort: {grpcStatus: ABORTED}}}"), 6, vs, "spec.http[0].fault.abort.grpcStatus", notExecuted},
		{"connection pool", specOf("DestinationRule", "{host: m, trafficPolicy: {connectionPool: {}}}"), 4, "DestinationRule m", "spec.trafficPolicy.connectionPool", "must have http or tcp"},
		{"calls that may wait, below 0", specOf("DestinationRule", "{host: m, trafficPolicy: {connectionPool: {http: {http1MaxPendingRequests: -1}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.connectionPool.http.http1MaxPendingRequests", "must not be below 0, not -1"},
		{"connections below 0", specOf("DestinationRule", "{host: m, trafficPolicy: {connectionPool: {tcp: {maxConnections: -2}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.connectionPool.tcp.maxConnections", "must not be below 0, not -2"},
		{"an upgrade", specOf("DestinationRule", "{host: m, trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.connectionPool.http.h2UpgradePolicy", "UPGRADE is not supported by hellochaos; accepted: DEFAULT, DO_NOT_UPGRADE"},
		{"half of a keepalive", specOf("DestinationRule", "{host: m, trafficPolicy: {connectionPool: {http: {http2KeepAlive: {interval: 1s}}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.connectionPool.http.http2KeepAlive", "must have interval and timeout"},
		{"no timeout for connections", specOf("DestinationRule", "{host: m, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 0s}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.connectionPool.tcp.connectTimeout", "must be at least 1ms"},
		{"more than all endpoints", specOf("DestinationRule", "{host: m, trafficPolicy: {outlierDetection: {maxEjectionPercent: 101}}}"), 4, "DestinationRule m", "spec.trafficPolicy.outlierDetection.maxEjectionPercent", "must be from 0 to 100, not 101"},
		{"a health below 0", specOf("DestinationRule", "{host: m, trafficPolicy: {outlierDetection: {minHealthPercent: -1}}}"), 4, "DestinationRule m", "spec.trafficPolicy.outlierDetection.minHealthPercent", "must be from 0 to 100, not -1"},
		{"local failures that are not told apart", specOf("DestinationRule", "{host: m, trafficPolicy: {outlierDetection: {consecutiveLocalOriginFailures: 2}}}"), 4, "DestinationRule m", "spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures", "needs splitExternalLocalOriginErrors: true"},
		{"codes of errors", specOf("DestinationRule", "{host: m, trafficPolicy: {outlierDetection: {outlierDetectionHttpErrorCodes: [500]}}}"), 4, "DestinationRule m", "spec.trafficPolicy.outlierDetection.outlierDetectionHttpErrorCodes", "is not supported by hellochaos"},
		{"failures below 0", specOf("DestinationRule", "{host: m, trafficPolicy: {outlierDetection: {consecutive5xxErrors: -1}}}"), 4, "DestinationRule m", "spec.trafficPolicy.outlierDetection.consecutive5xxErrors", "must be a whole number of at least 0, not -1"},
		{"a hash without a key", specOf("DestinationRule", "{host: m, trafficPolicy: {loadBalancer: {consistentHash: {}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.loadBalancer.consistentHash", "must have httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName"},
		{"a cookie without a name", specOf("DestinationRule", "{host: m, trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {ttl: 0s}}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.name", "must be set"},
		{"two sizes", specOf("DestinationRule", "{host: m, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, minimumRingSize: 9, ringHash: {}}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize", "must not stand beside ringHash or maglev"},
		{"a size that is no prime", specOf("DestinationRule", "{host: m, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 100}}}}}"), 4, "DestinationRule m", "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize", "must be a prime number below 5000011, not 100"},
		{"a budget over time", specOf("DestinationRule", "{host: m, trafficPolicy: {retryBudget: {budgetInterval: 1s}}}"), 4, "DestinationRule m", "spec.trafficPolicy.retryBudget.budgetInterval", "is not supported by hellochaos"},
		{"a budget above all calls", specOf("DestinationRule", "{host: m, trafficPolicy: {retryBudget: {percent: 100.5}}}"), 4, "DestinationRule m", "spec.trafficPolicy.retryBudget.percent", "must be from 0 to 100, not 100.5"},
		{"a text for a percent", specOf("DestinationRule", "{host: m, trafficPolicy: {retryBudget: {percent: '20'}}}"), 4, "DestinationRule m", "spec.trafficPolicy.retryBudget.percent", "must be a number"},
		{"gateway's other tls", specOf("Gateway", "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*'], tls: {caCrl: /a}}]}"), 4, "Gateway m", "spec.servers[0].tls.caCrl", notExecuted},
		{"workload selector", specOf("Sidecar", "{workloadSelector: {}}"), 4, "Sidecar m", "spec.workloadSelector", notExecuted},
		{"sidecar port", specOf("Sidecar", "{egress: [{port: {number: 80}, hosts: ['./*']}]}"), 4, "Sidecar m", "spec.egress[0].port", notExecuted},
		{"entry of workloads", specOf("ServiceEntry", "{hosts: [a.b], workloadSelector: {}, ports: []}"), 4, "ServiceEntry m", "spec.workloadSelector", notExecuted},
		{"string for a number", httpEntry(`{route: [{destination: {host: m}, weight: "80"}]}`), 6, vs, "spec.http[0].route[0].weight", `must be a whole number, not "80"`},
		{"fraction for a whole number", httpEntry(`{route: [{destination: {host: m}, weight: 1.5}]}`), 6, vs, "spec.http[0].route[0].weight", "must be a whole number, not 1.5"},
		{"negative port", httpEntry(`{route: [{destination: {host: m, port: {number: -1}}}]}`), 6, vs, "spec.http[0].route[0].destination.port.number", "must be a whole number of at least 0, not -1"},
		{"number for a string", httpEntry("{" + toM + ", retries: {attempts: 3, retryOn: 500}}"), 6, vs, "spec.http[0].retries.retryOn", "must be a string (in quotes), not 500"},
		{"bool for a string", httpEntry("{match: [{headers: {a: {exact: yes}}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].headers.a.exact", "must be a string (in quotes), not true"},
		{"string for a bool", httpEntry("{match: [{ignoreUriCase: 'true'}], " + toM + "}"), 6, vs, "spec.http[0].match[0].ignoreUriCase", `must be true or false, not "true"`},
		{"string for a wrapped bool", httpEntry("{" + toM + ", retries: {attempts: 1, retryIgnorePreviousHosts: 'no'}}"), 6, vs, "spec.http[0].retries.retryIgnorePreviousHosts", `must be true or false, not "no"`},
		{"object for a list", httpEntry("{route: {destination: {host: m}}}"), 6, vs, "spec.http[0].route", "must be a list, not an object"},
		{"list for an object", httpEntry("{" + toM + ", retries: []}"), 6, vs, "spec.http[0].retries", "must be an object, not a list"},
		{"list for a map", httpEntry("{match: [{headers: []}], " + toM + "}"), 6, vs, "spec.http[0].match[0].headers", "must be a map, not a list"},
		{"null in a map", httpEntry("{match: [{headers: {a: null}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].headers.a", "must be an object, but it is missing or empty"},
		{"two of a kind", httpEntry("{match: [{uri: {exact: /a, prefix: /b}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].uri.prefix", "cannot be set beside exact: only one of the two is accepted"},
		{"unknown enum", specOf("ServiceEntry", "{hosts: [a.b], resolution: DSN, ports: [{number: 80, name: http, protocol: HTTP}]}"), 4, "ServiceEntry m", "spec.resolution", `must be one of STATIC, DNS, DNS_ROUND_ROBIN, NONE, not "DSN"`},
		{"unsupported enum", specOf("ServiceEntry", "{hosts: [a.b], resolution: DYNAMIC_DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"), 4, "ServiceEntry m", "spec.resolution", "DYNAMIC_DNS is not supported by hellochaos; accepted: STATIC, DNS, DNS_ROUND_ROBIN, NONE"},
		{"duration without unit", httpEntry("{" + toM + ", timeout: '2'}"), 6, vs, "spec.http[0].timeout", `must be a duration such as "2s" or "300ms", not "2"`},
		{"number for a duration", httpEntry("{" + toM + ", timeout: 2}"), 6, vs, "spec.http[0].timeout", `must be a duration such as "2s" or "300ms", not 2`},
		{"duration too short", httpEntry("{" + toM + ", retries: {attempts: 1, perTryTimeout: 999us}}"), 6, vs, "spec.http[0].retries.perTryTimeout", `must be at least 1ms, not "999us"`},
		{"part of a millisecond", httpEntry("{" + toM + ", retries: {attempts: 1, backoff: 1.5ms}}"), 6, vs, "spec.http[0].retries.backoff", `must be a whole number of milliseconds, not "1.5ms"`},
		{"no spec", "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: m}\n", 1, "Sidecar m", "spec", "must be an object, but it is missing or empty"},

		// What Istio's webhook refuses.
		{"empty policy of a subset", specOf("DestinationRule", "{host: m, subsets: [{name: a, trafficPolicy: {}}]}"), 4, "DestinationRule m", "spec.subsets[0].trafficPolicy", "must not be empty"},
		{"balancer of a subset", specOf("DestinationRule", "{host: m, subsets: [{name: a, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}]}"), 4, "DestinationRule m", "spec.subsets[0].trafficPolicy.loadBalancer.simple", "PASSTHROUGH is not supported"},
		{"connection pool of a port", specOf("DestinationRule", "{host: m, trafficPolicy: {portLevelSettings: [{port: {number: 80}, connectionPool: {}}]}}"), 4, "DestinationRule m", "spec.trafficPolicy.portLevelSettings[0].connectionPool", "must have http or tcp"},
		{"settings of no port", specOf("DestinationRule", "{host: m, trafficPolicy: {portLevelSettings: [{tls: {mode: DISABLE}}]}}"), 4, "DestinationRule m", "spec.trafficPolicy.portLevelSettings[0].port.number", "0 is not a port"},
		{"empty settings of a port", specOf("DestinationRule", "{host: m, trafficPolicy: {portLevelSettings: [{port: {number: 80}}]}}"), 4, "DestinationRule m", "spec.trafficPolicy.portLevelSettings[0]", "must have loadBalancer, connectionPool, outlierDetection or tls"},
		{"mutual TLS of a subset's port without a certificate", specOf("DestinationRule", "{host: m, subsets: [{name: a, trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: MUTUAL}}]}}]}"), 4, "DestinationRule m", "spec.subsets[0].trafficPolicy.portLevelSettings[0].tls", "must have clientCertificate"},
		{"delegate beside route", httpEntry("{" + toM + ", delegate: {name: x}}"), 6, vs, "spec.http[0]", "must have none of route, redirect and directResponse beside delegate"},
		{"name of a delegate", httpEntry("{delegate: {name: X}}"), 6, vs, "spec.http[0].delegate.name", `"X" is not a valid name`},
		{"namespace of a delegate", httpEntry("{delegate: {name: x, namespace: a.b}}"), 6, vs, "spec.http[0].delegate.namespace", `"a.b" is not a valid name`},
		{"delegate of a delegate", specOf("VirtualService", "{http: [{delegate: {name: x}}]}"), 4, vs, "spec.http[0].delegate", "there is one level only"},
		{"gateways of a delegate", specOf("VirtualService", "{gateways: [a], http: [{"+toM+"}]}"), 4, vs, "spec.gateways", "is not accepted where there are no hosts"},
		{"rewrite of nothing", httpEntry(`{route: [{destination: {host: m}}], rewrite: {}}`), 6, vs, "spec.http[0].rewrite", `must have uri, uriRegexRewrite or authority`},
		{"two rewrites of the path", httpEntry(`{route: [{destination: {host: m}}], rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}}`), 6, vs, "spec.http[0].rewrite", `must have only one of uri and uriRegexRewrite`},
		{"rewrite beside redirect", httpEntry(`{redirect: {uri: /a}, rewrite: {uri: /a}}`), 6, vs, "spec.http[0].rewrite", `is accepted only beside route`},
		{"rewrite without slash", httpEntry(`{route: [{destination: {host: m}}], rewrite: {uri: a}}`), 6, vs, "spec.http[0].rewrite.uri", `must begin with a slash, not be "a"`},
		{"rewrite with a blank", httpEntry(`{route: [{destination: {host: m}}], rewrite: {uri: '/a b'}}`), 6, vs, "spec.http[0].rewrite.uri", `must not have ' '`},
		{"rewrite to no host", httpEntry(`{route: [{destination: {host: m}}], rewrite: {authority: 'a b'}}`), 6, vs, "spec.http[0].rewrite.authority", `"a b" is not a host`},
		{"regex rewrite of half", httpEntry(`{route: [{destination: {host: m}}], rewrite: {uriRegexRewrite: {match: a}}}`), 6, vs, "spec.http[0].rewrite.uriRegexRewrite", `must have match and rewrite`},
		{"regex rewrite that does not compile", httpEntry(`{route: [{destination: {host: m}}], rewrite: {uriRegexRewrite: {match: '(', rewrite: b}}}`), 6, vs, "spec.http[0].rewrite.uriRegexRewrite.match", `must be a regular expression in RE2 syntax`},
		{"group that the regex lacks", httpEntry(`{route: [{destination: {host: m}}], rewrite: {uriRegexRewrite: {match: '(a)', rewrite: '/\2'}}}`), 6, vs, "spec.http[0].rewrite.uriRegexRewrite.rewrite", `has "\\2": after a backslash there must be a second one, or the number of a group of match, which has 1 group`},
		{"group without a number", httpEntry(`{route: [{destination: {host: m}}], rewrite: {uriRegexRewrite: {match: a, rewrite: '/\n'}}}`), 6, vs, "spec.http[0].rewrite.uriRegexRewrite.rewrite", `which has 0 groups`},
		{"host that is set twice", httpEntry(`{route: [{destination: {host: m}}], rewrite: {authority: a}, headers: {request: {set: {host: b}}}}`), 6, vs, "spec.http[0].headers.request", `host is a second place that sets the host`},
		{"host that is set and added", httpEntry(`{route: [{destination: {host: m}}], headers: {request: {set: {host: b}, add: {':authority': c}}}}`), 6, vs, "spec.http[0].headers.request", `:authority is a second place that sets the host`},
		{"removed host", httpEntry(`{route: [{destination: {host: m}}], headers: {request: {remove: [Host]}}}`), 6, vs, "spec.http[0].headers.request.remove[0]", `"Host" cannot be changed`},
		{"host of an answer", httpEntry(`{route: [{destination: {host: m}}], headers: {response: {set: {host: a}}}}`), 6, vs, "spec.http[0].headers.response.set.host", `"host" cannot be changed`},
		{"pseudo-header", httpEntry(`{route: [{destination: {host: m}}], headers: {request: {set: {':path': a}}}}`), 6, vs, "spec.http[0].headers.request.set.:path", `":path" cannot be changed`},
		{"set to no host", httpEntry(`{route: [{destination: {host: m}}], headers: {request: {set: {host: 'a/b'}}}}`), 6, vs, "spec.http[0].headers.request.set.host", `"a/b" is not a host`},
		{"no name of a header", httpEntry(`{route: [{destination: {host: m}}], headers: {request: {add: {'a b': c}}}}`), 6, vs, "spec.http[0].headers.request.add.a b", `is not a valid name of a header`},
		{"header of a connection", httpEntry(`{route: [{destination: {host: m}}], headers: {response: {remove: [Transfer-Encoding]}}}`), 6, vs, "spec.http[0].headers.response.remove[0]", `transfer-encoding is not supported by hellochaos`},
		{"header that the services obey", httpEntry(`{route: [{destination: {host: m}, headers: {request: {set: {fail: '0'}}}}]}`), 6, vs, "spec.http[0].route[0].headers.request.set.fail", `fail is not supported by hellochaos: its services obey this header`},
		{"header of the trail", httpEntry(`{route: [{destination: {host: m}}], headers: {response: {remove: [x-hellochaos-trail]}}}`), 6, vs, "spec.http[0].headers.response.remove[0]", `its services obey this header`},
		{"header that Envoy obeys", httpEntry(`{route: [{destination: {host: m}}], headers: {request: {set: {x-envoy-max-retries: '9'}}}}`), 6, vs, "spec.http[0].headers.request.set.x-envoy-max-retries", `Envoy obeys some of these headers`},
		{"command of Envoy", httpEntry(`{route: [{destination: {host: m}}], headers: {request: {set: {a: '%START_TIME%'}}}}`), 6, vs, "spec.http[0].headers.request.set.a", `has a command of Envoy`},
		{"one percent sign", httpEntry(`{route: [{destination: {host: m}}], headers: {response: {add: {a: 100%}}}}`), 6, vs, "spec.http[0].headers.response.add.a", `has a command of Envoy`},
		{"value of no header", httpEntry(`{route: [{destination: {host: m}}], headers: {response: {add: {a: "b\u0001"}}}}`), 6, vs, "spec.http[0].headers.response.add.a", `is not a valid value of a header`},
		{"blank in retryOn", httpEntry("{" + toM + ", retries: {attempts: 3, retryOn: '5xx, reset'}}"), 6, vs, "spec.http[0].retries.retryOn", `has " reset", which Istio does not accept; accepted, joined by commas without blanks: numbers of HTTP statuses such as 503, 5xx, cancelled`},
		{"unknown word in retryOn", httpEntry("{" + toM + ", retries: {attempts: 3, retryOn: '5xx,4xx'}}"), 6, vs, "spec.http[0].retries.retryOn", `has "4xx", which Istio does not accept`},
		{"unknown status in retryOn", httpEntry("{" + toM + ", retries: {attempts: 3, retryOn: '599'}}"), 6, vs, "spec.http[0].retries.retryOn", `has "599", which Istio does not accept`},
		{"attempts 0 with retryOn", httpEntry("{" + toM + ", retries: {attempts: 0, retryOn: 5xx}}"), 6, vs, "spec.http[0].retries", "has perTryTimeout or retryOn without attempts, which Istio refuses"},
		{"attempts 0 with perTryTimeout", httpEntry("{" + toM + ", retries: {perTryTimeout: 2s}}"), 6, vs, "spec.http[0].retries", "has perTryTimeout or retryOn without attempts, which Istio refuses"},
		{"negative attempts", httpEntry("{" + toM + ", retries: {attempts: -1}}"), 6, vs, "spec.http[0].retries.attempts", "must be from 0 to 98, not -1"},
		{"no weights", httpEntry("{route: [{destination: {host: m}}, {destination: {host: p}}]}"), 6, vs, "spec.http[0].route", "has weights that add up to 0"},
		{"negative weight", httpEntry("{route: [{destination: {host: m}, weight: -1}, {destination: {host: p}, weight: 2}]}"), 6, vs, "spec.http[0].route[0].weight", "must be at least 0, not -1"},
		{"no destination", httpEntry("{route: [{weight: 1}]}"), 6, vs, "spec.http[0].route[0]", "must have a destination"},
		{"destination *", httpEntry("{route: [{destination: {host: '*'}}]}"), 6, vs, "spec.http[0].route[0].destination.host", `must be a host name without a wildcard, not "*"`},
		{"no host", httpEntry("{route: [{destination: {}}]}"), 6, vs, "spec.http[0].route[0].destination.host", `""`},
		{"empty header prefix", httpEntry("{match: [{headers: {a: {prefix: ''}}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].headers.a.prefix", "must not be empty"},
		{"empty uri prefix", httpEntry("{match: [{uri: {prefix: ''}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].uri.prefix", "must not be empty"},
		{"empty regex", httpEntry("{match: [{uri: {regex: ''}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].uri.regex", "must not be empty"},
		{"not RE2", httpEntry("{match: [{uri: {regex: '(?=a)'}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].uri.regex", "must be a regular expression in RE2 syntax"},
		{"regex * of a header", httpEntry("{match: [{headers: {a: {regex: '*'}}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].headers.a.regex", "must be a regular expression in RE2 syntax"},
		{"long regex", httpEntry("{match: [{uri: {regex: '" + strings.Repeat("a", 1025) + "'}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].uri.regex", "must be at most 1024 bytes long, not 1025"},
		{"bad header name", httpEntry("{match: [{headers: {'a b': {exact: c}}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].headers.a b", "a valid HTTP header"},
		{"uri as a header", httpEntry("{match: [{withoutHeaders: {uri: {exact: c}}}], " + toM + "}"), 6, vs, "spec.http[0].match[0].withoutHeaders.uri", "use the fields uri, method and authority of the match entry"},
		{"host * in the mesh", specOf("VirtualService", "{hosts: ['*'], http: [{"+toM+"}]}"), 4, vs, "spec.hosts[0]", `must not be "*" where the VirtualService is for the mesh's sidecars`},
		{"host * at a gateway and in the mesh", specOf("VirtualService", "{hosts: ['*'], gateways: [g, mesh], http: [{"+toM+"}]}"), 4, vs, "spec.hosts[0]", `must not be "*"`},
		{"host twice", specOf("VirtualService", "{hosts: [m, m], http: [{"+toM+"}]}"), 4, vs, "spec.hosts[1]", `is "m" a second time: write each host once`},
		{"no rules", specOf("VirtualService", "{hosts: [m]}"), 4, vs, "spec.http", "must have at least one rule"},
		{"bad gateway name", specOf("VirtualService", "{hosts: [m], gateways: [a/b/c], http: [{"+toM+"}]}"), 4, vs, "spec.gateways[0]", `"b/c"`},
		{"no action", httpEntry("{timeout: 1s}"), 6, vs, "spec.http[0]", "must have exactly one of route, redirect and directResponse, but has 0 of them"},
		{"route and redirect", httpEntry("{" + toM + ", redirect: {uri: /}}"), 6, vs, "spec.http[0]", "but has 2 of them"},
		{"fault and redirect", httpEntry("{redirect: {uri: /}, fault: {abort: {httpStatus: 500}}}"), 6, vs, "spec.http[0].fault", "is accepted only beside route, not beside redirect or directResponse"},
		{"redirect by prefix beside a uri", specOf("VirtualService", "{hosts: [m], http: [{redirect: {uri: /a, prefixRewrite: /b}}]}"), 4, vs, "spec.http[0].redirect.prefixRewrite", "must not stand beside uri"},
		{"redirect by prefix without one", specOf("VirtualService", "{hosts: [m], http: [{match: [{uri: {exact: /a}}], redirect: {prefixRewrite: /b}}]}"), 4, vs, "spec.http[0].redirect.prefixRewrite", "match[0] has a uri that is none"},
		{"redirect to another scheme", specOf("VirtualService", "{hosts: [m], http: [{redirect: {scheme: ftp}}]}"), 4, vs, "spec.http[0].redirect.scheme", `must be http or https, not "ftp"`},
		{"redirect to no port", specOf("VirtualService", "{hosts: [m], http: [{redirect: {port: 70000}}]}"), 4, vs, "spec.http[0].redirect.port", "70000"},
		{"redirect nowhere", httpEntry("{redirect: {}}"), 6, vs, "spec.http[0].redirect", "must have uri, prefixRewrite, authority, scheme, port or derivePort"},
		{"redirect 304", httpEntry("{redirect: {uri: /, redirectCode: 304}}"), 6, vs, "spec.http[0].redirect.redirectCode", "must be 301, 302, 303, 307 or 308, not 304"},
		{"direct 100", httpEntry("{directResponse: {status: 100}}"), 6, vs, "spec.http[0].directResponse.status", "must be an HTTP status from 200 to 599, not 100"},
		{"abort 600", httpEntry("{" + toM + ", fault: {abort: {httpStatus: 600}}}"), 6, vs, "spec.http[0].fault.abort.httpStatus", "not 600"},
		{"delay without length", httpEntry("{" + toM + ", fault: {delay: {percentage: {value: 1}}}}"), 6, vs, "spec.http[0].fault.delay", "must have fixedDelay"},
		{"empty fault", httpEntry("{" + toM + ", fault: {}}"), 6, vs, "spec.http[0].fault", "must have delay or abort"},
		{"101 percent", httpEntry("{" + toM + ", fault: {abort: {httpStatus: 500, percentage: {value: 101}}}}"), 6, vs, "spec.http[0].fault.abort.percentage.value", "must be from 0 to 100, not 101"},
		{"subset twice", specOf("DestinationRule", "{host: m, subsets: [{name: a}, {name: a}]}"), 4, "DestinationRule m", "spec.subsets[1].name", `is "a", which another subset has already: each subset must have a name of its own`},
		{"passthrough balancer", specOf("DestinationRule", "{host: m, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}"), 4, "DestinationRule m", "spec.trafficPolicy.loadBalancer.simple", "PASSTHROUGH is not supported by hellochaos: a proxy sends each request to the address for which its connection was made"},
		{"wild destination rule", specOf("DestinationRule", "{host: 'a.*.b'}"), 4, "DestinationRule m", "spec.host", "is not a valid host name"},
		{"no servers", specOf("Gateway", "{selector: {istio: ingress}}"), 4, "Gateway m", "spec.servers", "must have at least one server"},
		{"gateway of HTTPS without tls", specOf("Gateway", "{servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: ['*']}]}"), 4, "Gateway m", "spec.servers[0].tls", "is missing: Istio refuses a server of protocol HTTPS"},
		{"gateway with a certificate at HTTP", specOf("Gateway", "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: a}}]}"), 4, "Gateway m", "spec.servers[0].tls", "is for a server of plain HTTP"},
		{"gateway with tls at TCP", specOf("Gateway", "{servers: [{port: {number: 80, name: a, protocol: TCP}, hosts: ['*'], tls: {}}]}"), 4, "Gateway m", "spec.servers[0].tls", "is for a server of protocol TCP"},
		{"gateway without a certificate", specOf("Gateway", "{servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE}}]}"), 4, "Gateway m", "spec.servers[0].tls", "has mode SIMPLE and no certificate"},
		{"gateway with two certificates", specOf("Gateway", "{servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: a, serverCertificate: /a, privateKey: /b}}]}"), 4, "Gateway m", "spec.servers[0].tls", "from more than one place"},
		{"gateway of MUTUAL without a CA", specOf("Gateway", "{servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: ['*'], tls: {mode: MUTUAL, serverCertificate: /a, privateKey: /b}}]}"), 4, "Gateway m", "spec.servers[0].tls.caCertificates", "is missing: mode MUTUAL"},
		{"gateway of ISTIO_MUTUAL with a certificate", specOf("Gateway", "{servers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: ['*'], tls: {mode: ISTIO_MUTUAL, credentialName: a}}]}"), 4, "Gateway m", "spec.servers[0].tls", "beside mode ISTIO_MUTUAL"},
		{"gateway of an unknown protocol", specOf("Gateway", "{servers: [{port: {number: 443, name: a, protocol: HTTSP}, hosts: ['*']}]}"), 4, "Gateway m", "spec.servers[0].port.protocol", `"HTTSP" is not a protocol of a server (did you mean "HTTP"?); accepted: HTTP, HTTPS,`},
		{"gateway without a port's name", specOf("Gateway", "{servers: [{port: {number: 80, protocol: HTTP}, hosts: ['*']}]}"), 4, "Gateway m", "spec.servers[0].port.name", "must not be empty"},
		{"gateway with a name twice", specOf("Gateway", "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}, {port: {number: 81, name: a, protocol: HTTP}, hosts: ['*']}]}"), 4, "Gateway m", "spec.servers[1].port.name", `is "a", which servers[0] has already`},
		{"gateway with HTTP and HTTPS at a port", specOf("Gateway", "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}, {port: {number: 80, name: b, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: a}}]}"), 4, "Gateway m", "spec.servers[1].port", "is port 80 with TLS, and servers[0] has the port with HTTP without TLS"},
		{"gateway without port", specOf("Gateway", "{servers: [{hosts: ['*']}]}"), 4, "Gateway m", "spec.servers[0].port.number", "0 is not a port: it must be between 1 and 65535"},
		{"short entry", specOf("ServiceEntry", "{hosts: [clock], ports: [{number: 80, name: http, protocol: HTTP}]}"), 4, "ServiceEntry m", "spec.hosts[0]", `must be a full name with a dot, such as api.example.com, not "clock"`},
		{"entry of UDP", specOf("ServiceEntry", "{hosts: [a.b], ports: [{number: 80, name: a, protocol: UDP}]}"), 4, "ServiceEntry m", "spec.ports[0].protocol", `must be one of HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TCP, TLS, MONGO, REDIS, MYSQL, not "UDP"`},
		{"port twice", specOf("ServiceEntry", "{hosts: [a.b], ports: [{number: 80, name: a, protocol: HTTP}, {number: 80, name: b, protocol: HTTP}]}"), 4, "ServiceEntry m", "spec.ports[1]", "has the number or the name of another port: each port must have its own"},
		{"sidecar host without namespace", specOf("Sidecar", "{egress: [{hosts: ['*']}]}"), 4, "Sidecar m", "spec.egress[0].hosts[0]", `must be "namespace/host"`},

		// Kubernetes objects.
		{"unknown Kubernetes field", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  ports:\n    - port: 80\n      portt: 1\n", 7, "Service m", "spec.ports[0].portt", "unknown field; accepted: name, port, targetPort, protocol"},
		{"wrong case", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  Ports: []\n", 5, "Service m", "spec.Ports", "unknown field; accepted: type, selector, ports"},
		{"wrong Kubernetes type", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  ports:\n    - port: http\n", 5, "Service m", "spec.ports.port", "must be a whole number, not a string"},
		{"number for a list of Kubernetes", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  ports: 80\n", 5, "Service m", "spec.ports", "must be a list, not a number"},
		{"list for a map of Kubernetes", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  selector: []\n", 5, "Service m", "spec.selector", "must be a map, not a list"},
		{"number for a text of Kubernetes", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  type: 1\n", 5, "Service m", "spec.type", "must not be a number: Kubernetes' API has another type here"},
		{"named target port", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  ports:\n    - port: 80\n      targetPort: web\n", 7, "Service m", "spec.ports[0].targetPort", `must be a number, not "web": hellochaos does not support the names of ports`},
		{"port that is not HTTP", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  ports:\n    - {name: tcp-x, port: 80}\n", 6, "Service m", "spec.ports[0].name",
			`must be "http" or begin with "http-", not "tcp-x": calls to a port of this protocol meet no rule for HTTP (no route, retry, timeout or fault); hellochaos executes HTTP only, and Istio takes the protocol from the name`},
		{"port of HTTP/2", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  ports:\n    - {name: grpc, port: 80}\n", 6, "Service m", "spec.ports[0].name",
			`must be "http" or begin with "http-", not "grpc": hellochaos executes HTTP only, and Istio takes the protocol from the name`},
		{"protocol that is not HTTP", "apiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  ports:\n    - {appProtocol: mongo, port: 80}\n", 6, "Service m", "spec.ports[0].appProtocol",
			`must be "http", not "mongo": calls to a port of this protocol meet no rule for HTTP (no route, retry, timeout or fault); hellochaos executes HTTP only`},
		{"exportTo of a service", "apiVersion: v1\nkind: Service\nmetadata:\n  name: m\n  annotations:\n    networking.istio.io/exportTo: a b\nspec:\n  ports: [{port: 80}]\n", 6, "Service m", "metadata.annotations.networking.istio.io/exportTo", `must be "*", ".", "~" or names of namespaces, separated by commas; "a b" is none`},
		{"labels that do not select", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: m}\nspec:\n  selector: {matchLabels: {a: b}}\n  template: {spec: {containers: [{name: a, image: b}]}}\n", 5, "Deployment m", "spec.selector.matchLabels", "must be labels that the pods have"},
		{"two containers", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: m}\nspec:\n  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}}, spec: {containers: []}}\n", 6, "Deployment m", "spec.template.spec.containers", "must have exactly one container, not 0"},
		{"env from elsewhere", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: m}\nspec:\n  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, env: [{name: A, valueFrom: {}}]}]}}\n", 6, "Deployment m", "spec.template.spec.containers[0].env[0].valueFrom", notExecuted},
		{"attempts beyond the counters", httpEntry("{" + toM + ", retries: {attempts: 99}}"), 6, vs, "spec.http[0].retries.attempts", "must be from 0 to 98, not 99: the services count tries by attempt number only up to 99"},
		{"endpoints without resolution", entryWith("NONE, endpoints: [{address: 10.0.0.1}]"), 4, "ServiceEntry m", "spec.endpoints", "must not stand beside resolution NONE"},
		{"two endpoints in turns", entryWith("DNS_ROUND_ROBIN, endpoints: [{address: 10.0.0.1}, {address: 10.0.0.2}]"), 4, "ServiceEntry m", "spec.endpoints", "must be one at most"},
		{"static endpoint with a name", entryWith("STATIC, endpoints: [{address: a.b}]"), 4, "ServiceEntry m", "spec.endpoints[0].address", `must be an IP address, not "a.b"`},
		{"endpoint with no name", entryWith("DNS, endpoints: [{address: a_b}]"), 4, "ServiceEntry m", "spec.endpoints[0].address", "is not a valid host name"},
		{"endpoint that is a number", entryWith("DNS, endpoints: [{address: '999'}]"), 4, "ServiceEntry m", "spec.endpoints[0].address", "must not be a number"},
		{"endpoint with another port", entryWith("STATIC, endpoints: [{address: 10.0.0.1, ports: {web: 80}}]"), 4, "ServiceEntry m", "spec.endpoints[0].ports.web", "is no port of spec.ports"},
		{"addresses without resolution", entryWith("NONE, addresses: [10.1.1.1]"), 4, "ServiceEntry m", "spec.addresses", "where resolution is NONE"},
		{"address of an entry", entryWith("DNS, addresses: [a.b]"), 4, "ServiceEntry m", "spec.addresses[0]", "must be an IP address or a CIDR prefix"},
		{"prefix of addresses", entryWith("DNS, addresses: [10.0.0.0/8]"), 4, "ServiceEntry m", "spec.addresses[0]", "Istio accepts prefixes with NONE and STATIC alone"},
		{"wildcard that DNS is to resolve", specOf("ServiceEntry", "{hosts: ['*.a.b'], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"), 4, "ServiceEntry m", "spec.hosts[0]", "without a wildcard"},
		{"headless", serviceWith("clusterIP: None"), 5, "Service m", "spec.clusterIP", "None (a headless Service) is not supported"},
		{"affinity", serviceWith("sessionAffinity: ClientIP"), 5, "Service m", "spec.sessionAffinity", "ClientIP is not supported by hellochaos; accepted: None"},
		{"local traffic", serviceWith("internalTrafficPolicy: Local"), 5, "Service m", "spec.internalTrafficPolicy", "Local is not supported by hellochaos; accepted: Cluster"},
		{"UDP", strings.Replace(serviceWith(""), "port: 80", "port: 80, protocol: UDP", 1), 6, "Service m", "spec.ports[0].protocol", "must be TCP, not UDP"},
		{"match expressions", strings.Replace(deploymentWith("", "", ""), "{matchLabels:", "{matchExpressions: [{key: app, operator: Exists}], matchLabels:", 1), 5, "Deployment m", "spec.selector.matchExpressions", notExecuted},
		{"init containers", deploymentWith("", "initContainers: [{name: a, image: b}]", ""), 10, "Deployment m", "spec.template.spec.initContainers", notExecuted},
		{"host network", deploymentWith("", "hostNetwork: true", ""), 10, "Deployment m", "spec.template.spec.hostNetwork", notExecuted},
		{"command", deploymentWith("", "", "command: [a]"), 13, "Deployment m", "spec.template.spec.containers[0].command", notExecuted},
		{"args", deploymentWith("", "", "args: [a]"), 13, "Deployment m", "spec.template.spec.containers[0].args", notExecuted},
		{"envFrom", deploymentWith("", "", "envFrom: [{configMapRef: {name: a}}]"), 13, "Deployment m", "spec.template.spec.containers[0].envFrom", notExecuted},
		{"another container port", deploymentWith("", "", "ports: [{containerPort: 8080}]"), 13, "Deployment m", "spec.template.spec.containers[0].ports[0].containerPort", "must be 3000, the port at which the service listens (its variable PORT), not 8080"},
		{"a container port of UDP", deploymentWith("", "", "ports: [{containerPort: 3000, protocol: UDP}]"), 13, "Deployment m", "spec.template.spec.containers[0].ports[0].protocol", "must be TCP"},
		{"sidecar by label", deploymentWith("labels: {app: m, sidecar.istio.io/inject: 'false'}", "", ""), 8, "Deployment m", "spec.template.metadata.labels.sidecar.istio.io/inject", notExecuted},
		{"sidecar by annotation", deploymentWith("annotations: {sidecar.istio.io/inject: 'false'}\n      labels: {app: m}", "", ""), 8, "Deployment m", "spec.template.metadata.annotations.sidecar.istio.io/inject", notExecuted},
		{"proxy config", deploymentWith("annotations: {proxy.istio.io/config: '{}'}\n      labels: {app: m}", "", ""), 8, "Deployment m", "spec.template.metadata.annotations.proxy.istio.io/config", notExecuted},
		{"intercepted ports", deploymentWith("annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: '80'}\n      labels: {app: m}", "", ""), 8, "Deployment m", "spec.template.metadata.annotations.traffic.sidecar.istio.io/excludeOutboundPorts", notExecuted},
		{"no label app", strings.ReplaceAll(deploymentWith("", "", ""), "{app: m}", "{name: m}"), 8, "Deployment m", "spec.template.metadata.labels", "must have the label app"},
		{"injection in other words", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: m\n  labels: {istio-injection: off-course}\n", 5, "Namespace m", "metadata.labels.istio-injection", `must be "enabled" or "disabled", not "off-course"`},
		{"ambient", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: m\n  labels: {istio.io/dataplane-mode: ambient}\n", 5, "Namespace m", "metadata.labels.istio.io/dataplane-mode", notExecuted},

		// The environment of the demo service.
		{"bad role", env("ROLE", "bogus"), 17, "Deployment m", envValue, `ROLE is "bogus": it must be chain, clock, script or relay`},
		{"bad hang", env("HANG_DURATION", "-3s"), 17, "Deployment m", envValue, `HANG_DURATION is "-3s": it must be a duration above 0, such as "3s"`},
		{"bad port", env("PORT", "0"), 17, "Deployment m", envValue, `PORT is "0": it must be a port from 1 to 65535`},
		{"bad external", env("UPSTREAM_EXTERNAL", "yes"), 17, "Deployment m", envValue, `UPSTREAM_EXTERNAL is "yes": it must be true or false`},
		{"no version", env("SERVICE_NAME", "middleware"), 17, "Deployment m", envValue, `SERVICE_NAME is "middleware": it must be a service and its version, such as middleware-canary`},
		{"upstream of HTTPS", env("UPSTREAM_URI", "https://backend/"), 17, "Deployment m", envValue, `UPSTREAM_URI is "https://backend/": it must be an http URL`},
		{"upstream without host", env("UPSTREAM_URI", "http:///x"), 17, "Deployment m", envValue, `it must be an http URL`},
		{"upstream at no port", env("UPSTREAM_URI", "http://backend:99999/"), 17, "Deployment m", envValue, `it must be an http URL`},
		{"upstream with dot segments", env("UPSTREAM_URI", "http://backend/a/../b"), 17, "Deployment m", envValue, `without dot segments`},
		{"calls that are no array", env("CALLS", "http://b/"), 17, "Deployment m", envValue, `CALLS is "http://b/": it must be an array of steps, each an array of calls`},
		{"call with an unknown member", calling(`[[{"url":"http://b/"},{"uri":"http://b/"}]]`), 16, "Deployment m", callsValue, `CALLS[0][1] has a member "uri": only url, method, body and external are accepted`},
		{"call by HTTPS", calling(`[[{"url":"https://b/"}]]`), 16, "Deployment m", callsValue, `CALLS[0][0].url is "https://b/": it must be an http URL without dot segments`},
		{"call without host", calling(`[[{"url":"http:///b"}]]`), 16, "Deployment m", callsValue, `CALLS[0][0].url is "http:///b": it must be an absolute http or https URL`},
		{"call with dot segments", calling(`[[{"url":"http://b/"}],[{"url":"http://b/a/./c"}]]`), 16, "Deployment m", callsValue, `CALLS[1][0].url is "http://b/a/./c": it must be an http URL without dot segments`},
		{"call of an odd method", calling(`[[{"url":"http://b/","method":"get"}]]`), 16, "Deployment m", callsValue, `CALLS[0][0].method is "get": it must be one of GET, HEAD, POST`},
		{"step without call", calling(`[[]]`), 16, "Deployment m", callsValue, `CALLS[0] has no call: each step must have at least one`},
		{"calls and an upstream", env("CALLS", "[]"), 16, "Deployment m", "spec.template.spec.containers[0].env[1].value", `UPSTREAM_URI is "http://b/": it must be empty when CALLS is set, which names all calls`},
		{"calls and an external upstream", calling("[]") + "            - {name: UPSTREAM_EXTERNAL, value: 'true'}\n", 17, "Deployment m", envValue,
			`UPSTREAM_EXTERNAL is "true": it must be empty when CALLS is set, where each call outside the mesh has "external": true`},
		{"headers that are none", env("FORWARD_HEADERS", "x-tier,a:b"), 17, "Deployment m", envValue, `FORWARD_HEADERS has "a:b", which is not the name of a header`},
		{"headers of the call itself", env("FORWARD_HEADERS", "host"), 17, "Deployment m", envValue, `FORWARD_HEADERS has "host", which a service cannot pass on to its calls`},
		{"bad fail probability", env("FAIL_PROBABILITY", "50%"), 17, "Deployment m", envValue, `FAIL_PROBABILITY is "50%": it must be a decimal number in [0,1]`},
		{"bad hang probability", env("HANG_PROBABILITY", "2"), 17, "Deployment m", envValue, `HANG_PROBABILITY is "2": it must be a decimal number in [0,1]`},
		{"bad work", env("WORK_DURATION", "5"), 17, "Deployment m", envValue, `WORK_DURATION is "5": it must be a duration of at least 0, such as "5ms"`},
		{"calls of a clock", calling("[]") + "            - {name: ROLE, value: clock}\n", 16, "Deployment m", callsValue, `CALLS is "[]": it must be empty unless ROLE is chain`},
		{"work of a script", env("WORK_DURATION", "5ms") + "            - {name: ROLE, value: script}\n", 17, "Deployment m", envValue, `WORK_DURATION is "5ms": it must be empty unless ROLE is chain`},
		{"no upstream", strings.Replace(deploymentWith("", "", ""), "UPSTREAM_URI", "OTHER", 1), 14, "Deployment m", "spec.template.spec.containers[0].env", `UPSTREAM_URI is "": it must be an http URL`},

		// Documents.
		{"unknown kind", "apiVersion: v1\nkind: Secret\nmetadata: {name: m}\n", 2, "Secret m", "kind", `"Secret" is not supported by hellochaos; accepted: DestinationRule, Gateway, ServiceEntry, Sidecar, VirtualService, Deployment, Namespace, Service`},
		{"old version", "apiVersion: config.istio.io/v1alpha2\nkind: VirtualService\nmetadata: {name: m}\n", 1, vs, "apiVersion", `must be one of networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3 for kind VirtualService, not "config.istio.io/v1alpha2"`},
		{"wrong Kubernetes version", "apiVersion: apps/v1\nkind: Service\nmetadata: {name: m}\n", 1, "Service m", "apiVersion", `must be v1 for kind Service, not "apps/v1"`},
		{"no kind", "\napiVersion: v1\nmetadata: {name: m}\n", 2, "document 1", "kind", "must be a string that is not empty"},
		{"no name", "apiVersion: v1\nkind: Namespace\nmetadata: {}\n", 3, "document 1", "metadata.name", "must consist of lower case"},
		{"bad name", "apiVersion: v1\nkind: Namespace\nmetadata: {name: A_b}\n", 3, "Namespace A_b", "metadata.name", "must consist of lower case"},
		{"misspelt metadata", "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: m, lables: {}}\nspec: {}\n", 3, "Sidecar m", "metadata.lables", "unknown field: Kubernetes' API has no field of this name here"},
		{"misspelt spec", "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: m}\nspec: {}\nspce: {}\n", 5, "Sidecar m", "spce", "unknown field; accepted: apiVersion, kind, metadata, spec, status"},
		{"is not an object: it must have apiVersion, kind and metadata", "- a\n", 1, "document 1", "", "is not an object: it must have apiVersion, kind and metadata"},
		{"duplicate key", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: m\n  labels: {}\n  labels: {}\n", 6, "document 1", "metadata.labels", "is written twice, first in line 5: write it once"},
		{"duplicate key in the second document", virtualServiceYAML("a", "x") + "---\nkind: a\nkind: b\n", 9, "document 2", "kind", "is written twice, first in line 8: write it once"},
		{"key that is a list", "[a]: b\n", 1, "document 1", "", "has a key that is not a string: each key of a map must be a string"},
		{"dns of the node", deploymentWith("", "dnsPolicy: Default", ""), 10, "Deployment m", "spec.template.spec.dnsPolicy", "Default is not supported by hellochaos; accepted: ClusterFirst"},
		{"alias of nothing", "a: *x\n", 1, "document 1", "", "is not valid YAML: unknown anchor 'x' referenced"},
		{"alias inside itself", "a: &x\n  - b\n  - *x\n", 3, "document 1", "a[1]", "the alias *x stands inside the value that it stands for"},
		{"merge inside itself", "a: &x\n  b: 1\n  <<: *x\n", 1, "document 1", "a", "the alias *x stands inside the value that it stands for"},
		{"merge of a scalar", "a: &x 1\nb: {<<: *x}\n", 2, "document 1", "b", "has a merge key << whose value is neither a map nor a list of maps"},
		{"merge after a key that it has", "a: &x {c: 1}\nb:\n  c: 2\n  <<: *x\n", 3, "document 1", "b.c", "stands before the merge key <<, which sets it too"},
		{"two merges", "a: &x {c: 1}\nb:\n  <<: *x\n  <<: *x\n", 4, "document 1", "b.<<", "is written twice, first in line 3: write it once"},
		{"bomb of aliases", bomb(9), 0, "", "", "stand for more than 1048576 bytes"},
		{"bomb of one long text", "a: &x " + strings.Repeat("y", 500_000) + "\nb: [*x, *x, *x]\n", 2, "document 1", "b[2]", "the aliases of this document stand for more than 1048576 bytes: use fewer aliases"},
		{"field through an alias", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: m\n  annotations: {x: y}\nspec:\n  hosts: [m]\n  http:\n" +
			"    - retries: &r\n        retryOnn: 5xx\n      route: &to [{destination: {host: m}}]\n    - retries: *r\n      route: *to\n", 10, vs, "spec.http[1].retries.retryOnn", `did you mean "retryOn"?`},
		{"UTF-16", "\xff\xfea\x00", 0, "", "", "is UTF-16: save the file as UTF-8"},
		{"list of no version", "kind: List\nitems: []\n", 1, "List", "apiVersion", `must be "v1" for a List, but it is missing or empty`},
		{"list without items", "apiVersion: v1\nkind: List\n", 1, "List", "items", "must be a list, but it is missing or empty"},
		{"list with more", "apiVersion: v1\nkind: List\nitems: []\nspec: {}\n", 4, "List", "spec", "unknown field; accepted: apiVersion, kind, metadata, items"},
		{"list in a list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items: []\n", 5, "item 1 of the List", "kind", `"List" is not supported by hellochaos`},
		{"nothing in a list", "apiVersion: v1\nkind: List\nitems:\n- 1\n", 4, "item 1 of the List", "", "is not an object: it must have apiVersion, kind and metadata"},
		{"field in a list", "apiVersion: v1\nkind: List\nitems:\n" + item(specOf("Sidecar", "{}")) + item(httpEntry("{"+toM+", retries: {attempts: 3, retryOnn: 5xx}}")), 13, vs, "spec.http[0].retries.retryOnn", `did you mean "retryOn"?`},
		{"twice in a list", "apiVersion: v1\nkind: List\nitems:\n" + item(specOf("Sidecar", "{outboundTrafficPolicy: {mode: ALLOW_ANY}}")) + item(specOf("Sidecar", "{outboundTrafficPolicy: {mode: ALLOW_ANY}}")), 8, "Sidecar m", "", "has the kind and name of the object in line 4: write an object once"},
		{"tab", "apiVersion: v1\nkind: Namespace\nmetadata:\n\tname: m\n", 4, "document 1", "", "is not valid YAML"},
		{"deep", strings.Repeat("[", 40) + strings.Repeat("]", 40), 1, "document 1", strings.Repeat("[0]", 31), "is nested deeper than the 30 levels that are accepted"},
		{"is not UTF-8: save the file as UTF-8", "a: b\nc: \xff\n", 2, "", "", "is not UTF-8: save the file as UTF-8"},
		{"huge", strings.Repeat("#", maxFile+1), 0, "", "", "is larger than the 1048576 bytes that a manifest may have"},
		{"second object of the name", virtualServiceYAML("a", "x") + "---\n" + virtualServiceYAML("a", "y"), 8, "VirtualService a", "", "has the kind and name of the object in line 1: write an object once"},
		{"text after the end", "apiVersion: v1\n...\nkind: x\n", 2, "document 1", "", "is not valid YAML"},
		{"in the second document", "# nothing\n---\n" + virtualServiceYAML("a", "x") + "---\nkind: 1\n", 10, "document 2", "kind", "must be a string that is not empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects, err := Parse("f.yaml", []byte(c.yaml))
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("%d objects and error %v, want Problems", len(objects), err)
			}
			want := Problem{File: "f.yaml", Line: c.line, Object: c.object, Field: c.field}
			if !slices.ContainsFunc(problems, func(p Problem) bool {
				found := strings.Contains(p.Text, c.text)
				p.Text = ""
				return found && (p == want || c.object == "" && c.line == 0)
			}) {
				t.Errorf("got\n%v\nwant %v: …%s…", err, want, c.text)
			}
		})
	}
}

// TestProblemsForm checks the form of the message: file, line, object, field, text.
func TestProblemsForm(t *testing.T) {
	_, err := Parse("retry.yaml", []byte(httpEntry("{"+toM+", corsPolicy: {maxAge: 1s}, retries: {attempts: 3, retryOnn: 5xx}}")))
	want := `retry.yaml:6: VirtualService m: spec.http[0].corsPolicy: ` + notExecuted + `
retry.yaml:6: VirtualService m: spec.http[0].retries.retryOnn: unknown field (did you mean "retryOn"?); accepted: ` +
		`attempts, perTryTimeout, retryOn, backoff, retryIgnorePreviousHosts`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestAllProblemsOfAllDocuments(t *testing.T) {
	_, err := Parse("f.yaml", []byte("kind: 1\n---\n\ta: b\n---\n"+specOf("DestinationRule", "{host: m, aa: 1, bb: 2}")))
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("error %v, want Problems", err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d %s", p.Line, p.Field))
	}
	if want := []string{"1 apiVersion", "1 kind", "3 ", "8 spec.aa", "8 spec.bb"}; !slices.Equal(got, want) {
		t.Errorf("problems at %q, want %q", got, want)
	}
}

// TestAccepted reads documents that Istio's webhook accepts although they may look wrong.
func TestAccepted(t *testing.T) {
	for name, yaml := range map[string]string{
		"empty":                       "",
		"comments only":               "# a\n---\n# b\n--- # c\n",
		"blank documents":             "---\n---\n" + virtualServiceYAML("a", "b") + "---\n",
		"carriage returns":            strings.ReplaceAll("---\n"+virtualServiceYAML("a", "b")+"---\n"+virtualServiceYAML("b", "b"), "\n", "\r\n"),
		"v1beta1":                     strings.Replace(virtualServiceYAML("a", "b"), "/v1", "/v1beta1", 1),
		"v1alpha3":                    strings.Replace(virtualServiceYAML("a", "b"), "/v1", "/v1alpha3", 1),
		"status":                      virtualServiceYAML("a", "b") + "status: {anything: 1}\n",
		"durations in Go's form":      httpEntry("{" + toM + ", timeout: 1m30s, retries: {attempts: 1, perTryTimeout: 300ms, backoff: 0.5s}}"),
		"attempts 0":                  httpEntry("{" + toM + ", retries: {attempts: 0}}"),
		"weights that are not 100":    httpEntry("{route: [{destination: {host: m}, weight: 3}, {destination: {host: p}, weight: 1}]}"),
		"one weight omitted":          httpEntry("{route: [{destination: {host: m}, weight: 50}, {destination: {host: p}}]}"),
		"null is absent":              httpEntry("{" + toM + ", retries: null}"),
		"regex * without":             httpEntry("{match: [{withoutHeaders: {a: {regex: '*'}}}], " + toM + "}"),
		"same name in two namespaces": virtualServiceYAML("a", "x") + "---\n" + strings.Replace(virtualServiceYAML("a", "x"), "{name: a}", "{name: a, namespace: b}", 1),
		"host * at a gateway":         specOf("VirtualService", "{hosts: ['*'], gateways: [g], http: [{"+toM+"}]}"),
		"every numeric status Go has": httpEntry("{" + toM + ", retries: {attempts: 1, retryOn: '500,503,429'}}"),
		"a Deployment":                deploymentWith("", "", ""),
		"what changes nothing": deploymentWith("annotations: {a.b/c: d, service.istio.io/x: z}\n      labels: {app: m, other: label}",
			"serviceAccountName: a", "livenessProbe: {httpGet: {path: /healthz, port: 3000}}\n          imagePullPolicy: Never\n          ports: [{name: web, containerPort: 3000, protocol: TCP}]"),
		"a Service with its defaults":  serviceWith("sessionAffinity: None\n  type: NodePort"),
		"TLS switched off":             specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {}, portLevelSettings: [{port: {number: 80}, tls: {mode: DISABLE}}]}}"),
		"TLS by a file of authorities": specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {mode: SIMPLE, caCertificates: /a, caCrl: /b, sni: a.b, subjectAltNames: [a.b]}}}"),
		"TLS with a certificate":       specOf("DestinationRule", "{host: m, trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: MUTUAL, clientCertificate: /a, privateKey: /b}}]}}"),
		"TLS with a Secret":            specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {mode: MUTUAL, credentialName: a, insecureSkipVerify: true}}}"),
		"mutual TLS":                   specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}"),
		"mutual TLS and a balancer":    specOf("DestinationRule", "{host: m, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}, loadBalancer: {simple: RANDOM}}}"),
		"balancer":                     specOf("DestinationRule", "{host: m, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}"),
		"sidecar of everything":        specOf("Sidecar", "{outboundTrafficPolicy: {mode: ALLOW_ANY}, egress: [{hosts: ['*/*', '~/*', 'a/b.c', './*.d.e']}]}"),
		"gateway with namespaced host": specOf("Gateway", "{selector: {istio: ingress}, servers: [{port: {number: 80, name: http, protocol: http}, hosts: ['./a.b', '*/b.example']}]}"),
	} {
		if _, err := Parse("f.yaml", []byte(yaml)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestObjectsKnowTheirPlaceAndText(t *testing.T) {
	first, second := virtualServiceYAML("a", "x"), virtualServiceYAML("b", "y")
	objects, err := Parse("f.yaml", []byte("# head\n"+first+"---\n\n"+second))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		line int
		text string
	}{{2, "# head\n" + first}, {10, "---\n\n" + second}} {
		o := objects[i]
		if o.File != "f.yaml" || o.Line != want.line || string(o.YAML) != want.text || o.APIVersion != "networking.istio.io/v1" {
			t.Errorf("object %d: %s:%d %s\n%s\nwant line %d\n%s", i, o.File, o.Line, o.APIVersion, o.YAML, want.line, want.text)
		}
	}
}

// What 'kubectl get -o yaml' prints is read as what was applied: without what the API server added.
func TestReadsKubectlGet(t *testing.T) {
	objects, err := Parse("get.yaml", []byte(kubectlGet))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(objects); got != "VirtualService m, Service m, Deployment m, Namespace shop" {
		t.Fatalf("objects %s", got)
	}
	for i, line := range []int{3, 33, 63, 104} {
		if objects[i].Line != line || objects[i].File != "get.yaml" {
			t.Errorf("%s stands in %s:%d, want get.yaml:%d", objects[i].Name(), objects[i].File, objects[i].Line, line)
		}
	}
	if !strings.Contains(string(objects[0].YAML), "retryOn: 5xx") || strings.Contains(string(objects[0].YAML), "clusterIP") {
		t.Errorf("the text of the first object is\n%s", objects[0].YAML)
	}
	service, err := objects[1].Unstructured()
	if err != nil {
		t.Fatal(err)
	}
	for _, added := range []string{"clusterIP", "clusterIPs"} {
		if value, ok := service["spec"].(map[string]any)[added]; ok {
			t.Errorf("the Service keeps %s: %v, which another cluster would refuse", added, value)
		}
	}
	if metadata := service["metadata"].(map[string]any); metadata["uid"] != nil || metadata["managedFields"] != nil || service["status"] != nil {
		t.Errorf("the Service keeps what the API server added: %v", service)
	}
}

const kubectlGet = `apiVersion: v1
items:
- apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {"apiVersion":"networking.istio.io/v1","kind":"VirtualService"}
    creationTimestamp: "2026-01-02T03:04:05Z"
    generation: 1
    managedFields:
    - apiVersion: networking.istio.io/v1
      fieldsType: FieldsV1
      fieldsV1:
        f:spec:
          .: {}
          f:hosts: {}
      manager: kubectl-client-side-apply
      operation: Update
      time: "2026-01-02T03:04:05Z"
    name: m
    resourceVersion: "1234"
    uid: 3b2f5c1e-0000-4000-8000-000000000001
  spec:
    hosts:
    - m
    http:
    - retries: {attempts: 3, retryOn: 5xx}
      route:
      - destination:
          host: m
  status: {}
- apiVersion: v1
  kind: Service
  metadata:
    creationTimestamp: "2026-01-02T03:04:05Z"
    labels:
      app: m
    name: m
    resourceVersion: "1235"
    uid: 3b2f5c1e-0000-4000-8000-000000000002
  spec:
    allocateLoadBalancerNodePorts: true
    clusterIP: 10.96.0.7
    clusterIPs:
    - 10.96.0.7
    externalTrafficPolicy: Cluster
    internalTrafficPolicy: Cluster
    ipFamilies: [IPv4]
    ipFamilyPolicy: SingleStack
    ports:
    - name: http
      nodePort: 31234
      port: 80
      protocol: TCP
      targetPort: 3000
    selector:
      app: m
    sessionAffinity: None
    type: LoadBalancer
  status:
    loadBalancer: {ingress: [{ip: 203.0.113.7}]}
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    annotations:
      deployment.kubernetes.io/revision: "1"
    creationTimestamp: "2026-01-02T03:04:05Z"
    generation: 1
    name: m
    uid: 3b2f5c1e-0000-4000-8000-000000000003
  spec:
    progressDeadlineSeconds: 600
    replicas: 1
    revisionHistoryLimit: 10
    selector:
      matchLabels: {app: m}
    strategy:
      rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}
      type: RollingUpdate
    template:
      metadata:
        creationTimestamp: null
        labels: {app: m}
      spec:
        containers:
        - env:
          - {name: SERVICE_NAME, value: m-prod}
          - {name: UPSTREAM_URI, value: 'http://b/'}
          image: hello-service
          imagePullPolicy: IfNotPresent
          name: m
          resources: {}
          terminationMessagePath: /dev/termination-log
          terminationMessagePolicy: File
        dnsPolicy: ClusterFirst
        restartPolicy: Always
        schedulerName: default-scheduler
        securityContext: {}
        serviceAccount: m
        serviceAccountName: m
        terminationGracePeriodSeconds: 30
  status: {availableReplicas: 1, conditions: [{type: Available, status: "True"}]}
- apiVersion: v1
  kind: Namespace
  metadata:
    creationTimestamp: "2026-01-02T03:04:05Z"
    labels: {kubernetes.io/metadata.name: shop}
    name: shop
  spec:
    finalizers: [kubernetes]
  status: {phase: Active}
kind: List
metadata:
  resourceVersion: ""
`

// Anchors, aliases and merge keys mean what they mean to kubectl.
func TestReadsAliases(t *testing.T) {
	text := "\ufeff" + `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: m}
spec:
  hosts: [m]
  http:
    - match: [{uri: {exact: /a}}]
      route: &to [{destination: {host: m}}]
      retries: &policy {attempts: 3, retryOn: 5xx}
    - route: *to
      retries:
        <<: *policy
        attempts: 1
`
	objects, err := Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	rules := objects[0].Istio.(*networking.VirtualService).Http
	if second := rules[1]; second.Retries.Attempts != 1 || second.Retries.RetryOn != "5xx" || second.Route[0].Destination.Host != "m" || rules[0].Retries.Attempts != 3 {
		t.Errorf("the rules are %v, want the second with retryOn of the first and 1 attempt", rules)
	}
}

// A file of bad documents only is not read to its end: reading all of one of the largest size took half a minute. The test
// measures the work in allocations, which do not depend on the machine.
func TestParseEndsAfterManyProblems(t *testing.T) {
	const documents = maxFile / len("--- {}\n")
	data := []byte(strings.Repeat("--- {}\n", documents))
	var err error
	allocations := testing.AllocsPerRun(1, func() { _, err = Parse("m.yaml", data) })
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != mostProblems+1 {
		t.Fatalf("%d problems, want %d and one that says so", len(problems), mostProblems)
	}
	want := Problem{File: "m.yaml", Line: 50, Text: "the file was read up to this document only, since it has 100 problems so far"}
	if last := problems[mostProblems]; last != want {
		t.Errorf("the last problem is %+v, want %+v", last, want)
	}
	if most := float64(10 * documents); allocations > most {
		t.Errorf("%.0f allocations for %d documents, want at most %.0f", allocations, documents, most)
	}
}

// Reading twice as many documents takes twice the work, for empty documents and for accepted ones.
func TestParseIsLinear(t *testing.T) {
	for _, document := range []string{"---\n", "--- # %d\n", "---\n{apiVersion: v1, kind: Namespace, metadata: {name: n%d}}\n"} {
		allocations := func(documents int) float64 {
			var text strings.Builder
			for i := range documents {
				text.WriteString(strings.ReplaceAll(document, "%d", fmt.Sprintf("%06d", i)))
			}
			return testing.AllocsPerRun(1, func() {
				if _, err := Parse("m.yaml", []byte(text.String())); err != nil {
					t.Fatal(err)
				}
			})
		}
		if once, twice := allocations(1000), allocations(2000); twice > 2.1*once {
			t.Errorf("%q: %.0f allocations for 1000 documents, %.0f for 2000", document, once, twice)
		}
	}
}
