package gauge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports/load"
)

// limited answers so many requests a second: each one has its turn.
func limited(t *testing.T, rate float64) string {
	var mutex sync.Mutex
	var next time.Time
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		if now := time.Now(); next.Before(now.Add(-5 * time.Millisecond)) {
			next = now.Add(-5 * time.Millisecond)
		}
		next = next.Add(time.Duration(float64(time.Second) / rate))
		turn := next
		mutex.Unlock()
		select {
		case <-time.After(time.Until(turn)):
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A search finds a rate that holds and one that does not, which are close to each other. How close they are to the server's limit depends on what
// else the machine does.
func TestCapacity(t *testing.T) {
	wanted, err := Expectations([]string{"p50 <= 500ms", "errors <= 5%"})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Options: attack.Options{Duration: 400 * time.Millisecond, Timeout: time.Minute, Connections: 400}, Targets: get(limited(t, 300)), Expect: wanted}
	told := 0
	c, err := Capacity(t.Context(), o, 20, 5000, func(load.Step) { told++ })
	if err != nil || told != len(c.Steps) || told == 0 {
		t.Fatalf("%v: %+v", err, c)
	}
	if c.Undecided == "" && c.Held != nil && (c.Broke == nil || *c.Broke <= *c.Held || *c.Held > 600) {
		t.Errorf("%+v", c)
	}
	var text strings.Builder
	if err := c.Text(&text, false); err != nil || !strings.Contains(text.String(), "good answers") {
		t.Errorf("%v: %s", err, text.String())
	}
	if _, err := Capacity(t.Context(), Options{Options: o.Options, Targets: o.Targets, Weights: []int{1, 2}}, 1, 2, nil); err == nil {
		t.Error("wrong options were accepted")
	}
}
