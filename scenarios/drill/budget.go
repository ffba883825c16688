package drill

import (
	"fmt"
	"math"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// margin is how many retries more than minRetryConcurrency the calls under way are to make room for, so that the percent shows.
const margin = 2

// budget checks that no more calls are in a retry at once than a retryBudget allows, and that one is not sent again only where that many are.
// Calls that hang are under way meanwhile, of which the budget has its percent.
func budget(s Subject) Drill {
	d := Drill{Subject: s, Kind: Budget, Rate: crowdRate, Parts: []manifests.Coupling{manifests.Ejections}}
	b := s.Pool.Budget
	hanging := underWay(b)
	again := failing(b, hanging)
	least, most := b.AtOnce(hanging), b.AtOnce(hanging+again)
	atOnce := s.Pool.AtOnce(s.Pods)
	switch n := hanging + again; {
	case s.retried() == 1:
		d.Why = "the rule does not send a call again that is answered 500, as stand-ins fail"
	case again <= most:
		d.Why = fmt.Sprintf("at %g %% it allows about as many retries as there are calls", b.Percent)
	case n > mostAtOnce:
		d.Why = fmt.Sprintf("a check of it would have %d requests under way, and has at most %d", n, mostAtOnce)
	case atOnce > 0 && atOnce <= n:
		d.Why = "the limits of the connectionPool are lower"
	case !s.hasTime(s.Hang + 2*time.Second):
		d.Why = "the time limits of the rule end the requests that are to fill it"
	default:
		d.Requests = append(pinned(hanging, hangs), pinned(again, "1=fail,2=hang")...)
		d.judge = byAnswers(func(answers []Answer) Finding { return judgeBudget(answers, b, hanging, least, most) })
	}
	return d
}

// underWay is how many calls are to hang so that the percent of a budget allows margin more retries than its minimum; 0 where too many would
// have to.
func underWay(b *manifests.RetryBudget) int {
	if b.Percent == 0 {
		return 0
	}
	n := math.Ceil(100 * float64(b.Least+margin) / b.Percent)
	if n > mostAtOnce/2 {
		return 0
	}
	return int(n)
}

// failing is how many calls are to fail while so many others hang, so that some are not sent again even where all of them are under way.
func failing(b *manifests.RetryBudget, hanging int) int {
	n := b.AtOnce(hanging) + beyond
	for n < mostAtOnce && b.AtOnce(hanging+n) > n-beyond {
		n++
	}
	return n
}

// judgeBudget judges requests of which the first ones hang, and the others fail at their first try and hang at their second one. At least so
// many of these may be in a retry at once, and at most so many.
func judgeBudget(answers []Answer, b *manifests.RetryBudget, hanging, least, most int) Finding {
	for _, a := range answers[:hanging] {
		if a.Pod == "" || a.Attempt != 1 {
			return undecided("a request that was to be under way ended with status %d", a.Status)
		}
	}
	again, once := divided(answers[hanging:])
	if rest := len(answers) - hanging - len(again) - len(once); rest > 0 {
		return undecided("%s ended otherwise than by a first or a second try", counted(rest, "request"))
	}
	if tooSlow(answers, append(again, answers[:hanging]...)) {
		return undecided("this machine was too slow to have all retries under way at once")
	}
	allows := fmt.Sprintf("beside %d calls that hang, %g %% and at least %d allow %d", hanging, b.Percent, b.Least, least)
	if most > least {
		allows += fmt.Sprintf(" to %d", most)
	}
	if len(again) > most {
		return wrong("%d calls were in a retry at the same time, and %s", len(again), allows)
	}
	for i := range once {
		if beside := overlapping(again, &once[i]); beside < least {
			return wrong("a call was not sent again while at most %d others were in a retry, and %s", beside, allows)
		}
	}
	return Finding{Right: fmt.Sprintf("of %d calls that failed at once, %d were sent again, and %d were not; %s", len(again)+len(once), len(again), len(once), allows)}
}

// divided are the answers to calls that were sent again, and to those that failed and were not.
func divided(answers []Answer) (again, once []Answer) {
	for _, a := range answers {
		switch {
		case a.Pod != "" && a.Attempt > 1:
			again = append(again, a)
		case a.Pod != "" && a.Attempt == 1 && a.Status >= 500:
			once = append(once, a)
		}
	}
	return again, once
}
