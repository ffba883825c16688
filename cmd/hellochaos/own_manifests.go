package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
)

// manifestFlags say which manifests of the user's own are applied.
type manifestFlags struct {
	folder string
	files  []string
}

func (f *manifestFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.folder, "manifests", "", "`folder` whose STAGE.yaml files replace the bundled ones; see also -f")
	set.StringArrayVarP(&f.files, "filename", "f", nil, "`file` or folder of your own objects, or - for standard input: from the first STAGE on, each replaces the bundled one of its kind and name, or is added; can be given more than once")
}

// load reads them: by stage, the objects that take the place of the bundled ones. first is the first stage that is asked for,
// empty when none is known. What is passed over is told on stderr.
func (f *manifestFlags) load(first string, stdin io.Reader, stderr io.Writer) (map[string][]manifests.Object, error) {
	var overrides map[string][]manifests.Object
	var problems []error
	note := func(remarks []string, err error) {
		for _, remark := range remarks {
			fmt.Fprintf(stderr, "note: %s\n", remark)
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	if f.folder != "" {
		var remarks []string
		var err error
		overrides, remarks, err = manifests.LoadDirectory(f.folder)
		note(remarks, err)
	}
	if len(f.files) == 0 {
		return overrides, errors.Join(problems...)
	}
	objects, remarks, err := manifests.LoadFiles(f.files, stdin)
	note(remarks, err)
	if len(problems) > 0 || first == "" {
		return nil, errors.Join(problems...)
	}
	return manifests.OverlayFrom(first, overrides, objects)
}

// names are the flags' values as a report has them.
func (f *manifestFlags) names() string {
	if f.folder == "" {
		return strings.Join(f.files, ", ")
	}
	return strings.Join(append([]string{f.folder}, f.files...), ", ")
}
