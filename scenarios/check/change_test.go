package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// answered is what comes back for a request of stage egress: with status 502 as by the rules before it, and with 200 as by its own.
func answered(number, clock int) *attack.Observation {
	hop := func(name string, attempt int, url string, c trail.Call) *trail.Hop {
		c.URL, c.Elapsed = url, time.Millisecond
		return &trail.Hop{Service: name, Version: "prod", Status: 200, Attempt: attempt, Calls: []trail.Call{c}}
	}
	backend := hop("backend", 1, "http://clock.outside.svc.cluster.local/", trail.Call{Status: clock})
	middleware := hop("middleware", 1, "http://backend/", trail.Call{Status: 200, Hop: backend})
	return &attack.Observation{Number: number, Started: time.Duration(number) * 10 * time.Millisecond, Latency: time.Millisecond, Status: 200,
		Trail: hop("frontend", 0, "http://middleware/", trail.Call{Status: 200, Hop: middleware})}
}

// changing counts observations during the change to stage egress, where proxies take up rules at once.
func changing(t *testing.T, all ...*attack.Observation) *observe.Change {
	t.Helper()
	return counted(t, observe.ByProxy, all...)
}

// counted counts observations during the change to stage egress.
func counted(t *testing.T, by observe.Unit, all ...*attack.Observation) *observe.Change {
	t.Helper()
	read := func(stage string) *manifests.Rules {
		objects, err := scenarios.Through(stage, nil)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := manifests.Read(objects)
		if err != nil {
			t.Fatal(err)
		}
		return rules
	}
	change, err := oracle.NewChange(read(""), read("egress"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := change.Enter(manifests.Entry{Service: "frontend"}, manifests.Request{Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	seen := observe.NewChange([]observe.Cohort{{Way: first, Request: oracle.Request{Pins: trail.PinNothing}}}, []string{""}, by, func(int) string { return "1/egress/c/0" })
	for _, o := range all {
		seen.Add(o)
	}
	return seen
}

func TestVerdictOnAChange(t *testing.T) {
	var right []*attack.Observation
	for n := range 100 {
		right = append(right, answered(n, map[bool]int{true: 502, false: 200}[n < 50]))
	}
	judged := func(all ...*attack.Observation) (c reports.Change) {
		check.Change(&c, changing(t, all...), 480*time.Millisecond, 520*time.Millisecond, false)
		return c
	}
	if c := judged(right...); c.Verdict != reports.Pass || c.Calls != 400 || c.Evidence != 100 || c.Requests != 100 || len(c.Proxies) != 3 || *c.Proxies[0].LastOld != 0.011 || *c.Proxies[0].FirstNew != 0.021 {
		t.Errorf("a right change: %+v", c)
	}
	if c := judged(right[21:80]...); c.Verdict != reports.Inconclusive || c.Why != "59 calls tell the old rules from the new ones, and at least 60 are needed" {
		t.Errorf("too little evidence: %+v", c)
	}
	if c := judged(append(right, answered(51, 503))...); c.Verdict != reports.Fail || c.Lost != 1 || c.Troubles[0].Kind != "lost" || c.Troubles[0].From != "backend" {
		t.Errorf("a lost call: %+v", c)
	}
	if c := judged(append(right, answered(51, 502))...); c.Verdict != reports.Fail || c.OldAfterNew != 1 || c.Troubles[0].Kind != "old rules after new ones" {
		t.Errorf("old after new: %+v", c)
	}
	for n := range right { // so seldom that a proxy without rules for a second would go unseen
		right[n].Started *= 10
	}
	var seldom reports.Change
	check.Change(&seldom, changing(t, right...), 4800*time.Millisecond, 5200*time.Millisecond, false)
	if seldom.Verdict != reports.Inconclusive || !check.Unwatched(&seldom) || seldom.Why != "the proxy of backend may have been asked nothing for 101 ms, and at most 100 ms may go unseen" {
		t.Errorf("asked seldom: %+v", seldom)
	}
	if c := judged(); c.Verdict != reports.Inconclusive {
		t.Errorf("no data: %+v", c)
	}
}

// On a cluster whose services do not say their pods, nobody knows whose proxy sent a call: there is no PASS.
func TestChangeOfUnknownPods(t *testing.T) {
	var right []*attack.Observation
	for n := range 100 {
		right = append(right, answered(n, map[bool]int{true: 502, false: 200}[n < 50]))
	}
	var c reports.Change
	check.Change(&c, counted(t, observe.ByConnection, right...), 480*time.Millisecond, 520*time.Millisecond, false)
	if c.Verdict != reports.Inconclusive || !strings.HasPrefix(c.Why, "300 calls came from services whose answers do not say in which pod they run") {
		t.Errorf("%s: %s", c.Verdict, c.Why)
	}
	for _, o := range right {
		for hop := o.Trail; hop != nil; hop = hop.Calls[0].Hop {
			hop.Pod = hop.Service + "-prod-1"
			if hop.Calls[0].Hop == nil {
				break
			}
		}
	}
	c = reports.Change{}
	check.Change(&c, counted(t, observe.ByConnection, right...), 480*time.Millisecond, 520*time.Millisecond, false)
	if c.Verdict != reports.Pass || c.Proxies[0].Name != "backend-prod-1" {
		t.Errorf("%s: %s: %+v", c.Verdict, c.Why, c.Proxies)
	}
}
