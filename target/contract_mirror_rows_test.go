package target_test

import "strings"

// mirrorRows: MirrorPercent in Istio's route.go, and continueDecodeHeaders in Envoy's router.cc. What a copy has was seen at Envoy 1.40.
func mirrorRows() []row {
	const toB = ", mirror: {host: two, subset: b}"
	seen := func(a, b int64) want {
		return want{Status: 200, Service: "two", Version: "a", Versions: map[string]span{"a": {a, a}, "b": {b, b}}}
	}
	return []row{
		{"mirror", rules("one", to("two/a")+toB), []exchange{{request: at("/"), times: 5, want: seen(5, 5)}}},
		{"mirrors", rules("one", to("two/a")+", mirrors: [{destination: {host: two, subset: b}}, {destination: {host: two, subset: b}}]"), []exchange{{request: at("/"), want: seen(1, 2)}}},
		{"mirror of 0 percent", rules("one", to("two/a")+toB+", mirrorPercentage: {value: 0}, mirrorPercent: 100"), []exchange{{request: at("/"), want: seen(1, 0)}}},
		{"mirror of 20 percent", rules("one", to("two/a")+toB+", mirrorPercentage: {value: 20}"), []exchange{
			{request: at("/"), times: 500, parallel: 8, want: want{Status: 200, Version: "a", Versions: map[string]span{"a": {500, 500}, "b": {60, 145}}}}}},
		{"mirror of old percent", rules("one", to("two/a")+toB+", mirrorPercent: 50"), []exchange{
			{request: at("/"), times: 200, parallel: 8, want: want{Status: 200, Version: "a", Versions: map[string]span{"a": {200, 200}, "b": {65, 135}}}}}},
		{"a call that is sent again is copied once", rules("one", to("one")+toB+", retries: {attempts: 2, backoff: 1ms, retryOn: 5xx}"), []exchange{
			{request: script("500,500,200"), want: want{Status: 200, Service: "one", Attempts: "1 1 2 3", Versions: map[string]span{"v1": {3, 3}, "b": {1, 1}}}}}},
		{"a copy has what the rule sends", rules("two", "match: [{headers: {x-copy: {exact: made}}}], "+to("two/a")+", mirror: {host: one}, rewrite: {uri: /new}, headers: {request: {set: {x-copy: changed}}}", to("two/a")), []exchange{
			{request: request{host: "two", path: "/x", header: map[string]string{"x-copy": "made"}},
				want: want{Status: 200, Service: "two", Version: "a", Versions: map[string]span{"a": {1, 1}, "v1": {1, 1}}}}}},
		{"an aborted call is not copied", rules("one", to("two/a")+toB+", fault: {abort: {httpStatus: 418, percentage: {value: 100}}}"), []exchange{
			{request: at("/"), want: want{Status: 418, Tries: exactly(0)}}}},
		{"a call that leads to nobody is not copied", rules("one", to("two/none")+toB), []exchange{{request: at("/"), want: want{Status: 503, Flags: "UH", Tries: exactly(0)}}}},
		{"a mirror that leads to nobody", rules("one", to("two/a")+", mirrors: [{destination: {host: two, subset: none}}, {destination: {host: two, subset: nowhere}}, {destination: {host: nobody}}]"), []exchange{
			{request: at("/"), want: want{Status: 200, Version: "a", Tries: exactly(1), Flags: "-"}}}},
		{"mirror at a gateway", gateway(to("two/a") + toB), []exchange{
			{request: request{from: fromGateway, host: "one.example"}, want: seen(1, 1)}}},
	}
}

// routeMirrorRows: createMirrorFilter in Istio's pilot/pkg/config/kube/gateway. All of them were measured.
func routeMirrorRows() []row {
	copied := func(name string, times int, b span, mirrors ...string) row {
		var filters []string
		for _, m := range mirrors {
			filters = append(filters, "{type: RequestMirror, requestMirror: {"+m+"}}")
		}
		return row{"HTTPRoute: " + name, routed("filters: [" + strings.Join(filters, ", ") + "], " + backend("two-a")), []exchange{{request: request{host: "one"}, times: times, parallel: 8,
			want: want{Status: 200, Service: "two", Version: "a", Versions: map[string]span{"a": {int64(times), int64(times)}, "b": b}}}}}
	}
	const toB = "backendRef: {name: two-b, port: 80}"
	return []row{
		copied("mirror", 5, span{5, 5}, toB),
		copied("two mirrors", 5, span{10, 10}, toB, toB),
		copied("mirror of 0 percent", 5, span{0, 0}, toB+", percent: 0"),
		copied("mirror of 30 percent", 300, span{50, 130}, toB+", percent: 30"),
		copied("mirror of a fraction", 300, span{38, 115}, toB+", fraction: {numerator: 1, denominator: 4}"),
		copied("a mirror that does not exist", 5, span{0, 0}, "backendRef: {name: nowhere, port: 80}"),
	}
}
