package mesh

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/scenarios"
)

// A gradual Apply makes one proxy after another obey, in the order of their names, and a proxy that drops its routes answers 404 meanwhile.
func TestGradualApply(t *testing.T) {
	old, err := scenarios.Through("egress", nil)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := scenarios.Through("retry", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{"", "routes-dropped"} {
		m, err := New(Options{Gradual: true, Break: broken})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close(t.Context()) })
		if err := m.Apply(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		frontend := m.sidecars[sidecarName{"default", "frontend", ""}]
		lost := make(chan int64)
		var over atomic.Bool
		go func() { lost <- routeless404(t, frontend.server.address, &over) }()
		began := time.Now()
		if err := m.Apply(t.Context(), changed); err != nil {
			t.Fatal(err)
		}
		// Two steps: the DestinationRule and then the VirtualServices, for each of the proxies of four apps.
		if took := time.Since(began); took < 8*Between {
			t.Errorf("break %q: proxies took new rules within %v, want at least %v", broken, took, 8*Between)
		}
		over.Store(true)
		if n := <-lost; (n > 0) != (broken != "") {
			t.Errorf("break %q: %d calls were answered 404", broken, n)
		}
		if rule := frontend.current.Load().table; rule == nil || frontend.current.Load().rules != m.rules {
			t.Errorf("break %q: the proxy of frontend does not obey the rules that were applied", broken)
		}
	}
}

// routeless404 sends calls to a proxy until over is set, and counts those that are answered 404.
func routeless404(t *testing.T, address string, over *atomic.Bool) (n int64) {
	for !over.Load() {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		request.Host = "middleware"
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			return 0
		}
		response.Body.Close()
		if response.StatusCode == http.StatusNotFound {
			n++
		}
	}
	return n
}
