package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// Scenario is what a command line names: bundled stages, or the scenario file of a user.
type Scenario struct {
	// Name is that of the reports: the names of the stages as they were given, or the name that the file has. Title is the file's, and File
	// its path; both are empty for bundled stages.
	Name, Title, File string
	// After is the bundled stage that the file stands on; "" where it stands on none.
	After string
	// StandIns says that stand-ins answer in place of the services of the files, also those outside the mesh.
	StandIns bool
	// Remarks are sentences about the files that a scenario file applies.
	Remarks []string
	// line are all stages, and tested those of them that a run proves.
	line   line
	tested []Stage
}

// Open reads what a command line names: stages, or one scenario file. The error has all that is wrong.
func Open(arguments []string) (*Scenario, error) {
	if !slices.ContainsFunc(arguments, IsFile) {
		stages, err := Choose(arguments)
		return &Scenario{Name: strings.Join(arguments, ", "), line: bundled, tested: stages}, err
	}
	if len(arguments) > 1 {
		return nil, fmt.Errorf("%s: a scenario file is run by itself: a file may have several phases", strings.Join(arguments, " "))
	}
	return OpenFile(arguments[0])
}

// Stages are those that a run proves, in their order.
func (s *Scenario) Stages() []Stage { return slices.Clone(s.tested) }

// Names are those of all stages whose objects a user may replace.
func (s *Scenario) Names() []string { return s.line.names() }

// Parameters are those that the command line may set.
func (s *Scenario) Parameters() []Parameter { return s.line.parameters() }

// Phases are those of Phases for the stages of the scenario.
func (s *Scenario) Phases(overrides map[string][]manifests.Object, parameters map[string]string) ([]Phase, error) {
	return s.line.phases(s.tested, overrides, parameters)
}

// CheckParameters reports every parameter that does not exist and every value that is not accepted.
func (s *Scenario) CheckParameters(parameters map[string]string) error {
	_, err := s.line.percentages(parameters)
	return err
}

// OverlayFrom lays the user's objects over the first stage that is tested and all after it, as OverlayFrom does.
func (s *Scenario) OverlayFrom(overrides map[string][]manifests.Object, objects []manifests.Object) (map[string][]manifests.Object, error) {
	if len(s.tested) == 0 {
		return nil, errors.New("no stage given")
	}
	return s.line.overlayFrom(s.tested[0].Name, overrides, objects)
}

// Summary says in a few words what a scenario file has, of which phases are the Phases: "shop, 2 phases after egress, 5 objects, 3 kinds of
// requests".
func (s *Scenario) Summary(phases []Phase) string {
	tested, objects, cohorts := 0, 0, 0
	for i := range phases {
		p := &phases[i]
		if i == 0 && s.After == "" {
			objects += len(p.Objects)
		}
		objects += len(p.Added)
		if !p.Base {
			tested, cohorts = tested+1, cohorts+len(p.Cohorts)
		}
	}
	text := s.Name + ", " + number(tested, "phase")
	if s.After != "" {
		text += " after " + s.After
	}
	return fmt.Sprintf("%s, %s, %s of requests", text, number(objects, "object"), number(cohorts, "kind"))
}

// number is a number of things with their name: "1 phase", "2 phases".
func number(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
