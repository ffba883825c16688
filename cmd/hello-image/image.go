package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// nobody is the user and the group as whom an image's program runs.
const nobody = 65532

// architectures are the names that Go gives to the processors of nodes, by the number of the processor in an ELF header.
var architectures = map[elf.Machine]string{
	elf.EM_X86_64:  "amd64",
	elf.EM_AARCH64: "arm64",
	elf.EM_S390:    "s390x",
	elf.EM_PPC64:   "ppc64le",
	elf.EM_RISCV:   "riscv64",
}

// epoch is the time of everything in an image, so that its digest depends on the program alone.
var epoch = time.Unix(0, 0).UTC()

// build makes the image of a program whose binary is the file at path, and returns the image and its architecture. It refuses a
// binary that could not run in the image.
func build(path string, p program) (v1.Image, string, error) {
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("reading the program to pack: %w", err)
	}
	architecture, err := machine(binary)
	if err != nil {
		return nil, "", fmt.Errorf("%s cannot be packed: %w; build it with CGO_ENABLED=0 GOOS=linux", path, err)
	}
	image, err := assemble(binary, architecture, p)
	if err != nil {
		return nil, "", fmt.Errorf("packing %s: %w", path, err)
	}
	return image, architecture, nil
}

// assemble makes the image of a binary.
func assemble(binary []byte, architecture string, p program) (v1.Image, error) {
	files, err := archive(append(p.files(), entry{name: p.name, mode: 0o755, content: binary}))
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithCompressedCaching, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS:           "linux",
		Architecture: architecture,
		Created:      v1.Time{Time: epoch},
		RootFS:       v1.RootFS{Type: "layers"},
		Config:       p.config(),
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "hello-image", Created: v1.Time{Time: epoch}}})
}

// join makes an index of the images of several architectures. A node takes from it the image of its own architecture.
func join(images map[string]v1.Image) v1.ImageIndex {
	var index v1.ImageIndex = empty.Index
	for _, architecture := range slices.Sorted(maps.Keys(images)) {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        images[architecture],
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	return index
}

// machine returns the architecture of a statically linked Linux program, and an error for any other file.
func machine(binary []byte) (string, error) {
	program, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return "", fmt.Errorf("it is not a program for Linux: %w", err)
	}
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP {
			return "", fmt.Errorf("it is linked dynamically, and the image has no libraries")
		}
	}
	architecture, known := architectures[program.Machine]
	if !known {
		return "", fmt.Errorf("it is for the processor %v, but must be for one of amd64, arm64, ppc64le, riscv64, s390x", program.Machine)
	}
	return architecture, nil
}

// entry is a file of an image, or a folder if its name ends in a slash.
type entry struct {
	name    string
	mode    int64
	owner   int // user and group
	content []byte
}

// archive packs the entries into a tar, which is the only layer of the image.
func archive(entries []entry) ([]byte, error) {
	var files bytes.Buffer
	writer := tar.NewWriter(&files)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Uid: e.owner, Gid: e.owner, Size: int64(len(e.content)), ModTime: epoch, Format: tar.FormatUSTAR}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil { // Close writes the end of the tar
		return nil, err
	}
	return files.Bytes(), nil
}
