// Package stats holds the pure functions behind every verdict: intervals, sequential tests, quantiles, tests of whole
// distributions, how many observations a test needs, and differences between two runs, paired and not, each with its source. It
// knows numbers only: nothing of requests, meshes or reports.
//
// A count is always k of n: of n independent observations, k are of the kind that is judged. Alpha is the two-sided error
// probability of an interval, and risk that of a verdict. Where each single observation has a known correct value, nothing is
// estimated: the observations that did not deviate exclude that more than a certain share would deviate (ZeroFailureBound,
// ZeroFailureTrials).
//
// The functions panic when an argument can only be a mistake of the caller: k outside 0..n, or an error probability
// outside (0, 1). For all other arguments the result is defined and is never NaN.
package stats
