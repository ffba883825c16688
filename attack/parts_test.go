package attack

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Parts of a plan are the plan, without gaps and overlaps, and begin at one instant.
func TestRunParts(t *testing.T) {
	var mutex sync.Mutex
	came := map[string]int{}
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		came[r.Header.Get(trail.HeaderRequest)]++
	})
	plan := planFor(url, 100, 1000)
	plan.Parts, plan.Begin, plan.Grace = 3, time.Now().Add(100*time.Millisecond), time.Minute
	var parts sync.WaitGroup
	for part := range plan.Parts {
		mine := plan
		mine.Part = part
		parts.Go(func() {
			next := part
			result, err := Run(t.Context(), mine, func(o *Observation) bool {
				if o.Number != next || o.Planned != time.Duration(next)*time.Millisecond || o.Started < o.Planned {
					t.Errorf("part %d: %+v, want number %d", part, o, next)
				}
				next += 3
				return true
			})
			if off := result.Began.Sub(plan.Begin); err != nil || result.Planned != mine.Share() || result.Sent != result.Planned || off < -time.Millisecond {
				t.Errorf("part %d: %+v, %v, began %v off", part, result, err, off)
			}
		})
	}
	parts.Wait()
	if len(came) != 100 {
		t.Errorf("%d different requests came, want 100", len(came))
	}
	for name, n := range came {
		if n != 1 {
			t.Errorf("%s came %d times", name, n)
		}
	}
}
