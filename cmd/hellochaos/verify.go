package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/openfiles"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/derive"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/scenarios/standins"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// verifyFlags are the flags of the command verify that no other package defines.
type verifyFlags struct {
	deliveryFlags
	files                         []string
	allowed                       []string
	deviation                     string
	noProgress, allowInconclusive bool
}

func (f *verifyFlags) add(set *pflag.FlagSet) {
	f.deliveryFlags.add(set)
	set.StringArrayVarP(&f.files, "filename", "f", nil, "`file` or folder with your manifests, or - for standard input (the output of helm template or kubectl kustomize). You can repeat the flag")
	set.StringArrayVar(&f.allowed, "allow-findings", nil, "`id` of a finding that is meant so, such as HC113, which then does not fail the command. You can repeat the flag")
	set.StringVar(&f.deviation, "break", "", "`deviation`, a fault that the embedded mesh has on purpose, to see verify find it; 'hellochaos list breaks' explains each")
	set.BoolVar(&f.noProgress, "no-progress", false, "do not print a line of progress on a terminal")
	set.BoolVar(&f.quiet, "quiet", false, "print only the line with the verdict (or the report in the --format that you name), and warnings")
	set.BoolVar(&f.allowInconclusive, "allow-inconclusive", false, "end with exit code 0 instead of 3; the verdict in the report is still INCONCLUSIVE")
}

// verifyDefaults are the defaults of flags that differ from those of run: hundreds of rules are verified in seconds.
var verifyDefaults = map[string]string{"fail": "0.05", "exclude": "0.1"}

func verifyCommand() *cobra.Command {
	flags := &verifyFlags{}
	var options *scenario.Flags
	cmd := &cobra.Command{
		Use:   "verify -f FILE|FOLDER|-",
		Short: "prove what your own Istio manifests do, without a cluster",
		Long: `Read Istio manifests as they are, stand up a stand-in for each service that they
name, and prove on the embedded mesh what each rule does.

From each rule, verify derives requests that meet it, and near misses, which
must not: another case, one segment more, without the header. It sends them,
with failures drawn at --fail, holds each against what the files say, and prints
a table of the rules: what becomes of a request, and how often it fails. It also
says what is wrong with the files themselves ('hellochaos explain').

Nothing outside this machine is called. Waits before retries are judged only
with --require times.`,
		Example: `  hellochaos verify -f mesh/
  helm template shop | hellochaos verify -f -
  hellochaos verify -f subsets.yaml -f reviews.yaml --fail 0.5`,
		Args: cobra.NoArgs,
	}
	options = scenario.AddFlags(cmd.Flags())
	for name, value := range verifyDefaults {
		flag := cmd.Flags().Lookup(name)
		flag.DefValue = value
		_ = flag.Value.Set(value) // a string takes every value
	}
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return flags.run(cmd, options) }
	return cmd
}

// run verifies the files, and delivers the report.
func (f *verifyFlags) run(cmd *cobra.Command, text *scenario.Flags) error {
	options, err := text.Options()
	if err = errors.Join(err, f.check(cmd.Flags())); err != nil {
		return fmt.Errorf("verify:\n%w", err)
	}
	own, err := readOwn(f.files, cmd.InOrStdin())
	if err != nil {
		return fmt.Errorf("verify:\n%w", err)
	}
	options.Derived, options.Allowed = true, f.allowed
	options.Again = again("verify", cmd.Flags(), nil, options.Seed)
	plan, err := scenario.Plan("verify", []scenarios.Phase{own.phase}, options, scenario.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed})
	if err != nil {
		return fmt.Errorf("verify:\n%w", err)
	}
	if err := f.prepare(); err != nil {
		return err
	}
	if err := openfiles.Check(uint64(mesh.OpenFiles(plan.InFlight()))); err != nil {
		return failure{err}
	}
	return f.execute(cmd, plan, own, options)
}

// execute runs the plan on an embedded mesh of its own.
func (f *verifyFlags) execute(cmd *cobra.Command, plan *scenario.Run, own *ownRules, options scenario.Options) error {
	stderr := cmd.ErrOrStderr()
	progress := stderr
	if f.quiet {
		progress = io.Discard
	}
	if err := protect(cmd.Context()); err != nil {
		return err
	}
	on, err := mesh.New(mesh.Options{Seed: options.Seed, Break: f.deviation, Sealed: true})
	if err != nil {
		return failure{fmt.Errorf("starting the embedded mesh: %w", err)}
	}
	own.announce(progress, plan, options.Seed, f.verbose)
	line := newProgressLine(progress, f.noProgress)
	plan.Subscribe(line.handle)
	report := plan.Execute(cmd.Context(), on)
	line.clear()
	report.Tool.Version = version()
	report.Command = commandLine()
	report.Settings.Manifests = strings.Join(f.files, ", ")
	report.Remarks = append(report.Remarks, own.remarks...)
	return exitOf(report, f.allowInconclusive, stderr, f.deliver(context.WithoutCancel(cmd.Context()), cmd.OutOrStdout(), progress, stderr, report))
}

func (f *verifyFlags) check(set *pflag.FlagSet) error {
	problems := []error{f.deliveryFlags.check(set)}
	if len(f.files) == 0 {
		problems = append(problems, errors.New("no manifests: name files or folders with -f, or - for standard input"))
	}
	if f.deviation != "" {
		problems = append(problems, checkBreak(f.deviation, nil))
	}
	return errors.Join(problems...)
}

// ownRules are manifests of the user with the stand-ins and the requests that they are verified with.
type ownRules struct {
	phase   scenarios.Phase
	rules   int
	stoodUp []standins.StoodUp
	// remarks are sentences about what the files have and hellochaos does not execute, and about what differs from the application.
	remarks []string
}

// readOwn reads manifests and derives their requests. The error has all problems, and says how to check alternatives.
func readOwn(files []string, stdin io.Reader) (*ownRules, error) {
	others, err := manifests.LoadOthers(files, stdin)
	if err != nil {
		return nil, err
	}
	if len(others.Alternatives) > 0 {
		return nil, alternatives(others)
	}
	set, err := standins.Of(others.Objects)
	if err != nil {
		return nil, err
	}
	rules, err := manifests.Read(set.Objects)
	if err != nil {
		return nil, err
	}
	own := &ownRules{rules: len(rules.HTTPEntries()), stoodUp: set.StoodUp}
	own.phase = scenarios.Phase{Name: "verify", Title: strings.Join(files, ", "), Objects: set.Objects, Cohorts: derive.Cohorts(rules, set.Clients, standins.Client)}
	if len(own.phase.Cohorts) == 0 {
		return nil, fmt.Errorf("%s: there is no rule to verify: no VirtualService, DestinationRule or ServiceEntry that a request could meet", strings.Join(files, ", "))
	}
	for _, k := range others.NotExecuted {
		own.remarks = append(own.remarks, fmt.Sprintf("NOT EXECUTED: %s (first %s:%d). hellochaos does not execute this kind, so that a cluster may treat requests otherwise than is said here.", kindCount(k), k.File, k.Line))
	}
	if len(others.PassedOver)+len(others.Unknown) > 0 {
		var kinds []string
		for _, k := range slices.Concat(others.PassedOver, others.Unknown) {
			kinds = append(kinds, kindCount(k))
		}
		own.remarks = append(own.remarks, "Passed over, since no mesh looks at them for a request: "+strings.Join(kinds, ", ")+".")
	}
	own.remarks = append(own.remarks, slices.Concat(others.Remarks, set.Remarks)...)
	return own, nil
}

func kindCount(k manifests.KindCount) string { return fmt.Sprintf("%d %s", k.Count, k.Kind) }

// announce prints what is about to be verified, and what was stood up for it.
func (o *ownRules) announce(w io.Writer, plan *scenario.Run, seed uint64, verbose bool) {
	requests, _, duration := plan.Requests()
	fmt.Fprintf(w, "verifying %d rules with %s requests of %d kinds, seed %d, in about %s\n", o.rules, render.Count(int64(requests)), len(o.phase.Cohorts), seed, max(duration.Round(time.Second), time.Second))
	if n := len(o.stoodUp); n > 0 && !verbose {
		fmt.Fprintf(w, "note: %d Services and versions of them are stood up because the rules name them and no file has them; --verbose lists them\n", n)
	}
	for _, one := range o.stoodUp {
		if verbose {
			fmt.Fprintf(w, "note: %s\n", one.Text)
		}
	}
	for _, notice := range plan.Notices() {
		fmt.Fprintf(w, "note: %s\n", notice)
	}
}

// mostExamples is how many commands are shown that verify alternatives.
const mostExamples = 3

// alternatives is the error of files that a mesh does not obey together: what each of them defines, and commands that verify one of them
// with the files that it needs.
func alternatives(others *manifests.Others) error {
	var text strings.Builder
	text.WriteString("some of the files are alternatives, of which a mesh obeys one at a time:")
	var files []string
	for _, a := range others.Alternatives {
		var places []string
		for _, p := range a.Objects {
			places = append(places, fmt.Sprintf("%s:%d", p.File, p.Line))
			if !slices.Contains(files, p.File) {
				files = append(files, p.File)
			}
		}
		fmt.Fprintf(&text, "\n%s: %s", a.Of, strings.Join(places, ", "))
	}
	text.WriteString("\nname one of them, with the files that it needs, such as:")
	for _, file := range files[:min(mostExamples, len(files))] {
		text.WriteString("\n  hellochaos verify")
		for _, with := range others.Together(file) {
			text.WriteString(" -f " + printable.Word(with))
		}
	}
	return errors.New(text.String())
}

// exitOf is the error with which the program ends after a report was delivered; err is the error of delivering it.
func exitOf(report *reports.Report, allowInconclusive bool, stderr io.Writer, err error) error {
	code := report.ExitCode()
	switch {
	case code == reports.ExitNotRestored:
		if err != nil {
			fmt.Fprintf(stderr, "hellochaos: %v\n", err)
		}
		return exit(code)
	case err != nil:
		return failure{err}
	case code == reports.ExitInconclusive && allowInconclusive, code == reports.ExitPass:
		return nil
	}
	return exit(code)
}
