package target_test

import (
	"net/http"
	"strings"

	"github.com/hellochaos/hellochaos/service"
)

// policyLimitRows are where the settings of DestinationRules end, and which of them hold where several ask for something.
func policyLimitRows(namespace string) []row {
	return []row{balancersOfSubsetsRow(), heldEjectionsRow(), rareEjectionsRow(), answersApartRow(namespace), leftAloneRow(namespace), competingPoliciesRow(namespace)}
}

// chosenBy is a rule that sends the requests for a path of a host to a subset of its name.
func chosenBy(host string, subsets ...string) string {
	var routes []string
	for _, subset := range subsets {
		routes = append(routes, "match: [{uri: {exact: /"+subset+"}}], "+to(host+"/"+subset))
	}
	return rules(host, append(routes, to(host))...)
}

// withSubsets is a DestinationRule for a host with a trafficPolicy and subsets, in flow style.
func withSubsets(host, policy string, subsets ...string) string {
	return strings.Replace(policyOf(host, policy), "trafficPolicy: {"+policy+"}", "trafficPolicy: {"+policy+"}, subsets: [{"+strings.Join(subsets, "}, {")+"}]", 1)
}

// balancersOfSubsetsRow: what a subset says comes before what the host says, which is that calls with the same x-user go to one pod. Without a
// key that counts they go to both.
func balancersOfSubsetsRow() row {
	names := []string{"plain", "least", "fewest", "unspecified", "random", "round", "cookie", "given", "query", "source", "nowhere"}
	subset := func(name, balancer string) string {
		return "name: " + name + ", labels: {app: two}, trafficPolicy: {loadBalancer: {" + balancer + "}}"
	}
	hash := func(name, key string) string { return subset(name, "consistentHash: {"+key+"}") }
	policy := withSubsets("two", "loadBalancer: {consistentHash: {httpHeaderName: x-user}}", "name: plain, labels: {app: two}",
		subset("least", "simple: LEAST_REQUEST"), subset("fewest", "simple: LEAST_CONN"), subset("unspecified", "simple: UNSPECIFIED"), subset("random", "simple: RANDOM"), subset("round", "simple: ROUND_ROBIN"),
		hash("cookie", "httpCookie: {name: user, path: /a}"), hash("given", "httpCookie: {name: user, path: /a, ttl: 60s}"), hash("query", "httpQueryParameterName: user"),
		hash("source", "useSourceIp: true"), hash("nowhere", "useSourceIp: false"))
	times := map[int64]int{1: 12, 2: 20} // where chance chooses, one pod gets none of 20 once in 500,000 times
	reaches := func(pods int64, path, name, value string) exchange {
		return exchange{request: request{host: "two", path: path, header: map[string]string{"x-user": "a", name: value}}, times: times[pods], parallel: 4,
			want: want{Status: http.StatusOK, Pods: exactly(pods), Header: map[string]string{"Set-Cookie": ""}}}
	}
	keyless := reaches(1, "/source", "x-user", "a")
	keyless.request.header = nil
	return row{"balancers of subsets before that of the host", policy + chosenBy("two", names...), []exchange{
		reaches(1, "/", "x-user", "a"), reaches(1, "/plain", "x-user", "a"),
		reaches(2, "/least", "x-user", "a"), reaches(2, "/fewest", "x-user", "a"), reaches(2, "/unspecified", "x-user", "a"), reaches(2, "/random", "x-user", "a"), reaches(2, "/round", "x-user", "a"),
		reaches(2, "/cookie", "cookie", "other=a"), reaches(1, "/cookie", "cookie", "user=a"), reaches(1, "/given", "cookie", "user=a"),
		reaches(2, "/query", "x-user", "a"), keyless, reaches(2, "/nowhere", "x-user", "a")}}
}

// ejects is an outlierDetection by so many errors in a row, with other settings.
func ejects(errors, more string) string {
	return "outlierDetection: {consecutive5xxErrors: " + errors + ", baseEjectionTime: 1h, " + more + "}"
}

// answered is a request whose app answers as the words say, to a path.
func answered(host, path, words string, status int) exchange {
	return exchange{request: request{host: host, path: path, header: map[string]string{service.HeaderScript: words}}, want: want{Status: status, Tries: exactly(1)}}
}

// ejected is a request to a host all of whose pods are ejected.
func ejected(host, path string) exchange {
	return exchange{request: request{host: host, path: path}, want: want{Status: http.StatusServiceUnavailable, Tries: exactly(0), Flags: "UH"}}
}

// heldEjectionsRow: what a subset says comes before what the host says of a port, and that before what the host says of all. A share of the pods
// that may be ejected, and one of them below which all count as healthy, come before the errors.
func heldEjectionsRow() row {
	const all = "maxEjectionPercent: 100"
	twin := withSubsets("twin", ejects("9", all)+", portLevelSettings: [{port: {number: 8081}, "+ejects("1", all)+"}]",
		"name: plain, labels: {version: a}", "name: twice, labels: {version: b}, trafficPolicy: {"+ejects("2", all)+"}")
	two := withSubsets("two", ejects("1", "maxEjectionPercent: 50, minHealthPercent: 50"), "name: needed, labels: {version: b}, trafficPolicy: {"+ejects("1", all+", minHealthPercent: 1")+"}")
	failing := func(host string) exchange {
		return exchange{request: request{host: host, header: script("500").header}, times: 4, want: want{Status: http.StatusInternalServerError}}
	}
	left := func(host string, pods int64) exchange {
		return exchange{request: request{host: host}, times: 32, parallel: 4, want: want{Status: http.StatusOK, Pods: exactly(pods)}}
	}
	return row{"ejections that a port, a subset or a share holds back", twin + chosenBy("twin", "plain", "twice") + two + chosenBy("two", "needed") + policyOf("three", ejects("1", "maxEjectionPercent: 33")), []exchange{
		answered("twin:8081", "/plain", "500", 500), ejected("twin:8081", "/plain"), answered("twin", "/plain", "500", 500), answered("twin", "/plain", "200", 200),
		answered("twin:8081", "/twice", "500", 500), answered("twin:8081", "/twice", "200", 200), answered("twin:8081", "/twice", "500", 500), answered("twin:8081", "/twice", "500", 500), ejected("twin:8081", "/twice"),
		answered("two", "/needed", "500", 500), answered("two", "/needed", "200", 200),
		failing("two"), left("two", 1), failing("three"), left("three", 3)}}
}

// rareEjectionsRow: of several numbers of errors the one that is reached first ejects a pod, and of the two times the one that ends last brings it
// back. A request to three takes longer than the short ones.
func rareEjectionsRow() row {
	const all = "maxEjectionPercent: 100"
	timed := func(name, version, interval, base string) string {
		return "name: " + name + ", labels: {version: " + version + "}, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 1, interval: " + interval + ", baseEjectionTime: " + base + ", " + all + "}}"
	}
	two := withSubsets("two", ejects("9", all), timed("unseen", "a", "1h", "1ms"), timed("early", "b", "1ms", "1h"), timed("back", "b", "1ms", "1ms"))
	later := exchange{request: request{host: "three"}, want: want{Status: http.StatusOK}}
	return row{"ejections by gateway errors, and how long they last", policyOf("one", ejects("4", "consecutiveGatewayErrors: 2, "+all)) + policyOf("frontend", ejects("2", "consecutiveGatewayErrors: 4, "+all)) +
		two + chosenBy("two", "unseen", "early", "back") + rules("three", to("three")+", fault: {delay: {fixedDelay: 300ms, percentage: {value: 100}}}"), []exchange{
		answered("one", "/", "503", 503), answered("one", "/", "500", 500), answered("one", "/", "503", 503), answered("one", "/", "200", 200), answered("one", "/", "503", 503), answered("one", "/", "503", 503), ejected("one", "/"),
		answered("frontend", "/", "503", 503), answered("frontend", "/", "503", 503), ejected("frontend", "/"),
		answered("two", "/unseen", "500", 500), answered("two", "/early", "500", 500), answered("two", "/back", "500", 500), later,
		ejected("two", "/unseen"), ejected("two", "/early"), answered("two", "/back", "200", 200)}}
}

// answersApartRow: where connections are counted apart, an answer counts as before, and a connection that is made ends a row of those that were not.
func answersApartRow(namespace string) row {
	entry := func(name, errors, failures string) string {
		return outsideEntry(namespace, name, "80") + policyOutside(name, ejects(errors, "maxEjectionPercent: 100, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: "+failures))
	}
	broken := answered("twice.example", "/", "reset", http.StatusServiceUnavailable)
	return row{"ejections where connections are counted apart", entry("answers", "1", "9") + entry("twice", "1", "2"), []exchange{
		answered("answers.example", "/", "500", 500), ejected("answers.example", "/"),
		broken, broken, answered("twice.example", "/", "200", 200)}}
}

// leftAloneRow: names that a proxy does not look at or ask for, and certificates that it does not show, where it opens no TLS, where any certificate
// will do, and where what a rule says of a port comes before what it says of all.
func leftAloneRow(namespace string) row {
	const secure, of = "insecureSkipVerify: true", "subjectAltNames: [nobody.example]"
	named := func(name, port string) string {
		return strings.Replace(outsideEntry(namespace, name, port), "resolution: DNS", "resolution: DNS, "+of, 1)
	}
	ported := func(name, settings string) string {
		return outsideEntry(namespace, name, "443") + policyOutside(name, "tls: {"+settings+"}, portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE, "+secure+"}}]")
	}
	tells := func(host, what, told string) exchange {
		return exchange{request: request{host: host, header: map[string]string{service.HeaderTell: what}},
			want: want{Status: http.StatusOK, Service: "vault", Tries: exactly(1), Header: map[string]string{service.HeaderTold: told}}}
	}
	const name, certificate = service.ServerName, service.ClientCertificate
	return row{"names and certificates that a proxy leaves alone", named("skipped", "443") + policyOutside("skipped", "tls: {mode: SIMPLE, "+secure+"}") + named("plain", "80") +
		outsideEntry(namespace, "disabled", "80") + policyOutside("disabled", "tls: {mode: DISABLE, "+of+"}") + ported("ported", "mode: SIMPLE, sni: inner.example, "+secure) +
		ported("shown", "mode: MUTUAL, clientCertificate: "+certificateFiles+"/tls.crt, privateKey: "+certificateFiles+"/tls.key, "+secure), []exchange{
		tells("skipped.example", name, "skipped.example"), tells("plain.example", name, "-"), tells("disabled.example", name, "-"),
		tells("ported.example", name, "ported.example"), tells("ported.example:8081", name, "inner.example"),
		tells("shown.example", certificate, "-"), tells("shown.example:8081", certificate, "shown")}}
}

// competingPoliciesRow: DestinationRules that are for one host (Istio's mergeDestinationRule). One that its exportTo hides leaves the host to that of a
// wildcard. Of two for the same host each subset is that of the first one that has it, and so is the trafficPolicy.
func competingPoliciesRow(namespace string) row {
	const all = "maxEjectionPercent: 100"
	hidden := strings.Replace(policyOf("one", ejects("2", all)), "host: \"one\"", "host: one, exportTo: ["+elsewhere(namespace)+"]", 1)
	more := strings.Replace(withSubsets("two", ejects("1", all), "name: first, labels: {version: b}", "name: second, labels: {version: b}", "name: others, labels: {app: one}"), "{name: two}", "{name: two-more}", 1)
	from := func(path, version string) exchange {
		return exchange{request: request{host: "two", path: path}, want: want{Status: http.StatusOK, Version: version}}
	}
	return row{"DestinationRules that compete for a host", hidden + policyFor("*."+namespace+".svc.cluster.local", ejects("1", all)) +
		withSubsets("two", ejects("2", all), "name: first, labels: {version: a}") + more + chosenBy("two", "first", "second", "others"), []exchange{
		answered("one", "/", "500", 500), ejected("one", "/"),
		answered("two", "/first", "500", 500), from("/first", "a"), from("/second", "b"), ejected("two", "/others")}}
}
