package attack

import (
	"slices"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name          string
		result        Result
		limited, late bool
	}{
		{name: "as planned", result: Result{Sent: 1000, PlannedRate: 100, AchievedRate: 100}},
		{name: "nothing was due", result: Result{PlannedRate: 100}},
		{name: "one in a hundred unsent", result: Result{Sent: 990, Unsent: 10, PlannedRate: 100, AchievedRate: 99}},
		{name: "more unsent", result: Result{Sent: 989, Unsent: 11, PlannedRate: 100, AchievedRate: 99}, limited: true},
		{name: "all sent, and all too slowly", late: true,
			result: Result{Sent: 1000, PlannedRate: 100, AchievedRate: 50, LagMedian: 5 * time.Second, LateShare: 1}},
		{name: "one in twenty late", result: Result{Sent: 1000, PlannedRate: 100, AchievedRate: 100, LateShare: 0.05}},
		{name: "more late", result: Result{Sent: 1000, PlannedRate: 100, AchievedRate: 100, LateShare: 0.051}, late: true},
	} {
		if test.result.Judge(); test.result.Limited != test.limited || test.result.Late != test.late {
			t.Errorf("%s: got limited %v, late %v; want %v, %v", test.name, test.result.Limited, test.result.Late, test.limited, test.late)
		}
	}
}

func TestWarnings(t *testing.T) {
	if got := (&Result{Sent: 10, PlannedRate: 5, AchievedRate: 5}).Warnings(); len(got) != 0 {
		t.Errorf("a good attack has the warnings %q", got)
	}
	bad := Result{Limited: true, Late: true, Sent: 80, Unsent: 20, PlannedRate: 100, AchievedRate: 79.6, Resends: 2,
		LateShare: 0.123, LagMedian: 3 * time.Millisecond, LagP99: 45 * time.Millisecond}
	want := []string{
		"the load generator could not keep its schedule: 20 of the 100 requests that were due were never sent, and it sent 79.6 requests " +
			"a second where 100 were planned; the counts are void, which means that no verdict follows from them " +
			"(choose a lower --rate, or more --connections if the answers are slow)",
		"12.3 % of the requests left more than 20ms late (median 3ms, 99th percentile 45ms), and the load generator sent 79.6 requests " +
			"a second where 100 were planned; the latencies are void, which means that no verdict follows from them",
		"the HTTP client sent 2 requests more than once; the counts are void, which means that no verdict follows from them",
	}
	for rate, want := range map[float64]string{0.05: "0.05", 79.64: "79.6", 3333.5: "3334", 90_000: "90000"} {
		if got := perSecond(rate); got != want {
			t.Errorf("perSecond(%g) = %s, want %s", rate, got, want)
		}
	}
	if got := bad.Warnings(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
