package run

import (
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// shopPlan is a plan of requests through the shop at a pace.
func shopPlan(t *testing.T, o Options, pace Pace) (*Run, error) {
	t.Helper()
	o.Attack.Rate, o.Attack.Connections = 0, 0 // the pace decides
	phase := scenarios.Phase{Name: "shop", Objects: parsed(t, "shop.yaml", shop()), Cohorts: []scenarios.Cohort{{Name: "customer", Entry: manifests.Entry{Service: "frontend"}}}}
	return Plan("shop", []scenarios.Phase{phase}, o, pace)
}

// A phase that takes longer than it may is refused before it begins, with the flag that allows it, and none is sent again that would take
// longer.
func TestAPhaseThatTakesTooLongIsRefused(t *testing.T) {
	slow := Pace{Capacity: 100}
	o := quick(0.1)
	o.Longest = 5 * time.Second
	_, err := shopPlan(t, o, slow)
	if err == nil || !strings.Contains(err.Error(), "more than 5 s are not begun unasked: --duration ") {
		t.Errorf("%v, want that it takes too long", err)
	}
	o.Attack.Duration = o.Longest
	r, err := shopPlan(t, o, slow)
	if err != nil {
		t.Fatal(err)
	}
	if p := r.phases[0]; p.seconds() > 5 || p.mayTake(p.rate/2) {
		t.Errorf("%d requests in %.1f s, which may be sent again: %v", p.settled, p.seconds(), p.mayTake(p.rate/2))
	}
	if r, err = shopPlan(t, o, pace); err != nil || !r.phases[0].mayTake(r.phases[0].rate/2) {
		t.Errorf("%v: requests that take less than half of the longest time may be sent again", err)
	}
}

// No more requests are under way than the target carries at once, and the pace is one at which so many are enough.
func TestRequestsAtOnceAreBounded(t *testing.T) {
	free, err := shopPlan(t, quick(0.1), pace)
	if err != nil {
		t.Fatal(err)
	}
	bounded := pace
	bounded.Connections = 3
	r, err := shopPlan(t, quick(0.1), bounded)
	if err != nil {
		t.Fatal(err)
	}
	if r.InFlight() != 3 || free.InFlight() <= 3 {
		t.Errorf("%d requests at once, and %d without a bound: want 3 and more", r.InFlight(), free.InFlight())
	}
}
