package manifests

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
	"go.yaml.in/yaml/v3"
)

// kustomizations are the names of the files that kustomize reads in a folder.
var kustomizations = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// withoutEffect are the fields of a kustomization that change nothing about where a request goes: those that every object has, resources,
// which kustomization looks into, and those that make or name what no mesh looks at for a request. Every other field may change the
// objects, also one that a later kustomize adds.
var withoutEffect = []string{"apiVersion", "kind", "metadata", "resources", "images", "configMapGenerator", "secretGenerator", "generatorOptions",
	"sortOptions", "buildMetadata"}

// kustomization is what a file of kustomize makes of the objects of its folder beyond listing them: "namespace and namePrefix change its
// objects". It is empty where the files of the folder are what kustomize prints, or more than that.
func kustomization(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "it cannot be read: " + cause(err).Error()
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return "it cannot be read: " + cause(err).Error()
	}
	var fields yaml.Node
	if err := yaml.Unmarshal(data, &fields); err != nil {
		return "it is no YAML"
	}
	if len(fields.Content) == 0 {
		return ""
	}
	mapping := fields.Content[0]
	if mapping.Kind != yaml.MappingNode {
		return "it has no fields"
	}
	var changing, elsewhere []string
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		name, value := mapping.Content[i].Value, mapping.Content[i+1]
		switch empty := value.Tag == "!!null" || (value.Kind == yaml.SequenceNode || value.Kind == yaml.MappingNode) && len(value.Content) == 0; {
		case empty:
		case name == "resources":
			elsewhere = outsideOf(filepath.Dir(path), value.Content)
		case !slices.Contains(withoutEffect, name):
			changing = append(changing, name)
		}
	}
	switch {
	case len(changing) > 0:
		return "its objects are changed by " + strings.Join(changing, ", ")
	case len(elsewhere) > 0:
		return "its objects also come from " + strings.Join(elsewhere, ", ")
	}
	return ""
}

// outsideOf are the resources that are not in a folder: those of another one, and those that kustomize fetches.
func outsideOf(dir string, resources []*yaml.Node) (all []string) {
	for _, r := range resources {
		if _, err := os.Stat(filepath.Join(dir, r.Value)); err != nil || !filepath.IsLocal(r.Value) {
			all = append(all, r.Value)
		}
	}
	return all
}

// passedOver is the remark about a kustomization that lists files alone.
func passedOver(path string) string {
	return fmt.Sprintf("%s was passed over, since hellochaos does not run kustomize: the files of the folder are read as they are, also those that it does not list; pipe the output of 'kubectl kustomize %s' into '-f -' to read what it lists",
		path, filepath.Dir(path))
}

// notKustomized is the problem of a folder whose files kustomize changes; nil where it does not. what is what to do instead.
func notKustomized(path, what string) *Problem {
	why := kustomization(path)
	if why == "" {
		return nil
	}
	return &Problem{File: path, Text: fmt.Sprintf("is a file of kustomize, which hellochaos does not run, and %s: %s", why, what)}
}

// kustomize reads a kustomization in a folder of LoadOthers. It returns false where the files of the folder are not what it makes of them.
func (r *othersReader) kustomize(path string) bool {
	what := "read what kustomize makes of it, as a file or from a pipe: kubectl kustomize " + printable.Word(filepath.Dir(path)) + " | hellochaos verify -f -"
	if problem := notKustomized(path, what); problem != nil {
		r.problems = append(r.problems, *problem)
		return false
	}
	r.others.Remarks = append(r.others.Remarks, passedOver(path))
	return true
}
