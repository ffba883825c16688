package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
)

// FileName is the name of a report in a run's folder.
const FileName = "report.json"

// Line breaks within and between the bins of a histogram, where encoding/json writes them: in lists of two whole numbers, and before
// lists in lists. A string in JSON has no line break, so none is changed.
var (
	withinBin   = regexp.MustCompile(`\[\n +(\d+),\n +(\d+)\n +\]`)
	betweenBins = regexp.MustCompile(`,\n +\[`)
)

// JSON writes a report in the form of docs/report.schema.json, indented. The bins of each histogram are on one line, because most of
// the numbers of a report are bins.
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
