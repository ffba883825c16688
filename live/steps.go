package live

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/spelling"
)

// steps are what a user applies one after another: the bundled stages, with the application before the first of them, or the phases of a
// scenario file.
type steps struct {
	file  *scenarios.Scenario // nil: the bundled stages
	names []string
	// titles and texts are by the place of a step; a text is the YAML that the step has by itself.
	titles, texts []string
}

// stepsOf are those of a scenario file; nil: the bundled stages.
func stepsOf(file *scenarios.Scenario) (*steps, error) {
	all := &steps{file: file}
	if file == nil {
		for _, stage := range scenarios.Stages() {
			text, err := scenarios.YAMLIn(scenarios.IstioAPI, stage.Name)
			if err != nil {
				return nil, err
			}
			all.add(stage.Name, stage.Title, string(text))
		}
		return all, nil
	}
	phases, err := file.Phases(nil, nil)
	if err != nil {
		return nil, err
	}
	for i := range phases {
		p := &phases[i]
		if p.Base {
			continue
		}
		objects := p.Added
		if i == 0 {
			objects = p.Objects
		}
		text, err := encoded(objects)
		if err != nil {
			return nil, err
		}
		all.add(p.Name, p.Title, text)
	}
	return all, nil
}

func (s *steps) add(name, title, text string) {
	s.names, s.titles, s.texts = append(s.names, name), append(s.titles, title), append(s.texts, text)
}

// place is the place of a step; -1 for the application.
func (s *steps) place(name string) int { return slices.Index(s.names, name) }

// check says what is wrong with the name of a step; nil where nothing is.
func (s *steps) check(name string) error {
	if s.place(name) >= 0 || name == "" && s.file == nil {
		return nil
	}
	return fmt.Errorf("no stage %s%s: the stages are %s", name, spelling.DidYouMean(name, s.names), strings.Join(s.names, ", "))
}

// splitFrom is the place of the first step in which the canary may have a weight; where there is none, it is beyond the last one.
func (s *steps) splitFrom() int {
	has := func(p scenarios.Parameter) bool { return p.Name == canaryParameter }
	if s.file != nil {
		if slices.ContainsFunc(s.file.Parameters(), has) {
			return 0
		}
		return len(s.names)
	}
	return slices.IndexFunc(scenarios.Stages(), func(stage scenarios.Stage) bool { return slices.ContainsFunc(stage.Parameters, has) })
}

// phases are those of a run up to a step, the last of which is kept. overrides are objects in place of those of stages.
func (s *steps) phases(step string, overrides map[string][]manifests.Object, canary int) ([]scenarios.Phase, error) {
	parameters := map[string]string{}
	if s.file == nil || s.splitFrom() == 0 {
		parameters[canaryParameter] = strconv.Itoa(canary)
	}
	if s.file != nil {
		phases, err := s.file.Phases(overrides, parameters)
		if err != nil {
			return nil, err
		}
		return phases[:slices.IndexFunc(phases, func(p scenarios.Phase) bool { return p.Name == step && !p.Base })+1], nil
	}
	stage := step
	if step == "" {
		stage = s.names[0] // whose run begins with the application
	}
	chosen, err := scenarios.Choose([]string{stage})
	if err != nil {
		return nil, err
	}
	phases, err := scenarios.Phases(chosen, overrides, parameters)
	if err == nil && step == "" {
		phases = phases[:1]
	}
	return phases, err
}

// argument is that of the command run for a step.
func (s *steps) argument(step string) string {
	switch {
	case s.file != nil:
		return s.file.File
	case step == "":
		return s.names[0]
	}
	return step
}

// encoded is the YAML of objects.
func encoded(objects []manifests.Object) (string, error) {
	var parts []string
	for i := range objects {
		object, err := objects[i].Unstructured()
		if err != nil {
			return "", err
		}
		text, err := yaml.Marshal(object)
		if err != nil {
			return "", fmt.Errorf("writing %s as YAML: %w", objects[i].Name(), err)
		}
		parts = append(parts, string(text))
	}
	return strings.Join(parts, "---\n"), nil
}
