package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/reports"
)

func reportCommand() *cobra.Command {
	flags := &deliveryFlags{}
	cmd := &cobra.Command{
		Use:   "report DIR|FILE|-",
		Short: "render a saved report anew",
		Long: `Render a saved report, or one on standard input (-), as the run would have: in
another format, or with --out in all of them.

The exit code is 0 when it could be rendered, whatever its verdict is, and 2
when it is no report that can be read.`,
		Example: `  hellochaos report r1
  hellochaos report r1/report.json --format markdown
  hellochaos report r1 --out r1`,
	}
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return flags.render(cmd, args) }
	return cmd
}

// render reads the report that is named, and delivers it.
func (f *deliveryFlags) render(cmd *cobra.Command, args []string) error {
	var report *reports.Report
	err := errors.New("name one report: a folder that 'run --out' wrote, a file, or - for standard input")
	if len(args) == 1 {
		report, err = f.read(args[0], cmd.InOrStdin())
	}
	if err := errors.Join(err, f.check(cmd.Flags())); err != nil {
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

// read reads a report, and remembers the file that it is from.
func (f *deliveryFlags) read(name string, stdin io.Reader) (*reports.Report, error) {
	if name != "-" {
		f.source = name
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			f.source = filepath.Join(name, reports.FileName)
		}
	}
	return readReport(name, stdin)
}

// readReport reads the report of a run's folder, of a file, or of standard input, which - names.
func readReport(name string, stdin io.Reader) (*reports.Report, error) {
	if name != "-" {
		return reports.Load(name)
	}
	report, err := reports.Read(stdin)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return report, nil
}
