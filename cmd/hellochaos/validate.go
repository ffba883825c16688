package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/scenarios"
	scenario "github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target/mesh"
)

func validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE…",
		Short: "say all that is wrong with scenario files, and start nothing",
		Long: `Read scenario files and the manifests that they apply, and print everything that
is wrong with them at once, each with its file and line. Of a file that can be
run, print one line: what it has.

What the manifests do wrong is told by 'hellochaos plan'.`,
		Example: "  hellochaos validate shop.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("validate: name one or more scenario files")
			}
			var problems []error
			for _, file := range args {
				has, err := validate(file)
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: valid: %s\n", file, has)
				}
				if err != nil {
					problems = append(problems, err)
				}
			}
			if len(problems) > 0 {
				return fmt.Errorf("validate:\n%w", errors.Join(problems...))
			}
			return nil
		},
	}
}

// validate returns what a scenario file has, if it can be run. The error has all that is wrong.
func validate(file string) (has string, err error) {
	of, err := scenarios.OpenFile(file)
	if err != nil {
		return "", err
	}
	phases, err := of.Phases(nil, nil)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	options, _ := scenario.AddFlags(pflag.NewFlagSet("validate", pflag.ContinueOnError)).Options() // the defaults of a run are right
	options.AlsoExpect(of.Expect())
	if _, err := scenario.Plan(of.Name, phases, options, scenario.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed}); err != nil {
		return "", within(file, err)
	}
	return of.Summary(phases), nil
}

// within names the file in each line of an error that does not begin with it.
func within(file string, err error) error {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, file+":") {
			lines[i] = file + ": " + line
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}
