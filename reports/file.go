package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile writes a temporary file in the folder of path, and renames it to path when it is complete.
func WriteFile(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // The file has this name only if something failed.
	err = errors.Join(write(file), file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}

// CanWrite returns nil where files with some names can be written into a folder, and else the reason: the folder is on a read-only file
// system, belongs to another user, or has a folder with one of the names.
func CanWrite(folder string, names []string) error {
	probe, err := os.CreateTemp(folder, names[0]+".*")
	if err != nil {
		return fmt.Errorf("no file can be written into the folder: %w", cause(err))
	}
	problems := []error{probe.Close(), os.Remove(probe.Name())}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.IsDir() {
			problems = append(problems, fmt.Errorf("%s in the folder is itself a folder, so that the report cannot be written there", name))
		}
	}
	return errors.Join(problems...)
}
