package service

import (
	"testing"

	"github.com/hellochaos/hellochaos/service/calls"
)

// The trail of a service in a pod has the pod, and for each call its connection and its turn there; elsewhere it has none of these.
func TestTrailsOfAPod(t *testing.T) {
	upstream := listen(t, &recorder{})
	for _, pod := range []string{"", "front-prod-1"} {
		s := open(t, Config{Service: "front", Version: "prod", Pod: pod, Calls: [][]calls.Call{{{URL: upstream}}, {{URL: upstream}}}})
		first := 0
		for request := range 2 {
			_, hop := getTrail(t, s.url)
			if hop.Pod != pod {
				t.Errorf("pod %q: the trail has %q", pod, hop.Pod)
			}
			for i, call := range hop.Calls {
				turn := 0
				if pod != "" { // calls one after another take the same connection
					turn = 2*request + i + 1
				}
				if turn == 1 {
					first = call.Connection
				}
				if call.Connection != first || (first > 0) != (pod != "") || call.Turn != turn {
					t.Errorf("pod %q, request %d, call %d: connection %d, turn %d; want %d, %d", pod, request, i, call.Connection, call.Turn, first, turn)
				}
			}
		}
	}
}
