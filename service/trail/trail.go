// Package trail defines what requests and answers carry on their way through the services. It has the headers that a stand-in (the
// demo service) obeys and forwards, the draws and pins that decide which tries fail, the trail (a tree of calls) with which it
// answers, as JSON and as the tutorial's page, the names of its metrics, and a way to send a request at most once, without which
// counts would be wrong. Every package may import it. It must know nothing of proxies, manifests, load or statistics.
package trail

import "time"

// Request headers that the demo service obeys, in lower case as Envoy writes them.
const (
	// HeaderFail is the probability that a try fails, a decimal number in [0,1]. Every service makes a new draw for every try.
	HeaderFail = "fail"
	// HeaderHang is the probability that a try hangs, a decimal number in [0,1]. A try that hangs answers only after the hang
	// duration of the service, which is longer than every per-try timeout of the stages.
	HeaderHang = "hang"
	// HeaderCascade says what a service does when its upstream failed: Absorb (the default) or Propagate.
	HeaderCascade = "cascade"
	// HeaderDevUser is the header by which stage canary routes requests.
	HeaderDevUser = "x-dev-user"
	// HeaderRequest is the name of a request of an attack, "seed/phase/number". It makes all draws for the request reproducible.
	// The header x-request-id cannot be used for that, because gateways replace it.
	HeaderRequest = "x-hellochaos-request"
	// HeaderTries names a call by the calls and the attempt counts on the way to it (CallOf), outermost first: "1.3", or "1:2" for
	// the third call of the first try. Without it, the calls of a try that is sent again, and several calls of one try, would all
	// have the same draws.
	HeaderTries = "x-hellochaos-tries"
	// HeaderPins says which tries of a request fail, are answered 503, or hang, for requests that must meet a certain case. It is a list of pins joined
	// by commas, such as "0.1=fail,0.2=hang". A pin is the path of a try, in which "*" is any attempt count, followed by "=fail", "=503" or
	// "=hang". With this header there are no draws: a try without a pin neither fails nor hangs.
	HeaderPins = "x-hellochaos-pins"
	// HeaderPod asks a service to name its pod in the trail (Hop.Pod): pods of one workload are else the same to a reader.
	HeaderPod = "x-hellochaos-pod"
	// HeaderTrail marks an answer whose JSON body is a Hop. Its value is the version of the JSON, Form.
	HeaderTrail = "x-hellochaos-trail"
	// HeaderAttempt is Envoy's count of the tries of a call, 1 for the first. A request that no proxy sent does not have it.
	HeaderAttempt = "x-envoy-attempt-count"
	// HeaderExpected is how many milliseconds Envoy waits for the answer to a try: the per-try timeout, or the rest of the timeout
	// of the route if that is less (source/common/router/router.cc, FilterUtility::setTimeoutHeaders). Without a timeout, a request
	// does not have it.
	HeaderExpected = "x-envoy-expected-rq-timeout-ms"
	// HeaderForwardedFor has the addresses from which proxies got the request. Envoy adds its own to each copy that it sends to a mirror
	// (AsyncStreamImpl::sendHeaders in its async_client_impl.cc), and nothing else tells a copy from the request.
	HeaderForwardedFor = "x-forwarded-for"
	// HeaderCopies says how many addresses HeaderForwardedFor has where the request is no copy, or CopiesBelow where it was made on behalf of
	// a copy. Without it a service takes no request for a copy. A service sends it on with its calls.
	HeaderCopies = "x-hellochaos-copies"
)

// CopiesBelow is the value of HeaderCopies in a request that a service made on behalf of a copy.
const CopiesBelow = "below"

// Values of the label mirrored of MetricTries: whether a try is of a copy that a proxy sent to a mirror, or was made on behalf of one.
const (
	NoCopy    = "no"
	Copy      = "copy"
	BelowCopy = "below"
)

// Form is the version of the JSON that Append writes and Decode reads, and of the draws (Draw, Tries). It is the value of
// HeaderTrail. In version 1 each hop made at most one call, and in version 2 copies for mirrors were counted as other tries.
const Form = "3"

// Values of HeaderCascade.
const (
	Absorb    = "absorb"
	Propagate = "propagate"
)

// DefaultHang is how long a try that hangs waits if nothing else is configured. It is longer than the per-try timeout of the
// stages, 2 s, so that the proxy always cuts the try.
const DefaultHang = 3 * time.Second

// Names of the metrics in which a service counts the tries that it received.
const (
	// MetricTries is a counter with the labels service, version, attempt (0 to 100; 0 without HeaderAttempt), code (the HTTP
	// status answered, CodeCut or CodeBroken) and pinned (true: the request had HeaderPins).
	MetricTries = "hellochaos_tries_total"
	// MetricInFlight is a gauge of the tries that are not yet ended, with the labels service and version. A try is
	// counted before it leaves the gauge.
	MetricInFlight = "hellochaos_tries_in_flight"
	// MetricDuration is a histogram of the seconds from reading a try to its answer, with the labels service and version.
	MetricDuration = "hellochaos_try_duration_seconds"
	// MetricForm is a gauge with the value 1 and the label form, the version Form of the service. A program with another version
	// would predict other outcomes of each request.
	MetricForm = "hellochaos_trail_form"
	// CodeCut is the code of a try whose caller closed the connection before the answer, which a per-try timeout causes. It is also
	// the code of a try that took all the time that HeaderExpected gave it, because the timer of its caller began earlier.
	CodeCut = 499
	// CodeBroken is the code of a try whose connection the service broke without an answer.
	CodeBroken = 0
)

// Hop is the trail of one service for one try that it answered.
type Hop struct {
	// Service and Version name the workload: "middleware", "canary".
	Service string `json:"service"`
	Version string `json:"version"`
	// Status is the HTTP status that the service answered with.
	Status int `json:"status"`
	// Attempt is the attempt count in HeaderAttempt of the try. It is 0 without the header, which means that no proxy sent the try.
	Attempt int `json:"attempt"`
	// Host and Path are what the try asked for, where that tells something: ToldHost of its Host header, and ToldPath of its target.
	// Where a proxy rewrites one of the two, this is what it sent.
	Host string `json:"host,omitempty"`
	Path string `json:"path,omitempty"`
	// Pod is the name of the pod that answered, whose proxy sends the calls below. It is empty outside Kubernetes unless the request asked
	// for it (HeaderPod), and in trails of older services.
	Pod string `json:"pod,omitempty"`
	// Elapsed is the time from when the service had read the request until it wrote the answer.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Calls are the calls that the service made for the try, in the order of its configuration, also if it made some at the same
	// time. There are none if the service makes no calls, or if the try failed at once. There are fewer than configured if a failed
	// call ended the try (Propagate).
	Calls []Call `json:"calls,omitempty"`
}

// Call is a request of one hop to the next, as the caller saw it. It includes all tries that the mesh made for it.
type Call struct {
	// Number is the index of the call in the configuration of the caller, from 0. CallOf uses it to name the call.
	Number int `json:"number,omitempty"`
	// URL is the URL of the call in the configuration, such as "http://middleware/".
	URL string `json:"url"`
	// Status is the HTTP status that the mesh answered. It is 0 if there was no answer, and Error then has the reason.
	Status int    `json:"status"`
	Error  string `json:"error,omitempty"`
	// Elapsed is the time from when the caller sent the call until it had read the answer.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Body is the beginning, at most 256 bytes, of an answer without a trail, such as that of the clock or of a proxy.
	Body string `json:"body,omitempty"`
	// Hop is the trail in the answer, or nil if the answer had none.
	Hop *Hop `json:"hop,omitempty"`
	// Connection is a number of the connection by which the caller sent the call, above 0, and Turn the calls of that connection in their order,
	// from 1: each was sent after the answer of the one before it was read. Both are 0 outside Kubernetes, in trails of older services, and
	// where the call got no connection.
	Connection int `json:"connection,omitempty"`
	Turn       int `json:"turn,omitempty"`
}

// Failed reports whether the call failed: it got no answer, or a status of 500 or more.
func (c *Call) Failed() bool { return failed(c.Status) }

func failed(status int) bool { return status == 0 || status >= 500 }
