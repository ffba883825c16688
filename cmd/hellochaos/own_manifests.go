package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// manifestFlags are the flags that name manifests of the user, which a run applies in place of bundled ones.
type manifestFlags struct {
	folder string
	files  []string
}

func (f *manifestFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.folder, "manifests", "", "`folder` with files named STAGE.yaml, each of which replaces the bundled manifests of that stage; see also -f")
	set.StringArrayVarP(&f.files, "filename", "f", nil, "`file` or folder with manifests of your own, or - for standard input. From the first STAGE on, each object replaces the bundled object of the same kind and name; an object with no such counterpart is added. You can repeat the flag")
}

// load reads the user's manifests and returns, by the name of the stage, the objects that replace those of the scenario, which is nil where
// the command line names none that exists. load prints to stderr which files it skips.
func (f *manifestFlags) load(of *scenarios.Scenario, stdin io.Reader, stderr io.Writer) (map[string][]manifests.Object, error) {
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
		names := scenarios.Names()
		if of != nil {
			names = of.Names()
		}
		overrides, remarks, err = manifests.LoadDirectory(f.folder, names)
		note(remarks, err)
	}
	if len(f.files) == 0 {
		return overrides, errors.Join(problems...)
	}
	objects, remarks, err := manifests.LoadFiles(f.files, stdin)
	note(remarks, err)
	if len(problems) > 0 || of == nil {
		return nil, errors.Join(problems...)
	}
	return of.OverlayFrom(overrides, objects)
}

// names returns the values of the flags, as a report prints them.
func (f *manifestFlags) names() string {
	if f.folder == "" {
		return strings.Join(f.files, ", ")
	}
	return strings.Join(append([]string{f.folder}, f.files...), ", ")
}
