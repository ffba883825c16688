package share_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/share"
	"github.com/hellochaos/hellochaos/attack/share/crewtest"
	"github.com/hellochaos/hellochaos/service/trail"
)

// answering answers with a trail that names the request, and remembers which requests came.
func answering(t *testing.T) (address string, came func() []string) {
	var mutex sync.Mutex
	var all []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Header.Get(trail.HeaderRequest)
		mutex.Lock()
		all = append(all, name)
		mutex.Unlock()
		w.Header().Set(trail.HeaderTrail, trail.Form)
		w.Write(trail.Append(nil, &trail.Hop{Service: name, Version: "v", Status: 200}))
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		slices.Sort(all)
		return all
	}
}

func plan(address string, requests int, rate float64) attack.Plan {
	return attack.Plan{URL: address, Requests: requests, Rate: rate, Cohorts: make([]attack.Cohort, 1), Name: "1/x", Connections: 8, Timeout: time.Minute, Grace: 30 * time.Second}
}

// Workers send each request of a plan once, whatever their clocks say, and what became of them comes in planned order.
func TestRun(t *testing.T) {
	address, came := answering(t)
	skew := []time.Duration{-time.Hour, 0, 90 * time.Minute}
	team := &share.Team{Crew: &crewtest.Crew{T: t, Workers: 3, Ahead: skew}}
	p := plan(address, 50, 100)
	next := 0
	began := time.Now()
	result, outcomes, err := team.Run(t.Context(), p, nil, func(o *attack.Observation) bool {
		if o.Number != next || o.Status != 200 || o.Trail == nil || o.Trail.Service != p.RequestName(next) {
			t.Errorf("observation %d: %+v, %+v", next, o, o.Trail)
		}
		next++
		return true
	})
	if err != nil || next != 50 || result.Planned != 50 || result.Sent != 50 || result.Observed != 50 || len(came()) != 50 || len(slices.Compact(came())) != 50 {
		t.Errorf("%d observations of %v, %+v, %v", next, came(), result, err)
	}
	if result.Began.Before(began) || result.Began.After(time.Now()) {
		t.Errorf("it began at %v by the clock of this process, which was %v before", result.Began, began)
	}
	for i, o := range outcomes {
		if c := o.Clock; !c.Known || skew[i] < c.Least || skew[i] > c.Most {
			t.Errorf("worker %d is %v ahead, and was found to be %v to %v", i, skew[i], c.Least, c.Most)
		}
	}
}

// Workers that are told to stop do, and all that they have sent is handed over. A worker that dies is said to.
func TestRunStopsAndDies(t *testing.T) {
	address, came := answering(t)
	crew := &crewtest.Crew{T: t, Workers: 2}
	seen := 0
	result, _, err := (&share.Team{Crew: crew}).Run(t.Context(), plan(address, 100_000, 200), nil, func(*attack.Observation) bool { seen++; return seen < 10 })
	if err != nil || !result.Stopped || seen < 10 || seen != len(came()) || seen != result.Sent || result.Unsent > 0 {
		t.Errorf("%d observations, %d requests came, %+v, %v", seen, len(came()), result, err)
	}
	crew = &crewtest.Crew{T: t, Workers: 2, Dies: 2, After: 3}
	_, outcomes, err := (&share.Team{Crew: crew}).Run(t.Context(), plan(address, 200, 200), nil, func(*attack.Observation) bool { return true })
	if !errors.As(err, new(share.Died)) || !strings.Contains(err.Error(), "worker 2 of 2 died (signal: killed)") || outcomes[0].Died != nil {
		t.Errorf("%v, %+v", err, outcomes)
	}
	crew = &crewtest.Crew{T: t, Workers: 2, Dies: 1}
	if _, _, err = (&share.Team{Crew: crew}).Run(t.Context(), plan(address, 20, 200), nil, nil); !errors.As(err, new(share.NotStarted)) || !strings.Contains(err.Error(), "worker 1 of 2 did not begin") {
		t.Errorf("a worker that dies before the start: %v", err)
	}
}

// A line that does not arrive is noticed, and what the worker sent is no whole share.
func TestLostLine(t *testing.T) {
	address, _ := answering(t)
	crew := &crewtest.Crew{T: t, Workers: 2, Loses: 1, After: 3}
	_, outcomes, err := (&share.Team{Crew: crew}).Run(t.Context(), plan(address, 200, 200), nil, func(*attack.Observation) bool { return true })
	if !errors.As(err, new(share.Died)) || !strings.Contains(err.Error(), "worker 1 of 2 died (its line 5 came where line 4 was due") || outcomes[1].Died != nil {
		t.Errorf("%v, %+v", err, outcomes)
	}
}

// An order is what it was when it is read again, and one of another version is refused.
func TestOrder(t *testing.T) {
	o := &share.Order{Plan: plan("http://a/", 2, 1), Shares: 3, TargetOf: []int{0}}
	o.Plan.Sequence = []attack.Slot{{Cohort: 0, Number: 7}, {Cohort: 0, Number: 9}}
	packed, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := share.DecodeOrder(packed)
	if err != nil {
		t.Fatal(err)
	}
	again.Plan.TLS, again.Form = nil, ""
	if !reflect.DeepEqual(o, again) {
		t.Errorf("got %+v, want %+v", again, o)
	}
	for _, wrong := range [][]byte{nil, packed[:20], []byte("{}")} {
		if o, err := share.DecodeOrder(wrong); err == nil {
			t.Errorf("%q is %+v", wrong, o)
		}
	}
	var other bytes.Buffer
	z := gzip.NewWriter(&other)
	text, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(bytes.Replace(text, []byte(`"form":""`), []byte(`"form":"hellochaos order 0"`), 1))
	z.Close()
	if _, err := share.DecodeOrder(other.Bytes()); err == nil || !strings.Contains(err.Error(), `is of the form "hellochaos order 0", and this program reads "hellochaos order 1"`) {
		t.Errorf("an order of another version: %v", err)
	}
}
