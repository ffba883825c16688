package compare

import (
	"math"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Kind is what a row compares.
type Kind string

const (
	// Share is a share of trials.
	Share Kind = "share"
	// Violations is a count of what must not be.
	Violations Kind = "violations"
	// Tries is the tries that a hop received per edge request.
	Tries Kind = "tries"
	// Latency is a quantile of latencies, and Wait the median of what a retry waits.
	Latency Kind = "latency"
	Wait    Kind = "wait"
)

// Row is one metric of one phase.
type Row struct {
	Stage  string `json:"stage"`
	Phase  string `json:"phase"`
	Metric string `json:"metric"`
	Kind   Kind   `json:"kind" jsonschema:"enum=share,enum=violations,enum=tries,enum=latency,enum=wait"`
	Old    Value  `json:"old"`
	New    Value  `json:"new"`
	// Predicted: nearer to it is better; absent: less is better.
	Predicted *float64 `json:"predicted,omitempty"`
	// Difference is new minus old, of latencies and waits as a part of the old one; Interval has 95 % confidence.
	Difference *float64        `json:"difference,omitempty"`
	Interval   *stats.Interval `json:"interval,omitempty"`
	// Margin is the largest Difference that still is the same, Noise what a Difference must exceed besides to be better or worse.
	Margin float64 `json:"margin,omitempty"`
	Noise  float64 `json:"noise,omitempty"`
	// P is the p-value of no difference, PHolm that of Holm's procedure.
	P     *float64 `json:"p,omitempty"`
	PHolm *float64 `json:"p_holm,omitempty"`
	Word  Word     `json:"word" jsonschema:"enum=better,enum=worse,enum=same,enum=unclear"`
	// Gates: that the row is unclear makes the comparison unclear.
	Gates bool `json:"gates"`
	// Needed is about how many requests a phase would settle an unclear row; 0: that cannot be said.
	Needed int64  `json:"needed_requests,omitempty"`
	Note   string `json:"note,omitempty"`

	measured
}

// Value is one report's number.
type Value struct {
	Value   *float64        `json:"value,omitempty"` // none: no data
	K       int64           `json:"k,omitempty"`     // of N, for shares; tries; violations
	N       int64           `json:"n,omitempty"`
	Verdict reports.Verdict `json:"verdict,omitempty"` // of a check's measurement
}

// measured is what a row is judged by.
type measured struct {
	ofViolations bool // a share of violations
	identical    bool
	settled      bool           // exactly, without a test
	added        bool           // OLD does not have the check, so nothing is lost
	test         *test          // none: there is too little for one
	away         func() float64 // how much further from the prediction the new value is; nil: less is better
	requests     int64          // of the phase, in the report that has fewer
}

// test is a difference on the scale on which it is tested: of logarithms for times.
type test struct {
	difference    stats.Estimate // its interval is everything where there is too little for one
	margin, noise float64
	p             float64
}

// show writes a test's difference into the row; logarithms as parts of the old value.
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
