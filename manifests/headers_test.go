package manifests

import (
	"net/http"
	"reflect"
	"testing"
)

// TestHeaderChanges checks what becomes of headers A: 1 and B: 2, which go to the last destination of a rule. The order of the changes
// is that of Istio's processDestination and of Envoy's evaluateHeaders.
func TestHeaderChanges(t *testing.T) {
	one := func(route, own string) string {
		return "{route: [{destination: {host: middleware}, headers: " + own + "}], headers: " + route + "}"
	}
	two := func(route, own string) string {
		return "{route: [{destination: {host: frontend}, weight: 1}, {destination: {host: middleware}, weight: 1, headers: " + own + "}], headers: " + route + "}"
	}
	for name, c := range map[string]struct {
		entry string
		want  http.Header
	}{
		"none":                      {one("{}", "{}"), http.Header{"A": {"1"}, "B": {"2"}}},
		"set":                       {one("{request: {set: {a: x, c: z}}}", "{}"), http.Header{"A": {"x"}, "B": {"2"}, "C": {"z"}}},
		"add":                       {one("{request: {add: {a: x, c: z}}}", "{}"), http.Header{"A": {"1", "x"}, "B": {"2"}, "C": {"z"}}},
		"remove":                    {one("{request: {remove: [a, c]}}", "{}"), http.Header{"B": {"2"}}},
		"remove comes first":        {one("{request: {remove: [a], add: {a: x}}}", "{}"), http.Header{"A": {"x"}, "B": {"2"}}},
		"set comes before add":      {one("{request: {add: {a: x}, set: {a: z}}}", "{}"), http.Header{"A": {"z", "x"}, "B": {"2"}}},
		"empty values do nothing":   {one("{request: {add: {b: ''}, set: {a: ''}}}", "{}"), http.Header{"A": {"1"}, "B": {"2"}}},
		"percent signs":             {one("{request: {set: {a: '100%% x'}}}", "{}"), http.Header{"A": {"100% x"}, "B": {"2"}}},
		"answers alone":             {one("{response: {set: {a: x}}}", "{}"), http.Header{"A": {"1"}, "B": {"2"}}},
		"host is no header":         {one("{request: {set: {host: x}}}", "{}"), http.Header{"A": {"1"}, "B": {"2"}}},
		"of a destination":          {one("{}", "{request: {set: {a: x}}}"), http.Header{"A": {"x"}, "B": {"2"}}},
		"both set, one destination": {one("{request: {set: {a: route}}}", "{request: {set: {a: own}}}"), http.Header{"A": {"own"}, "B": {"2"}}},
		"both set, a split":         {two("{request: {set: {a: route}}}", "{request: {set: {a: own}}}"), http.Header{"A": {"route"}, "B": {"2"}}},
		"removed by the route, one": {one("{request: {remove: [a]}}", "{request: {set: {a: own}}}"), http.Header{"A": {"own"}, "B": {"2"}}},
		"removed by the route, two": {two("{request: {remove: [a]}}", "{request: {set: {a: own}}}"), http.Header{"B": {"2"}}},
		"add of the route is kept":  {one("{request: {add: {a: x}}}", "{request: {set: {a: own}}}"), http.Header{"A": {"own", "x"}, "B": {"2"}}},
	} {
		rule := rulesOf(t, middlewareOf(c.entry)).Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"})
		to, sent := &rule.Split[len(rule.Split)-1], http.Header{"A": {"1"}, "B": {"2"}}
		if got := to.Request.Changed(sent); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: the headers become %v, want %v", name, got, c.want)
		}
		if !reflect.DeepEqual(sent, http.Header{"A": {"1"}, "B": {"2"}}) {
			t.Errorf("%s: the headers that were received became %v", name, sent)
		}
	}
}

func TestHeaderChangesOfAnswers(t *testing.T) {
	for name, entry := range map[string]string{
		"route":          "{" + toProd + ", headers: {response: {set: {a: x}}}}",
		"destination":    "{route: [{destination: {host: middleware}, headers: {response: {set: {a: x}}}}]}",
		"directResponse": "{directResponse: {status: 200}, headers: {response: {set: {a: x}}}}",
		"redirect":       "{redirect: {uri: /x}, headers: {response: {set: {a: x}}}}",
	} {
		rule := rulesOf(t, subsets(t), middlewareOf(entry)).Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"})
		changes := rule.Answer
		if len(rule.Split) > 0 {
			changes = rule.Split[0].Answer
		}
		if got := changes.Changed(http.Header{}); !reflect.DeepEqual(got, http.Header{"A": {"x"}}) {
			t.Errorf("%s: the headers of an answer become %v", name, got)
		}
	}
}
