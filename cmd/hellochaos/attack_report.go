package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
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
	if kind, file, ok := strings.Cut(f.out, "="); ok && slices.Contains([]string{"json", "csv", "cloud", "influxdb", "statsd"}, kind) { // as with k6
		return fmt.Errorf("--out %s: is a folder for the report in all formats; --output %s writes a result for each request", f.out, file)
	}
	if slices.Contains(loadFormats, f.format) {
		return f.checkOpen()
	}
	hint := spelling.DidYouMean(f.format, loadFormats)
	if f.format == "http" { // of vegeta's targets
		hint = "; that of --targets is found by reading the file"
	}
	return errors.Join(f.checkOpen(), fmt.Errorf("--format %s: the report of an attack is printed as %s%s", f.format, strings.Join(loadFormats, ", "), hint))
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
	if isPrinted(name) {
		return nil, true, fmt.Errorf("%s: is what 'hellochaos attack' printed, and no file of results: attack prints its report itself, and --output r.bin writes results", name)
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

// stdinName is what messages call standard input.
const stdinName = "standard input"

// readAttackFrom does the same with standard input. Results are read twice, so that they are kept in a file meanwhile. Where ok is false, again
// has what was read.
func (f *deliveryFlags) readAttackFrom(stdin io.Reader) (report *load.Report, ok bool, again io.Reader, err error) {
	text, err := io.ReadAll(stdin)
	if err != nil {
		return nil, true, nil, fmt.Errorf("%s: %w", stdinName, err)
	}
	if printedHead.Match(text[:min(headBytes, len(text))]) && f.format == "text" && f.out == "" {
		return nil, true, nil, alreadyPrinted{text}
	}
	file, err := os.CreateTemp("", "hellochaos-report-")
	if err != nil {
		return nil, true, nil, err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, true, nil, err
	}
	report, ok, err = readAttack(file.Name())
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), file.Name(), stdinName))
	}
	if report != nil && report.Recording != "" {
		report.Recording = stdinName
	}
	return report, ok, bytes.NewReader(text), err
}

// printedHead is the first line of the report of an attack as text.
var printedHead = regexp.MustCompile(`^[A-Z-]+  .*\brequests? sent, `)

// headBytes is how much of a text is looked at for its first line.
const headBytes = 200

// alreadyPrinted is the error of standard input that is the report of an attack as text, which is asked for, as in 'hellochaos attack | hellochaos
// report', which users of vegeta type.
type alreadyPrinted struct{ text []byte }

func (alreadyPrinted) Error() string {
	return stdinName + " is the report itself, and is printed as it came: 'hellochaos attack' needs no report command behind it"
}

// isPrinted reports whether a file has the report of an attack as text, which is what a user of vegeta writes to a file.
func isPrinted(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false // a FIFO can be read only once
	}
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, headBytes)
	n, _ := io.ReadFull(file, head) // a shorter file is none
	return printedHead.Match(head[:n])
}
