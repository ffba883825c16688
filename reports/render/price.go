package render

import (
	"fmt"

	"github.com/hellochaos/hellochaos/reports"
)

// phaseBefore returns the phase before one of a report; nil where it is the first.
func phaseBefore(r *reports.Report, phase int) *reports.Phase {
	if phase == 0 {
		return nil
	}
	return &r.Phases[phase-1]
}

// sameRate is how many times the rate of the phase before requests may be sent for the latencies of both to be compared: more of them wait longer
// without any retry.
const sameRate = 1.25

// price says what it costs good answers that calls are sent again which were not, or not so often, in the phase before: "Good answers take
// 27ms in the median where they took 0.4ms, and 157ms instead of 12ms in the 99th percentile: the price of up to 3 retries of calls to
// middleware and backend." It is empty where nothing is sent again more often, where a phase has no judged times, and where the intervals of
// the medians do not tell the two apart.
func price(former, now *reports.Phase) string {
	if former == nil || former.Late || now.Late || now.PlannedRate > sameRate*former.PlannedRate {
		return ""
	}
	before, after := goodLatency(former, 0.5), goodLatency(now, 0.5)
	retries, services := newRetries(former, now)
	if retries == 0 || before == nil || after == nil || before.Interval == nil || after.Interval == nil || after.Interval.Lo <= before.Interval.Hi {
		return ""
	}
	text := fmt.Sprintf("Good answers take %s in the median where they took %s", Duration(after.Value), Duration(before.Value))
	if b, a := goodLatency(former, 0.99), goodLatency(now, 0.99); b != nil && a != nil {
		text += fmt.Sprintf(", and %s in the 99th percentile where they took %s", Duration(a.Value), Duration(b.Value))
	}
	return fmt.Sprintf("%s, now that calls to %s have up to %s.", text, list(services), counted(int64(retries), "retry"))
}

// newRetries returns the services of which failed calls are sent again more often than in the phase before, and how often at most.
func newRetries(former, now *reports.Phase) (most int, services []string) {
	for i := range now.Calls {
		c := &now.Calls[i]
		if c.Rule == nil || !c.Rule.Covers500 || c.Rule.Retries <= retriesBefore(former, c) {
			continue
		}
		most = max(most, c.Rule.Retries)
		services = appendNew(services, c.To)
	}
	return most, services
}

// retriesBefore returns how often the phase before sent a failed call of c's caller to c's service again.
func retriesBefore(former *reports.Phase, c *reports.Call) (most int) {
	for i := range former.Calls {
		if other := &former.Calls[i]; other.From == c.From && reports.SameService(other.To, c.To) && other.Rule != nil && other.Rule.Covers500 {
			most = max(most, other.Rule.Retries)
		}
	}
	return most
}
