package v1

// Distribution is the latencies at the edge of those requests of a phase that had one outcome and one number of tries, in bins of
// a logarithmic histogram that are less than 1 % wide.
type Distribution struct {
	Outcome string `json:"outcome" jsonschema:"enum=ok,enum=failed"`
	// Tries is the number of tries of the first hop that the answer reports. It is 0 where no proxy was before that hop, or the
	// answer reports no tries.
	Tries int   `json:"tries"`
	Bins  []Bin `json:"bins"`
}
