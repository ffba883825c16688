package mesh

import (
	"net/http"
	"reflect"
	"testing"
)

// A copy differs from its request by what Envoy's own client adds alone.
func TestCopyHeader(t *testing.T) {
	const own = "127.0.0.2:4711"
	for name, test := range map[string]struct{ sent, want []string }{
		"of a sidecar": {nil, []string{"127.0.0.2"}},
		"of a gateway": {[]string{"10.0.0.1"}, []string{"10.0.0.1,127.0.0.2"}},
	} {
		sent := http.Header{"X-Request-Id": {"one"}, "X-Envoy-Attempt-Count": {"1"}}
		want := sent.Clone()
		if test.sent != nil {
			sent["X-Forwarded-For"] = test.sent
		}
		want["X-Forwarded-For"], want["X-Envoy-Internal"] = test.want, []string{"true"}
		if got := copyHeader(sent, own); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		if sent.Get("x-envoy-internal") != "" {
			t.Errorf("%s: the header of the request was changed: %v", name, sent)
		}
	}
}
