package mesh

import (
	"crypto/tls"
	"net/http"
	"reflect"
	"regexp"
	"testing"
)

func TestForwarded(t *testing.T) {
	from := http.Header{
		"X-Dev-User": {"super-secret"}, "X-Request-Id": {"from outside"},
		"X-Envoy-Max-Retries": {"1"}, "X-Envoy-Attempt-Count": {"7"},
		"Connection": {"close, x-one-hop"}, "X-One-Hop": {"gone"}, "Transfer-Encoding": {"chunked"}, "Expect": {"100-continue"},
		"Content-Length": {"12"},
	}
	want := http.Header{"X-Dev-User": {"super-secret"}, "X-Request-Id": {"from outside"}}
	call := &http.Request{Header: from, RemoteAddr: "10.0.0.1:4711"}
	if got := forwarded(call, false); !reflect.DeepEqual(got, want) {
		t.Errorf("sidecar: got %v, want %v", got, want)
	}
	got := forwarded(call, true)
	if id := got.Get("x-request-id"); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("gateway: got x-request-id %q, want a new UUID", id)
	}
	if scheme := got.Get("x-forwarded-proto"); scheme != "http" {
		t.Errorf("gateway: got x-forwarded-proto %q, want http", scheme)
	}
	call.TLS = new(tls.ConnectionState)
	if scheme := forwarded(call, true).Get("x-forwarded-proto"); scheme != "https" {
		t.Errorf("gateway with TLS: got x-forwarded-proto %q, want https", scheme)
	}
	if address := got.Get("x-forwarded-for"); address != "10.0.0.1" {
		t.Errorf("gateway: got x-forwarded-for %q, want the client's address", address)
	}
	for _, none := range []http.Header{{}, {"X-Request-Id": {""}}} {
		if forwarded(&http.Request{Header: none}, false).Get("x-request-id") == "" {
			t.Errorf("sidecar: got no x-request-id for %v, want a new one", none)
		}
	}
	if len(from) != 9 {
		t.Errorf("the caller's header was changed: %v", from)
	}
}
