package reports

import (
	"encoding/json"
	"fmt"
	"io"
)

// FileName is the name of a report in a run's folder.
const FileName = "report.json"

// JSON writes a report in the form of docs/report.schema.json.
func JSON(w io.Writer, r *Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
}
