// Package compare compares two reports of one scenario, phase by phase and metric by metric: one from before an upgrade and one from
// after it. It knows reports and statistics. It must not know load, meshes or clusters, and must not guess what a report does not
// contain.
package compare

import (
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
)

// SchemaVersion is the version of the form of a comparison as JSON. A reader can read every comparison whose major number it knows.
const SchemaVersion = "2.0"

const (
	// familyAlpha is the largest probability that a comparison finds a difference in any metric that did not change.
	familyAlpha = 0.01
	// intervalAlpha is the probability that an interval does not contain the true difference. Where the interval lies inside the
	// margin the metric is the same: that is equivalent to two one-sided tests at half of intervalAlpha (Schuirmann 1987).
	intervalAlpha = 0.05
)

// Word is the result of comparing a metric, and of a whole comparison.
type Word string

const (
	// Better and Worse are differences whose whole interval lies beyond the margin, and that are significant at familyAlpha by Holm's
	// procedure over all metrics of the comparison; and differences that are no matter of chance: a request that met something else,
	// a verdict that changed.
	Better Word = "better"
	Worse  Word = "worse"
	// Same is a difference whose whole interval is within the margin, or equal data.
	Same Word = "same"
	// Unclear is any other result. More requests may lead to one of the others.
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
	// Alpha is the error probability of the family of all tests, and Family the number of p-values in it.
	Alpha  float64 `json:"alpha"`
	Family int     `json:"family"`
	// Paired is the number of requests that were compared one by one, because both runs sent them with the same draws.
	Paired int `json:"paired_requests,omitempty"`
	// Forced is true where the scenarios differ, as Mismatches lists, and the user had them compared nevertheless.
	Forced     bool       `json:"forced,omitempty"`
	Mismatches []Mismatch `json:"mismatches,omitempty"`
	// Policies: the reports are those of 'hellochaos verify' before and after a change of the manifests, and the rows those of its rules.
	Policies bool `json:"policies,omitempty"`
	// Changes are differences that may be the reason for the comparison: versions, machines, deviations on purpose (--break).
	Changes []Mismatch `json:"changes,omitempty"`
	// Unknown lists what could not be compared because a report does not have it.
	Unknown []string `json:"unknown,omitempty"`
	Rows    []Row    `json:"rows"`
	// Excluded lists the data that were not compared, and why.
	Excluded []Exclusion `json:"excluded,omitempty"`

	unpaired string // why requests are not compared one by one; empty where they are
	rules    []Mismatch
	bitsOnly bool // only the two bits of failures of outcomes mean the same in both reports
}

// Side identifies one of the two reports.
type Side struct {
	Name     string          `json:"name"` // the folder or file that the user named
	Started  time.Time       `json:"started"`
	Command  []string        `json:"command"`
	Seed     uint64          `json:"seed"`
	Verdict  reports.Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	Requests int             `json:"requests"`
	// Ended reports how the run ended: its verdict, or "aborted", "error" or "not restored".
	Ended string `json:"ended"`
}

// Mismatch is one setting in which the two reports differ, with both values.
type Mismatch struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Exclusion is what was not compared.
type Exclusion struct {
	Phase string `json:"phase"`
	What  string `json:"what"` // "everything", "latencies", or a metric's name
	Why   string `json:"why"`
	// Gates is true where the data should have been there, so that the comparison cannot be better than unclear.
	Gates bool `json:"gates"`
}

// Of compares two reports, even where their scenarios differ: the caller must look at Mismatches first. The caller also sets the names
// of the two sides.
func Of(before, after *reports.Report, o Options) *Comparison {
	c := &Comparison{Schema: SchemaVersion, Old: side(before), New: side(after), Options: o, Alpha: familyAlpha, Rows: []Row{}}
	c.Policies = policies(before, after)
	c.scenario(before, after)
	c.pairing(before, after)
	c.gather(before, after)
	c.underLoad(before, after)
	c.judge()
	c.conclude()
	return c
}

func side(r *reports.Report) Side {
	s := Side{Started: r.Started, Command: r.Command, Seed: r.Settings.Seed, Verdict: r.Verdict, Ended: strings.ToLower(render.HeadlineWord(r))}
	for i := range r.Phases {
		s.Requests += r.Phases[i].Sent
	}
	return s
}

// ExitCode returns the exit code of the program: 1 where a metric is worse, else 3 where a metric that counts is unclear, else 0.
func (c *Comparison) ExitCode() int {
	switch c.Word {
	case Worse:
		return reports.ExitFail
	case Unclear:
		return reports.ExitInconclusive
	}
	return reports.ExitPass
}
