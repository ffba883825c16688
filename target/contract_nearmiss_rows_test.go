package target_test

import (
	"github.com/hellochaos/hellochaos/service"
)

// nearMissRows are calls that just miss what fields ask for, so that nothing of these shows. Further near misses are among the other rows:
// field_limits_test.go names one for each field.
func nearMissRows() []row {
	of := func(match, rest string) string { return "match: [{uri: {" + match + "}}], " + rest }
	return []row{answerMissRow(of), shareMissRow(of), retryMissRow(of)}
}

// answerMissRow: paths that differ in a letter from those of rules, also in its case where ignoreUriCase does not help (it is not for a regex), a redirect to the port that its scheme has without one, and
// operations on headers of other names.
func answerMissRow(of func(match, rest string) string) row {
	others := func(a, b, c string) string { return "{set: {" + a + ": x}, add: {" + b + ": x}, remove: [" + c + "]}" }
	missed := func(path string) exchange {
		e := told(path, "x-a", "1")
		e.want.Service, e.want.Tries = "one", exactly(1)
		e.want.Header[service.HeaderPath], e.want.Header[service.HeaderHost] = path, "one"
		e.want.Header["location"], e.want.Header["x-answer"], e.want.Header["content-type"] = "", "", "application/json"
		return e
	}
	return row{"paths, a port and headers that calls just miss", rules("one",
		`match: [{uri: {regex: "/regex"}, ignoreUriCase: true}], directResponse: {status: 418}`,
		of("exact: /answer", "directResponse: {status: 418, body: {string: teapot}}"),
		of("exact: /moved", "redirect: {uri: /new, authority: else.example, scheme: https, port: 8443, redirectCode: 302}"),
		of("prefix: /moved/", "redirect: {prefixRewrite: /new/}"),
		of("exact: /port", "redirect: {authority: else.example, derivePort: FROM_REQUEST_PORT}"),
		of("exact: /host", "rewrite: {authority: other.example}, headers: {request: {set: {x-a: changed}}}, "+to("one")),
		"headers: {request: "+others("x-aa", "x-ab", "x-ac")+", response: "+others("x-answera", "x-answerb", "content-typed")+"}, "+to("one")), []exchange{
		missed("/REGEX"), missed("/answer/"), missed("/move"), missed("/moved1"), missed("/hos"),
		{request: at("/port"), want: want{Status: 301, Header: map[string]string{"location": "http://else.example/port"}}}}}
}

// shareMissRow: shares of 0 percent, also where an older field asks for all, and the headers of a destination of weight 0.
func shareMissRow(of func(match, rest string) string) row {
	path := func(name, rest string) string { return of("exact: "+name, rest+", "+to("one")) }
	missed := func(path string) exchange {
		e := told(path, "x-a", "1")
		e.want.Service, e.want.Version, e.want.Tries, e.want.Flags = "one", "v1", exactly(1), "-"
		return e
	}
	return row{"shares and weights of 0", rules("one",
		path("/mirror", "mirror: {host: two}, mirrorPercent: 0"),
		path("/mirrors", "mirrors: [{destination: {host: two}, percentage: {value: 0}}], mirrorPercentage: {value: 100}"),
		path("/older", "fault: {delay: {fixedDelay: 300ms, percent: 0}}"),
		path("/newer", "fault: {delay: {fixedDelay: 300ms, percentage: {value: 0}, percent: 100}, abort: {httpStatus: 418, percentage: {value: 0}}}"),
		"route: [{destination: {host: two}, weight: 0, headers: {request: {set: {x-a: other}}}}, {destination: {host: one}, weight: 1}]"), []exchange{
		missed("/mirror"), missed("/mirrors"), missed("/older"), missed("/newer"), missed("/")}}
}

// retryMissRow: one failure more than attempts, whose tries look for another pod where there is one alone, and a status that retryOn does not
// have, after which nobody waits.
func retryMissRow(of func(match, rest string) string) row {
	fails := func(path, words string, w want) exchange {
		return exchange{request: request{host: "one", path: path, header: script(words).header}, want: w}
	}
	return row{"one failure too many, and one of another status", rules("one",
		of("exact: /count", to("one")+", retries: {attempts: 1, retryIgnorePreviousHosts: true, backoff: 1ms, retryOn: 5xx}"),
		of("exact: /status", to("one")+", retries: {attempts: 3, backoff: 60s, retryOn: 5xx}")), []exchange{
		fails("/count", "500,503,200", want{Status: 503, Attempts: "1 2", Flags: "URX", Distinct: exactly(0)}),
		fails("/status", "429,200", want{Status: 429, Attempts: "1", Flags: "-", Elapsed: ms(0, slack)})}}
}
