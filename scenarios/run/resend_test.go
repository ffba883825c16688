package run

import (
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// Waits that contradict the back-off are measured a second time, since a pause of the machine looks the same. A mesh that waits longer does
// so again, and fails.
func TestWaitsThatContradictAreMeasuredAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("make test waits for a mesh that is slow twice")
	}
	o := usual()
	o.Fail, o.Seed, o.Exclude = 0.5, 3, 0.1
	r := planOf(t, "retry", o, nil)
	r.phases[0].onlySo(5)
	report := onMesh(t, r, "slow-backoff")
	p := report.Phases[1]
	late := func(c reports.Call) bool {
		return slices.ContainsFunc(c.Waits, func(w reports.Wait) bool { return w.Verdict == reports.NotJudged })
	}
	if slices.ContainsFunc(p.Calls, late) {
		t.Logf("the machine is too busy to judge waits: %q", p.Warnings) // where it is not, the verdict is asked for below
		return
	}
	// A slow machine may be why it is sent again before, and twice is the limit: the first measurement is never what fails.
	again := func(warning string) bool {
		return strings.HasPrefix(warning, "The phase was sent again more slowly, since ")
	}
	if p.Verdict != reports.Fail || !slices.ContainsFunc(p.Warnings, again) {
		t.Errorf("%s with warnings %q, want a FAIL of a second measurement", p.Verdict, p.Warnings)
	}
}
