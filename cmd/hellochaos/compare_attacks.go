package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/compare"
	"github.com/hellochaos/hellochaos/reports/load"
)

// attacks compares two reports of attacks, or files of results. ok is false where neither argument is one.
func (f *compareFlags) attacks(cmd *cobra.Command, args []string, options compare.Options) (ok bool, err error) {
	if len(args) != 2 || args[0] == "-" || args[1] == "-" {
		return false, nil
	}
	var sides [2]*load.Report
	found := 0
	for i, name := range args {
		report, is, err := readAttack(name)
		if is && err != nil {
			return true, fmt.Errorf("compare-reports:\n%w", err)
		}
		if sides[i] = report; is {
			found++
		}
	}
	switch found {
	case 0:
		return false, nil
	case 1:
		return true, fmt.Errorf("compare-reports: one of %s and %s is the report of an attack, and the other one is not", args[0], args[1])
	}
	if f.format != "text" && f.format != "json" {
		return true, fmt.Errorf("compare-reports: --format %s: a comparison of attacks is printed as text or json", f.format)
	}
	c := load.Compare(sides[0], sides[1], load.Margins{Share: options.Margin, Latency: options.LatencyMargin, LatencyFloor: options.LatencyFloor}, options.Strict)
	c.Old, c.New = args[0], args[1]
	if len(c.Mismatches) > 0 && !f.force {
		return true, fmt.Errorf("compare-reports: the attacks are not comparable:\n  %s\nwith --force they are compared nevertheless", strings.Join(c.Mismatches, "\n  "))
	}
	if f.format == "json" {
		err = c.JSON(cmd.OutOrStdout())
	} else {
		to, coloured := painted(cmd.OutOrStdout(), f.noColor)
		err = c.Text(to, coloured)
	}
	switch code := c.ExitCode(); {
	case err != nil:
		return true, failure{err}
	case code != reports.ExitPass:
		return true, exit(code)
	}
	return true, nil
}
