package check_test

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// Every case of a rule is a branch: met often enough, too seldom, or seldom by choice.
func TestBranches(t *testing.T) {
	wanted := oracle.Want{Retried: int(planned), Each: check.EachBranch}
	for _, c := range []struct {
		name, yaml string
		want       oracle.Want
		see        func(*phase)
		branches   string // name met verdict
		why        string // a part of one of the reasons
	}{
		{"all met", virtualService(toProd, retrying), wanted, func(p *phase) { p.saw("middleware", 66, 4, 66, 67, 68, 69) },
			"answered at try 1 66 pass; answered at try 2 67 pass; answered at try 3 68 pass; answered at try 4 69 pass; all 4 tries fail 66 pass", ""},
		{"one too few", virtualService(toProd, retrying), wanted, func(p *phase) { p.saw("middleware", 65, 4, 66, 67, 0, 69) },
			"answered at try 1 66 pass; answered at try 2 67 pass; answered at try 3 0 inconclusive; answered at try 4 69 pass; all 4 tries fail 65 inconclusive", ""},
		{"without retries", virtualService(toProd, ""), wanted, func(p *phase) { p.saw("middleware", 70, 1, 80) }, "answered 80 pass; fails 70 pass", ""},
		{"not planned", virtualService(toProd, retrying), oracle.Want{}, func(p *phase) { p.saw("middleware", 66, 4, 66) }, "", ""},
		{"destinations", virtualService(toBoth, ""), oracle.Want{Calls: int(planned), Each: check.EachBranch}, func(p *phase) {
			row := p.saw("middleware", 100, 1, 600)
			row.Reached[0], row.Reached[1] = 600, 65
		}, "answered 600 pass; fails 100 pass; to prod 600 pass; to canary 65 inconclusive", ""},
		{"a destination that is seldom drawn", virtualService(strings.NewReplacer("80", "99", "20", "1").Replace(toBoth), ""), oracle.Want{Calls: int(planned), Each: check.EachBranch}, func(p *phase) {
			row := p.saw("middleware", 100, 1, 600)
			row.Reached[0], row.Reached[1] = 690, 7
		}, "answered 600 pass; fails 100 pass; to prod 690 pass; to canary 7 not judged", "the mesh draws it for only 1 % of the calls"},
		{"some are aborted", virtualService(toProd, "^fault: {abort: {httpStatus: 403, percentage: {value: 40}}}"), oracle.Want{Calls: int(planned), Each: check.EachBranch}, func(p *phase) {
			row := p.saw("middleware", 100, 1, 600)
			row.Aborts = 300
		}, "answered 600 pass; fails 100 pass; aborted with 403 300 pass", ""},
		{"all are aborted", virtualService(toProd, retrying+"\n^fault: {abort: {httpStatus: 403, percentage: {value: 100}}}"), oracle.Want{Calls: int(planned)}, func(p *phase) {
			row, _ := p.row("middleware")
			row.Judged, row.Proxy, row.Aborts = planned, planned, planned
		}, "aborted with 403 688 pass", ""},
		{"some are delayed", virtualService(toProd, "^fault: {delay: {fixedDelay: 2s, percentage: {value: 40}}}"), oracle.Want{Calls: int(planned), Each: check.EachBranch}, func(p *phase) {
			p.saw("middleware", 100, 1, 600)
		}, "answered 600 pass; fails 100 pass; delayed 0 not judged", "no answer says whether the fault delayed the call, so that the share of 40 % cannot be judged"},
		{"an unknown subset", virtualService("{destination: {host: middleware, subset: none}}", ""), oracle.Want{Calls: int(planned)}, func(p *phase) {
			row, _ := p.row("middleware")
			row.Judged, row.Proxy = planned, planned
		}, "answered 503 by the proxy 688 pass", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPhase(t, "prod", c.yaml, oracle.Request{Fail: 0.5})
			p.wants("middleware", c.want)
			c.see(p)
			var got []string
			why := ""
			for _, b := range p.judged("middleware").Branches {
				got = append(got, strings.Join([]string{b.Name, decimal(b.Met), string(b.Verdict)}, " "))
				why += b.Why
				if (b.Verdict == reports.NotJudged) != (b.Why != "") || b.Wanted != check.EachBranch {
					t.Errorf("%+v", b)
				}
			}
			if strings.Join(got, "; ") != c.branches || why != c.why {
				t.Errorf("%s (%s)\nwant %s (%s)", strings.Join(got, "; "), why, c.branches, c.why)
			}
		})
	}
}

// The branches of two destinations whose short names are the same have names of their own.
func TestBranchesOfDestinationsWithOneShortName(t *testing.T) {
	yaml := virtualService("{destination: {host: middleware}, weight: 50}, {destination: {host: middleware.other.svc.cluster.local}, weight: 50}", "")
	p := newPhase(t, "prod", yaml, oracle.Request{})
	to := p.hostOf("frontend")
	_, i := p.row(to)
	p.Wants[i] = oracle.Want{Calls: 1}
	names := map[string]bool{}
	for _, b := range p.judged(to).Branches {
		names[b.Name] = true
	}
	if !names["to middleware.default.svc.cluster.local"] || !names["to middleware.other.svc.cluster.local"] {
		t.Errorf("branches %v, want each destination by its whole name", names)
	}
}
