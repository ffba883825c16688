package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/reports/sweep"
)

func reportCommand() *cobra.Command {
	flags := &deliveryFlags{}
	cmd := &cobra.Command{
		Use:         "report DIR|FILE|-",
		Annotations: map[string]string{readsOthers: ""},
		Short:       "print a saved report in any format",
		Long: `Print a saved report as the run itself would have printed it, in the format that
--format names. With --out, also write it to files in all formats. The report is
a folder that 'hellochaos run --out' wrote, a JSON file, or - (standard input).

The folder of 'hellochaos attack --out' is printed, too, and so is a file of
results that 'hellochaos attack --output' or vegeta wrote (gob, JSON or CSV).

The exit code does not depend on the verdict: it is 0 if the report was printed,
and 2 if it could not be read.`,
		Example: `  hellochaos report r1
  hellochaos report r1/report.json --format markdown
  hellochaos report r1 --out r1
  hellochaos report results.bin`,
	}
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return flags.render(cmd, args) }
	return cmd
}

// render reads the report that the argument names, and prints or saves it.
func (f *deliveryFlags) render(cmd *cobra.Command, args []string) error {
	stdin := cmd.InOrStdin()
	if len(args) == 0 && isPiped(stdin) { // as vegeta does
		args = []string{"-"}
	}
	if len(args) == 1 {
		report, ok, err := readAttack(args[0])
		if args[0] == "-" {
			report, ok, stdin, err = f.readAttackFrom(stdin)
		}
		if already := (alreadyPrinted{}); errors.As(err, &already) && foreign(cmd) == nil {
			fmt.Fprintln(cmd.ErrOrStderr(), already)
			_, err := cmd.OutOrStdout().Write(already.text)
			return err
		}
		if ok {
			return f.renderAttack(cmd, report, err)
		}
	}
	var report *reports.Report
	err := errors.New("name one report: a folder that 'run --out' wrote, a file, or - for standard input")
	if len(args) == 1 {
		report, err = f.read(args[0], stdin)
	}
	if err := errors.Join(err, foreign(cmd), f.check(cmd.Flags())); err != nil {
		return fmt.Errorf("report:\n%w", err)
	}
	if err := f.prepare(); err != nil {
		return err
	}
	if err := f.deliver(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), cmd.ErrOrStderr(), report); err != nil {
		return failure{err}
	}
	return nil
}

// renderAttack prints or saves the report of an attack; err says why it could not be read.
func (f *deliveryFlags) renderAttack(cmd *cobra.Command, report *load.Report, err error) error {
	to := &loadDelivery{*f}
	if err := errors.Join(err, foreign(cmd), to.check()); err != nil {
		return fmt.Errorf("report:\n%w", err)
	}
	if err := to.prepare(); err != nil {
		return err
	}
	if err := to.deliver(cmd.OutOrStdout(), cmd.ErrOrStderr(), report); err != nil {
		return failure{err}
	}
	return nil
}

// read reads a report, and keeps the name of the file in f.source.
func (f *deliveryFlags) read(name string, stdin io.Reader) (*reports.Report, error) {
	if name != "-" {
		f.source = name
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			f.source = filepath.Join(name, reports.FileName)
		}
	}
	return readReport(name, stdin)
}

// readReport reads a report from the folder of a run, from a file, or from standard input, which is named by "-".
func readReport(name string, stdin io.Reader) (*reports.Report, error) {
	if name != "-" {
		report, err := reports.Load(name)
		if err != nil && sweep.IsFolder(name) {
			return nil, fmt.Errorf("%s: has the report of a grid, which is printed already (sweep.txt, sweep.html): name the folder of one of its points", name)
		}
		return report, err
	}
	report, err := reports.Read(stdin)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return report, nil
}
