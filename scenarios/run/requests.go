package run

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/stats"
)

const (
	// leastNaturals is how many natural requests a phase sends at least, so that its shares and latencies mean something.
	leastNaturals = 300
	// leastEach is how many natural requests of each cohort a phase sends at least.
	leastEach = 20
	// mostNaturals bounds the natural requests that are sent until splits are decided.
	mostNaturals = 50_000
	// probeSeries is the part of the names of probes that tells them from natural requests.
	probeSeries = "p"
	// spareEach is how many more calls of each branch are planned than are needed: a busy machine leaves some open.
	spareEach = 7
)

// want is what the probes are to meet, row by row: each branch, and of each rule so many calls that would look otherwise without
// it that deviations of the share to be excluded would show. A rule that holds unchanged from the phase before was probed there.
func (p *planned) want() []oracle.Want {
	wants := make([]oracle.Want, len(p.ways.Rows))
	if p.Base {
		return wants
	}
	for i := range p.ways.Rows {
		row := &p.ways.Rows[i]
		if !p.ways.New(i) {
			continue
		}
		if row.Tried {
			wants[i].Each = check.EachBranch + spareEach
			if check.Retries(row) > 0 {
				wants[i].Retried = int(stats.ZeroFailureTrials(p.options.Exclude, check.Risk))
				if !p.untimed() && p.timed.add(row) {
					wants[i].Timed = check.TimedWaits
				}
			}
		}
		if telling := p.ways.Telling(i); row.Rule != nil && telling > 0 && !check.Unknown(row) {
			needed := float64(stats.ZeroFailureTrials(p.elsewhere(), check.Risk)) / telling
			wants[i].Calls = max(1, int(math.Ceil(needed-surely(p.shown(i)*float64(p.leastNatural())))))
		}
	}
	return wants
}

// untimed reports whether waits before retries are not judged.
func (p *planned) untimed() bool { return p.options.Derived && !p.options.RequireTimes }

// backOff is what decides how long a proxy waits before it sends a call again: its service, and of its policy the number of retries and
// the first interval, which grows the same way in every policy (Envoy's JitteredExponentialBackOffStrategy).
type backOff struct {
	caller   string
	attempts int
	base     time.Duration
}

// backOffs are those that a run times, each where the first rule with it comes: hundreds of requests time one.
type backOffs map[backOff]bool

// add notes the back-off of a row, and reports whether it is a new one.
func (known backOffs) add(row *oracle.Row) bool {
	its := backOff{row.Caller, check.Retries(row), row.Rule.Retry.Base}
	if known[its] {
		return false
	}
	known[its] = true
	return true
}

// surely is how many calls of natural requests a plan relies on where so many are expected: five standard deviations fewer, of a
// number that varies at most as one of Poisson's does, since too few would leave a right mesh without a verdict.
func surely(expected float64) float64 { return max(0, expected-5*math.Sqrt(expected)) }

// elsewhere is the share of deviating calls to be excluded for rules that say where calls go.
func (p *planned) elsewhere() float64 {
	if p.Exclude > 0 {
		return min(p.Exclude, p.options.Exclude)
	}
	return p.options.Exclude
}

// turns is the order in which the cohorts of natural requests take turns until each came as often as its weight says: at each place comes
// the one that is furthest behind its share (the smooth weighted round robin of nginx).
func turns(cohorts []scenarios.Cohort) (order []int32) {
	sum := 0
	for i := range cohorts {
		sum += cohorts[i].Often()
	}
	behind := make([]int, len(cohorts))
	for range sum {
		next := 0
		for i := range cohorts {
			if behind[i] += cohorts[i].Often(); behind[i] > behind[next] {
				next = i
			}
		}
		behind[next] -= sum
		order = append(order, int32(next))
	}
	return order
}

// compose lays out the requests: probes among the first natural ones, then natural ones until the splits are decided.
func (p *planned) compose() {
	probes, short := p.ways.Probes(p.first, p.wants, p.options.Cascade == trail.Propagate)
	p.noteShort(short)
	for i := range p.Cohorts {
		p.addCohort(i, "", "")
	}
	for _, first := range p.first {
		p.judged = append(p.judged, observe.Cohort{Way: first, Request: *p.request("")})
	}
	known := map[oracle.Probe]int32{}
	for _, probe := range probes {
		if _, ok := known[probe]; !ok {
			known[probe] = int32(len(p.cohorts))
			p.addCohort(probe.Cohort, probeSeries, probe.Pins)
			p.judged = append(p.judged, observe.Cohort{Way: p.first[probe.Cohort], Request: *p.request(probe.Pins), Probe: true})
		}
	}
	p.natural, p.mostNatural = p.naturals()
	p.settled, p.probes = p.natural+len(probes), len(probes)
	p.sequence = make([]attack.Slot, 0, p.mostNatural+len(probes))
	sent := 0
	for n := range p.mostNatural {
		for sent < len(probes) && (n >= p.natural || sent*p.natural < n*len(probes)) {
			p.sequence = append(p.sequence, attack.Slot{Cohort: known[probes[sent]], Number: int32(sent)})
			sent++
		}
		p.sequence = append(p.sequence, attack.Slot{Cohort: p.turn(n), Number: int32(n)})
	}
	for ; sent < len(probes); sent++ {
		p.sequence = append(p.sequence, attack.Slot{Cohort: known[probes[sent]], Number: int32(sent)})
	}
}

// noteShort notes the rows whose rule no plan of probes proves.
func (p *planned) noteShort(rows []int) {
	var names []string
	for _, row := range rows {
		if name := check.Service(&p.ways.Rows[row]); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	list := strings.Join(names[:min(mostNamed, len(names))], ", ")
	if more := len(names) - mostNamed; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	p.notices = append(p.notices, fmt.Sprintf("phase %s: so few calls to %s are made that no plan of probes proves their rule", p.Name, list))
}

// turn is the cohort of a natural request.
func (p *planned) turn(number int) int32 { return p.turns[number%len(p.turns)] }

// addCohort adds requests of a cohort of the scenario to the attack's.
func (p *planned) addCohort(of int, series, pins string) {
	c := &p.Cohorts[of]
	host := p.hosts[of]
	if p.options.Sent != nil {
		host = p.options.Sent(host)
	}
	p.cohorts = append(p.cohorts, attack.Cohort{Name: c.Name, Series: series, Host: host, Method: c.Method, Header: p.header(*c, pins)})
	p.from = append(p.from, of)
}

// naturals is how many natural requests are sent, and how many at most while a split is not decided.
func (p *planned) naturals() (least, most int) {
	least = p.leastNatural()
	most = least
	if p.Base {
		return least, most
	}
	for i, split := range check.NewSplits(p.ways, p.options.SplitLo, p.options.SplitHi, p.biased()) {
		shown := p.shown(i)
		if shown == 0 {
			continue
		}
		if split != nil && split.Told() {
			most = max(most, p.enough(i, "split", 1.1*float64(split.CallsToPass())/shown))
		}
		if check.Balanced(&p.ways.Rows[i]) {
			needed := p.enough(i, "choice of versions", 1.5*check.LeastBalanced/shown)
			least, most = max(least, needed), max(most, needed)
		}
	}
	return least, most
}

// leastNatural is how many natural requests the phase sends at least.
func (p *planned) leastNatural() int { return max(LeastNatural(p.Cohorts), p.leastExpected()) }

// LeastNatural is how many natural requests a phase with these cohorts sends at least, unless the user limits them.
func LeastNatural(cohorts []scenarios.Cohort) int {
	turns := 0
	for i := range cohorts {
		turns += cohorts[i].Often()
	}
	return max(leastNaturals, leastEach*turns)
}

// enough is how many natural requests are sent where so many are needed to judge what is drawn for the calls of a row: not more than
// a phase sends at most, which is noted.
func (p *planned) enough(row int, what string, needed float64) int {
	if needed <= mostNaturals {
		return int(math.Ceil(needed))
	}
	p.notices = append(p.notices, fmt.Sprintf("phase %s: the %s of the calls to %s is decided by about %.3g requests, and at most %d are sent, so that it may stay undecided",
		p.Name, what, check.Service(&p.ways.Rows[row]), needed, mostNaturals))
	return mostNaturals
}

// biased reports whether a call may be sent again because what the service called failed or hung (check.Evidence).
func (p *planned) biased() bool {
	if p.options.Cascade == trail.Propagate || p.options.Hang > 0 {
		return true
	}
	for i := range p.ways.Rows {
		for _, d := range p.ways.Rows[i].Destinations {
			for _, w := range d.Workloads {
				if w.Hang != nil && *w.Hang > 0 {
					return true
				}
			}
		}
	}
	return false
}

// shown is how many calls of a row the answer to a natural request shows, on the whole.
func (p *planned) shown(row int) float64 { return check.Shown(p.predictions, row) }

// curtail keeps to the limits that the user set, and notes what becomes of the checks.
func (p *planned) curtail() {
	if p.options.Request != "" {
		p.sequence, p.wants = p.only(p.options.Request), make([]oracle.Want, len(p.wants))
		p.settled = len(p.sequence)
		p.recount()
		return
	}
	most := len(p.sequence)
	if n := p.options.Attack.MaxRequests; n > 0 {
		most = min(most, n)
	}
	if d := p.options.Attack.Duration; d > 0 {
		most = min(most, max(1, int(p.rate*d.Seconds())))
	}
	switch {
	case most == len(p.sequence) || p.Base: // nothing is to be proved in a Base phase
	case most < p.settled:
		p.notices = append(p.notices, fmt.Sprintf("phase %s: %d requests are needed to prove every rule, and the limits that you set allow %d, "+
			"so that some checks may stay undecided", p.Name, p.settled, most))
	default:
		p.notices = append(p.notices, fmt.Sprintf("phase %s: up to %d requests are needed to decide what the mesh draws, and the limits that you set allow %d, "+
			"so that a split may stay undecided", p.Name, len(p.sequence), most))
	}
	p.sequence = p.sequence[:most]
	p.settled = min(p.settled, most)
	p.recount()
}

// recount counts the natural requests and the probes among those that are sent at least.
func (p *planned) recount() {
	p.natural, p.probes = 0, 0
	for _, slot := range p.sequence[:p.settled] {
		if p.judged[slot.Cohort].Probe {
			p.probes++
		} else {
			p.natural++
		}
	}
}

// only is the one request that has a name without the seed, such as "retry/17" or "retry/p/3"; nothing where the phase has none.
func (p *planned) only(name string) []attack.Slot {
	number, ok := strings.CutPrefix(name, p.Name+"/")
	if !ok {
		return nil
	}
	number, probe := strings.CutPrefix(number, probeSeries+"/")
	n, err := strconv.Atoi(number)
	if err != nil || strconv.Itoa(n) != number || n < 0 || n >= attack.MaxRequests {
		return nil
	}
	for _, slot := range p.sequence {
		if int(slot.Number) == n && p.judged[slot.Cohort].Probe == probe {
			return []attack.Slot{slot}
		}
	}
	if probe {
		return nil
	}
	return []attack.Slot{{Cohort: p.turn(n), Number: int32(n)}}
}

// tooLong refuses a rate at which the requests that the phase needs would take days, and a phase that takes longer than Options.Longest.
func (p *planned) tooLong() error {
	if longest := p.options.Longest; p.seconds() > longest.Seconds() && longest > 0 {
		return fmt.Errorf("the %d requests that are needed take about %.0f s at %g a second, and more than %.0f s are not begun unasked: --duration %.0fs sends them all, and a shorter --duration as many as fit, so that some checks may stay undecided",
			p.settled, p.seconds(), p.rate, longest.Seconds(), math.Ceil(p.seconds())+1)
	}
	if seconds := p.seconds(); seconds > attack.MaxSending.Seconds() {
		return fmt.Errorf("--rate %g: the %d requests that the phase needs would take %.0f hours, and it may send for %.0f: choose a higher --rate, or fewer requests with --max-requests or --duration",
			p.rate, p.settled, seconds/3600, attack.MaxSending.Hours())
	}
	return nil
}

// seconds is how long the requests that are needed take at the planned rate.
func (p *planned) seconds() float64 { return float64(p.settled) / p.rate }
