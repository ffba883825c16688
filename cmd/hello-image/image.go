package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// architectures are Go's names of the processors that nodes have, by what an ELF header calls them.
var architectures = map[elf.Machine]string{
	elf.EM_X86_64:  "amd64",
	elf.EM_AARCH64: "arm64",
	elf.EM_S390:    "s390x",
	elf.EM_PPC64:   "ppc64le",
	elf.EM_RISCV:   "riscv64",
}

// build makes the image of the hello-service at path; the Dockerfile says the same. All its times are the Unix epoch, so
// that the digest depends on the binary alone. A binary that could not run there is an error.
func build(path string) (v1.Image, error) {
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the hello-service to pack: %w", err)
	}
	architecture, err := machine(binary)
	if err != nil {
		return nil, fmt.Errorf("%s can't be packed: %w; build it with CGO_ENABLED=0 GOOS=linux", path, err)
	}
	files, err := archive(binary)
	if err != nil {
		return nil, fmt.Errorf("packing %s: %w", path, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("packing %s: %w", path, err)
	}
	epoch := v1.Time{Time: time.Unix(0, 0).UTC()}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS:           "linux",
		Architecture: architecture,
		Created:      epoch,
		RootFS:       v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:         "65532:65532",
			Entrypoint:   []string{"/hello-service"},
			ExposedPorts: map[string]struct{}{"3000/tcp": {}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("configuring the image: %w", err)
	}
	return mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "hello-image", Created: epoch}})
}

// machine is the architecture of a Linux program that needs no file besides itself.
func machine(binary []byte) (string, error) {
	program, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return "", fmt.Errorf("it is no program for Linux: %w", err)
	}
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP {
			return "", fmt.Errorf("it is linked dynamically and the image has no libraries")
		}
	}
	architecture, known := architectures[program.Machine]
	if !known {
		return "", fmt.Errorf("its processor is %v, want one of amd64, arm64, ppc64le, riscv64, s390x", program.Machine)
	}
	return architecture, nil
}

// archive is the image's only layer: the program, owned by root and executable by all.
func archive(binary []byte) ([]byte, error) {
	var files bytes.Buffer
	writer := tar.NewWriter(&files)
	header := &tar.Header{Name: "hello-service", Mode: 0o755, Size: int64(len(binary)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := writer.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := writer.Write(binary); err != nil {
		return nil, err
	}
	return files.Bytes(), writer.Close()
}
