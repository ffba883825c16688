package hellochaos_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// releaseServer is a gh whose downloads are the files beside it, and which writes down how it was called.
const releaseServer = `echo "$@" >>"$RELEASE/calls"
for argument in "$@"; do
  case $argument in checksums.txt | hellochaos_*) cp "$RELEASE"/$argument . ;; esac
done
`

// newRelease is a folder with the archive of a system and processor, its checksum and the program gh.
func newRelease(t *testing.T, archive string) string {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("hellochaos", "#!/bin/sh\necho \"hellochaos $1\"\n", 0o755)
	pack := exec.Command("tar", "-czf", archive, "hellochaos")
	pack.Dir = folder
	if said, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", pack, err, said)
	}
	content, err := os.ReadFile(filepath.Join(folder, archive))
	if err != nil {
		t.Fatal(err)
	}
	write("checksums.txt", fmt.Sprintf("%064d  another.tar.gz\n%x  %s\n", 0, sha256.Sum256(content), archive), 0o644)
	write("gh", "#!/bin/bash\n"+releaseServer, 0o755)
	return folder
}

// installRelease runs the script of action.yml on a runner, and returns the PATH that it adds, what it printed and its status.
func installRelease(t *testing.T, release string, runner ...string) (path, said string, status int) {
	t.Helper()
	temporary := t.TempDir()
	paths := filepath.Join(temporary, "path")
	command := exec.Command("hack/install-release.sh")
	command.Env = append([]string{"PATH=" + release + ":" + os.Getenv("PATH"), "RELEASE=" + release, "RUNNER_TEMP=" + temporary, "GITHUB_PATH=" + paths}, runner...)
	output, err := command.CombinedOutput()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		status = failed.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	added, err := os.ReadFile(paths)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(added)), string(output), status
}

func TestActionInstalls(t *testing.T) {
	for _, c := range []struct{ os, architecture, version, archive, download string }{
		{"Linux", "X64", "v0.1.0", "hellochaos_0.1.0_linux_amd64.tar.gz", "release download v0.1.0 --repo"},
		{"macOS", "ARM64", "", "hellochaos_0.2.0_darwin_arm64.tar.gz", "release download --repo"},
	} {
		t.Run(c.os, func(t *testing.T) {
			release := newRelease(t, c.archive)
			path, said, status := installRelease(t, release, "RUNNER_OS="+c.os, "RUNNER_ARCH="+c.architecture, "VERSION="+c.version)
			if status != 0 || !strings.Contains(said, "hellochaos version") {
				t.Fatalf("status %d, it printed\n%s", status, said)
			}
			if _, err := os.Stat(filepath.Join(path, "hellochaos")); err != nil {
				t.Errorf("the program is not in %q, which was added to the PATH: %v", path, err)
			}
			calls, err := os.ReadFile(filepath.Join(release, "calls"))
			if err != nil || !strings.HasPrefix(string(calls), c.download) {
				t.Errorf("gh was called with %q, %v; want %q", calls, err, c.download)
			}
		})
	}
}

// What is not the release's file is not installed.
func TestActionRefuses(t *testing.T) {
	const archive = "hellochaos_0.1.0_linux_amd64.tar.gz"
	for _, c := range []struct {
		name, os, architecture, want string
		spoil                        func(release string) error
	}{
		{"another content", "Linux", "X64", "does not have the checksum that the release has for it", func(release string) error {
			return os.WriteFile(filepath.Join(release, "checksums.txt"), fmt.Appendf(nil, "%064d  %s\n", 0, archive), 0o644)
		}},
		{"no checksum", "Linux", "X64", "does not have the checksum that the release has for it", func(release string) error {
			return os.WriteFile(filepath.Join(release, "checksums.txt"), fmt.Appendf(nil, "%064d  another.tar.gz\n", 0), 0o644)
		}},
		{"another system", "Plan9", "X64", "no release for the system Plan9", nil},
		{"another processor", "Linux", "ARM", "no release for the processor ARM", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			release := newRelease(t, archive)
			if c.spoil != nil {
				if err := c.spoil(release); err != nil {
					t.Fatal(err)
				}
			}
			path, said, status := installRelease(t, release, "RUNNER_OS="+c.os, "RUNNER_ARCH="+c.architecture, "VERSION=v0.1.0")
			if status != 1 || path != "" || !strings.Contains(said, c.want) {
				t.Errorf("status %d, added to the PATH %q, it printed\n%s\nwant 1, nothing, and %q", status, path, said, c.want)
			}
		})
	}
}
