package attack

import (
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
		if got := (schedule{requests: MaxRequests, rate: test.rate}).at(test.n); got != test.want {
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
		if got := (schedule{test.requests, 100, test.grace}).budget(); got != test.want {
			t.Errorf("budget of %d at 100 a second, grace %v: got %v, want %v", test.requests, test.grace, got, test.want)
		}
	}
}
