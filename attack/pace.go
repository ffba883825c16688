package attack

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Pace is when the requests of an attack on addresses leave that the user names, as the flags of AddLoadFlags say it.
type Pace struct {
	Options
	// Phases are the schedule; none: Rate, Duration and MaxRequests say it all.
	Phases []Phase
	// Closed: --rate max, a closed loop of Connections requests in flight.
	Closed bool
	Seed   uint64
}

// schedules are the flags of AddLoadFlags beside those of AddFlags.
type schedules struct {
	workers, warmup, replay string
	poisson                 bool
	seed                    uint64
}

// DefaultWorkers is how many requests a closed loop has in flight.
const DefaultWorkers = 64

func (f *Flags) addSchedules(set *pflag.FlagSet) {
	s := &f.schedules
	set.StringVar(&s.workers, "workers", "", fmt.Sprintf("`number` of requests in flight in the closed loop of --rate max (default: %d)", DefaultWorkers))
	set.BoolVar(&s.poisson, "poisson", false, "draw the times between requests, as of users who do not know each other")
	set.StringVar(&s.warmup, "warmup", "", "`time` to send at the first rate before what is measured, such as 10s")
	set.StringVar(&s.replay, "replay", "", "`file` with the times at which to send, in place of --rate: results of vegeta, or an access log of nginx or Envoy")
	set.Uint64Var(&s.seed, "seed", 1, "`number` that decides what --poisson draws")
}

// acceptedRates says what --rate may be.
var acceptedRates = fmt.Sprintf("a number of requests a second from %g to %.0f, a number per time such as 3000/1m, a ramp such as 100..1000, "+
	"phases such as 100:10s,100..1000:30s, or max", MinRate, MaxRate)

// Pace returns the values of the flags of AddLoadFlags. The error joins one line for each bad flag.
func (f *Flags) Pace() (Pace, error) {
	var p Pace
	var problems []error
	var err error
	p.Options, err = f.Options()
	problems = append(problems, err)
	p.Seed = f.schedules.seed
	replayed := f.set.Changed("replay")
	switch {
	case replayed && f.set.Changed("rate"):
		problems = append(problems, errors.New("--replay and --rate: give one of them, since the file says when to send"))
	case replayed && (f.schedules.poisson || f.schedules.warmup != "" || f.set.Changed("duration")):
		problems = append(problems, errors.New("--replay: the file says when to send, so --poisson, --warmup and --duration have no meaning with it"))
	case replayed:
		var phase Phase
		if phase, err = ReadTimes(f.schedules.replay); err != nil {
			problems = append(problems, fmt.Errorf("--replay %w", err))
		}
		p.Phases = []Phase{phase}
	case f.rate == "max":
		p.Closed = true
		problems = append(problems, f.closed(&p)...)
	default:
		problems = append(problems, f.phases(&p)...)
	}
	if len(p.Phases) > 0 && p.MaxRequests > 0 {
		problems = append(problems, fmt.Errorf("--%s: the phases say how many requests are sent", f.requests))
	}
	if f.set.Changed("workers") && !p.Closed {
		problems = append(problems, errors.New("--workers: is for the closed loop of --rate max; --connections says how many requests may be in flight at a rate"))
	}
	return p, errors.Join(problems...)
}

// closed reads the flags of a closed loop.
func (f *Flags) closed(p *Pace) (problems []error) {
	if f.schedules.poisson || f.schedules.warmup != "" {
		problems = append(problems, errors.New("--rate max: has no schedule, so --poisson and --warmup have no meaning with it"))
	}
	if f.set.Changed("connections") {
		problems = append(problems, errors.New("--connections: in the closed loop of --rate max, --workers says how many requests are in flight"))
	}
	p.Connections = DefaultWorkers
	if n, ok := parseCount(f.schedules.workers, MaxConnections); ok {
		p.Connections = n
	} else if f.set.Changed("workers") {
		problems = append(problems, fmt.Errorf("--workers %s: must be a whole number from 1 to %d", f.schedules.workers, MaxConnections))
	}
	return problems
}

// phases reads --rate as phases where it names several, and puts the warm-up before them.
func (f *Flags) phases(p *Pace) (problems []error) {
	usual := p.Duration
	if usual == 0 {
		usual = DefaultDuration
	}
	if f.schedules.warmup == "" && !f.schedules.poisson && !f.phased() {
		return nil
	}
	if p.MaxRequests > 0 {
		return []error{fmt.Errorf("--%s: phases end by their time, so use --duration", f.requests)}
	}
	text := f.rate
	if text == "" {
		text = fmt.Sprint(DefaultRate)
	}
	for part := range strings.SplitSeq(text, ",") {
		phase, ok := parsePhase(part, usual)
		if !ok {
			if f.phased() {
				problems = append(problems, fmt.Errorf("--rate %s: must be %s", part, acceptedRates))
			}
			continue
		}
		phase.Poisson = f.schedules.poisson
		p.Phases = append(p.Phases, phase)
	}
	if f.schedules.warmup == "" {
		return problems
	}
	d, ok := parseTime(f.schedules.warmup, MaxDuration)
	if !ok {
		return append(problems, fmt.Errorf("--warmup %s: must be a time from %v to %.0f seconds, such as 10s", f.schedules.warmup, MinDuration, MaxDuration.Seconds()))
	}
	if len(p.Phases) > 0 {
		first := p.Phases[0].Rate
		p.Phases = append([]Phase{{Name: "warm-up", Rate: first, To: first, Duration: d, Poisson: f.schedules.poisson, Warmup: true}}, p.Phases...)
	}
	return problems
}

// phased reports whether --rate is of the forms that Options does not read.
func (f *Flags) phased() bool {
	return f.schedule && (f.rate == "max" || strings.ContainsAny(f.rate, ",:") || strings.Contains(f.rate, ".."))
}

// ParseRange reads two rates, "100..5000", the first of which is the lower one.
func ParseRange(text string) (from, to float64, ok bool) {
	p, ok := parsePhase(text, DefaultDuration)
	return p.Rate, p.To, ok && p.Rate < p.To && !strings.Contains(text, ":")
}

// parsePhase reads RATE or RATE..RATE, and a time behind a colon where it has one.
func parsePhase(text string, usual time.Duration) (p Phase, ok bool) {
	rates, lasts, timed := strings.Cut(text, ":")
	from, to, ramp := strings.Cut(rates, "..")
	p = Phase{Name: rates, Duration: usual}
	if p.Rate, ok = parseRate(from); !ok {
		return p, false
	}
	p.To = p.Rate
	if ramp {
		if p.To, ok = parseRate(to); !ok {
			return p, false
		}
	}
	if timed {
		p.Duration, ok = parseTime(lasts, MaxDuration)
	}
	return p, ok
}
