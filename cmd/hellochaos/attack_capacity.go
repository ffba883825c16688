package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/gauge"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/reports/render"
)

// searchRange reads --capacity; from is 0 where it was not given.
func (f *attackFlags) searchRange(cmd *cobra.Command) (from, to float64, err error) {
	if !cmd.Flags().Changed("capacity") {
		return 0, 0, nil
	}
	var problems []error
	var ok bool
	if from, to, ok = attack.ParseRange(f.capacity); !ok {
		problems = append(problems, fmt.Errorf("--capacity %s: must be two rates between which to search, the lower one first, such as 100..5000", f.capacity))
	}
	if len(f.expect) == 0 {
		problems = append(problems, errors.New("--capacity: needs an expectation, such as --expect 'p99 <= 250ms'"))
	}
	for _, flag := range []string{"rate", "requests", "workers", "warmup", "replay", "poisson", "output", "out"} {
		if cmd.Flags().Changed(flag) {
			problems = append(problems, fmt.Errorf("--%s: has no meaning with --capacity, which sends many attacks, each for --duration", flag))
		}
	}
	if f.format != "text" && f.format != "json" {
		problems = append(problems, fmt.Errorf("--format %s: a search for the capacity is printed as text or json", f.format))
	}
	return from, to, errors.Join(problems...)
}

// search searches for the highest rate at which the expectations hold, and prints what it found.
func (f *attackFlags) search(cmd *cobra.Command, args []string, a *gauge.Attack, from, to float64) error {
	if err := protect(cmd.Context()); err != nil {
		return err
	}
	stderr := cmd.ErrOrStderr()
	fmt.Fprintf(stderr, "searching the highest rate from %g/s to %g/s at which %s: %s\n", from, to, strings.Join(f.expect, ", "), f.about(args))
	c, err := gauge.Capacity(cmd.Context(), a.Options(), from, to, func(s load.Step) {
		fmt.Fprintf(stderr, "%.5g/s: %s, p99 %s\n", s.Rate, s.Verdict, render.Duration(s.P99))
	})
	if err != nil {
		return fmt.Errorf("attack:\n%w", err)
	}
	unprotect(cmd.Context())
	c.Version, c.Target = version(), f.about(args)
	if f.format == "json" {
		err = c.JSON(cmd.OutOrStdout())
	} else {
		out, coloured := painted(cmd.OutOrStdout(), f.noColor)
		err = c.Text(out, coloured)
	}
	if err != nil {
		return failure{err}
	}
	if code := c.ExitCode(); code != reports.ExitPass {
		return exit(code)
	}
	return nil
}
