package attack

import "time"

// schedule says when the requests of an attack are due. It is pure: all time is its arguments.
type schedule struct {
	requests int
	rate     float64 // requests a second
	grace    time.Duration
}

// at is when request n is due, since the beginning.
func (s schedule) at(n int) time.Duration {
	return time.Duration(float64(n) / s.rate * float64(time.Second))
}

// due is how many requests are due at elapsed.
func (s schedule) due(elapsed time.Duration) int {
	if elapsed < 0 {
		return 0
	}
	n := int(min(elapsed.Seconds()*s.rate, float64(s.requests)))
	// The two conversions round on their own; at decides.
	for n < s.requests && s.at(n) <= elapsed {
		n++
	}
	for n > 0 && s.at(n-1) > elapsed {
		n--
	}
	return n
}

const leastGrace = 250 * time.Millisecond

// budget is how long the attack may send: the planned time and a grace of a tenth of it, or of leastGrace where that is
// more. What has not left by then never leaves. The grace outlasts a busy machine's pauses; were it longer, a short
// attack at any rate would leave in it, however far beyond what can be sent the rate is.
func (s schedule) budget() time.Duration {
	planned := s.at(s.requests)
	if s.grace > 0 {
		return planned + s.grace
	}
	return planned + max(leastGrace, planned/10)
}
