package attack

// reorder puts observations back into planned order. It holds the answers that came before an earlier request's: at
// most the rate times the longest wait for an answer, whatever the number of requests.
type reorder struct {
	ring  []slot // of a power of two; number n has its place at n % len
	first int    // number of the next observation to hand on
}

type slot struct {
	observation Observation
	state       state
}

type state uint8

const (
	awaited state = iota // no answer yet
	arrived              // observation is filled
	skipped              // the hit was never sent: there is nothing to observe
)

// place returns where the observation of a number that was not handed on yet goes. It stays there until next.
func (r *reorder) place(number int) *slot {
	if number-r.first >= len(r.ring) {
		r.grow(number - r.first + 1)
	}
	return &r.ring[number&(len(r.ring)-1)]
}

func (r *reorder) grow(size int) {
	length := max(64, len(r.ring))
	for length < size {
		length *= 2
	}
	grown := make([]slot, length)
	for i := range r.ring {
		number := r.first + i
		grown[number&(length-1)] = r.ring[number&(len(r.ring)-1)]
	}
	r.ring = grown
}

// next returns the next observation in planned order, or nil when its answer is still awaited. The observation is
// valid until place or next is called.
func (r *reorder) next() *Observation {
	for len(r.ring) > 0 {
		slot := &r.ring[r.first&(len(r.ring)-1)]
		was := slot.state
		if was == awaited {
			return nil
		}
		slot.state = awaited
		r.first++
		if was == arrived {
			return &slot.observation
		}
	}
	return nil
}
