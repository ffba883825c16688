package scenarios

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hellochaos/hellochaos/attack"
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
	counters := target.Counters{tries(1, 200, 5), tries(1, 500, 3), tries(2, 503, 2), tries(2, target.StatusCut, 4), tries(1, target.StatusBroken, 1)}
	for i := range counters {
		counters[i].Service, counters[i].Version = middleware, "prod"
	}
	counters = append(counters, target.Tries{Service: backend, Version: "prod", Status: 500, Count: 2}, target.Tries{Service: clock, Count: 9})
	told := func(e *evidence) (all []string) {
		count := func(n *int64) string {
			if n == nil {
				return "?"
			}
			return fmt.Sprint(*n)
		}
		for _, g := range edgesOf(e, own) {
			all = append(all, fmt.Sprintf("%s>%s-%s %d/%d %s/%s", g.From, g.To, g.Version, g.Failed, g.Calls, count(g.FailedTries), count(g.Tries)))
		}
		return all
	}
	calls := []string{"edge>frontend- 1/1 ?/?", "edge>frontend-prod 0/1 ?/?", "frontend>middleware-prod 1/1 ?/?"}
	for name, test := range map[string]struct {
		evidence
		want []string
	}{
		// No answer tells of the backend's tries: it is the chain that says whose calls they were.
		"counted":     {evidence{tally: tally, counters: counters, counted: true}, []string{calls[0], "edge>frontend-prod 0/1 0/0", "frontend>middleware-prod 1/1 5/15", "middleware>backend-prod 0/0 2/2"}},
		"not counted": {evidence{tally: tally}, calls},
		"replaced":    {evidence{tally: tally, counters: counters, counted: true, incidents: []target.Incident{{Pod: true}}}, calls},
	} {
		if got := told(&test.evidence); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q\nwant %q", name, got, test.want)
		}
	}
	// Two callers of one version: whose its tries were is not counted.
	tally.Add(&attack.Observation{Number: 2, Status: 200, Trail: &trail.Hop{Service: frontend, Version: "prod", Status: 200,
		Calls: []trail.Call{{URL: "http://backend/", Status: 200, Hop: &trail.Hop{Service: backend, Version: "prod", Status: 200,
			Calls: []trail.Call{{URL: "http://middleware/", Status: 200, Hop: &trail.Hop{Service: middleware, Version: "prod", Status: 200}}}}}}}})
	got := told(&evidence{tally: tally, counters: counters, counted: true})
	want := []string{calls[0], "edge>frontend-prod 0/2 0/0", "frontend>middleware-prod 1/1 ?/?", "frontend>backend-prod 0/1 2/2", "backend>middleware-prod 0/1 ?/?"}
	if !slices.Equal(got, want) {
		t.Errorf("two callers: %q\nwant %q", got, want)
	}
}
