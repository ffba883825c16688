package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// forArchitectures are two binaries whose headers name different processors.
func forArchitectures(t *testing.T) (amd64, arm64 string) {
	t.Helper()
	as := func(machine elf.Machine) string {
		return changed(t, func(content []byte) { binary.LittleEndian.PutUint16(content[18:], uint16(machine)) }) // e_machine
	}
	return as(elf.EM_X86_64), as(elf.EM_AARCH64)
}

// The image of hellochaos is an index of one image for each architecture, and all its media types are OCI's.
func TestIndex(t *testing.T) {
	amd64, arm64 := forArchitectures(t)
	output := filepath.Join(t.TempDir(), "hellochaos.tar")
	printed := mustRun(t, "--program", "hellochaos", "--binary", arm64, "--binary", amd64, "--image", "hellochaos:v1", "--output", output)

	folder := t.TempDir()
	extract(t, output, folder)
	top, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "v1" || manifest.Manifests[0].Digest.String() != printed {
		t.Fatalf("the archive's index names %+v, want %s as v1 alone", manifest.Manifests, printed)
	}
	index, err := top.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	if manifest, err = index.IndexManifest(); err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		platforms = append(platforms, m.Platform.String())
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		checkCommandLine(t, image)
	}
	if got, want := strings.Join(platforms, " "), "linux/amd64 linux/arm64"; got != want {
		t.Errorf("the platforms are %s, want %s", got, want)
	}
}

// checkCommandLine checks how the program starts, and which files the image has besides it.
func checkCommandLine(t *testing.T, image v1.Image) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{User: "65532:65532", Entrypoint: []string{"/hellochaos"}, Env: []string{"HOME=/home/hellochaos"}, WorkingDir: "/home/hellochaos",
		Labels: map[string]string{"org.opencontainers.image.source": "https://github.com/hellochaos/hellochaos", "org.opencontainers.image.licenses": "Apache-2.0"}}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v; want 1", len(layers), err)
	}
	if got, err := layers[0].MediaType(); err != nil || got != types.OCILayer {
		t.Errorf("the layer's media type is %s, %v; want %s", got, err, types.OCILayer)
	}
	var files []string
	for reader := tar.NewReader(bytes.NewReader(uncompressed(t, layers[0]))); ; {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, fmt.Sprintf("%s %o %d:%d", header.Name, header.Mode, header.Uid, header.Gid))
		if strings.HasSuffix(header.Name, ".crt") {
			authorities, err := io.ReadAll(reader)
			if pool := x509.NewCertPool(); err != nil || !pool.AppendCertsFromPEM(authorities) || bytes.Count(authorities, []byte("BEGIN CERTIFICATE")) < 100 {
				t.Errorf("%s has %d certificates, %v; want 100 or more", header.Name, bytes.Count(authorities, []byte("BEGIN CERTIFICATE")), err)
			}
		}
	}
	if diff := cmp.Diff([]string{"etc/ssl/certs/ca-certificates.crt 644 0:0", "home/hellochaos/ 755 65532:65532", "tmp/ 1777 0:0", "hellochaos 755 0:0"}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// extract unpacks a tar of plain files.
func extract(t *testing.T, archive, folder string) {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for reader := tar.NewReader(file); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, header.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Neither the order of the flags --binary nor the time changes a byte of the archive.
func TestIndexDeterministic(t *testing.T) {
	amd64, arm64 := forArchitectures(t)
	folder := t.TempDir()
	first, second := filepath.Join(folder, "1.tar"), filepath.Join(folder, "2.tar")
	mustRun(t, "--program", "hellochaos", "--binary", amd64, "--binary", arm64, "--image", "hellochaos:v1", "--output", first)
	mustRun(t, "--program", "hellochaos", "--binary", arm64, "--binary", amd64, "--image", "hellochaos:v1", "--output", second)
	a, _ := os.ReadFile(first)
	b, _ := os.ReadFile(second)
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("archives of %d and %d bytes of the same binaries differ", len(a), len(b))
	}
}

func TestPushIndex(t *testing.T) {
	host := serveRegistry(t, "someone", "secret")
	folder := t.TempDir()
	t.Setenv("DOCKER_CONFIG", folder)
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte("someone:secret")))
	if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	amd64, arm64 := forArchitectures(t)
	image := host + "/hellochaos:v1"
	printed := mustRun(t, "--program", "hellochaos", "--binary", amd64, "--binary", arm64, "--image", image, "--push")
	tag, err := name.NewTag(image)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(tag, remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	if digest, err := index.Digest(); err != nil || digest.String() != printed {
		t.Errorf("the registry has %s, %v; printed was %s", digest, err, printed)
	}
}

func TestTwoBinariesOfOneArchitecture(t *testing.T) {
	var stdout, stderr bytes.Buffer
	output := filepath.Join(t.TempDir(), "image.tar")
	status := run(t.Context(), []string{"--binary", built, "--binary", built, "--image", "hello-service", "--output", output}, &stdout, &stderr)
	if status != 1 || !strings.Contains(stderr.String(), "second --binary for") {
		t.Errorf("status %d, stderr %q; want 1 and a refusal of the second binary", status, &stderr)
	}
	if _, err := os.Stat(output); !os.IsNotExist(err) {
		t.Errorf("an archive was written: %v", err)
	}
}
