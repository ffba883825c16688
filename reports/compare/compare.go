// Package compare compares two reports of one scenario, check by check and metric by metric: what it was before an upgrade and
// after it. It knows reports and statistics, and no load, no mesh and no cluster; it must not guess what a report does not say.
package compare

import (
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/reports"
)

// SchemaVersion is the version of the form of a comparison as JSON: a reader that knows its major number can read it.
const SchemaVersion = "1.0"

const (
	// familyAlpha is the probability that any of a comparison's metrics that did not change is called better or worse.
	familyAlpha = 0.01
	// intervalAlpha is that of the intervals; the same holds where one lies inside the margin, which is two one-sided tests at
	// half of it (Schuirmann 1987).
	intervalAlpha = 0.05
)

// Word is what is said of a metric, and of a whole comparison.
type Word string

const (
	// Better and Worse: different at familyAlpha, Holm's way over all metrics of the comparison, and by more than the margin.
	Better Word = "better"
	Worse  Word = "worse"
	// Same: surely within the margin, or the very same data.
	Same Word = "same"
	// Unclear: neither; more requests would settle it.
	Unclear Word = "unclear"
)

// Comparison is one report compared with another. Shares are in [0,1], times in seconds.
type Comparison struct {
	Schema  string `json:"schema"`
	Word    Word   `json:"word" jsonschema:"enum=better,enum=worse,enum=same,enum=unclear"`
	Summary string `json:"summary"` // the answer in one sentence
	Old     Side   `json:"old"`
	New     Side   `json:"new"`
	Options
	// Alpha is the error probability of the whole family, and Family how many p-values it has.
	Alpha  float64 `json:"alpha"`
	Family int     `json:"family"`
	// Forced: the scenarios differ, which Mismatches tell, and were compared nevertheless.
	Forced     bool       `json:"forced,omitempty"`
	Mismatches []Mismatch `json:"mismatches,omitempty"`
	// Changes are what may differ, since it is what one compares: versions, machines, deviations on purpose.
	Changes []Mismatch `json:"changes,omitempty"`
	// Unknown are what one of the reports is too old to tell.
	Unknown []string `json:"unknown,omitempty"`
	Rows    []Row    `json:"rows"`
	// Excluded is what was not compared as data, and why.
	Excluded []Exclusion `json:"excluded,omitempty"`

	tolerance float64 // of the runs' own bands
}

// Side is what identifies one of the reports.
type Side struct {
	Name     string          `json:"name"` // as it was given: a folder or a file
	Started  time.Time       `json:"started"`
	Command  []string        `json:"command"`
	Seed     uint64          `json:"seed"`
	Verdict  reports.Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	Requests int             `json:"requests"`
	// Ended is how the run ended: its verdict, or "aborted", "error" or "not restored".
	Ended string `json:"ended"`
}

// Mismatch is one thing in which two reports differ.
type Mismatch struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Exclusion is what was not compared.
type Exclusion struct {
	Stage string `json:"stage"`
	Phase string `json:"phase"`
	What  string `json:"what"` // "everything", "latencies", or a check's name
	Why   string `json:"why"`
	// Gates: what is missing should have been there, so the comparison is unclear at best.
	Gates bool `json:"gates"`
}

// Of compares two reports, whatever they are of: first look at what Mismatches says. The sides' names are set by the caller.
func Of(before, after *reports.Report, o Options) *Comparison {
	c := &Comparison{Schema: SchemaVersion, Old: side(before), New: side(after), Options: o, Alpha: familyAlpha,
		Rows: []Row{}, tolerance: max(before.Settings.Tolerance, after.Settings.Tolerance)}
	c.scenario(before, after)
	c.gather(before, after)
	c.judge()
	c.conclude()
	return c
}

func side(r *reports.Report) Side {
	s := Side{Started: r.Started, Command: r.Command, Seed: r.Settings.Seed, Verdict: r.Verdict, Ended: strings.ToLower(reports.HeadlineWord(r))}
	for _, stage := range r.Stages {
		for _, p := range stage.Phases {
			s.Requests += p.Sent
		}
	}
	return s
}

// ExitCode is what the program ends with: 0 where all is the same or better, 1 where anything is worse, 3 where nothing is and
// something that should be settled is not.
func (c *Comparison) ExitCode() int {
	switch c.Word {
	case Worse:
		return reports.ExitFail
	case Unclear:
		return reports.ExitInconclusive
	}
	return reports.ExitPass
}
