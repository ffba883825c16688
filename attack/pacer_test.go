package attack

import (
	"context"
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

func TestPacerStopsAfterTheLast(t *testing.T) {
	p := newPacer(t.Context(), schedule{requests: 2, rate: 1})
	for _, test := range []struct {
		elapsed time.Duration
		hits    uint64
		want    bool
	}{{0, 0, false}, {time.Second, 1, false}, {time.Hour, 1, false}, {time.Second, 2, true}} {
		wait, got := p.Pace(test.elapsed, test.hits)
		if got != test.want || wait != 0 {
			t.Errorf("Pace(%v, %d): got %v, %v; want 0, %v", test.elapsed, test.hits, wait, got, test.want)
		}
	}
}

func TestPacerWaitsUntilDue(t *testing.T) {
	p := newPacer(t.Context(), schedule{requests: 2, rate: 20})
	began := time.Now()
	if _, stop := p.Pace(10*time.Millisecond, 1); stop {
		t.Fatal("stopped with a request to go")
	}
	if waited := time.Since(began); waited < 40*time.Millisecond {
		t.Errorf("waited %v, want 40ms", waited)
	}
}

// Vegeta notices its own Stop only after its sleep, which would take an hour here.
func TestPacerWaitEndsWithSending(t *testing.T) {
	sending, stopSending := context.WithCancel(t.Context())
	p := newPacer(sending, schedule{requests: 2, rate: 1.0 / 3600})
	time.AfterFunc(10*time.Millisecond, stopSending)
	if _, stop := p.Pace(0, 1); !stop {
		t.Error("no stop after sending had ended")
	}
}

// A stop ends the wait for a request that is not sent any more, which would be an hour here, and no other wait.
func TestPacerWaitEndsWithACurtailment(t *testing.T) {
	p := newPacer(t.Context(), schedule{requests: 3, rate: 1.0 / 3600})
	time.AfterFunc(10*time.Millisecond, func() { p.curtail(1) })
	if _, stop := p.Pace(0, 1); !stop {
		t.Error("no stop though one request was to be sent and was")
	}
	p = newPacer(t.Context(), schedule{requests: 3, rate: 20})
	p.curtail(2)
	began := time.Now()
	if _, stop := p.Pace(10*time.Millisecond, 1); stop {
		t.Error("stopped with a request to go")
	}
	if waited := time.Since(began); waited < 40*time.Millisecond {
		t.Errorf("waited %v, want 40ms", waited)
	}
}
