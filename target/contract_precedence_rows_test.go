package target_test

import (
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/service"
)

// precedenceRows are calls of which several fields want different things. Further ones are among the other rows: field_limits_test.go names one
// for each field.
func precedenceRows() []row {
	return []row{firstRuleRow(), rewrittenRow(), ownSettingsRow(), faultRow()}
}

// firstRuleRow: each call meets a rule and all that stand below it, and the first one counts, however much more another one asks for.
func firstRuleRow() row {
	status := 430
	answers := func(match string) string {
		status++
		return "match: [{" + match + "}], directResponse: {status: " + strconv.Itoa(status) + ", body: {string: rule " + strconv.Itoa(status) + "}}"
	}
	policy := rules("one", answers("uri: {prefix: /a}"), answers("uri: {exact: /A/b}, ignoreUriCase: true"), answers(`uri: {regex: "/A/.*"}`),
		"match: [{uri: {prefix: /r}}], redirect: {uri: /first, authority: first.example, redirectCode: 307}", "match: [{uri: {exact: /r}}], redirect: {uri: /second, authority: second.example, redirectCode: 302}",
		answers("method: {exact: POST}"), answers(`headers: {x-a: {exact: "1"}}`), answers(`queryParams: {q: {exact: "1"}}`), answers("withoutHeaders: {x-b: {}}"),
		answers("authority: {exact: one}"), answers("port: 80"), answers("uri: {prefix: /}"))
	meets := func(status int, method, host, path, header string) exchange {
		q := request{method: method, host: host, path: path, header: map[string]string{header: "1"}}
		return exchange{request: q, want: want{Status: status, Body: "rule " + strconv.Itoa(status), Tries: exactly(0)}}
	}
	moved := meets(307, "POST", "one", "/r?q=1", "x-a")
	moved.want.Body, moved.want.Header = empty, map[string]string{"location": "http://first.example/first?q=1"}
	return row{"the first rule that holds, and not the one that asks for most", policy, []exchange{
		meets(431, "POST", "one", "/a/B?q=1", "x-a"), meets(432, "POST", "one", "/A/B?q=1", "x-a"), meets(433, "POST", "one", "/A/c?q=1", "x-a"), moved,
		meets(434, "POST", "one", "/?q=1", "x-a"), meets(435, "GET", "one", "/?q=1", "x-a"), meets(436, "GET", "one", "/?q=1", "x-c"),
		meets(437, "GET", "one", "/", "x-c"), meets(438, "GET", "one", "/", "x-b"), meets(439, "GET", "one:80", "/", "x-b")}}
}

// rewrittenRow: what a rule makes of a path and a host decides neither about the rule nor about the destination, and the rule's host comes
// before that of its destination.
func rewrittenRow() row {
	const own = "route: [{destination: {host: one}, headers: {request: {set: {host: three}}}}]"
	return row{"a rewritten call keeps its rule and its destination", rules("one",
		"match: [{uri: {prefix: /old}}], rewrite: {uri: /new, authority: two}, "+own,
		`match: [{uri: {prefix: /service}}], rewrite: {uriRegexRewrite: {match: "^/service", rewrite: /new}}, `+own,
		"match: [{uri: {prefix: /new}}], "+to("two/a"), to("two/b")), []exchange{
		sentAs("/old/x", "two", "/new/x"), sentAs("/service/x", "three", "/new/x")}}
}

// ownSettingsRow: what a delegate says itself holds, and not what the entry says that delegates to it.
func ownSettingsRow() row {
	settings := func(path, value, more string) string {
		return ", rewrite: {uri: " + path + "}, headers: {request: {set: {x-a: " + value + "}}}, " + more
	}
	inner := strings.Replace(rules("inner", to("one")+settings("/own", "own", "retries: {attempts: 2, backoff: 100ms, retryOn: 5xx}, timeout: 20s")), "  hosts: [\"inner\"]\n", "", 1)
	return row{"a delegate keeps settings of its own", rules("one",
		"match: [{uri: {prefix: /a}}], delegate: {name: inner}"+settings("/root", "root", "retries: {attempts: 0}, timeout: 1ms, fault: {abort: {httpStatus: 418, percentage: {value: 0}}}"), to("two/a")) + inner, []exchange{
		{request: request{host: "one", path: "/a/x", header: map[string]string{service.HeaderScript: "500,500,200", service.HeaderTell: "x-a"}},
			want: want{Status: 200, Service: "one", Attempts: "1 2 3", Header: map[string]string{service.HeaderPath: "/own/x", service.HeaderTold: "own"}}}}}
}

// faultRow: the delay of a fault comes before its abort, and both before mirrors and destinations. The headers with which Envoy's fault filter
// lets callers ask for faults are not obeyed, since Istio does not switch them on.
func faultRow() row {
	policy := rules("one", "fault: {delay: {fixedDelay: 200ms, percentage: {value: 100}}, abort: {httpStatus: 418, percentage: {value: 100}}}, mirrors: [{destination: {host: two}}], "+to("one"))
	return one("a delay, then an abort, and no mirror", policy, request{host: "one", header: map[string]string{"x-envoy-fault-abort-request": "503", "x-envoy-fault-abort-request-percentage": "0", "x-envoy-fault-delay-request": "1"}},
		want{Status: 418, Body: "fault filter abort", Tries: exactly(0), Flags: "DI,FI", Elapsed: ms(200, slack)})
}
