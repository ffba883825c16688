package compare

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Options are the choices of a user for a comparison.
type Options struct {
	// Margin is the largest difference of a share that still counts as the same, in [0.0001, 1).
	Margin float64 `json:"margin"`
	// LatencyMargin is the largest difference of a latency that still counts as the same, as a part of the old latency, at least 0.0001.
	// LatencyFloor is the smallest value of that difference, in seconds.
	LatencyMargin float64 `json:"latency_margin"`
	LatencyFloor  float64 `json:"latency_floor_seconds"`
	// Strict is true where the comparison is unclear if a latency, a wait or a number of tries is unclear.
	Strict bool `json:"strict"`
}

// leastMargin is the smallest share, and the smallest part of a latency, that a user can choose: no run is long enough to decide less.
const leastMargin = 0.0001

// Flags are the options as text, so that all bad values of a command line can be reported together.
type Flags struct {
	margin, latencyMargin string
	strict                bool
}

// AddFlags adds the flags of a comparison to a set.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{}
	set.StringVar(&f.margin, "margin", "0.05", "largest `difference` of a share that is still the same")
	set.StringVar(&f.latencyMargin, "latency-margin", "25%,1ms", "largest difference of a latency that is still the same: a `percentage` of the old one, and optionally a time that is always still the same")
	set.BoolVar(&f.strict, "strict", false, "exit with 3 also where only latencies, waits or tries are unclear")
	return f
}

// Options reads the values of the flags. The error has one line for each value that is wrong.
func (f *Flags) Options() (Options, error) {
	o := Options{Strict: f.strict}
	var wrongShare, wrongLatency error
	var err error
	if o.Margin, err = strconv.ParseFloat(f.margin, 64); err != nil || !(o.Margin >= leastMargin && o.Margin < 1) {
		wrongShare = fmt.Errorf("--margin %s: must be a share from 0.0001 to below 1, such as 0.05", f.margin)
	}
	var ok bool
	if o.LatencyMargin, o.LatencyFloor, ok = latencyMargin(f.latencyMargin); !ok {
		wrongLatency = fmt.Errorf("--latency-margin %s: must be a percentage from 0.01%% to 1000%%, such as 10%%, or one with a time of at most a minute, such as 10%%,5ms", f.latencyMargin)
	}
	return o, errors.Join(wrongShare, wrongLatency)
}

// latencyMargin reads "25%" or "25%,1ms".
func latencyMargin(text string) (share, floor float64, ok bool) {
	percent, least, two := strings.Cut(text, ",")
	number, ok := strings.CutSuffix(strings.TrimSpace(percent), "%")
	share, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(share >= 100*leastMargin && share <= 1000) {
		return 0, 0, false
	}
	if two {
		d, err := time.ParseDuration(strings.TrimSpace(least))
		if err != nil || d < 0 || d > time.Minute {
			return 0, 0, false
		}
		floor = d.Seconds()
	}
	return share / 100, floor, true
}
