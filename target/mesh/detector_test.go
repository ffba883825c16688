package mesh

import (
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// detecting is a detector of so many endpoints at a clock of its own.
func detecting(policy manifests.Ejection, endpoints int) (d *detector, all []*upstream, pass func(time.Duration)) {
	for range endpoints {
		all = append(all, &upstream{})
	}
	now := time.Unix(1000, 0)
	d = newDetector(&policy, all)
	d.now = func() time.Time { return now }
	d.next = now.Add(policy.Interval)
	return d, all, func(t time.Duration) { now = now.Add(t) }
}

func TestDetector(t *testing.T) {
	policy := manifests.Ejection{Errors: 2, Interval: time.Second, Base: 3 * time.Second, Percent: 50}
	d, all, pass := detecting(policy, 2)
	left := func(want int, when string) {
		t.Helper()
		if got := len(d.endpoints()); got != want {
			t.Errorf("%s %d endpoints are left, want %d", when, got, want)
		}
	}
	d.report(all[0], manifests.Failure{Status: 500})
	d.report(all[0], manifests.Failure{Status: 200})
	d.report(all[0], manifests.Failure{Status: 500})
	left(2, "after two failures that are not in a row")
	d.report(all[0], manifests.Failure{Overflow: true})
	left(2, "after a refused try")
	d.report(all[0], manifests.Failure{Status: 503})
	left(1, "after two failures in a row")
	d.report(all[1], manifests.Failure{Status: 500})
	d.report(all[1], manifests.Failure{Status: 500})
	left(1, "when half of the endpoints are ejected already")
	pass(2900 * time.Millisecond)
	left(1, "before its time is over")
	pass(200 * time.Millisecond)
	left(2, "after its time")
	d.report(all[0], manifests.Failure{Status: 500})
	left(2, "after one failure since it came back")
	d.report(all[0], manifests.Failure{Status: 500})
	pass(5900 * time.Millisecond)
	left(1, "before twice its time")
	pass(time.Second)
	left(2, "after twice its time")
	pass(2 * time.Second)
	d.report(all[0], manifests.Failure{Status: 500})
	d.report(all[0], manifests.Failure{Status: 500})
	pass(3 * time.Second)
	left(2, "after the time of a first ejection, since two intervals passed without a failure")
}

func TestDetectorOfFewEndpoints(t *testing.T) {
	for _, c := range []struct {
		policy          manifests.Ejection
		endpoints, left int
	}{
		{manifests.Ejection{Errors: 1, Percent: 10}, 1, 1}, // measured of Envoy 1.40: nobody is ejected
		{manifests.Ejection{Errors: 1, Percent: 50}, 3, 2},
		{manifests.Ejection{Errors: 1, Percent: 67}, 3, 1},
		{manifests.Ejection{Errors: 1, Percent: 100}, 1, 0},
		{manifests.Ejection{Errors: 1, Percent: 100, Panic: 60}, 2, 2},
		{manifests.Ejection{Errors: 1, Percent: 34, Panic: 67}, 3, 3},
		{manifests.Ejection{Errors: 1, Percent: 25, Panic: 100}, 4, 3}, // three of four count as enough
		{manifests.Ejection{Errors: 0, GatewayErrors: 1, Percent: 100}, 1, 1},
	} {
		c.policy.Interval, c.policy.Base = time.Second, time.Second
		d, all, _ := detecting(c.policy, c.endpoints)
		for _, u := range all {
			d.report(u, manifests.Failure{Status: 500})
		}
		if got := len(d.endpoints()); got != c.left {
			t.Errorf("%+v: of %d endpoints %d are left, want %d", c.policy, c.endpoints, got, c.left)
		}
	}
}

func TestWhatADetectorCounts(t *testing.T) {
	split := manifests.Ejection{Errors: 2, Local: 2}
	whole := manifests.Ejection{Errors: 2, GatewayErrors: 2}
	gateway := manifests.Ejection{GatewayErrors: 2}
	for name, c := range map[string]struct {
		policy manifests.Ejection
		tries  []manifests.Failure
		want   bool
	}{
		"two answers of 500":                          {whole, []manifests.Failure{{Status: 500}, {Status: 500}}, true},
		"a gateway error and another one":             {gateway, []manifests.Failure{{Status: 503}, {Status: 500}, {Status: 503}}, false},
		"two gateway errors":                          {gateway, []manifests.Failure{{Status: 503}, {Status: 504}}, true},
		"a cut try and one without connection":        {gateway, []manifests.Failure{{PerTryTimeout: true}, {ConnectFailure: true}}, true},
		"told apart: one of each":                     {split, []manifests.Failure{{Status: 500}, {ConnectFailure: true}}, false},
		"told apart: two without connection":          {split, []manifests.Failure{{ConnectFailure: true}, {ConnectFailure: true}}, true},
		"told apart: two cut tries, each on its own":  {split, []manifests.Failure{{PerTryTimeout: true}, {PerTryTimeout: true}}, false},
		"told apart: an answer between two failures":  {split, []manifests.Failure{{ConnectFailure: true}, {Status: 500}, {ConnectFailure: true}}, false},
		"told apart: answers of 500 around a failure": {split, []manifests.Failure{{Status: 500}, {ConnectFailure: true}, {Status: 500}}, true},
	} {
		var w watched
		eject := false
		for _, f := range c.tries {
			eject = w.count(&c.policy, f)
		}
		if eject != c.want {
			t.Errorf("%s: ejected %v, want %v", name, eject, c.want)
		}
	}
}
