package hellochaos_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// releaser is a goreleaser that makes what hack/release.sh goes on with.
const releaser = `mkdir -p dist/hellochaos_linux_amd64_v1 dist/hellochaos_linux_arm64_v8.0 dist/hellochaos_windows_amd64_v1
echo program | tee dist/hellochaos_linux_amd64_v1/hellochaos dist/hellochaos_linux_arm64_v8.0/hellochaos dist/hellochaos_windows_amd64_v1/hellochaos.exe >dist/checksums.txt
echo '{"project_name":"hellochaos","tag":"v0.1.0","version":"0.1.0","commit":"abc"}' >dist/metadata.json
`

// installer is a go that installs the releaser under the name of the module's program.
const installer = `if [ "$1" = install ]; then
  mkdir -p "$GOBIN"
  case "$*" in *goreleaser*) cp path/goreleaser "$GOBIN/goreleaser" ;; *) cp path/syft "$GOBIN/syft" ;; esac
fi
`

func newReleaseSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t, map[string]string{"go": installer, "goreleaser": releaser, "syft": ""})
	for _, tool := range []string{"mkdir", "cp", "tee", "sed", "find", "sort", "wc"} {
		real, err := exec.LookPath(tool)
		s.check(err)
		s.check(os.Symlink(real, filepath.Join(s.folder, "path", tool)))
	}
	return s
}

// A snapshot publishes nothing, a release pushes the image, too; both install their tools once.
func TestMakeRelease(t *testing.T) {
	install := []string{
		"go install -ldflags -s -w -X main.version=2.17.0 github.com/goreleaser/goreleaser/v2@v2.17.0",
		"go install -ldflags -s -w -X main.version=1.57.1 github.com/anchore/syft/cmd/syft@v1.57.1",
	}
	image := "go run ./cmd/hello-image --program hellochaos --binary dist/hellochaos_linux_amd64_v1/hellochaos --binary dist/hellochaos_linux_arm64_v8.0/hellochaos" +
		" --image ghcr.io/hellochaos/hellochaos:0.1.0 --output dist/hellochaos_0.1.0_image.tar"
	for _, c := range []struct {
		target string
		want   []string
	}{
		{"release-snapshot", []string{"goreleaser release --clean --snapshot", image}},
		{"release", []string{"goreleaser release --clean", image + " --push"}},
	} {
		t.Run(c.target, func(t *testing.T) {
			s := newReleaseSandbox(t)
			calls, said, status := s.make(c.target)
			if want := slices.Concat(install, c.want); status != 0 || !slices.Equal(calls, want) {
				t.Errorf("status %d, calls\n%s\nwant\n%s\nit printed\n%s", status, strings.Join(calls, "\n"), strings.Join(want, "\n"), said)
			}
			for _, want := range []string{`(?m)^8 +dist/checksums.txt$`, `(?m)^8 +dist/hellochaos_windows_amd64_v1/hellochaos.exe$`} {
				if !regexp.MustCompile(want).MatchString(said) {
					t.Errorf("no line %s is printed:\n%s", want, said)
				}
			}
			again, _, _ := s.make(c.target)
			if again = again[len(calls):]; !slices.Equal(again, c.want) {
				t.Errorf("the second time, calls\n%s\nwant\n%s", strings.Join(again, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// What goreleaser refuses ends the release before an image is made.
func TestMakeReleaseFails(t *testing.T) {
	s := newReleaseSandbox(t)
	s.check(os.WriteFile(filepath.Join(s.folder, "path", "goreleaser"), []byte(recorder+"exit 1\n"), 0o755))
	calls, said, status := s.make("release")
	if status == 0 || slices.ContainsFunc(calls, func(call string) bool { return strings.HasPrefix(call, "go run") }) {
		t.Errorf("status %d, calls\n%s\nit printed\n%s", status, strings.Join(calls, "\n"), said)
	}
}
