package compare

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Bits of reports.Phase.Outcomes.
const (
	edgeBit = 1 << 0
	anyBit  = 1 << 1
	// hashBits are a hash of what the draws decide. They are 0 where a time limit may have decided a call of the request.
	hashBits = 0xff &^ (edgeBit | anyBit)
)

// mostNamed is how many requests that differ are named.
const mostNamed = 3

const notPaired = "requests were not compared one by one: "

// pairing finds out whether the two runs sent the same requests, so that these can be compared one by one: a request of one name draws
// the same numbers in both.
func (c *Comparison) pairing(before, after *reports.Report) {
	switch {
	case before.UpgradedFrom != "" || after.UpgradedFrom != "":
		c.unpaired = notPaired + "a report of schema 1 does not have the outcome of each"
	case before.Settings.Seed != after.Settings.Seed:
		c.unpaired = notPaired + "the runs have different seeds (run both with the same --seed)"
	case before.Tool.Draws != after.Tool.Draws:
		c.unpaired = notPaired + fmt.Sprintf("the two versions of hellochaos draw in different ways (%s and %s)", orNone(before.Tool.Draws), orNone(after.Tool.Draws))
	case c.Policies:
		c.unpaired = notPaired + "the policies differ, so that requests of one name need not be the same"
	case len(c.Mismatches) > 0:
		c.unpaired = notPaired + "the scenarios differ, so that requests of one name need not be the same"
	case before.Settings.ManifestsHash == "" || after.Settings.ManifestsHash == "":
		c.unpaired = notPaired + "the manifests may differ, so that requests of one name need not be the same"
	}
	c.bitsOnly = before.Tool.Version != after.Tool.Version
}

// outcomes are the natural requests that both runs sent, compared one by one.
type outcomes struct {
	// drawn: what a request meets also depends on what the mesh draws, so that requests may differ by chance.
	drawn bool
	n     int
	// differ counts the requests with another outcome. Edge and any are the numbers of requests by whether they failed in OLD and in
	// NEW: at the edge, and at any service of ours.
	differ    int64
	edge, any [2][2]int64
	first     []string // names of the first requests that differ
	// equal: none differs, by all that is known of a request.
	equal bool
}

// requests compares the natural requests of the phase one by one, where both runs sent the same.
func (p *pair) requests(before *reports.Report) {
	if p.c.unpaired != "" || len(p.old.Outcomes) == 0 || len(p.new.Outcomes) == 0 {
		return
	}
	o := &outcomes{drawn: meshDecides(p.old) || meshDecides(p.new), n: min(len(p.old.Outcomes), len(p.new.Outcomes))}
	mask := byte(0xff)
	if p.c.bitsOnly {
		mask = edgeBit | anyBit
	}
	open := 0
	for i := range o.n {
		a, b := p.old.Outcomes[i], p.new.Outcomes[i]
		o.edge[a&edgeBit][b&edgeBit]++
		o.any[a&anyBit>>1][b&anyBit>>1]++
		switch {
		case a&hashBits == 0 || b&hashBits == 0:
			open++
		case a&mask != b&mask:
			if o.differ++; len(o.first) < mostNamed {
				o.first = append(o.first, strconv.FormatUint(before.Settings.Seed, 10)+"/"+p.phase+"/"+strconv.Itoa(i))
			}
		}
	}
	o.equal = o.differ == 0 && !p.c.bitsOnly
	p.outcomes = o
	p.c.Paired += o.n
	if o.drawn {
		return
	}
	decided := int64(o.n - open)
	r := p.row("", "requests, one by one", Outcomes)
	r.Gates, r.settled = true, true
	r.Old = Value{N: decided}
	r.New = Value{K: o.differ, N: decided}
	if decided > 0 {
		r.New.Value = value(float64(o.differ) / float64(decided))
	}
	r.Word, r.Note = o.word(p.old, p.new)
	if p.c.bitsOnly {
		r.Note = joined(r.Note, "the versions of hellochaos differ, so only the failures of requests were compared, not their statuses and tries")
	}
	if decided == 0 {
		r.Word, r.Note = Unclear, "a time limit may have decided every request"
	}
	p.add(r)
}

// meshDecides reports whether what a request meets in a phase also depends on what the mesh draws.
func meshDecides(p *reports.Phase) bool {
	partly := func(share float64) bool { return share > 0 && share < 1 }
	for i := range p.Calls {
		c := &p.Calls[i]
		if c.Split != nil && c.Split.Unlike {
			return true
		}
		if r := c.Rule; r != nil {
			if partly(r.Aborts) || partly(r.Delays) {
				return true
			}
			for j := range r.Destinations {
				if r.Destinations[j].Status != r.Destinations[0].Status {
					return true
				}
			}
		}
	}
	return false
}

// word is that of requests whose outcomes draws decide. Such a request is a difference where its outcome differs, not evidence of one.
func (o *outcomes) word(old, new *reports.Phase) (Word, string) {
	if o.differ == 0 {
		return Same, ""
	}
	failOld, failNew, where := o.edge[1][0], o.edge[0][1], "at the edge"
	if failOld == failNew {
		failOld, failNew, where = o.any[1][0], o.any[0][1], "at a service"
	}
	note := fmt.Sprintf("%d of %d requests met something else, first %s; %d fail %s only in NEW, %d only in OLD", o.differ, o.n, strings.Join(o.first, ", "), failNew, where, failOld)
	lostOld, excusedOld := mismatched(old)
	lostNew, excusedNew := mismatched(new)
	switch {
	case excusedOld && excusedNew && o.differ <= lostOld+lostNew:
		return Same, note + "; as many calls lost a connection, which the runs count as incidents"
	case failNew > failOld:
		return Worse, note
	case failNew < failOld:
		return Better, note
	case lostNew > lostOld:
		return Worse, note
	case lostNew < lostOld:
		return Better, note
	}
	return Unclear, note + ", so that NEW is neither better nor worse"
}

// mismatched counts the calls of a phase that met something else than the rules say. They are excused where the run passes all calls
// nevertheless, because so few lost connections count as an incident.
func mismatched(p *reports.Phase) (n int64, excused bool) {
	excused = true
	for i := range p.Calls {
		n += p.Calls[i].Mismatched
		excused = excused && p.Calls[i].Requests != reports.Fail && p.Calls[i].Requests != reports.Inconclusive
	}
	return n, excused
}

// shares compares the shares of the phase's requests.
func (p *pair) shares() {
	for i := range p.old.Shares {
		a := &p.old.Shares[i]
		r := p.row("", a.Name, Share)
		b := shareNamed(p.new, a.Name)
		if b == nil {
			p.absent(&r, valueOf(a), "OLD")
			continue
		}
		p.paired(&r, a, b)
	}
	for i := range p.new.Shares {
		if b := &p.new.Shares[i]; shareNamed(p.old, b.Name) == nil {
			r := p.row("", b.Name, Share)
			p.absent(&r, valueOf(b), "NEW")
		}
	}
}

func shareNamed(p *reports.Phase, name string) *reports.Share {
	for i := range p.Shares {
		if p.Shares[i].Name == name {
			return &p.Shares[i]
		}
	}
	return nil
}

func valueOf(s *reports.Share) Value { return Value{Value: s.Measured, K: s.K, N: s.N} }

// paired compares a share of requests: by McNemar's test where requests were compared one by one, else by a test of two samples.
func (p *pair) paired(r *Row, a, b *reports.Share) {
	var table *[2][2]int64
	switch o := p.outcomes; {
	case o == nil:
	case a.Name == reports.EdgeFails:
		table = &o.edge
	case a.Name == reports.AnyFails:
		table = &o.any
	}
	if table == nil {
		p.share(r, a, b)
		return
	}
	n := int64(p.outcomes.n)
	of := func(k int64) Value { return Value{Value: value(float64(k) / float64(n)), K: k, N: n} }
	r.Old, r.New = of(table[1][0]+table[1][1]), of(table[0][1]+table[1][1])
	r.Gates = !p.judged
	r.identical = table[0][1] == 0 && table[1][0] == 0
	r.show(test{difference: stats.PairedDifference(table[1][1], table[1][0], table[0][1], table[0][0], intervalAlpha),
		margin: p.c.Margin, p: stats.McNemar(table[1][0], table[0][1])}, false)
	p.add(*r)
}

// absent adds a row of what only one report has. What NEW does not have counts, unless it has another form.
func (p *pair) absent(r *Row, v Value, where string) {
	r.Note = "only " + where + " has it"
	if where == "OLD" {
		r.Old, r.Gates = v, p.sameForm
	} else {
		r.New, r.added = v, true
	}
	p.add(*r)
}

// joined joins two notes of which the first may be empty.
func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
