package share

import (
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
)

// Workers share the connections, so that all together have not many more than the plan allows in flight.
func TestShareOfThePlan(t *testing.T) {
	begin := time.Unix(1000, 0)
	for connections, want := range map[int]int{8: 3, 9: 3, 1: 1} {
		o := &Order{Shares: 3, Plan: attack.Plan{Connections: connections}}
		if p := o.of(2, begin); p.Connections != want || p.Part != 2 || p.Parts != 3 || !p.Begin.Equal(begin) {
			t.Errorf("of %d connections: %+v, want %d", connections, p, want)
		}
	}
}
