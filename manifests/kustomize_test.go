package manifests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder whose files kustomize changes is not what it looks like, so that it is refused; one that it only lists is read.
func TestKustomizedFolder(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a list":                {"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\npatches: []\nimages: [{name: a, newTag: b}]\n", ""},
		"nothing":               {"# nothing yet\n", ""},
		"changes":               {"resources: [a.yaml]\nnamespace: prod\nnamePrefix: x-\n", "its objects are changed by namespace, namePrefix"},
		"a patch by an alias":   {"resources: &r [a.yaml]\npatchesStrategicMerge: *r\n", "its objects are changed by patchesStrategicMerge"},
		"another folder":        {"resources: [a.yaml, ../base]\n", "its objects also come from ../base"},
		"an unknown field":      {"resources: [a.yaml]\nsomething: new\n", "its objects are changed by something"},
		"what is fetched":       {"resources: [github.com/a/b]\n", "its objects also come from github.com/a/b"},
		"a text that is broken": {"resources: [\n", "it is no YAML"},
		"a list of YAML":        {"[a]\n", "it has no fields"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "my shop")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"a.yaml": virtualServiceYAML("a", "x"), "patch.yaml": "kind: VirtualService\napiVersion: networking.istio.io/v1\nspec: {http: [{}]}\n", "kustomization.yml": c.text} {
				if c.want == "" && file == "patch.yaml" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "kustomization.yml")
			o, err := LoadOthers([]string{dir}, nil)
			objects, remarks, own := LoadFiles([]string{dir}, nil)
			if c.want == "" {
				if err != nil || own != nil || len(o.Objects) != 1 || len(objects) != 1 || len(o.Remarks) != 1 || o.Remarks[0] != remarks[0] || !strings.HasPrefix(remarks[0], path+" was passed over") {
					t.Errorf("LoadOthers: %v, %v; LoadFiles: %v; want one object and one remark", err, o, own)
				}
				return
			}
			refused := path + ": is a file of kustomize, which hellochaos does not run, and " + c.want + ": "
			if want := refused + "read what kustomize makes of it, as a file or from a pipe: kubectl kustomize '" + dir + "' | hellochaos verify -f -"; err == nil || err.Error() != want {
				t.Errorf("LoadOthers: %v, want %s", err, want)
			}
			if want := refused + "pipe the output of 'kubectl kustomize "; own == nil || !strings.HasPrefix(own.Error(), want) {
				t.Errorf("LoadFiles: %v, want %s…", own, want)
			}
		})
	}
}
