package attack

import (
	"math"
	"net/http"
	"testing"
	"time"
)

func TestScheduleAt(t *testing.T) {
	for _, test := range []struct {
		rate float64
		n    int
		want time.Duration
	}{
		{rate: 50, n: 0, want: 0},
		{rate: 50, n: 1, want: 20 * time.Millisecond},
		{rate: 1000, n: 2500, want: 2500 * time.Millisecond},
		{rate: 0.25, n: 3, want: 12 * time.Second},
		{rate: MaxRate, n: MaxRequests, want: 100 * time.Second},
	} {
		if got := (&schedule{requests: MaxRequests, rate: test.rate}).at(test.n); got != test.want {
			t.Errorf("at(%d) at %g a second: got %v, want %v", test.n, test.rate, got, test.want)
		}
	}
}

func TestScheduleDue(t *testing.T) {
	s := schedule{requests: 10, rate: 50}
	for _, test := range []struct {
		elapsed time.Duration
		want    int
	}{
		{-time.Second, 0},
		{0, 1},
		{20*time.Millisecond - 1, 1},
		{20 * time.Millisecond, 2},
		{180*time.Millisecond - 1, 9},
		{180 * time.Millisecond, 10},
		{time.Hour, 10},
	} {
		if got := s.due(test.elapsed); got != test.want {
			t.Errorf("due(%v): got %d, want %d", test.elapsed, got, test.want)
		}
	}
}

// due is the inverse of at, also for rates whose interval is not a whole number of nanoseconds.
func TestScheduleDueInvertsAt(t *testing.T) {
	for _, rate := range []float64{0.3, 3, 7, 333.3, 99_999} {
		s := schedule{requests: 5000, rate: rate}
		for n := range s.requests {
			at := s.at(n)
			if got := s.due(at); got != n+1 {
				t.Fatalf("rate %g: due(at(%d)): got %d, want %d", rate, n, got, n+1)
			}
			if got := s.due(at - 1); got != n {
				t.Fatalf("rate %g: due(at(%d)-1ns): got %d, want %d", rate, n, got, n)
			}
		}
	}
}

func TestScheduleBudget(t *testing.T) {
	for _, test := range []struct {
		requests    int
		grace, want time.Duration
	}{
		{100, 0, 1250 * time.Millisecond},
		{1000, 0, 11 * time.Second},
		{6000, 0, 66 * time.Second},
		{100, time.Millisecond, 1001 * time.Millisecond},
		{100, time.Minute, 61 * time.Second},
	} {
		if got := (&schedule{requests: test.requests, rate: 100, grace: test.grace}).budget(); got != test.want {
			t.Errorf("budget of %d at 100 a second, grace %v: got %v, want %v", test.requests, test.grace, got, test.want)
		}
	}
}

// Phases follow each other. The number of requests up to a time is the rate, summed up.
func TestScheduleOfPhases(t *testing.T) {
	plan := Plan{Seed: 7, Phases: []Phase{
		{Rate: 100, To: 100, Duration: time.Second},
		{Rate: 100, To: 300, Duration: 2 * time.Second},
		{Rate: 300, To: 0, Duration: time.Second},
		{Rate: 1000, To: 1000, Duration: 2 * time.Second, Poisson: true},
		{Times: []time.Duration{0, 0, 10 * time.Millisecond}, Duration: time.Second},
	}}
	plan.Requests = 100 + 400 + 150 + 2000 + 3
	s := plan.schedule()
	plan.checkPhases(t.Fatalf)
	for _, test := range []struct {
		at   time.Duration
		want int
	}{{0, 1}, {500 * time.Millisecond, 51}, {2 * time.Second, 251}, {3 * time.Second, 501}, {3500 * time.Millisecond, 613}, {3999 * time.Millisecond, 650}, {6*time.Second - 1, 2650}, {6 * time.Second, 2652}, {6*time.Second + 10*time.Millisecond, 2653}} {
		if got := s.due(test.at); got != test.want {
			t.Errorf("at %v: %d are due, want %d", test.at, got, test.want)
		}
	}
	if got := s.budget(); got != 7*time.Second+700*time.Millisecond {
		t.Errorf("budget %v", got)
	}
	last := time.Duration(0)
	for n := range s.requests {
		if at := s.at(n); at < last {
			t.Fatalf("request %d is due at %v, before the one before it at %v", n, at, last)
		} else {
			last = at
		}
	}
}

// The gaps of a Poisson process are as long as they vary.
func TestSchedulePoisson(t *testing.T) {
	plan := Plan{Phases: []Phase{{Rate: 1000, To: 1000, Duration: 10 * time.Second, Poisson: true}}, Requests: 10_000}
	s := plan.schedule()
	var sum, squares float64
	for n := range s.requests - 1 {
		gap := (s.at(n+1) - s.at(n)).Seconds()
		sum, squares = sum+gap, squares+gap*gap
	}
	count := float64(s.requests - 1)
	if mean, variance := sum/count, squares/count-sum*sum/count/count; math.Abs(mean-0.001) > 0.00001 || math.Abs(math.Sqrt(variance)/mean-1) > 0.06 {
		t.Errorf("gaps have the mean %g and the deviation %g", mean, math.Sqrt(variance))
	}
	if again := plan.schedule(); again.at(1234) != s.at(1234) {
		t.Error("the same seed draws other times")
	}
}

// A plan without a schedule sends for its time as fast as answers come, and its requests are not late.
func TestRunClosed(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	plan := planFor(url, MostRequests, 0)
	plan.Bare, plan.Closed, plan.Connections = true, 300*time.Millisecond, 4
	var got []Observation
	result, err := Run(t.Context(), plan, collect(&got))
	if err != nil || len(got) < 10 || result.Unsent != 0 || result.Limited || result.Late || result.MostInFlight > 4 || result.AchievedRate < float64(len(got)) {
		t.Errorf("%v: %d observations, %+v", err, len(got), result)
	}
	for _, o := range got {
		if o.Status != 200 || o.Planned != o.Started || o.Started > 310*time.Millisecond {
			t.Fatalf("%+v", o)
		}
	}
}
