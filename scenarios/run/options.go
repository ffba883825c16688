package run

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/spelling"
)

// Options are what a user can choose about a run, apart from the scenario's own parameters.
type Options struct {
	// Fail and Hang are probabilities, 0, 1, or at least 0.000001 from both, drawn anew in every service on every try.
	Fail, Hang float64
	// Cascade is trail.Absorb or trail.Propagate.
	Cascade string
	// Exclude is the share of deviating calls that is to be excluded for each rule, in [0.0005, 0.5].
	Exclude float64
	// SplitLo and SplitHi are the factors of a weight that a split must exclude to pass, 0 < SplitLo < 1 < SplitHi < 2.
	SplitLo, SplitHi float64
	// RequireTimes: times that cannot be judged leave the run without a verdict.
	RequireTimes bool
	// Derived: the cohorts were derived from rules, so that there may be hundreds. Waits before retries, which need hundreds of requests
	// each, are then judged only with RequireTimes.
	Derived bool
	// Longest, where it is not 0, is how long a phase may take: a longer one is refused, and none is sent again that would take longer.
	Longest time.Duration
	// Allowed are the ids of findings that are meant so: none of them makes the run fail.
	Allowed []string
	// Cases are the test cases that were held against the rules, for the report; nil where there are none. CasesNotMet are the findings
	// about those that do not hold.
	Cases       *reports.Cases
	CasesNotMet []reports.Finding
	// ThroughChange: the load is kept on while the objects of each phase that is proved are applied, and put back (docs/changes.md).
	ThroughChange bool
	// Expect are what the user wants of the run, as against what the manifests say.
	Expect []expect.Expectation
	Seed   uint64
	// Request is the name, without the seed, of the only request that is sent; empty: all are.
	Request string
	// Again is the command that sends the request with such a name again; nil where there is none.
	Again func(name string) string
	// Sent is the Host header that is sent in place of one of a cohort, where the target has other names for its services; nil: the
	// same.
	Sent   func(host string) string
	Attack attack.Options
	// Parameters are the scenario's own, for the report.
	Parameters map[string]string
}

// Flags are the options as text, so that every bad value of a command line can be told at once.
type Flags struct {
	fail, hang, cascade, exclude, split, require, seed, request string
	expect                                                      []string
	attack                                                      *attack.Flags
}

// AddFlags adds the flags of a run, and those of its attacks, to a set.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{attack: attack.AddFlags(set)}
	set.StringVar(&f.fail, "fail", "0.3", "`probability` that a service fails a try, 0 to 1")
	set.StringVar(&f.hang, "hang", "0", "`probability` that a try hangs past the per-try timeout, 0 to 1")
	set.StringVar(&f.cascade, "cascade", trail.Absorb, "what a service does when its upstream failed: absorb|propagate")
	set.StringVar(&f.exclude, "exclude", "0.01", "`share` of deviating calls that the requests are to exclude for each rule, at one in a thousand, 0.0005 to 0.5: a smaller share needs more requests")
	set.StringVar(&f.split, "split-tolerance", "0.7,1.4", "two `factors` of a weight, one below 1 and one between 1 and 2; a split passes when both are excluded")
	set.StringArrayVar(&f.expect, "expect", nil, "`text` of what you want of the last phase, such as 'edge fails <= 0.01'; the run fails where the manifests or the mesh do not achieve it (docs/expectations.md). You can repeat the flag")
	set.StringVar(&f.require, "require", "", "`what` must be judged: with times, a run on a machine that is too slow to judge times is INCONCLUSIVE")
	set.StringVar(&f.seed, "seed", "", "`number` that makes every draw reproducible (default: by chance, and printed)")
	set.StringVar(&f.request, "request", "", "`name` of one request to send alone, such as retry/17; a report names the requests that met something wrong")
	return f
}

// Options reads the flags' values; the error joins one line for each that is wrong.
func (f *Flags) Options() (Options, error) {
	o, fails, err := f.Grid()
	if len(fails) > 1 {
		err = errors.Join(fmt.Errorf("--fail %s: must be one probability: several are the grid of a run", f.fail), err)
	}
	return o, err
}

// Grid reads the flags' values as Options does, and accepts several fail probabilities, joined by commas. fails are those that can be
// read, in their order, and Options.Fail is the first of them.
func (f *Flags) Grid() (o Options, fails []float64, wrong error) {
	o = Options{Cascade: f.cascade, Request: f.request}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	var err error
	fails, err = probabilities("--fail", f.fail)
	note(err)
	if len(fails) > 0 {
		o.Fail = fails[0]
	}
	o.Hang, err = number("--hang", f.hang, probabilityText, probability)
	note(err)
	if o.Cascade != trail.Absorb && o.Cascade != trail.Propagate {
		note(fmt.Errorf("--cascade %s: must be %s or %s%s", f.cascade, trail.Absorb, trail.Propagate,
			spelling.DidYouMean(f.cascade, []string{trail.Absorb, trail.Propagate})))
	}
	o.Exclude, err = number("--exclude", f.exclude, "a share from 0.0005 to 0.5, such as 0.05 or 5%", func(v float64) bool { return v >= 0.0005 && v <= 0.5 })
	note(err)
	note(o.readSplit(f.split))
	if o.RequireTimes = f.require == "times"; f.require != "" && !o.RequireTimes {
		note(fmt.Errorf("--require %s: must be times%s", f.require, spelling.DidYouMean(f.require, []string{"times"})))
	}
	o.Seed = rand.Uint64N(1 << 32) // small enough to be read aloud
	if f.seed != "" {
		if o.Seed, err = strconv.ParseUint(f.seed, 10, 64); err != nil {
			note(fmt.Errorf("--seed %s: must be a whole number from 0 to 18446744073709551615", f.seed))
		}
	}
	if o.Request != "" && f.seed == "" {
		note(fmt.Errorf("--request %s: needs --seed, since the seed is part of every request's name", o.Request))
	}
	note(o.readExpectations(f.expect))
	o.Attack, err = f.attack.Options()
	note(err)
	return o, fails, errors.Join(problems...)
}

// readExpectations reads what the user wants.
func (o *Options) readExpectations(texts []string) error {
	var problems []error
	given := map[string]bool{}
	for _, text := range texts {
		e, err := expect.Parse(text)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("--expect %w", err))
		case given[e.Text]:
			problems = append(problems, fmt.Errorf("--expect %s: given more than once", e.Text))
		default:
			given[e.Text], e.Place = true, "--expect"
			o.Expect = append(o.Expect, e)
		}
	}
	if len(texts) > 0 && o.Request != "" {
		problems = append(problems, fmt.Errorf("--expect: cannot be judged by the one request of --request"))
	}
	return errors.Join(problems...)
}

// AlsoExpect adds what the author of a scenario file expects, as far as the user does not expect the same. A run of a single request
// (Request) cannot decide it, so nothing is added there.
func (o *Options) AlsoExpect(author []expect.Expectation) {
	if o.Request != "" {
		return
	}
	for _, e := range author {
		if !slices.ContainsFunc(o.Expect, func(given expect.Expectation) bool { return given.Text == e.Text }) {
			o.Expect = append(o.Expect, e)
		}
	}
}

// readSplit reads the two factors of a split's tolerance.
func (o *Options) readSplit(text string) error {
	const accepted = "two factors joined by a comma, the first from 0.1 to 0.95 and the second from 1.05 to 1.9, such as 0.7,1.4"
	low, high, ok := strings.Cut(text, ",")
	var errLow, errHigh error
	o.SplitLo, errLow = strconv.ParseFloat(low, 64)
	o.SplitHi, errHigh = strconv.ParseFloat(high, 64)
	if ok && errLow == nil && errHigh == nil && o.SplitLo >= 0.1 && o.SplitLo <= 0.95 && o.SplitHi >= 1.05 && o.SplitHi <= 1.9 {
		return nil
	}
	return fmt.Errorf("--split-tolerance %s: must be %s", text, accepted)
}

const (
	// leastProbability above 0, and below 1, is what the most requests of a phase (attack.MaxRequests) would show ten times.
	leastProbability = 1e-6
	probabilityText  = "a probability from 0 to 1, such as 0.05 or 5%; above 0 it must be at least 0.000001, and below 1 at most 0.999999"
)

func probability(v float64) bool {
	return v == 0 || v == 1 || v >= leastProbability && v <= 1-leastProbability
}

// probabilities reads one or several probabilities, joined by commas, each of which is there once.
func probabilities(flag, text string) (all []float64, err error) {
	var problems []error
	for _, part := range strings.Split(text, ",") {
		v, err := number(flag, part, probabilityText, probability)
		switch {
		case err != nil && part != text:
			problems = append(problems, fmt.Errorf("%s %s: %q must be %s", flag, text, part, probabilityText))
		case err != nil:
			problems = append(problems, err)
		case slices.Contains(all, v):
			problems = append(problems, fmt.Errorf("%s %s: %s is there twice: each must be there once", flag, text, part))
		default:
			all = append(all, v)
		}
	}
	return all, errors.Join(problems...)
}

// number reads a share: "0.05" or "5%".
func number(flag, text, accepted string, ok func(float64) bool) (float64, error) {
	digits, percent := strings.CutSuffix(text, "%")
	if percent {
		digits = strings.TrimSuffix(digits, " ") + "e-2" // and not divided by 100, so that 0.7% is what 0.007 is
	}
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || !ok(v) { // NaN is refused by every ok: its comparisons are false
		return 0, fmt.Errorf("%s %s: must be %s", flag, text, accepted)
	}
	return v + 0, nil // which makes a -0 a 0
}
