package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/check"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// legTime is how long the requests are sent that follow those of the plan, before the services' counters are read again.
	legTime = time.Minute
	// standingEvery is how often Keep tells how it stands.
	standingEvery = 250 * time.Millisecond
	// mostSlow is how many times of requests that took longer than a second are kept.
	mostSlow = 10_000
)

// Standing is how a phase stands whose requests Keep sends.
type Standing struct {
	// Phase is the phase as a report has it, with what was measured until now. It may be kept.
	Phase *reports.Phase
	// Settled is how many requests the plan needs for a verdict, Done how many answers are in.
	Settled, Done int
	// Counted says that the services' counters were held against the calls, which is done when all requests of the plan are answered, and every
	// minute after that: until then no verdict is PASS.
	Counted bool
	// Unlike says why counters or waits are not judged; "" where they are. Again says why the requests of the plan were sent a second time; ""
	// where they were not.
	Unlike, Again string
}

// Keeping are the conditions of Keep.
type Keeping struct {
	// Foreign is how many requests that are not Keep's have come since it began: the counters of the services count them too. nil: none.
	Foreign func() int64
	// Tell is told how the phase stands, a few times a second. The load waits until it returns.
	Tell func(*Standing)
}

// Prefix is what the names of the requests of the last phase begin with.
func (r *Run) Prefix() string { return r.last().plansName() + "/" }

// last is the last phase.
func (r *Run) last() *planned { return r.phases[len(r.phases)-1] }

// Entry is where the requests of the first cohort of the last phase enter, with their Host header (empty: any will do).
func (r *Run) Entry() (manifests.Entry, string) {
	p := r.last()
	return p.entries[0], p.hosts[0]
}

// TriesEach is how many tries a natural request of the last phase is predicted to lead to.
func (r *Run) TriesEach() (tries float64) {
	for _, p := range r.last().predictions {
		for i := range p.Rows {
			tries += p.Rows[i].Tries * p.Share
		}
	}
	return tries
}

// Keep applies the objects of the last phase, sends its requests as Execute does, and goes on with natural ones until ctx ends, which is no
// error. The requests have the names that they have in Execute, so that the same seed makes the same draws. It does not close the target, and
// does not check the policies of DestinationRules by requests of their own.
func (r *Run) Keep(ctx context.Context, on target.Target, how Keeping) error {
	p := r.last()
	if err := on.Apply(ctx, p.calm()); err != nil {
		return fmt.Errorf("applying the objects of phase %s: %w", p.Name, err)
	}
	addresses, err := p.find(ctx, on)
	if err != nil {
		return err
	}
	k := &keeper{sending: newSending(p), how: how, on: on, at: addresses}
	err = k.keep(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// keeper is a sending without an end.
type keeper struct {
	*sending
	how    Keeping
	on     target.Target
	at     addresses
	before target.Counters
	good   *hdrhistogram.Histogram // microseconds that natural requests took that were answered without failure
	told   time.Time
	legs   int
	again  string         // why the requests of the plan were sent a second time
	last   *reports.Phase // as it stood when the counters were read last
	unlike string
}

// keep sends the requests of the plan, and again where waits alone contradict the rules, as Execute does; and then natural ones.
func (k *keeper) keep(ctx context.Context) (err error) {
	if err := k.begin(ctx); err != nil {
		return err
	}
	for {
		if k.legs > 0 {
			k.continued()
		}
		if k.result, err = attack.Run(ctx, k.plan, k.observe); err != nil {
			return err
		}
		after, err := k.counters(ctx, k.on)
		if err != nil {
			return err
		}
		k.evidence.Counters = after.Since(k.before).Uncopied()
		if k.legs == 0 && k.again == "" && k.strayed() {
			k.sending, k.again = newSending(k.planned), waitsStrayed
			if err := k.begin(ctx); err != nil {
				return err
			}
			continue
		}
		k.tell(true)
		k.legs++
	}
}

// begin begins the numbers.
func (k *keeper) begin(ctx context.Context) (err error) {
	if k.before, err = k.counters(ctx, k.on); err != nil {
		return err
	}
	k.good = hdrhistogram.New(1, int64(attack.Overflow.Microseconds()), 2)
	k.plan = k.attackOn(k.at.url, k.at.secure())
	k.tally = observe.NewTally(k.ways, k.judged, func(number int) string { return k.plan.RequestName(number) })
	k.began = time.Now()
	k.tell(false)
	return nil
}

// continued is the next leg: natural requests, numbered on.
func (k *keeper) continued() {
	next := int(k.tally.Natural)
	sequence := make([]attack.Slot, max(1, int(k.rate*legTime.Seconds())))
	for i := range sequence {
		number := (next + i) % attack.MaxRequests
		sequence[i] = attack.Slot{Cohort: k.turn(number), Number: int32(number)}
	}
	k.plan.Sequence, k.plan.Requests, k.plan.Lead = sequence, len(sequence), 0
}

// observe judges an observation. The first leg ends when all is decided.
func (k *keeper) observe(o *attack.Observation) bool {
	k.tally.Add(o)
	k.tally.Outcomes = k.tally.Outcomes[:0] // nobody compares them, and the memory must not grow
	if o.Cohort < len(k.Cohorts) && !o.EdgeFailure() {
		_ = k.good.RecordValue(min(max(o.Latency, 0), attack.Overflow).Microseconds()) // it is in the histogram's range
	}
	if o.Latency >= time.Second && len(k.slow) < mostSlow {
		k.slow = append(k.slow, o.Latency)
	}
	k.count++
	if time.Since(k.told) > standingEvery {
		k.tell(false)
	}
	return k.legs > 0 || k.count < k.settled || k.count%lookEvery != 0 || !k.decided()
}

// tell tells how the phase stands; counted says that the services' counters were just read.
func (k *keeper) tell(counted bool) {
	s := k.standing(counted)
	k.how.Tell(s)
	k.told = time.Now()
}

// standing judges what was measured until now.
func (k *keeper) standing(counted bool) *Standing {
	k.judge()
	e := &k.evidence
	foreign := k.how.Foreign != nil && k.how.Foreign() > 0
	e.Counted = counted && !foreign
	if !counted {
		e.Untimed = true // a wait that is judged again and again would be found wrong by chance at some time
	}
	phase := k.pictured(e, k.good)
	switch {
	case counted:
		phase.Undecided, k.last, k.unlike = k.undecided(context.Background(), nil), phase, k.missing(foreign)
	case k.last != nil:
		phase.Undecided = k.last.Undecided
		for i := range phase.Calls {
			inherit(&phase.Calls[i], k.last.Calls)
		}
	}
	phase.Verdict = k.verdict(phase)
	return &Standing{Phase: phase, Settled: k.settled, Done: k.count, Counted: k.last != nil, Unlike: k.unlike, Again: k.again}
}

// missing says what is not judged though the requests of the plan are answered.
func (k *keeper) missing(foreign bool) string {
	switch {
	case foreign:
		return "other requests came in meanwhile, which the services count too: their counters are not judged until the numbers begin anew"
	case k.late():
		return "this machine sent requests late, so that the waits between tries are not judged"
	}
	return ""
}

// verdict is that of all calls; before the counters were read, it is PASS of nothing.
func (k *keeper) verdict(phase *reports.Phase) reports.Verdict {
	all := ofCalls(phase)
	if k.last == nil || phase.Undecided != "" {
		all = append(all, reports.Inconclusive)
	}
	return reports.Worst(all...)
}

// inherit gives a call what was judged of it when the counters were read last.
func inherit(c *reports.Call, from []reports.Call) {
	at := slices.IndexFunc(from, func(l reports.Call) bool {
		same := l.Rule == nil && c.Rule == nil || l.Rule != nil && c.Rule != nil && l.Rule.Name == c.Rule.Name && l.Rule.Line == c.Rule.Line
		return same && l.From == c.From && l.To == c.To && slices.Equal(l.Cohorts, c.Cohorts)
	})
	if at < 0 {
		return
	}
	c.Waits, c.Ledger, c.Tries = from[at].Waits, from[at].Ledger, from[at].Tries
	c.Verdict = check.Verdict(c)
}
