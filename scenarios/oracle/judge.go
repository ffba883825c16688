package oracle

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Kind is a kind of mismatch, as reports name it.
type Kind string

// The kinds of mismatches.
const (
	NoAnswer      Kind = "no answer"                 // nothing came back though nothing says so
	ByProxy       Kind = "answered by the proxy"     // the proxy answered itself, or with another status than the rule's
	NotByProxy    Kind = "not answered by the proxy" // a service answered where the rule lets none
	WrongWorkload Kind = "wrong destination"         // somebody answered to whom the rule does not lead
	NoCount       Kind = "no attempt count"          // no proxy was on the way where one must be
	UnexpectedTry Kind = "unexpected attempt count"  // a proxy was on the way where none is
	TooManyTries  Kind = "too many tries"            // more tries than the policy allows
	RetryNotDue   Kind = "retried without cause"     // an earlier try did not fail, or not in a way that the policy covers
	RetryMissing  Kind = "not retried"               // a failure that the policy covers was delivered with tries left
	NotTimedOut   Kind = "not cut by its time limit" // a try took longer than its limit and was delivered
	WrongStatus   Kind = "wrong status"              // the service answered otherwise than its draws say
	WrongHost     Kind = "wrong host"                // the service received another host than the rule sends
	WrongPath     Kind = "wrong path"                // the service received another path than the rule sends
	WrongCalls    Kind = "wrong calls"               // the service made other calls than it is configured to
	DelayMissing  Kind = "delay missing"             // an answer came sooner than the fault's delay lets it
	ForeignTrail  Kind = "no trail"                  // a service of ours answered without a trail
)

// Mismatch is a call that met something that the oracle does not allow.
type Mismatch struct {
	Kind Kind
	Row  int // of Ways.Rows
	// Call is the path of tries that names the call; empty at the entry. Try is the attempt count of the delivered try.
	Call string
	Try  int
	// Expected and Met are clauses: "the proxy sends the call again, since try 1 failed" and "status 500 was delivered".
	Expected, Met string
	// Status is what was delivered, 0 for nothing; By is the service and version that answered, empty where none of ours did.
	Status int
	By     string
}

// Evidence is what one judged call showed, for whoever counts. Its Way is the call as it was compiled.
type Evidence struct {
	Way *Call
	// Observed is the call as its caller saw it.
	Observed *trail.Call
	// Pod is that of the caller; empty where the answer does not say it.
	Pod string
	// Destination and Workload answered, as far as that is known: indices of Way.Destinations and of its Workloads; -1.
	Destination, Workload int
	// Failures is how many tries before the delivered one failed, as drawn; Failed: the delivered one did too.
	Failures int
	Failed   bool
	// Prompt: each try before the delivered one failed at once, as drawn or pinned, and no fault held the call back: beside the work of
	// the service that answered, it took as long as the ways and the waits between tries did.
	Prompt bool
	// Aborted: a fault's abort answered.
	Aborted bool
	// Open: a time limit ran out, or may have, so that what was met is not decided by the draws alone.
	Open bool
	// Unknown: somebody of whom nothing is known may have answered, and may answer as he likes.
	Unknown bool
	// Mismatch is what is wrong with the call; nil: nothing.
	Mismatch *Mismatch
}

// Judge holds what requests met against what they must meet. Its zero value is ready. It must not be used by two goroutines at once.
type Judge struct {
	walk   walk
	buffer [512]byte
}

// Request judges one request: first is its way, from the edge. tell is called for every call that the answer shows, callers before what
// they called; the evidence is valid until it returns. Below a call with a mismatch nothing is judged. Without a mismatch nothing is
// allocated.
func (j *Judge) Request(request *Request, first *Call, observed *trail.Call, tell func(*Evidence)) {
	j.walk = walk{Request: request, tell: tell}
	j.walk.judge(first, observed, path(j.buffer[:0]))
}

// walk follows one request.
type walk struct {
	*Request
	tell     func(*Evidence)
	evidence Evidence
	// pod is that of the caller of the call that is being judged.
	pod string
	// elapsed is what was observed to pass for the call that is being judged.
	elapsed time.Duration
}

func (w *walk) judge(c *Call, o *trail.Call, p path) {
	answered := w.one(c, o, p)
	w.tell(&w.evidence)
	if w.evidence.Mismatch == nil && answered != nil {
		w.below(answered, o.Hop, p.try(o.Hop.Attempt))
	}
}

// one judges a call by itself, and returns who answered it, as compiled; nil where none of ours did.
func (w *walk) one(c *Call, o *trail.Call, p path) *Workload {
	w.evidence = Evidence{Way: c, Observed: o, Pod: w.pod, Destination: -1, Workload: -1}
	w.elapsed = o.Elapsed
	if o.Hop == nil {
		w.unanswered(c, o, p)
		return nil
	}
	return w.answered(c, o, p)
}

// mismatch notes what is wrong with the call.
func (w *walk) mismatch(p path, kind Kind, expected, met string) {
	e := &w.evidence
	e.Mismatch = &Mismatch{Kind: kind, Row: e.Way.Row, Call: string(p), Expected: expected, Met: met, Status: e.Observed.Status}
	if hop := e.Observed.Hop; hop != nil {
		e.Mismatch.Try, e.Mismatch.By = hop.Attempt, hop.Service+"-"+hop.Version
	}
}

// below judges the calls of a try that was delivered.
func (w *walk) below(at *Workload, hop *trail.Hop, p path) {
	for _, step := range at.Steps {
		for _, c := range step {
			for i := range hop.Calls {
				if hop.Calls[i].Number == c.Number {
					w.pod = hop.Pod
					w.judge(c, &hop.Calls[i], p.call(c.Number))
				}
			}
		}
	}
}

// unanswered judges a call that no service of ours answered.
func (w *walk) unanswered(c *Call, o *trail.Call, p path) {
	if own, ok := c.answer(); ok {
		if o.Status != own {
			w.mismatch(p, ByProxy, "the caller's proxy answers "+status(own), met(o))
		}
		return
	}
	if f := c.fault(); f != nil && f.AbortStatus > 0 {
		if o.Status == f.AbortStatus && f.AbortShare > 0 {
			w.evidence.Aborted = true
			w.delayed(c, o, p)
			return
		}
		if f.AbortShare == 1 {
			w.mismatch(p, ByProxy, fmt.Sprintf("the fault aborts every call with %d", f.AbortStatus), met(o))
			return
		}
	}
	external := false
	for i := range c.Destinations {
		d := &c.Destinations[i]
		switch {
		case d.Status != 0 && d.Status == o.Status:
			w.evidence.Destination = i
			return
		case d.foreign(c):
			external = true
			if len(d.Workloads) == 0 || o.Status == http.StatusOK {
				w.evidence.Destination, w.evidence.Unknown = i, len(d.Workloads) == 0
				return
			}
		}
	}
	if w.timedOut(c, o, p) {
		return
	}
	switch {
	case o.Status == 0:
		w.mismatch(p, NoAnswer, c.expected(), met(o))
	case o.Status < http.StatusInternalServerError && !external:
		w.mismatch(p, ForeignTrail, "the answer carries the trail of a service of ours", met(o))
	default:
		w.mismatch(p, ByProxy, c.expected(), met(o))
	}
}

// timedOut judges a call that a time limit may have ended: by an answer of 504, by one of 503 where the stand-in noticed the
// limit first and broke the connection (service.Service.serve), or by none where it was the edge that waited.
func (w *walk) timedOut(c *Call, o *trail.Call, p path) bool {
	limit := c.limit()
	if len(p) == 0 && o.Status == 0 && w.Timeout > 0 {
		limit = w.Timeout
	} else if o.Status != http.StatusGatewayTimeout && o.Status != http.StatusServiceUnavailable {
		return false
	}
	if limit == 0 || !w.lasted(limit) {
		return false
	}
	outer := time.Duration(never)
	if w.Timeout > 0 && len(p) == 0 {
		outer = w.Timeout
	}
	foreseen := w.call(c, p, outer)
	// Where a limit must have run out it is decided; where it ran out because the machine was slow, it is open.
	w.evidence.Open = foreseen.ok || foreseen.cut && foreseen.failed
	w.evidence.Failed = true
	return true
}

// delayed holds a call that was not cut against the delay of its fault.
func (w *walk) delayed(c *Call, o *trail.Call, p path) {
	if f := c.fault(); f != nil && f.Delay > 0 && f.DelayShare == 1 && !w.lasted(f.Delay) {
		w.mismatch(p, DelayMissing, fmt.Sprintf("the fault holds every call back for %v", f.Delay), fmt.Sprintf("it was answered after %v", o.Elapsed))
	}
}

// answered judges a call that a service of ours answered, and returns who that is, as compiled.
func (w *walk) answered(c *Call, o *trail.Call, p path) *Workload {
	e, hop := &w.evidence, o.Hop
	if own, ok := c.answer(); ok {
		w.mismatch(p, NotByProxy, "the caller's proxy answers "+status(own), met(o))
		return nil
	}
	if f := c.fault(); f != nil && f.AbortStatus > 0 && f.AbortShare == 1 {
		w.mismatch(p, NotByProxy, fmt.Sprintf("the fault aborts every call with %d", f.AbortStatus), met(o))
		return nil
	}
	e.Destination, e.Workload = c.find(hop)
	if e.Workload < 0 {
		w.mismatch(p, WrongWorkload, c.expected(), met(o))
		return nil
	}
	d := &c.Destinations[e.Destination]
	at := d.Workloads[e.Workload]
	e.Prompt = c.fault() == nil || c.fault().Delay == 0 || c.fault().DelayShare == 0
	switch tries := c.Tries(); {
	case c.Rule == nil && hop.Attempt != 0:
		w.mismatch(p, UnexpectedTry, "no proxy of the caller is on the way", fmt.Sprintf("the try carried attempt count %d", hop.Attempt))
	case c.Rule != nil && hop.Attempt == 0:
		w.mismatch(p, NoCount, "the caller's proxy counts the tries", "the try carried no attempt count")
	case hop.Attempt > tries:
		w.mismatch(p, TooManyTries, fmt.Sprintf("at most %d tries are sent", tries), fmt.Sprintf("try %d was delivered", hop.Attempt))
	default:
		w.received(c, hop, p)
		if e.Mismatch == nil {
			w.earlier(c, d, hop, p)
		}
		if e.Mismatch == nil {
			w.delivered(c, at, o, p)
		}
	}
	w.delayed(c, o, p)
	return at
}

// received judges the host and the path with which a try arrived: those that the rule sends to one of the destinations where its
// workload answers.
func (w *walk) received(c *Call, hop *trail.Hop, p path) {
	var host, target *Destination // that expect another one
	for i := range c.Destinations {
		d := &c.Destinations[i]
		if !d.answeredBy(hop) {
			continue
		}
		otherHost := d.Host != "" && hop.Host != trail.ToldHost(hop.Service, d.Host)
		otherPath := d.Path != "" && hop.Path != trail.ToldPath(d.Path)
		switch {
		case otherPath:
			target = d
		case otherHost:
			host = d
		default:
			return
		}
	}
	switch {
	case host != nil:
		w.mismatch(p, WrongHost, fmt.Sprintf("the host %q is sent", host.Host), fmt.Sprintf("%q arrived", cmp.Or(hop.Host, "the name of "+hop.Service)))
	case target != nil:
		w.mismatch(p, WrongPath, fmt.Sprintf("the path %q is sent", target.Path), fmt.Sprintf("%q arrived", cmp.Or(hop.Path, "/")))
	}
}

// answeredBy reports whether the workload of a trail may answer at a destination.
func (d *Destination) answeredBy(hop *trail.Hop) bool {
	return slices.ContainsFunc(d.Workloads, func(w *Workload) bool { return w.Service == hop.Service && w.Version == hop.Version })
}

// earlier judges the tries before the delivered one, of which nothing is seen but that they were sent again.
func (w *walk) earlier(c *Call, d *Destination, hop *trail.Hop, p path) {
	for n := 1; n < hop.Attempt; n++ {
		end := w.at(c, d, p.try(n), never)
		failure := end.failed && c.Rule.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError})
		cut := end.cut && c.Rule.Retry.Covers(manifests.Failure{PerTryTimeout: true})
		w.evidence.Failures++
		w.evidence.Prompt = w.evidence.Prompt && w.failsAtOnce(d, p.try(n))
		switch {
		case failure && !end.ok && !end.cut:
		case failure || cut:
			w.evidence.Open = w.evidence.Open || end.ok || end.failed && end.cut
		case c.Rule.Retry.PerTry > 0 && w.lasted(c.Rule.Retry.PerTry) && cutAgain(&c.Rule.Retry):
			w.evidence.Open = true // the machine was so slow that a try may have run into its limit
		case end.failed:
			w.mismatch(p, RetryNotDue, fmt.Sprintf("try %d fails, which %q does not cover, so it is delivered", n, c.Rule.Retry.On), fmt.Sprintf("try %d was delivered", hop.Attempt))
			return
		default:
			w.mismatch(p, RetryNotDue, fmt.Sprintf("try %d does not fail, so it is delivered", n), fmt.Sprintf("try %d was delivered", hop.Attempt))
			return
		}
	}
}

// cutAgain reports whether a policy sends a call again of which the limit of a try ran out: as such a try, or as one that was answered 503, where
// the stand-in noticed the limit first and broke the connection (service.Service.serve), for which the sidecar of its pod answers.
func cutAgain(retry *manifests.Retry) bool {
	return retry.Covers(manifests.Failure{PerTryTimeout: true}) || retry.Covers(manifests.Failure{Status: http.StatusServiceUnavailable})
}

// failsAtOnce reports whether a try fails at once, whoever answers it.
func (w *walk) failsAtOnce(d *Destination, p path) bool {
	for _, at := range d.Workloads {
		if !w.fails(at, p) || w.hangs(at, p) {
			return false
		}
	}
	return true
}

// delivered judges the try that was delivered: that the stand-in did as its draws say, and that no further try was due.
func (w *walk) delivered(c *Call, at *Workload, o *trail.Call, p path) {
	hop, tried := o.Hop, p.try(o.Hop.Attempt)
	if w.fails(at, tried) {
		w.evidence.Failed = true
		if hop.Status != http.StatusInternalServerError || len(hop.Calls) > 0 {
			w.mismatch(p, WrongStatus, "the try fails at once with 500, as drawn", met(o))
			return
		}
	} else if expected := w.calls(at, hop, p); w.evidence.Mismatch != nil {
		return
	} else if hop.Status != expected {
		w.mismatch(p, WrongStatus, "the service answers "+status(expected), met(o))
		return
	}
	w.evidence.Failed = hop.Status >= http.StatusInternalServerError
	if o.Status != hop.Status {
		w.mismatch(p, WrongStatus, "the answer's status is the service's own", fmt.Sprintf("%s, where the service answered %d", met(o), hop.Status))
		return
	}
	if c.Rule == nil {
		return
	}
	retry := &c.Rule.Retry
	if hop.Attempt <= retry.Attempts && retry.Covers(manifests.Failure{Status: hop.Status}) {
		w.mismatch(p, RetryMissing, fmt.Sprintf("try %d is sent, since try %d answered %d, which %q covers, and %d tries are allowed",
			hop.Attempt+1, hop.Attempt, hop.Status, retry.On, retry.Attempts+1), fmt.Sprintf("try %d was delivered", hop.Attempt))
		return
	}
	// The time of the whole call began before that of this try, so that it is over when a hanging try would be delivered.
	for _, limit := range []time.Duration{retry.PerTry, c.Rule.Timeout} {
		if w.hangs(at, tried) && limit > 0 && at.HangTime >= limit+Margin {
			w.mismatch(p, NotTimedOut, fmt.Sprintf("try %d hangs for %v and is cut after %v", hop.Attempt, at.HangTime, limit), met(o))
			return
		}
	}
}

// calls is the status that a workload answers after these calls, which must be those that it is configured to make.
func (w *walk) calls(at *Workload, hop *trail.Hop, p path) int {
	made := hop.Calls
	for _, step := range at.Steps {
		failed := false
		for _, c := range step {
			if len(made) == 0 || made[0].Number != c.Number {
				w.mismatch(p, WrongCalls, fmt.Sprintf("%s calls %s", at.Service, c.URL), "it made no such call")
				return 0
			}
			failed = failed || made[0].Failed()
			made = made[1:]
		}
		if failed && w.Propagate {
			if len(made) > 0 {
				w.mismatch(p, WrongCalls, at.Service+" makes no further call after one that failed", "it called "+made[0].URL)
			}
			return http.StatusInternalServerError
		}
	}
	if len(made) > 0 {
		w.mismatch(p, WrongCalls, at.Service+" makes no further call", "it called "+made[0].URL)
	}
	return http.StatusOK
}

// answer is the status that the caller's proxy gives to every such call itself; 0 is no answer.
func (c *Call) answer() (own int, always bool) {
	switch {
	case c.Rule == nil:
		return 0, false
	case c.Rule.Direct != nil:
		return c.Rule.Direct.Status, true
	case c.Rule.Redirect != nil:
		return c.Rule.Redirect.Status, true
	}
	if len(c.Destinations) == 1 && c.Destinations[0].Status != 0 && c.Rule.Fault == nil {
		return c.Destinations[0].Status, true
	}
	return 0, false
}

func (c *Call) fault() *manifests.Fault {
	if c.Rule == nil {
		return nil
	}
	return c.Rule.Fault
}

// foreign reports whether whoever answers at a destination shows no trail.
func (d *Destination) foreign(c *Call) bool {
	if d.External || c.External {
		return true
	}
	for _, w := range d.Workloads {
		if !w.Ours {
			return true
		}
	}
	return false
}

// find is the place of the workload that answered; -1, -1 when the call leads to none such.
func (c *Call) find(hop *trail.Hop) (destination, workload int) {
	for i := range c.Destinations {
		for j, w := range c.Destinations[i].Workloads {
			if w.Service == hop.Service && w.Version == hop.Version {
				return i, j
			}
		}
	}
	return -1, -1
}

// expected says who may answer a call.
func (c *Call) expected() string {
	text := ""
	for i := range c.Destinations {
		d := &c.Destinations[i]
		for _, w := range d.Workloads {
			text = join(text, w.Service+"-"+w.Version)
		}
		if len(d.Workloads) == 0 && d.Status == 0 {
			text = join(text, d.Name)
		}
		if d.Status != 0 {
			text = join(text, fmt.Sprintf("the proxy with %d", d.Status))
		}
	}
	if text == "" {
		return "nobody answers"
	}
	return text + " answers"
}

func join(text, more string) string {
	if text == "" {
		return more
	}
	return text + " or " + more
}

// met says what came back.
func met(o *trail.Call) string {
	switch {
	case o.Hop != nil:
		return fmt.Sprintf("%s-%s answered %d to try %d", o.Hop.Service, o.Hop.Version, o.Hop.Status, o.Hop.Attempt)
	case o.Status == 0 && o.Error != "":
		return fmt.Sprintf("no answer came within %v: %s", o.Elapsed.Round(time.Millisecond), o.Error)
	}
	return fmt.Sprintf("%s came after %v without a trail", status(o.Status), max(o.Elapsed.Round(time.Millisecond), time.Millisecond))
}

func status(code int) string {
	if code == 0 {
		return "nothing"
	}
	return fmt.Sprintf("status %d", code)
}
