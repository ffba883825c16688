// Package check turns what was observed of a phase into verdicts: call by call, whether each met what its rule says, whether
// every branch of the rule was met, whether what the mesh draws has the shares that it should, whether retries wait as
// long as they should, and whether the services' own counters agree. It knows numbers and rules; it must not know how
// requests are sent, nor how a verdict is put into words.
package check

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/stats"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// Risk is how often calls of which the excluded share deviates would show none.
	Risk = 0.001
	// BranchExclude is the share of deviating calls that is to be excluded for each branch of a rule.
	BranchExclude = 0.1
	// EachBranch is how many calls of a branch exclude BranchExclude at Risk (stats.ZeroFailureTrials).
	EachBranch = 66
	// brokenShare of requests may lose a connection on a cluster, where machines are others' too, without being mismatches.
	brokenShare = 0.001
	// MostOpen is the share of open calls up to which the others are judged.
	MostOpen = 0.1
	// confidence of the intervals that are shown beside shares, which are not judged by them.
	confidence = 0.05
)

// Evidence is what was observed of a phase.
type Evidence struct {
	Ways  *oracle.Ways
	Tally *observe.Tally
	// Untimed: waits are not judged, since nobody asked for it.
	Untimed bool
	// Predictions are by cohort of natural requests.
	Predictions []Predicted
	// Wants are by row: what the probes were planned to meet.
	Wants []oracle.Want
	// Exclude is the share of deviating calls to be excluded for each rule, Elsewhere that for rules that say where calls go.
	Exclude, Elsewhere float64
	// Splits are by row; nil where nothing is drawn there. Biased: a call may be sent again because what the service called failed or
	// hung, so that the answer does not show what the earlier tries met.
	Splits []*Split
	Biased bool
	// Inwards are the rows in the order of the report, Cohorts for each row the names of the cohorts that lead there, nil where all
	// do.
	Inwards []int
	Cohorts [][]string
	// Base: the phase is only what the next one is compared with, so that nothing that it has too little of takes from its verdict.
	Base bool
	// RequireTimes: times that cannot be judged leave a phase without a verdict.
	RequireTimes bool
	// Counters are the tries that the services counted during the phase; Counted is false where they could not be read.
	Counters target.Counters
	Counted  bool
	// Late: more than one in a hundred requests left late, so no time is judged. Timed is the shortest wait that the target can be held to.
	Late  bool
	Timed time.Duration
	// Remote: the target is not this machine alone.
	Remote bool
	// Slow is how many requests took at least that long.
	Slow func(time.Duration) int64
}

// Calls judges a phase call by call, from the edge inwards.
func (e *Evidence) Calls() []reports.Call {
	var calls []reports.Call
	for _, i := range e.Inwards {
		if e.Tally.Rows[i].Judged > 0 || e.expected(i) {
			calls = append(calls, e.call(i))
		}
	}
	return calls
}

// expected reports whether any request of the phase was to make such a call.
func (e *Evidence) expected(row int) bool { return e.shown(row) > 0 || e.Wants[row] != oracle.Want{} }

// shown is how many calls of a row the answer to a natural request shows, on the whole.
func (e *Evidence) shown(row int) float64 { return Shown(e.Predictions, row) }

// Predicted is what is predicted for the requests of a cohort, which are a share of the natural requests, in (0, 1].
type Predicted struct {
	*oracle.Prediction
	Share float64
}

// Shown is how many calls of a row the answer to a natural request shows, on the whole.
func Shown(predictions []Predicted, row int) (sum float64) {
	for _, p := range predictions {
		sum += p.Rows[row].Shown * p.Share
	}
	return sum
}

// call judges the calls of a row.
func (e *Evidence) call(i int) reports.Call {
	row, seen := &e.Ways.Rows[i], &e.Tally.Rows[i]
	c := reports.Call{From: row.Caller, To: Service(row), Cohorts: e.Cohorts[i], Rule: Rule(row), Judged: seen.Judged, Open: seen.Open, Mismatched: seen.Mismatched}
	c.Fails = e.fails(i)
	c.Tries = e.tries(i, c.To)
	c.MeanTries, c.MostTries = e.triesEach(i)
	c.Branches = e.Branches(i)
	c.Split = e.split(i)
	c.Waits = e.waits(i)
	c.Ledger = e.ledger(i, c.To)
	c.Requests, c.Note = e.requests(i, &c)
	c.Verdict = Verdict(&c)
	return c
}

// Verdict is that of all that was judged of a row's calls; NotJudged where nothing was.
func Verdict(c *reports.Call) reports.Verdict {
	verdicts := []reports.Verdict{c.Requests}
	for _, b := range c.Branches {
		verdicts = append(verdicts, b.Verdict)
	}
	if c.Split != nil {
		verdicts = append(verdicts, c.Split.Verdict)
	}
	for _, w := range c.Waits {
		verdicts = append(verdicts, w.Verdict)
	}
	if c.Ledger != nil {
		verdicts = append(verdicts, c.Ledger.Verdict)
	}
	if !slices.ContainsFunc(verdicts, func(v reports.Verdict) bool { return v != reports.NotJudged }) {
		return reports.NotJudged
	}
	return reports.Worst(verdicts...)
}

// requests is the verdict on the calls of a row one by one, with what must be known of it.
func (e *Evidence) requests(i int, c *reports.Call) (reports.Verdict, string) {
	seen := &e.Tally.Rows[i]
	verdict, note := reports.Pass, ""
	for j, side := range e.sides(i) {
		if j == 0 || side.decisive < c.Decisive { // what is claimed is what holds of every side
			c.Decisive = side.decisive
		}
		if side.decisive < int64(side.wanted) {
			verdict = reports.Inconclusive
			note = fmt.Sprintf("%d calls would have met something else without this rule, and %d are needed to exclude that %.3g %% of them deviate",
				side.decisive, side.wanted, 100*side.exclude)
		}
	}
	if c.Decisive > 0 && seen.Mismatched == 0 {
		c.Excludes = pointer(stats.ZeroFailureBound(c.Decisive, Risk))
	}
	switch {
	case seen.Mismatched > 0 && e.lostFew():
	case seen.Mismatched > 0 && e.onlyLost():
		return reports.Inconclusive, fmt.Sprintf("%d requests lost a connection, more than one in 1,000, so that what the rule does is not known of them", e.Tally.Broken)
	case seen.Mismatched > 0:
		return reports.Fail, ""
	}
	switch {
	case seen.Judged == 0:
		return e.promised(i), "no request got this far"
	case seen.Unknown == seen.Judged:
		return reports.NotJudged, fmt.Sprintf("nothing is known of who answers at %s, so that any answer is right", c.To)
	case float64(seen.Open) > MostOpen*float64(seen.Judged):
		return e.wanted(reports.Inconclusive), fmt.Sprintf("a time limit may have decided %d of %d calls, because this machine was too slow to tell", seen.Open, seen.Judged)
	}
	return verdict, note
}

// side is one of the ways in which a rule's calls differ from those of another rule.
type side struct {
	// decisive calls were right and would have been others without the rule; wanted is how many of them exclude the share exclude.
	decisive int64
	wanted   int
	exclude  float64
}

// sides are what the calls of a row can tell of its rule: that it sends failed calls again, and where it leads them.
func (e *Evidence) sides(i int) (all []side) {
	row, seen, want := &e.Ways.Rows[i], &e.Tally.Rows[i], e.Wants[i]
	if Retries(row) > 0 {
		all = append(all, side{retried(seen), want.Retried, e.Exclude})
	}
	if telling := e.Ways.Telling(i); row.Rule != nil && (want.Calls > 0 || len(all) == 0) {
		right := seen.Judged - seen.Mismatched - seen.Open - seen.Unknown
		wanted := 0
		if want.Calls > 0 {
			wanted = int(stats.ZeroFailureTrials(e.Elsewhere, Risk))
		}
		all = append(all, side{int64(float64(right) * telling), wanted, e.Elsewhere})
	}
	return all
}

// onlyLost reports whether all mismatches of the phase are lost connections on a cluster: machines are others' too there.
func (e *Evidence) onlyLost() bool {
	return e.Remote && e.Tally.Broken > 0 && e.Tally.Wrong == e.Tally.Broken
}

// lostFew reports whether they are so few that they are an incident and take nothing from a verdict.
func (e *Evidence) lostFew() bool {
	t := e.Tally
	return e.onlyLost() && float64(t.Broken) <= brokenShare*float64(t.Natural+t.Probes)
}

// Lost says how many requests lost a connection where that counts as an incident; "" where none did.
func (e *Evidence) Lost() string {
	if !e.onlyLost() {
		return ""
	}
	return fmt.Sprintf("%d of %d requests lost a connection, which no rule asks for", e.Tally.Broken, e.Tally.Natural+e.Tally.Probes)
}

// Shares are those of the natural requests.
func (e *Evidence) Shares() []reports.Share {
	predicted := PredictedShares(e.Predictions)
	predicted[0] = share(predicted[0].Name, predicted[0].Predicted, predicted[0].PredictedError, e.Tally.Edge, e.Tally.Natural)
	predicted[1] = share(predicted[1].Name, predicted[1].Predicted, predicted[1].PredictedError, e.Tally.Any, e.Tally.Natural)
	return predicted
}

// PredictedShares are what Shares predicts, without anything measured.
func PredictedShares(predictions []Predicted) []reports.Share {
	edge, any := reports.Share{Name: reports.EdgeFails}, reports.Share{Name: reports.AnyFails}
	for _, p := range predictions {
		edge.Predicted += p.Edge * p.Share
		any.Predicted += p.Any * p.Share
		edge.PredictedError, any.PredictedError = max(edge.PredictedError, p.Error), max(any.PredictedError, p.Error)
	}
	return []reports.Share{edge, any}
}

func share(name string, predicted, predictedError float64, k, n int64) reports.Share {
	s := reports.Share{Name: name, Predicted: predicted, PredictedError: predictedError, K: k, N: n}
	if n > 0 {
		s.Measured = pointer(float64(k) / float64(n))
		interval := stats.ClopperPearson(k, n, confidence)
		s.Interval = &interval
	}
	return s
}

// fails is how often the calls of a row fail.
func (e *Evidence) fails(i int) reports.Share {
	predicted, error := PredictedFails(e.Predictions, i)
	seen := &e.Tally.Rows[i]
	return share("fails", predicted, error, seen.Failed, seen.Calls)
}

// PredictedFails is how often the calls of a row fail, of those that answers show, and its standard error; 0 where none are shown.
func PredictedFails(predictions []Predicted, row int) (predicted, error float64) {
	var shown, failed float64
	for _, p := range predictions {
		shown, failed, error = shown+p.Rows[row].Shown*p.Share, failed+p.Rows[row].Failed*p.Share, max(error, p.Error)
	}
	if shown > 0 {
		predicted = failed / shown
	}
	return predicted, error
}

// tries is how many tries a service received for each natural request, where one row alone leads to it.
func (e *Evidence) tries(i int, service string) *reports.Factor {
	if !e.Counted || e.Tally.Natural == 0 || !e.alone(i, service) {
		return nil
	}
	f := &reports.Factor{Requests: e.Tally.Natural}
	for _, p := range e.Predictions {
		f.Predicted += p.Rows[i].Tries * p.Share
		f.PredictedError = max(f.PredictedError, p.Error)
	}
	f.Tries = e.Counters.Sum(func(t target.Tries) bool { return t.Service == service && !t.Pinned })
	f.Measured = float64(f.Tries) / float64(f.Requests)
	return f
}

// triesEach is how many tries a call of a row of the edge has by its prediction, and at most; 0 for other rows, of which the answers do
// not show every call.
func (e *Evidence) triesEach(i int) (mean float64, most int) {
	row := &e.Ways.Rows[i]
	calls := Shown(e.Predictions, i)
	if row.Caller != oracle.Edge || calls == 0 || !row.Tried {
		return 0, 0
	}
	for _, p := range e.Predictions {
		mean += p.Rows[i].Tries * p.Share / calls
	}
	most = 1
	if r := row.Rule; r != nil && (r.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}) || r.Retry.Covers(manifests.Failure{PerTryTimeout: true})) {
		most += r.Retry.Attempts
	}
	return mean, most
}

// alone reports whether the calls of a row, which stand-ins of ours answer, are the only ones that lead to the one service to which
// they lead.
func (e *Evidence) alone(i int, service string) bool {
	row := &e.Ways.Rows[i]
	if !row.Tried || row.Service() == "" {
		return false
	}
	for j := range e.Ways.Rows {
		if j != i && e.Ways.Rows[j].LeadsTo(service) {
			return false
		}
	}
	return true
}

// Unknown reports whether the calls of a row may be answered by a host outside of which nothing is known.
func Unknown(row *oracle.Row) bool {
	for i := range row.Destinations {
		if d := &row.Destinations[i]; d.External && len(d.Workloads) == 0 {
			return true
		}
	}
	return false
}

// Service is the service that the calls of a row lead to, or the host that was called where that is none or several. A gateway that
// admits any host may lead nowhere.
func Service(row *oracle.Row) string { return cmp.Or(row.Service(), row.Host, "any host") }

// Rule describes what the caller's proxy does with the calls of a row; nil where there is no proxy.
func Rule(row *oracle.Row) *reports.Rule {
	if row.Rule == nil {
		return nil
	}
	r := row.Rule
	rule := &reports.Rule{Name: r.Name, File: r.File, Line: r.Line, Hosts: r.Hosts, Match: r.Match, Why: r.Why, DefaultRetries: r.Retry.Default, Retries: r.Retry.Attempts, RetryOn: r.Retry.On, PerTry: r.Retry.PerTry.Seconds(), Timeout: r.Timeout.Seconds(),
		Covers500:      r.Retry.Attempts > 0 && r.Retry.Covers(manifests.Failure{Status: http.StatusInternalServerError}),
		CoversTimeouts: r.Retry.Attempts > 0 && r.Retry.Covers(manifests.Failure{PerTryTimeout: true})}
	if f := r.Fault; f != nil {
		if f.AbortStatus > 0 {
			rule.Aborts, rule.AbortStatus = f.AbortShare, f.AbortStatus
		}
		if f.Delay > 0 {
			rule.Delays, rule.Delay = f.DelayShare, f.Delay.Seconds()
		}
	}
	for i := range r.Mirrors {
		rule.Mirrors = append(rule.Mirrors, fmt.Sprintf("%.3g %% copied to %s", 100*r.Mirrors[i].Share, mirrorName(row, &r.Mirrors[i])))
	}
	rule.Answer, _ = Answer(row)
	for i := range row.Destinations {
		d := &row.Destinations[i]
		to := reports.Destination{Name: d.Name, Share: d.Share, Status: d.Status, TLS: d.TLS}
		for _, w := range d.Workloads {
			to.Versions = append(to.Versions, w.Version)
		}
		rule.Destinations = append(rule.Destinations, to)
	}
	rule.Policy, rule.Rewrites = policy(row, rule), rewrites(r.Rewrite)
	return rule
}

// mirrorName is the subset of a mirror where its host is that of the only destination, and else its host with the subset.
func mirrorName(row *oracle.Row, m *manifests.Mirror) string {
	host, _, _ := strings.Cut(m.Host, ".")
	switch {
	case m.Subset == "":
		return host
	case len(row.Rule.Split) > 0 && row.Rule.Split[0].Host == m.Host:
		return m.Subset
	}
	return host + " " + m.Subset
}

// rewrites says what is sent in place of the path and the host.
func rewrites(r *manifests.Rewrite) (parts []string) {
	switch {
	case !r.Rewrites():
	case r.URI != "":
		parts = append(parts, r.URI)
	case r.Regex != "":
		parts = append(parts, fmt.Sprintf("%s in place of ~%s", r.Substitution, r.Regex))
	}
	if r != nil && r.Authority != "" {
		parts = append(parts, "host "+r.Authority)
	}
	return parts
}

// rewriting says in a few words what a rule changes of requests and answers.
func rewriting(row *oracle.Row) (parts []string) {
	r := row.Rule
	if r.Rewrite.Rewrites() {
		parts = append(parts, "path rewritten")
	}
	if slices.ContainsFunc(row.Destinations, func(d oracle.Destination) bool { return d.Host != "" }) {
		parts = append(parts, "host rewritten")
	}
	if slices.ContainsFunc(r.Split, func(d manifests.Destination) bool { return len(d.Request) > 0 }) {
		parts = append(parts, "headers changed")
	}
	if slices.ContainsFunc(r.Split, func(d manifests.Destination) bool { return len(d.Answer) > 0 }) {
		parts = append(parts, "headers of answers changed")
	}
	return parts
}

// retries is a number of retries.
func retries(n int) string {
	if n == 1 {
		return "1 retry"
	}
	return fmt.Sprintf("%d retries", n)
}

// policy says in a few words what a rule does.
func policy(row *oracle.Row, rule *reports.Rule) string {
	r := row.Rule
	var parts []string
	switch _, always := Answer(row); {
	case r.Direct != nil && r.Direct.Reset:
		return "no answer: the connection is broken"
	case r.Redirect != nil && r.Redirect.Scheme != "":
		return fmt.Sprintf("the proxy answers %d to %s", rule.Answer, r.Redirect.Scheme)
	case always:
		return fmt.Sprintf("the proxy answers %d", rule.Answer)
	case rule.Covers500:
		parts = append(parts, retries(rule.Retries)+" on "+covering(rule.RetryOn))
	case rule.Retries > 0 && !r.Retry.Default:
		parts = append(parts, retries(rule.Retries)+", none on 500")
	}
	if len(row.Destinations) > 1 {
		var shares []string
		for i, name := range names(row) {
			shares = append(shares, fmt.Sprintf("%s %.3g %%", name, 100*row.Destinations[i].Share))
		}
		parts = append(parts, strings.Join(shares, ", "))
	} else if _, subset, ok := strings.Cut(row.Destinations[0].Name, " subset "); ok {
		parts = append(parts, "to "+subset)
	}
	if rule.Aborts > 0 {
		parts = append(parts, fmt.Sprintf("%.3g %% aborted with %d", 100*rule.Aborts, rule.AbortStatus))
	}
	if rule.Delays > 0 {
		parts = append(parts, fmt.Sprintf("%.3g %% delayed by %gs", 100*rule.Delays, rule.Delay))
	}
	parts = append(append(parts, rule.Mirrors...), rewriting(row)...)
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// covering is the part of retryOn that covers an answer of 500.
func covering(on string) string {
	for word := range strings.SplitSeq(on, ",") {
		if word == "5xx" || word == "500" {
			return word
		}
	}
	return on
}

// names are short names of a row's destinations: the subset or the first label of the host, or where several have the same, the whole.
func names(row *oracle.Row) (all []string) {
	times := map[string]int{}
	for i := range row.Destinations {
		times[short(row.Destinations[i].Name)]++
	}
	whole := map[string]int{}
	for i := range row.Destinations {
		name := row.Destinations[i].Name
		if times[short(name)] == 1 {
			name = short(name)
		}
		if whole[name]++; whole[name] > 1 {
			name += fmt.Sprintf(" (%d)", whole[name])
		}
		all = append(all, name)
	}
	return all
}

// short is a destination's subset, or the first label of its host.
func short(name string) string {
	if _, subset, ok := strings.Cut(name, " subset "); ok {
		return subset
	}
	host, _, _ := strings.Cut(name, ".")
	return host
}

func pointer[T any](v T) *T { return &v }
