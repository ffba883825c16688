package mesh

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A sealed mesh makes no connection to a host outside the mesh, where another one passes the request through.
func TestSealed(t *testing.T) {
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer outside.Close()
	host := strings.TrimPrefix(outside.URL, "http://")
	for sealed, want := range map[bool]int{false: http.StatusTeapot, true: http.StatusServiceUnavailable} {
		base, err := applied(t, Options{Sealed: sealed}, deployment1("caller")).Sidecar("caller")
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("sealed %v: status %d, want %d", sealed, response.StatusCode, want)
		}
	}
}
