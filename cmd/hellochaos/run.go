package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/metrics"
	"github.com/hellochaos/hellochaos/openfiles"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/traces"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/cluster"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// runFlags are the flags of run that no package owns.
type runFlags struct {
	deliveryFlags
	manifests                     manifestFlags
	deviation, target, metrics    string
	noProgress, allowInconclusive bool
	cluster                       *cluster.Flags
	links                         linkFlags
	traces                        *traces.Flags
	held                          *cluster.Cluster // what is tested, if it is one
}

func (f *runFlags) add(set *pflag.FlagSet) {
	f.deliveryFlags.add(set)
	set.StringVar(&f.target, "target", "mesh", "what is tested: mesh (embedded, in this process) or cluster (by kubeconfig)")
	f.manifests.add(set)
	set.StringVar(&f.deviation, "break", "", "`deviation` of the embedded mesh, on purpose ('hellochaos list breaks'), to see the run say so: "+breakNames())
	set.BoolVar(&f.noProgress, "no-progress", false, "no progress line on a terminal")
	set.BoolVar(&f.quiet, "quiet", false, "print the verdict's line alone (or the --format named), and what went wrong")
	set.BoolVar(&f.allowInconclusive, "allow-inconclusive", false, "exit 0 instead of 3; the report still says inconclusive")
	f.cluster = cluster.AddFlags(set)
	f.cluster.AddRunFlags(set)
	set.StringVar(&f.metrics, "metrics-addr", "", "`HOST:PORT` to serve the run's Prometheus metrics on while it runs")
	f.links.add(set)
	f.traces = traces.AddFlags(set)
}

// clusterFlags are the flags that mean nothing without a cluster.
var clusterFlags = []string{"kubeconfig", "context", "namespace", "wait", "direct-url", "gateway-url", "prometheus-url", "take-over", "kiali-url", "tracing-url"}

func breakNames() string {
	var names []string
	for _, b := range mesh.Breaks() {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}

func runCommand(undo *atomic.Pointer[string]) *cobra.Command {
	flags := &runFlags{}
	var options *scenarios.Flags
	cmd := &cobra.Command{
		Use:   "run STAGE…|all",
		Short: "measure stages before and after, and give a verdict",
		Long: `Measure each stage before and after its manifests are applied, and compare with
what they predict.

The stages are egress, prod, retry, ingress and canary; each stands on those
before it. 'hellochaos list' says what they do.`,
		Example: `  hellochaos run retry --fail 0.5
  hellochaos run all --fail 0.3 --out report
  hellochaos run retry -f reviews.yaml
  hellochaos run retry --break one-retry-less
  hellochaos run retry --target cluster -n demo`,
		ValidArgs: append(manifests.StageNames(), "all"),
		// They are told with everything else that is wrong.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlagsHandling: pflag.PassUnknownFlagToArgs},
	}
	options = scenarios.AddFlags(cmd.Flags())
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args, options, undo) }
	return cmd
}

// run validates everything, then takes hold of the target, runs, and prints.
func (f *runFlags) run(cmd *cobra.Command, args []string, text *scenarios.Flags, undo *atomic.Pointer[string]) error {
	plan, seed, connection, err := f.plan(cmd, args, text)
	if err != nil {
		return err
	}
	if err := f.prepare(); err != nil {
		return err
	}
	if err := f.checkOpenFiles(plan.InFlight()); err != nil {
		return failure{err}
	}
	stderr := cmd.ErrOrStderr()
	told := stderr
	if f.quiet {
		told = io.Discard
	}
	served, err := serveMetrics(f.metrics, plan, stderr)
	if err != nil {
		return failure{err}
	}
	defer served.close(stderr)
	on, err := f.hold(cmd.Context(), plan, seed, connection, stderr, undo)
	switch {
	case errors.Is(err, errEnded):
		return err
	case err != nil:
		return failure{err}
	}
	requests, duration := plan.Requests()
	fmt.Fprintf(told, "%s on %s, seed %d: at most %d requests, about %s\n",
		strings.Join(args, ", "), on.Describe().Detail, seed, requests, duration.Round(time.Second))
	line := newProgressLine(told, f.noProgress)
	report := plan.Execute(cmd.Context(), on, line.show)
	line.clear()
	if report.Restored == reports.Restored {
		undo.Store(nil) // a second signal has nothing to tell any more
	}
	report.Tool.Version = version()
	report.Command = commandLine()
	report.Settings.Manifests = f.manifests.names()
	served.ended(report)
	after := context.WithoutCancel(cmd.Context()) // a run that was interrupted has a report too; what follows is bounded by itself
	f.links.link(after, f.held, connection.PrometheusURL, report)
	to, _ := f.traces.Destinations() // what is wrong with them was told before
	traces.Send(after, report, to)
	return f.end(stderr, f.deliver(after, cmd.OutOrStdout(), told, stderr, report), report)
}

// hold takes hold of the target that is to be tested.
func (f *runFlags) hold(ctx context.Context, plan *scenarios.Run, seed uint64, connection cluster.Options, stderr io.Writer, undo *atomic.Pointer[string]) (target.Target, error) {
	if f.target == "mesh" {
		if err := hold(ctx); err != nil {
			return nil, err
		}
		m, err := mesh.New(mesh.Options{Seed: seed, Break: f.deviation})
		if err != nil {
			return nil, fmt.Errorf("starting the embedded mesh: %w", err)
		}
		return m, nil
	}
	c, err := connect(ctx, connection, nil)
	if err != nil {
		return nil, err
	}
	if err := hold(ctx); err != nil {
		return nil, err
	}
	sets := plan.Objects()
	if err := complain(stderr, c.Doctor(ctx, sets[len(sets)-1])); err != nil {
		return nil, err
	}
	run, err := c.Begin(ctx, sets)
	if err != nil {
		return nil, fmt.Errorf("beginning a run on the cluster; nothing was changed:\n%w", err)
	}
	f.held = c
	command := run.RestoreCommand()
	undo.Store(&command)
	return run, nil
}

// plan reads the command line; its error has every problem in it.
func (f *runFlags) plan(cmd *cobra.Command, args []string, text *scenarios.Flags) (*scenarios.Run, uint64, cluster.Options, error) {
	set := cmd.Flags()
	args, unknown := splitUnknown(set, args)
	options, flagProblems := text.Options()
	connection, connectionProblems := f.cluster.Options()
	stages, stageProblem := scenarios.Choose(args)
	first := ""
	if len(stages) > 0 {
		first = stages[0].Name
	}
	overrides, manifestProblems := f.manifests.load(first, cmd.InOrStdin(), cmd.ErrOrStderr())
	if err := errors.Join(unknown, stageProblem, flagProblems, connectionProblems, f.check(set, stages), manifestProblems); err != nil {
		return nil, 0, connection, fmt.Errorf("run:\n%w", err)
	}
	pace := scenarios.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed}
	if f.target == "cluster" {
		pace = scenarios.Pace{Capacity: cluster.Capacity, Timed: cluster.Timed}
	}
	plan, err := scenarios.Plan(stages, options, pace, overrides)
	if err != nil {
		return nil, 0, connection, fmt.Errorf("run:\n%w", err)
	}
	return plan, options.Seed, connection, nil
}

// splitUnknown takes the flags that there are not, each with what looks like its value, out of the arguments.
func splitUnknown(set *pflag.FlagSet, args []string) (rest []string, err error) {
	var problems []error
	value := false
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-"):
			name, _, _ := strings.Cut(arg, "=")
			suggestion := ""
			if name, long := strings.CutPrefix(name, "--"); long {
				suggestion = nearestFlag(set, name)
			}
			problems = append(problems, fmt.Errorf("unknown flag: %s%s", arg, suggestion))
			value = !strings.Contains(arg, "=")
		case value && !slices.Contains(append(manifests.StageNames(), "all"), arg):
			value = false
		default:
			rest = append(rest, arg)
			value = false
		}
	}
	return rest, errors.Join(problems...)
}

func (f *runFlags) check(set *pflag.FlagSet, stages []scenarios.Stage) error {
	problems := []error{f.deliveryFlags.check(set), f.links.check()}
	if set.Changed("metrics-addr") {
		if err := metrics.CheckAddress(f.metrics); err != nil {
			problems = append(problems, fmt.Errorf("--metrics-addr %w", err))
		}
	}
	if f.deviation != "" {
		problems = append(problems, checkBreak(f.deviation, stages))
	}
	switch f.target {
	case "mesh":
		for _, name := range clusterFlags {
			if set.Changed(name) {
				problems = append(problems, fmt.Errorf("--%s: needs --target cluster", name))
			}
		}
	case "cluster":
		if f.deviation != "" {
			problems = append(problems, errors.New("--break: a cluster cannot be told to be wrong; it needs --target mesh"))
		}
	default:
		problems = append(problems, fmt.Errorf("--target %s: must be mesh or cluster%s", f.target, spelling.DidYouMean(f.target, []string{"mesh", "cluster"})))
	}
	if _, err := f.traces.Destinations(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// checkOpenFiles refuses a run with more requests in flight than this process may have files and sockets open for.
func (f *runFlags) checkOpenFiles(inFlight int) error {
	needs := mesh.OpenFiles
	if f.target == "cluster" {
		needs = cluster.OpenFiles
	}
	var few openfiles.TooFew
	err := openfiles.Check(uint64(needs(inFlight)))
	if !errors.As(err, &few) {
		return err
	}
	fits := 0
	for n := 1; n < inFlight && uint64(needs(n)) <= few.Allowed; n++ {
		fits = n
	}
	if fits == 0 {
		return fmt.Errorf("%w; nothing was started", err)
	}
	return fmt.Errorf("%w, or give the run --connections %d; nothing was started", err, fits)
}

// checkBreak refuses a deviation that there is not, or that none of the stages would show.
func checkBreak(name string, stages []scenarios.Stage) error {
	for _, b := range mesh.Breaks() {
		switch {
		case b.Name != name:
		case len(stages) > 0 && !b.OnlyCompared && !slices.ContainsFunc(stages, func(s scenarios.Stage) bool { return s.Name == b.Stage }):
			return fmt.Errorf("--break %s: shows on stage %s, which is not named", name, b.Stage)
		default:
			return nil
		}
	}
	return fmt.Errorf("--break %s: must be one of %s%s", name, breakNames(), spelling.DidYouMean(name, strings.Split(breakNames(), ", ")))
}

// end is how the program ends after a report was delivered, or was not.
func (f *runFlags) end(stderr io.Writer, err error, report *reports.Report) error {
	code := report.ExitCode()
	switch {
	case code == reports.ExitNotRestored:
		if err != nil {
			fmt.Fprintf(stderr, "hellochaos: %v\n", err)
		}
		return exit(code)
	case err != nil:
		return failure{err}
	case code == reports.ExitInconclusive && f.allowInconclusive, code == reports.ExitPass:
		return nil
	}
	return exit(code)
}
