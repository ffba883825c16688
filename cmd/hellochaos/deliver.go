package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/traces"
	"github.com/hellochaos/hellochaos/spelling"
)

// deliveryFlags are the flags of where a report goes, and in which form.
type deliveryFlags struct {
	out, format string
	noColor     bool
	// quiet prints the verdict's line alone, unless a format was named.
	quiet, named bool
	// source is the file that the report was read from; it is left as it is.
	source string
}

func (f *deliveryFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.out, "out", "", "`folder` to write the report into, in all formats (nothing is written without it)")
	set.StringVar(&f.format, "format", "text", "what to print: "+reports.FormatNames())
	set.BoolVar(&f.noColor, "no-color", false, "no colours on a terminal")
}

func (f *deliveryFlags) check(set *pflag.FlagSet) error {
	var problems []error
	if _, ok := reports.FormatNamed(f.format); !ok {
		problems = append(problems, fmt.Errorf("--format %s: must be one of %s%s", f.format, reports.FormatNames(), spelling.DidYouMean(f.format, strings.Split(reports.FormatNames(), ", "))))
	}
	f.named = set.Changed("format")
	return errors.Join(problems...)
}

// prepare makes the folder, and looks whether a file can be written into it: what is wrong is told before anything is
// started.
func (f *deliveryFlags) prepare() error {
	if f.out == "" {
		return nil
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return fmt.Errorf("--out %s: the folder cannot be made: %w", f.out, err)
	}
	if err := reports.CanWrite(f.out); err != nil {
		return fmt.Errorf("--out %s: %w", f.out, err)
	}
	return nil
}

// save writes a report into the folder that was asked for, and where GitHub's Actions want it. told gets where it was saved,
// warned what went wrong beside it.
func (f *deliveryFlags) save(told, warned io.Writer, report *reports.Report) error {
	var err error
	if f.out != "" {
		var written, spans []string
		var unsaved error
		written, err = reports.Save(f.out, report, f.source)
		spans, unsaved = traces.Save(f.out, report)
		written, err = append(written, spans...), errors.Join(err, unsaved)
		if len(written) > 0 {
			fmt.Fprintf(told, "report: %s: %s\n", f.out, strings.Join(written, ", "))
		}
	}
	if summary := os.Getenv("GITHUB_STEP_SUMMARY"); summary != "" {
		if err := summarize(summary, report); err != nil {
			fmt.Fprintf(warned, "warning: the step summary was not written ($GITHUB_STEP_SUMMARY): %v\n", err)
		}
	}
	if f.quiet {
		for _, remark := range report.Remarks {
			fmt.Fprintf(warned, "warning: %s\n", remark)
		}
	}
	return err
}

// deliver saves a report and then prints it: whoever reads the output may stop reading. A signal does not end the saving in
// the middle, but the printing, which waits for that reader.
func (f *deliveryFlags) deliver(ctx context.Context, stdout, told, warned io.Writer, report *reports.Report) error {
	if err := hold(ctx); err != nil {
		return err
	}
	err := f.save(told, warned, report)
	release(ctx)
	return errors.Join(err, f.print(stdout, report))
}

// print writes the report in the format that was asked for.
func (f *deliveryFlags) print(w io.Writer, report *reports.Report) error {
	if f.quiet && !f.named {
		_, err := fmt.Fprintln(w, reports.Headline(report))
		return err
	}
	if f.format == "text" {
		to, coloured := painted(w, f.noColor)
		return reports.Text(to, report, coloured)
	}
	format, _ := reports.FormatNamed(f.format) // checked
	return format.Write(w, report)
}

// summarize appends a report to the summary of a step of GitHub's Actions, in one write: others append to the same file.
func summarize(file string, report *reports.Report) error {
	var text strings.Builder
	if err := reports.Markdown(&text, report); err != nil {
		return err
	}
	summary, err := os.OpenFile(filepath.Clean(file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = summary.WriteString(text.String() + "\n")
	return errors.Join(err, summary.Close())
}
