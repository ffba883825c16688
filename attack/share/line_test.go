package share

import (
	"reflect"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/service/trail"
)

// FuzzObservations: whatever a worker writes is refused, or is what it is when it is written again.
func FuzzObservations(f *testing.F) {
	text := appendObservation(nil, &attack.Observation{Number: 3, Planned: time.Second, Started: 2 * time.Second, Latency: time.Millisecond, Status: 200, BytesIn: 5,
		Trail: &trail.Hop{Service: "a", Version: "v", Status: 200, Calls: []trail.Call{{URL: "http://b/", Status: 500}}}})
	f.Add(appendObservation(text, &attack.Observation{Number: 6, Error: attack.Reset, Started: -1}))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := readObservations(text, 2)
		if err != nil {
			return
		}
		var again []byte
		for i := range all {
			again = appendObservation(again, &all[i])
		}
		second, err := readObservations(again, 2)
		if err != nil || !reflect.DeepEqual(all, second) {
			t.Errorf("%q is %+v, and written again %+v, %v", text, all, second, err)
		}
		if packed, err := unpack(pack(again)); err != nil || string(packed) != string(again) {
			t.Errorf("%q packed and unpacked is %q, %v", again, packed, err)
		}
	})
}
