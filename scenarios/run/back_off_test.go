package run

import (
	"testing"

	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// A run times each back-off where the first rule with it comes: those of frontend and middleware in stage retry, that of the gateway in
// stage ingress, and none again in stage canary, whose rules for middleware have that of frontend. A run of stage canary alone times it there.
func TestBackOffsAreTimedOnce(t *testing.T) {
	timed := func(wants []oracle.Want) (n int) {
		for _, want := range wants {
			if want.Timed > 0 {
				n++
			}
		}
		return n
	}
	for stages, all := range map[string]map[string]int{"all": {"prod": 0, "retry": 2, "ingress": 1, "canary": 0}, "canary": {"canary": 1}} {
		for _, p := range planOf(t, stages, usual(), nil).phases {
			if want, named := all[p.Name]; named && timed(p.wants) != want {
				t.Errorf("run %s, phase %s: the waits of %d rules are timed, want %d", stages, p.Name, timed(p.wants), want)
			}
		}
	}
}
