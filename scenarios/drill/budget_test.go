package drill

import (
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

func budgeted(percent float64, least int) Subject {
	return at(manifests.Endpoints{Pool: &manifests.Pool{Budget: &manifests.RetryBudget{Percent: percent, Least: least}}}, 1, 1)
}

// TestBudget has answers to 25 requests that hang, to some that were sent again and hang then, and to others that were not.
func TestBudget(t *testing.T) {
	d := budget(budgeted(20, 3))
	answers := func(hanging, again, once int) (all []Answer) {
		all = hung(hanging+again, hanging+again, 0)
		for i := range again {
			all[hanging+i].Attempt = 2
		}
		for i := range once {
			start := time.Duration(hanging+again+i) * 10 * ms
			all = append(all, Answer{Started: start, Ended: start + ms, Status: 500, Pod: "a", Attempt: 1})
		}
		return all
	}
	if len(d.Requests) != 37 {
		t.Fatalf("the drill has %d requests, want 25 that hang and 12 that fail: %s", len(d.Requests), d.Why)
	}
	const allows = "beside 25 calls that hang, 20 % and at least 3 allow 5 to 7"
	check(t, "as it is", d.Judge(answers(25, 6, 6), nil), "right: of 12 calls that failed at once, 6 were sent again, and 6 were not; "+allows)
	check(t, "no budget", d.Judge(answers(25, 12, 0), nil), "wrong: 12 calls were in a retry at the same time, and "+allows)
	check(t, "the minimum alone", d.Judge(answers(25, 3, 9), nil), "wrong: a call was not sent again while at most 3 others were in a retry, and "+allows)
	other := answers(25, 6, 6)
	other[0].Pod, other[0].Status = "", 503
	check(t, "one that does not hang", d.Judge(other, nil), "undecided: a request that was to be under way ended with status 503")
	last := answers(25, 6, 6)
	last[36].Pod, last[36].Status = "", 504
	check(t, "another answer", d.Judge(last, nil), "undecided: 1 request ended otherwise")
	late := answers(25, 6, 6)
	late[36].Started, late[36].Ended = 3400*ms, 3401*ms
	check(t, "a machine that is too slow", d.Judge(late, nil), "undecided: this machine was too slow")
}

// Where the percent shows only with too many calls under way, the minimum alone is checked.
func TestBudgetWithoutAPercent(t *testing.T) {
	for _, percent := range []float64{0, 0.5} {
		if d := budget(budgeted(percent, 2)); len(d.Requests) != 2+beyond || d.Requests[0].Pins == hangs {
			t.Errorf("%g %%: %d requests, want 7 that fail: %s", percent, len(d.Requests), d.Why)
		}
	}
}
