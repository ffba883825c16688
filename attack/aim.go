package attack

import "time"

// aim is how much earlier than a request is due a loop asks to be woken, since a system wakes late: the processor has to leave its idle state, and
// the thread to get it. It follows the median of how late it was woken, so that half of the wakes come in time. For what is left then the loop
// looks for answers without sleeping.
type aim struct{ early time.Duration }

const (
	// mostEarly bounds how long the loop does not sleep before a request. A machine that wakes later than that is busy with other work.
	mostEarly = 60 * time.Microsecond
	// aimStep is by how much one wake moves the aim.
	aimStep = time.Microsecond
)

// woke takes how late a wake was; below 0: something else ended the wait, which says nothing.
func (a *aim) woke(late time.Duration) {
	switch {
	case late > a.early:
		a.early = min(a.early+aimStep, mostEarly)
	case late >= 0:
		a.early = max(a.early-aimStep, 0)
	}
}
