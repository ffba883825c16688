// Package reports holds the one schema of a run's report and its renderers. It knows what was measured and decided, and
// how to say it; it must not know how any of it was sent, applied or judged, so that a saved report can be read,
// rendered and compared without load or cluster code.
package reports

import (
	"time"

	"github.com/hellochaos/hellochaos/stats"
)

// SchemaVersion is the version of the form of report.json: a reader that knows its major number can read it.
const SchemaVersion = "1.2"

// Report is one run. Every rate is a number of requests a second, every time is in seconds, every share is in [0,1].
type Report struct {
	Schema  string    `json:"schema"`
	Tool    Tool      `json:"tool"`
	Command []string  `json:"command"`
	Started time.Time `json:"started"`
	Elapsed float64   `json:"elapsed_seconds"`
	Target  Target    `json:"target"`
	// Settings are what the run was asked for, as they took effect.
	Settings Settings `json:"settings"`
	Verdict  Verdict  `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Summary is the verdict in one sentence.
	Summary string  `json:"summary"`
	Aborted bool    `json:"aborted"`
	Stages  []Stage `json:"stages"`
	// Links lead to dashboards and traces of the run; Remarks are what went wrong beside it and took nothing away from it: a
	// Grafana that refused, a collector that was down.
	Links   []Link   `json:"links,omitempty"`
	Remarks []string `json:"remarks,omitempty"`
	// Restored says how the target was put back; Error what went wrong in the target or the tool, if anything.
	Restored string `json:"restored" jsonschema:"enum=restored,enum=not restored"`
	// Restoration is what was put back; none where the target needed nothing.
	Restoration *Restoration `json:"restoration,omitempty"`
	Error       string       `json:"error,omitempty"`
}

// Tool is the program that made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
	// Processors is how many the program could use.
	Processors int `json:"processors,omitempty"`
}

// Target is what was tested.
type Target struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
	// Versions are those of what was tested, by name: "istio", "kubernetes".
	Versions map[string]string `json:"versions,omitempty"`
	// Deviation is what the target was told to do wrong on purpose; it is shown, and no verdict looks at it.
	Deviation string `json:"deviation,omitempty"`
}

// Restoration is how a target was put back, as far as it was.
type Restoration struct {
	Objects int    `json:"objects"` // that were read back as they were before
	Detail  string `json:"detail,omitempty"`
	// Problem says what was not put back, why, and what to type.
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
	// AlphaEarly and AlphaFinal are the error rates of the confidence sequence and of the final interval.
	AlphaEarly float64 `json:"alpha_early"`
	AlphaFinal float64 `json:"alpha_final"`
	// Rate is the requests a second that the user asked for; 0: as each phase planned it.
	Rate float64 `json:"rate,omitempty"`
	// ManifestsHash is the SHA-256, in hexadecimal digits, of all objects that the run's phases applied, in their order.
	ManifestsHash string `json:"manifests_hash,omitempty"`
	// Manifests is the folder that replaced bundled stages; empty: all bundled.
	Manifests string `json:"manifests,omitempty"`
}

// Stage is one policy, measured before and after it was applied.
type Stage struct {
	Name    string  `json:"name"`
	Title   string  `json:"title"`
	Verdict Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	Phases  []Phase `json:"phases,omitempty"`
	Checks  []Check `json:"checks,omitempty"`
	// Amplification is reported, not judged.
	Amplification []Amplification `json:"amplification,omitempty"`
	// Policies are the retry policies in force after the stage, hop by hop.
	Policies []Policy `json:"policies,omitempty"`
	// Manifests are the objects that the stage itself applied, as they were applied.
	Manifests []Manifest `json:"manifests,omitempty"`
	// PromiseBroken: the manifests themselves do not imply what the tutorial promises of the stage; Words say why.
	PromiseBroken bool `json:"promise_broken,omitempty"`
	// Words say what happened and why, from this report alone.
	Words []string `json:"words,omitempty"`
}

// Phase is one attack: before or after the stage was applied.
type Phase struct {
	Name  string `json:"name"`
	Entry string `json:"entry"`
	// Started is when the first request was due; zero: none was. The stage took effect before that, after Applied seconds.
	Started time.Time `json:"started,omitzero"`
	// Way is how the entry was found: "loopback", "load balancer 203.0.113.7:80".
	Way string `json:"way,omitempty"`
	// Applied is how long the target took until new requests obeyed the phase's objects.
	Applied  float64 `json:"applied_seconds"`
	Elapsed  float64 `json:"elapsed_seconds"`
	Planned  int     `json:"planned_requests"`
	Sent     int     `json:"sent_requests"`
	Observed int     `json:"observed_requests"`
	Unsent   int     `json:"unsent_requests"`
	// PlannedRate and AchievedRate are requests a second; the lag is start minus planned start.
	PlannedRate  float64 `json:"planned_rate"`
	AchievedRate float64 `json:"achieved_rate"`
	LagMedian    float64 `json:"lag_median_seconds"`
	LagP99       float64 `json:"lag_p99_seconds"`
	// Stopped: every check was decided before the planned number was sent.
	Stopped bool `json:"stopped_early"`
	// GeneratorLimited: the generator could not keep its schedule, so nothing is judged. Late: hits started late, so no
	// latency is judged.
	GeneratorLimited bool     `json:"generator_limited"`
	Late             bool     `json:"late"`
	Warnings         []string `json:"warnings,omitempty"`
	// Incidents are what others did to the target meanwhile; Replaced: pods were among it, so nothing is judged.
	Incidents []string `json:"incidents,omitempty"`
	Replaced  bool     `json:"replaced,omitempty"`
	// Compared says what other sources of the services' counters say of the same tries where they agree, or why there are none:
	// "Envoy's statistics: backend 495 of 495".
	Compared []string `json:"compared,omitempty"`
	// Latency has the quantiles of delivered answers at the edge, good and failed ones apart; Seconds all of them, by the
	// second of the phase for which they were planned.
	Latency []Latency `json:"latency,omitempty"`
	Seconds []Second  `json:"seconds,omitempty"`
	// Distributions are all latencies of the phase, apart by outcome and number of tries.
	Distributions []Distribution `json:"distributions,omitempty"`
	// Edges are the service graph; Samples the requests of which each try is told.
	Edges   []Edge   `json:"edges,omitempty"`
	Samples []Sample `json:"samples,omitempty"`
}

// Second is the latencies of one second of a phase, from 0, in bins of a logarithmic histogram (better than 1 %).
type Second struct {
	Number int   `json:"number"`
	OK     []Bin `json:"ok,omitempty"`
	Failed []Bin `json:"failed,omitempty"`
}

// Bin is a bin's lowest latency in microseconds and how many requests fell into it. A request that timed out is in the
// highest bin.
type Bin [2]int64

// Latency is one quantile of the edge's latencies of one outcome ("ok" or "failed"), of all requests or of those with one
// number of tries.
type Latency struct {
	Outcome  string          `json:"outcome"`
	Tries    int             `json:"tries,omitempty"` // of the frontend, at the gateway; 0: all together
	Quantile float64         `json:"quantile"`
	Value    float64         `json:"value_seconds"`
	Interval *stats.Interval `json:"interval_seconds,omitempty"` // none: n is too small for one
	N        int64           `json:"n"`
}

// Kind is how a check is judged.
type Kind string

const (
	// Proportion: a share of trials, judged by tolerance band and interval.
	Proportion Kind = "proportion"
	// Exact: a share that must be 0 or 1; one violation fails.
	Exact Kind = "exact"
	// Ledger: every retryable failure is followed by exactly one more try, up to the policy's limit.
	Ledger Kind = "ledger"
	// Median: a median with an order-statistic interval, judged by a band of ratios.
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
	Measured  *float64        `json:"measured,omitempty"` // none: no data
	Interval  *stats.Interval `json:"interval,omitempty"`
	// K of N trials had the property; for a ledger: K retries were seen of N that the failures call for; for a median
	// N is the number of values.
	K int64 `json:"k"`
	N int64 `json:"n"`
	// Detects is the smallest deviation from the prediction that this check would catch with 90 % power.
	Detects *float64 `json:"detects,omitempty"`
	// Violations of an exact check or a ledger, and the first of their request numbers.
	Violations int64   `json:"violations"`
	First      []int   `json:"first_violations,omitempty"`
	Attempts   []Tries `json:"attempts,omitempty"`
	Verdict    Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Note says what a reader must know beside the number: why there is no verdict, how many requests are missing.
	Note string `json:"note,omitempty"`
}

// Tries is one line of a retry ledger: how many tries carried this attempt count, and how many of them the policy
// sends again.
type Tries struct {
	Attempt   int   `json:"attempt"`
	Received  int64 `json:"received"`
	Retryable int64 `json:"retryable"`
}

// Amplification is the tries that a hop received per edge request.
type Amplification struct {
	Hop    string  `json:"hop"`
	Before *Factor `json:"before,omitempty"`
	After  *Factor `json:"after,omitempty"`
}

// Factor is a predicted and a measured number of tries per edge request.
type Factor struct {
	Predicted float64 `json:"predicted"`
	Measured  float64 `json:"measured"`
	Tries     int64   `json:"tries"`
	Requests  int64   `json:"requests"`
}

// Policy is how the calls to a hop are retried.
type Policy struct {
	Hop string `json:"hop"`
	// Rule names the manifest's rule; "no proxy" when the callers are outside the mesh.
	Rule      string  `json:"rule"`
	Retries   int     `json:"retries"`
	RetryOn   string  `json:"retry_on"`
	Covers500 bool    `json:"covers_500"`
	PerTry    float64 `json:"per_try_timeout_seconds"`
	// Aborts is the share of the calls that a fault aborts before any try; Answer the status that the proxy gives to every call
	// itself, because no service can be reached.
	Aborts float64 `json:"aborts,omitempty"`
	Answer int     `json:"answer,omitempty"`
}
