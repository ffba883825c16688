package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
