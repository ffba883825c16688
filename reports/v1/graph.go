package v1

// Edge is the calls of one service to one version of another, in one phase: an arrow of the service graph. Calls and failed calls
// are those that answers at the edge report; a call with all its retries counts once, as its caller saw it. Tries are those that the
// called service counted itself, including tries of calls that no answer reports.
type Edge struct {
	// From is a service, or "edge" for the load generator. To is a service, or "clock".
	From string `json:"from"`
	To   string `json:"to"`
	// Version is the version that answered. It is empty where no version answered (a proxy did, or there was no answer), and where
	// the called service has no versions (the clock).
	Version string `json:"version,omitempty"`
	Calls   int64  `json:"calls"`
	Failed  int64  `json:"failed"`
	// Tries is the number of tries that the version received during the phase, FailedTries how many of them it answered with 5xx.
	// They are absent where the service does not count tries, where its counts are lost, and where several services call the version.
	Tries       *int64 `json:"tries,omitempty"`
	FailedTries *int64 `json:"failed_tries,omitempty"`
}
