package manifests

import (
	"net/http"
	"testing"
)

// rewritten is the host and the path that the sidecar of the frontend sends for a request to middleware by a rule.
func rewritten(t *testing.T, entries, path string) string {
	t.Helper()
	table := rulesOf(t, subsets(t), middlewareOf(entries)).Table(Caller{})
	q := &Request{Host: "middleware", Method: http.MethodGet, Path: path}
	rule := table.Route(q)
	if len(rule.Split) == 0 {
		t.Fatalf("%s meets %+v", path, rule)
	}
	host, sent := rule.Rewritten(q, &rule.Split[0])
	return host + sent
}

// The expected paths are those of Envoy's rewritePathByPrefixOrRegex.
func TestRewrite(t *testing.T) {
	regex := func(match, rewrite string) string {
		return "{" + toProd + ", rewrite: {uriRegexRewrite: {match: '" + match + "', rewrite: '" + rewrite + "'}}}"
	}
	for _, c := range []struct{ entry, path, want string }{
		{"{" + toProd + "}", "/a?b", "middleware/a?b"},
		{"{match: [{uri: {prefix: /old}}], " + toProd + ", rewrite: {uri: /new}}", "/old", "middleware/new"},
		{"{match: [{uri: {prefix: /old}}], " + toProd + ", rewrite: {uri: /new}}", "/older/x?y=/old", "middleware/newer/x?y=/old"},
		{"{match: [{uri: {prefix: /old/}}], " + toProd + ", rewrite: {uri: /}}", "/old/x", "middleware/x"},
		{"{match: [{uri: {prefix: /old}, ignoreUriCase: true}], " + toProd + ", rewrite: {uri: /new}}", "/OLD/x", "middleware/new/x"},
		{"{match: [{uri: {exact: /old}}], " + toProd + ", rewrite: {uri: /new}}", "/old?x=1", "middleware/new?x=1"},
		{"{match: [{uri: {regex: '/o.*'}}], " + toProd + ", rewrite: {uri: /new}}", "/old/x?y=1", "middleware/new?y=1"},
		{"{match: [{uri: {prefix: /a}}, {uri: {prefix: /bcd}}], " + toProd + ", rewrite: {uri: /new}}", "/bcd/x", "middleware/new/x"},
		{"{match: [{method: {exact: GET}}], " + toProd + ", rewrite: {uri: /new}}", "/x", "middleware/newx"},
		{"{" + toProd + ", rewrite: {uri: /new}}", "/", "middleware/new"},
		{"{" + toProd + ", rewrite: {uri: /new}}", "/x?y", "middleware/newx?y"},
		{"{" + toProd + ", rewrite: {uri: '/new?a=b'}}", "/?y", "middleware/new?a=b?y"},
		{regex("^/service/([^/]+)(/.*)$", `\2/instance/\1`), "/service/foo/v1/api?x=/service/foo", "middleware/v1/api/instance/foo?x=/service/foo"},
		{regex("one", "two"), "/xxx/one/yyy/one/zzz", "middleware/xxx/two/yyy/two/zzz"},
		{regex("x", `\\$1\0`), "/x", `middleware/\$1x`},
		{regex("/gone", `\0`), "/stays?x", "middleware/stays?x"},
		{regex("^(/old)?.*", `\1`), "/x?y", "middleware/x?y"}, // nothing would be left
		{"{" + toProd + ", rewrite: {authority: 'other.example:81'}}", "/x", "other.example:81/x"},
		{"{" + toProd + ", headers: {request: {set: {Host: set}}}}", "/", "set/"},
		{"{" + toProd + ", headers: {request: {add: {':authority': added}}}}", "/", "added/"},
		{"{route: [{destination: {host: middleware}, headers: {request: {set: {host: own}}}}]}", "/", "own/"},
		{"{route: [{destination: {host: middleware}, headers: {request: {set: {host: own}}}}], rewrite: {authority: routes}}", "/", "routes/"},
		{"{route: [{destination: {host: middleware}, headers: {request: {set: {host: own}}}}], rewrite: {uri: /new}}", "/", "own/new"},
	} {
		if got := rewritten(t, c.entry, c.path); got != c.want {
			t.Errorf("%s: %s is sent as %q, want %q", c.entry, c.path, got, c.want)
		}
	}
}
