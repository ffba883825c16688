package manifests

import (
	"strings"
	"testing"
)

// TestGatewayAPIProblems holds each thing that is refused of objects of Gateway API to the field that is named, and to a part of the sentence.
func TestGatewayAPIProblems(t *testing.T) {
	const filter, backend = "filters: [{type: ", "backendRefs: [{name: bread, port: 80"
	rule := func(text string) string { return ofBakery("a", "default", atShop+"  rules: [{"+text+"}]\n") }
	listener := func(fields string) string {
		return "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {gatewayClassName: istio, listeners: [{" + fields + "}]}\n"
	}
	for _, c := range []struct{ text, field, part string }{
		{ofBakery("a", "default", atShop+"  rules: ["+strings.Repeat("{}, ", 16)+"{}]\n"), "spec.rules", "17 entries: Kubernetes accepts at most 16"},
		{ofBakery("a", "default", atShop+"  rules: []\n"), "spec.rules", "Kubernetes accepts no empty list"},
		{ofBakery("a", "default", "  parentRefs: [{name: a}, {name: a}]\n"), "spec.parentRefs[1]", "a sectionName or a port of their own"},
		{ofBakery("a", "default", "  parentRefs: [{name: a, kind: Service}]\n"), "spec.parentRefs[0].kind", "Service of group"},
		{ofBakery("a", "default", atShop+"  hostnames: [A.example]\n"), "spec.hostnames[0]", "in lower case"},
		{rule("matches: [{path: {type: Prefix, value: /a}}]"), "spec.rules[0].matches[0].path.type", "must be one of Exact, PathPrefix, RegularExpression"},
		{rule("matches: [{path: {value: a}}]"), "spec.rules[0].matches[0].path.value", "must begin with a slash"},
		{rule("matches: [{path: {value: /a//b}}]"), "spec.rules[0].matches[0].path.value", `must not have "//"`},
		{rule("matches: [{path: {type: RegularExpression, value: '['}}]"), "spec.rules[0].matches[0].path.value", ""},
		{rule("matches: [{method: get}]"), "spec.rules[0].matches[0].method", "must be one of GET"},
		{rule("matches: [{headers: [{name: A, value: a}, {name: a, value: b}]}]"), "spec.rules[0].matches[0].headers[1].name", "write each header once"},
		{rule("matches: [{headers: [{name: Host, value: a}]}]"), "spec.rules[0].matches[0].headers[0].name", "write spec.hostnames"},
		{rule("matches: [{queryParams: [{name: a, value: ''}]}]"), "spec.rules[0].matches[0].queryParams[0].value", "must not be empty"},
		{rule(filter + "RequestRedirect, requestRedirect: {}}], " + backend + "}]"), "spec.rules[0].backendRefs", "must not stand beside a filter RequestRedirect"},
		{rule(filter + "RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {}}]"), "spec.rules[0].filters", "accepts one of the two"},
		{rule(filter + "URLRewrite, urlRewrite: {}}, {type: URLRewrite, urlRewrite: {}}]"), "spec.rules[0].filters[1].type", "a second time"},
		{rule(filter + "RequestRedirect, requestRedirect: {statusCode: 300}}]"), "spec.rules[0].filters[0].requestRedirect.statusCode", "301, 302, 303, 307 or 308"},
		{rule(filter + "URLRewrite}]"), "spec.rules[0].filters[0]", "must have urlRewrite"},
		{rule("matches: [{path: {type: Exact, value: /a}}], " + filter + "URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}], " + backend + "}]"),
			"spec.rules[0].filters[0].urlRewrite.path", "exactly one match, whose path has type PathPrefix"},
		{rule(filter + "URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replacePrefixMatch: /}}}]"), "spec.rules[0].filters[0].urlRewrite.path", "must have replaceFullPath"},
		{rule(filter + "CORS, cors: {}}]"), "spec.rules[0].filters[0].cors", "is not supported by hellochaos"},
		{rule(filter + "RequestMirror, requestMirror: {backendRef: {name: a}}}]"), "spec.rules[0].filters[0].requestMirror.backendRef.port", "Istio copies nothing to it"},
		{rule(filter + "RequestMirror}]"), "spec.rules[0].filters[0]", "must have requestMirror"},
		{rule(filter + "RequestMirror, requestMirror: {percent: 101}}]"), "spec.rules[0].filters[0].requestMirror.percent", "from 0 to 100, not 101"},
		{rule(filter + "RequestMirror, requestMirror: {percent: 1, fraction: {numerator: 1}}}]"), "spec.rules[0].filters[0].requestMirror", "only one of percent and fraction"},
		{rule(filter + "RequestMirror, requestMirror: {fraction: {numerator: 101}}}]"), "spec.rules[0].filters[0].requestMirror.fraction.numerator", "which is 100, not 101"},
		{rule(filter + "RequestMirror, requestMirror: {fraction: {numerator: 0, denominator: 0}}}]"), "spec.rules[0].filters[0].requestMirror.fraction.denominator", "at least 1"},
		{rule(backend + ", filters: [{type: RequestMirror, requestMirror: {}}]}]"), "spec.rules[0].backendRefs[0].filters[0].requestMirror", "is not supported by hellochaos"},
		{rule("sessionPersistence: {}"), "spec.rules[0].sessionPersistence", "is not supported by hellochaos"},
		{rule("backendRefs: [{name: bread}]"), "spec.rules[0].backendRefs[0].port", "is missing"},
		{rule("backendRefs: [{name: bread.default, port: 80}]"), "spec.rules[0].backendRefs[0].name", "not a host"},
		{rule(backend + ", weight: -1}]"), "spec.rules[0].backendRefs[0].weight", "from 0 to 1000000"},
		{rule(backend + ", filters: [{type: URLRewrite, urlRewrite: {}}]}]"), "spec.rules[0].backendRefs[0].filters[0].urlRewrite", "is not supported by hellochaos"},
		{rule("timeouts: {request: 1s, backendRequest: 2s}"), "spec.rules[0].timeouts.backendRequest", "must not be longer than request"},
		{rule("timeouts: {request: 1.5s}"), "spec.rules[0].timeouts.request", `must be a duration such as "2s"`},
		{rule("retry: {attempts: 0}"), "spec.rules[0].retry.attempts", "from 1 to 98"},
		{rule("retry: {codes: [200, 418, 500, 500, 499]}"), "spec.rules[0].retry.codes[0]", "a status from 400 to 599"},
		{rule("retry: {codes: [500, 500]}"), "spec.rules[0].retry.codes[1]", "a second time"},
		{rule("retries: {attempts: 1}"), "spec.rules[0].retries", "unknown field; accepted: name, matches"},
		{listener("name: a, port: 80, protocol: http"), "spec.listeners[0].protocol", `did you mean "HTTP"?`},
		{listener("name: a, port: 443, protocol: HTTPS"), "spec.listeners[0].tls", "is missing"},
		{listener("name: a, port: 80, protocol: HTTP}, {name: a, port: 80, protocol: HTTP"), "spec.listeners[1].name", "a name of its own"},
		{listener("name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: TLS, tls: {mode: Passthrough}, hostname: b.example"), "spec.listeners[1].protocol", "ports of their own"},
		{listener("name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: a, namespace: other}]}"), "spec.listeners[0].tls.certificateRefs[0].namespace", "ReferenceGrant"},
		{listener("name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector}}"), "spec.listeners[0].allowedRoutes.namespaces.selector", "is missing"},
		{"apiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {name: a}\nspec: {from: [], to: [{kind: Service, group: ''}]}\n", "spec.from", "at least one entry"},
		{"apiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: a}\n", "kind", "Gateway, HTTPRoute, ReferenceGrant"},
		{"apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: HTTPRoute\nmetadata: {name: a}\n", "apiVersion", "v1beta1"},
	} {
		_, err := Parse("a.yaml", []byte(c.text))
		problems, _ := err.(Problems)
		found := false
		for _, p := range problems {
			found = found || p.Field == c.field && strings.Contains(p.Text, c.part) && p.Line > 0
		}
		if !found {
			t.Errorf("%s\nproblems:\n%v\nwant one of %s with %q", c.text, err, c.field, c.part)
		}
	}
}

// TestGatewayAPIConflicts are the problems that show only when the objects are read together.
func TestGatewayAPIConflicts(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{virtualServiceYAML("bread", "bread") + "---\n" + ofBakery("a", "default", "  parentRefs: [{group: '', kind: Service, name: bread}]\n"), "spec.parentRefs[0]: VirtualService bread"},
		{"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: shop}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example]}]}\n", "metadata.name: is the name of Gateway shop"},
	} {
		_, err := Read(parse(t, bakery+c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}
