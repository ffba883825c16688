package oracle

import (
	"net/http"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// Prediction is what the requests of a cohort come to on the whole, per request.
type Prediction struct {
	// Edge is the probability that the edge meets a failure, Any that it meets one or that the answer shows a failed call to a
	// service of ours.
	Edge, Any float64
	// Rows are by Ways.Rows.
	Rows []RowPrediction
	// Error bounds the standard error of every probability; 0: they are exact.
	Error float64
	// Mean is the expected time of a request without the machine's own, Longest what one in a thousand exceeds.
	Mean, Longest time.Duration
}

// RowPrediction is what a request leads to at a row.
type RowPrediction struct {
	// Shown and Failed are expected numbers of calls that the answer shows, and of failed ones among them. Tries is the
	// expected number of tries, whether an answer shows them or not.
	Shown, Failed, Tries float64
}

// Predict computes what requests like request come to that go the way of first. It is exact where no time limit can matter and
// failures are absorbed: tries are then independent of each other. Where a limit can matter (tries hang, a fault delays,
// limits are short) or failures propagate, it plays requests and says how far that may be off.
func (w *Ways) Predict(request *Request, first *Call) *Prediction {
	if !timeless(request, first) {
		return w.play(request, first, plays)
	}
	p := w.play(request, first, timedPlays)
	exact := exactly{Request: request, rows: make([]RowPrediction, len(w.Rows))}
	root := exact.call(first)
	p.Error, p.Edge, p.Any = 0, root.fails, 1-root.clean
	exact.spread(first, 1, 1)
	p.Rows = exact.rows
	return p
}

// exactly enumerates, for requests of which no time limit ends a try and whose failures are absorbed: every try then
// fails by itself, whatever is below it.
type exactly struct {
	*Request
	rows []RowPrediction
	memo map[*Call]callChance
}

// callChance is what a call comes to: fails is the probability that it fails, clean that it does not and that nothing of
// ours below it that the answer shows does.
type callChance struct{ fails, clean float64 }

func (x *exactly) call(c *Call) callChance {
	if known, ok := x.memo[c]; ok {
		return known
	}
	var sum callChance
	if own, ok := c.answer(); ok {
		sum = proxyChance(own)
	} else {
		for i := range c.Destinations {
			d := &c.Destinations[i]
			at := x.destination(c, d)
			sum.fails, sum.clean = sum.fails+d.Share*at.fails, sum.clean+d.Share*at.clean
		}
		if f := c.fault(); f != nil && f.AbortStatus > 0 {
			aborted := proxyChance(f.AbortStatus)
			sum.fails = f.AbortShare*aborted.fails + (1-f.AbortShare)*sum.fails
			sum.clean = f.AbortShare*aborted.clean + (1-f.AbortShare)*sum.clean
		}
	}
	if c.Foreign() { // its failures are not ours
		sum.clean = 1
	}
	if x.memo == nil {
		x.memo = map[*Call]callChance{}
	}
	x.memo[c] = sum
	return sum
}

func proxyChance(own int) callChance {
	if own == 0 || own >= http.StatusInternalServerError {
		return callChance{fails: 1}
	}
	return callChance{clean: 1}
}

// destination is what a call comes to that goes there, with all its tries.
func (x *exactly) destination(c *Call, d *Destination) callChance {
	switch {
	case d.Status != 0:
		return proxyChance(d.Status)
	case len(d.Workloads) == 0: // a foreign host: taken to answer
		return callChance{clean: 1}
	}
	one := x.mixed(d)
	fails := one.fails
	for range c.retries() {
		fails *= one.fails
	}
	clean := 0.0
	if one.fails < 1 {
		clean = (1 - fails) * one.clean / (1 - one.fails)
	}
	return callChance{fails: fails, clean: clean}
}

// mixed is what a try comes to at a destination whose pods are picked by their number.
func (x *exactly) mixed(d *Destination) (sum callChance) {
	for _, w := range d.Workloads {
		clean := 1 - x.fail(w)
		for _, step := range w.Steps {
			for _, c := range step {
				clean *= x.call(c).clean
			}
		}
		sum.fails, sum.clean = sum.fails+w.Share*x.fail(w), sum.clean+w.Share*clean
	}
	return sum
}

// fail is the probability that a try fails at a workload.
func (x *exactly) fail(w *Workload) float64 {
	switch {
	case !w.Ours:
		return 0
	case w.Fail != nil:
		return *w.Fail
	}
	return x.Request.Fail
}

// spread adds what calls at c lead to, of which shown are in answers, and made are made at all.
func (x *exactly) spread(c *Call, shown, made float64) {
	row := &x.rows[c.Row]
	row.Shown += shown
	row.Failed += shown * x.call(c).fails
	if _, ok := c.answer(); ok {
		return
	}
	if f := c.fault(); f != nil && f.AbortStatus > 0 {
		shown, made = shown*(1-f.AbortShare), made*(1-f.AbortShare)
	}
	for i := range c.Destinations {
		d := &c.Destinations[i]
		if d.Status != 0 || len(d.Workloads) == 0 {
			continue
		}
		one := x.mixed(d)
		tries, power := 0.0, 1.0
		for range 1 + c.retries() {
			tries, power = tries+power, power*one.fails
		}
		tries *= made * d.Share
		row.Tries += tries
		// A try that does not fail is delivered, and calls on. power is the probability that none of the tries did.
		for _, w := range d.Workloads {
			good := w.Share * (1 - x.fail(w)) / max(1-one.fails, 1e-300)
			for _, step := range w.Steps {
				for _, next := range step {
					x.spread(next, shown*d.Share*(1-power)*good, made*d.Share*(1-power)*good)
				}
			}
		}
	}
}

// retries is how often a call may be sent again after an answer of 500.
func (c *Call) retries() int {
	if c.Rule == nil || !c.Rule.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) {
		return 0
	}
	return c.Rule.Retry.Attempts
}

// Foreign reports whether nobody of ours answers a call.
func (c *Call) Foreign() bool {
	if c.External {
		return true
	}
	for i := range c.Destinations {
		if c.Destinations[i].foreign(c) {
			return true
		}
	}
	return false
}
