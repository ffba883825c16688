package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/scenarios"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// planFlags are the flags of the command plan that no other package defines.
type planFlags struct {
	manifests  manifestFlags
	parameters parameterFlags
	noColor    bool
	through    bool
}

func planCommand() *cobra.Command {
	flags := &planFlags{}
	cmd := &cobra.Command{
		Use:   "plan STAGE…|all|FILE…",
		Short: "say what a run would do, and start nothing",
		Long: `Print what 'hellochaos run' would do with the same stages or scenario file on
the embedded mesh: the manifests that it applies, the requests that it sends,
how often each call is predicted to fail, which requests meet each case of each
rule, and what is wrong with the manifests. Nothing is started.

Exit code 1 means that there is an error among the findings.`,
		Example: `  hellochaos plan retry --fail 0.5
  hellochaos plan shop.yaml`,
		ValidArgs: append(scenarios.Names(), "all"),
		// plan reports unknown flags together with all other problems of the command line.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlagsHandling: pflag.PassUnknownFlagToArgs},
	}
	options := scenario.AddFlags(cmd.Flags())
	flags.parameters.add(cmd.Flags())
	addAPI(cmd, &flags.parameters.api)
	flags.manifests.add(cmd.Flags())
	cmd.Flags().BoolVar(&flags.through, "through-change", false, "also say what 'hellochaos run --through-change' applies, step by step, while it keeps the load on (docs/changes.md)")
	cmd.Flags().BoolVar(&flags.noColor, "no-color", false, "do not print colours on a terminal")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		args, unknown := splitUnknown(cmd, args)
		chosen := [][]string{args}
		if len(args) > 1 && !slices.ContainsFunc(args, func(arg string) bool { return !scenarios.IsFile(arg) }) {
			chosen = nil
			for _, file := range args {
				chosen = append(chosen, []string{file})
			}
		}
		return flags.run(cmd, chosen, options, unknown)
	}
	return cmd
}

// run plans each of the scenarios that are chosen, and prints the plans when none has a problem.
func (f *planFlags) run(cmd *cobra.Command, chosen [][]string, text *scenario.Flags, unknown error) error {
	options, err := text.Options()
	problems := []error{unknown, err}
	var plans []*reports.Plan
	for _, args := range chosen {
		plan, err := f.plan(cmd, args, options)
		plans, problems = append(plans, plan), append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("plan:\n%w", err)
	}
	wrong := false
	to, coloured := painted(cmd.OutOrStdout(), f.noColor)
	for i, plan := range plans {
		if i > 0 {
			fmt.Fprintln(to)
		}
		if err := render.Plan(to, plan, render.TextOptions{Colour: coloured, Columns: columns(cmd.OutOrStdout())}); err != nil {
			return failure{err}
		}
		wrong = wrong || slices.ContainsFunc(plan.Findings, func(found reports.Finding) bool { return found.Severity == reports.SeverityError })
	}
	if wrong {
		return exit(reports.ExitFail)
	}
	return nil
}

// plan is what a run of some stages, or of a file, would do.
func (f *planFlags) plan(cmd *cobra.Command, args []string, options scenario.Options) (*reports.Plan, error) {
	of, values, overrides, err := choose(cmd, args, &f.manifests, &f.parameters)
	if err != nil {
		return nil, err
	}
	phases, err := of.Phases(overrides, values)
	if err != nil {
		return nil, err
	}
	options.Parameters, options.ThroughChange = values, f.through
	options.AlsoExpect(of.Expect())
	run, err := scenario.Plan(of.Name, phases, options, scenario.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed})
	if err != nil {
		return nil, err
	}
	return run.Outline(), nil
}
