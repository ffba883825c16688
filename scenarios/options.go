package scenarios

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/spelling"
)

// Options are what a user can choose about a run, apart from the attack's own limits.
type Options struct {
	// Fail and Hang are probabilities, 0, 1, or at least 0.000001 from both, drawn anew in every service on every try.
	Fail, Hang float64
	// Cascade is trail.Absorb or trail.Propagate.
	Cascade string
	// CanaryWeight is the share of middleware's calls that the canary gets without its header, in percent, 0 to 100.
	CanaryWeight int
	// Tolerance is the half-width of the band around a predicted share, in [0.001, 0.4].
	Tolerance float64
	Seed      uint64
	Attack    attack.Options
}

// Flags are the options as text, so that every bad value of a command line can be told at once.
type Flags struct {
	fail, hang, cascade, canaryWeight, tolerance, seed string
	attack                                             *attack.Flags
}

// AddFlags adds the flags of a run, and those of its attacks, to a set.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{attack: attack.AddFlags(set)}
	set.StringVar(&f.fail, "fail", "0.3", "`probability` that a service fails a try, 0 to 1")
	set.StringVar(&f.hang, "hang", "0", "`probability` that a try hangs past the per-try timeout, 0 to 1")
	set.StringVar(&f.cascade, "cascade", trail.Absorb, "what a service does when its upstream failed: absorb|propagate")
	set.StringVar(&f.canaryWeight, "canary-weight", "0", "`percent` of calls that go to the canary without its header, 0 to 100")
	set.StringVar(&f.tolerance, "tolerance", "0.05", "half-`width` of the band around a predicted share, 0.001 to 0.4")
	set.StringVar(&f.seed, "seed", "", "`number` that makes every draw reproducible (default: by chance, and printed)")
	return f
}

// Options reads the flags' values; the error joins one line for each that is wrong.
func (f *Flags) Options() (Options, error) {
	o := Options{Cascade: f.cascade}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	var err error
	o.Fail, err = number("--fail", f.fail, probabilityText, probability)
	note(err)
	o.Hang, err = number("--hang", f.hang, probabilityText, probability)
	note(err)
	if o.Cascade != trail.Absorb && o.Cascade != trail.Propagate {
		note(fmt.Errorf("--cascade %s: must be %s or %s%s", f.cascade, trail.Absorb, trail.Propagate,
			spelling.DidYouMean(f.cascade, []string{trail.Absorb, trail.Propagate})))
	}
	weight, err := number("--canary-weight", f.canaryWeight, "a whole number of percent from 0 to 100",
		func(v float64) bool { return v >= 0 && v <= 100 && v == float64(int(v)) })
	note(err)
	o.CanaryWeight = int(weight)
	o.Tolerance, err = number("--tolerance", f.tolerance, "a number from 0.001 to 0.4", func(v float64) bool { return v >= leastTolerance && v <= 0.4 })
	note(err)
	o.Seed = rand.Uint64N(1 << 32) // small enough to be read aloud
	if f.seed != "" {
		if o.Seed, err = strconv.ParseUint(f.seed, 10, 64); err != nil {
			note(fmt.Errorf("--seed %s: must be a whole number from 0 to 18446744073709551615", f.seed))
		}
	}
	o.Attack, err = f.attack.Options()
	note(err)
	return o, errors.Join(problems...)
}

const (
	// leastProbability above 0, and below 1, is what the most requests of a phase (attack.MaxRequests) would show ten times.
	leastProbability = 1e-6
	// leastTolerance is what the most requests of a phase can decide about any share, with its alphas.
	leastTolerance  = 0.001
	probabilityText = "a probability from 0 to 1; above 0 it must be at least 0.000001, and below 1 at most 0.999999"
)

func probability(v float64) bool {
	return v == 0 || v == 1 || v >= leastProbability && v <= 1-leastProbability
}

func number(flag, text, accepted string, ok func(float64) bool) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !ok(v) { // NaN is refused by every ok: its comparisons are false
		return 0, fmt.Errorf("%s %s: must be %s", flag, text, accepted)
	}
	return v + 0, nil // which makes a -0 a 0
}
