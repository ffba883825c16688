package drill

import (
	"fmt"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// mostAtOnce is how many requests a drill has under way at most.
	mostAtOnce = 200
	// beyond is how many requests more than a limit lets in are sent.
	beyond = 5
	// crowdRate is how many a second come while others hang: so few that each gets its connection before the next one comes, and so many
	// that all come before the first one ends.
	crowdRate = 100
	// settled is how long before the first request ends the last one must have left.
	settled = 500 * time.Millisecond
)

// limits checks that no more calls are under way at once than a connectionPool allows, and that one is refused only where that many are.
func limits(s Subject) Drill {
	d := Drill{Subject: s, Kind: Limits, Rate: crowdRate, Parts: []manifests.Coupling{manifests.Ejections}}
	atOnce := s.Pool.AtOnce(s.Pods)
	refuses, waiting := s.refuses()
	n := atOnce + waiting + beyond
	if !refuses {
		n = atOnce + 2
	}
	switch {
	case atOnce == 0 && s.Pool.Pending == 0:
		d.Why = "it bounds no calls under way"
	case atOnce == 0:
		d.Why = "without maxConnections, calls wait only while connections are being made, which takes less than a request here"
	case n > mostAtOnce:
		d.Why = fmt.Sprintf("it allows %d calls at once, and a check has at most %d requests under way", atOnce+waiting, mostAtOnce)
	case !s.hasTime(2*s.Hang + time.Second):
		d.Why = "the time limits of the rule end the requests that are to fill it"
	default:
		d.Requests = pinned(n, hangs)
		d.judge = byAnswers(func(answers []Answer) Finding { return s.judgeLimits(answers, atOnce, waiting, refuses) })
	}
	return d
}

// refuses reports whether a call is refused at last where more come than may be under way, and how many wait before that.
func (s *Subject) refuses() (refuses bool, waiting int) {
	connections := 0
	if s.Pool.Connections > 0 {
		connections = max(s.Pool.Connections, s.Pods)
	}
	if s.Pool.Requests > 0 && (connections == 0 || s.Pool.Requests <= connections) {
		return true, 0
	}
	return connections > 0 && s.Pool.Pending > 0, s.Pool.Pending
}

// judgeLimits judges requests that hang.
func (s *Subject) judgeLimits(answers []Answer, atOnce, waiting int, refuses bool) Finding {
	admitted, refused, other := sorted(answers, func(a *Answer) bool { return a.Pod != "" })
	if most := crowd(admitted); most > atOnce {
		return wrong("%d calls were under way at the same time, and the limits allow %d", most, atOnce)
	}
	if !refuses && len(refused) > 0 {
		return wrong("%d of %d requests were refused with 503, although any number of calls may wait for a connection", len(refused), len(answers))
	}
	if len(other) > 0 {
		return undecided("%s ended otherwise, the first with status %d", counted(len(other), "request"), other[0].Status)
	}
	if !refuses {
		return Finding{Right: fmt.Sprintf("of %d requests at once, at most %d were under way at the same time; the others waited, and none was refused", len(answers), crowd(admitted))}
	}
	if tooSlow(answers, admitted) {
		return undecided("this machine was too slow to have all requests under way at once")
	}
	if len(admitted) > atOnce+waiting {
		return wrong("of %d requests at once %d were let in, and the limits allow %d", len(answers), len(admitted), atOnce+waiting)
	}
	least := atOnce + waiting
	if waiting > 0 && s.Pods > 1 {
		least = waiting + 1 // the connections may be those of other pods
	}
	for i := range refused {
		if beside := overlapping(admitted, &refused[i]); beside < least {
			return wrong("a request was refused with 503 while at most %d others were under way or waited, and the limits allow %d", beside, least)
		}
	}
	text := fmt.Sprintf("of %d requests at once, %d were let in", len(answers), len(admitted))
	if waiting > 0 {
		text += fmt.Sprintf(" (at most %d at the same time, and the others waited)", crowd(admitted))
	}
	return Finding{Right: fmt.Sprintf("%s, and %d were refused with 503, each while the limit was reached", text, len(refused))}
}

// retries checks that no more calls are in a retry at once than maxRetries allows.
func retries(s Subject) Drill {
	d := Drill{Subject: s, Kind: Retries, Rate: crowdRate, Parts: []manifests.Coupling{manifests.Ejections}}
	most := s.Pool.Retries
	atOnce := s.Pool.AtOnce(s.Pods)
	switch n := most + beyond; {
	case s.retried() == 1:
		d.Why = "the rule does not send a call again that is answered 500, as stand-ins fail"
	case n > mostAtOnce:
		d.Why = fmt.Sprintf("it allows %d retries at once, and a check has at most %d requests under way", most, mostAtOnce)
	case atOnce > 0 && atOnce <= n:
		d.Why = "other limits of the connectionPool are lower"
	case !s.hasTime(s.Hang + 2*time.Second):
		d.Why = "the time limits of the rule end the requests that are to fill it"
	default:
		d.Requests = pinned(n, "1=fail,2=hang")
		d.judge = byAnswers(func(answers []Answer) Finding { return judgeRetries(answers, most) })
	}
	return d
}

// judgeRetries judges requests whose first try fails and whose second one hangs.
func judgeRetries(answers []Answer, most int) Finding {
	again, once, other := sorted(answers, func(a *Answer) bool { return a.Pod != "" && a.Attempt > 1 })
	for _, a := range other {
		if a.Pod != "" && a.Attempt == 1 && a.Status >= 500 {
			once = append(once, a)
		}
	}
	if rest := len(answers) - len(again) - len(once); rest > 0 {
		return undecided("%s ended otherwise than by a first or a second try", counted(rest, "request"))
	}
	if tooSlow(answers, again) {
		return undecided("this machine was too slow to have all retries under way at once")
	}
	if len(again) > most {
		return wrong("%d calls were in a retry at the same time, and maxRetries allows %d", len(again), most)
	}
	for i := range once {
		if beside := overlapping(again, &once[i]); beside < most {
			return wrong("a call was not sent again while at most %d others were in a retry, and maxRetries allows %d", beside, most)
		}
	}
	return Finding{Right: fmt.Sprintf("of %d calls that failed at once, %d were sent again, and %d were not, each while maxRetries was reached", len(answers), len(again), len(once))}
}

// sorted divides answers into those that were let in, those that were refused, and others.
func sorted(answers []Answer, letIn func(*Answer) bool) (admitted, refused, other []Answer) {
	for i := range answers {
		switch a := &answers[i]; {
		case letIn(a):
			admitted = append(admitted, *a)
		case a.refused():
			refused = append(refused, *a)
		default:
			other = append(other, *a)
		}
	}
	return admitted, refused, other
}

// crowd is how many of the answered requests were with a pod at the same time for certain: a pod had each of them at least from the time of
// its end less how long it was held, to its start and as long.
func crowd(answers []Answer) (most int) {
	type edge struct {
		at time.Duration
		by int
	}
	var edges []edge
	for i := range answers {
		a := &answers[i]
		if from, to := a.Ended-a.Held, a.Started+a.Held; from < to {
			edges = append(edges, edge{from, 1}, edge{to, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if a.at == b.at {
			return a.by - b.by
		}
		return int(a.at - b.at)
	})
	now := 0
	for _, e := range edges {
		now += e.by
		most = max(most, now)
	}
	return most
}

// overlapping is how many of the answers may have been under way at the same time as another one.
func overlapping(answers []Answer, with *Answer) (n int) {
	for i := range answers {
		if a := &answers[i]; a.Started <= with.Ended && a.Ended >= with.Started {
			n++
		}
	}
	return n
}

// tooSlow reports whether the last request left when the first of those that were let in may have ended.
func tooSlow(all, admitted []Answer) bool {
	last, first := time.Duration(0), time.Duration(1<<62)
	for i := range all {
		last = max(last, all[i].Started)
	}
	for i := range admitted {
		first = min(first, admitted[i].Ended)
	}
	return last+settled > first
}
