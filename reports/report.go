// Package reports holds the one schema of a run's report and its renderers. It knows what was measured and decided, and
// how to say it; it must not know how any of it was sent, applied or judged, so that a saved report can be read,
// rendered and compared without load or cluster code.
package reports

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/hellochaos/hellochaos/stats"
)

// SchemaVersion is the version of the form of report.json: a reader that knows its major number can read it.
const SchemaVersion = "2.0"

// Report is one run. Every rate is a number of requests a second, every time is in seconds, every share is in [0,1].
type Report struct {
	Schema string `json:"schema"`
	// UpgradedFrom is the schema version of the report that this one was made of, where it was of an older form. Such a report
	// lacks what the older form does not have: probes, coverage, mismatches, outcomes.
	UpgradedFrom string    `json:"upgraded_from,omitempty"`
	Tool         Tool      `json:"tool"`
	Command      []string  `json:"command"`
	Started      time.Time `json:"started"`
	Elapsed      float64   `json:"elapsed_seconds"`
	Target       Target    `json:"target"`
	// Scenario is what was run.
	Scenario Scenario `json:"scenario"`
	// Settings are what the run was asked for, as they took effect.
	Settings Settings `json:"settings"`
	Verdict  Verdict  `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Summary is the verdict in one sentence.
	Summary string `json:"summary"`
	Aborted bool   `json:"aborted"`
	// Phases are sets of objects that were in force one after another, each the one before with more applied.
	Phases []Phase `json:"phases"`
	// Changes are what became of calls while the objects of phases were applied and put back; none where the run did not look.
	Changes []Change `json:"changes,omitempty"`
	// Findings are what is wrong with the manifests themselves, whatever the mesh makes of them.
	Findings []Finding `json:"findings,omitempty"`
	// Cases is how many test cases of the user hold ('hellochaos verify --cases'); nil where there are none. Findings (HC301) are about
	// those that do not.
	Cases *Cases `json:"cases,omitempty"`
	// Expectations are what the user wants of the run, as against what the manifests say, in the order in which they were given.
	Expectations []Expectation `json:"expectations,omitempty"`
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

// Scenario is what a run ran.
type Scenario struct {
	// Name is a scenario's name, or the names of the stages that were chosen, joined by ", ".
	Name string `json:"name"`
	// Services are the services that obey and answer as stand-ins, callers before those that they call.
	Services []string `json:"services,omitempty"`
	// Derived: the requests were derived from the rules, so that the report is one of rules ('hellochaos verify').
	Derived bool `json:"derived,omitempty"`
}

// Tool is the program that made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
	// Processors is how many the program could use.
	Processors int `json:"processors,omitempty"`
	// Draws is the version of the draws and trails. Two runs of one seed draw the same only where it is the same.
	Draws string `json:"draws,omitempty"`
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
	Seed    uint64  `json:"seed"`
	Fail    float64 `json:"fail"`
	Hang    float64 `json:"hang"`
	Cascade string  `json:"cascade"`
	// Exclude is the share of deviating calls that the run set out to exclude for each rule, at one in a thousand.
	Exclude float64 `json:"exclude"`
	// SplitTolerance are the two factors of a weight that a split must exclude to pass.
	SplitTolerance stats.Interval `json:"split_tolerance"`
	// Parameters are the scenario's own, by name, as text: "canary-weight": "20".
	Parameters map[string]string `json:"parameters,omitempty"`
	// RequireTimes: times that cannot be judged make the run inconclusive.
	RequireTimes bool `json:"require_times,omitempty"`
	// Rate is the requests a second that the user asked for; 0: as each phase planned it.
	Rate float64 `json:"rate,omitempty"`
	// ManifestsHash is the SHA-256, in hexadecimal digits, of all objects that the run's phases applied, in their order.
	ManifestsHash string `json:"manifests_hash,omitempty"`
	// Manifests is the folder that replaced bundled stages; empty: all bundled.
	Manifests string `json:"manifests,omitempty"`
}

// Severity is how much a finding matters: an error fails the run.
type Severity string

const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Finding is something that is wrong with the manifests.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity" jsonschema:"enum=error,enum=warning"`
	// Phase is the first phase in which it holds.
	Phase string `json:"phase"`
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"`
	// Object is the object, "VirtualService middleware".
	Object string `json:"object"`
	// Text says what is wrong, what it does to traffic, and how to mend it.
	Text string `json:"text"`
}

// Cases is how many of All test cases hold: the rule that each of their requests meets is as they expect it.
type Cases struct {
	Held int `json:"held"`
	All  int `json:"all"`
}

// Unit is what the numbers of an expectation are counted in.
type Unit string

const (
	UnitShare   Unit = "share" // from 0 to 1
	UnitTries   Unit = "tries"
	UnitSeconds Unit = "seconds"
)

// Expectation is what a user wants of a run, and what came of it.
type Expectation struct {
	// Text is the expectation as it was written: "edge fails <= 0.01".
	Text string `json:"text"`
	// Phase is the phase that it is about.
	Phase string `json:"phase"`
	// Of names the calls that decide where several rules lead to the service: those that are worst.
	Of   string `json:"of,omitempty"`
	Unit Unit   `json:"unit" jsonschema:"enum=share,enum=tries,enum=seconds"`
	// Predicted is none where nothing predicts the number. PredictedError is the standard error of a prediction that was found by playing
	// many requests; 0: it is exact.
	Predicted      *float64 `json:"predicted,omitempty"`
	PredictedError float64  `json:"predicted_error,omitempty"`
	// Measured is none where each call was held against the rules instead, or there are no data; N is of how many requests or calls.
	Measured *float64 `json:"measured,omitempty"`
	// Interval is that of the measured number, at 99.9 %; none where there is none, or the data are too few for one of its ends.
	Interval *stats.Interval `json:"interval,omitempty"`
	N        int64           `json:"n"`
	Verdict  Verdict         `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Why is a clause that says what decided.
	Why string `json:"why"`
	// Note is a clause about what the number does not count, where that is not plain; empty where it is.
	Note string `json:"note,omitempty"`
}

// EntryGateway is the Entry of a phase all of whose requests enter at a gateway.
const EntryGateway = "gateway"

// Phase is one set of objects in force, and the requests that were sent meanwhile.
type Phase struct {
	// Name is unique in a report: a stage's name, or "application" before the first.
	Name  string `json:"name"`
	Title string `json:"title"`
	// Base: the phase is only what the next one is compared with. No probes are sent in it.
	Base    bool    `json:"base,omitempty"`
	Verdict Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Entry is how requests enter: "direct", "gateway", or "caller" for a caller in the mesh. Several are joined: "caller, gateway".
	Entry string `json:"entry"`
	// Started is when the first request was due; zero: none was. The objects took effect before that, after Applied seconds.
	Started time.Time `json:"started,omitzero"`
	// Way is how the entry was found: "loopback", "load balancer 203.0.113.7:80".
	Way string `json:"way,omitempty"`
	// Applied is how long the target took until new requests obeyed the phase's objects.
	Applied float64 `json:"applied_seconds"`
	Elapsed float64 `json:"elapsed_seconds"`
	// Natural requests are drawn at the run's fail probability; Probes have failures pinned so that every branch is met.
	// Planned counts both, and so do Sent, Observed and Unsent.
	Planned  int `json:"planned_requests"`
	Natural  int `json:"natural_requests"`
	Probes   int `json:"probe_requests"`
	Sent     int `json:"sent_requests"`
	Observed int `json:"observed_requests"`
	Unsent   int `json:"unsent_requests"`
	// PlannedRate and AchievedRate are requests a second; the lag is start minus planned start.
	PlannedRate  float64 `json:"planned_rate"`
	AchievedRate float64 `json:"achieved_rate"`
	LagMedian    float64 `json:"lag_median_seconds"`
	LagP99       float64 `json:"lag_p99_seconds"`
	// Stopped: everything was decided before the planned number was sent.
	Stopped bool `json:"stopped_early"`
	// GeneratorLimited: the generator could not keep its schedule. Late: hits started late, so no time is judged.
	GeneratorLimited bool     `json:"generator_limited"`
	Late             bool     `json:"late"`
	Warnings         []string `json:"warnings,omitempty"`
	// Incidents are what others did to the target meanwhile; Replaced: pods were among it, so nothing is judged.
	Incidents []string `json:"incidents,omitempty"`
	Replaced  bool     `json:"replaced,omitempty"`
	// Compared says what other sources of the services' counters say of the same tries where they agree, or why there are none:
	// "Envoy's statistics: backend 495 of 495".
	Compared []string `json:"compared,omitempty"`

	// Shares are of the natural requests: "edge fails", "any of ours fails". They are shown and not judged, since the draws
	// decide them; the calls are judged.
	Shares []Share `json:"shares,omitempty"`
	// Calls are what was called by whom under which rule, from the edge inwards.
	Calls []Call `json:"calls,omitempty"`
	// Policies are the policies of DestinationRules that make calls depend on each other, each checked by requests of its own.
	Policies []PolicyCheck `json:"policies,omitempty"`
	// Mismatches are the calls that met something else than the rules allow: the first of each kind and rule.
	Mismatches []Mismatch `json:"mismatches,omitempty"`
	// Undecided says why the phase has no verdict, where it has none; it did not end, or pods were replaced.
	Undecided string `json:"undecided,omitempty"`
	// Outcomes has a byte for each natural request, in order, in base64: bit 0: it failed at the edge, bit 1: a service of ours
	// failed; the other six are a hash of the statuses and attempt counts of all its calls that its draws decide, from 1 to 63,
	// and 0 where a time limit may have decided one of them.
	Outcomes []byte `json:"outcomes,omitempty"`

	// Manifests are the objects that the phase adds to the one before, as they were applied.
	Manifests []Manifest `json:"manifests,omitempty"`
	// PromiseBroken: the manifests themselves do not imply what the scenario promises of the phase; Words say why.
	PromiseBroken bool `json:"promise_broken,omitempty"`
	// Words say what happened and why, from this report alone.
	Words []string `json:"words,omitempty"`

	// Latency has the quantiles of the natural requests' answers at the edge, good and failed ones apart; Seconds all of them,
	// by the second of the phase for which they were planned.
	Latency []Latency `json:"latency,omitempty"`
	Seconds []Second  `json:"seconds,omitempty"`
	// Distributions are all latencies of the phase, apart by outcome and number of tries.
	Distributions []Distribution `json:"distributions,omitempty"`
	// Edges are the service graph; Samples the requests of which each try is told.
	Edges   []Edge   `json:"edges,omitempty"`
	Samples []Sample `json:"samples,omitempty"`
}

// Names of shares of requests.
const (
	EdgeFails = "edge fails"        // bit 0 of Phase.Outcomes
	AnyFails  = "any of ours fails" // bit 1
)

// Share is a share of trials beside its prediction.
type Share struct {
	Name      string  `json:"name"`
	Predicted float64 `json:"predicted"`
	// PredictedError is the standard error of a prediction that was found by playing many requests; 0: it is exact.
	PredictedError float64 `json:"predicted_error,omitempty"`
	// Promised is the prediction for the scenario's own manifests, where the user replaced some of them.
	Promised *float64        `json:"promised,omitempty"`
	Measured *float64        `json:"measured,omitempty"` // none: no data
	Interval *stats.Interval `json:"interval,omitempty"` // at 95 %
	K        int64           `json:"k"`
	N        int64           `json:"n"`
}

// Call is the calls from one service to another under one rule.
type Call struct {
	// From is "edge" for the load generator, or a service; To is a service, or the host that was called where none of ours
	// answers there.
	From string `json:"from"`
	To   string `json:"to"`
	// Cohorts are the requests that lead to these calls, where not all do.
	Cohorts []string `json:"cohorts,omitempty"`
	// Rule is what the caller's proxy does; none where the caller has no proxy.
	Rule *Rule `json:"rule,omitempty"`
	// Fails is how often such calls fail, of those that the answers of natural requests show.
	Fails Share `json:"fails"`
	// Tries are those that the called service counted for natural requests, for each of them.
	Tries *Factor `json:"tries,omitempty"`
	// MeanTries is how many tries a call of a request of the run is predicted to have, on the whole, and MostTries how many at most; 0
	// for the calls of services.
	MeanTries float64 `json:"mean_tries,omitempty"`
	MostTries int     `json:"most_tries,omitempty"`
	// Judged are the calls, natural and probed, that were held against the oracle; Mismatched those that met something else
	// than it allows; Open those that a time limit may have decided.
	Judged     int64 `json:"judged"`
	Mismatched int64 `json:"mismatched"`
	Open       int64 `json:"open"`
	// Decisive calls would have met something else without the rule. Excludes is the share of deviating calls that so many
	// without a mismatch exclude at one in a thousand; none where there are none.
	Decisive int64    `json:"decisive"`
	Excludes *float64 `json:"excludes,omitempty"`
	// Requests is the verdict on each call by itself: whether all met what the rule says, and enough of them did. Where none was
	// judged (Judged is 0, in a report of an older form), it is that on the share of them that fails.
	Requests Verdict `json:"requests_verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
	// Branches are the cases of the rule, met by probes or by natural requests.
	Branches []Branch `json:"branches,omitempty"`
	Split    *Split   `json:"split,omitempty"`
	Waits    []Wait   `json:"waits,omitempty"`
	Ledger   *Ledger  `json:"ledger,omitempty"`
	// Verdict is of all that is judged of the calls, Note why there is none. It is "not judged" where nothing of them can be.
	Verdict Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
	Note    string  `json:"note,omitempty"`
}

// PolicyCheck is what requests of their own showed of a policy of a DestinationRule.
type PolicyCheck struct {
	// Policy is the part of the trafficPolicy, "connectionPool", and Host the destination that has it, with its subset.
	Policy string `json:"policy"`
	Host   string `json:"host"`
	// Rule is the DestinationRule, which begins at Line of File.
	Rule string `json:"rule,omitempty"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Requests is how many were sent; 0 where the policy could not be checked.
	Requests int     `json:"requests"`
	Verdict  Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
	// Text is a clause that says what was seen, or why nothing follows.
	Text string `json:"text"`
}

// Label names the check: "connectionPool of httpbin.default.svc.cluster.local (httpbin.yaml:1)".
func (c *PolicyCheck) Label() string {
	text := c.Policy + " of " + c.Host
	if c.File != "" {
		text += fmt.Sprintf(" (%s:%d)", filepath.Base(c.File), c.Line)
	}
	return text
}

// Rule is what a proxy does with a call.
type Rule struct {
	// Name is the object's part, "VirtualService middleware, http[1]", or what holds without one: "no rule".
	Name string `json:"name"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Hosts are those that the rule is for; none where no rule was written for the call.
	Hosts []string `json:"hosts,omitempty"`
	// Match says in a few words what requests have that meet the rule: "end-user: jason"; empty where it asks for nothing.
	Match string `json:"match,omitempty"`
	// Rewrites says what is sent in place of the path or the host: "/v2", "host users".
	Rewrites []string `json:"rewrites,omitempty"`
	// Mirrors says which requests are copied to whom: "50 % copied to v2".
	Mirrors []string `json:"mirrors,omitempty"`
	// Why is a clause that says why it holds where no rule was written for the call: why a host is blocked, open or not found.
	Why string `json:"why,omitempty"`
	// Policy says in a few words what it does: "3 retries on 5xx".
	Policy  string `json:"policy"`
	Retries int    `json:"retries"`
	RetryOn string `json:"retry_on,omitempty"`
	// DefaultRetries: the retries are Istio's default, since the rule has none of its own.
	DefaultRetries bool `json:"default_retries,omitempty"`
	// Covers500 and CoversTimeouts: a try that is answered 500, or cut by the per-try timeout, is sent again.
	Covers500      bool    `json:"covers_500"`
	CoversTimeouts bool    `json:"covers_timeouts,omitempty"`
	PerTry         float64 `json:"per_try_timeout_seconds"`
	Timeout        float64 `json:"timeout_seconds"`
	// Aborts and Delays are the shares of the calls that a fault aborts with AbortStatus, or holds back for Delay.
	Aborts      float64 `json:"aborts,omitempty"`
	AbortStatus int     `json:"abort_status,omitempty"`
	Delays      float64 `json:"delays,omitempty"`
	Delay       float64 `json:"delay_seconds,omitempty"`
	// Answer is the status that the proxy gives to every call itself; 0: a service can be reached.
	Answer       int           `json:"answer,omitempty"`
	Destinations []Destination `json:"destinations,omitempty"`
}

// Destination is one way that a rule's calls may take.
type Destination struct {
	Name  string  `json:"name"`
	Share float64 `json:"share"`
	// Status is the proxy's own answer there, or that of a server of TLS to plain HTTP; 0: a service answers.
	Status int `json:"status,omitempty"`
	// TLS says that the caller's proxy opens TLS there by a DestinationRule.
	TLS bool `json:"tls,omitempty"`
	// Versions are the versions of the service that may answer.
	Versions []string `json:"versions,omitempty"`
}

// Branch is one case of a rule.
type Branch struct {
	// Name says which: "answered at try 2", "all 4 tries fail", "to middleware subset prod", "aborted".
	Name string `json:"name"`
	// Met is how many calls met it without a mismatch, Wanted how many were to.
	Met    int64 `json:"met"`
	Wanted int64 `json:"wanted"`
	// Why says why it was not met where that is by choice or cannot be helped; empty: it was to be met.
	Why     string  `json:"why,omitempty"`
	Verdict Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
}

// Split is how the calls of natural requests were spread over the destinations of a rule, or over the versions behind one.
type Split struct {
	// Balanced: a load balancer picks by load among versions, so that all must answer, and no share is predicted.
	Balanced bool `json:"balanced,omitempty"`
	// Unlike: the parts do not behave alike (other probabilities, other calls, an answer of the proxy), so that what a request meets
	// depends on the part that it is led to, which the mesh draws.
	Unlike bool `json:"unlike,omitempty"`
	// Unit is what the mesh draws a part for: each request, or each connection with all of its requests. Reports from before the field was
	// there do not say it.
	Unit SplitUnit `json:"unit,omitempty" jsonschema:"enum=request,enum=connection"`
	// UnitFrom says how the unit is known: measured, by calls of one connection, which pods of a cluster tell; or by the rule, which is one for
	// HTTP, so that it holds for each request.
	UnitFrom UnitSource   `json:"unit_from,omitempty" jsonschema:"enum=measured,enum=rule"`
	Parts    []SplitShare `json:"parts"`
	Verdict  Verdict      `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
	Note     string       `json:"note,omitempty"`
}

// SplitUnit is what a mesh draws the part of a split for.
type SplitUnit string

// The units of splits.
const (
	ByRequest    SplitUnit = "request"
	ByConnection SplitUnit = "connection"
)

// UnitSource is how the unit of a split is known.
type UnitSource string

// UnitMeasured: by what calls of one connection met. UnitOfRule: the rule says it.
const (
	UnitMeasured UnitSource = "measured"
	UnitOfRule   UnitSource = "rule"
)

// SplitShare is one part of a split.
type SplitShare struct {
	Share
	Verdict Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
}

// Wait is the time that retries added before a try: the whole distribution of it.
type Wait struct {
	// Try is the attempt count before which was waited.
	Try int   `json:"try"`
	N   int64 `json:"n"`
	// Predicted and Measured are medians in seconds; the test looks at the whole distribution.
	Predicted float64  `json:"predicted_seconds"`
	Measured  *float64 `json:"measured_seconds,omitempty"`
	// Interval is that of the measured median, at 95 %; none where n is too small for one.
	Interval *stats.Interval `json:"interval_seconds,omitempty"`
	// Distance is how far the measured distribution lies from the predicted one, in [0,1], beyond what the machine's own time
	// explains, and Limit what may lie there without fault. A distribution that is right is rejected once in 20,000 times.
	Distance float64 `json:"distance"`
	Limit    float64 `json:"limit"`
	// Verdict is "not judged" where times cannot be judged; Note says why.
	Verdict Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
	Note    string  `json:"note,omitempty"`
}

// Ledger is what the called service itself counted, beside what it should have.
type Ledger struct {
	// Retries were counted for Failures that call for one.
	Retries  int64 `json:"retries"`
	Failures int64 `json:"failures"`
	// Violations are tries too many or too few.
	Violations int64   `json:"violations"`
	Attempts   []Tries `json:"attempts,omitempty"`
	Verdict    Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
	Note       string  `json:"note,omitempty"`
}

// Tries is one line of a ledger: how many tries carried this attempt count, and how many of them the policy sends again.
type Tries struct {
	Attempt   int   `json:"attempt"`
	Received  int64 `json:"received"`
	Retryable int64 `json:"retryable"`
}

// Factor is a predicted and a measured number of tries per natural request.
type Factor struct {
	Predicted      float64 `json:"predicted"`
	PredictedError float64 `json:"predicted_error,omitempty"`
	Measured       float64 `json:"measured"`
	Tries          int64   `json:"tries"`
	Requests       int64   `json:"requests"`
}

// Mismatch is a kind of deviation of the calls of one row, and the first of them.
type Mismatch struct {
	Kind string `json:"kind"`
	From string `json:"from"`
	To   string `json:"to"`
	// Rule is the rule's name, with File and Line where it has them.
	Rule string `json:"rule,omitempty"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Count is how many calls deviated so.
	Count int64 `json:"count"`
	// Request is the name of the first such request, Call the path of tries that names the call in it, Try the attempt count
	// that was delivered; 0: none.
	Request string `json:"request"`
	Probe   bool   `json:"probe,omitempty"`
	Call    string `json:"call,omitempty"`
	Try     int    `json:"try,omitempty"`
	// Expected and Met are clauses.
	Expected string `json:"expected"`
	Met      string `json:"met"`
	// Status is the status that the first such call was answered with, 0 for none; By is the service and version that answered it,
	// "middleware-canary", empty where none of ours did.
	Status int    `json:"status,omitempty"`
	By     string `json:"by,omitempty"`
	// Cohorts are those whose requests deviated so, where the phase has several.
	Cohorts []string `json:"cohorts,omitempty"`
	// FirstAt and LastAt are when the first and the last of these requests were due, since the phase's first request.
	FirstAt float64 `json:"first_at_seconds,omitempty"`
	LastAt  float64 `json:"last_at_seconds,omitempty"`
	// Again is the command that sends that very request again.
	Again string `json:"again,omitempty"`
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
	Tries    int             `json:"tries,omitempty"` // of the first hop, at the gateway; 0: all together
	Quantile float64         `json:"quantile"`
	Value    float64         `json:"value_seconds"`
	Interval *stats.Interval `json:"interval_seconds,omitempty"` // none: n is too small for one
	N        int64           `json:"n"`
}
