package attack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/service/trail"
)

// planFor is a small plan, which tests change as they need.
func planFor(url string, requests int, rate float64) Plan {
	return Plan{URL: url, Requests: requests, Rate: rate, Name: "1/test", Connections: 16, Timeout: 30 * time.Second, Cohorts: []Cohort{{}}}
}

// serve starts a server on loopback. It ends with the test, and closes its connections.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// numberOf is the number of a request, which a server reads from its name.
func numberOf(r *http.Request) int {
	name := r.Header.Get(trail.HeaderRequest)
	number, err := strconv.Atoi(name[strings.LastIndexByte(name, '/')+1:])
	if err != nil {
		panic(err)
	}
	return number
}

// collect keeps copies of all observations.
func collect(to *[]Observation) func(*Observation) bool {
	return func(o *Observation) bool {
		*to = append(*to, *o)
		return true
	}
}

func TestRunSendsThePlan(t *testing.T) {
	type request struct{ user, accept, host, cohort string }
	var mutex sync.Mutex
	got := make(map[string]request)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		name := r.Header.Get(trail.HeaderRequest)
		if _, twice := got[name]; twice {
			t.Errorf("request %s came twice", name)
		}
		got[name] = request{r.Header.Get(trail.HeaderDevUser), r.Header.Get("Accept"), r.Host, r.Header.Get("X-Cohort")}
		for _, header := range []string{"X-Vegeta-Seq", "X-Vegeta-Attack", "Content-Length", "Transfer-Encoding"} {
			if value, there := r.Header[header]; there {
				t.Errorf("header %s: %q was sent", header, value)
			}
		}
		method, target := http.MethodGet, "/"
		if r.Header.Get("X-Cohort") == "" {
			method, target = http.MethodPost, "/orders?a=b"
		}
		if r.Method != method || r.RequestURI != target || r.ContentLength != 0 || len(r.TransferEncoding) != 0 {
			t.Errorf("got %s with content length %d and transfer encoding %q, want %s %s without a body", r.Method, r.ContentLength, r.TransferEncoding, method, target)
		}
	})
	plan := planFor(url, 90, 2000)
	plan.Name = "7/canary-after"
	plan.Cohorts = []Cohort{
		{Name: "canary", Host: "frontend.example", Header: http.Header{"X-Dev-User": {"super-secret"}, "X-Cohort": {"0"}}},
		{Name: "plain", Host: "frontend.example", Header: http.Header{"X-Cohort": {"1"}}},
		{Name: "bare", URL: url + "/orders?a=b", Method: http.MethodPost},
	}
	var observations []Observation
	result, err := Run(t.Context(), plan, collect(&observations))
	if err != nil {
		t.Fatal(err)
	}
	if result.Planned != 90 || result.Sent != 90 || result.Observed != 90 || result.Unsent != 0 || result.Resends != 0 || result.Stopped {
		t.Errorf("got %+v, want 90 planned, sent and observed, and nothing else", result)
	}
	for number, o := range observations {
		if o.Number != number || o.Cohort != number%3 || o.Status != 200 || o.Error != "" || o.Latency <= 0 {
			t.Errorf("observation %d: got %+v", number, o)
		}
		if want := time.Duration(number) * 500 * time.Microsecond; o.Planned != want {
			t.Errorf("observation %d: planned at %v, want %v", number, o.Planned, want)
		}
		want := [...]request{{"super-secret", "application/json", "frontend.example", "0"},
			{"", "application/json", "frontend.example", "1"}, {"", "application/json", strings.TrimPrefix(url, "http://"), ""}}[number%3]
		if got := got["7/canary-after/"+strconv.Itoa(number)]; got != want {
			t.Errorf("request %d: got %+v, want %+v", number, got, want)
		}
	}
	if plan.Cohorts[2].Header != nil || len(plan.Cohorts[1].Header) != 1 {
		t.Errorf("headers of the plan were changed: %v", plan.Cohorts)
	}
}

// A sequence says which cohort's request comes when, and a cohort's series is part of the names of its requests.
func TestRunSendsTheSequence(t *testing.T) {
	var mutex sync.Mutex
	pins := make(map[string]string)
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		name := r.Header.Get(trail.HeaderRequest)
		if _, twice := pins[name]; twice {
			t.Errorf("request %s came twice", name)
		}
		pins[name] = r.Header.Get(trail.HeaderPins)
	})
	plan := planFor(url, 6, 2000)
	plan.Name = "7/retry"
	plan.Cohorts = []Cohort{
		{Name: "natural"},
		{Name: "probes", Series: "p", Header: http.Header{http.CanonicalHeaderKey(trail.HeaderPins): {"0.1=fail"}}},
	}
	plan.Sequence = []Slot{{1, 3}, {0, 0}, {1, 0}, {1, 1}, {0, 12}, {0, 3}}
	var observations []Observation
	result, err := Run(t.Context(), plan, collect(&observations))
	if err != nil || result.Sent != 6 || len(observations) != 6 || len(pins) != 6 {
		t.Fatalf("got %+v, %v, %d observations and %d requests, want 6 sent, observed and received", result, err, len(observations), len(pins))
	}
	for number, want := range []string{"7/retry/p/3", "7/retry/0", "7/retry/p/0", "7/retry/p/1", "7/retry/12", "7/retry/3"} {
		cohort, pin := 0, ""
		if strings.Contains(want, "/p/") {
			cohort, pin = 1, "0.1=fail"
		}
		if got := plan.RequestName(number); got != want {
			t.Errorf("request %d is named %q, want %q", number, got, want)
		}
		if o := observations[number]; o.Number != number || o.Cohort != cohort || o.Status != 200 {
			t.Errorf("observation %d: got %+v, want cohort %d", number, o, cohort)
		}
		if got, there := pins[want]; !there || got != pin {
			t.Errorf("request %s: received %v, with pins %q, want pins %q", want, there, got, pin)
		}
	}
}

func TestRunDecodesTrails(t *testing.T) {
	hop := trail.Hop{Service: "frontend", Version: "prod", Status: 500, Attempt: 2, Elapsed: time.Millisecond}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch numberOf(r) {
		case 0: // a failed answer carries its trail, too
			w.Header().Set(trail.HeaderTrail, trail.Form)
			w.WriteHeader(500)
			w.Write(trail.Append(nil, &hop))
		case 1: // an answer of a proxy itself
			w.WriteHeader(503)
			w.Write([]byte("upstream connect error"))
		case 2: // a trail that cannot be read
			w.Header().Set(trail.HeaderTrail, trail.Form)
			w.Write([]byte(`{"service":`))
		case 3: // a trail that is much too long
			w.Header().Set(trail.HeaderTrail, trail.Form)
			w.Write(append(trail.Append(nil, &hop), slices.Repeat([]byte(" "), trail.MaxBytes)...))
		case 5: // a trail of another version
			w.Header().Set(trail.HeaderTrail, "1")
			w.Write(trail.Append(nil, &hop))
		case 4: // redirects are answers
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}
	})
	var got []Observation
	if _, err := Run(t.Context(), planFor(url, 6, 1000), collect(&got)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{500, 503, 200, 200, 302, 200} {
		if got[i].Status != want || (got[i].Trail != nil) != (i == 0) {
			t.Errorf("answer %d: got status %d and trail %v, want status %d", i, got[i].Status, got[i].Trail, want)
		}
	}
	if !reflect.DeepEqual(*got[0].Trail, hop) {
		t.Errorf("got trail %+v, want %+v", *got[0].Trail, hop)
	}
}

// A server that freezes holds back later requests when connections are few. Vegeta alone does not report that.
func TestRunSeesAFreeze(t *testing.T) {
	var first sync.Once
	frozen := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if numberOf(r) >= 20 {
			first.Do(func() { time.AfterFunc(300*time.Millisecond, func() { close(frozen) }) })
			<-frozen
		}
	})
	plan := planFor(url, 200, 400)
	plan.Connections = 4
	longLatencies := 0
	result, err := Run(t.Context(), plan, func(o *Observation) bool {
		if o.Latency > 100*time.Millisecond {
			longLatencies++
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Sent != 200 || result.Unsent != 0 || !result.Late {
		t.Errorf("got %+v, want all 200 sent, and late", result)
	}
	if longLatencies < 4 || result.LagP99 < 200*time.Millisecond || result.LateShare < 0.2 {
		t.Errorf("got %d requests 100ms slow, lag p99 %v, late share %.2f; want a freeze of 300ms to be seen",
			longLatencies, result.LagP99, result.LateShare)
	}
}

func TestRunCountsUnsent(t *testing.T) {
	var received atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		received.Add(1)
		select {
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
		}
	})
	plan := planFor(url, 100, 1000) // two connections send about four in the 0.35 s that it has
	plan.Connections = 2
	var observations []Observation
	began := time.Now()
	result, err := Run(t.Context(), plan, collect(&observations))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v, want about 0.6s", took)
	}
	if result.Unsent < 80 || result.Sent+result.Unsent != 100 || result.Sent != int(received.Load()) || result.Observed != result.Sent {
		t.Errorf("got %+v with %d received; want most unsent, 100 in all, and the sent ones received and observed", result, received.Load())
	}
	if !result.Limited || len(result.Warnings()) == 0 {
		t.Errorf("got %+v, want it limited, in words too", result)
	}
	if result.AchievedRate > 20 {
		t.Errorf("got an achieved rate of %.1f a second, want about 11", result.AchievedRate)
	}
	for number, o := range observations {
		if o.Number != number {
			t.Fatalf("observation %d has number %d", number, o.Number)
		}
	}
}

// Requests that are held up leave until the grace after the planned end is over, and not later. Without a grace of its
// own, sending would end 0.26 s after its beginning.
func TestRunSendsWithinTheGrace(t *testing.T) {
	for _, test := range []struct {
		held, grace time.Duration
		sent        int
	}{
		{400 * time.Millisecond, time.Minute, 10},
		{300 * time.Millisecond, 20 * time.Millisecond, 1},
	} {
		url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			if numberOf(r) == 0 {
				<-time.After(test.held)
			}
		})
		plan := planFor(url, 10, 1000) // 10 ms
		plan.Connections, plan.Grace = 1, test.grace
		result, err := Run(t.Context(), plan, func(*Observation) bool { return true })
		if err != nil || result.Sent != test.sent || result.Observed != test.sent || result.Unsent != 10-test.sent {
			t.Errorf("grace %v: got %+v, %v; want %d of 10 sent and observed", test.grace, result, err, test.sent)
		}
	}
}

// An attack at a rate that cannot be sent ends in time, and its result is Limited.
func TestRunBeyondWhatCanBeSent(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	plan := planFor(url, 45_000, 90_000) // half a second
	plan.Connections = 4
	began := time.Now()
	result, err := Run(t.Context(), plan, func(*Observation) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %v, want about 0.75s", took)
	}
	if !result.Limited || !result.Late || result.Sent+result.Unsent != 45_000 {
		t.Errorf("got %+v, want it limited and late", result)
	}
}

// The same answers make the same prefix, whatever order they come in, when the lead is more than what is in flight. What
// lies behind the stop waits for it, so that no pause of the machine makes the lead too short.
func TestRunStopsOnThePlannedPrefix(t *testing.T) {
	const block, enough, lead = 8, 40, 50
	fails := func(number int) bool {
		return trail.Draw("fail", "1/test/"+strconv.Itoa(number), "frontend", "") < 0.5
	}
	last := -1 // the number of the request that decides
	for failures := 0; failures < enough; {
		if last++; fails(last) {
			failures++
		}
	}
	prefix := func(reverse bool) (numbers, statuses []int) {
		var received atomic.Int64
		stopped := make(chan struct{})
		var answered [1000]chan struct{}
		for i := range answered {
			answered[i] = make(chan struct{})
		}
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			received.Add(1)
			number := numberOf(r)
			defer close(answered[number])
			if number > last {
				<-stopped
			}
			if reverse && number%block != block-1 {
				select { // the next one answers first, unless the stop came between
				case <-answered[number+1]:
				case <-time.After(100 * time.Millisecond):
				}
			}
			if fails(number) {
				w.WriteHeader(500)
			}
		})
		plan := planFor(url, len(answered), 1000)
		plan.Lead = lead
		failures := 0
		result, err := Run(t.Context(), plan, func(o *Observation) bool {
			numbers, statuses = append(numbers, o.Number), append(statuses, o.Status)
			if o.EdgeFailure() {
				failures++
			}
			if o.Number == last {
				close(stopped)
			}
			return failures < enough
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := last + 1 + lead; !result.Stopped || result.Observed != len(numbers) || result.Observed != want || result.Sent != want || int(received.Load()) != want {
			t.Errorf("got %+v with %d received, want a stop with %d sent, received and observed", result, received.Load(), want)
		}
		return numbers, statuses
	}
	numbers, statuses := prefix(false)
	for i, number := range numbers {
		if number != i {
			t.Fatalf("observation %d has number %d", i, number)
		}
	}
	if numbersAgain, statusesAgain := prefix(true); !slices.Equal(numbers, numbersAgain) || !slices.Equal(statuses, statusesAgain) {
		t.Errorf("got a prefix of %d in planned order and of %d in reverse order", len(numbers), len(numbersAgain))
	}
}

// A stop with a lead sends and observes the same requests whatever is in flight when it comes. Answers beyond 50 wait
// until 50 is observed: no pause of the machine lets the attack run past the lead before its stop.
func TestRunStopsAfterTheLead(t *testing.T) {
	for _, connections := range []int{1, 100} {
		stopped := make(chan struct{})
		url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			if numberOf(r) > 50 {
				<-stopped
			}
		})
		plan := planFor(url, 5000, 1000)
		plan.Lead, plan.Connections = 200, connections
		result, err := Run(t.Context(), plan, func(o *Observation) bool {
			if o.Number == 50 {
				close(stopped)
			}
			return o.Number != 49
		})
		if err != nil {
			t.Fatal(err)
		}
		if !result.Stopped || result.Sent != 250 || result.Observed != 250 || result.Unsent != 0 || result.Limited {
			t.Errorf("%d connections: got %+v, want a stop with 250 sent and observed", connections, result)
		}
	}
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	plan := planFor(url, 100, 1000)
	plan.Lead = 200
	if result, err := Run(t.Context(), plan, func(*Observation) bool { return false }); err != nil || result.Sent != 100 || result.Observed != 100 {
		t.Errorf("a lead beyond the plan: got %+v, %v, want all 100", result, err)
	}
}

// Every request that was sent before the stop is waited for and observed after it, in planned order, whatever observe
// returns by then.
func TestRunObservesAllThatWasSent(t *testing.T) {
	var received atomic.Int64
	held, release := make(chan struct{}, 1000), make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		received.Add(1)
		if numberOf(r) > 0 {
			held <- struct{}{}
			<-release
		}
	})
	var numbers []int
	result, err := Run(t.Context(), planFor(url, 1000, 1000), func(o *Observation) bool {
		if numbers = append(numbers, o.Number); o.Number == 0 {
			for range 5 {
				<-held
			}
			close(release)
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	if sent := int(received.Load()); !result.Stopped || sent < 6 || sent >= 1000 || result.Sent != sent || result.Observed != sent || len(numbers) != sent || result.Unsent != 0 {
		t.Errorf("got %+v with %d received and %d observed, want a stop, and the same requests sent, received and observed", result, sent, len(numbers))
	}
	if !slices.IsSorted(numbers) {
		t.Errorf("observed %v, want planned order", numbers)
	}
}

// Vegeta alone would send one more request 20 s later.
func TestRunStopsPromptlyAtALowRate(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	for name, stop := range map[string]func(cancel context.CancelFunc) bool{
		"stop":  func(context.CancelFunc) bool { return false },
		"abort": func(cancel context.CancelFunc) bool { cancel(); return true },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began := time.Now()
		result, err := Run(ctx, planFor(url, 100, 0.05), func(*Observation) bool { return stop(cancel) })
		if (err != nil) != (name == "abort") || result.Stopped != (name == "stop") {
			t.Errorf("%s: got %+v, %v", name, result, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %v, want no time", name, took)
		}
		if result.Sent != 1 || result.Observed != 1 || result.Unsent != 0 {
			t.Errorf("%s: got %+v, want one request", name, result)
		}
	}
}

func TestRunAborts(t *testing.T) {
	received := make(chan struct{}, 100)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if numberOf(r) >= 5 {
			received <- struct{}{}
			<-r.Context().Done()
		}
	})
	errInterrupt := errors.New("interrupt")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var aborted time.Time
	observed := make(chan struct{})
	go func() {
		for range 10 {
			<-received
		}
		<-observed
		aborted = time.Now()
		cancel(errInterrupt)
	}()
	var observations []Observation
	plan := planFor(url, 1000, 500)
	plan.Timeout = time.Minute
	result, err := Run(ctx, plan, func(o *Observation) bool {
		if observations = append(observations, *o); len(observations) == 5 {
			close(observed)
		}
		return true
	})
	if took := time.Since(aborted); took > 5*time.Second {
		t.Errorf("returned %v after the abort, want at once, and not after the minute's timeout", took)
	}
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errInterrupt) {
		t.Errorf("got %v, want an error that wraps %v and %v", err, context.Canceled, errInterrupt)
	}
	if result.Observed != 5 || len(observations) != 5 || result.Sent < 15 || result.Sent > 5+16 || result.Stopped {
		t.Errorf("got %+v with %d observations, want the five that were answered", result, len(observations))
	}
}

// A deadline of the context of the caller aborts the attack, too.
func TestRunAbortsAtADeadline(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	result, err := Run(ctx, planFor(url, 1000, 200), func(o *Observation) bool {
		t.Errorf("got %+v, want nothing", o)
		return true
	})
	if !errors.Is(err, context.DeadlineExceeded) || result.Sent == 0 {
		t.Errorf("got %+v, %v, want an error that wraps %v", result, err, context.DeadlineExceeded)
	}
}

func TestRunLetsPanicsThroughAndLeavesNothing(t *testing.T) {
	held := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if numberOf(r) >= 3 {
			held <- struct{}{}
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	existing := goleak.IgnoreCurrent()
	func() {
		defer func() {
			if got := recover(); got != "enough" {
				t.Errorf("recovered %v, want the panic of observe", got)
			}
		}()
		Run(t.Context(), planFor(server.URL, 1000, 500), func(o *Observation) bool {
			if o.Number == 2 {
				<-held
				panic("enough")
			}
			return true
		})
	}()
	goleak.VerifyNone(t, existing)
}

func TestRunLeavesNoConnections(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	existing := goleak.IgnoreCurrent()
	if _, err := Run(t.Context(), planFor(server.URL, 10, 1000), func(*Observation) bool { return true }); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, existing)
}

// A hit that waits for a free worker when sending ends is not sent afterwards.
func TestRunSendsNothingAfterTheStop(t *testing.T) {
	var received atomic.Int64
	held, release := make(chan struct{}, 10), make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		received.Add(1)
		if numberOf(r) > 0 {
			held <- struct{}{}
			<-release
		}
	})
	plan := planFor(url, 1000, 1000)
	plan.Connections = 2
	result, err := Run(t.Context(), plan, func(o *Observation) bool {
		if o.Number > 0 {
			return false
		}
		<-held
		<-held
		// Both workers are busy, and the next hits have been due for some time.
		time.AfterFunc(time.Second, func() { close(release) })
		<-time.After(20 * time.Millisecond)
		return false
	})
	if err != nil || result.Sent != 3 || received.Load() != 3 || result.Observed != 3 {
		t.Errorf("got %+v, %v with %d received, want three requests, all observed", result, err, received.Load())
	}
}

func TestConclude(t *testing.T) {
	for _, test := range []struct {
		name        string
		sent, late  int
		last, ended time.Duration
		unsent      int
		rate, share float64
	}{
		{name: "all sent in time", sent: 100, last: 990 * ms, rate: 100},
		{name: "all sent, the last a second late", sent: 100, last: 1990 * ms, late: 25, rate: 50, share: 0.25},
		{name: "stopped in the middle", sent: 50, last: 490 * ms, ended: 499 * ms, rate: 100},
		{name: "stopped when two were due, one only just", sent: 50, last: 490 * ms, ended: 525 * ms, unsent: 1, rate: 50 / 0.525},
		{name: "stuck after the fifth", sent: 5, last: 40 * ms, ended: 2 * time.Second, unsent: 95, rate: 2.5},
		{name: "aborted at once", ended: time.Millisecond},
	} {
		a := &attack{plan: &Plan{}, schedule: schedule{requests: 100, rate: 100}, lags: newHistogram(), last: test.last, ended: test.ended, late: test.late,
			result: Result{Sent: test.sent, PlannedRate: 100}}
		a.conclude()
		if got := a.result; got.Unsent != test.unsent || math.Abs(got.AchievedRate-test.rate) > 1e-9 || got.LateShare != test.share {
			t.Errorf("%s: got %d unsent, %g a second, late share %g; want %d, %g, %g",
				test.name, got.Unsent, got.AchievedRate, got.LateShare, test.unsent, test.rate, test.share)
		}
	}
}

func TestRunRefusesPlans(t *testing.T) {
	good := planFor("http://frontend/", 10, 10)
	if err := good.Check(); err != nil {
		t.Errorf("got %v of a good plan", err)
	}
	for _, test := range []struct {
		spoil func(*Plan)
		want  string
	}{
		{func(p *Plan) { p.URL = "frontend" }, `URL: "frontend" must be`},
		{func(p *Plan) { p.URL = "http://[" }, "URL: parse"},
		{func(p *Plan) { p.Requests = 0 }, "Requests 0: must be"},
		{func(p *Plan) { p.Requests = MaxRequests + 1 }, "Requests 10000001: must be"},
		{func(p *Plan) { p.Rate = 0 }, "Rate 0: must be"},
		{func(p *Plan) { p.Rate = MaxRate + 1 }, "Rate 100001: must be"},
		{func(p *Plan) { p.Rate = 1e-5 }, "would take 278 hours, must be at most 24"},
		{func(p *Plan) { p.Cohorts = nil }, "Cohorts: must be"},
		{func(p *Plan) { p.Cohorts = []Cohort{{}, {URL: "/orders"}} }, `Cohorts[1].URL: "/orders" must be http://host/`},
		{func(p *Plan) { p.Sequence = make([]Slot, 9) }, "Sequence: has 9 slots, must have one for each of the 10 requests"},
		{func(p *Plan) { p.Sequence = []Slot{} }, "Sequence: has 0 slots, must have one"},
		{func(p *Plan) { p.Sequence = make([]Slot, 10); p.Sequence[3].Cohort = 1 }, "Sequence[3]: cohort 1, number 0: must be one of the 1 cohorts"},
		{func(p *Plan) { p.Sequence = make([]Slot, 10); p.Sequence[0].Cohort = -1 }, "Sequence[0]: cohort -1, number 0: must be"},
		{func(p *Plan) { p.Sequence = make([]Slot, 10); p.Sequence[9].Number = -1 }, "Sequence[9]: cohort 0, number -1: must be"},
		{func(p *Plan) { p.Grace = -time.Second }, "Grace -1s: must be 0 or at least 20ms"},
		{func(p *Plan) { p.Grace = 19 * time.Millisecond }, "Grace 19ms: must be 0 or at least 20ms"},
		{func(p *Plan) { p.Connections = 0 }, "Connections 0: must be"},
		{func(p *Plan) { p.Timeout = 0 }, "Timeout 0s: must be"},
		{func(p *Plan) { p.Timeout = 2 * time.Minute }, "Timeout 2m0s: must be"},
	} {
		plan := good
		test.spoil(&plan)
		_, err := Run(t.Context(), plan, nil)
		if checked := plan.Check(); checked == nil || err == nil || checked.Error() != err.Error() {
			t.Errorf("Check says %v, Run %v; want the same", checked, err)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `"1/test"`) {
			t.Errorf("got %v, want the plan's name and %q", err, test.want)
		}
	}
	if _, err := Run(t.Context(), Plan{}, nil); err == nil || strings.Count(err.Error(), "must be") != 6 {
		t.Errorf("got %v, want six problems", err)
	}
}

func ExampleRun() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if numberOf(r)%4 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	tally := NewTally(1, "frontend")
	result, err := Run(context.Background(), Plan{
		URL: server.URL, Name: "1/example", Requests: 1000, Rate: 1000, Connections: 1, Timeout: DefaultTimeout, Cohorts: []Cohort{{}}, Lead: 10,
	}, func(o *Observation) bool {
		tally.Add(o)
		return tally.Cohorts[0].EdgeFailures < 5
	})
	fmt.Println(result.Observed, result.Stopped, tally.Cohorts[0].EdgeFailures, err)
	// Output: 27 true 7 <nil>
}
