// Package trail holds what a request and its answer say about the way through the services: the headers that the
// stand-in obeys and forwards, the draws and pins that decide which tries fail, the trail that it answers with (a tree of
// calls) as JSON and as the tutorial's page, the names under which it counts, and how a request is sent once and no more,
// so that counts mean anything. It is a leaf: every package may import it, and it must know nothing of proxies,
// manifests, load or statistics.
package trail

import "time"

// Request headers that the demo service obeys, in lower case as Envoy writes them.
const (
	// HeaderFail is the fail probability, a decimal number in [0,1], drawn anew in every service on every try.
	HeaderFail = "fail"
	// HeaderHang is the hang probability, a decimal number in [0,1]: the chance that a try answers only after the
	// service's hang duration, which is longer than any per-try timeout of the stages.
	HeaderHang = "hang"
	// HeaderCascade says what a service does when its upstream failed: Absorb (the default) or Propagate.
	HeaderCascade = "cascade"
	// HeaderDevUser is the header that the canary stage routes by.
	HeaderDevUser = "x-dev-user"
	// HeaderRequest names a request of an attack, "seed/phase/number". It makes every draw on its way reproducible;
	// gateways replace x-request-id, so it is a header of our own.
	HeaderRequest = "x-hellochaos-request"
	// HeaderTries names a call by the calls and the attempt counts on the way to it (CallOf), outermost first: "1.3", or
	// "1:2" for the third call of the first try. Without it a call of a retried caller, or another call of the same try,
	// would meet the same draws again.
	HeaderTries = "x-hellochaos-tries"
	// HeaderPins says which tries of a request fail or hang, for requests that must meet one certain case: pins joined by
	// commas, each the path of a try, in which "*" is any attempt count, and "=fail" or "=hang": "0.1=fail,0.2=hang". With
	// it nothing is drawn: a try that no pin is for does neither.
	HeaderPins = "x-hellochaos-pins"
	// HeaderTrail marks an answer whose JSON body is a Hop; its value is the version of that form, Form.
	HeaderTrail = "x-hellochaos-trail"
	// HeaderAttempt is Envoy's count of the tries of a call, 1 for the first. It is absent when no proxy sent the
	// request.
	HeaderAttempt = "x-envoy-attempt-count"
	// HeaderExpected is how many milliseconds Envoy still waits for a try's answer: the per-try timeout, or what is left
	// of the route's where that is less (source/common/router/router.cc, FilterUtility::setTimeoutHeaders). It is absent
	// when there is no timeout.
	HeaderExpected = "x-envoy-expected-rq-timeout-ms"
)

// Form is the version of the JSON form that Append writes and Decode reads, as HeaderTrail names it, and of the draws
// (Draw, Tries). Form 1 had one call for each hop.
const Form = "2"

// Values of HeaderCascade.
const (
	Absorb    = "absorb"
	Propagate = "propagate"
)

// DefaultHang is how long a hanging try waits when nothing else is configured. It is longer than the per-try timeout of
// the stages, 2 s, so that a hang is always cut there.
const DefaultHang = 3 * time.Second

// Names of the metrics in which a service counts the tries that it received.
const (
	// MetricTries is a counter with the labels service, version, attempt (0 to 100; 0 without HeaderAttempt) and code:
	// the HTTP status answered, CodeCut or CodeBroken.
	MetricTries = "hellochaos_tries_total"
	// MetricInFlight is a gauge of the tries that are not yet ended, with the labels service and version. A try is
	// counted before it leaves the gauge.
	MetricInFlight = "hellochaos_tries_in_flight"
	// MetricDuration is a histogram of the seconds from reading a try to its answer, with the labels service and version.
	MetricDuration = "hellochaos_try_duration_seconds"
	// MetricForm is a gauge of value 1 with the label form: the version of draws and trail by which the service answers,
	// Form. Whoever knows another one would expect other things of each request.
	MetricForm = "hellochaos_trail_form"
	// CodeCut stands for a try whose caller went away before the answer, as a per-try timeout makes it, and for one that
	// took the whole time that HeaderExpected gave it: its caller's timer began earlier and is over as well.
	CodeCut = 499
	// CodeBroken stands for a try whose connection the service broke without an answer.
	CodeBroken = 0
)

// Hop is what one service says about one try that it answered.
type Hop struct {
	// Service and Version name the workload: "middleware", "canary".
	Service string `json:"service"`
	Version string `json:"version"`
	// Status is the HTTP status that the service answered with.
	Status int `json:"status"`
	// Attempt is the attempt count that the try carried; 0 when there was none (no proxy in front).
	Attempt int `json:"attempt"`
	// Elapsed is the service's own time from reading the request to writing the answer.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Calls are the calls that the service made for the try, in the order of its configuration, whether they were made in
	// turn or side by side. There are none when the service calls nobody or when the try failed at once; there are fewer
	// than configured when a failed call ended the try (Propagate).
	Calls []Call `json:"calls,omitempty"`
}

// Call is a logical request of one hop to the next, as its caller saw it: all tries that the mesh made are inside.
type Call struct {
	// Number counts the calls of a try's configuration from 0; CallOf names the call by it.
	Number int `json:"number,omitempty"`
	// URL is the upstream's address as configured, "http://middleware/".
	URL string `json:"url"`
	// Status is what the mesh answered; 0 when there was no answer, and then Error says why.
	Status int    `json:"status"`
	Error  string `json:"error,omitempty"`
	// Elapsed is the caller's time from sending the call to having read its answer.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Body is the beginning of an answer that carries no trail (the clock's, or a proxy's own); at most 256 bytes.
	Body string `json:"body,omitempty"`
	// Hop is the upstream's own word; nil when the answer carried none.
	Hop *Hop `json:"hop,omitempty"`
}

// Failed reports whether the call failed: no answer, or a status of 500 or more.
func (c *Call) Failed() bool { return failed(c.Status) }

func failed(status int) bool { return status == 0 || status >= 500 }
