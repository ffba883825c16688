package run

import (
	"slices"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// Waits that contradict the back-off are measured a second time, since a pause of the machine looks the same. A mesh that waits longer does
// so again, and fails.
func TestWaitsThatContradictAreMeasuredAgain(t *testing.T) {
	o := usual()
	o.Fail, o.Seed = 0.5, 3
	report := onMesh(t, planOf(t, "retry", o, nil), "slow-backoff")
	p := report.Phases[1]
	late := func(c reports.Call) bool {
		return slices.ContainsFunc(c.Waits, func(w reports.Wait) bool { return w.Verdict == reports.NotJudged })
	}
	if slices.ContainsFunc(p.Calls, late) {
		t.Logf("the machine is too busy to judge waits: %q", p.Warnings) // where it is not, the verdict is asked for below
		return
	}
	want := "The phase was sent again at half the rate, since waits contradicted the back-off, which a pause of this machine makes them do, too."
	if p.Verdict != reports.Fail || !slices.Contains(p.Warnings, want) {
		t.Errorf("%s with warnings %q, want a FAIL of the second measurement", p.Verdict, p.Warnings)
	}
}
