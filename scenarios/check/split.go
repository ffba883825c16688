package check

import (
	"fmt"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/stats"
)

// LeastBalanced is how many calls must be seen before a version that answered none of them counts as left out.
const LeastBalanced = 66

// Split is the test of what the mesh draws for each call of a row: whether a fault aborts it, and where else it goes.
type Split struct {
	parts []part
	test  *stats.SplitTest
	fed   []int64 // what the test has been given, by part
	// untold says why the answers do not tell the parts apart; empty: they do.
	untold string
}

// part is one of the things that the mesh may draw.
type part struct {
	name  string
	share float64
	// destination is an index of the row's Destinations. It is aborted for the calls that a fault aborts, and spared for all others.
	destination int
}

const (
	aborted = -1
	spared  = -2
)

// NewSplits prepares the tests of the rows of ways: nil where the mesh draws nothing. lo and hi are the factors of a share that are
// to be excluded, and biased is Evidence.Biased.
func NewSplits(ways *oracle.Ways, lo, hi float64, biased bool) []*Split {
	splits := make([]*Split, len(ways.Rows))
	for i := range ways.Rows {
		row := &ways.Rows[i]
		parts := partsOf(row)
		if len(parts) < 2 {
			continue
		}
		s := &Split{parts: parts, fed: make([]int64, len(parts)), untold: untold(row)}
		if hidden(row, biased) {
			s.untold = hiddenNote
		}
		var shares []float64
		for _, p := range parts {
			shares = append(shares, p.share)
		}
		s.test = stats.NewSplitTest(shares, lo, hi, Risk)
		splits[i] = s
	}
	return splits
}

// partsOf are the parts among which the mesh draws for the calls of a row.
func partsOf(row *oracle.Row) (parts []part) {
	names, left := names(row), 1.0
	if aborts := Aborts(row); aborts == 1 {
		return nil
	} else if aborts > 0 {
		left = 1 - aborts
		parts = append(parts, part{fmt.Sprintf("aborted with %d", row.Rule.Fault.AbortStatus), aborts, aborted})
		if len(row.Destinations) == 1 {
			return append(parts, part{"not aborted", left, spared})
		}
	}
	for j := range row.Destinations {
		parts = append(parts, part{names[j], left * row.Destinations[j].Share, j})
	}
	return parts
}

// PredictedSplit are the shares of the parts among which the mesh draws for the calls of a row, by name.
func PredictedSplit(row *oracle.Row) map[string]float64 {
	shares := map[string]float64{}
	for _, p := range partsOf(row) {
		shares[p.name] += p.share
	}
	return shares
}

// untold says why the answers to the calls of a row do not tell what the mesh drew; "" where they do.
func untold(row *oracle.Row) string {
	foreign, answers := false, map[int]bool{}
	type workload struct{ service, version string }
	seen := map[workload]bool{}
	if Aborts(row) > 0 {
		answers[row.Rule.Fault.AbortStatus] = true
	}
	for i := range row.Destinations {
		d := &row.Destinations[i]
		if d.Status != 0 {
			if answers[d.Status] {
				return fmt.Sprintf("the proxy answers %d for two of the parts, and the answers do not say for which", d.Status)
			}
			answers[d.Status] = true
		}
		if d.External && len(d.Workloads) == 0 {
			foreign = true
		}
		for _, w := range d.Workloads {
			at := workload{w.Service, w.Version}
			if seen[at] {
				return fmt.Sprintf("%s-%s answers for two of the parts, and the answers do not say for which", w.Service, w.Version)
			}
			seen[at] = true
		}
	}
	if foreign && len(answers) > 0 || foreign && len(row.Destinations) > 1 {
		return "a host of which nothing is known may answer as another part does"
	}
	return ""
}

// Feed gives the test what was counted since it was fed last.
func (s *Split) Feed(seen *observe.Row) {
	for i, n := range s.counts(seen) {
		s.test.Observe(i, n-s.fed[i])
		s.fed[i] = n
	}
}

// counts are the natural calls of a row by part.
func (s *Split) counts(seen *observe.Row) []int64 {
	counts := make([]int64, len(s.parts))
	for i, p := range s.parts {
		switch p.destination {
		case aborted:
			counts[i] = seen.Aborted
		case spared:
			counts[i] = seen.Spared
		default:
			counts[i] = seen.Destinations[p.destination]
		}
	}
	return counts
}

// Told reports whether answers tell the parts apart, so that calls can decide the test.
func (s *Split) Told() bool { return s.untold == "" }

// Decided reports whether the calls so far decide the test, or none can.
func (s *Split) Decided() bool { return !s.Told() || s.test.Decision() != stats.Undecided }

// CallsToPass is after about how many calls a split that is right has passed, but for one in a thousand times.
func (s *Split) CallsToPass() int64 { return s.test.TrialsToPass(0.999) }

// split judges what the mesh drew for the natural calls of a row; nil where there was nothing to draw.
func (e *Evidence) split(i int) *reports.Split {
	row, seen := &e.Ways.Rows[i], &e.Tally.Rows[i]
	switch {
	case e.Splits[i] != nil:
		return e.weighted(i)
	case Balanced(row):
		return e.balanced(i, seen.Workloads[0])
	}
	return nil
}

// Balanced reports whether a load balancer chooses among versions for the calls of a row, and nothing else is drawn. Without a proxy
// none is on the way: the load generator sends to one pod.
func Balanced(row *oracle.Row) bool {
	return row.Rule != nil && Aborts(row) == 0 && len(row.Destinations) == 1 && len(row.Destinations[0].Workloads) > 1
}

// wanted is the verdict where too few calls were seen: in a phase that is only what the next one is compared with, no number was
// promised.
func (e *Evidence) wanted(v reports.Verdict) reports.Verdict {
	if e.Base && v == reports.Inconclusive {
		return reports.NotJudged
	}
	return v
}

// promised is the verdict where too few calls of a row were seen for it to be judged by them: its rule is the one of the phase
// before, so that none were planned, or some were.
func (e *Evidence) promised(row int) reports.Verdict {
	if e.Wants[row] == (oracle.Want{}) {
		return reports.NotJudged
	}
	return e.wanted(reports.Inconclusive)
}

// weighted judges a split by shares.
func (e *Evidence) weighted(i int) *reports.Split {
	row, split := &e.Ways.Rows[i], e.Splits[i]
	counts := split.counts(&e.Tally.Rows[i])
	var n int64
	for _, k := range counts {
		n += k
	}
	s := &reports.Split{Unlike: unlike(row), Verdict: reports.NotJudged}
	most := split.largest()
	if !split.Told() {
		most = 0 // what seems one part may be two
	}
	s.Unit, s.UnitFrom = unit(&e.Tally.Rows[i].Draws, most)
	switch {
	case !split.Told():
		s.Note = split.untold
	case e.shown(i) == 0:
		s.Note = neverShown
	case split.test.Decision() == stats.Passed:
		s.Verdict = reports.Pass
	case split.test.Decision() == stats.Failed:
		s.Verdict = reports.Fail
	default:
		s.Verdict = e.wanted(reports.Inconclusive)
		s.Note = fmt.Sprintf("%d calls do not tell the shares from others; about %d pass a split that is right", n, split.test.TrialsToPass(0.99))
	}
	for j, p := range split.parts {
		s.Parts = append(s.Parts, reports.SplitShare{Share: share(p.name, p.share, 0, counts[j], n), Verdict: s.Verdict})
	}
	return s
}

const (
	hiddenNote = "the parts do not fail equally often, and answers of calls that were sent again do not show what earlier tries met"
	neverShown = "the answer to no natural request shows such a call, because each of them fails before"
)

// hidden reports whether the answers show the parts of a row less or more often than the mesh draws them: where a try of the caller is
// sent again because such a call failed or took too long, the answer shows only the last of them.
func hidden(row *oracle.Row, biased bool) bool {
	return biased && row.Caller != oracle.Edge && unlike(row)
}

// balanced judges a load balancer's choice among versions. Of two pods that LEAST_REQUEST picks at random, with replacement, it
// takes the one with fewer requests under way, so that a version with a share s of the pods gets between s² and 1-(1-s)²
// (Envoy's LeastRequestLoadBalancer::unweightedHostPick).
func (e *Evidence) balanced(i int, counts []int64) *reports.Split {
	row := &e.Ways.Rows[i]
	s := &reports.Split{Balanced: true, Unlike: unlike(row)}
	s.Unit, s.UnitFrom = unit(&e.Tally.Rows[i].Draws, 0)
	var n int64
	for _, k := range counts {
		n += k
	}
	verdict := reports.Pass
	switch {
	case hidden(row, e.Biased), s.Unlike && Retries(row) > 0: // the balancer picks for each try
		verdict, s.Note = reports.NotJudged, hiddenNote
	case e.shown(i) == 0:
		verdict, s.Note = reports.NotJudged, neverShown
	case n < LeastBalanced:
		verdict = e.wanted(reports.Inconclusive)
		s.Note = fmt.Sprintf("%d calls are too few to tell whether every version answers: %d are needed", n, LeastBalanced)
	}
	s.Verdict = verdict
	for j, w := range row.Destinations[0].Workloads {
		part := reports.SplitShare{Share: share(w.Version, w.Share, 0, counts[j], n), Verdict: verdict}
		bounds := stats.Interval{Lo: w.Share * w.Share, Hi: 1 - (1-w.Share)*(1-w.Share)}
		if verdict == reports.Pass && stats.ClopperPearson(counts[j], n, Risk).Disjoint(bounds) {
			part.Verdict, s.Verdict = reports.Fail, reports.Fail
		}
		s.Parts = append(s.Parts, part)
	}
	return s
}

// unlike reports whether what a request meets depends on what the mesh draws for a call of a row: the parts fail or hang with other
// probabilities, take other times, make other calls, or are answers of the proxy.
func unlike(row *oracle.Row) bool {
	if Aborts(row) > 0 && Aborts(row) < 1 {
		return true
	}
	var first *oracle.Workload
	for i := range row.Destinations {
		d := &row.Destinations[i]
		if len(d.Workloads) == 0 && len(row.Destinations) > 1 {
			return true
		}
		for _, w := range d.Workloads {
			if first == nil {
				first = w
			}
			if !alike(first, w) {
				return true
			}
		}
	}
	return false
}

// alike reports whether a request meets the same at two workloads. Draws are by the name of the service.
func alike(a, b *oracle.Workload) bool {
	same := func(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }
	if a.Service != b.Service || a.Ours != b.Ours || !same(a.Fail, b.Fail) || !same(a.Hang, b.Hang) || a.HangTime != b.HangTime || a.Work != b.Work ||
		len(a.Steps) != len(b.Steps) {
		return false
	}
	for i := range a.Steps {
		if len(a.Steps[i]) != len(b.Steps[i]) {
			return false
		}
		for j := range a.Steps[i] {
			if a.Steps[i][j].Row != b.Steps[i][j].Row {
				return false
			}
		}
	}
	return true
}

// Aborts is the share of the calls of a row that a fault aborts.
func Aborts(row *oracle.Row) float64 {
	if row.Rule == nil || row.Rule.Fault == nil || row.Rule.Fault.AbortStatus == 0 {
		return 0
	}
	return row.Rule.Fault.AbortShare
}

// Answer is the status that the caller's proxy gives to every call of a row, 0 for none (a connection that it breaks). always is false
// where a service may be reached.
func Answer(row *oracle.Row) (status int, always bool) {
	switch r := row.Rule; {
	case r == nil:
		return 0, false
	case r.Direct != nil:
		return r.Direct.Status, true
	case r.Redirect != nil:
		return r.Redirect.Status, true
	case Aborts(row) == 1:
		return r.Fault.AbortStatus, true
	}
	for i := range row.Destinations {
		if row.Destinations[i].Status == 0 {
			return 0, false
		}
		status = row.Destinations[i].Status
	}
	return status, Aborts(row) == 0
}
