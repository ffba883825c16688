package attack

import (
	"fmt"
	"strconv"
	"time"
)

// Limits beyond which the figures of an attack are void: no verdict may follow from them.
const (
	// lateAfter is how much later than planned a request may leave without counting as late. A busy machine of two cores sends
	// 99 % of the requests within 8 to 20 ms.
	lateAfter = 20 * time.Millisecond
	// With a larger share of late requests than lateShare, latencies are void. With a larger share of unsent requests than
	// unsentShare, counts are void.
	lateShare, unsentShare = 0.05, 0.01
)

// Result has the figures of how an attack was sent. What the answers were is in the observations.
type Result struct {
	Began   time.Time
	Elapsed time.Duration // until the last answer
	Planned int
	// Sent is how many requests were sent. Observed is how many were handed to observe, in planned order: all that were sent, or
	// fewer after an abort.
	Sent, Observed int
	// Unsent is how many requests were due and were never sent: Planned - Sent, or after a stop or an abort, those that had been
	// due for 20 ms by then.
	Unsent int
	// PlannedRate and AchievedRate are requests a second. AchievedRate is Sent divided by the time from the beginning until one
	// planned interval after the last request was sent. With unsent requests, the time lasts at least until sending ended.
	PlannedRate, AchievedRate float64
	// LagMedian and LagP99 are the median and the 99th percentile of how much later than planned the requests left, to 1 %.
	LagMedian, LagP99 time.Duration
	// LateShare is the share of the sent requests that left more than 20 ms late.
	LateShare float64
	// Resends counts requests that the transport of the client sent more than once. This package prevents that, so it must be 0.
	Resends int
	// Opened is how many connections were opened, and MostInFlight how many requests waited for their answers at the same time, at most.
	Opened, MostInFlight int
	// First has the text of the first error of each class that occurred.
	First   map[string]string
	Stopped bool // whether observe returned false
	// Limited says that the generator could not keep its schedule, so that counts are void: more than 1 % of the due requests were
	// not sent.
	Limited bool
	// Late says that latencies are void: more than 5 % of the requests left more than 20 ms late. Counts stay valid, because whether
	// a request fails does not depend on when it left.
	Late bool
}

// Limited reports whether so many requests left late, or were due and never sent, that no verdict about latency follows.
func Limited(sent, late, unsent int64) bool {
	return float64(unsent) > unsentShare*float64(sent+unsent) || float64(late) > lateShare*float64(sent)
}

// Judge sets Limited and Late from the figures.
func (r *Result) Judge() {
	r.Limited = float64(r.Unsent) > unsentShare*float64(r.Sent+r.Unsent)
	r.Late = r.LateShare > lateShare
}

// Warnings returns a sentence for each reason for which figures of the attack are void. It returns nothing for a good attack.
func (r *Result) Warnings() []string {
	var warnings []string
	if r.Limited {
		warnings = append(warnings, fmt.Sprintf("the load generator could not keep its schedule: %d of the %d requests that were due were never sent, "+
			"and it sent %s requests a second where %s were planned; the counts are void, which means that no verdict follows from them "+
			"(choose a lower --rate, or more --connections if the answers are slow)",
			r.Unsent, r.Sent+r.Unsent, perSecond(r.AchievedRate), perSecond(r.PlannedRate)))
	}
	if r.Late {
		warnings = append(warnings, fmt.Sprintf("%.1f %% of the requests left more than %v late (median %v, 99th percentile %v), "+
			"and the load generator sent %s requests a second where %s were planned; the latencies are void, which means that no "+
			"verdict follows from them",
			100*r.LateShare, lateAfter, r.LagMedian.Round(10*time.Microsecond), r.LagP99.Round(10*time.Microsecond),
			perSecond(r.AchievedRate), perSecond(r.PlannedRate)))
	}
	if r.Resends > 0 {
		warnings = append(warnings, fmt.Sprintf("the HTTP client sent %d requests more than once; the counts are void, which means that no verdict follows from them", r.Resends))
	}
	return warnings
}

// perSecond is a rate with three significant digits, or without decimals from 100 on: "0.05", "79.6", "3334".
func perSecond(rate float64) string {
	if rate >= 100 {
		return strconv.FormatFloat(rate, 'f', 0, 64)
	}
	return strconv.FormatFloat(rate, 'g', 3, 64)
}
