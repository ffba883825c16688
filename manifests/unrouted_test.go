package manifests

import (
	"net/http"
	"testing"
)

// What was measured of Envoy 1.40 with Istio's configuration of a sidecar and of a gateway.
func TestUnrouted(t *testing.T) {
	sidecar := rulesOf(t, middlewareOf(`{match: [{method: {exact: get}}], directResponse: {status: 418}}, {directResponse: {status: 200}}`)).Table(Caller{})
	for _, test := range []struct {
		host, method string
		proto        []string
		status       int
	}{
		{"middleware", "GET", nil, 200}, {"middleware", "", nil, 200}, {"middleware", "MSEARCH", nil, 200},
		{"middleware", "get", nil, 400}, {"middleware", "QUERY", nil, 400}, {"nobody.example", "get", nil, 400},
		{"middleware", "GET", []string{""}, 404}, {"middleware", "GET", []string{"", ""}, 404}, {"nobody.example", "GET", []string{""}, 404},
		{"middleware", "GET", []string{"a"}, 200}, {"middleware", "get", []string{""}, 400},
	} {
		rule := sidecar.Route(&Request{Host: test.host, Method: test.method, Path: "/", Header: http.Header{"X-Forwarded-Proto": test.proto}})
		if rule.Direct == nil || rule.Direct.Status != test.status {
			t.Errorf("%s %s with x-forwarded-proto %q meets %+v, want %d", test.method, test.host, test.proto, rule, test.status)
		}
	}
	if rule := sidecar.Route(&Request{Host: "nobody.example:9999", Method: "get", Path: "/"}); rule.Direct != nil && rule.Direct.Status == 400 {
		t.Errorf("at a port without HTTP, where nobody reads the method, a request meets %+v", rule.Direct)
	}
	if got := (&Request{Header: http.Header{"X-Forwarded-Proto": {""}}}).unrouted(true); got != nil {
		t.Errorf("a gateway, which writes x-forwarded-proto itself, answers %+v", got.Direct)
	}
	if got := (&Request{Method: "get"}).unrouted(true); got != badMethod {
		t.Errorf("a gateway meets method get with %+v, want 400", got)
	}
}
