package attack

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Flags are the flags of an attack as the user typed them. They are kept as text and parsed later by Options, so that all bad
// values of a command line are reported at once: pflag alone stops at the first bad value.
type Flags struct {
	requests                                          string // the name of the flag of the largest number of requests
	set                                               *pflag.FlagSet
	rate, duration, maxRequests, connections, timeout string
	schedule                                          bool // the flags are those of AddLoadFlags
	schedules                                         schedules
}

// AddFlags adds --rate, --duration, --max-requests, --connections and --timeout to set.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set, requests: "max-requests"}
	set.StringVar(&f.rate, "rate", "", "`number` of requests a second, or a number per time such as 3000/1m (default: what the phase needs)")
	set.StringVar(&f.duration, "duration", "", "longest `time` for which one phase sends requests, such as 10s (default: what the phase needs)")
	set.StringVar(&f.maxRequests, "max-requests", "", "largest `number` of requests of one phase (default: what the phase needs)")
	set.StringVar(&f.connections, "connections", "", "largest `number` of requests that wait for their answers at the same time (default: what the phase needs)")
	set.StringVar(&f.timeout, "timeout", DefaultTimeout.String(), "longest `time` that a request may take until its answer has been read")
	return f
}

// The pace of an attack on addresses for which the user names none.
const (
	DefaultRate     = 50.0 // requests a second
	DefaultDuration = 10 * time.Second
)

// AddLoadFlags adds --rate, --duration, --requests, --connections and --timeout to set, for an attack on addresses that the user names.
func AddLoadFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set, requests: "requests", schedule: true}
	set.StringVar(&f.rate, "rate", "", fmt.Sprintf("`number` of requests a second, or a number per time such as 3000/1m; 100..1000 is a ramp, 100:10s,200:10s are phases, and max is as fast as answers come, with --workers (default: %g)", DefaultRate))
	set.StringVar(&f.duration, "duration", "", fmt.Sprintf("`time` for which requests are sent, such as 1m; of each phase of --rate that has none of its own (default: %v, or as long as --requests takes)", DefaultDuration))
	set.StringVar(&f.maxRequests, f.requests, "", "`number` of requests to send (default: as many as --rate sends in --duration)")
	set.StringVar(&f.connections, "connections", "", "largest `number` of requests that wait for their answers at the same time (default: as many as --rate and --timeout need)")
	set.StringVar(&f.timeout, "timeout", DefaultTimeout.String(), "longest `time` that a request may take until its answer has been read")
	f.addSchedules(set)
	return f
}

// Options returns the values of the flags. A flag that was not given has the value zero, and Timeout then has DefaultTimeout. The
// error joins one line for each bad flag: its name, its value ("" for an empty one) and the accepted values.
func (f *Flags) Options() (Options, error) {
	var problems []error
	ask := func(flag, value, accepted string, read func(string) bool) {
		if f.set.Changed(flag) && !read(value) {
			if value == "" {
				value = `""`
			}
			problems = append(problems, fmt.Errorf("--%s %s: must be %s", flag, value, accepted))
		}
	}
	o := Options{Timeout: DefaultTimeout}
	rates := fmt.Sprintf("a number of requests a second from %g to %.0f, or a number per time such as 3000/1m", MinRate, MaxRate)
	if f.schedule {
		rates = acceptedRates
	}
	ask("rate", f.rate, rates, func(text string) (ok bool) { o.Rate, ok = parseRate(text); return ok || f.phased() })
	ask("duration", f.duration, fmt.Sprintf("a time from %v to %.0f seconds, such as 10s", MinDuration, MaxDuration.Seconds()),
		func(text string) (ok bool) { o.Duration, ok = parseTime(text, MaxDuration); return ok })
	ask(f.requests, f.maxRequests, fmt.Sprintf("a whole number from 1 to %d", MaxRequests),
		func(text string) (ok bool) { o.MaxRequests, ok = parseCount(text, MaxRequests); return ok })
	ask("connections", f.connections, fmt.Sprintf("a whole number from 1 to %d", MaxConnections),
		func(text string) (ok bool) { o.Connections, ok = parseCount(text, MaxConnections); return ok })
	ask("timeout", f.timeout, fmt.Sprintf("a time from %v to %.0f seconds, such as 30s", MinDuration, MaxTimeout.Seconds()),
		func(text string) (ok bool) { o.Timeout, ok = parseTime(text, MaxTimeout); return ok })
	return o, errors.Join(problems...)
}

// parseRate reads a number of requests a second: "50", "0.5", or in the form of Vegeta, "50/1s", "50/s", "3000/1m".
func parseRate(text string) (rate float64, ok bool) {
	number, unit, per := strings.Cut(text, "/")
	rate, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, false
	}
	if per {
		if unit != "" && (unit[0] < '0' || unit[0] > '9') {
			unit = "1" + unit
		}
		interval, err := time.ParseDuration(unit)
		if err != nil {
			return 0, false
		}
		rate /= interval.Seconds()
	}
	if !(rate >= MinRate && rate <= MaxRate) { // in this form the condition refuses NaN, which is also the value of 0/0s
		return 0, false
	}
	return rate, true
}

func parseTime(text string, most time.Duration) (d time.Duration, ok bool) {
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= MinDuration && d <= most
}

func parseCount(text string, most int) (n int, ok bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0 && n <= most
}
