package cluster

import (
	"errors"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/target"
)

// Services of another version are told at once: no wait makes them another one.
func TestCountersOfAnotherVersion(t *testing.T) {
	s := &chain{uid: "old"}
	r := s.run(t, "retry", false, func() {})
	s.mutex.Lock()
	s.another = true
	s.mutex.Unlock()
	_, err := r.Counters(t.Context())
	if !errors.Is(err, target.ErrForm) || !strings.Contains(err.Error(), `metric hellochaos_trail_form names form "1" of draws and trail`) || !strings.Contains(err.Error(), "make push") {
		t.Errorf("got error %v, want one that tells form 1 and how to mend it", err)
	}
}
