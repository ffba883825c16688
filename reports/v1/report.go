// Package v1 has the types of a report of schema 1.0 to 1.2, so that reports that were saved with them are still read. It knows their
// form alone. Package reports makes reports of today's schema of them; nothing else may use the package.
package v1

import (
	"time"

	"github.com/hellochaos/hellochaos/stats"
)

// SchemaVersion is the last version of schema 1.
const SchemaVersion = "1.2"

// Report is one run. Every rate is a number of requests a second, every time is in seconds, every share is in [0,1].
type Report struct {
	Schema  string    `json:"schema"`
	Tool    Tool      `json:"tool"`
	Command []string  `json:"command"`
	Started time.Time `json:"started"`
	Elapsed float64   `json:"elapsed_seconds"`
	Target  Target    `json:"target"`
	// Settings are the parameters of the run as they took effect.
	Settings Settings `json:"settings"`
	Verdict  Verdict  `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Summary is the verdict in one sentence.
	Summary string  `json:"summary"`
	Aborted bool    `json:"aborted"`
	Stages  []Stage `json:"stages"`
	// Links lead to dashboards and traces of the run. Remarks report what went wrong without changing any result of the run: a
	// Grafana that refused a request, a collector that did not answer.
	Links   []Link   `json:"links,omitempty"`
	Remarks []string `json:"remarks,omitempty"`
	// Restored reports whether the target was put back as it was. Error reports what went wrong in the target or in hellochaos.
	Restored string `json:"restored" jsonschema:"enum=restored,enum=not restored"`
	// Restoration reports what was put back. It is absent where nothing had to be put back.
	Restoration *Restoration `json:"restoration,omitempty"`
	Error       string       `json:"error,omitempty"`
}

// Verdict is the result of a check, a stage or a run.
type Verdict string

// Tool is the program that made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
	// Processors is the number of processors that the program could use.
	Processors int `json:"processors,omitempty"`
}

// Target is what was tested.
type Target struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
	// Versions are the versions of the software that was tested, by its name: "istio", "kubernetes".
	Versions map[string]string `json:"versions,omitempty"`
	// Deviation names what the target does wrong on purpose (--break). Reports show it; no verdict depends on it.
	Deviation string `json:"deviation,omitempty"`
}

// Restoration reports how a target was put back, and what was not put back.
type Restoration struct {
	Objects int    `json:"objects"` // how many objects were read back and found to be as they were before the run
	Detail  string `json:"detail,omitempty"`
	// Problem reports what was not put back, why, and which command the user can type. It is empty where all was put back.
	Problem string  `json:"problem,omitempty"`
	Elapsed float64 `json:"elapsed_seconds"`
}

// Settings are a run's parameters.
type Settings struct {
	Seed         uint64  `json:"seed"`
	Fail         float64 `json:"fail"`
	Hang         float64 `json:"hang"`
	Cascade      string  `json:"cascade"`
	CanaryWeight int     `json:"canary_weight"`
	Tolerance    float64 `json:"tolerance"`
	// AlphaEarly is the error probability of the confidence sequence, which may decide a check before all requests are sent.
	// AlphaFinal is that of the interval at the end.
	AlphaEarly float64 `json:"alpha_early"`
	AlphaFinal float64 `json:"alpha_final"`
	// Rate is the number of requests a second that the user chose. It is 0 where each phase planned its own.
	Rate float64 `json:"rate,omitempty"`
	// ManifestsHash is the SHA-256, in hexadecimal digits, of all objects that the run's phases applied, in their order.
	ManifestsHash string `json:"manifests_hash,omitempty"`
	// Manifests is the folder whose manifests replaced those of bundled stages. It is empty where all are bundled.
	Manifests string `json:"manifests,omitempty"`
}

// Stage is one policy, measured before and after it was applied.
type Stage struct {
	Name    string  `json:"name"`
	Title   string  `json:"title"`
	Verdict Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	Phases  []Phase `json:"phases,omitempty"`
	Checks  []Check `json:"checks,omitempty"`
	// Amplification is reported; no verdict depends on it.
	Amplification []Amplification `json:"amplification,omitempty"`
	// Policies are the retry policies in force after the stage, hop by hop.
	Policies []Policy `json:"policies,omitempty"`
	// Manifests are the objects that the stage itself applied, as they were applied.
	Manifests []Manifest `json:"manifests,omitempty"`
	// PromiseBroken is true where the manifests themselves predict something else than the tutorial promises. Words report why.
	PromiseBroken bool `json:"promise_broken,omitempty"`
	// Words are sentences that report what happened and why. They follow from the numbers of this report alone.
	Words []string `json:"words,omitempty"`
}

// Phase is one series of requests: before or after the stage was applied.
type Phase struct {
	Name  string `json:"name"`
	Entry string `json:"entry"`
	// Started is the time at which the first request was due. It is absent where no request was due.
	Started time.Time `json:"started,omitzero"`
	// Way is the way by which requests reached the entry: "loopback", "load balancer 203.0.113.7:80".
	Way string `json:"way,omitempty"`
	// Applied is how long the target took until new requests obeyed the phase's objects. Requests were sent after that.
	Applied  float64 `json:"applied_seconds"`
	Elapsed  float64 `json:"elapsed_seconds"`
	Planned  int     `json:"planned_requests"`
	Sent     int     `json:"sent_requests"`
	Observed int     `json:"observed_requests"`
	Unsent   int     `json:"unsent_requests"`
	// PlannedRate and AchievedRate are requests a second. The lag of a request is the time at which it was sent minus the time at
	// which it was due.
	PlannedRate  float64 `json:"planned_rate"`
	AchievedRate float64 `json:"achieved_rate"`
	LagMedian    float64 `json:"lag_median_seconds"`
	LagP99       float64 `json:"lag_p99_seconds"`
	// Stopped is true where every check was decided before the planned number of requests was sent.
	Stopped bool `json:"stopped_early"`
	// GeneratorLimited is true where the load generator could not keep its schedule, so that no check of the phase has a verdict.
	// Late is true where requests were sent late, so that no check of times has a verdict.
	GeneratorLimited bool     `json:"generator_limited"`
	Late             bool     `json:"late"`
	Warnings         []string `json:"warnings,omitempty"`
	// Incidents report what others changed at the target during the phase. Replaced is true where pods were replaced, so that no
	// check of the phase has a verdict.
	Incidents []string `json:"incidents,omitempty"`
	Replaced  bool     `json:"replaced,omitempty"`
	// Compared lists other sources that count the same tries as the services do, where they agree, or why there is no such source:
	// "Envoy's statistics: backend 495 of 495".
	Compared []string `json:"compared,omitempty"`
	// Latency has the quantiles of the latencies at the edge, separately for good and for failed answers. Seconds has all
	// latencies, by the second of the phase for which the request was planned.
	Latency []Latency `json:"latency,omitempty"`
	Seconds []Second  `json:"seconds,omitempty"`
	// Distributions are all latencies of the phase, separately for each outcome and number of tries.
	Distributions []Distribution `json:"distributions,omitempty"`
	// Edges are the arrows of the service graph. Samples are requests with every try that was recorded of them.
	Edges   []Edge   `json:"edges,omitempty"`
	Samples []Sample `json:"samples,omitempty"`
}

// Second is the latencies of one second of a phase, in bins of a logarithmic histogram that are less than 1 % wide. The first
// second is number 0.
type Second struct {
	Number int   `json:"number"`
	OK     []Bin `json:"ok,omitempty"`
	Failed []Bin `json:"failed,omitempty"`
}

// Bin is the lowest latency of a bin in microseconds, and the number of requests in the bin. A request that timed out is in
// the highest bin.
type Bin [2]int64

// Latency is one quantile of the edge's latencies of one outcome ("ok" or "failed"), of all requests or of those with one
// number of tries.
type Latency struct {
	Outcome  string          `json:"outcome"`
	Tries    int             `json:"tries,omitempty"` // tries of the frontend, which the gateway sent; 0 for any number of tries
	Quantile float64         `json:"quantile"`
	Value    float64         `json:"value_seconds"`
	Interval *stats.Interval `json:"interval_seconds,omitempty"` // absent where n is too small
	N        int64           `json:"n"`
}

// Kind is how a check is judged.
type Kind string

const (
	// Proportion is a share of trials. The check passes where its interval lies in the band of tolerance, and fails where the two
	// do not overlap.
	Proportion Kind = "proportion"
	// Exact is a share that must be 0 or 1. One violation fails the check.
	Exact Kind = "exact"
	// Ledger counts tries at the called service: each failure that the policy retries must be followed by exactly one more try,
	// up to the policy's limit.
	Ledger Kind = "ledger"
	// Median is the median of times, with an interval from order statistics, in a band of ratios to the prediction.
	Median Kind = "median"
)

// Check is one number of a stage, before and after.
type Check struct {
	Name    string       `json:"name"`
	Kind    Kind         `json:"kind" jsonschema:"enum=proportion,enum=exact,enum=ledger,enum=median"`
	Unit    string       `json:"unit"` // "share", "retries", "seconds"
	Hop     string       `json:"hop,omitempty"`
	Cohort  string       `json:"cohort,omitempty"`
	Before  *Measurement `json:"before,omitempty"`
	After   *Measurement `json:"after,omitempty"`
	Verdict Verdict      `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
}

// Measurement is a check's number in one phase.
type Measurement struct {
	Predicted float64         `json:"predicted"`
	Band      stats.Interval  `json:"band"`
	Measured  *float64        `json:"measured,omitempty"` // absent where there are no data
	Interval  *stats.Interval `json:"interval,omitempty"`
	// K of N trials had the property. Of a ledger, the services counted K retries, and the failures call for N. Of a median, N is
	// the number of values.
	K int64 `json:"k"`
	N int64 `json:"n"`
	// Detects is the smallest deviation from the prediction that this check would catch with 90 % power.
	Detects *float64 `json:"detects,omitempty"`
	// Violations are the number of violations of an exact check or a ledger, and First the numbers of the first requests with one.
	Violations int64   `json:"violations"`
	First      []int   `json:"first_violations,omitempty"`
	Attempts   []Tries `json:"attempts,omitempty"`
	Verdict    Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Note is what a reader must know beside the number: why there is no verdict, how many requests are missing.
	Note string `json:"note,omitempty"`
}

// Tries is one line of a retry ledger: how many tries with this attempt count the service received, and how many of them failed
// in a way that the policy retries.
type Tries struct {
	Attempt   int   `json:"attempt"`
	Received  int64 `json:"received"`
	Retryable int64 `json:"retryable"`
}

// Amplification is the number of tries that a hop received for each request at the edge.
type Amplification struct {
	Hop    string  `json:"hop"`
	Before *Factor `json:"before,omitempty"`
	After  *Factor `json:"after,omitempty"`
}

// Factor is the predicted and the measured number of tries for each request at the edge.
type Factor struct {
	Predicted float64 `json:"predicted"`
	Measured  float64 `json:"measured"`
	Tries     int64   `json:"tries"`
	Requests  int64   `json:"requests"`
}

// Policy is the retry policy for the calls to a hop.
type Policy struct {
	Hop string `json:"hop"`
	// Rule names the rule of a manifest. It is "no proxy" where the callers are outside the mesh.
	Rule      string  `json:"rule"`
	Retries   int     `json:"retries"`
	RetryOn   string  `json:"retry_on"`
	Covers500 bool    `json:"covers_500"`
	PerTry    float64 `json:"per_try_timeout_seconds"`
	// Aborts is the share of the calls that a fault aborts before any try. Answer is the status with which the proxy itself answers
	// every call, because no service can be reached.
	Aborts float64 `json:"aborts,omitempty"`
	Answer int     `json:"answer,omitempty"`
}
