package attack

// reorder puts observations back into planned order. It holds the answers that came before the answer to an earlier request: at
// most as many as are sent during the longest wait for an answer, however many requests the attack has.
type reorder struct {
	ring  []slot // its length is a power of two; number n is at n % len
	first int    // number of the next observation to hand on
}

type slot struct {
	observation Observation
	arrived     bool // observation is filled
}

// place returns the slot for the observation of a number that next has not returned yet.
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

// next returns the next observation in planned order, or nil if its answer has not come yet. The observation is valid until the
// next call of place or next.
func (r *reorder) next() *Observation {
	if len(r.ring) == 0 {
		return nil
	}
	slot := &r.ring[r.first&(len(r.ring)-1)]
	if !slot.arrived {
		return nil
	}
	slot.arrived = false
	r.first++
	return &slot.observation
}
