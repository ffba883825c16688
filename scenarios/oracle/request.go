package oracle

import (
	"strconv"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Request is what decides the draws of a request.
type Request struct {
	// Name is the value of trail.HeaderRequest.
	Name string
	// Fail and Hang are the probabilities that it asks for.
	Fail, Hang float64
	// Propagate: a service whose call failed answers 500 (trail.Propagate).
	Propagate bool
	// Pins is the value of trail.HeaderPins; with it nothing is drawn.
	Pins string
	// Timeout is how long the edge waits for the answer; 0 is for ever.
	Timeout time.Duration
}

// path is a path of tries that grows and shrinks in one buffer, so that walking allocates nothing.
type path []byte

// try is the path of a try of the call that p names.
func (p path) try(attempt int) path {
	if len(p) > 0 {
		p = append(p, '.')
	}
	return strconv.AppendInt(p, int64(attempt), 10)
}

// call names a call of the try at the end of p.
func (p path) call(number int) path {
	if number == 0 {
		return p
	}
	return strconv.AppendInt(append(p, ':'), int64(number), 10)
}

// fails and hangs report whether a try at the end of a path fails or hangs at a workload, as its stand-in decides it
// (service.Service.befalls).
func (r *Request) fails(w *Workload, p path) bool {
	return r.befalls(trail.HeaderFail, trail.PinFail, w.Fail, r.Fail, w, p)
}

func (r *Request) hangs(w *Workload, p path) bool {
	return r.befalls(trail.HeaderHang, trail.PinHang, w.Hang, r.Hang, w, p)
}

func (r *Request) befalls(purpose, pin string, own *float64, probability float64, w *Workload, p path) bool {
	switch {
	case !w.Ours:
		return false
	case r.Pins != "":
		return trail.Pinned(r.Pins, p) == pin
	case own != nil:
		probability = *own
	}
	return probability > 0 && trail.Draw(purpose, r.Name, w.Service, p) < probability
}
