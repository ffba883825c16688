// Package manifests holds all YAML files of the demo chain and of its stages, reads YAML strictly with Istio's and
// Kubernetes' own types, and finds out what a set of objects means: which rule a request meets, which share of the requests goes
// to which destination, which tries are sent again. The prediction and the embedded mesh both use that meaning, and tests
// against real Istio check it. The package knows no sockets, no load, no statistics and no verdicts.
//
// Reading has two steps. Parse turns YAML into Objects. It refuses everything that the API server or Istio's webhook would
// refuse, and everything that Istio knows but this package does not execute: if it ignored such a rule, the verdict could be
// false. Read turns Objects into Rules, whose Table finds the Rule that a request of a Caller meets.
package manifests

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/spelling"
)

//go:embed *.yaml
var files embed.FS

// stageNames are the stages in the tutorial's order; the objects of each are laid over those of the stages before it.
var stageNames = []string{"egress", "prod", "retry", "ingress", "canary"}

// StageNames are the stages in the tutorial's order; the objects of each are laid over those of the stages before it.
func StageNames() []string { return slices.Clone(stageNames) }

// Application is the demo chain without the rules of any stage: the three services, the Sidecar that blocks calls to hosts
// outside the mesh, and the clock outside the mesh.
func Application() []Object {
	return append(mustParse("application.yaml"), mustParse("clock.yaml")...)
}

// mustParse reads a bundled file; a test parses every one of them, so an error is a broken build.
func mustParse(file string) []Object {
	data, err := files.ReadFile(file)
	if err != nil {
		panic(err)
	}
	objects, err := Parse(file, data)
	if err != nil {
		panic(err)
	}
	return objects
}

// Stage is the bundled objects of one stage, without those of the stages before it.
func Stage(name string) ([]Object, error) {
	data, err := StageYAML(name)
	if err != nil {
		return nil, err
	}
	return Parse(name+".yaml", data)
}

// StageYAML is the bundled file of one stage.
func StageYAML(name string) ([]byte, error) {
	if err := knownStage(name); err != nil {
		return nil, err
	}
	return files.ReadFile(name + ".yaml")
}

func knownStage(name string) error {
	if slices.Contains(stageNames, name) {
		return nil
	}
	return fmt.Errorf("unknown stage %q%s; stages are %s", name, spelling.DidYouMean(name, stageNames), strings.Join(stageNames, ", "))
}

// Through is all objects that are in force at a stage: the application, overlaid with every stage up to and including this one.
// For stage "" it is the application alone. overrides has objects, by stage name, that take the place of a bundled stage file as
// a whole; it may be nil. An unknown stage is an error.
func Through(stage string, overrides map[string][]Object) ([]Object, error) {
	objects := Application()
	if stage == "" {
		return objects, nil
	}
	if err := knownStage(stage); err != nil {
		return nil, err
	}
	for _, name := range stageNames {
		over, ok := overrides[name]
		if !ok {
			var err error
			if over, err = Stage(name); err != nil {
				return nil, err
			}
		}
		objects = Overlay(objects, over)
		if name == stage {
			break
		}
	}
	return objects, nil
}

// Overlay is base with the objects of over. An object of over takes the place of the one in base that has the same kind,
// namespace and name; the others follow at the end. Neither input is changed.
func Overlay(base, over []Object) []Object {
	result := slices.Clone(base)
	place := make(map[identity]int, len(base))
	for i := range result {
		place[result[i].identity()] = i
	}
	for _, o := range over {
		if i, ok := place[o.identity()]; ok {
			result[i] = o
			continue
		}
		place[o.identity()] = len(result)
		result = append(result, o)
	}
	return result
}
