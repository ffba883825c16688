package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// FileName is the name of a report in a run's folder.
const FileName = "report.json"

// Line ends within and between the bins of a histogram, as encoding/json indents them: in lists of two whole numbers, and
// before lists in lists. No text in JSON has a raw line end.
var (
	withinBin   = regexp.MustCompile(`\[\n +(\d+),\n +(\d+)\n +\]`)
	betweenBins = regexp.MustCompile(`,\n +\[`)
)

// JSON writes a report in the form of docs/report.schema.json, indented, but each histogram's bins on one line: they are
// most of its numbers.
func JSON(w io.Writer, r *Report) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(r)
	if err == nil {
		short := betweenBins.ReplaceAll(withinBin.ReplaceAll(text.Bytes(), []byte("[$1,$2]")), []byte(",["))
		_, err = w.Write(short)
	}
	if err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
}

// Save writes report.json into a folder, at once or not at all: an earlier report there stays whole until the new one is.
func Save(folder string, r *Report) error {
	file, err := os.CreateTemp(folder, FileName+".*")
	if err != nil {
		return fmt.Errorf("saving the report into %s: %w", folder, err)
	}
	defer os.Remove(file.Name()) // gone already when all went well
	err = JSON(file, r)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Chmod(file.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(folder, FileName))
	}
	if err != nil {
		return fmt.Errorf("saving the report into %s: %w", folder, err)
	}
	return nil
}
