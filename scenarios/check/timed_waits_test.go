package check

import (
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/stats"
)

// So many waits before the last try are planned that an interval which is half as long again is found.
func TestTimedWaitsFindALongerBackOff(t *testing.T) {
	const failures, tries = 3, 4
	retry, slower := &manifests.Retry{Attempts: failures, Base: 50 * time.Millisecond / 2}, &manifests.Retry{Attempts: failures, Base: 75 * time.Millisecond / 2}
	allowed := stats.Allowance{Early: 0.001 * failures, Late: tries * lateness.Seconds(), Strays: strays * tries}
	if n, ok := stats.NewFitTest(waited(retry, failures), allowed).TrialsToTell(waited(slower, failures), waitRisk, 0.01); !ok || n > TimedWaits {
		t.Errorf("%d waits find it (%t), and %d are planned", n, ok, TimedWaits)
	}
}
