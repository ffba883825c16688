package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// runFlags are the flags of run that no package owns.
type runFlags struct {
	out, format, manifests, deviation string
	noProgress, noColor               bool
}

func (f *runFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.out, "out", "", "`folder` to write report.json into (nothing is written without it)")
	set.StringVar(&f.format, "format", "text", "what to print: text|json")
	set.StringVar(&f.manifests, "manifests", "", "`folder` whose STAGE.yaml files replace the bundled ones")
	set.StringVar(&f.deviation, "break", "", "`deviation` of the embedded mesh, on purpose, to see the run say so: "+breakNames())
	set.BoolVar(&f.noProgress, "no-progress", false, "no progress line on a terminal")
	set.BoolVar(&f.noColor, "no-color", false, "no colours on a terminal")
}

func breakNames() string {
	var names []string
	for _, b := range mesh.Breaks() {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}

func runCommand() *cobra.Command {
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
  hellochaos run retry --break one-retry-less`,
		ValidArgs: append(manifests.StageNames(), "all"),
		// They are told with everything else that is wrong.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlagsHandling: pflag.PassUnknownFlagToArgs},
	}
	options = scenarios.AddFlags(cmd.Flags())
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args, options) }
	return cmd
}

// run validates everything, then starts the mesh, runs, and prints.
func (f *runFlags) run(cmd *cobra.Command, args []string, text *scenarios.Flags) error {
	plan, seed, err := f.plan(cmd.Flags(), args, text)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := os.MkdirAll(f.out, 0o755); err != nil {
			return fmt.Errorf("--out %s: %w", f.out, err)
		}
	}
	on, err := mesh.New(mesh.Options{Seed: seed, Break: f.deviation})
	if err != nil {
		return failure{fmt.Errorf("starting the embedded mesh: %w", err)}
	}
	stderr := cmd.ErrOrStderr()
	requests, duration := plan.Requests()
	fmt.Fprintf(stderr, "%s on the embedded mesh, seed %d: at most %d requests, about %s\n",
		strings.Join(args, ", "), seed, requests, duration.Round(time.Second))
	line := newProgressLine(stderr, f.noProgress)
	report := plan.Execute(cmd.Context(), on, line.show)
	line.clear()
	report.Tool.Version = version()
	report.Command = append([]string{"hellochaos"}, os.Args[1:]...)
	report.Settings.Manifests = f.manifests
	return f.deliver(cmd.OutOrStdout(), stderr, report)
}

// plan reads the command line; its error has every problem in it.
func (f *runFlags) plan(set *pflag.FlagSet, args []string, text *scenarios.Flags) (*scenarios.Run, uint64, error) {
	args, unknown := splitUnknown(args)
	options, flagProblems := text.Options()
	stages, stageProblem := scenarios.Choose(args)
	var overrides map[string][]manifests.Object
	var folderProblem error
	if f.manifests != "" {
		overrides, folderProblem = manifests.LoadDirectory(f.manifests)
	}
	if err := errors.Join(unknown, stageProblem, flagProblems, f.check(set, stages), folderProblem); err != nil {
		return nil, 0, fmt.Errorf("run:\n%w", err)
	}
	plan, err := scenarios.Plan(stages, options, mesh.Capacity, overrides)
	if err != nil {
		return nil, 0, fmt.Errorf("run:\n%w", err)
	}
	return plan, options.Seed, nil
}

// splitUnknown takes the flags that there are not, each with what looks like its value, out of the arguments.
func splitUnknown(args []string) (rest []string, err error) {
	var problems []error
	value := false
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-"):
			problems = append(problems, fmt.Errorf("unknown flag: %s", arg))
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
	var problems []error
	if f.format != "text" && f.format != "json" {
		problems = append(problems, fmt.Errorf("--format %s: must be text or json", f.format))
	}
	if f.deviation != "" {
		problems = append(problems, checkBreak(f.deviation, stages))
	}
	if set.Changed("out") && f.out == "" {
		problems = append(problems, errors.New(`--out "": must name a folder`))
	}
	return errors.Join(problems...)
}

// checkBreak refuses a deviation that there is not, or that none of the stages would show.
func checkBreak(name string, stages []scenarios.Stage) error {
	for _, b := range mesh.Breaks() {
		switch {
		case b.Name != name:
		case len(stages) > 0 && !slices.ContainsFunc(stages, func(s scenarios.Stage) bool { return s.Name == b.Stage }):
			return fmt.Errorf("--break %s: shows on stage %s, which is not named", name, b.Stage)
		default:
			return nil
		}
	}
	return fmt.Errorf("--break %s: must be one of %s", name, breakNames())
}

// deliver saves and prints a report, and ends with its exit code. It is saved first: whoever reads the output may stop
// reading.
func (f *runFlags) deliver(stdout, stderr io.Writer, report *reports.Report) error {
	var err error
	if f.out != "" {
		if err = reports.Save(f.out, report); err == nil {
			fmt.Fprintf(stderr, "report: %s\n", filepath.Join(f.out, reports.FileName))
		}
	}
	if f.format == "json" {
		err = errors.Join(err, reports.JSON(stdout, report))
	} else {
		err = errors.Join(err, reports.Text(stdout, report, !f.noColor && colourful(stdout)))
	}
	code := report.ExitCode()
	switch {
	case code == reports.ExitNotRestored:
		return exit(code)
	case err != nil:
		return failure{err}
	case code != reports.ExitPass:
		return exit(code)
	}
	return nil
}
