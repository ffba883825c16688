package gauge

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
)

// FuzzTally: whatever a worker writes is refused, or is a tally that merges and is the same when it is written again.
func FuzzTally(f *testing.F) {
	phases := []attack.Phase{{Name: "warm-up", Rate: 1, To: 1, Duration: time.Second, Warmup: true}, {Name: "a", Rate: 1, To: 1, Duration: time.Second}}
	t := newTally()
	t.phases = newPhaseTallies(phases)
	for n := range 4 {
		t.add(&attack.Observation{Number: n, Planned: time.Duration(n) * time.Second, Latency: time.Millisecond, Status: []int{200, 404, 0}[n%3], Error: []string{"", "", attack.Reset}[n%3]})
	}
	text, err := json.Marshal(t.wire())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		var w wireTally
		if json.Unmarshal(text, &w) != nil {
			return
		}
		read := newTally()
		read.phases = newPhaseTallies(phases)
		if read.mergeWire(&w, phases) != nil {
			return
		}
		again, err := json.Marshal(read.wire())
		if err != nil {
			t.Fatal(err)
		}
		var second wireTally
		if err := json.Unmarshal(again, &second); err != nil {
			t.Fatal(err)
		}
		if err := read.mergeWire(&second, phases); err != nil {
			t.Errorf("%s is read, and not what it is written as: %v", text, err)
		}
	})
}
