// Package manifests holds all YAML files of the demo chain and of the policies of its stages, reads YAML strictly with Istio's and
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
	"io/fs"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/spelling"
)

//go:embed *.yaml gatewayapi/*.yaml
var files embed.FS

// Application is the demo chain without the rules of any stage: the three services, the Sidecar that blocks calls to hosts
// outside the mesh, and the clock outside the mesh.
func Application() []Object {
	return append(mustParse("application.yaml"), mustParse("clock.yaml")...)
}

// mustParse reads a bundled file; a test parses every one of them, so an error is a broken build.
func mustParse(file string) []Object {
	objects, err := Bundled(file)
	if err != nil {
		panic(err)
	}
	return objects
}

// Bundled is the objects of a bundled file, such as "retry.yaml".
func Bundled(file string) ([]Object, error) {
	data, err := BundledYAML(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, data)
}

// BundledYAML is the text of a bundled file.
func BundledYAML(file string) ([]byte, error) {
	data, err := files.ReadFile(file)
	if err != nil {
		names := bundledNames()
		return nil, fmt.Errorf("no bundled file %q%s; there are %s", file, spelling.DidYouMean(file, names), strings.Join(names, ", "))
	}
	return data, nil
}

// bundledNames are the names of the bundled files of objects. Those in gatewayapi are the tutorial in the form of Gateway API.
func bundledNames() (names []string) {
	for _, pattern := range []string{"*.yaml", "gatewayapi/*.yaml"} {
		some, err := fs.Glob(files, pattern)
		if err != nil {
			panic(err) // the pattern is right
		}
		names = append(names, some...)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "rbac.yaml" }) // a run does not apply it
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
