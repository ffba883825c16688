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

	"github.com/hellochaos/hellochaos/metrics"
	"github.com/hellochaos/hellochaos/openfiles"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/destination"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/traces"
	"github.com/hellochaos/hellochaos/scenarios"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/cluster"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// runFlags are the flags of the command run that no other package defines.
type runFlags struct {
	deliveryFlags
	manifests                     manifestFlags
	parameters                    parameterFlags
	deviation, target, metrics    string
	noProgress, allowInconclusive bool
	throughChange                 bool
	page                          bool
	cluster                       *cluster.Flags
	links                         linkFlags
	traces                        *traces.Flags
	sealed                        bool             // no call leaves this machine, since stand-ins answer everywhere
	tested                        *cluster.Cluster // the cluster that the run tests; nil for the embedded mesh
	shown                         *runPage         // nil without --page
}

func (f *runFlags) add(set *pflag.FlagSet) {
	f.deliveryFlags.add(set)
	f.parameters.add(set)
	set.StringVar(&f.target, "target", "mesh", "what the run tests: mesh (the embedded mesh, in this process) or cluster (a Kubernetes cluster with Istio)")
	f.manifests.add(set)
	set.StringVar(&f.deviation, "break", "", "`deviation`, a fault that the embedded mesh has on purpose, to see how the report shows it; 'hellochaos list breaks' explains each: "+breakNames(false)+", and, with files of yours, the bugs of Istio")
	set.BoolVar(&f.throughChange, "through-change", false, "keep the load on while the manifests of each stage are applied, and put back, and hold each call against the old rules or the new ones of its caller (docs/changes.md)")
	set.BoolVar(&f.page, "page", false, "serve a page on 127.0.0.1 that shows the run while it goes on, and print its address (docs/up.md)")
	set.BoolVar(&f.noProgress, "no-progress", false, "do not print a line of progress on a terminal")
	set.BoolVar(&f.quiet, "quiet", false, "print only the line with the verdict (or the report in the --format that you name), and warnings")
	set.BoolVar(&f.allowInconclusive, "allow-inconclusive", false, "end with exit code 0 instead of 3; the verdict in the report is still INCONCLUSIVE")
	f.cluster = cluster.AddFlags(set)
	f.cluster.AddRunFlags(set)
	f.cluster.AddWorkersFlags(set)
	set.StringVar(&f.metrics, "metrics-addr", "", "`HOST:PORT` at which Prometheus can read the metrics of the run while it runs")
	f.links.add(set)
	f.traces = traces.AddFlags(set)
}

// clusterFlags are the flags that are refused without --target cluster.
var clusterFlags = []string{"kubeconfig", "context", "namespace", "wait", "direct-url", "gateway-url", "prometheus-url", "take-over", "kiali-url", "tracing-url", "workers-on-cluster", "workers-image"}

// breakNames are the values of --break; without those that show with files alone, unless these are asked for.
func breakNames(files bool) string {
	var names []string
	for _, b := range mesh.Breaks() {
		if files || !b.OnlyFiles {
			names = append(names, b.Name)
		}
	}
	return strings.Join(names, ", ")
}

func runCommand(undo *atomic.Pointer[string]) *cobra.Command {
	flags := &runFlags{}
	var options *scenario.Flags
	cmd := &cobra.Command{
		Use:   "run STAGE…|all|FILE",
		Short: "test stages, and give a verdict on each",
		Long: `Apply the manifests of each stage, send requests through the services, hold each
request against what the manifests say that it must meet, and print a report
with a verdict: PASS, FAIL or INCONCLUSIVE.

The stages are egress, prod, retry, ingress and canary. Each is applied on top
of the stages before it. 'hellochaos list' says what each stage does. A FILE is
a scenario file of your own: its name ends in .yaml or .yml, or has a slash.

Words of the flags: a phase is the time in which one set of manifests is in
force. A call is a request from one service to the next; a proxy may send the
call several times, and each time is a try. With --cascade absorb, a service
whose own call failed still answers 200; with propagate it answers 500. A draw
is the random number that decides whether a try fails.`,
		Example: `  hellochaos run retry --fail 0.5
  hellochaos run all --fail 0.3 --out report
  hellochaos run retry --fail 0.1,0.3,0.5 --out grid
  hellochaos run all --api gateway
  hellochaos run retry -f reviews.yaml
  hellochaos run ./shop.yaml --set blue-weight=20
  hellochaos run retry --break one-retry-less
  hellochaos run retry --through-change
  hellochaos run retry --target cluster -n demo`,
		ValidArgs: append(scenarios.Names(), "all"),
		// f.plan reports unknown flags together with all other problems of the command line.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlagsHandling: pflag.PassUnknownFlagToArgs},
	}
	options = scenario.AddFlags(cmd.Flags())
	cmd.Flags().Lookup("fail").Usage += severalFails
	flags.add(cmd.Flags())
	addAPI(cmd, &flags.parameters.api)
	flags.parameters.acceptGrid(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args, options, undo) }
	return cmd
}

// run validates the command line, and executes its plan or those of its grid.
func (f *runFlags) run(cmd *cobra.Command, args []string, text *scenario.Flags, undo *atomic.Pointer[string]) error {
	g, connection, err := f.plan(cmd, args, text)
	if err != nil {
		return err
	}
	prepare := f.prepare
	if len(g.axes) > 0 {
		prepare = g.prepare
	}
	if err := prepare(); err != nil {
		return err
	}
	if err := f.checkOpenFiles(inFlight(g.points)); err != nil {
		return failure{err}
	}
	stderr := cmd.ErrOrStderr()
	progress := stderr
	if f.quiet {
		progress = io.Discard
	}
	served, err := serveMetrics(f.metrics, stderr)
	if err != nil {
		return failure{err}
	}
	defer served.close(stderr)
	if f.shown, err = f.servePage(cmd.Context(), g, stderr); err != nil {
		return failure{err}
	}
	defer f.shown.close(stderr)
	line := newProgressLine(progress, f.noProgress)
	measure := func(p *point) (*reports.Report, error) {
		on, err := f.prepareTarget(cmd.Context(), p.plan, g.seed, connection, stderr, undo)
		switch {
		case errors.Is(err, errEnded):
			return nil, err
		case err != nil:
			return nil, failure{err}
		}
		switch detail := on.Describe().Detail; {
		case len(g.axes) == 0:
			announce(progress, p.plan, args, detail, g.seed)
		case p == &g.points[0]:
			g.announce(progress, strings.Join(args, ", "), detail)
		}
		served.watch(p.plan)
		return f.measure(cmd, p, on, line, connection, undo), nil
	}
	if len(g.axes) > 0 {
		return g.run(cmd, line, measure)
	}
	report, err := measure(&g.points[0])
	if err != nil {
		return err
	}
	after := context.WithoutCancel(cmd.Context()) // an interrupted run has a report, too; each step of it has its own time limit
	return exitOf(report, f.allowInconclusive, stderr, f.deliver(after, cmd.OutOrStdout(), progress, stderr, report))
}

// measure executes the plan of a point on a target, and completes the report.
func (f *runFlags) measure(cmd *cobra.Command, p *point, on target.Target, line *progressLine, connection cluster.Options, undo *atomic.Pointer[string]) *reports.Report {
	p.plan.Subscribe(line.handle)
	report := p.plan.Execute(cmd.Context(), on)
	line.clear()
	if report.Restored == reports.Restored {
		undo.Store(nil) // after a second signal there is nothing left to put back
	}
	report.Tool.Version = version()
	report.Command = p.changed.commandLine()
	report.Settings.Manifests = f.manifests.names()
	after := context.WithoutCancel(cmd.Context()) // an interrupted run has a report, too; each step below has its own time limit
	f.links.link(after, f.tested, connection.PrometheusURL, report)
	to, _ := f.traces.Destinations() // check has reported what is wrong with them
	traces.Send(after, report, to)
	return report
}

// announced says how many requests a run sends: more than the least where a share that the mesh draws is not decided by then.
func announced(least, most int) string {
	switch {
	case most > least:
		return fmt.Sprintf("at least %s requests (at most %s)", render.Count(int64(least)), render.Count(int64(most)))
	case least == 1:
		return "1 request"
	}
	return render.Count(int64(least)) + " requests"
}

// announce prints what a run is about to do, what it cannot decide, and what is wrong with the manifests.
func announce(w io.Writer, plan *scenario.Run, args []string, target string, seed uint64) {
	requests, most, duration := plan.Requests()
	fmt.Fprintf(w, "testing %s on %s with seed %d: %s, in about %s\n", strings.Join(args, ", "), target, seed, announced(requests, most), max(duration.Round(time.Second), time.Second))
	for _, notice := range plan.Notices() {
		fmt.Fprintf(w, "note: %s\n", notice)
	}
	for _, finding := range plan.Findings() {
		fmt.Fprintf(w, "%s: %s\n", finding.Severity, render.Finding(&finding))
	}
}

// prepareTarget starts the embedded mesh, or checks the cluster and begins a run on it. It stores in undo the command that puts
// the cluster back.
func (f *runFlags) prepareTarget(ctx context.Context, plan *scenario.Run, seed uint64, connection cluster.Options, stderr io.Writer, undo *atomic.Pointer[string]) (target.Target, error) {
	if f.target == "mesh" {
		if err := protect(ctx); err != nil {
			return nil, err
		}
		m, err := mesh.New(mesh.Options{Seed: seed, Break: f.deviation, Sealed: f.sealed, Gradual: f.throughChange, Tries: f.shown.tries()})
		if err != nil {
			return nil, fmt.Errorf("starting the embedded mesh: %w", err)
		}
		return m, nil
	}
	connection.Gradual = f.throughChange
	c, err := connect(ctx, connection, nil)
	if err != nil {
		return nil, err
	}
	if err := protect(ctx); err != nil {
		return nil, err
	}
	sets := plan.Objects()
	if err := complain(stderr, c.Doctor(ctx, sets[len(sets)-1])); err != nil {
		return nil, err
	}
	run, err := c.Begin(ctx, sets)
	if err != nil {
		return nil, fmt.Errorf("the run on the cluster could not be started, and nothing was changed:\n%w", err)
	}
	f.tested = c
	command := run.RestoreCommand()
	undo.Store(&command)
	if connection.Workers > 0 {
		plan.SendBy(sendersOn(run))
	}
	return run, nil
}

// plan turns the command line into the plan of its only point, or those of a grid. Its error lists all problems of the command line.
func (f *runFlags) plan(cmd *cobra.Command, args []string, text *scenario.Flags) (*grid, cluster.Options, error) {
	set := cmd.Flags()
	if err := loadElsewhere(args); err != nil {
		return nil, cluster.Options{}, fmt.Errorf("run:\n%w", err)
	}
	args, unknown := splitUnknown(cmd, args)
	options, fails, flagProblems := text.Grid()
	connection, connectionProblems := f.cluster.Options()
	of, values, overrides, chosenProblems := choose(cmd, args, &f.manifests, &f.parameters)
	options.ThroughChange = f.throughChange
	g := &grid{deliveryFlags: &f.deliveryFlags, axes: axesOf(fails, f.parameters.axes), seed: options.Seed, allowInconclusive: f.allowInconclusive}
	var tooMany error
	g.points, tooMany = pointsOf(fails, g.axes, values)
	if err := errors.Join(unknown, flagProblems, chosenProblems, tooMany, connectionProblems, f.check(set, of), g.check(set), f.checkPage(len(g.axes) > 0)); err != nil {
		return nil, connection, fmt.Errorf("run:\n%w", err)
	}
	pace := scenario.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed}
	if f.target == "cluster" {
		pace = scenario.Pace{Capacity: cluster.Capacity, Timed: cluster.Timed}
	}
	options.AlsoExpect(of.Expect())
	f.sealed = of.StandIns
	err := planAll(g.points, func(p *point) (*scenario.Run, error) {
		phases, err := of.Phases(overrides, p.parameters)
		if err != nil {
			return nil, err
		}
		at := options
		at.Fail, at.Parameters, at.Again = p.fail, p.parameters, again("run", set, args, options.Seed, p.changed)
		return scenario.Plan(of.Name, phases, at, pace)
	})
	if err != nil {
		return nil, connection, fmt.Errorf("run:\n%w", err)
	}
	return g, connection, nil
}

// decisive are the flags, beside those of parameters, that decide what a request meets, and where.
var decisive = []string{"api", "fail", "hang", "cascade", "exclude", "split-tolerance", "manifests", "filename", "graph", "cases", "set", "break", "rate", "timeout",
	"target", "kubeconfig", "context", "namespace", "direct-url", "gateway-url", "take-over", "image", "shared-gateway", "workers-on-cluster", "workers-image"}

// again returns the command that sends a request of this run alone once more, by the name of the request. It is nil where the
// manifests came from standard input, which cannot be read again. c are the flags that have other values in this run.
func again(command string, set *pflag.FlagSet, args []string, seed uint64, c changed) func(string) string {
	words := []string{"hellochaos", command}
	for _, arg := range args {
		words = append(words, printable.Word(arg))
	}
	repeatable := true
	set.Visit(func(flag *pflag.Flag) {
		values := []string{flag.Value.String()}
		switch value := flag.Value.(type) {
		case pflag.SliceValue:
			values = value.GetSlice()
		}
		if !slices.Contains(decisive, flag.Name) && !isParameter(flag.Name) {
			return
		}
		for _, value := range values {
			value = c.value(flag.Name, value)
			repeatable = repeatable && (flag.Name != "filename" || value != "-")
			words = append(words, "--"+flag.Name+"="+printable.Word(destination.HideUserInfo(value)))
		}
	})
	if !repeatable {
		return nil
	}
	line := strings.Join(words, " ") + fmt.Sprintf(" --seed %d --request ", seed)
	return func(name string) string { return line + printable.Word(name) }
}

// splitUnknown separates the arguments from the unknown flags that pflag has passed among them. It takes the argument after an
// unknown flag for the value of the flag, unless it is the name of a stage.
func splitUnknown(cmd *cobra.Command, args []string) (rest []string, err error) {
	var problems []error
	value := false
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-"):
			name, _, _ := strings.Cut(arg, "=")
			suggestion := ofVerify(cmd, strings.TrimLeft(name, "-"))
			if bare := strings.TrimLeft(name, "-"); len(bare) > 1 && cmd.Flags().Lookup(bare) != nil {
				suggestion = ": a flag with a long name has two dashes, --" + bare
			} else if name, long := strings.CutPrefix(name, "--"); long {
				suggestion = instead(cmd, name)
			}
			problems = append(problems, fmt.Errorf("unknown flag: %s%s", arg, suggestion))
			value = !strings.Contains(arg, "=")
		case value && !slices.Contains(append(scenarios.Names(), "all"), arg):
			value = false
		default:
			rest = append(rest, arg)
			value = false
		}
	}
	return rest, errors.Join(problems...)
}

// check refuses what does not go together; of is nil where the command line names no scenario that there is.
func (f *runFlags) check(set *pflag.FlagSet, of *scenarios.Scenario) error {
	problems := []error{f.deliveryFlags.check(set), f.links.check()}
	if set.Changed("metrics-addr") {
		if err := metrics.CheckAddress(f.metrics); err != nil {
			problems = append(problems, fmt.Errorf("--metrics-addr %w", err))
		}
	}
	if f.deviation != "" {
		problems = append(problems, checkBreak(f.deviation, breakable(of), f.throughChange))
	}
	switch f.target {
	case "mesh":
		for _, name := range clusterFlags {
			if set.Changed(name) {
				problems = append(problems, fmt.Errorf("--%s: needs --target cluster", name))
			}
		}
	case "cluster":
		if f.throughChange && set.Changed("workers-on-cluster") {
			problems = append(problems, errors.New("--through-change: is not possible with --workers-on-cluster, since the load of a change leaves from one process"))
		}
		if f.deviation != "" {
			problems = append(problems, errors.New("--break: needs --target mesh, since only the embedded mesh can disobey the manifests on purpose"))
		}
		if of != nil && of.File != "" && of.After == "" {
			problems = append(problems, fmt.Errorf("--target cluster: %s has no after, so that it brings services of its own, and only those of the bundled stages are deployed on a cluster", of.File))
		}
	default:
		problems = append(problems, fmt.Errorf("--target %s: must be mesh or cluster%s", f.target, spelling.DidYouMean(f.target, []string{"mesh", "cluster"})))
	}
	if _, err := f.traces.Destinations(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// checkOpenFiles refuses a run for whose requests in flight this process may not have enough files and sockets open.
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

// breakable are the stages of which one must show a deviation; nil where nobody knows which do.
func breakable(of *scenarios.Scenario) []scenarios.Stage {
	if of == nil || of.File != "" {
		return nil
	}
	return of.Stages()
}

// checkBreak refuses the name of a deviation that does not exist, and a deviation that no stage of the run would show.
func checkBreak(name string, stages []scenarios.Stage, throughChange bool) error {
	for _, b := range mesh.Breaks() {
		switch {
		case b.Name != name:
		case b.OnlyChange && !throughChange:
			return fmt.Errorf("--break %s: only 'hellochaos run --through-change' shows this deviation", name)
		case len(stages) > 0 && !b.OnlyCompared && !b.OnlyChange && !b.OnlyPolicy && !b.OnlyFiles && !slices.ContainsFunc(stages, func(s scenarios.Stage) bool { return s.Name == b.Stage }):
			return fmt.Errorf("--break %s: only stage %s shows this deviation, and the run does not include it", name, b.Stage)
		default:
			return nil
		}
	}
	return fmt.Errorf("--break %s: must be one of %s%s", name, breakNames(true), spelling.DidYouMean(name, strings.Split(breakNames(true), ", ")))
}
