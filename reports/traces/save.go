package traces

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hellochaos/hellochaos/reports"
)

// Names of the files of a run's folder: OTLP JSON lines, as OpenTelemetry's file exporter writes them, and a list of spans as
// Zipkin's API takes and its page uploads it.
const (
	OTLPFileName   = "traces.otlp.jsonl"
	ZipkinFileName = "traces.zipkin.json"
)

// Save writes the traces of a report into a folder, each file at once or not at all. Without any sampled request there are no
// files, not even those of an earlier run.
func Save(folder string, r *reports.Report) error {
	all, _ := Of(r)
	return errors.Join(
		save(filepath.Join(folder, OTLPFileName), len(all) > 0, func(w io.Writer) error { return writeOTLP(w, all) }),
		save(filepath.Join(folder, ZipkinFileName), len(all) > 0, func(w io.Writer) error { return json.NewEncoder(w).Encode(zipkinSpans(all)) }))
}

func save(path string, wanted bool, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("saving traces into %s: %w", path, err)
		}
	}()
	if !wanted {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	err = errors.Join(write(file), file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}
