package gauge

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/attack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(urls ...string) (all []attack.Cohort) {
	for _, url := range urls {
		all = append(all, attack.NewTarget("GET", url, nil, nil))
	}
	return all
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		options     attack.Options
		most        int
		requests    int
		connections int
	}{
		{attack.Options{}, 0, 500, 500},
		{attack.Options{MaxRequests: 7}, 0, 7, 7},
		{attack.Options{Rate: 2000, Duration: 5 * time.Second}, 0, 10_000, 10_000},
		{attack.Options{Rate: 2000, Duration: 5 * time.Second}, 900, 10_000, 900},
		{attack.Options{Rate: 2000, Duration: 5 * time.Second, MaxRequests: 30, Connections: 3}, 900, 30, 3},
		{attack.Options{Rate: 2000, Duration: time.Second, MaxRequests: 3000}, 0, 2000, 2000},
		{attack.Options{Rate: 0.1, Duration: time.Second}, 0, 1, 1},
		{attack.Options{Rate: 10, Timeout: time.Second, Duration: time.Minute}, 0, 600, 10},
	} {
		if c.options.Timeout == 0 {
			c.options.Timeout = attack.DefaultTimeout
		}
		a, err := Plan(Options{Options: c.options, Targets: get("http://a/"), MostConnections: c.most})
		if err != nil || a.Requests != c.requests || a.Connections != c.connections || !a.Bare {
			t.Errorf("%+v: %v, %+v, want %d requests and %d connections", c.options, err, a, c.requests, c.connections)
		}
	}
	_, err := Plan(Options{Options: attack.Options{Rate: 100_000, Duration: time.Hour, Timeout: time.Second}, Targets: get("http://a/"), Weights: []int{1, 2}})
	for _, want := range []string{"are 360000000 requests", "--weights: has 2 numbers, and there are 1 targets"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestTurns(t *testing.T) {
	order, err := turns(3, []int{5, 1, 2})
	var text string
	for _, c := range order {
		text += string("abc"[c])
	}
	if err != nil || text != "acaabaca" {
		t.Errorf("got %s, %v", text, err)
	}
	if _, err := turns(1, []int{MaxWeights + 1}); err == nil {
		t.Error("a sum of weights without an end is accepted")
	}
}

// A server that stands still for a second: the latency from the planned start is at least what arithmetic says, also where all but two
// requests could not be sent meanwhile. A busy machine makes latencies longer and never shorter.
func TestFrozenServerOverSockets(t *testing.T) {
	const rate, requests, first = 200, 300, 50
	var mutex sync.Mutex
	seen := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		if seen++; seen == first {
			time.Sleep(time.Second)
		}
	}))
	defer server.Close()
	a, err := Plan(Options{Options: attack.Options{Rate: rate, MaxRequests: requests, Connections: 2, Timeout: time.Minute}, Targets: get(server.URL)})
	if err != nil {
		t.Fatal(err)
	}
	a.Grace = time.Minute
	done := 0
	r, err := a.Send(t.Context(), func(o *attack.Observation) error {
		// Number first-1 freezes the server for a second after it came, so that no answer to a later one comes before that.
		if least := time.Second - time.Duration(o.Number-first+1)*time.Second/rate; o.Number > first && o.Response() < least {
			return fmt.Errorf("request %d took %v from its planned start, want at least %v", o.Number, o.Response(), least)
		}
		return nil
	}, func(Progress) { done++ })
	if err != nil {
		t.Fatal(err)
	}
	if r.Requests.Sent != requests || r.Requests.OK != requests || done != requests || r.Connections.Opened < 1 || r.Connections.MostInFlight != 2 {
		t.Errorf("%+v, %+v", r.Requests, r.Connections)
	}
	if ok := r.Latency.OK; ok.Max < 1 || ok.Quantiles[1].Seconds < 0.85 { // the 30 slowest of 300 wait for at least 855 ms
		t.Errorf("%+v", ok)
	}
}
