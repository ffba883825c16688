package attack

import (
	"fmt"
	"strconv"
	"time"
)

// Limits of what a generator may do and still be believed.
const (
	// lateAfter is how much later than planned a hit may start without being late. A busy machine of two cores starts
	// 99 % of the hits within 8 to 20 ms.
	lateAfter = 20 * time.Millisecond
	// lateShare of late hits voids latencies, unsentShare of unsent hits voids counts.
	lateShare, unsentShare = 0.05, 0.01
)

// Result says how an attack went, apart from what it observed.
type Result struct {
	Began   time.Time
	Elapsed time.Duration // until the last answer
	Planned int
	// Sent is how many were sent; Observed how many were handed to observe, in planned order: fewer after an early stop
	// or an abort.
	Sent, Observed int
	// Unsent are planned requests that never left though they were due: all of Planned - Sent, or, after a stop or an
	// abort, those that had been due for 20 ms by then.
	Unsent int
	// PlannedRate and AchievedRate are requests a second. Achieved is Sent over the time from the beginning until the
	// slot of the last one sent was over, or, with unsent ones, until sending ended where that is later.
	PlannedRate, AchievedRate float64
	// LagMedian and LagP99 are of how much later than planned the sent requests left (to 1 %).
	LagMedian, LagP99 time.Duration
	// LateShare is the share of the sent requests that left more than 20 ms late.
	LateShare float64
	// Resends counts requests that the client's transport sent more than once. It is switched off, so it must be 0.
	Resends int
	Stopped bool // observe asked to stop
	// Limited: the generator could not keep its schedule; counts are void. More than 1 % of the due requests were unsent.
	Limited bool
	// Late: latencies are void. More than 5 % of the requests left more than 20 ms late. Counts stand: whether a request
	// fails does not depend on when it left.
	Late bool
}

// judge sets Limited and Late from the figures.
func (r *Result) judge() {
	r.Limited = float64(r.Unsent) > unsentShare*float64(r.Sent+r.Unsent)
	r.Late = r.LateShare > lateShare
}

// Warnings says in words what the figures of an attack take away from what it observed; none when it went well.
func (r *Result) Warnings() []string {
	var warnings []string
	if r.Limited {
		warnings = append(warnings, fmt.Sprintf("the generator could not keep its schedule: %d of %d due requests were never sent, "+
			"%s requests a second were achieved of %s planned; counts are void (lower the rate, or raise the connections if the answers are slow)",
			r.Unsent, r.Sent+r.Unsent, perSecond(r.AchievedRate), perSecond(r.PlannedRate)))
	}
	if r.Late {
		warnings = append(warnings, fmt.Sprintf("%.1f %% of the requests left more than %v late (median %v, 99th percentile %v), "+
			"%s requests a second were achieved of %s planned; latencies are void",
			100*r.LateShare, lateAfter, r.LagMedian.Round(10*time.Microsecond), r.LagP99.Round(10*time.Microsecond),
			perSecond(r.AchievedRate), perSecond(r.PlannedRate)))
	}
	if r.Resends > 0 {
		warnings = append(warnings, fmt.Sprintf("the client's transport sent %d requests more than once; counts are void", r.Resends))
	}
	return warnings
}

// perSecond is a rate to three digits or more: "0.05", "79.6", "3334".
func perSecond(rate float64) string {
	if rate >= 100 {
		return strconv.FormatFloat(rate, 'f', 0, 64)
	}
	return strconv.FormatFloat(rate, 'g', 3, 64)
}
