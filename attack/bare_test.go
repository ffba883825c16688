package attack

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
)

// A bare plan sends what its cohorts have and nothing more but the name of the program, and counts bodies and connections.
func TestRunBare(t *testing.T) {
	var mutex sync.Mutex
	got := map[string]int{}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Del("Content-Length")
		mutex.Lock()
		got[fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Host == "shop.test", " ", string(body), " ", r.Header)]++
		mutex.Unlock()
		w.Write(make([]byte, 100_000))
	})
	plan := planFor(url, 20, 500)
	plan.Bare = true
	plan.Cohorts = []Cohort{NewTarget("GET", url+"/a?b=c", nil, nil), NewTarget("POST", url+"/", http.Header{"Host": {"shop.test"}, "User-Agent": {"mine"}, "X-A": {"1", "2"}}, []byte("order"))}
	var all []Observation
	result, err := Run(t.Context(), plan, collect(&all))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "map[GET /a?b=c false  map[User-Agent:[hellochaos]]:10 POST / true order map[User-Agent:[mine] X-A:[1 2]]:10]" {
		t.Errorf("got %v", got)
	}
	for _, o := range all {
		if o.Status != 200 || o.BytesIn != 100_000 || o.BytesOut != int64(5*o.Cohort) || o.Response() < o.Latency {
			t.Errorf("got %+v", o)
		}
	}
	if len(all) != 20 || result.Opened < 1 || result.Opened > 20 || result.MostInFlight < 1 || result.MostInFlight > 16 || len(result.First) != 0 {
		t.Errorf("%d observations, %+v", len(all), result)
	}
}

// The result has the text of the first error of each class.
func TestRunNotesErrors(t *testing.T) {
	plan := planFor("http://no-such-host.invalid/", 3, 500)
	plan.Bare = true
	var all []Observation
	result, err := Run(t.Context(), plan, collect(&all))
	if err != nil || len(all) != 3 || all[0].Error != Unknown || len(result.First) != 1 || result.First[Unknown] == "" || !all[0].Bad() {
		t.Errorf("%v: %+v, %+v", err, all, result)
	}
}
