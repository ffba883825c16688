package reports

// Distribution is the latencies at the edge of one phase's requests with one outcome and one number of tries, in bins of a
// logarithmic histogram (better than 1 %).
type Distribution struct {
	Outcome string `json:"outcome" jsonschema:"enum=ok,enum=failed"`
	// Tries of the first hop that the delivered answer tells of; 0: no proxy was before it, or there was no trail.
	Tries int   `json:"tries"`
	Bins  []Bin `json:"bins"`
}
