// Package stats holds the pure functions behind every verdict: intervals, sequential tests, quantiles, tests of whole
// distributions, the planning of sample sizes, and differences between two runs, paired and not, each with its source. It
// knows numbers only: nothing of requests, meshes or reports.
//
// A count is always k of n: k observations of the kind that is judged among n independent ones. A prediction is a
// probability, a tolerance the distance from it that is still accepted, and alpha the two-sided error probability of an
// interval. The verdict rule that all of it serves is equivalence testing (Schuirmann, "A comparison of the two
// one-sided tests procedure and the power approach", J. Pharmacokinet. Biopharm. 15, 1987): an interval inside the band
// of tolerance passes, one disjoint from it fails, anything else is inconclusive. Where it is known of each observation what
// it must be, there is no estimate, only the share of deviating ones that is excluded by those that did not deviate
// (ZeroFailureBound, ZeroFailureTrials).
//
// The functions panic where an argument can only be a mistake of the caller: k outside 0..n, or an error probability
// outside (0, 1). Everything else has a defined answer, and none of them is NaN.
package stats
