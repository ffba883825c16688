package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/reports/traces"
	"github.com/hellochaos/hellochaos/spelling"
)

// deliveryFlags are the flags that say where a report is written, and in which format.
type deliveryFlags struct {
	out, format string
	noColor     bool
	// open opens the page in the user's browser.
	open bool
	// verbose prints every branch, prediction and interval.
	verbose bool
	// quiet prints only the line with the verdict, unless the user named a format, which named says.
	quiet, named bool
	// source is the file from which the report was read. Saving the report does not change it.
	source string
}

func (f *deliveryFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.out, "out", "", "`folder` to write the report into, in all formats (default: write no files)")
	set.BoolVar(&f.open, "open", false, "open the page that --out writes in the browser")
	set.StringVar(&f.format, "format", "text", "`format` to print the report in: "+render.FormatNames())
	set.BoolVarP(&f.verbose, "verbose", "v", false, "print every check, prediction and interval")
	set.BoolVar(&f.noColor, "no-color", false, "do not print colours on a terminal")
}

func (f *deliveryFlags) check(set *pflag.FlagSet) error {
	problems := []error{f.checkOpen()}
	if _, ok := render.FormatNamed(f.format); !ok {
		problems = append(problems, fmt.Errorf("--format %s: must be one of %s%s", f.format, render.FormatNames(), spelling.DidYouMean(f.format, strings.Split(render.FormatNames(), ", "))))
	}
	f.named = set.Changed("format")
	return errors.Join(problems...)
}

// show names the page among the files that were written, and opens it in the browser where the user wants that.
func (f *deliveryFlags) show(progress, warnings io.Writer, written []string) {
	at := slices.IndexFunc(written, func(name string) bool { return filepath.Ext(name) == ".html" })
	if at < 0 {
		return
	}
	page := filepath.Join(f.out, written[at])
	if !f.open {
		fmt.Fprintf(progress, "to read it in a browser, open %s\n", page)
		return
	}
	path, err := filepath.Abs(page)
	if err == nil {
		err = browse((&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String())
	}
	if err != nil {
		fmt.Fprintf(warnings, "warning: no browser could be started, so that %s was not opened: %v\n", page, err)
	}
}

// checkOpen refuses --open without a file that could be opened.
func (f *deliveryFlags) checkOpen() error {
	if f.open && f.out == "" {
		return errors.New("--open: the browser reads the page from a file: name a folder with --out")
	}
	return nil
}

// prepare makes the folder and checks that files can be written into it, so that a problem is reported before anything is
// started.
func (f *deliveryFlags) prepare() error {
	if f.out == "" {
		return nil
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return fmt.Errorf("--out %s: the folder cannot be made: %w", f.out, err)
	}
	if err := render.CanWrite(f.out); err != nil {
		return fmt.Errorf("--out %s: %w", f.out, err)
	}
	return nil
}

// save writes a report into the folder that the user named, and into the step summary of GitHub's Actions where there is one.
// It prints the names of the files to progress, and to warnings what went wrong without making the report incomplete.
func (f *deliveryFlags) save(progress, warnings io.Writer, report *reports.Report) error {
	var err error
	if f.out != "" {
		var written, spans []string
		var unsaved error
		written, err = render.Save(f.out, report, f.source)
		spans, unsaved = traces.Save(f.out, report)
		written, err = append(written, spans...), errors.Join(err, unsaved)
		if len(written) > 0 {
			fmt.Fprintf(progress, "the report was written to %s: %s\n", f.out, strings.Join(written, ", "))
			f.show(progress, warnings, written)
		}
	}
	if summary := os.Getenv("GITHUB_STEP_SUMMARY"); summary != "" {
		if err := appendTo(summary, func(w io.Writer) error { return render.Markdown(w, report) }); err != nil {
			fmt.Fprintf(warnings, "warning: the step summary ($GITHUB_STEP_SUMMARY) was not written: %v\n", err)
		}
	}
	if f.quiet {
		for _, remark := range report.Remarks {
			fmt.Fprintf(warnings, "warning: %s\n", remark)
		}
	}
	return err
}

// deliver saves a report and then prints it. It saves first because the reader of the output may stop reading. A signal does
// not interrupt the saving, but it interrupts the printing, which may wait for that reader for ever.
func (f *deliveryFlags) deliver(ctx context.Context, stdout, progress, warnings io.Writer, report *reports.Report) error {
	if err := protect(ctx); err != nil {
		return err
	}
	err := f.save(progress, warnings, report)
	unprotect(ctx)
	return errors.Join(err, f.print(stdout, report))
}

// print writes the report in the format that the user chose.
func (f *deliveryFlags) print(w io.Writer, report *reports.Report) error {
	if f.quiet && !f.named {
		_, err := fmt.Fprintln(w, render.Headline(report))
		return err
	}
	if f.format == "text" {
		to, coloured := painted(w, f.noColor)
		return render.Text(to, report, render.TextOptions{Colour: coloured, Columns: columns(w), Verbose: f.verbose})
	}
	format, _ := render.FormatNamed(f.format) // check has refused an unknown name
	return format.Write(w, report)
}

// appendTo appends a text to the step summary of GitHub's Actions. It makes one write, because other programs append to the same file.
func appendTo(file string, write func(io.Writer) error) error {
	var text strings.Builder
	if err := write(&text); err != nil {
		return err
	}
	summary, err := os.OpenFile(filepath.Clean(file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = summary.WriteString(text.String() + "\n")
	return errors.Join(err, summary.Close())
}
