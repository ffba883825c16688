package traces

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hellochaos/hellochaos/reports"
)

// The names of the files in a run's folder. The first has OTLP JSON lines, as OpenTelemetry's file exporter writes them. The second has
// a list of spans, which Zipkin's API and the upload on its page accept.
const (
	OTLPFileName   = "traces.otlp.jsonl"
	ZipkinFileName = "traces.zipkin.json"
)

// Save writes the traces of a report into a folder, and returns the names of the files that it wrote. A file with the same name is
// replaced only when the new one is complete. Without any sampled request it writes no file, and removes those of an earlier run.
func Save(folder string, r *reports.Report) (written []string, err error) {
	all, _ := Of(r)
	var problems []error
	for name, write := range map[string]func(io.Writer) error{
		OTLPFileName:   func(w io.Writer) error { return writeOTLP(w, all) },
		ZipkinFileName: func(w io.Writer) error { return json.NewEncoder(w).Encode(zipkinSpans(all)) },
	} {
		path := filepath.Join(folder, name)
		if len(all) == 0 {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				problems = append(problems, fmt.Errorf("removing the traces of an earlier run, %s: %w", path, err))
			}
			continue
		}
		if err := reports.WriteFile(path, write); err != nil {
			problems = append(problems, fmt.Errorf("saving traces into %s: %w", path, err))
			continue
		}
		written = append(written, name)
	}
	slices.Sort(written)
	return written, errors.Join(problems...)
}
