package run

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/drill"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// mostDrills is how many policies of a phase are checked: each takes seconds.
const mostDrills = 12

// calm are the objects of the phase without what makes calls depend on each other, under which its requests are sent.
func (p *planned) calm() []manifests.Object {
	return manifests.Calm(p.Objects, manifests.Pools, manifests.Ejections)
}

// drills are the checks of the policies that the phase's requests meet; none where they are not asked for.
func (p *planned) drills() []drill.Drill {
	if p.Base || p.options.Request != "" {
		return nil
	}
	all := drill.Of(p.rules, p.ways, p.first)
	checked := 0
	for i := range all {
		if d := &all[i]; d.Why == "" {
			if checked++; checked > mostDrills {
				d.Requests, d.Why = nil, fmt.Sprintf("%d policies were checked before it, and a run checks no more", mostDrills)
			}
		}
	}
	return all
}

// drilling is how long the checks take about.
func drilling(all []drill.Drill) (long time.Duration) {
	for i := range all {
		d := &all[i]
		if len(d.Requests) == 0 {
			continue
		}
		long += time.Duration(float64(len(d.Requests)) / d.Rate * float64(time.Second))
		if d.Kind == drill.Limits || d.Kind == drill.Retries || d.Kind == drill.Budget {
			long += d.Hang
		}
	}
	return long
}

// policies checks the policies one after another, each with the objects as they are but for other policies that would interfere.
func (r *Run) policies(ctx context.Context, p *planned, on target.Target, done *reports.Phase) error {
	remote := on.Describe().Kind != meshKind
	for _, d := range p.drills() {
		c := reports.PolicyCheck{Policy: string(d.Kind), Host: d.Name, Rule: d.Endpoints.Rule, File: d.File, Line: d.Line, Verdict: reports.NotJudged, Text: d.Why}
		switch {
		case d.Why != "":
		case remote:
			c.Text = "it is checked on the embedded mesh alone"
		default:
			for repeats := 0; repeats == 0 || c.Verdict == reports.Inconclusive && repeats <= mostRepeats; repeats++ {
				answers, copies, err := p.drill(ctx, on, &d)
				if err != nil {
					done.Verdict = reports.Inconclusive
					return fmt.Errorf("checking %s: %w", c.Label(), err)
				}
				c.Requests = len(answers)
				c.Verdict, c.Text = verdictOf(d.Judge(answers, copies))
			}
			done.Verdict = reports.Worst(done.Verdict, c.Verdict)
		}
		done.Policies = append(done.Policies, distinct(c, done.Policies))
	}
	return nil
}

// distinct is a check whose label no other one has: proxies of two namespaces may have their own policies for a host.
func distinct(c reports.PolicyCheck, others []reports.PolicyCheck) reports.PolicyCheck {
	host := c.Host
	for n := 2; slices.ContainsFunc(others, func(other reports.PolicyCheck) bool { return other.Label() == c.Label() }); n++ {
		c.Host = fmt.Sprintf("%s (%d)", host, n)
	}
	return c
}

// meshKind is the kind of a target that executes every policy in this process.
const meshKind = "mesh"

func verdictOf(f drill.Finding) (reports.Verdict, string) {
	switch {
	case f.Wrong != "":
		return reports.Fail, f.Wrong
	case f.Undecided != "":
		return reports.Inconclusive, f.Undecided
	}
	return reports.Pass, f.Right
}

// drill has the objects of a check obeyed, sends its requests, and reads what became of their copies where the check asks for that.
func (p *planned) drill(ctx context.Context, on target.Target, d *drill.Drill) (answers []drill.Answer, copies []drill.Copies, err error) {
	if err := on.Apply(ctx, manifests.Calm(p.Objects, d.Parts...)); err != nil {
		return nil, nil, err
	}
	if !d.Counts {
		answers, err = p.drilled(ctx, on, d)
		return answers, nil, err
	}
	before, err := on.Counters(ctx)
	if err == nil {
		answers, err = p.drilled(ctx, on, d)
	}
	if err != nil {
		return nil, nil, err
	}
	after, err := on.Counters(ctx)
	for _, t := range after.Since(before) {
		if t.Mirrored == trail.Copy {
			copies = append(copies, drill.Copies{Service: t.Service, Version: t.Version, Count: t.Count})
		}
	}
	return answers, copies, err
}

// drilled sends the requests of a check.
func (p *planned) drilled(ctx context.Context, on target.Target, d *drill.Drill) ([]drill.Answer, error) {
	entry := p.entries[d.Cohort]
	address, err := on.Address(ctx, entry)
	if err != nil {
		return nil, err
	}
	plan := attack.Plan{URL: address.URL, TLS: address.TLS, Requests: len(d.Requests), Rate: d.Rate, Name: p.plansName() + "/" + slug(d.Kind), Grace: grace,
		Connections: len(d.Requests), Timeout: p.options.Attack.Timeout}
	known := map[drill.Request]int32{}
	for i, q := range d.Requests {
		if _, ok := known[q]; !ok {
			known[q] = int32(len(plan.Cohorts))
			plan.Cohorts = append(plan.Cohorts, p.asking(d, q, address.URL))
		}
		plan.Sequence = append(plan.Sequence, attack.Slot{Cohort: known[q], Number: int32(i)})
	}
	var answers []drill.Answer
	result, err := attack.Run(ctx, plan, func(o *attack.Observation) bool {
		a := drill.Answer{Key: d.Requests[o.Number].Key, Started: o.Started, Ended: o.Started + o.Latency, Status: o.Status}
		if o.Trail != nil {
			a.Service, a.Version = o.Trail.Service, o.Trail.Version
			a.Pod, a.Held, a.Attempt = o.Trail.Pod, o.Trail.Elapsed, o.Trail.Attempt
		}
		answers = append(answers, a)
		return true
	})
	if err == nil && result.Unsent > 0 {
		err = fmt.Errorf("%d of %d requests were not sent", result.Unsent, len(d.Requests))
	}
	return answers, err
}

// slug is a kind as a part of a request's name.
func slug(k drill.Kind) string {
	return strings.NewReplacer(", ", "-", " ", "-").Replace(string(k))
}

// asking is a request of a check as the attack sends it.
func (p *planned) asking(d *drill.Drill, q drill.Request, base string) attack.Cohort {
	of := &p.Cohorts[d.Cohort]
	header, path, host := p.header(*of, q.Pins), requestPath(of), p.hosts[d.Cohort]
	header.Set(trail.HeaderPod, "tell")
	if h := d.Hash; h != nil && q.Key != "" {
		switch {
		case h.Header != "":
			header.Set(h.Header, q.Key)
		case h.Cookie != "":
			header.Add("Cookie", h.Cookie+"="+q.Key)
		case h.Query != "":
			mark := "?"
			if strings.Contains(path, "?") {
				mark = "&"
			}
			path += mark + url.QueryEscape(h.Query) + "=" + q.Key
		}
	}
	if p.options.Sent != nil {
		host = p.options.Sent(host)
	}
	return attack.Cohort{Name: q.Pins + q.Key, URL: base + path, Host: host, Method: of.Method, Header: header}
}

// policyNotices say what the checks of policies cost.
func (p *planned) policyNotices() {
	if all := p.drills(); slices.ContainsFunc(all, func(d drill.Drill) bool { return d.Why == "" }) {
		p.notices = append(p.notices, fmt.Sprintf("phase %s: limits, ejections, hashes and mirrors are checked by requests of their own, in about %.0f s", p.Name, drilling(all).Seconds()))
	}
}
