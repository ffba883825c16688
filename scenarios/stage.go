package scenarios

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/spelling"
)

// Stage is a scenario file: one policy, the stage that it stands on, how its requests enter, and what its author says about it.
type Stage struct {
	// Name is the stage's name on the command line: "retry". Title says in one line what the stage does.
	Name, Title string
	// After is the name of the stage that this one stands on. It is empty for the application, which is no stage.
	After string
	// Apply are the bundled files of package manifests whose objects the stage applies.
	Apply []string
	// Cohorts are at least one.
	Cohorts []Cohort
	// Exclude is that of Phase; 0: none.
	Exclude float64
	// Parameters hold in this stage and in those that stand on it.
	Parameters []Parameter
	Unmet      []Unmet
	// Accepted hold in this stage and in those that stand on it.
	Accepted []Accepted
	Lessons  []string
	// Expect is what the author expects of a run; in a file with several phases the first one has all.
	Expect []expect.Expectation

	// own are the objects that the scenario file of a user applies; nil where those of the bundled files Apply are.
	own []manifests.Object
}

// Parameter is something about the objects that a user can choose.
type Parameter struct {
	// Name is that of the flag; Title says what the number is.
	Name, Title string
	// Split: the value is the percentage of the calls that goes elsewhere, a whole number from 0 to 100, by default 0.
	Split manifests.Split
}

//go:embed *.yaml gatewayapi/*.yaml
var files embed.FS

// allStages is the word that stands for all stages.
const allStages = "all"

// bundled are the application and the stages, each after the one that it stands on, and bundledGateway the same in the form of Gateway API.
var bundled, bundledGateway = bundledFrom("*.yaml"), bundledFrom("gatewayapi/*.yaml")

// bundledFrom are the stages of some bundled files. A test reads the files, so an error is a broken build.
func bundledFrom(pattern string) line {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		panic(err)
	}
	var stages []Stage
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		some, err := Read(name, data)
		if err != nil {
			panic(err)
		}
		stages = append(stages, some...)
	}
	stages, err = inOrder(stages)
	if err != nil {
		panic(err)
	}
	return stages
}

// inOrder puts stages one after another, each behind the one that it stands on. They must form one line from the only one that
// stands on none.
func inOrder(stages []Stage) ([]Stage, error) {
	next := map[string]*Stage{} // by the name of the stage before
	known := map[string]bool{}
	var problems []error
	for i := range stages {
		s := &stages[i]
		if known[s.Name] {
			problems = append(problems, fmt.Errorf("two files have the name %q: each stage needs a name of its own", s.Name))
		}
		if other := next[s.After]; other != nil {
			where := fmt.Sprintf("after: %s", s.After)
			if s.After == "" {
				where = "no after"
			}
			problems = append(problems, fmt.Errorf("%s and %s both have %s: each stage stands on another one", other.Name, s.Name, where))
		}
		known[s.Name], next[s.After] = true, s
	}
	for i := range stages {
		if after := stages[i].After; after != "" && !known[after] {
			problems = append(problems, fmt.Errorf("%s has after: %s, and there is no such stage%s", stages[i].Name, after, spelling.DidYouMean(after, namesOf(stages))))
		}
	}
	var line []Stage
	for s := next[""]; s != nil && len(problems) == 0; s = next[s.Name] {
		line = append(line, *s)
	}
	if len(problems) == 0 && len(line) < len(stages) {
		problems = append(problems, errors.New("some stages stand on each other in a circle: one must have no after, and each of the others must lead to it"))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return line, nil
}

func namesOf(stages []Stage) (names []string) {
	for i := range stages {
		names = append(names, stages[i].Name)
	}
	return names
}

// Stages are the bundled stages in their order: each stands on those before it.
func Stages() []Stage { return slices.Clone(bundled[1:]) }

// Names are the names of the bundled stages in their order.
func Names() []string { return namesOf(bundled[1:]) }

// Parameters are those of all bundled stages.
func Parameters() []Parameter { return bundled.parameters() }

// Choose picks the stages that a command line names, in the order of Stages and each once; "all" is all of them.
func Choose(names []string) ([]Stage, error) { return bundled.choose(names) }

// choose is Choose of a line that begins with the application.
func (l line) choose(names []string) ([]Stage, error) {
	stages := slices.Clone(l[1:])
	known := namesOf(stages)
	if len(names) == 1 && names[0] == allStages {
		return stages, nil
	}
	var wrong []string
	for _, name := range names {
		if !slices.Contains(known, name) {
			wrong = append(wrong, name+spelling.DidYouMean(name, known))
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("no stage %s: the stages are %s, or %s by itself", strings.Join(wrong, ", "), strings.Join(known, ", "), allStages)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no stage given: name one or more of %s, or %s", strings.Join(known, ", "), allStages)
	}
	return slices.DeleteFunc(stages, func(s Stage) bool { return !slices.Contains(names, s.Name) }), nil
}

// line is stages each of which stands on the one before it: the bundled ones, or the scenario file of a user behind those that it stands on.
type line []Stage

// names are those of the stages of a line that can be tested: the bundled application, at the beginning, is none.
func (l line) names() (names []string) {
	for i := range l {
		if i > 0 || l[i].own != nil {
			names = append(names, l[i].Name)
		}
	}
	return names
}

// parameters are those of all stages.
func (l line) parameters() (all []Parameter) {
	for i := range l {
		all = append(all, l[i].Parameters...)
	}
	return all
}

// place is where a stage stands in a line.
func (l line) place(name string) (int, error) {
	for i := range l {
		if (i > 0 || l[i].own != nil) && l[i].Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("no stage %s%s: the stages are %s", name, spelling.DidYouMean(name, l.names()), strings.Join(l.names(), ", "))
}

// yaml is the text of the bundled files of a stage. The error says that there is no such stage.
func (l line) yaml(stage string) ([]byte, error) {
	at, err := l.place(stage)
	if err != nil {
		return nil, err
	}
	var parts [][]byte
	for _, file := range l[at].Apply {
		text, err := manifests.BundledYAML(file)
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", stage, err)
		}
		parts = append(parts, text)
	}
	return bytes.Join(parts, []byte("---\n")), nil
}

// objects are those that a stage applies.
func (s *Stage) objects() (all []manifests.Object, err error) {
	if s.own != nil {
		return slices.Clone(s.own), nil
	}
	for _, file := range s.Apply {
		some, err := manifests.Bundled(file)
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", s.Name, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// Through is all objects that are in force at a stage: the application, overlaid with every stage up to and including this one.
// For stage "" it is the application alone. overrides has objects, by the names of stages, that take the place of a stage's
// bundled objects as a whole; it may be nil. An unknown stage is an error.
func Through(stage string, overrides map[string][]manifests.Object) (objects []manifests.Object, err error) {
	return bundled.through(stage, overrides)
}

// through is Through of a line.
func (l line) through(stage string, overrides map[string][]manifests.Object) (objects []manifests.Object, err error) {
	last := 0
	if stage != "" {
		if last, err = l.place(stage); err != nil {
			return nil, err
		}
	}
	for i := range l[:last+1] {
		over, ok := overrides[l[i].Name]
		if !ok {
			if over, err = l[i].objects(); err != nil {
				return nil, err
			}
		}
		objects = manifests.Overlay(objects, over)
	}
	return objects, nil
}

// OverlayFrom is a copy of overrides, which has objects by the names of stages, with the user's objects laid over the stage first
// and all stages after it. Each object takes the place of the stage's object with the same kind, namespace and name, or is added.
// overrides may be nil and is not changed. An unknown stage is an error.
func OverlayFrom(first string, overrides map[string][]manifests.Object, objects []manifests.Object) (map[string][]manifests.Object, error) {
	return bundled.overlayFrom(first, overrides, objects)
}

// overlayFrom is OverlayFrom of a line.
func (l line) overlayFrom(first string, overrides map[string][]manifests.Object, objects []manifests.Object) (map[string][]manifests.Object, error) {
	at, err := l.place(first)
	if err != nil {
		return nil, err
	}
	result := map[string][]manifests.Object{}
	for name, own := range overrides {
		result[name] = own
	}
	for i := at; i < len(l); i++ {
		base, ok := overrides[l[i].Name]
		if !ok {
			if base, err = l[i].objects(); err != nil {
				return nil, err
			}
		}
		result[l[i].Name] = manifests.Overlay(base, objects)
	}
	return result, nil
}
