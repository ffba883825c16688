package compare

import (
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Kind is the kind of number that a row compares.
type Kind string

const (
	// Outcomes are requests that both runs sent, compared one by one.
	Outcomes Kind = "outcomes"
	// Verdict is a verdict of the two runs.
	Verdict Kind = "verdict"
	// Share is a share of trials.
	Share Kind = "share"
	// Violations is a number of calls that met something else than their rule says, or of tries too many or too few.
	Violations Kind = "violations"
	// Coverage is a number of cases of a rule that were met.
	Coverage Kind = "coverage"
	// Tries is the number of tries that a service received for each natural request.
	Tries Kind = "tries"
	// Latency is a quantile of latencies, and Wait the median of the time that retries added to a call.
	Latency Kind = "latency"
	Wait    Kind = "wait"
)

// Row is one metric of one phase.
type Row struct {
	Phase string `json:"phase"`
	// Call is the calls that the metric is about, by the name that the report gives them. It is empty for metrics of the whole phase.
	Call   string `json:"call,omitempty"`
	Metric string `json:"metric"`
	Kind   Kind   `json:"kind" jsonschema:"enum=outcomes,enum=verdict,enum=share,enum=violations,enum=coverage,enum=tries,enum=latency,enum=wait"`
	Old    Value  `json:"old"`
	New    Value  `json:"new"`
	// Predicted is the value to which nearer is better. Where it is absent, less is better.
	Predicted *float64 `json:"predicted,omitempty"`
	// Difference is the new value minus the old one. That of a latency or a wait is divided by the old value. Interval has a
	// confidence of 95 %.
	Difference *float64        `json:"difference,omitempty"`
	Interval   *stats.Interval `json:"interval,omitempty"`
	// Margin is the largest Difference that counts as the same. To be better or worse, the whole Interval must lie beyond Margin, and
	// Difference beyond Noise, which is how late the requests themselves were sent.
	Margin float64 `json:"margin,omitempty"`
	Noise  float64 `json:"noise,omitempty"`
	// P is the p-value of the hypothesis that there is no difference. PHolm is the same after Holm's procedure.
	P     *float64 `json:"p,omitempty"`
	PHolm *float64 `json:"p_holm,omitempty"`
	Word  Word     `json:"word" jsonschema:"enum=better,enum=worse,enum=same,enum=unclear"`
	// Gates is true where the whole comparison is unclear if this row is unclear.
	Gates bool `json:"gates"`
	// Needed is about how many requests a phase needs so that the row is no longer unclear. It is 0 where that is not known.
	Needed int64  `json:"needed_requests,omitempty"`
	Note   string `json:"note,omitempty"`

	measured
}

// Value is the number of one report.
type Value struct {
	Value   *float64        `json:"value,omitempty"` // absent where there are no data
	K       int64           `json:"k,omitempty"`     // the number of hits of a share, of tries, of violations, of requests that differ
	N       int64           `json:"n,omitempty"`
	Verdict reports.Verdict `json:"verdict,omitempty"` // the verdict of a check on this phase
}

// measured has the data from which a row gets its word.
type measured struct {
	ofViolations bool // the row compares shares of violations
	identical    bool // both reports have the same data
	settled      bool // Word is set already, and no test is needed
	added        bool // only NEW has it, so nothing is lost
	verdicts     [2]reports.Verdict
	tolerated    bool            // both values are within what the runs themselves tolerate
	test         *test           // nil where there are too few data for a test
	away         *stats.Estimate // how much further from the prediction the new value is; nil where less is better
	requests     int64           // requests of the phase, in the report that has fewer
}

// test is a difference on the scale on which it is tested. Times are tested on a logarithmic scale.
type test struct {
	difference    stats.Estimate // its interval is infinite where there are too few data for one
	margin, noise float64
	p             float64
}

// show writes the difference of a test into the row. A difference of logarithms becomes a part of the old value.
func (r *Row) show(t test, logarithmic bool) {
	shown := func(x float64) float64 { return x }
	if logarithmic {
		shown = math.Expm1
	}
	r.test = &t
	d := shown(t.difference.Value)
	r.Difference, r.P = &d, &t.p
	if !math.IsInf(t.difference.Interval.Width(), 1) {
		r.Interval = &stats.Interval{Lo: shown(t.difference.Interval.Lo), Hi: shown(t.difference.Interval.Hi)}
	}
	r.Margin, r.Noise = shown(t.margin), shown(t.noise)
}

func value(v float64) *float64 { return &v }
