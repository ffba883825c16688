package differential

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// mostShown is how many mismatches are shown.
const mostShown = 5

// planned is a request of an executed policy, with what decides its draws.
type planned struct {
	asked
	name       string
	fail, hang float64
	first      *oracle.Call
	got        answer
}

// judgement is what the requests of executed policies met.
type judgement struct {
	requests, tries, retried, open, aborted, cut int
	answers, kinds                               count // by who answered, and by kind of mismatch
	mismatches                                   []string
	draws                                        []drawn
	waits                                        []wait
	ways                                         []time.Duration // of calls whose first try was delivered
}

// eachOf calls act for each of all, inFlight at a time, and waits for the last.
func eachOf[T any](all []T, act func(T)) {
	next := make(chan T)
	var acting sync.WaitGroup
	for range min(inFlight, len(all)) {
		acting.Go(func() {
			for one := range next {
				act(one)
			}
		})
	}
	for _, one := range all {
		next <- one
	}
	close(next)
	acting.Wait()
}

// order are the headers that tell the stand-ins what to do.
func (p *planned) order() http.Header {
	h := http.Header{"Accept": {"application/json"}}
	h.Set(trail.HeaderRequest, p.name)
	h.Set(trail.HeaderFail, strconv.FormatFloat(p.fail, 'f', -1, 64))
	h.Set(trail.HeaderHang, strconv.FormatFloat(p.hang, 'f', -1, 64))
	return h
}

// way compiles where a request goes, as the oracle sees it.
func (p *planned) way(ways *oracle.Ways) (err error) {
	entry := manifests.Entry{Caller: p.caller.Namespace + "/caller"}
	if p.caller.Gateway != "" {
		entry = manifests.Entry{Gateway: p.caller.Gateway, Port: p.caller.Port}
	}
	q := p.request
	q.Header = p.order()
	for name, values := range p.request.Header {
		q.Header[name] = values
	}
	p.first, err = ways.Enter(entry, q)
	return err
}

// observed is a request as its sender saw it.
func (p *planned) observed() *trail.Call {
	c := &trail.Call{Status: p.got.status, Elapsed: p.got.elapsed}
	if p.got.err != nil {
		c.Error = p.got.err.Error()
	}
	if p.got.header.Get(trail.HeaderTrail) == trail.Form {
		c.Hop, _ = trail.Decode(p.got.body) // without one it is judged as an answer of nobody
	}
	return c
}

// judge holds requests against the oracle.
func (j *judgement) judge(all []*planned, spent *waits) {
	var judge oracle.Judge
	shares := make(map[*manifests.Rule]*ruleDraws)
	for _, p := range all {
		request := oracle.Request{Name: p.name, Fail: p.fail, Hang: p.hang, Timeout: patience}
		seen := p.observed()
		j.requests++
		judge.Request(&request, p.first, seen, func(e *oracle.Evidence) { j.take(p, seen, e, shares) })
		j.waits = append(j.waits, spent.of(p.name, p.first.Rule)...)
	}
	for _, d := range shares {
		j.draws = append(j.draws, d.all()...)
	}
}

// take counts one judged call.
func (j *judgement) take(p *planned, seen *trail.Call, e *oracle.Evidence, shares map[*manifests.Rule]*ruleDraws) {
	switch {
	case seen.Hop != nil:
		if hop := seen.Hop; hop.Attempt == 1 && e.Way.Rule.Fault == nil {
			j.ways = append(j.ways, seen.Elapsed-hop.Elapsed)
		}
		j.answers[fmt.Sprintf("a stand-in with %d", seen.Status)]++
		j.tries += seen.Hop.Attempt
		if seen.Hop.Attempt > 1 {
			j.retried++
		}
	case e.Aborted:
		j.aborted++
		j.answers["a fault's abort"]++
	case e.Failed:
		j.cut++
		j.answers["a time limit"]++
	default:
		j.answers[fmt.Sprintf("the proxy itself with %d", seen.Status)]++
	}
	if e.Open {
		j.open++
	}
	if e.Mismatch != nil {
		j.kinds[string(e.Mismatch.Kind)]++
		j.mismatches = append(j.mismatches, fmt.Sprintf("request %s, %v, fail %v, hang %v, under %s: %s: expected: %s; met: %s", p.name, &p.asked, p.fail, p.hang,
			e.Way.Rule.Name, e.Mismatch.Kind, e.Mismatch.Expected, e.Mismatch.Met))
		return
	}
	if shares[e.Way.Rule] == nil {
		shares[e.Way.Rule] = &ruleDraws{way: e.Way, to: make([]int, len(e.Way.Destinations))}
	}
	shares[e.Way.Rule].take(seen, e)
}

// squares is how many shares are large enough to be compared with what they should be, and the mean of the squares of their deviations.
func (j *judgement) squares() (n int, mean float64) {
	for i := range j.draws {
		if z, ok := j.draws[i].deviation(); ok {
			n, mean = n+1, mean+z*z
		}
	}
	return n, mean / float64(max(n, 1))
}

// wrong are sentences about all that is not as the rules say: the first mismatches, shares, all shares together, and waits.
func (j *judgement) wrong() (all []string) {
	all = slices.Clone(j.mismatches[:min(len(j.mismatches), mostShown)])
	way := slowest(j.ways)
	for i := range j.draws {
		if d := &j.draws[i]; d.wrong(way) {
			all = append(all, fmt.Sprintf("%s: %d of %d, where the rule says %.3f", d.what, d.hits, d.outs, d.share))
		}
	}
	// The square of a normal deviation has mean 1 and variance 2.
	if n, mean := j.squares(); n > 0 && math.Abs(mean-1) > 6*math.Sqrt(2.2/float64(n)) {
		all = append(all, fmt.Sprintf("the squares of the deviations of %d shares are %.2f on average, where 1 is right", n, mean))
	}
	for _, f := range fits(j.waits, j.ways) {
		if !f.ok {
			all = append(all, fmt.Sprintf("half of %d waits of up to %v are from %.2f to %.2f of that", f.n, f.longest, f.low, f.high))
		}
	}
	return all
}
