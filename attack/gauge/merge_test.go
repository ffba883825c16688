package gauge

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
)

// Tallies of parts of an attack, merged in any order, are the tally of the whole, whatever their widths are.
func TestMergeIsAssociativeAndCommutative(t *testing.T) {
	phases := []attack.Phase{{Name: "warm-up", Rate: 1, To: 1, Duration: 10 * time.Second, Warmup: true}, {Name: "a", Rate: 1, To: 1, Duration: 100 * time.Second}, {Name: "b", Rate: 1, To: 1, Duration: 100 * time.Second}}
	for seed := range uint64(2) {
		random := rand.New(rand.NewPCG(seed, 1))
		empty := func() *tally {
			one := newTally()
			one.phases = newPhaseTallies(phases)
			one.begin, _, _ = one.warmup()
			return one
		}
		fill := func(part int, into *tally) {
			random := rand.New(rand.NewPCG(seed, uint64(part)))
			for n := range 400 {
				o := attack.Observation{Number: n, Cohort: random.IntN(3), Planned: time.Duration(random.Int64N(int64(1+part*part) * int64(20*time.Second))), Latency: time.Duration(random.ExpFloat64() * 1e7),
					Status: []int{200, 301, 404, 0}[random.IntN(4)], BytesIn: 3}
				if o.Started = o.Planned + time.Duration(random.IntN(3e7)); o.Status == 0 {
					o.Error = attack.Reset
				}
				into.add(&o)
			}
		}
		whole := empty()
		for part := range 4 {
			fill(part, whole)
		}
		figures := func(of *tally) string {
			r := of.report(&attack.Result{Planned: 1600, Sent: 1600, Observed: 1600, PlannedRate: 8})
			of.details(r)
			for i := range of.phases {
				r.Phases = append(r.Phases, of.phases[i].report(false))
			}
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		merged := func(order []int, right bool) *tally {
			var parts []*tally
			for _, part := range order {
				one := empty()
				fill(part, one)
				parts = append(parts, throughWire(t, one, phases))
			}
			for len(parts) > 1 {
				at := 0
				if right {
					at = len(parts) - 2
				}
				parts[at].merge(parts[at+1])
				parts = append(parts[:at+1], parts[at+2:]...)
			}
			return parts[0]
		}
		want := figures(whole)
		for _, right := range []bool{false, true} {
			if got := figures(merged(random.Perm(4), right)); got != want {
				t.Fatalf("seed %d, from the right %v: merged\n%s\nwhole\n%s", seed, right, got, want)
			}
		}
	}
}

// throughWire is a tally as the process that merges reads it.
func throughWire(t *testing.T, of *tally, phases []attack.Phase) *tally {
	t.Helper()
	text, err := json.Marshal(of.wire())
	if err != nil {
		t.Fatal(err)
	}
	var w wireTally
	if err := json.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	read := newTally()
	read.phases, read.begin = newPhaseTallies(phases), of.begin
	if err := read.mergeWire(&w, phases); err != nil {
		t.Fatal(err)
	}
	return read
}

// BenchmarkMergeWorkers reads and merges what 100 workers counted in an hour, each of them 100 requests a second.
func BenchmarkMergeWorkers(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	one := newTally()
	for n := range 360_000 {
		at := time.Duration(n) * 10 * time.Millisecond
		one.add(&attack.Observation{Number: n, Planned: at, Started: at + 50*time.Microsecond, Latency: time.Duration(random.ExpFloat64() * 8e6), Status: 200})
	}
	text, err := json.Marshal(one.wire())
	if err != nil {
		b.Fatal(err)
	}
	merging := time.Duration(0)
	for b.Loop() {
		all := newTally()
		for range 100 {
			var w wireTally
			if err := json.Unmarshal(text, &w); err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			if err := all.mergeWire(&w, nil); err != nil {
				b.Fatal(err)
			}
			merging += time.Since(began)
		}
	}
	b.ReportMetric(merging.Seconds()/float64(b.N), "s-merging/op")
	b.ReportMetric(float64(len(text)), "bytes/worker")
}
