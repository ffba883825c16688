package manifests

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hellochaos/hellochaos/spelling"
)

// stdinName is standard input among the names of files, and stdinFile what messages call it.
const stdinName, stdinFile = "-", "standard input"

// clockNamespace is where the bundled clock stands, outside the mesh.
const clockNamespace = "outside"

// kustomizations are the names of the files that kustomize reads in a folder.
var kustomizations = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// LoadDirectory reads stage files of the user's own, <stage>.yaml or <stage>.yml, by stage name. Other YAML files,
// files without objects and a directory without any stage file are Problems, as is all that Parse refuses. remarks says
// which files were passed over.
func LoadDirectory(dir string) (stages map[string][]Object, remarks []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, nil, Problems{{File: dir, Text: "a file, where --manifests takes a folder; -f takes files"}}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the manifests' directory: %w", err)
	}
	wanted := strings.Join(stageNames, ".yaml, ") + ".yaml"
	stages = make(map[string][]Object)
	var problems Problems
	for _, entry := range entries {
		stage, ok := yamlStem(entry.Name())
		if !ok {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		_, twice := stages[stage]
		switch {
		case slices.Contains(kustomizations, entry.Name()):
			remarks = append(remarks, passedOver(path))
		case !slices.Contains(stageNames, stage):
			problems = append(problems, Problem{File: path, Text: "not a stage's file" + spelling.DidYouMean(stage, stageNames) +
				"; accepted: " + wanted + "; -f takes files of any name"})
		case twice:
			problems = append(problems, Problem{File: path, Text: "stage " + stage + " has another file, .yaml and .yml"})
		default:
			objects, wrong := loadFile(path)
			stages[stage] = objects
			problems = append(problems, wrong...)
		}
	}
	if len(stages) == 0 && len(problems) == 0 {
		problems = append(problems, Problem{File: dir, Text: "no stage's file in this directory; accepted: " + wanted + "; -f takes files of any name"})
	}
	if len(problems) > 0 {
		return nil, remarks, problems
	}
	return stages, remarks, nil
}

// LoadFiles reads objects of the user's own: of files of any name, of the .yaml, .yml and .json files of folders, not of the
// folders in these, and of stdin where a name is "-". One object twice is a Problem, as is a name that leads to no object,
// and all that Parse refuses. remarks says what was passed over, and which objects stand outside the chain's namespace.
func LoadFiles(names []string, stdin io.Reader) (objects []Object, remarks []string, err error) {
	var problems Problems
	read := map[string]bool{}
	for _, name := range names {
		if read[name] {
			problems = append(problems, Problem{File: called(name), Text: "named more than once: name it once"})
			continue
		}
		read[name] = true
		some, passed, wrong := load(name, stdin)
		objects, remarks, problems = append(objects, some...), append(remarks, passed...), append(problems, wrong...)
	}
	places := map[identity]*Object{}
	for i := range objects {
		o := &objects[i]
		if first := places[o.identity()]; first != nil {
			problems = append(problems, o.problem("", "a second object of this kind and name; the first is in %s:%d", first.File, first.Line))
			continue
		}
		places[o.identity()] = o
		if namespace := o.namespace(); !slices.Contains([]string{"", Namespace, clockNamespace, rootNamespace}, namespace) {
			remarks = append(remarks, fmt.Sprintf("%s stands in namespace %s, and the services of the chain do not: without metadata.namespace "+
				"it is an object of the chain's namespace", o.place(), namespace))
		}
	}
	if len(problems) > 0 {
		return nil, remarks, problems
	}
	return objects, remarks, nil
}

// called is what messages call a name of -f.
func called(name string) string {
	if name == stdinName {
		return stdinFile
	}
	return name
}

// load reads what one name of LoadFiles leads to.
func load(name string, stdin io.Reader) (objects []Object, remarks []string, problems Problems) {
	wrong := func(text string) ([]Object, []string, Problems) {
		return nil, remarks, Problems{{File: called(name), Text: text}}
	}
	if name == stdinName {
		objects, problems = parseAll(stdinFile, stdin)
		return objects, nil, problems
	}
	if strings.Contains(name, "://") {
		return wrong("an address, where a file is wanted: read it into a file, or pipe it into '-f -'")
	}
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		if slices.Contains(kustomizations, filepath.Base(name)) {
			return wrong("a file of kustomize, which hellochaos does not run: 'kubectl kustomize " + filepath.Dir(name) + "' prints what it makes, for '-f -'")
		}
		objects, problems = loadFile(name)
		return objects, nil, problems
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return wrong(cause(err).Error())
	}
	files := 0
	for _, entry := range entries {
		path := filepath.Join(name, entry.Name())
		switch _, ok := yamlStem(entry.Name()); {
		case slices.Contains(kustomizations, entry.Name()):
			remarks = append(remarks, passedOver(path))
		case !entry.IsDir() && (ok || filepath.Ext(path) == ".json"):
			files++
			some, wrong := loadFile(path)
			objects, problems = append(objects, some...), append(problems, wrong...)
		}
	}
	if files == 0 {
		return wrong("no .yaml, .yml or .json file in this folder")
	}
	return objects, remarks, problems
}

func passedOver(path string) string {
	return fmt.Sprintf("%s was passed over, since hellochaos does not run kustomize: 'kubectl kustomize %s' prints what it makes, for '-f -'",
		path, filepath.Dir(path))
}

// OverlayFrom is overrides, by stage name, with objects of the user's own in one stage and in all stages after it: each takes
// the place of the stage's object of the same kind, namespace and name, or is added. overrides may be nil and is not changed.
func OverlayFrom(first string, overrides map[string][]Object, objects []Object) (map[string][]Object, error) {
	if err := knownStage(first); err != nil {
		return nil, err
	}
	result := maps.Clone(overrides)
	if result == nil {
		result = make(map[string][]Object)
	}
	for _, stage := range stageNames[slices.Index(stageNames, first):] {
		base, ok := overrides[stage]
		if !ok {
			var err error
			if base, err = Stage(stage); err != nil {
				return nil, err
			}
		}
		result[stage] = Overlay(base, objects)
	}
	return result, nil
}

// yamlStem is a file's name without its YAML extension; false when it has none.
func yamlStem(name string) (string, bool) {
	for _, extension := range []string{".yaml", ".yml"} {
		if stem, ok := strings.CutSuffix(name, extension); ok {
			return stem, true
		}
	}
	return "", false
}

func loadFile(path string) ([]Object, Problems) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Problems{{File: path, Text: cause(err).Error()}}
	}
	defer f.Close()
	return parseAll(path, f)
}

// parseAll reads a file up to the size that Parse accepts and a byte more, so that Parse can refuse the rest.
func parseAll(file string, from io.Reader) ([]Object, Problems) {
	data, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err != nil {
		return nil, Problems{{File: file, Text: cause(err).Error()}}
	}
	objects, err := Parse(file, data)
	if problems, ok := err.(Problems); ok {
		return nil, problems
	}
	if len(objects) == 0 {
		return nil, Problems{{File: file, Text: "no objects in this file"}}
	}
	return objects, nil
}

// cause is an error without the path that is named already.
func cause(err error) error {
	var place *os.PathError
	if errors.As(err, &place) {
		return place.Err
	}
	return err
}
