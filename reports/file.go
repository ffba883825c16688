package reports

import (
	"errors"
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
