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

		"kustomization.yaml": "resources: [retry.yaml]",
	})
	stages, remarks, err := LoadDirectory(dir, tutorial)
	if err != nil {
		t.Fatal(err)
	}
	if len(remarks) != 1 || !strings.HasPrefix(remarks[0], filepath.Join(dir, "kustomization.yaml")+" was passed over, since hellochaos does not run kustomize") {
		t.Errorf("remarks %q, want one about the kustomization", remarks)
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
	const accepted = "accepted: egress.yaml, prod.yaml, retry.yaml, ingress.yaml, canary.yaml; -f takes files of any name"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string // file: text
	}{
		"no stage's file": {map[string]string{"notes.txt": ""}, []string{": is a folder without the file of a stage; " + accepted}},
		"unknown names": {map[string]string{"retri.yaml": "", "x.yml": ""},
			[]string{"/retri.yaml: is not the file of a stage (did you mean \"retry\"?); " + accepted, "/x.yml: is not the file of a stage; " + accepted}},
		"empty":    {map[string]string{"retry.yaml": "# nothing\n"}, []string{"/retry.yaml: has no objects"}},
		"twice":    {map[string]string{"retry.yaml": virtualServiceYAML("a", "x"), "retry.yml": virtualServiceYAML("a", "x")}, []string{"/retry.yml: is a second file of stage retry: write either retry.yaml or retry.yml"}},
		"too long": {map[string]string{"retry.yaml": strings.Repeat("#", maxFile+10)}, []string{"/retry.yaml: is larger than the 1048576 bytes that a manifest may have"}},
		"all of all files": {map[string]string{"prod.yaml": "kind: 1", "retry.yaml": "- a"},
			[]string{"/prod.yaml:1: document 1: apiVersion: must be a string that is not empty", "/prod.yaml:1: document 1: kind: must be a string that is not empty",
				"/retry.yaml:1: document 1: is not an object: it must have apiVersion, kind and metadata"}},
	} {
		dir := directory(t, c.files)
		_, _, err := LoadDirectory(dir, tutorial)
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
	if _, _, err := LoadDirectory(filepath.Join(t.TempDir(), "absent"), tutorial); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that the directory does not exist", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "retry.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, _, err := LoadDirectory(dir, tutorial)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(problems[0].Text, "is a directory") {
		t.Errorf("error %v, want the Problem that retry.yaml is a directory", err)
	}
}

func TestLoadFiles(t *testing.T) {
	dir := directory(t, map[string]string{
		"b.yaml": virtualServiceYAML("b", "x"), "a.yml": virtualServiceYAML("a", "x"), "kustomization.yml": "resources: []", "notes.txt": "not ours",
		"c.json": `{"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": {"name": "c", "namespace": "shop"}, "spec": {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}}`,
	})
	if err := os.Mkdir(filepath.Join(dir, "more.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	objects, remarks, err := LoadFiles([]string{dir, "-"}, strings.NewReader(virtualServiceYAML("d", "x")))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(objects); got != "VirtualService a, VirtualService b, Sidecar c, VirtualService d" {
		t.Errorf("objects %s", got)
	}
	if objects[3].File != "standard input" {
		t.Errorf("the last object is of %q, want standard input", objects[3].File)
	}
	if len(remarks) != 2 || !strings.Contains(remarks[0], "kustomization.yml was passed over") || !strings.Contains(remarks[1], "Sidecar c") ||
		!strings.Contains(remarks[1], "is for namespace shop") {
		t.Errorf("remarks %q, want one of the kustomization and one of namespace shop", remarks)
	}
}

func TestLoadFilesProblems(t *testing.T) {
	dir := directory(t, map[string]string{"a.yaml": virtualServiceYAML("a", "x"), "again.yaml": "\n" + virtualServiceYAML("a", "y"), "bad.yaml": "kind: 1"})
	a, again, bad := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "again.yaml"), filepath.Join(dir, "bad.yaml")
	for _, c := range []struct{ names, want string }{
		{a + " " + again, again + ":2: VirtualService a: has the kind and name of the object in " + a + ":1: write an object once"},
		{a + " " + a, a + ": is named more than once: name it once"},
		{bad, bad + ":1: document 1: apiVersion: must be a string that is not empty\n" + bad + ":1: document 1: kind: must be a string that is not empty"},
		{"-", "standard input: has no objects"},
		{filepath.Join(dir, "none"), filepath.Join(dir, "none") + ": no such file or directory"},
		{"https://example.com/a.yaml", "https://example.com/a.yaml: is a URL, but -f takes files: download it to a file, or pipe it into '-f -'"},
		{"k/kustomization.yaml", "k/kustomization.yaml: is a file of kustomize, which hellochaos does not run: pipe the output of 'kubectl kustomize k' into '-f -'"},
	} {
		objects, _, err := LoadFiles(strings.Fields(c.names), strings.NewReader("# nothing\n"))
		if err == nil || err.Error() != c.want || objects != nil {
			t.Errorf("%s:\ngot  %v\nwant %s", c.names, err, c.want)
		}
	}
}
