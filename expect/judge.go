package expect

import (
	"math"

	"github.com/hellochaos/hellochaos/stats"
)

// Band is a range of accepted numbers.
type Band struct {
	// Lo and Hi are the ends, which are infinite where there is no end.
	Lo, Hi float64
	// Above and Below: the end itself is not accepted.
	Above, Below bool
}

// rounding is how far a number may lie beyond an end because of the rounding of its computation: this share of the end.
const rounding = 1e-9

// over reports whether a number lies above the band, and under whether it lies below.
func (b Band) over(v float64) bool {
	if math.IsInf(b.Hi, 0) {
		return false
	}
	near := rounding*math.Abs(b.Hi) + 1e-15
	return v > b.Hi+near || b.Below && v >= b.Hi-near
}

func (b Band) under(v float64) bool {
	if math.IsInf(b.Lo, 0) {
		return false
	}
	near := rounding*math.Abs(b.Lo) + 1e-15
	return v < b.Lo-near || b.Above && v <= b.Lo+near
}

// holds reports whether every number of an interval is accepted, and excludes whether none is.
func (b Band) holds(i stats.Interval) bool    { return !b.under(i.Lo) && !b.over(i.Hi) }
func (b Band) excludes(i stats.Interval) bool { return b.over(i.Lo) || b.under(i.Hi) }

// Verdict is what becomes of an expectation.
type Verdict string

// The verdicts have the values of those of a report.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Evidence is what is known of the number that an expectation is about.
type Evidence struct {
	// Predicted is where the prediction lies: an interval of one number where it is exact, nil where nothing predicts it.
	Predicted *stats.Interval
	// Interval is where the true value lies as far as the measurement shows; nil where there is no such measurement. An end is infinite
	// where the data are too few for one.
	Interval *stats.Interval
	// Held is how many calls were held against the rules one by one and met them. It stands for a measurement where the number follows
	// from the rules and the draws alone.
	Held int64
	// Unusable says why what was measured cannot be used; empty: it can.
	Unusable string
}

// Reason is why an expectation has its verdict.
type Reason int

// The reasons, in the order in which Judge looks for them.
const (
	// PredictionBreaks: the prediction lies wholly outside the band.
	PredictionBreaks Reason = iota
	// MeasurementBreaks: the measured interval lies wholly outside the band.
	MeasurementBreaks
	// UnusableData: something was measured that cannot be used.
	UnusableData
	// NoData: nothing was measured.
	NoData
	// MeasurementHolds: the measured interval lies wholly inside the band.
	MeasurementHolds
	// PredictionHolds: the prediction lies wholly inside, and what was measured does not exclude it.
	PredictionHolds
	// TooFewData: the measured interval lies across an end of the band, and so does the prediction, or there is none.
	TooFewData
)

// Judge holds evidence against a band. The first rule that applies gives the verdict:
//
//   - FAIL where the prediction lies wholly outside the band, so that a weak policy fails whatever was measured;
//   - FAIL where the measured interval lies wholly outside;
//   - INCONCLUSIVE where what was measured cannot be used;
//   - FAIL where nothing was measured: no data is never a pass;
//   - PASS where the measured interval lies wholly inside;
//   - PASS where the prediction lies wholly inside, since the interval does not exclude the band;
//   - INCONCLUSIVE otherwise.
func (b Band) Judge(e Evidence) (Verdict, Reason) {
	switch {
	case e.Predicted != nil && b.excludes(*e.Predicted):
		return Fail, PredictionBreaks
	case e.Interval != nil && e.Unusable == "" && b.excludes(*e.Interval):
		return Fail, MeasurementBreaks
	case e.Unusable != "":
		return Inconclusive, UnusableData
	case e.Interval == nil && e.Held == 0:
		return Fail, NoData
	case e.Interval != nil && b.holds(*e.Interval):
		return Pass, MeasurementHolds
	case e.Predicted != nil && b.holds(*e.Predicted):
		return Pass, PredictionHolds
	}
	return Inconclusive, TooFewData
}

// interval is the interval from one number to another.
func interval(lo, hi float64) stats.Interval { return stats.Interval{Lo: lo, Hi: hi} }
