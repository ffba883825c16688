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
		for request := range 2 {
			_, hop := getTrail(t, s.url)
			if hop.Pod != pod {
				t.Errorf("pod %q: the trail has %q", pod, hop.Pod)
			}
			for i, call := range hop.Calls {
				connection, turn := 0, 0
				if pod != "" { // calls one after another take the same connection
					connection, turn = 1, 2*request+i+1
				}
				if call.Connection != connection || call.Turn != turn {
					t.Errorf("pod %q, request %d, call %d: connection %d, turn %d; want %d, %d", pod, request, i, call.Connection, call.Turn, connection, turn)
				}
			}
		}
	}
}
