package gauge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports/load"
)

// Each phase has a row of its own, and what is measured in the warm-up is in its row alone.
func TestSendPhases(t *testing.T) {
	var received atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if received.Add(1) <= 20 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	a, err := Plan(Options{Options: attack.Options{Timeout: time.Minute}, Targets: get(server.URL), Phases: []attack.Phase{
		{Name: "warm-up", Rate: 200, To: 200, Duration: 100 * time.Millisecond, Warmup: true}, {Name: "ramp", Rate: 100, To: 300, Duration: 200 * time.Millisecond}}})
	if err != nil || a.Requests != 60 || a.Peak() != 300 {
		t.Fatalf("%v: %+v", err, a)
	}
	r, err := a.Send(t.Context(), nil, func(Progress) {})
	if err != nil || len(r.Phases) != 2 {
		t.Fatalf("%v: %+v", err, r)
	}
	if w := r.Phases[0]; !w.Warmup || w.Planned != 20 || w.OK+w.Failed+w.Skipped != 20 || w.Failed == 0 {
		t.Errorf("warm-up: %+v", w)
	}
	if p := r.Phases[1]; p.Planned != 40 || p.OK+p.Failed+p.Skipped != 40 || r.Requests.OK != p.OK || r.Requests.Failed != p.Failed || r.Requests.Planned != 40 {
		t.Errorf("ramp: %+v; all: %+v", p, r.Requests)
	}
	var text strings.Builder
	if err := load.Text(&text, r, false); err != nil || !strings.Contains(text.String(), "warm-up") || !strings.Contains(text.String(), "60 requests in 2 phases") && !strings.Contains(text.String(), "40 requests in 2 phases") {
		t.Errorf("%v: %s", err, text.String())
	}
}

// A closed loop is marked as one, and plans nothing.
func TestSendClosed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	a, err := Plan(Options{Options: attack.Options{Timeout: time.Minute, MaxRequests: 100, Connections: 5}, Targets: get(server.URL), Closed: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Send(t.Context(), nil, func(Progress) {})
	if err != nil || !r.Closed || r.Requests.OK != 100 || r.Requests.Skipped != 0 || r.Limited || r.Rate.OK <= 0 || r.Connections.MostInFlight > 5 {
		t.Fatalf("%v: %+v", err, r)
	}
	var text strings.Builder
	if err := load.Text(&text, r, false); err != nil || !strings.Contains(text.String(), "closed loop: 5 requests in flight") || strings.Contains(text.String(), "planned start") {
		t.Errorf("%v: %s", err, text.String())
	}
}
