package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// mostExamples is how many commands are shown that read alternatives.
const mostExamples = 3

// alternatives is the error of files that a mesh does not obey together: what each of them defines, and command lines of a command for one
// of them with the files that it needs.
func alternatives(name string, others *manifests.Others) error {
	files, rules := alternativeFiles(others)
	dir := folderOf(files)
	in := ""
	if dir != "" {
		in = " in " + dir
	}
	text := "some of the files" + in + " are alternatives, of which a mesh obeys one at a time:"
	for i := range others.Alternatives {
		a := &others.Alternatives[i]
		text += fmt.Sprintf("\n%s: %s", a.Of, a.Where(dir))
	}
	text += "\nname one of them, with the files that it needs, such as:"
	if len(rules) > 0 {
		files = rules
	}
	for _, file := range files[:min(mostExamples, len(files))] {
		text += "\n  " + command(name, others.Together(file))
	}
	return errors.New(text)
}

// alternativeFiles are the files with alternatives, each once, and those of them with a VirtualService: the others have no rule of their
// own that a command could show.
func alternativeFiles(others *manifests.Others) (all, rules []string) {
	for _, a := range others.Alternatives {
		for _, p := range a.Objects {
			if !slices.Contains(all, p.File) {
				all = append(all, p.File)
			}
			if strings.HasPrefix(p.Object, "VirtualService ") && !slices.Contains(rules, p.File) {
				rules = append(rules, p.File)
			}
		}
	}
	return all, rules
}

// folderOf is the folder that all files are in; empty where they are in several, or in the current one.
func folderOf(files []string) string {
	dir := filepath.Dir(files[0])
	if dir == "." || slices.ContainsFunc(files, func(file string) bool { return filepath.Dir(file) != dir }) {
		return ""
	}
	return dir
}
