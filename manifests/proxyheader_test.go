package manifests

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestConditionsOnProxyHeaders(t *testing.T) {
	for _, c := range []struct{ header, condition, refused string }{
		{"x-request-id", "{}", ""}, {"x-request-id", "{exact: a}", ""}, {"x-request-id", "{regex: .+}", ""}, {"x-request-id", "{regex: '*'}", ""},
		{"x-request-id", "{prefix: req-}", ""}, {"x-request-id", "{prefix: 1234567-}", ""}, {"x-request-id", "{prefix: ABC}", ""},
		{"x-request-id", "{prefix: 0123456789-}", ""}, {"x-request-id", "{regex: 'req-[0-9]*'}", ""},
		{"x-request-id", "{prefix: " + someRequestID + "0}", ""},
		{"x-request-id", "{prefix: a}", "by such a condition"}, {"X-Request-ID", "{prefix: 12345678-9}", "by such a condition"},
		{"x-request-id", "{regex: '.*1'}", "by such a condition"}, {"x-request-id", "{regex: 'a.*'}", "by such a condition"},
		{"x-request-id", "{regex: '(?i)REQ.*'}", "by such a condition"},
		{"x-forwarded-for", "{}", ""}, {"x-forwarded-for", "{regex: '.*'}", ""}, {"X-Forwarded-For", "{prefix: '10.'}", "by its value"},
		{"x-forwarded-proto", "{exact: https}", ""}, {"x-a", "{prefix: a}", ""},
		{"x-envoy-attempt-count", "{exact: '2'}", "as a condition"}, {"x-forwarded-client-cert", "{}", "as a condition"}, {"upgrade", "{exact: websocket}", "as a condition"},
	} {
		for _, field := range []string{"headers", "withoutHeaders"} {
			if field == "headers" && strings.Contains(c.condition, "'*'") {
				continue
			}
			_, err := Parse("f", []byte(middlewareOf("{match: [{"+field+": {"+c.header+": "+c.condition+"}}], directResponse: {status: 418}}")))
			if met := err != nil && strings.Contains(err.Error(), c.refused) && strings.Contains(err.Error(), field+"."+c.header); c.refused == "" && err != nil || c.refused != "" && !met {
				t.Errorf("%s.%s: %s: got %v, want a problem with %q", field, c.header, c.condition, err, c.refused)
			}
		}
	}
	route := "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec:\n  parentRefs: [{kind: Service, group: '', name: middleware, port: 80}]\n" +
		"  rules: [{matches: [{headers: [{type: RegularExpression, name: X-Request-Id, value: '.*1'}]}], backendRefs: [{name: middleware, port: 80}]}]\n"
	if _, err := Parse("f", []byte(route)); err == nil || !strings.Contains(err.Error(), "headers[0]: x-request-id is not supported by hellochaos by such a condition") {
		t.Errorf("an HTTPRoute: got %v", err)
	}
}

// What a gateway says itself, it says whatever its client said.
func TestHeadersByProxies(t *testing.T) {
	told := http.Header{keyForwardedProto: {"other"}, keyRequestID: {"a"}, keyForwardedFor: {"10.0.0.1"}}
	for _, c := range []struct {
		at                view
		proto, id, origin string
	}{
		{view{Request: &Request{Header: told}}, "other", "a", "10.0.0.1"},
		{view{Request: &Request{}}, "http", someRequestID, ""},
		{view{Request: &Request{Header: http.Header{keyRequestID: {""}}}}, "http", someRequestID, ""},
		{view{Request: &Request{Header: told}, gateway: true}, "http", someRequestID, "10.0.0.1," + someAddress},
		{view{Request: &Request{}, gateway: true, tls: true}, "https", someRequestID, someAddress},
	} {
		for name, want := range map[string]string{keyForwardedProto: c.proto, keyRequestID: c.id, keyForwardedFor: c.origin} {
			if got, present := c.at.header(name); got != want || present != (want != "") {
				t.Errorf("%+v: %s is %q, %t; want %q", c.at, name, got, present, want)
			}
		}
	}
}

func TestArriving(t *testing.T) {
	sent := http.Header{keyRequestID: {"a"}, "X-A": {"1"}}
	adds := HeaderChanges{{Add: []HeaderValue{{keyRequestID, "b"}}}}
	for _, c := range []struct {
		to   Destination
		from http.Header
		want http.Header
	}{
		{Destination{}, sent, sent},
		{Destination{}, nil, nil},
		{Destination{Request: adds}, sent, http.Header{keyRequestID: {"a", "b"}, "X-A": {"1"}}},
		{Destination{Request: adds}, nil, http.Header{keyRequestID: {someRequestID, "b"}}},
		{Destination{atGateway: true}, sent, http.Header{"X-A": {"1"}, keyForwardedProto: {"http"}, keyForwardedFor: {someAddress}}},
		{Destination{atGateway: true, overTLS: true, Request: HeaderChanges{{Set: []HeaderValue{{keyRequestID, "b"}}}}}, sent,
			http.Header{keyRequestID: {"b"}, "X-A": {"1"}, keyForwardedProto: {"https"}, keyForwardedFor: {someAddress}}},
	} {
		if got := c.to.Arriving(c.from); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v arrives as %v, want %v", c.to, c.from, got, c.want)
		}
	}
	if len(sent) != 2 {
		t.Errorf("the headers of the sender were changed: %v", sent)
	}
}
