package manifests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// delegateOf is a VirtualService without hosts, in flow style, that names a namespace.
func delegateOf(name, namespace, entries string) string {
	return fmt.Sprintf("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: %s, namespace: %s}\nspec: {http: [%s]}\n", name, namespace, entries)
}

// TestDelegateMatches checks the path of which a merged rule takes requests: the subset canary, to which the delegate leads.
func TestDelegateMatches(t *testing.T) {
	for name, c := range map[string]struct {
		root, delegate string // match lists
		yes, no        []string
		dropped        string
	}{
		"no matches":              {"", "", []string{"/", "/a"}, nil, ""},
		"the root's alone":        {"{uri: {prefix: /a}}", "", []string{"/a", "/a/b"}, []string{"/"}, ""},
		"the delegate's alone":    {"", "{uri: {exact: /a}}", []string{"/a"}, []string{"/a/b"}, ""},
		"prefix in prefix":        {"{uri: {prefix: /a}}", "{uri: {prefix: /a/b}}", []string{"/a/b/c"}, []string{"/a"}, ""},
		"exact in prefix":         {"{uri: {prefix: /a}}", "{uri: {exact: /a/b}}", []string{"/a/b"}, []string{"/a", "/a/b/c"}, ""},
		"equal exacts":            {"{uri: {exact: /a}}", "{uri: {exact: /a}}", []string{"/a"}, []string{"/"}, ""},
		"one of two":              {"{uri: {prefix: /x}}, {uri: {prefix: /a}}", "{uri: {prefix: /a/b}}", []string{"/a/b"}, []string{"/x", "/a"}, ""},
		"both conditions":         {"{method: {exact: GET}}", "{uri: {exact: /a}}", []string{"/a"}, []string{"/"}, ""},
		"a header of the root":    {"{headers: {x-a: {exact: b}}}", "{uri: {exact: /a}}", nil, []string{"/a"}, ""},
		"wider than the root":     {"{uri: {prefix: /a/b}}", "{uri: {prefix: /a}}", nil, []string{"/a", "/a/b"}, `uri does not begin with "/a/b"`},
		"prefix in exact":         {"{uri: {exact: /a}}", "{uri: {prefix: /a}}", nil, []string{"/a"}, `uri is not exact "/a"`},
		"another exact":           {"{method: {exact: GET}}", "{method: {exact: POST}}", nil, []string{"/"}, `method is not exact "GET"`},
		"the same regex":          {"{uri: {regex: /a}}", "{uri: {regex: /a}}", nil, []string{"/a"}, "uri has a regex beside another condition"},
		"regex in prefix":         {"{uri: {prefix: /}}", "{uri: {regex: /a}}", nil, []string{"/a"}, "uri has a regex beside another condition"},
		"presence in both":        {"{headers: {x-a: {}}}", "{headers: {x-a: {}}}", nil, []string{"/"}, "header x-a is asked for in both"},
		"a query of both":         {"{queryParams: {a: {exact: b}}}", "{queryParams: {a: {exact: c}}}", nil, []string{"/?a=b"}, `query parameter a is not exact "b"`},
		"without headers of both": {"{withoutHeaders: {a: {exact: b}}}", "{withoutHeaders: {a: {exact: c}}}", nil, []string{"/"}, `withoutHeaders a is not exact "b"`},
		"case of one":             {"{uri: {prefix: /a}, ignoreUriCase: true}", "{uri: {prefix: /a}}", nil, []string{"/a"}, "only one of them has ignoreUriCase"},
		"gateways beyond":         {"{gateways: [mesh]}", "{gateways: [mesh, door]}", nil, []string{"/"}, "gateways mesh, default/door are not among mesh"},
		"gateways within":         {"{gateways: [mesh, door]}", "{gateways: [mesh]}", []string{"/"}, nil, ""},
		"one of the delegate's conflicts": {"{uri: {prefix: /a}}", "{uri: {prefix: /a}}, {uri: {prefix: /b}}", nil, []string{"/a"},
			`its match[1] does not go together with the conditions there: uri does not begin with "/a"`},
	} {
		match := func(list string) string {
			if list == "" {
				return ""
			}
			return "match: [" + list + "], "
		}
		r := rulesOf(t, subsets(t), delegateOf("to", "default", "{"+match(c.delegate)+toCanary+"}"),
			middlewareOf("{"+match(c.root)+"delegate: {name: to}}, {"+toProd+"}"))
		table := r.Table(Caller{})
		for _, path := range slices.Concat(c.yes, c.no) {
			subset := table.Route(&Request{Host: "middleware", Method: http.MethodGet, Path: path}).Split[0].Subset
			if (subset == "canary") != slices.Contains(c.yes, path) {
				t.Errorf("%s: %s goes to %s", name, path, subset)
			}
		}
		var why string
		for _, d := range r.Dropped() {
			why += d.Why
		}
		if (why == "") != (c.dropped == "") || !strings.Contains(why, c.dropped) {
			t.Errorf("%s: dropped because %q, want %q", name, why, c.dropped)
		}
	}
}

// An entry of a delegate keeps what it has, and gets what only the entry that delegates to it has. Short names are those of the
// delegate's namespace.
func TestDelegateInherits(t *testing.T) {
	const all = "timeout: 9s, retries: {attempts: 7}, fault: {abort: {httpStatus: 418}}, rewrite: {uri: /root}, headers: {request: {set: {a: root}}}"
	rule := func(own string) *Rule {
		r := rulesOf(t, delegateOf("to", "other", "{route: [{destination: {host: x}}]"+own+"}"), middlewareOf("{delegate: {name: to, namespace: other}, "+all+"}"))
		return r.Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"})
	}
	got := rule("")
	if got.Split[0].Host != "x.other.svc.cluster.local" || got.Timeout.Seconds() != 9 || got.Retry.Attempts != 7 || got.Fault.AbortStatus != 418 ||
		got.Rewrite.URI != "/root" || got.Split[0].Request[0].Set[0].Value != "root" {
		t.Errorf("a bare entry: %+v", got)
	}
	if got.Name != "VirtualService to, http[0], by VirtualService middleware, http[0]" {
		t.Errorf("it is called %s", got.Name)
	}
	got = rule(", timeout: 1s, retries: {attempts: 1}, fault: {abort: {httpStatus: 503}}, rewrite: {uri: /own}, headers: {request: {set: {a: own}}}")
	if got.Timeout.Seconds() != 1 || got.Retry.Attempts != 1 || got.Fault.AbortStatus != 503 || got.Rewrite.URI != "/own" || got.Split[0].Request[0].Set[0].Value != "own" {
		t.Errorf("an entry with all: %+v", got)
	}
}

func TestDroppedDelegates(t *testing.T) {
	private := strings.Replace(delegateOf("to", "other", "{"+toProd+"}"), "spec: {", `spec: {exportTo: ["."], `, 1)
	for name, c := range map[string]struct {
		delegate, root string
		want           Dropped
	}{
		"no such delegate": {delegateOf("x", "default", "{"+toProd+"}"), "{delegate: {name: to}}",
			Dropped{"VirtualService middleware", "test.yaml", 10, "there is no VirtualService default/to without hosts, to which the rule could delegate"}},
		"it has hosts": {virtualServiceYAML("to", "x"), "{delegate: {name: to}}",
			Dropped{"VirtualService middleware", "test.yaml", 12, "there is no VirtualService default/to without hosts, to which the rule could delegate"}},
		"it is hidden": {private, "{delegate: {name: to, namespace: other}}",
			Dropped{"VirtualService middleware", "test.yaml", 10, `the delegate VirtualService to (test.yaml:1) is hidden from namespace default by its exportTo ["."]`}},
		"nobody delegates": {delegateOf("to", "other", "{"+toProd+"}"), "{" + toProd + "}",
			Dropped{"VirtualService to", "test.yaml", 4, "the VirtualService has no hosts, so that it holds only where another one delegates to it, and none does"}},
	} {
		r := rulesOf(t, c.delegate, middlewareOf(c.root))
		if !slices.Contains(r.Dropped(), c.want) {
			t.Errorf("%s: dropped are %+v, want %+v", name, r.Dropped(), c.want)
		}
		// Where no entry is left, the host has Istio's default rule.
		rule := r.Table(Caller{}).Route(&Request{Host: "middleware", Path: "/"})
		if left := name == "nobody delegates"; strings.HasPrefix(rule.Name, "VirtualService middleware") != left {
			t.Errorf("%s: requests meet %s", name, rule.Name)
		}
	}
}

func TestDelegateGetsNoFaultWithoutARoute(t *testing.T) {
	_, err := Read(parse(t, delegateOf("to", "default", "{redirect: {uri: /x}}"), middlewareOf("{delegate: {name: to}, fault: {abort: {httpStatus: 418}}}")))
	if err == nil || !strings.Contains(err.Error(), "VirtualService to: spec.http[0]: has no route, and gets the fault of VirtualService middleware, http[0], which delegates to it") {
		t.Error(err)
	}
}

// The entries of a delegate are told with their own places.
func TestEntriesOfDelegates(t *testing.T) {
	r := rulesOf(t, delegateOf("to", "default", "{"+toProd+"}, {"+toCanary+"}"), middlewareOf("{delegate: {name: to}, retries: {attempts: 1}}"))
	for i, e := range r.HTTPEntries() {
		if e.Object != "VirtualService to" || e.Line != 4 || e.Hosts[0] != "middleware.default.svc.cluster.local" || e.Gateways[0] != (WrittenGateway{Mesh, 4}) || e.RetriesLine != 4 ||
			e.Destinations[0].Field != fmt.Sprintf("spec.http[%d].route[0].destination", i) || e.Destinations[0].Written != "middleware" {
			t.Errorf("%+v", e)
		}
	}
	if n := len(r.HTTPEntries()); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}
