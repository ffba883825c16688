package attack

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Flags are the flags of an attack as they were typed. They are read as text and looked at later, so that all bad
// values of a command line can be reported at once: pflag alone stops at the first.
type Flags struct {
	set                                               *pflag.FlagSet
	rate, duration, maxRequests, connections, timeout string
}

// AddFlags adds --rate, --duration, --max-requests, --connections and --timeout to set.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set}
	set.StringVar(&f.rate, "rate", "", "requests a second, a `number`, or a number per time such as 3000/1m (default: as the stage plans)")
	set.StringVar(&f.duration, "duration", "", "longest sending `time` of one phase, such as 10s (default: as the stage plans)")
	set.StringVar(&f.maxRequests, "max-requests", "", "most requests of one phase, a `number` (default: as the stage plans)")
	set.StringVar(&f.connections, "connections", "", "most requests in flight, a `number` (default: as the stage plans)")
	set.StringVar(&f.timeout, "timeout", DefaultTimeout.String(), "longest `time` that a request may take, with its body")
	return f
}

// Options are the values of the flags; what was not given is zero, and Timeout is DefaultTimeout. The error joins one
// line for each bad flag: its name, its value ("" when it was given as empty), what is accepted.
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
	ask("rate", f.rate, fmt.Sprintf("a number of requests a second from %g to %.0f, or a number per time such as 3000/1m", MinRate, MaxRate),
		func(text string) (ok bool) { o.Rate, ok = parseRate(text); return ok })
	ask("duration", f.duration, fmt.Sprintf("a time from %v to %.0f seconds, such as 10s", MinDuration, MaxDuration.Seconds()),
		func(text string) (ok bool) { o.Duration, ok = parseTime(text, MaxDuration); return ok })
	ask("max-requests", f.maxRequests, fmt.Sprintf("a whole number from 1 to %d", MaxRequests),
		func(text string) (ok bool) { o.MaxRequests, ok = parseCount(text, MaxRequests); return ok })
	ask("connections", f.connections, fmt.Sprintf("a whole number from 1 to %d", MaxConnections),
		func(text string) (ok bool) { o.Connections, ok = parseCount(text, MaxConnections); return ok })
	ask("timeout", f.timeout, fmt.Sprintf("a time from %v to %.0f seconds, such as 30s", MinDuration, MaxTimeout.Seconds()),
		func(text string) (ok bool) { o.Timeout, ok = parseTime(text, MaxTimeout); return ok })
	return o, errors.Join(problems...)
}

// parseRate reads requests a second: "50", "0.5", and as Vegeta writes it, "50/1s", "50/s", "3000/1m".
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
	if !(rate >= MinRate && rate <= MaxRate) { // written so that NaN is refused, and with it 0/0s
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
