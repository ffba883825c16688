package mesh

import (
	"io"
	"net/http"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/service/trail"
)

// TestBreakSlowBackend sends a request through the demo chain. The backend must report that it worked longer, and no other
// service may be set to work longer.
func TestBreakSlowBackend(t *testing.T) {
	objects, err := scenarios.Through("prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Options{Break: "slow-backend"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if err := m.Apply(t.Context(), objects); err != nil {
		t.Fatal(err)
	}
	for name, d := range m.pods {
		if work := m.broken.work(&d.workload); (work == slowWork) != (d.workload.Labels["app"] == "backend") {
			t.Errorf("%v works %v", name, work)
		}
	}
	address, err := m.Address(t.Context(), manifests.Entry{Service: "frontend"})
	if err != nil {
		t.Fatal(err)
	}
	backend := lastHop(t, address.URL)
	// Only the lower limit is certain, since a busy machine may take longer.
	if own := backend.Elapsed - backend.Calls[0].Elapsed; backend.Service != "backend" || own < slowWork {
		t.Errorf("%s itself worked %v, want the backend, and %v at least", backend.Service, own, slowWork)
	}
}

// trailOf is the trail that a service answers with.
func trailOf(t *testing.T, url string) *trail.Hop {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	hop, err := trail.Decode(body)
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return hop
}

// lastHop is the last of our hops that the answer of a chain tells of.
func lastHop(t *testing.T, url string) *trail.Hop {
	t.Helper()
	hop := trailOf(t, url)
	for len(hop.Calls) > 0 && hop.Calls[0].Hop != nil {
		hop = hop.Calls[0].Hop
	}
	if len(hop.Calls) == 0 {
		t.Fatalf("%s called nothing", hop.Service)
	}
	return hop
}
