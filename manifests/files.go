package manifests

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hellochaos/hellochaos/spelling"
)

// stdinName is the name of standard input among the names of files, and stdinFile its name in messages.
const stdinName, stdinFile = "-", "standard input"

// clockNamespace is the namespace of the bundled clock, outside the mesh.
const clockNamespace = "outside"

// LoadDirectory reads the user's files for stages with these names, <stage>.yaml or <stage>.yml, and returns their objects by stage
// name. Other YAML files, files without objects, a folder without the file of a stage, and everything that Parse refuses are
// Problems. remarks name the files that were passed over.
func LoadDirectory(dir string, names []string) (stages map[string][]Object, remarks []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, nil, Problems{{File: dir, Text: "is a file, but --manifests takes a folder: -f takes files"}}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the folder of manifests: %w", err)
	}
	wanted := strings.Join(names, ".yaml, ") + ".yaml"
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
			if problem := notKustomized(path, fmt.Sprintf("pipe the output of 'kubectl kustomize %s' into '-f -'", dir)); problem != nil {
				problems = append(problems, *problem)
			} else {
				remarks = append(remarks, passedOver(path))
			}
		case !slices.Contains(names, stage):
			problems = append(problems, Problem{File: path, Text: "is not the file of a stage" + spelling.DidYouMean(stage, names) +
				"; accepted: " + wanted + "; -f takes files of any name"})
		case twice:
			problems = append(problems, Problem{File: path, Text: "is a second file of stage " + stage + ": write either " + stage + ".yaml or " + stage + ".yml"})
		default:
			objects, wrong := loadFile(path)
			stages[stage] = objects
			problems = append(problems, wrong...)
		}
	}
	if len(stages) == 0 && len(problems) == 0 {
		problems = append(problems, Problem{File: dir, Text: "is a folder without the file of a stage; accepted: " + wanted +
			"; -f takes files of any name"})
	}
	if len(problems) > 0 {
		return nil, remarks, problems
	}
	return stages, remarks, nil
}

// LoadFiles reads the user's objects from files of any name, from the .yaml, .yml and .json files of folders without their
// subfolders, and from stdin for the name "-". An object that is written twice, a name that leads to no object, and everything
// that Parse refuses are Problems. remarks name the files that were passed over and the objects outside the chain's namespace.
func LoadFiles(names []string, stdin io.Reader) (objects []Object, remarks []string, err error) {
	var problems Problems
	read := map[string]bool{}
	for _, name := range names {
		if read[name] {
			problems = append(problems, Problem{File: called(name), Text: "is named more than once: name it once"})
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
			problems = append(problems, o.problem("", "has the kind and name of the object in %s:%d: write an object once", first.File, first.Line))
			continue
		}
		places[o.identity()] = o
		if namespace := o.namespace(); !slices.Contains([]string{"", Namespace, clockNamespace, rootNamespace}, namespace) {
			remarks = append(remarks, fmt.Sprintf("%s is for namespace %s, and the chain runs in another one: without metadata.namespace "+
				"the object is for the chain's namespace", o.place(), namespace))
		}
	}
	if len(problems) > 0 {
		return nil, remarks, problems
	}
	return objects, remarks, nil
}

// called is the text by which messages name a file of -f.
func called(name string) string {
	if name == stdinName {
		return stdinFile
	}
	return name
}

// load reads the file, the folder or the standard input of one name of LoadFiles.
func load(name string, stdin io.Reader) (objects []Object, remarks []string, problems Problems) {
	wrong := func(text string) ([]Object, []string, Problems) {
		return nil, remarks, Problems{{File: called(name), Text: text}}
	}
	if name == stdinName {
		objects, problems = parseAll(stdinFile, stdin)
		return objects, nil, problems
	}
	if strings.Contains(name, "://") {
		return wrong("is a URL, but -f takes files: download it to a file, or pipe it into '-f -'")
	}
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		if slices.Contains(kustomizations, filepath.Base(name)) {
			return wrong("is a file of kustomize, which hellochaos does not run: pipe the output of 'kubectl kustomize " +
				filepath.Dir(name) + "' into '-f -'")
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
			if problem := notKustomized(path, fmt.Sprintf("pipe the output of 'kubectl kustomize %s' into '-f -'", name)); problem != nil {
				return nil, remarks, Problems{*problem}
			}
			remarks = append(remarks, passedOver(path))
		case !entry.IsDir() && (ok || filepath.Ext(path) == ".json"):
			files++
			some, wrong := loadFile(path)
			objects, problems = append(objects, some...), append(problems, wrong...)
		}
	}
	if files == 0 {
		return wrong("is a folder without a .yaml, .yml or .json file")
	}
	return objects, remarks, problems
}

// yamlStem is a file's name without .yaml or .yml; false when it has another extension.
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

// parseAll reads a file up to one byte more than Parse accepts, so that Parse refuses larger files.
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
		return nil, Problems{{File: file, Text: "has no objects"}}
	}
	return objects, nil
}

// cause is an error of the file system without the path, which messages name already.
func cause(err error) error {
	var place *os.PathError
	if errors.As(err, &place) {
		return place.Err
	}
	return err
}
