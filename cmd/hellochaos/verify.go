package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests/scratch"
	"github.com/hellochaos/hellochaos/openfiles"
	"github.com/hellochaos/hellochaos/reports"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// verifyFlags are the flags of the command verify that no other package defines.
type verifyFlags struct {
	deliveryFlags
	scratchFlags
	files                         []string
	allowed, cases                []string
	deviation, graph              string
	noProgress, allowInconclusive bool
}

func (f *verifyFlags) add(set *pflag.FlagSet) {
	f.deliveryFlags.add(set)
	f.scratchFlags.add(set)
	set.StringArrayVarP(&f.files, "filename", "f", nil, "`file` or folder with your manifests, or - for standard input (the output of helm template or kubectl kustomize). You can repeat the flag")
	set.StringVar(&f.graph, "graph", "", "`file` with a topology of isotope: services that call each other. Requests enter at its entry services, and its calls meet the rules of -f, or Istio's defaults")
	set.StringArrayVar(&f.allowed, "allow-findings", nil, "`id` of a finding that is meant so, such as HC113, which then does not fail the command. You can repeat the flag")
	set.StringArrayVar(&f.cases, "cases", nil, "`file` or folder with test cases in the form of istio-config-validator (testCases), each of which must hold. You can repeat the flag")
	set.StringVar(&f.deviation, "break", "", "`deviation`, a fault that the embedded mesh has on purpose, to see verify find it; 'hellochaos list breaks' explains each")
	set.BoolVar(&f.noProgress, "no-progress", false, "do not print a line of progress on a terminal")
	set.BoolVar(&f.quiet, "quiet", false, "print only the line with the verdict (or the report in the --format that you name), and warnings")
	set.BoolVar(&f.allowInconclusive, "allow-inconclusive", false, "end with exit code 0 instead of 3; the verdict in the report is still INCONCLUSIVE")
}

// verifyDefaults are the defaults of flags that differ from those of run: hundreds of rules are verified in seconds.
var verifyDefaults = map[string]string{"fail": "0.05", "exclude": "0.1"}

func verifyCommand(undo *atomic.Pointer[string]) *cobra.Command {
	flags := &verifyFlags{}
	var options *scenario.Flags
	cmd := &cobra.Command{
		Use:   "verify -f FILE|FOLDER|-",
		Short: "prove what your own Istio manifests do",
		Long: `Read Istio manifests as they are, stand up a stand-in for each service that they
name, and prove on the embedded mesh what each rule does.

From each rule, verify derives requests that meet it, and near misses, which
must not: another case, one segment more, without the header. It sends them,
with failures drawn at --fail, holds each against what the files say, and prints
a table of the rules: what becomes of a request, and how often it fails. It also
says what is wrong with the files themselves ('hellochaos explain').

Nothing outside this machine is called. Waits before retries are judged only
with --require times.

With --target cluster, a Kubernetes cluster with Istio executes the same files:
in namespaces that are made for them and deleted at the end, with stand-ins of
the same names and labels, and a gateway of their own. Nothing else on the
cluster is changed (docs/cluster.md).`,
		Example: `  hellochaos verify -f mesh/
  helm template shop | hellochaos verify -f -
  hellochaos verify -f mesh/ --cases tests/
  hellochaos verify -f subsets.yaml -f reviews.yaml --fail 0.5
  hellochaos verify -f mesh/ --target cluster -n try`,
	}
	cmd.Args = func(_ *cobra.Command, args []string) error { return onlyFlags("verify", flags.files, args) }
	options = scenario.AddFlags(cmd.Flags())
	cmd.Flags().Lookup("fail").Usage += severalFails
	for name, value := range verifyDefaults {
		flag := cmd.Flags().Lookup(name)
		flag.DefValue = value
		_ = flag.Value.Set(value) // a string takes every value
	}
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return flags.run(cmd, options, undo) }
	return cmd
}

// run verifies the files, at each point of a grid where the command line names one, and delivers the report.
func (f *verifyFlags) run(cmd *cobra.Command, text *scenario.Flags, undo *atomic.Pointer[string]) error {
	options, fails, err := text.Grid()
	g := &grid{deliveryFlags: &f.deliveryFlags, axes: axesOf(fails, nil), seed: options.Seed, allowInconclusive: f.allowInconclusive}
	var tooMany error
	g.points, tooMany = pointsOf(fails, g.axes, nil)
	if err = errors.Join(err, tooMany, f.check(cmd.Flags()), g.check(cmd.Flags())); err != nil {
		return fmt.Errorf("verify:\n%w", err)
	}
	own, err := readOwn(f.files, f.graph, f.target == "cluster", cmd.InOrStdin())
	if err != nil {
		return fmt.Errorf("verify:\n%w", err)
	}
	if options.Cases, options.CasesNotMet, err = own.hold(f.cases); err != nil {
		return fmt.Errorf("verify:\n%w", err)
	}
	if err = own.spellOut(options.Expect); err != nil {
		return fmt.Errorf("verify:\n%w", err)
	}
	options.Derived, options.Allowed = true, f.allowed
	var set *scratch.Set
	if f.target == "cluster" {
		if set, err = f.move(own); err != nil {
			return fmt.Errorf("verify:\n%w", err)
		}
		options.Sent = set.Sent
	}
	err = planAll(g.points, func(p *point) (*scenario.Run, error) {
		at := options
		at.Fail, at.Again = p.fail, again("verify", cmd.Flags(), nil, options.Seed, p.changed)
		return own.plan(at, f.pace())
	})
	if err != nil {
		return fmt.Errorf("verify:\n%w", err)
	}
	if len(own.phase.Cohorts) == 0 {
		return own.explain(cmd.OutOrStdout(), g.points[0].plan, f.noColor)
	}
	prepare := f.prepare
	if len(g.axes) > 0 {
		prepare = g.prepare
	}
	if err := prepare(); err != nil {
		return err
	}
	if err := openfiles.Check(uint64(own.openFiles(inFlight(g.points)))); err != nil {
		return failure{err}
	}
	return f.execute(cmd, g, own, set, options, undo)
}

// execute runs each plan on an embedded mesh of its own, or, with a set, in namespaces of its own on a cluster.
func (f *verifyFlags) execute(cmd *cobra.Command, g *grid, own *ownRules, set *scratch.Set, options scenario.Options, undo *atomic.Pointer[string]) error {
	stderr := cmd.ErrOrStderr()
	progress := stderr
	if f.quiet {
		progress = io.Discard
	}
	line := newProgressLine(progress, f.noProgress)
	measure := func(p *point) (*reports.Report, error) {
		on, err := f.prepareTarget(cmd.Context(), set, options.Seed, progress, undo)
		switch {
		case errors.Is(err, errEnded):
			return nil, err
		case err != nil:
			return nil, notBegun(cmd.Context(), stderr, err)
		}
		switch {
		case len(g.axes) == 0:
			own.announce(progress, p.plan, options.Seed, f.verbose)
		case p == &g.points[0]:
			g.announce(progress, own.phase.Title, on.Describe().Detail)
		}
		p.plan.Subscribe(line.handle)
		report := p.plan.Execute(cmd.Context(), on)
		line.clear()
		if report.Restored == reports.Restored {
			undo.Store(nil) // after a second signal there is nothing left to remove
		}
		report.Tool.Version = version()
		report.Command = p.changed.commandLine()
		report.Settings.Manifests = own.phase.Title
		report.Remarks = append(report.Remarks, own.remarks...)
		return report, nil
	}
	if len(g.axes) > 0 {
		return g.run(cmd, line, measure)
	}
	report, err := measure(&g.points[0])
	if err != nil {
		return err
	}
	return exitOf(report, f.allowInconclusive, stderr, f.deliver(context.WithoutCancel(cmd.Context()), cmd.OutOrStdout(), progress, stderr, report))
}

// prepareTarget starts an embedded mesh, or, with a set, makes namespaces for it on a cluster.
func (f *verifyFlags) prepareTarget(ctx context.Context, set *scratch.Set, seed uint64, progress io.Writer, undo *atomic.Pointer[string]) (target.Target, error) {
	if set != nil {
		return f.begin(ctx, set, progress, undo)
	}
	if err := protect(ctx); err != nil {
		return nil, err
	}
	m, err := mesh.New(mesh.Options{Seed: seed, Break: f.deviation, Sealed: true})
	if err != nil {
		return nil, fmt.Errorf("starting the embedded mesh: %w", err)
	}
	return m, nil
}

func (f *verifyFlags) check(set *pflag.FlagSet) error {
	problems := []error{f.deliveryFlags.check(set), f.scratchFlags.check(set, f.deviation, f.graph)}
	if len(f.files) == 0 && f.graph == "" {
		problems = append(problems, errors.New("no manifests: name files or folders with -f, or - for standard input, or a topology with --graph"))
	}
	if f.deviation != "" {
		problems = append(problems, checkBreak(f.deviation, nil, false))
	}
	return errors.Join(problems...)
}

// exitOf is the error with which the program ends after a report was delivered; err is the error of delivering it.
func exitOf(report *reports.Report, allowInconclusive bool, stderr io.Writer, err error) error {
	return exitWith(report.ExitCode(), allowInconclusive, stderr, err)
}

// exitWith is exitOf of a report with an exit code.
func exitWith(code int, allowInconclusive bool, stderr io.Writer, err error) error {
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
