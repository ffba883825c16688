package observe_test

import (
	"net/http"
	"testing"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Calls of one connection of one pod that two versions answer show a draw for each request. The same number of another pod is another connection,
// and a call of which pod or connection is not told shows nothing.
func TestDraws(t *testing.T) {
	type call struct {
		pod        string
		connection int
		version    string
	}
	objects, err := scenarios.Through("canary", nil)
	if err != nil {
		t.Fatal(err)
	}
	over, err := manifests.Parse("over.yaml", []byte(`{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: middleware}, spec: {hosts: [middleware],
  http: [{route: [{destination: {host: middleware, subset: prod}, weight: 50}, {destination: {host: middleware, subset: canary}, weight: 50}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	ways, first := entered(t, manifests.Overlay(objects, over))
	for name, c := range map[string]struct {
		calls              []call
		followed, switched int64
		several            bool
	}{
		"two versions on one connection":     {[]call{{"a", 1, "prod"}, {"a", 1, "canary"}, {"a", 1, "prod"}, {"a", 1, "canary"}}, 3, 2, false},
		"each connection has its version":    {[]call{{"a", 1, "prod"}, {"b", 1, "canary"}, {"a", 1, "prod"}, {"b", 1, "canary"}}, 2, 0, true},
		"one version alone":                  {[]call{{"a", 1, "prod"}, {"a", 1, "prod"}, {"a", 2, "prod"}}, 1, 0, false},
		"neither pod nor connection is told": {[]call{{"", 1, "prod"}, {"", 1, "canary"}, {"a", 0, "prod"}, {"a", 0, "canary"}}, 0, 0, false},
	} {
		tally := observe.NewTally(ways, []observe.Cohort{{Way: first}}, numbered)
		for i, of := range c.calls {
			next := trail.Call{URL: "http://middleware/", Status: http.StatusOK, Connection: of.connection, Hop: &trail.Hop{Service: "middleware", Version: of.version, Status: http.StatusOK, Attempt: 1,
				Calls: []trail.Call{{URL: "http://backend/", Status: http.StatusOK, Hop: &trail.Hop{Service: "backend", Version: "prod", Status: http.StatusOK, Attempt: 1,
					Calls: []trail.Call{{URL: "http://clock.outside.svc.cluster.local/", Status: http.StatusOK}}}}}}}
			hop := &trail.Hop{Service: "frontend", Version: "prod", Status: http.StatusOK, Pod: of.pod, Calls: []trail.Call{next}}
			tally.Add(&attack.Observation{Number: i, Status: http.StatusOK, Trail: hop})
		}
		row := &tally.Rows[rowOf(t, ways, "middleware")]
		if got := row.Draws; row.Spared != int64(len(c.calls)) || got.Followed != c.followed || got.Switched != c.switched || got.Several != c.several {
			t.Errorf("%s: %d calls, %+v, want %+v; %+v", name, row.Spared, got, c, tally.Mismatches)
		}
	}
}

func numbered(number int) string { return name(number) }
