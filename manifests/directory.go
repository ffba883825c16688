package manifests

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LoadDirectory reads stage files of the user's own, <stage>.yaml or <stage>.yml, by stage name. Other YAML files,
// files without objects and a directory without any stage file are Problems, as is all that Parse refuses.
func LoadDirectory(dir string) (map[string][]Object, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the manifests' directory: %w", err)
	}
	wanted := strings.Join(stageNames, ".yaml, ") + ".yaml"
	stages := make(map[string][]Object)
	var problems Problems
	for _, entry := range entries {
		stage, ok := yamlStem(entry.Name())
		if !ok {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		_, twice := stages[stage]
		switch {
		case !slices.Contains(stageNames, stage):
			problems = append(problems, Problem{File: path, Text: "not a stage's file; accepted: " + wanted})
		case twice:
			problems = append(problems, Problem{File: path, Text: "stage " + stage + " has another file, .yaml and .yml"})
		default:
			objects, wrong := loadStage(path)
			stages[stage] = objects
			problems = append(problems, wrong...)
		}
	}
	if len(stages) == 0 && len(problems) == 0 {
		problems = append(problems, Problem{File: dir, Text: "no stage's file in this directory; accepted: " + wanted})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return stages, nil
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

func loadStage(path string) ([]Object, Problems) {
	data, err := readFile(path)
	if err != nil {
		return nil, Problems{{File: path, Text: err.Error()}}
	}
	objects, err := Parse(path, data)
	if problems, ok := err.(Problems); ok {
		return nil, problems
	}
	if len(objects) == 0 {
		return nil, Problems{{File: path, Text: "no objects in this file"}}
	}
	return objects, nil
}

// readFile reads a file up to the size that Parse accepts and a byte more, so that Parse can refuse the rest.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}
