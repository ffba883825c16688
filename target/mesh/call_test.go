package mesh

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// TestBackOff draws each wait many times. As on real Istio, waits must be whole milliseconds, uniform below 25·2^(n-1) ms and at
// most 250 ms.
func TestBackOff(t *testing.T) {
	const draws = 4000
	rule := &manifests.Rule{Retry: manifests.Retry{Base: 25 * time.Millisecond}}
	for n, bound := range map[int]float64{1: 25, 2: 50, 3: 100, 4: 200, 5: 250, 9: 250} {
		least, most, sum := bound, 0.0, 0.0
		for i := range draws {
			c := call{rule: rule, tried: make([]*upstream, n)}
			c.draws.request = strconv.Itoa(i)
			wait := c.backOff()
			if wait%time.Millisecond != 0 {
				t.Fatalf("retry %d waits %v, want whole milliseconds", n, wait)
			}
			milliseconds := float64(wait.Milliseconds())
			least, most, sum = min(least, milliseconds), max(most, milliseconds), sum+milliseconds
		}
		// Whole milliseconds from 0 to bound-1; the mean of 4,000 lies within 5 standard errors of theirs.
		mean, want := sum/draws, (bound-1)/2
		if least > 1 || most >= bound || most < bound-2 || mean < want-0.023*bound || mean > want+0.023*bound {
			t.Errorf("retry %d waits %.0f to %.0f ms, %.1f in the mean; want 0 to %.0f, %.1f", n, least, most, mean, bound-1, want)
		}
	}
}

// TestBroken checks the failure and the answer for each way in which a try ends without an answer.
func TestBroken(t *testing.T) {
	for _, test := range []struct {
		err         error
		sidecar     bool
		failure     manifests.Failure
		status      int
		text, flags string
	}{
		{errReset, true, manifests.Failure{Status: 503}, 503, textReset + "connection termination", ""},
		{errConnect, true, manifests.Failure{Status: 503}, 503, textReset + "remote connection failure", ""},
		{errReset, false, manifests.Failure{Reset: true}, 503, textReset + "connection termination", "UC"},
		{errConnect, false, manifests.Failure{ConnectFailure: true}, 503, textReset + "remote connection failure", "UF"},
		{errPerTryTimeout, true, manifests.Failure{PerTryTimeout: true}, 504, textTimeout, "UT"},
	} {
		failure, a := broken(errors.Join(test.err, errors.New("more")), test.sidecar)
		got, want := fmt.Sprint(failure, a.status, a.text, a.flags), fmt.Sprint(test.failure, test.status, test.text, test.flags)
		if got != want {
			t.Errorf("%v, sidecar %v: got %s, want %s", test.err, test.sidecar, got, want)
		}
	}
}
