package mesh

import (
	"net/http"
	"reflect"
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
	if got := forwarded(from, false, "10.0.0.1:4711"); !reflect.DeepEqual(got, want) {
		t.Errorf("sidecar: got %v, want %v", got, want)
	}
	got := forwarded(from, true, "10.0.0.1:4711")
	if id := got.Get("x-request-id"); id == "from outside" || id == "" {
		t.Errorf("gateway: got x-request-id %q, want a new one", id)
	}
	if address := got.Get("x-forwarded-for"); address != "10.0.0.1" {
		t.Errorf("gateway: got x-forwarded-for %q, want the client's address", address)
	}
	if forwarded(http.Header{}, false, "").Get("x-request-id") == "" {
		t.Error("sidecar: got no x-request-id, want a new one where there is none")
	}
	if len(from) != 9 {
		t.Errorf("the caller's header was changed: %v", from)
	}
}
