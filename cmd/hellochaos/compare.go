package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/compare"
	"github.com/hellochaos/hellochaos/spelling"
)

// compareFlags are the flags of compare-reports that package compare does not define.
type compareFlags struct {
	format              string
	force, all, noColor bool
}

func compareCommand() *cobra.Command {
	flags := &compareFlags{}
	var options *compare.Flags
	cmd := &cobra.Command{
		Use:     "compare-reports OLD NEW",
		Aliases: []string{"compare"},
		Short:   "compare two saved reports of one scenario",
		Long: `Compare two reports of one scenario. Each metric of NEW is better or worse than
that of OLD (by more than a margin), the same (the difference is smaller than
the margin), or unclear (the reports have too few requests to decide).

Run both with the same --seed: then their requests draw the same failures, and
are compared one by one. A request that met something else is a difference.
Reports of other seeds, and those of hellochaos before schema 2, are compared as
two samples. Differences are printed with their confidence intervals, and with
p-values that Holm's method corrects for the number of metrics.

A report is a folder that 'hellochaos run --out' wrote, a JSON file, or - for
standard input, which only one of the two can be.

The versions, the machines and --break may differ between the two: these are
what one compares. The stages, the probabilities, the kind of target, the rate
and the manifests must be the same, or compare-reports refuses; with --force it
compares nevertheless.

Two reports of 'hellochaos attack', or two files of its results or of vegeta's,
are compared by their latencies, errors and rates.

The manifests of two reports of 'hellochaos verify' may differ: then their
rules are compared, by host and match, with what the old ones and the new ones
come to.

Exit codes:
  0  the same, or better
  1  worse
  2  wrong usage, or reports that cannot be compared
  3  unclear`,
		Example: `  hellochaos compare-reports old new
  hellochaos compare-reports old/report.json new/report.json --format markdown
  hellochaos compare-reports old new --margin 0.02 --latency-margin 10%`,
	}
	options = compare.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&flags.format, "format", "text", "what to print: "+compare.FormatNames())
	cmd.Flags().BoolVar(&flags.force, "force", false, "compare reports of different scenarios too; the output names the differences")
	cmd.Flags().BoolVar(&flags.all, "all", false, "list all metrics, also those that did not change")
	cmd.Flags().BoolVar(&flags.noColor, "no-color", false, "do not print colours on a terminal")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args, options) }
	return cmd
}

// run reads both reports, compares them, and prints the comparison.
func (f *compareFlags) run(cmd *cobra.Command, args []string, text *compare.Flags) error {
	options, problems := text.Options()
	format, ok := compare.FormatNamed(f.format)
	if !ok {
		problems = errors.Join(problems, fmt.Errorf("--format %s: must be one of %s%s", f.format, compare.FormatNames(), spelling.DidYouMean(f.format, strings.Split(compare.FormatNames(), ", "))))
	}
	if problems == nil {
		if ok, err := f.attacks(cmd, args, options); ok {
			return err
		}
	}
	sides, err := readPair(args, cmd.InOrStdin())
	if problems = errors.Join(problems, err); problems != nil {
		return fmt.Errorf("compare-reports:\n%w", problems)
	}
	c := compare.Of(sides[0], sides[1], options)
	c.Old.Name, c.New.Name = reportName(args[0]), reportName(args[1])
	if len(c.Mismatches) > 0 && !f.force {
		return fmt.Errorf("compare-reports: the reports are not comparable, because their scenarios differ:\n%s\nwith --force they are compared nevertheless", c.Refusal())
	}
	c.Forced = len(c.Mismatches) > 0
	stdout := cmd.OutOrStdout()
	if f.format == "text" {
		to, coloured := painted(stdout, f.noColor)
		err = compare.Text(to, c, f.all, coloured)
	} else {
		err = format.Write(stdout, c)
	}
	switch code := c.ExitCode(); {
	case err != nil:
		return failure{err}
	case code != reports.ExitPass:
		return exit(code)
	}
	return nil
}

// readPair reads the two reports that the arguments name.
func readPair(args []string, stdin io.Reader) (sides [2]*reports.Report, err error) {
	switch {
	case len(args) != 2:
		return sides, errors.New("name two reports, OLD and NEW: folders that 'run --out' wrote, files, or - for standard input")
	case args[0] == "-" && args[1] == "-":
		return sides, errors.New("OLD and NEW are both -, but standard input can be read only once: save one of the reports in a file")
	}
	var problems []error
	for i, name := range args {
		if sides[i], err = readReport(name, stdin); err != nil {
			problems = append(problems, err)
		}
	}
	return sides, errors.Join(problems...)
}

// reportName is the name by which a comparison calls the report of an argument.
func reportName(argument string) string {
	if argument == "-" {
		return "standard input"
	}
	return argument
}
