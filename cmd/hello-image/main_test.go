package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// built is a program that is built as the Makefile builds hello-service. It is a small one, since an image compresses it and
// the race detector makes that ten times as slow; make image packs hello-service itself.
var built string

const smallProgram = "package main\n\nfunc main() { println(\"hello\") }\n"

func TestMain(m *testing.M) { os.Exit(withBinary(m)) }

func withBinary(m *testing.M) int {
	folder, err := os.MkdirTemp("", "hello-image")
	if err == nil {
		defer os.RemoveAll(folder)
		built = filepath.Join(folder, "hello-service")
		source := filepath.Join(folder, "main.go")
		if err = os.WriteFile(source, []byte(smallProgram), 0o600); err == nil {
			err = compile(built, source, "CGO_ENABLED=0", "GOOS=linux")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// compile builds a program of Go with the Makefile's flags.
func compile(output, source string, environment ...string) error {
	command := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", output, source)
	command.Env = append(os.Environ(), environment...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", command, err, output)
	}
	return nil
}

// mustRun runs the program and returns the digest that it prints.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), args, &stdout, &stderr); status != 0 {
		t.Fatalf("hello-image %q: status %d\n%s", args, status, &stderr)
	}
	_, digest, found := strings.Cut(strings.TrimSpace(stdout.String()), "@")
	if !found {
		t.Fatalf("stdout %q: want NAME@DIGEST", &stdout)
	}
	return digest
}

func digestOf(t *testing.T, image v1.Image) string {
	t.Helper()
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func TestArchive(t *testing.T) {
	output := filepath.Join(t.TempDir(), "image.tar")
	mustRun(t, "--binary", built, "--image", "hello-service:latest", "--output", output)
	info, err := os.Stat(output)
	if err != nil {
		t.Fatal(err)
	}
	if limit := int64(15e6); info.Size() > limit {
		t.Errorf("the archive has %d bytes, want at most %d", info.Size(), limit)
	}
	image, err := tarball.ImageFromPath(output, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{User: "65532:65532", Entrypoint: []string{"/hello-service"}, ExposedPorts: map[string]struct{}{"3000/tcp": {}}}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if got, want := []time.Time{config.Created.UTC(), config.History[0].Created.UTC()}, time.Unix(0, 0).UTC(); got[0] != want || got[1] != want {
		t.Errorf("created %v, want twice %v: the digest must not depend on the time", got, want)
	}
	machine, err := exec.Command("go", "env", "GOARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config.OS+"/"+config.Architecture, "linux/"+strings.TrimSpace(string(machine)); got != want {
		t.Errorf("platform %s, want %s", got, want)
	}
	checkFiles(t, image)
}

// checkFiles checks that the image has only the program, that every user may execute it, and that it has at most 15 MB.
func checkFiles(t *testing.T, image v1.Image) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v; want 1", len(layers), err)
	}
	reader := tar.NewReader(bytes.NewReader(uncompressed(t, layers[0])))
	header, err := reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%s %o %d:%d @%d", header.Name, header.Mode, header.Uid, header.Gid, header.ModTime.Unix()), "hello-service 755 0:0 @0"; got != want {
		t.Errorf("file %q, want %q", got, want)
	}
	got, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the image's program (%d bytes) is not the one packed (%d bytes)", len(got), len(want))
	}
	if len(got) > 15e6 {
		t.Errorf("the program has %d bytes, want at most 15000000", len(got))
	}
	if header, err := reader.Next(); err != io.EOF {
		t.Errorf("after the program: %v, %v; want nothing", header, err)
	}
}

// uncompressed is the tar of a layer. It must end in two empty blocks: Go's reader does not need them, but GNU tar does.
func uncompressed(t *testing.T, layer v1.Layer) []byte {
	t.Helper()
	reader, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(content)%512 != 0 || !bytes.HasSuffix(content, make([]byte, 1024)) {
		t.Errorf("the layer has %d bytes and does not end in two empty blocks of 512", len(content))
	}
	return content
}

// The same binary gives the same bytes, whatever the time and the times of its file are.
func TestDeterministic(t *testing.T) {
	folder := t.TempDir()
	copied := filepath.Join(folder, "copy")
	content, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(copied, time.Time{}, time.Now().Add(-1000*time.Hour)); err != nil {
		t.Fatal(err)
	}
	first, second := filepath.Join(folder, "1.tar"), filepath.Join(folder, "2.tar")
	one := mustRun(t, "--binary", built, "--image", "hello-service", "--output", first)
	two := mustRun(t, "--binary", copied, "--image", "hello-service", "--output", second)
	if one != two {
		t.Errorf("digests %s and %s of one binary", one, two)
	}
	a, _ := os.ReadFile(first)
	b, _ := os.ReadFile(second)
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("archives of %d and %d bytes of one binary differ", len(a), len(b))
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.tar.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The archive has the name and the tag by which Docker and containerd find the image.
func TestNames(t *testing.T) {
	for _, c := range []struct{ image, want string }{
		{"hello-service", "hello-service:latest"},
		{"127.0.0.1:5000/hello-service:v1", "127.0.0.1:5000/hello-service:v1"},
	} {
		output := filepath.Join(t.TempDir(), "image.tar")
		mustRun(t, "--binary", built, "--image", c.image, "--output", output)
		manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(output) })
		if err != nil {
			t.Fatal(err)
		}
		if got := manifest[0].RepoTags; len(got) != 1 || got[0] != c.want {
			t.Errorf("--image %s: archive names %v, want %s", c.image, got, c.want)
		}
	}
}

// A push uses docker's logins, and the registry then has the same image as an archive.
func TestPush(t *testing.T) {
	host := serveRegistry(t, "someone", "secret")
	image := host + "/demo/hello-service:v1"
	login := base64.StdEncoding.EncodeToString([]byte("someone:secret"))
	folder := t.TempDir()
	t.Setenv("DOCKER_CONFIG", folder)
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, login)
	if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	pushed := mustRun(t, "--binary", built, "--image", image, "--push")
	tag, err := name.NewTag(image)
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Image(tag, remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(got); err != nil {
		t.Error(err)
	}
	if digestOf(t, got) != pushed {
		t.Errorf("the registry has %s, printed was %s", digestOf(t, got), pushed)
	}
	archived := mustRun(t, "--binary", built, "--image", image, "--output", filepath.Join(folder, "image.tar"))
	if archived != pushed {
		t.Errorf("the archive holds %s, pushed was %s", archived, pushed)
	}
}

func TestPushWithoutLogin(t *testing.T) {
	host := serveRegistry(t, "someone", "secret")
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), []string{"--binary", built, "--image", host + "/hello-service", "--push"}, &stdout, &stderr)
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	for _, want := range []string{"pushing " + host + "/hello-service:latest", "docker login " + host} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, &stderr)
		}
	}
}

// serveRegistry serves a registry on loopback that lets one user in, and returns its address.
func serveRegistry(t *testing.T, user, password string) string {
	t.Helper()
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gotUser, gotPassword, _ := r.BasicAuth()
		if gotUser != user || gotPassword != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestWrongFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"--binary is missing", "neither --output nor --push", `--image is ""`}},
		{[]string{"--image", "Upper:case", "more"}, []string{`the arguments ["more"] are not accepted`, "--binary is missing", "neither", `--image is "Upper:case"`}},
		{[]string{"--colour"}, []string{"unknown flag: --colour"}},
		{[]string{"--program", "kubectl", "--binary", "b", "--image", "i", "--push"}, []string{`--program is "kubectl": it must be hello-service or hellochaos`}},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), c.args, &stdout, &stderr); status != 2 {
			t.Errorf("%q: status %d, want 2", c.args, status)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%q: stderr lacks %q:\n%s", c.args, want, &stderr)
			}
		}
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"--help"}, &stdout, &stderr); status != 0 || stderr.Len() > 0 {
		t.Errorf("status %d, stderr %q", status, &stderr)
	}
	for _, flag := range []string{"--binary", "--program", "--image", "--output", "--push"} {
		if !strings.Contains(stdout.String(), flag) {
			t.Errorf("help lacks %s:\n%s", flag, &stdout)
		}
	}
}

// A program that could not run in the image is refused, and nothing is written.
func TestUnfitBinaries(t *testing.T) {
	folder := t.TempDir()
	script := filepath.Join(folder, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	foreign := changed(t, func(content []byte) { binary.LittleEndian.PutUint16(content[18:], uint16(elf.EM_ALPHA)) }) // e_machine
	dynamic := changed(t, func(content []byte) {
		firstSegment := binary.LittleEndian.Uint64(content[32:]) // e_phoff, p_type
		binary.LittleEndian.PutUint32(content[firstSegment:], uint32(elf.PT_INTERP))
	})
	for _, c := range []struct{ binary, want string }{
		{script, "not a program for Linux"},
		{foreign, "it is for the processor EM_ALPHA"},
		{filepath.Join(folder, "absent"), "no such file"},
		{dynamic, "linked dynamically"},
	} {
		output := filepath.Join(folder, "image.tar")
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"--binary", c.binary, "--image", "hello-service", "--output", output}, &stdout, &stderr)
		if status != 1 || !strings.Contains(stderr.String(), c.want) || !strings.Contains(stderr.String(), c.binary) {
			t.Errorf("%s: status %d, stderr %q; want 1 and %q", c.binary, status, &stderr, c.want)
		}
		if _, err := os.Stat(output); !os.IsNotExist(err) {
			t.Errorf("%s: an archive was written: %v", c.binary, err)
		}
	}
}

// changed is a copy of the built program that differs in one field of its ELF header.
func changed(t *testing.T, change func(content []byte)) string {
	t.Helper()
	content, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	change(content)
	path := filepath.Join(t.TempDir(), "changed")
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// The Dockerfile makes an image with the same settings.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`^FROM scratch$`,
		`^COPY \S+ /hello-service$`,
		`^USER 65532:65532$`,
		`^EXPOSE 3000$`,
		`^ENTRYPOINT \["/hello-service"\]$`,
	} {
		if !regexp.MustCompile("(?m)" + want).Match(text) {
			t.Errorf("Dockerfile has no line %s:\n%s", want, text)
		}
	}
}
