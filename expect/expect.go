// Package expect holds what a user wants of a system under test, as against what its manifests say: "edge fails <= 0.01". It knows the
// language of such expectations, and how a predicted and a measured number are held against one. It must not know reports, meshes, or where
// the numbers come from. It imports no other package of hellochaos but spelling and stats.
package expect

// Kind is what an expectation is about.
type Kind int

// The kinds. Each has the form that is given here.
const (
	// EdgeFails is the share of the natural requests that fail at the edge: "edge fails <= 0.01".
	EdgeFails Kind = iota
	// AnyFails is the share of the natural requests in which a service fails: "any fails <= 0.1".
	AnyFails
	// Fails is the share of the calls to a service that fail: "reviews fails <= 0.05".
	Fails
	// Share is the share of the calls to a service that go to a version: "reviews v3 share = 0.2 ± 0.05".
	Share
	// Tries is how many tries a service receives for each request: "ratings tries per request <= 2".
	Tries
	// WorstTries is the most tries that one request can lead to at a service, or at any: "worst case tries <= 16".
	WorstTries
	// Latency is a quantile of the latency of good answers, in seconds: "p99 <= 250ms".
	Latency
	// Reaches is the share of the calls of some requests that go to a version, which must be all: "jason reaches reviews v2".
	Reaches
	// Errors is the share of the requests of an attack that get no good answer: "errors <= 0.5%".
	Errors
	// Rate is how many good answers an attack gets a second: "rate >= 990/s".
	Rate
	// Statuses is the share of the requests of an attack that are answered with a status, or one of a class: "5xx <= 0.1%".
	Statuses
)

// Expectation is one thing that a user wants.
type Expectation struct {
	// Text is what was written, without the blanks around it.
	Text string
	// Place is what messages call the place where it was written: "--expect", or "shop.yaml:9: Scenario shop: expect[0]:". Parse leaves it
	// empty.
	Place string
	// Phase is the phase that it is about; empty: the last one of a run, or all of an attack.
	Phase string
	// Target is what the requests of an attack go to that it is about, and Status is that of Statuses: "404" or "5xx". Empty: all, and none.
	Target, Status string
	Kind           Kind
	// Service is the service that is called, Version the version of it that answers, and Requests what the requests are called of which
	// Reaches speaks, and to which Share and Fails may be restricted. They are empty where the kind has none, and where none was named.
	Service, Version, Requests string
	// Quantile is the quantile of Latency, in (0, 1).
	Quantile float64
	// Band are the numbers that are accepted: shares in [0, 1], tries, or seconds.
	Band Band
}
