package reports

// Sample is one request of a phase with every try that the services recorded of it. Reports draw it as a waterfall.
type Sample struct {
	// Why is the reason for which the request was chosen: "slowest", "failed" (at the edge, or at a hop where no request failed at the
	// edge), "most tries", "deviated" (the first request of a kind of mismatch), or several of them, joined by ", ".
	Why string `json:"why"`
	// Request is its number in the planned order, from 0. Name is the id by which the services knew it ("seed/stage-phase/number").
	Request int    `json:"request"`
	Name    string `json:"name"`
	Cohort  string `json:"cohort,omitempty"`
	// Trace is the trace id that the request carried in its B3 headers, as 32 hexadecimal digits. The mesh's own tracing knows the
	// request by this id, where its tracer reads B3 headers and sampled the request. It is empty where the request carried none.
	Trace string `json:"trace,omitempty"`
	// Started is when the request was sent, in seconds since the phase's Started.
	Started float64 `json:"started_seconds"`
	Latency float64 `json:"latency_seconds"`
	Status  int     `json:"status"` // the status at the edge; 0 where no whole answer arrived
	Spans   []Span  `json:"spans"`  // callers before what they called, tries of a call in order
	// Missing reports which spans existed but were not recorded, which may be lost, and where the clocks of two services contradict
	// each other. It is empty where nothing is missing.
	Missing string `json:"missing,omitempty"`
}

// Span is one try as the service that received it recorded it, or the request itself as the load generator recorded it.
// Nothing in it is computed from other spans.
type Span struct {
	// Service and Version name the service that received the try. The load generator's own span has the service "edge".
	Service string `json:"service"`
	Version string `json:"version,omitempty"`
	// Parent is the index in Spans of the try, or of the edge, that caused this one. Where that try was not recorded, which Missing
	// reports, it is the index of the nearest recorded caller above it. The edge's own span has -1.
	Parent int `json:"parent"`
	// Attempt is the attempt count that a proxy wrote on the try, from 1. It is 0 where no proxy was on the way.
	Attempt int `json:"attempt"`
	// Start is the time since the edge's span began, by the clock of the service that recorded the try. Both are in seconds.
	Start   float64 `json:"start_seconds"`
	Elapsed float64 `json:"elapsed_seconds"`
	// Status is the status of the answer. It is 499 where the caller closed the connection first, 0 where the connection was broken.
	Status int `json:"status"`
	// CallStart and CallElapsed are the time in which the try waited for its own calls, from the beginning of the first call to the end
	// of the last one, including all tries and the waits between them: seconds since the edge's span began, and seconds. CallStatus is
	// the status of the first call that failed, or of the first call where none failed, and 0 without an answer. The three are absent
	// where the try made no call.
	CallStart   *float64 `json:"call_start_seconds,omitempty"`
	CallElapsed *float64 `json:"call_elapsed_seconds,omitempty"`
	CallStatus  *int     `json:"call_status,omitempty"`
}
