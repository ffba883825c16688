package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/sweep"
	"github.com/hellochaos/hellochaos/reports/traces"
	"github.com/hellochaos/hellochaos/scenarios"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
)

// severalFails is what the help of --fail says where it takes several.
const severalFails = "; several, joined by commas, run a grid (docs/sweeps.md)"

// point is one run of a command line: the only one, or one of a grid.
type point struct {
	// values are those of the axes of the grid; none where it is the only one.
	values []string
	fail   float64
	// parameters are those of the scenario.
	parameters map[string]string
	changed    changed
	plan       *scenario.Run
}

// changed are the flags that have other values at a point than on the command line.
type changed struct{ flags, parameters map[string]string }

// value is what a flag has at a point. The parameters of the bundled stages have flags of their own.
func (c changed) value(flag, given string) string {
	if value, ok := c.flags[flag]; ok {
		return value
	}
	if value, ok := c.parameters[flag]; ok && isParameter(flag) {
		return value
	}
	if name, _, ok := strings.Cut(given, "="); ok && flag == "set" {
		if value, ok := c.parameters[name]; ok {
			return name + "=" + value
		}
	}
	return given
}

// isParameter reports whether a flag sets a parameter of the bundled stages.
func isParameter(flag string) bool {
	return slices.ContainsFunc(scenarios.Parameters(), func(p scenarios.Parameter) bool { return p.Name == flag })
}

// commandLine is the command line of the point alone.
func (c changed) commandLine() []string {
	words := commandLine()
	flag := ""
	for i, word := range words {
		name, value, joined := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		switch {
		case flag != "":
			words[i], flag = c.value(flag, word), ""
		case !strings.HasPrefix(word, "--"):
		case joined:
			words[i] = "--" + name + "=" + c.value(name, value)
		case c.value(name, "") != "" || name == "set":
			flag = name
		}
	}
	return words
}

// axesOf are the axes of a grid: the fail probabilities where there are several, and the parameters that have several values.
func axesOf(fails []float64, parameters []sweep.Axis) []sweep.Axis {
	if len(fails) < 2 {
		return parameters
	}
	axis := sweep.Axis{Name: "fail"}
	for _, v := range fails {
		axis.Values = append(axis.Values, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return append([]sweep.Axis{axis}, parameters...)
}

// pointsOf are the points of a grid of fail probabilities and parameters, the last axis changing fastest, or the only one where there is no
// axis. The error says that there are too many.
func pointsOf(fails []float64, axes []sweep.Axis, parameters map[string]string) ([]point, error) {
	number, fail := 1, 0.0
	if len(fails) > 0 { // else none could be read, which is an error elsewhere
		fail = fails[0]
	}
	var lengths []string
	for _, axis := range axes {
		number *= len(axis.Values)
		lengths = append(lengths, strconv.Itoa(len(axis.Values)))
	}
	if number > sweep.MostPoints {
		return nil, fmt.Errorf("the grid has %d points (%s), and at most %d are run: name fewer values", number, strings.Join(lengths, " × "), sweep.MostPoints)
	}
	all := []point{{fail: fail, parameters: parameters}}
	for i, axis := range axes {
		var next []point
		for _, p := range all {
			for _, value := range axis.Values {
				next = append(next, p.with(i == 0 && len(fails) > 1, axis.Name, value))
			}
		}
		all = next
	}
	return all, nil
}

// with is the point with one more value of an axis, which is a probability or that of a parameter.
func (p point) with(probability bool, name, value string) point {
	p.values = append(slices.Clone(p.values), value)
	p.changed = changed{flags: maps.Clone(p.changed.flags), parameters: maps.Clone(p.changed.parameters)}
	if probability {
		p.fail, _ = strconv.ParseFloat(value, 64) // it was written from a number
		p.changed.flags = map[string]string{"fail": value}
		return p
	}
	if p.changed.parameters == nil {
		p.changed.parameters = map[string]string{}
	}
	p.parameters = maps.Clone(p.parameters)
	p.parameters[name], p.changed.parameters[name] = value, value
	return p
}

// planAll plans each point. The error has what is wrong with any of them, each once.
func planAll(points []point, plan func(*point) (*scenario.Run, error)) error {
	var problems []error
	said := map[string]bool{}
	for i := range points {
		var err error
		if points[i].plan, err = plan(&points[i]); err != nil && !said[err.Error()] {
			said[err.Error()] = true
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// inFlight is the most requests that any point has under way at once.
func inFlight(points []point) (most int) {
	for i := range points {
		most = max(most, points[i].plan.InFlight())
	}
	return most
}

// grid is points that are run one after another.
type grid struct {
	*deliveryFlags
	axes              []sweep.Axis
	points            []point
	seed              uint64
	allowInconclusive bool
}

// check refuses what a grid cannot have. A single run can have it.
func (g *grid) check(set *pflag.FlagSet) error {
	if len(g.axes) == 0 {
		return nil
	}
	var problems []error
	_, single := render.FormatNamed(g.format)
	if _, ok := sweep.FormatNamed(g.format); !ok && single {
		problems = append(problems, fmt.Errorf("--format %s: a grid is written as %s; with --out, each of its points has a report in every format", g.format, sweep.FormatNames()))
	}
	if set.Changed("request") {
		problems = append(problems, fmt.Errorf("--request: is sent at one point, and the command line names a grid: give one value of %s", sweep.Name(g.axes, make([]string, len(g.axes)), "", " and ")))
	}
	return errors.Join(problems...)
}

// folder is the name of the folder of a point within that of the grid.
func (g *grid) folder(p *point) string { return sweep.Name(g.axes, p.values, "-", "_") }

// prepare makes the folder of the grid and those of its points, and checks that files can be written into them.
func (g *grid) prepare() error {
	if g.out == "" {
		return nil
	}
	for i := range g.points {
		of := deliveryFlags{out: filepath.Join(g.out, g.folder(&g.points[i]))}
		if err := of.prepare(); err != nil {
			return err
		}
	}
	if err := reports.CanWrite(g.out, sweep.Files()); err != nil {
		return fmt.Errorf("--out %s: %w", g.out, err)
	}
	return nil
}

// announce prints what the grid is about to do.
func (g *grid) announce(w io.Writer, what, target string) {
	requests, most, took := 0, 0, time.Duration(0)
	var said []string
	for i := range g.points {
		plan := g.points[i].plan
		n, to, duration := plan.Requests()
		requests, most, took = requests+n, most+to, took+duration
		for _, notice := range plan.Notices() {
			said = append(said, "note: "+notice)
		}
		for _, finding := range plan.Findings() {
			said = append(said, fmt.Sprintf("%s: %s", finding.Severity, render.Finding(&finding)))
		}
	}
	fmt.Fprintf(w, "testing %s on %s with seed %d: %d points, %s, in about %s\n", what, target, g.seed, len(g.points), announced(requests, most), max(took.Round(time.Second), time.Second))
	for i, line := range said {
		if !slices.Contains(said[:i], line) {
			fmt.Fprintln(w, line)
		}
	}
}

// run runs the points one after another, until one could not be ended, and delivers the report of the grid. measure runs a point and
// returns its report.
func (g *grid) run(cmd *cobra.Command, line *progressLine, measure func(*point) (*reports.Report, error)) error {
	stderr, progress := cmd.ErrOrStderr(), cmd.ErrOrStderr()
	if g.quiet {
		progress = io.Discard
	}
	began := time.Now()
	whole := sweep.New(g.axes, len(g.points), commandLine(), began)
	var texts strings.Builder
	var unsaved []error
	for i := range g.points {
		p := &g.points[i]
		at := sweep.Name(g.axes, p.values, " ", ", ")
		line.point = fmt.Sprintf("point %d of %d (%s), ", i+1, len(g.points), at)
		if g.out != "" {
			p.changed.flags = maps.Clone(p.changed.flags)
			if p.changed.flags == nil {
				p.changed.flags = map[string]string{}
			}
			p.changed.flags["out"] = filepath.Join(g.out, g.folder(p))
		}
		report, err := measure(p)
		if err != nil {
			if i == 0 {
				return err
			}
			whole.Error, whole.Aborted = fmt.Sprintf("%s: %v", at, err), cmd.Context().Err() != nil
			break
		}
		unsaved = append(unsaved, g.keep(whole, &texts, p, report))
		if report.Aborted || report.Error != "" || report.Restored == reports.NotRestored {
			break
		}
	}
	whole.Conclude(time.Since(began))
	err := errors.Join(errors.Join(unsaved...), g.deliver(context.WithoutCancel(cmd.Context()), cmd.OutOrStdout(), progress, stderr, whole, texts.String()))
	return exitWith(whole.ExitCode(), g.allowInconclusive, stderr, err)
}

// keep adds the report of a point to that of the grid, and saves it where the user named a folder.
func (g *grid) keep(whole *sweep.Report, texts *strings.Builder, p *point, report *reports.Report) error {
	if g.verbose {
		fmt.Fprintf(texts, "\n%s\n", sweep.Name(g.axes, p.values, " ", ", "))
		if err := render.Text(texts, report, render.TextOptions{Verbose: true}); err != nil {
			return err
		}
	}
	if g.out == "" {
		whole.Add(p.values, "", report)
		return nil
	}
	whole.Add(p.values, g.folder(p), report)
	folder := filepath.Join(g.out, g.folder(p))
	_, err := render.Save(folder, report, "")
	_, unsaved := traces.Save(folder, report)
	return errors.Join(err, unsaved)
}

// deliver saves the report of the grid and then prints it, as a report is delivered. texts are the reports of the points, as text.
func (g *grid) deliver(ctx context.Context, stdout, progress, warnings io.Writer, whole *sweep.Report, texts string) error {
	if err := protect(ctx); err != nil {
		return err
	}
	var err error
	if g.out != "" {
		var written []string
		if written, err = sweep.Save(g.out, whole); len(written) > 0 {
			fmt.Fprintf(progress, "the report of the grid was written to %s: %s, and a folder for each point\n", g.out, strings.Join(written, ", "))
			g.show(progress, warnings, written)
		}
	}
	if summary := os.Getenv("GITHUB_STEP_SUMMARY"); summary != "" {
		if err := appendTo(summary, func(w io.Writer) error { return sweep.Markdown(w, whole) }); err != nil {
			fmt.Fprintf(warnings, "warning: the step summary ($GITHUB_STEP_SUMMARY) was not written: %v\n", err)
		}
	}
	if g.quiet {
		for _, remark := range whole.Remarks {
			fmt.Fprintf(warnings, "warning: %s\n", remark)
		}
	}
	unprotect(ctx)
	return errors.Join(err, g.print(stdout, whole, texts))
}

// print writes the grid in the format that the user chose.
func (g *grid) print(w io.Writer, whole *sweep.Report, texts string) error {
	if g.quiet && !g.named {
		_, err := fmt.Fprintln(w, sweep.Headline(whole))
		return err
	}
	if g.format != "text" {
		format, _ := sweep.FormatNamed(g.format) // check has refused an unknown name
		return format.Write(w, whole)
	}
	to, coloured := painted(w, g.noColor)
	if err := sweep.Text(to, whole, coloured); err != nil {
		return err
	}
	_, err := io.WriteString(to, texts)
	return err
}
