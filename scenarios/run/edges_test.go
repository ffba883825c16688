package run

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// Tries are those of the version that was called, failed ones those answered with 5xx: a cut is none. Where they are not
// known, or not by whom, nothing is said.
func TestEdgesOf(t *testing.T) {
	tally := attack.NewTally(1, own...)
	tally.Add(&attack.Observation{Status: 200, Trail: &trail.Hop{Service: frontend, Version: "prod", Status: 200,
		Calls: []trail.Call{{URL: "http://middleware/", Status: 500, Hop: &trail.Hop{Service: middleware, Version: "prod", Status: 500, Attempt: 4}}}}})
	tally.Add(&attack.Observation{Number: 1, Status: 504})
	counters := target.Counters{{Attempt: 1, Status: 200, Count: 5}, {Attempt: 1, Status: 500, Count: 3}, {Attempt: 2, Status: 503, Count: 2},
		{Attempt: 2, Status: target.StatusCut, Count: 4}, {Attempt: 1, Status: target.StatusBroken, Count: 1}}
	for i := range counters {
		counters[i].Service, counters[i].Version = middleware, "prod"
	}
	counters = append(counters, target.Tries{Service: backend, Version: "prod", Status: 500, Count: 2}, target.Tries{Service: attack.Clock, Count: 9}, target.Tries{Service: backend, Version: "prod", Status: 200, Pinned: true, Count: 7})
	phase := planOf(t, "retry", usual(), nil).phases[1]
	told := func(e check.Evidence, incidents ...target.Incident) (all []string) {
		s := sending{planned: phase, load: tally, evidence: e, incidents: incidents}
		count := func(n *int64) string {
			if n == nil {
				return "?"
			}
			return fmt.Sprint(*n)
		}
		for _, g := range s.edges() {
			all = append(all, fmt.Sprintf("%s>%s-%s %d/%d %s/%s", g.From, g.To, g.Version, g.Failed, g.Calls, count(g.FailedTries), count(g.Tries)))
		}
		return all
	}
	calls := []string{"edge>frontend- 1/1 ?/?", "edge>frontend-prod 0/1 ?/?", "frontend>middleware-prod 1/1 ?/?"}
	counted := check.Evidence{Counters: counters, Counted: true}
	for name, test := range map[string]struct {
		got, want []string
	}{
		// No answer tells of the backend's tries: it is the graph that says whose calls they were.
		"counted":     {told(counted), []string{calls[0], "edge>frontend-prod 0/1 0/0", "frontend>middleware-prod 1/1 5/15", "middleware>backend-prod 0/0 2/2"}},
		"not counted": {told(check.Evidence{}), calls},
		"replaced":    {told(counted, target.Incident{Pod: true}), calls},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: %q\nwant %q", name, test.got, test.want)
		}
	}
	// Two callers of one version: whose its tries were is not counted.
	tally.Add(&attack.Observation{Number: 2, Status: 200, Trail: &trail.Hop{Service: frontend, Version: "prod", Status: 200,
		Calls: []trail.Call{{URL: "http://backend/", Status: 200, Hop: &trail.Hop{Service: backend, Version: "prod", Status: 200,
			Calls: []trail.Call{{URL: "http://middleware/", Status: 200, Hop: &trail.Hop{Service: middleware, Version: "prod", Status: 200}}}}}}}})
	got := told(counted)
	want := []string{calls[0], "edge>frontend-prod 0/2 0/0", "frontend>middleware-prod 1/1 ?/?", "frontend>backend-prod 0/1 2/2", "backend>middleware-prod 0/1 ?/?"}
	if !slices.Equal(got, want) {
		t.Errorf("two callers: %q\nwant %q", got, want)
	}
}
