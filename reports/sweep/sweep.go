// Package sweep holds the report of a grid: runs of one scenario that differ in the fail probability or in parameters alone, the points of
// the grid. It knows the reports of the points and what a reader wants of them side by side: the predicted and the measured share of
// failed calls and tries of each hop, verdicts, expectations. It must not know how any point was run or judged.
package sweep

import (
	"fmt"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
)

// Schema names the form of the JSON of a grid, and its version: a reader that knows the number before the point can read it.
const Schema = "hellochaos.sweep/1.0"

// MostPoints is how many points a grid has at most: at a second or more each they are minutes, and more are no longer a table.
const MostPoints = 100

// Report is the report of a grid. Shares are in [0,1], times in seconds.
type Report struct {
	Schema   string           `json:"schema"`
	Tool     reports.Tool     `json:"tool"`
	Command  []string         `json:"command"`
	Started  time.Time        `json:"started"`
	Elapsed  float64          `json:"elapsed_seconds"`
	Target   reports.Target   `json:"target"`
	Scenario reports.Scenario `json:"scenario"`
	// Axes are what the points differ in; the last one changes fastest.
	Axes []Axis `json:"axes"`
	// Verdict is the worst of the points'. It is inconclusive where not all of them were run.
	Verdict reports.Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Summary is the verdict in one sentence.
	Summary string `json:"summary"`
	// Planned is how many points the grid has. Points are those that were run: fewer where one could not be ended.
	Planned int     `json:"planned_points"`
	Points  []Point `json:"points"`
	// Findings are what is wrong with the manifests themselves, at any point; each is there once.
	Findings []reports.Finding `json:"findings,omitempty"`
	// Remarks are sentences about what the files have and was not executed, and about what went wrong beside the points; each is there once.
	Remarks []string `json:"remarks,omitempty"`
	// Error says why not all points were run, where the target of one could not be prepared. Aborted: a signal came meanwhile.
	Error   string `json:"error,omitempty"`
	Aborted bool   `json:"aborted,omitempty"`
}

// Axis is a setting that the points differ in.
type Axis struct {
	// Name is "fail", or that of a parameter; Values are at least two.
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Point is one run of the grid.
type Point struct {
	// Values are those of the axes, in their order.
	Values []string `json:"values"`
	// Folder is the folder within that of the grid that has the point's own report, where the grid was saved.
	Folder   string           `json:"folder,omitempty"`
	Settings reports.Settings `json:"settings"`
	Verdict  reports.Verdict  `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Word is how the point ended: its verdict, or "ABORTED", "ERROR" or "NOT RESTORED".
	Word     string  `json:"word"`
	Summary  string  `json:"summary"`
	Requests int     `json:"requests"`
	Elapsed  float64 `json:"elapsed_seconds"`
	ExitCode int     `json:"exit_code"`
	// Phases are those that are more than compared with.
	Phases []Phase `json:"phases"`
	// Expectations are what came of what the user expects, at this point.
	Expectations []reports.Expectation `json:"expectations,omitempty"`
	// Again is the command that sends the first request again that met something else than the manifests say.
	Again string `json:"again,omitempty"`
}

// Phase is a phase at a point.
type Phase struct {
	Name    string          `json:"name"`
	Title   string          `json:"title"`
	Verdict reports.Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Shares are of the natural requests as a whole; there are none where requests were derived from rules.
	Shares []reports.Share `json:"shares,omitempty"`
	Hops   []Hop           `json:"hops"`
}

// Hop is the calls of one row of a phase's table.
type Hop struct {
	// Name names the row, and no other one of the phase.
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
	// Rule is what the caller's proxy does, with the place where it is written; empty where the caller has none.
	Rule string `json:"rule,omitempty"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Fails is how often such calls fail, and Tries how many tries they have; none where nobody counts them.
	Fails reports.Share `json:"fails"`
	Tries *Tries        `json:"tries_per_request,omitempty"`
	// Split is how the calls were spread over the destinations of the rule, where it has several.
	Split   []reports.SplitShare `json:"split,omitempty"`
	Verdict reports.Verdict      `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive,enum=not judged"`
}

// Tries is how many tries a service receives for each natural request; where requests were derived from rules, how many a request has that
// meets the rule, which is predicted alone.
type Tries struct {
	Predicted float64  `json:"predicted"`
	Measured  *float64 `json:"measured,omitempty"`
}

// New returns the report of a grid of which no point was run yet.
func New(axes []Axis, planned int, command []string, began time.Time) *Report {
	return &Report{Schema: Schema, Command: command, Started: began.UTC(), Axes: axes, Planned: planned, Points: []Point{}}
}

// Add adds a point. folder may be empty.
func (s *Report) Add(values []string, folder string, r *reports.Report) {
	s.Tool, s.Target, s.Scenario = r.Tool, r.Target, r.Scenario
	p := Point{Values: values, Folder: folder, Settings: r.Settings, Verdict: r.Verdict, Word: render.HeadlineWord(r), Summary: r.Summary,
		Elapsed: r.Elapsed, ExitCode: r.ExitCode(), Phases: []Phase{}, Expectations: r.Expectations}
	for i := range r.Phases {
		phase := &r.Phases[i]
		p.Requests += phase.Sent
		for j := range phase.Mismatches {
			if p.Again == "" {
				p.Again = phase.Mismatches[j].Again
			}
		}
		if !phase.Base {
			p.Phases = append(p.Phases, of(r, i))
		}
	}
	for _, f := range r.Findings {
		if !slices.Contains(s.Findings, f) {
			s.Findings = append(s.Findings, f)
		}
	}
	for _, remark := range r.Remarks {
		if !slices.Contains(s.Remarks, remark) {
			s.Remarks = append(s.Remarks, remark)
		}
	}
	s.Points = append(s.Points, p)
}

// of is a phase of a point.
func of(r *reports.Report, phase int) Phase {
	p := &r.Phases[phase]
	done := Phase{Name: p.Name, Title: p.Title, Verdict: reports.Worst(p.Verdict), Hops: []Hop{}}
	if !r.Scenario.Derived {
		done.Shares = p.Shares
	}
	for _, row := range render.Hops(r, phase) {
		h := Hop{Name: row.Name, From: row.From, To: row.To, Fails: row.Fails, Verdict: row.Verdict}
		if row.Rule != nil {
			h.Rule, h.File, h.Line = row.Rule.Policy, row.Rule.File, row.Rule.Line
		}
		switch {
		case row.Tries != nil && !r.Scenario.Derived:
			h.Tries = &Tries{Predicted: row.Tries.Predicted, Measured: &row.Tries.Measured}
		case row.MostTries > 0:
			h.Tries = &Tries{Predicted: row.MeanTries}
		}
		if row.Split != nil && !row.Split.Balanced {
			h.Split = row.Split.Parts
		}
		done.Hops = append(done.Hops, h)
	}
	return done
}

// Conclude sets the verdict and the summary after the last point.
func (s *Report) Conclude(elapsed time.Duration) {
	s.Elapsed = elapsed.Seconds()
	var verdicts []reports.Verdict
	for i := range s.Points {
		verdicts = append(verdicts, s.Points[i].Verdict)
	}
	if len(s.Points) < s.Planned {
		verdicts = append(verdicts, reports.Inconclusive)
	}
	s.Verdict = reports.Worst(verdicts...)
	s.Summary = s.summary()
}

// summary says how many points ended as the grid did, and what the first of them met.
func (s *Report) summary() string {
	word := s.Word()
	number, first := 0, ""
	for i := range s.Points {
		if p := &s.Points[i]; p.Word == word {
			if number++; number == 1 {
				first = fmt.Sprintf(", the first at %s: %s", s.At(i), p.Summary)
			}
		}
	}
	switch {
	case number == 0:
		return fmt.Sprintf("%d of %d points were run", len(s.Points), s.Planned)
	case word == "PASS":
		first = ""
	}
	did := map[string][2]string{"PASS": {"passes", "pass"}, "FAIL": {"fails", "fail"}, "INCONCLUSIVE": {"has no verdict", "have no verdict"},
		"ABORTED": {"was aborted", "were aborted"}, "ERROR": {"could not be ended", "could not be ended"},
		"NOT RESTORED": {"left something that is not put back", "left something that is not put back"}}[word]
	return fmt.Sprintf("%d of %d points %s%s", number, s.Planned, did[min(number, 2)-1], first)
}

// Word is the first word of the output: the verdict, or how the grid ended where it did not end well.
func (s *Report) Word() string {
	words := map[int]string{reports.ExitNotRestored: "NOT RESTORED", reports.ExitInfrastructure: "ERROR", reports.ExitAborted: "ABORTED",
		reports.ExitFail: "FAIL", reports.ExitInconclusive: "INCONCLUSIVE", reports.ExitPass: "PASS"}
	return words[s.ExitCode()]
}

// ExitCode returns the exit code of the program: of those of the points the first of 5, 6, 4, 1, 3, 0.
func (s *Report) ExitCode() int {
	codes := []int{}
	switch {
	case s.Aborted:
		codes = append(codes, reports.ExitAborted)
	case s.Error != "":
		codes = append(codes, reports.ExitInfrastructure)
	}
	if len(s.Points) < s.Planned {
		codes = append(codes, reports.ExitInconclusive)
	}
	for i := range s.Points {
		codes = append(codes, s.Points[i].ExitCode)
	}
	for _, code := range []int{reports.ExitNotRestored, reports.ExitInfrastructure, reports.ExitAborted, reports.ExitFail, reports.ExitInconclusive} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return reports.ExitPass
}

// At names a point by its values: "fail 0.3, blue-weight 20".
func (s *Report) At(point int) string { return Name(s.Axes, s.Points[point].Values, " ", ", ") }

// Name joins the names of axes and the values of a point.
func Name(axes []Axis, values []string, between, separator string) string {
	text := ""
	for i, axis := range axes {
		if i > 0 {
			text += separator
		}
		text += axis.Name + between + values[i]
	}
	return text
}
