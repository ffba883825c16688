package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/gauge"
	"github.com/hellochaos/hellochaos/reports/destination"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/spelling"
)

// loadDelivery says how the report of an attack is printed, and where it is written.
type loadDelivery struct {
	deliveryFlags
}

// loadFormats are those in which the report of an attack is printed.
var loadFormats = func() (names []string) {
	for _, format := range load.Formats {
		names = append(names, format.Name)
	}
	return names
}()

func (f *loadDelivery) add(set *pflag.FlagSet) {
	set.StringVar(&f.out, "out", "", "`folder` to write the report into, in all formats (default: write no files)")
	set.BoolVar(&f.open, "open", false, "open the page that --out writes in the browser")
	set.StringVar(&f.format, "format", "text", "`format` to print the report in: "+strings.Join(loadFormats, ", "))
	set.BoolVar(&f.noColor, "no-color", false, "do not print colours on a terminal")
}

func (f *loadDelivery) check() error {
	if slices.Contains(loadFormats, f.format) {
		return f.checkOpen()
	}
	return errors.Join(f.checkOpen(), fmt.Errorf("--format %s: the report of an attack is printed as %s%s", f.format, strings.Join(loadFormats, ", "), spelling.DidYouMean(f.format, loadFormats)))
}

// deliver saves a report and then prints it. Users and passwords of URLs are in neither.
func (f *loadDelivery) deliver(stdout, progress io.Writer, report *load.Report) error {
	for i := range report.Targets {
		shown := destination.HideUserInfo(report.Targets[i].URL)
		for j := range report.ByTarget {
			if of := &report.ByTarget[j]; of.Name == report.Targets[i].Method+" "+report.Targets[i].URL {
				of.Name = report.Targets[i].Method + " " + shown
			}
		}
		report.Targets[i].URL = shown
	}
	var err error
	if f.out != "" {
		var written []string
		if written, err = load.Save(f.out, report); len(written) > 0 {
			fmt.Fprintf(progress, "the report was written to %s: %s\n", f.out, strings.Join(written, ", "))
			f.show(progress, progress, written)
		}
	}
	for _, format := range load.Formats {
		if format.Name == f.format && f.format != "text" {
			return errors.Join(err, format.Write(stdout, report))
		}
	}
	to, coloured := painted(stdout, f.noColor)
	return errors.Join(err, load.Text(to, report, coloured))
}

// readAttack reads the report of an attack, or a file of results in one of vegeta's formats. ok is false for everything else.
func readAttack(name string) (report *load.Report, ok bool, err error) {
	if report, ok, err = load.Load(name); ok {
		return report, true, err
	}
	if !attack.IsRecording(name) {
		return nil, false, nil
	}
	report, err = gauge.Recorded(name)
	if err == nil {
		report.Version = version()
	}
	return report, true, err
}
