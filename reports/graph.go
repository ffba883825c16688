package reports

// Edge is the calls of one service to one version of the next, in one phase: an arrow of the service graph. Calls and
// failures are as the caller saw them and delivered answers tell, with all retries inside; tries are as the called service
// counted them itself, those of calls that no answer tells of included.
type Edge struct {
	// From is "edge" for the load generator, or a service; To is a service, or "clock".
	From string `json:"from"`
	To   string `json:"to"`
	// Version is the version that answered; empty: the answer was not that of a version (a proxy's own, or none at all), or
	// the called service has no versions (the clock).
	Version string `json:"version,omitempty"`
	Calls   int64  `json:"calls"`
	Failed  int64  `json:"failed"`
	// Tries received by the version during the phase, and how many of them it answered with 5xx; absent where the service
	// does not count, where its counts are lost, and where more than one service calls the version.
	Tries       *int64 `json:"tries,omitempty"`
	FailedTries *int64 `json:"failed_tries,omitempty"`
}
