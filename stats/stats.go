// Package stats holds the pure functions behind every verdict: intervals, sequential tests, quantiles, tests of whole
// distributions, the planning of sample sizes, and differences between two runs, paired and not, each with its source. It
// knows numbers only: nothing of requests, meshes or reports.
//
// A count is always k of n: of n independent observations, k are of the kind that is judged. A prediction is a probability, a
// tolerance is the distance from it that is still accepted, and alpha is the two-sided error probability of an interval. Verdicts
// follow the rule of equivalence testing (Schuirmann, "A comparison of the two one-sided tests procedure and the power approach",
// J. Pharmacokinet. Biopharm. 15, 1987): an interval inside the band of tolerance passes, one disjoint from it fails, and any
// other is inconclusive. Where each single observation has a known correct value, nothing is estimated: the observations that did
// not deviate exclude that more than a certain share would deviate (ZeroFailureBound, ZeroFailureTrials).
//
// The functions panic when an argument can only be a mistake of the caller: k outside 0..n, or an error probability
// outside (0, 1). For all other arguments the result is defined and is never NaN.
package stats
