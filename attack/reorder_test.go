package attack

import (
	"math/rand/v2"
	"testing"
)

// put records the observation of a number.
func put(r *reorder, number int) {
	place := r.place(number)
	place.arrived = true
	place.observation.Number = number
}

func TestReorder(t *testing.T) {
	const count = 1000
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		// Each number may come up to 200 places too early or too late.
		order := random.Perm(count)
		for from := 0; from < count; from += 200 {
			block := order[from : from+200]
			for i := range block {
				block[i] = from + i
			}
			random.Shuffle(len(block), func(i, j int) { block[i], block[j] = block[j], block[i] })
		}
		var r reorder
		var got []int
		for _, number := range order {
			put(&r, number)
			for o := r.next(); o != nil; o = r.next() {
				got = append(got, o.Number)
			}
		}
		want := 0
		for _, number := range got {
			if number != want {
				t.Fatalf("seed %d: got number %d, want %d", seed, number, want)
			}
			want++
		}
		if want != count {
			t.Errorf("seed %d: got numbers up to %d, want up to %d", seed, want, count)
		}
		if len(r.ring) > 256 {
			t.Errorf("seed %d: ring has grown to %d places, want at most 256 for 200 out of order", seed, len(r.ring))
		}
	}
}

func TestReorderWaitsForTheFirst(t *testing.T) {
	var r reorder
	if o := r.next(); o != nil {
		t.Fatalf("got number %d of nothing", o.Number)
	}
	for number := 1; number <= 100; number++ {
		put(&r, number)
		if o := r.next(); o != nil {
			t.Fatalf("got number %d before 0", o.Number)
		}
	}
	put(&r, 0)
	for want := 0; want <= 100; want++ {
		if o := r.next(); o == nil || o.Number != want {
			t.Fatalf("got %v, want number %d", o, want)
		}
	}
	if o := r.next(); o != nil {
		t.Errorf("got number %d after the last", o.Number)
	}
}
