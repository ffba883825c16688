package reports

// Sample is one request of a phase with every try that the services recorded of it: what a waterfall is drawn from.
type Sample struct {
	// Why it was chosen: "slowest", "failed" (at the edge, or where none did, with a failed hop), "most tries"; or several, joined by ", ".
	Why string `json:"why"`
	// Request is its number in planned order, from 0; Name what the services knew it by ("seed/stage-phase/number").
	Request int    `json:"request"`
	Name    string `json:"name"`
	Cohort  string `json:"cohort,omitempty"`
	// Trace is the id that the mesh's own tracing knows the request by, where its tracer reads B3 headers and sampled it: 32
	// hexadecimal digits; empty: it carried none.
	Trace string `json:"trace,omitempty"`
	// Started is when the request was sent, in seconds since the phase's Started.
	Started float64 `json:"started_seconds"`
	Latency float64 `json:"latency_seconds"`
	Status  int     `json:"status"` // at the edge; 0: no whole answer
	Spans   []Span  `json:"spans"`  // callers before what they called, tries of a call in order
	// Missing says which spans are known to have existed and were not recorded, which may be lost, and where the recorders'
	// clocks contradict each other; empty: nothing of that.
	Missing string `json:"missing,omitempty"`
}

// Span is one try as the service that received it recorded it, or the request itself as the load generator recorded it.
// Nothing in it is computed from other spans.
type Span struct {
	// Service and Version name who received the try; the load generator's own span is "edge".
	Service string `json:"service"`
	Version string `json:"version,omitempty"`
	// Parent is the index in Spans of the try (or of the edge) that caused this one, or, where that was not recorded and
	// Missing says so, of the nearest one above it that was; -1 for the edge's own.
	Parent int `json:"parent"`
	// Attempt is the attempt count that the try carried; 0: none, so no proxy was on the way.
	Attempt int `json:"attempt"`
	// Start is seconds since the edge's span began, by the recorder's own clock; Elapsed is seconds.
	Start   float64 `json:"start_seconds"`
	Elapsed float64 `json:"elapsed_seconds"`
	// Status is what was answered; 499: the caller went away first, 0: the connection was broken.
	Status int `json:"status"`
	// CallStart and CallElapsed are the time in which the try waited for its own calls, from the beginning of the first one to
	// the end of the last one, with all tries and waits inside: seconds since the edge's span began, and seconds. CallStatus is
	// what the first call that failed came to, or the first call where none failed, 0 for no answer. They are absent where the
	// try made no call.
	CallStart   *float64 `json:"call_start_seconds,omitempty"`
	CallElapsed *float64 `json:"call_elapsed_seconds,omitempty"`
	CallStatus  *int     `json:"call_status,omitempty"`
}
