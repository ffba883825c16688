// Package run plans and executes the phases of a scenario on a target: it applies objects, sends natural requests and probes, has
// them judged, and writes the report. It knows neither sockets nor clusters, nor what any service or stage is called.
package run

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/findings"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/stats"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// leastNaturals is how many natural requests a phase sends at least, so that its shares and latencies mean something.
	leastNaturals = 300
	// mostNaturals bounds the natural requests that are sent until splits are decided.
	mostNaturals = 50_000
	// timedShare of the capacity is used where waits are timed: a busy machine wakes up late.
	timedShare = 0.5
	// grace is how long sending may go on after its planned end: a busy machine sends late rather than less.
	grace = 30 * time.Second
	// probeSeries is the part of the names of probes that tells them from natural requests.
	probeSeries = "p"

	// leastConnections and mostConnections bound the requests under way in a phase for which the user did not.
	leastConnections, mostConnections = 64, 1024
	// Where a request leads to many tries, fewer are let under way: so many that these are their tries, but at least the fewest.
	triesUnderWay, fewestConnections = 2_000, 8
	// spareEach is how many more calls of each branch are planned than are needed: a busy machine leaves some open.
	spareEach = 7
)

// Pace is what a kind of target can be asked for.
type Pace struct {
	// Capacity is how many tries a second it carries without strain, and Timed the shortest wait that it can be held to:
	// below it the machines' own pace says more than the policy.
	Capacity float64
	Timed    time.Duration
	// Remote: others use its machines and networks, too, so that a connection may break without anybody's fault.
	Remote bool
}

// planned is a phase with all that can be said before its first request.
type planned struct {
	*scenarios.Phase
	options Options
	pace    Pace
	rules   *manifests.Rules
	ways    *oracle.Ways
	host    string // what a gateway wants to be called
	// first are the ways of the cohorts, and inwards the rows that they lead to.
	first       []*oracle.Call
	inwards     []int
	predictions []*oracle.Prediction
	wants       []oracle.Want
	// cohorts and sequence are the attack's: natural cohorts first, then probes.
	cohorts  []attack.Cohort
	judged   []observe.Cohort
	sequence []attack.Slot
	// settled is how many requests are sent at least: all probes, and the natural requests that every phase has. natural of them
	// are natural, and at most mostNatural are sent until all splits are decided.
	settled, natural, mostNatural, probes int
	rate                                  float64
	connections                           int // the most requests under way
	lead                                  int // how many more are sent when all is decided, so that each run of a seed sends as many
	traced                                bool
	services                              []string // of ours, callers before those that they call
	notices                               []string
	promised                              *planned // by the scenario's own objects, where the user replaced some; nil: none
}

// plan prepares a phase; former is the one before, nil for the first.
func (p *planned) plan(former *planned) (err error) {
	if err := p.read(former); err != nil {
		return err
	}
	if err := p.promise(); err != nil {
		return err
	}
	p.wants = p.want()
	p.compose()
	p.pacing()
	if p.curtail(); len(p.sequence) == 0 {
		return nil // the one request that is to be sent is of another phase
	}
	if err := p.tooLong(); err != nil {
		return err
	}
	return p.attackOn("http://127.0.0.1/").Check()
}

// tooLong refuses a rate at which the requests that the phase needs would take days.
func (p *planned) tooLong() error {
	if seconds := float64(p.settled) / p.rate; seconds > attack.MaxSending.Seconds() {
		return fmt.Errorf("--rate %g: the %d requests that the phase needs would take %.0f hours, and it may send for %.0f: choose a higher --rate, or fewer requests with --max-requests or --duration",
			p.rate, p.settled, seconds/3600, attack.MaxSending.Hours())
	}
	return nil
}

// read finds out what the objects mean, and where they lead the cohorts.
func (p *planned) read(former *planned) (err error) {
	if p.rules, err = manifests.Read(p.Objects); err != nil {
		return err
	}
	if p.ways, err = oracle.NewWays(p.rules); err != nil {
		return err
	}
	if former != nil && former.ways != nil {
		p.ways.After(former.ways)
	}
	return p.enter()
}

// enter compiles the ways of the cohorts and predicts what they come to.
func (p *planned) enter() error {
	entry := oracle.Entry{Service: p.Entry.Service}
	if p.Entry.Gateway {
		gateway, host, err := theGateway(p.rules)
		if err != nil {
			return err
		}
		p.host, entry = host, oracle.Entry{Gateway: gateway}
	}
	for _, cohort := range p.Cohorts {
		first, err := p.ways.Enter(entry, manifests.Request{Host: p.host, Path: "/", Header: p.header(cohort, "")})
		if err != nil {
			return err
		}
		p.first = append(p.first, first)
	}
	for _, first := range p.first { // all rows are known only now
		p.predictions = append(p.predictions, p.ways.Predict(p.request(""), first))
	}
	p.inwards, p.services = p.ways.Inwards(p.first...), p.ways.Ours(p.first...)
	return nil
}

// request is what the oracle knows of a request of this phase, but its name.
func (p *planned) request(pins string) *oracle.Request {
	return &oracle.Request{Fail: p.options.Fail, Hang: p.options.Hang, Propagate: p.options.Cascade == trail.Propagate, Pins: pins, Timeout: p.options.Attack.Timeout}
}

// header is what a cohort's requests carry.
func (p *planned) header(c scenarios.Cohort, pins string) http.Header {
	h := http.Header{}
	maps.Copy(h, c.Header)
	h.Set("Accept", "application/json") // the attack asks for trails, and rules may look at it
	h.Set(trail.HeaderCascade, p.options.Cascade)
	if pins != "" {
		h.Set(trail.HeaderPins, pins)
		return h
	}
	h.Set(trail.HeaderFail, fmt.Sprint(p.options.Fail))
	if p.options.Hang > 0 {
		h.Set(trail.HeaderHang, fmt.Sprint(p.options.Hang))
	}
	return h
}

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
				wants[i].Retried, wants[i].Timed = int(stats.ZeroFailureTrials(p.options.Exclude, check.Risk)), check.TimedWaits
			}
		}
		if telling := p.ways.Telling(i); row.Rule != nil && telling > 0 && !check.Unknown(row) {
			needed := float64(stats.ZeroFailureTrials(p.elsewhere(), check.Risk)) / telling
			wants[i].Calls = max(1, int(math.Ceil(needed-surely(p.shown(i)*leastNaturals))))
		}
	}
	return wants
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

// compose lays out the requests: probes among the first natural ones, then natural ones until the splits are decided.
func (p *planned) compose() {
	probes, short := p.ways.Probes(p.first, p.wants, p.options.Cascade == trail.Propagate)
	for _, row := range short {
		p.notices = append(p.notices, fmt.Sprintf("phase %s: so few calls to %s are made that no plan of probes proves their rule", p.Name, check.Service(&p.ways.Rows[row])))
	}
	for _, cohort := range p.Cohorts {
		p.cohorts = append(p.cohorts, attack.Cohort{Name: cohort.Name, Header: p.header(cohort, "")})
	}
	for _, first := range p.first {
		p.judged = append(p.judged, observe.Cohort{Way: first, Request: *p.request("")})
	}
	known := map[oracle.Probe]int32{}
	for _, probe := range probes {
		if _, ok := known[probe]; !ok {
			known[probe] = int32(len(p.cohorts))
			p.cohorts = append(p.cohorts, attack.Cohort{Name: p.Cohorts[probe.Cohort].Name, Series: probeSeries, Header: p.header(p.Cohorts[probe.Cohort], probe.Pins)})
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
		p.sequence = append(p.sequence, attack.Slot{Cohort: int32(n % len(p.Cohorts)), Number: int32(n)})
	}
	for ; sent < len(probes); sent++ {
		p.sequence = append(p.sequence, attack.Slot{Cohort: known[probes[sent]], Number: int32(sent)})
	}
}

// naturals is how many natural requests are sent, and how many at most while a split is not decided.
func (p *planned) naturals() (least, most int) {
	least, most = leastNaturals, leastNaturals
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

// pacing keeps the tries that a second's requests cause within the target's capacity, and bounds the requests under way: after a
// pause of this machine those that are due leave one after another, where all at once would overload what is measured.
func (p *planned) pacing() {
	var tries, mean float64
	for _, prediction := range p.predictions {
		for i := range prediction.Rows {
			tries += prediction.Rows[i].Tries / float64(len(p.predictions))
		}
		mean = max(mean, prediction.Mean.Seconds())
	}
	probed, waited := p.probed()
	share := float64(p.probes) / float64(p.settled)
	tries = 1 + (1-share)*tries + share*probed // the edge's own work counts as one
	mean = (1-share)*mean + share*waited
	p.connections = p.options.Attack.Connections
	if p.rate = p.options.Attack.Rate; p.rate == 0 {
		p.rate = p.pace.Capacity / tries
		if p.times() {
			p.rate *= timedShare
		}
		if mean > 0 {
			p.rate = min(p.rate, float64(cmp.Or(p.connections, mostConnections))/2/mean)
		}
		p.rate = math.Max(1, math.Floor(p.rate))
	}
	least := min(leastConnections, max(fewestConnections, int(triesUnderWay/tries)))
	underWay := min(mostConnections, least+int(4*p.rate*mean))
	if p.connections == 0 {
		p.connections = mostConnections
		if p.options.Attack.Rate == 0 {
			p.connections = underWay
		}
	}
	p.lead = 2 * min(p.connections, underWay) // those under way, and answers that wait for an earlier one
}

// probed is how many tries a probe leads to, and how long it takes, on the whole.
func (p *planned) probed() (tries, seconds float64) {
	probes := p.judged[len(p.Cohorts):]
	if len(probes) == 0 {
		return 0, 0
	}
	for i := range probes {
		played := p.ways.PlayOnce(&probes[i].Request, probes[i].Way)
		tries, seconds = tries+float64(played.Tries), seconds+played.Elapsed.Seconds()
	}
	return tries / float64(len(probes)), seconds / float64(len(probes))
}

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
	return []attack.Slot{{Cohort: int32(n % len(p.Cohorts)), Number: int32(n)}}
}

// times reports whether the phase times waits.
func (p *planned) times() bool {
	return slices.ContainsFunc(p.wants, func(w oracle.Want) bool { return w.Retried > 0 })
}

// plansName is what the names of a phase's requests begin with.
func (p *planned) plansName() string {
	return strconv.FormatUint(p.options.Seed, 10) + "/" + p.Name
}

// attackOn is the attack of this phase on an address.
func (p *planned) attackOn(address string) attack.Plan {
	return attack.Plan{
		URL: address, Host: p.host, Requests: len(p.sequence), Rate: p.rate, Cohorts: p.cohorts, Sequence: p.sequence,
		Name: p.plansName(), Grace: grace, Lead: p.lead, Connections: p.connections, Timeout: p.options.Attack.Timeout, Trace: p.traced,
	}
}

// entry is the way in, as targets and reports call it.
func (p *planned) entry() target.Entry {
	if p.Entry.Gateway {
		return target.Gateway
	}
	return target.Direct
}

// leading are the names of the cohorts that lead to each row; nil where all do.
func (p *planned) leading() [][]string {
	names := make([][]string, len(p.ways.Rows))
	for i, first := range p.first {
		for _, row := range p.ways.Inwards(first) {
			names[row] = append(names[row], p.Cohorts[i].Name)
		}
	}
	for row := range names {
		if len(names[row]) == len(p.Cohorts) {
			names[row] = nil
		}
	}
	return names
}

// theGateway is the Gateway that requests enter by, and a Host header that it admits (empty: any).
func theGateway(rules *manifests.Rules) (name, host string, err error) {
	names := slices.Sorted(maps.Keys(rules.Gateways))
	if len(names) != 1 {
		return "", "", fmt.Errorf("requests enter by the Gateway of the objects, and there must be exactly one: there are %d %v", len(names), names)
	}
	host, ok := rules.EntryHost(names[0])
	if !ok {
		return "", "", fmt.Errorf("no server of Gateway %s has a host for HTTP", names[0])
	}
	return names[0], host, nil
}

// Run is a planned run: all that can be said, and can be wrong, before anything is started.
type Run struct {
	name     string
	options  Options
	phases   []*planned
	added    [][]reports.Manifest
	findings []reports.Finding
	hash     string
	emit     func(Event)
}

// Plan prepares the phases of a run: reads their objects, predicts and plans the requests at the target's pace. name is the
// scenario's. The error has all that is wrong, each once.
func Plan(name string, phases []scenarios.Phase, o Options, pace Pace) (*Run, error) {
	r := &Run{name: name, options: o, emit: func(Event) {}}
	var problems []error
	said := map[string]bool{}
	var former *planned
	for i := range phases {
		p := &planned{Phase: &phases[i], options: o, pace: pace}
		if err := p.plan(former); err != nil && !said[err.Error()] {
			said[err.Error()] = true
			problems = append(problems, fmt.Errorf("phase %s: %w", p.Name, err))
		}
		r.phases = append(r.phases, p)
		former = p
	}
	if err := r.narrow(); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	r.find()
	return r, r.describeObjects()
}

// find collects the findings of all phases. One that several have is of the first of them.
func (r *Run) find() {
	known := map[reports.Finding]bool{}
	for _, p := range r.phases {
		for _, found := range findings.Of(p.Phase, p.rules, p.ways) {
			same := found
			same.Phase = ""
			if !known[same] {
				known[same] = true
				r.findings = append(r.findings, found)
			}
		}
	}
	slices.SortStableFunc(r.findings, func(a, b reports.Finding) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
}

// narrow leaves out all phases but the one whose request alone is to be sent, where that is asked for.
func (r *Run) narrow() error {
	if r.options.Request == "" {
		return nil
	}
	for i, p := range r.phases {
		if len(p.sequence) > 0 {
			r.phases = r.phases[i : i+1]
			return nil
		}
	}
	var names []string
	for _, p := range r.phases {
		names = append(names, p.Name)
	}
	return fmt.Errorf("--request %s: no phase of the run has such a request: name a phase (%s) and a number, as in %s/17 or, for a probe, %s/p/3",
		r.options.Request, strings.Join(names, ", "), names[len(names)-1], names[len(names)-1])
}

// Subscribe makes Execute call handle for every event.
func (r *Run) Subscribe(handle func(Event)) {
	others := r.emit
	r.emit = func(e Event) {
		others(e)
		handle(e)
	}
}

// Objects are the sets of objects that the run applies, in their order.
func (r *Run) Objects() [][]manifests.Object {
	var all [][]manifests.Object
	for _, p := range r.phases {
		all = append(all, p.Objects)
	}
	return all
}

// Notices are what a user should know before the start: checks that the plan cannot decide.
func (r *Run) Notices() (all []string) {
	for _, p := range r.phases {
		all = append(all, p.notices...)
	}
	return all
}

// Findings are what is wrong with the manifests themselves, whatever the mesh makes of them.
func (r *Run) Findings() []reports.Finding { return r.findings }

// Requests is how many the run is expected to send, the most that it sends, and about how long that takes.
func (r *Run) Requests() (expected, most int, duration time.Duration) {
	for _, p := range r.phases {
		expected += p.settled
		most += len(p.sequence)
		var longest time.Duration
		for _, prediction := range p.predictions {
			longest = max(longest, prediction.Longest)
		}
		duration += time.Duration(float64(p.settled)/p.rate*float64(time.Second)) + longest
	}
	return expected, most, duration
}

// InFlight is the most requests that the run has under way at once, on a machine however slow.
func (r *Run) InFlight() (requests int) {
	for _, p := range r.phases {
		requests = max(requests, min(p.connections, len(p.sequence)))
	}
	return requests
}
