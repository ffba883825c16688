package manifests

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// directory is a new directory with files by name.
func directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadDirectory(t *testing.T) {
	dir := directory(t, map[string]string{
		"retry.yaml": virtualServiceYAML("a", "x") + "---\n" + virtualServiceYAML("b", "x"),
		"canary.yml": virtualServiceYAML("c", "x"),
		"README.md":  "not ours",
	})
	stages, err := LoadDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[string]string{"retry": "VirtualService a, VirtualService b", "canary": "VirtualService c", "prod": ""} {
		if got := names(stages[stage]); got != want {
			t.Errorf("stage %s has %q, want %q", stage, got, want)
		}
	}
	if got := stages["canary"][0].File; got != filepath.Join(dir, "canary.yml") {
		t.Errorf("the object's file is %s", got)
	}
}

func TestLoadDirectoryProblems(t *testing.T) {
	const accepted = "accepted: egress.yaml, prod.yaml, retry.yaml, ingress.yaml, canary.yaml"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string // file: text
	}{
		"no stage's file": {map[string]string{"notes.txt": ""}, []string{": no stage's file in this directory; " + accepted}},
		"unknown names": {map[string]string{"retries.yaml": "", "x.yml": ""},
			[]string{"/retries.yaml: not a stage's file; " + accepted, "/x.yml: not a stage's file; " + accepted}},
		"empty":    {map[string]string{"retry.yaml": "# nothing\n"}, []string{"/retry.yaml: no objects in this file"}},
		"twice":    {map[string]string{"retry.yaml": virtualServiceYAML("a", "x"), "retry.yml": virtualServiceYAML("a", "x")}, []string{"/retry.yml: stage retry has another file, .yaml and .yml"}},
		"too long": {map[string]string{"retry.yaml": strings.Repeat("#", maxFile+10)}, []string{"/retry.yaml: 1048577 bytes; a manifest has at most 1048576"}},
		"all of all files": {map[string]string{"prod.yaml": "kind: 1", "retry.yaml": "- a"},
			[]string{"/prod.yaml:1: document 1: apiVersion: want a string", "/prod.yaml:1: document 1: kind: want a string",
				"/retry.yaml:1: document 1: not an object: want apiVersion, kind, metadata"}},
	} {
		dir := directory(t, c.files)
		_, err := LoadDirectory(dir)
		var problems Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: error %v, want Problems", name, err)
			continue
		}
		var got []string
		for _, p := range problems {
			got = append(got, strings.TrimPrefix(p.Error(), dir))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestLoadDirectoryUnreadable(t *testing.T) {
	if _, err := LoadDirectory(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that the directory does not exist", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "retry.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := LoadDirectory(dir)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(problems[0].Text, "is a directory") {
		t.Errorf("error %v, want the Problem that retry.yaml is a directory", err)
	}
}
