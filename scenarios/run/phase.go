package run

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// grace is how long sending may go on after its planned end: a busy machine sends late rather than less.
const grace = 30 * time.Second

// planned is a phase with all that can be said before its first request.
type planned struct {
	*scenarios.Phase
	options Options
	pace    Pace
	rules   *manifests.Rules
	ways    *oracle.Ways
	// entries are where the cohorts enter, and hosts what their requests are for. first are their ways, and inwards the rows that
	// these lead to.
	entries     []manifests.Entry
	hosts       []string
	first       []*oracle.Call
	inwards     []int
	predictions []check.Predicted
	wants       []oracle.Want
	timed       backOffs // of this phase and those before
	// turns are the cohorts of natural requests, which come in this order again and again.
	turns []int32
	// cohorts and sequence are the attack's: natural cohorts first, then probes. from are the scenario's cohorts that these belong to.
	cohorts  []attack.Cohort
	from     []int
	judged   []observe.Cohort
	sequence []attack.Slot
	// settled is how many requests are sent at least: all probes, and the natural requests that every phase has. natural of them
	// are natural, and at most mostNatural are sent until all splits are decided.
	settled, natural, mostNatural, probes int
	rate                                  float64
	connections                           int // the most requests under way
	underWay                              int // the most that a quiet machine has under way
	lead                                  int // how many more are sent when all is decided, so that each run of a seed sends as many
	traced                                bool
	services                              []string // of ours, callers before those that they call
	notices                               []string
	expected                              []expect.Expectation
	change                                *change  // from the phase before; nil where none is measured
	senders                               *Senders // nil: this process sends
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
	if len(p.Cohorts) == 0 {
		return nil // no request can meet any of the rules: the findings say why
	}
	if p.timed = (backOffs{}); former != nil {
		maps.Copy(p.timed, former.timed)
	}
	p.wants = p.want()
	p.compose()
	p.policyNotices()
	p.pacing()
	if p.curtail(); len(p.sequence) == 0 {
		return nil // the one request that is to be sent is of another phase
	}
	if err := p.tooLong(); err != nil {
		return err
	}
	return p.attackOn(func(manifests.Entry) string { return "http://127.0.0.1" }, nil).Check()
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
	for _, cohort := range p.Cohorts {
		entry, host, err := resolved(&cohort, p.rules)
		if err != nil {
			return err
		}
		first, err := p.ways.Enter(entry, manifests.Request{Host: host, Method: cohort.Method, Path: requestPath(&cohort), Header: p.header(cohort, "")})
		if err != nil {
			return err
		}
		p.entries, p.hosts, p.first = append(p.entries, entry), append(p.hosts, host), append(p.first, first)
	}
	p.turns = turns(p.Cohorts)
	for i, first := range p.first { // all rows are known only now
		share := float64(p.Cohorts[i].Often()) / float64(len(p.turns))
		p.predictions = append(p.predictions, check.Predicted{Prediction: p.ways.Predict(p.request(""), first), Share: share})
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
	if p.rules.Mirror() {
		h.Set(trail.HeaderCopies, strconv.Itoa(forwardedFor(&c)))
	}
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

// forwardedFor is how many addresses x-forwarded-for has when a request of a cohort, and no copy of it, has passed the proxy where it enters: a
// gateway adds that of its client.
func forwardedFor(c *scenarios.Cohort) int {
	n := 0
	for _, line := range c.Header.Values(trail.HeaderForwardedFor) {
		n += 1 + strings.Count(line, ",")
	}
	if c.Entry.Gateway != "" {
		n++
	}
	return n
}

// requestPath is the path of a cohort's requests, with its query.
func requestPath(c *scenarios.Cohort) string { return cmp.Or(c.Path, "/") }

// kindsOfEntry are how requests enter, as reports call it: "direct", or several, "caller, gateway".
func (p *planned) kindsOfEntry() string {
	var kinds []string
	for _, entry := range p.entries {
		kinds = append(kinds, entry.Kind())
	}
	slices.Sort(kinds)
	return strings.Join(slices.Compact(kinds), ", ")
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

// plansName is what the names of a phase's requests begin with.
func (p *planned) plansName() string {
	return strconv.FormatUint(p.options.Seed, 10) + "/" + p.Name
}

// attackOn is the attack of this phase on the addresses of its entries, with connections for those with TLS.
func (p *planned) attackOn(address func(manifests.Entry) string, secure *tls.Config) attack.Plan {
	for i := range p.cohorts {
		of := p.from[i]
		p.cohorts[i].URL = address(p.entries[of]) + requestPath(&p.Cohorts[of])
	}
	return attack.Plan{
		URL: p.cohorts[0].URL, TLS: secure, Requests: len(p.sequence), Rate: p.rate, Cohorts: p.cohorts, Sequence: p.sequence,
		Name: p.plansName(), Grace: grace, Lead: p.lead, Connections: p.connections, Timeout: p.options.Attack.Timeout, Trace: p.traced,
	}
}

// resolved is where a cohort enters, and its Host header (empty: any will do): at a gateway one that it serves, unless the cohort has one.
func resolved(c *scenarios.Cohort, rules *manifests.Rules) (entry manifests.Entry, host string, err error) {
	entry = c.Entry
	if entry.Gateway == "" {
		return entry, c.Host, nil
	}
	if entry.Gateway == scenarios.OnlyGateway {
		names := slices.Sorted(maps.Keys(rules.Gateways))
		if len(names) != 1 {
			have := "there is none"
			if len(names) > 0 {
				have = "there are " + strings.Join(names, ", ")
			}
			return entry, "", errors.New("requests enter by the Gateway of the objects, and there must be exactly one: " + have)
		}
		entry.Gateway = names[0]
	}
	if g := rules.Gateways[entry.Gateway]; g != nil && entry.Port == 0 {
		entry.Port = g.Entrance(c.Host)
	}
	caller, _, err := rules.CallerOf(entry)
	if err != nil {
		return entry, "", err
	}
	served, _ := rules.EntryHost(entry.Gateway, entry.Port)
	host = cmp.Or(c.Host, served)
	if name := (&url.URL{Host: host}).Hostname(); rules.Secure(caller) && net.ParseIP(name) != nil {
		return entry, "", fmt.Errorf("host %s: port %d of Gateway %s has TLS, and a client asks such a server for a name and not for an address: write the name of a host", host, entry.Port, entry.Gateway)
	}
	return entry, host, nil
}
