package gauge

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
)

// frozen are the observations of 100 requests a second for ten seconds, to a server that answers after 1 ms and stands still from second 3 to
// second 4. With few connections no request can be sent while those in flight wait.
func frozen(connections int) (all []attack.Observation) {
	const step = 10 * time.Millisecond
	begin, end := 3*time.Second, 4*time.Second
	inFlight := 0
	for n := range 1000 {
		o := attack.Observation{Number: n, Planned: time.Duration(n) * step, Status: 200}
		o.Started, o.Latency = o.Planned, time.Millisecond
		if o.Planned >= begin && o.Planned < end {
			if inFlight++; inFlight > connections {
				o.Started = end
			}
			o.Latency = max(end-o.Started, 0) + time.Millisecond
		}
		all = append(all, o)
	}
	return all
}

// Of a server that stands still for a second, the report has what arithmetic says: a hundred of the thousand requests wait from 1,001 down to
// 11 ms, however many of them could be sent. The service time of a generator with four connections knows nothing of 96 of them.
func TestFrozenServer(t *testing.T) {
	for connections, service := range map[int]time.Duration{1000: 901 * time.Millisecond, 4: time.Millisecond} {
		tally := newTally()
		all := frozen(connections)
		for i := range all {
			tally.add(&all[i])
		}
		r := tally.report(&attack.Result{Planned: 1000, Sent: 1000, Observed: 1000, PlannedRate: 100, AchievedRate: 100})
		ok := r.Latency.OK
		for q, want := range map[int]float64{0: 0.001, 1: 0.001, 2: 0.901, 3: 0.991} { // number 990 of the sorted latencies is the eleventh slowest
			if got := ok.Quantiles[q].Seconds; got < want || got > 1.02*want {
				t.Errorf("%d connections: p%g is %v s, want %v within 2 %%", connections, 100*ok.Quantiles[q].Q, got, want)
			}
		}
		if ok.Max != 1.001 {
			t.Errorf("%d connections: the maximum is %v s, want 1.001", connections, ok.Max)
		}
		if got := r.Service.OK.Quantiles[2].Seconds; got < service.Seconds() || got > 1.02*service.Seconds()+0.01 {
			t.Errorf("%d connections: p99 of the service time is %v s, want about %v", connections, got, service)
		}
	}
}

// A tally has the same figures in whatever order observations come, and never more windows than it may have.
func TestTallyInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []attack.Observation
	for n := range 5000 {
		o := attack.Observation{Number: n, Planned: time.Duration(n) * 37 * time.Millisecond, Latency: time.Duration(random.IntN(1e9)), Status: []int{200, 404, 0}[n%3], BytesIn: 1}
		if o.Started = o.Planned; o.Status == 0 {
			o.Error = attack.Reset
		}
		all = append(all, o)
	}
	figures := func() string {
		tally := newTally()
		for i := range all {
			tally.add(&all[i])
		}
		if n := len(tally.windows); n > mostWindows || n < mostWindows/2 || tally.width != 400*time.Millisecond {
			t.Errorf("%d windows of %v for 185 s", n, tally.width)
		}
		r := tally.report(&attack.Result{Planned: 5000, Sent: 5000, Observed: 5000, PlannedRate: 27})
		if r.Requests.OK != 1667 || r.Requests.Failed != 3333 || r.Statuses[404] != 1667 || r.Errors[0].Count != 1666 || r.BytesIn != 5000 {
			t.Errorf("%+v, %v, %v", r.Requests, r.Statuses, r.Errors)
		}
		var requests int64
		for _, w := range tally.windows {
			requests += w.requests
		}
		if requests != 5000 {
			t.Errorf("the windows have %d requests", requests)
		}
		interval := *r.Latency.OK.Quantiles[2].Interval
		for i := range r.Latency.OK.Quantiles {
			r.Latency.OK.Quantiles[i].Interval = nil
		}
		return fmt.Sprint(r.Latency, r.Service, interval, *r.Requests.FailedShare)
	}
	inOrder := figures()
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if shuffled := figures(); shuffled != inOrder {
		t.Errorf("in order:\n%s\nshuffled:\n%s", inOrder, shuffled)
	}
}
