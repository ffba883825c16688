package live

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/target/mesh"
)

const (
	// headerName is the header of Controls.Header.
	headerName = "x-dev-user"
	// maxHeader is the largest length of its value in bytes.
	maxHeader = 200
	// canaryParameter is the parameter of Controls.Canary.
	canaryParameter = "canary-weight"
	// application is what the phase without any stage is called.
	application = "application"
)

// settings are all that decides what the load meets, with the plan that follows. They do not change.
type settings struct {
	seed      uint64
	controls  Controls
	overrides map[string][]manifests.Object
	texts     map[string]string // the YAML of stages that the user edited
	plan      *run.Run
	splits    bool // whether Controls.Canary changes anything at this stage
}

// with are settings with other controls; the error has a line for each value that is not accepted.
func (s *settings) with(c Controls) (*settings, error) {
	next := *s
	next.controls = c
	return &next, next.prepare()
}

// edited are settings with other YAML of a stage.
func (s *settings) edited(stage, text string) (*settings, error) {
	if place(stage) < 0 {
		return nil, fmt.Errorf("no stage %s%s: the stages are %s", stage, spelling.DidYouMean(stage, stageNames()), strings.Join(stageNames(), ", "))
	}
	next := *s
	next.overrides, next.texts = maps.Clone(s.overrides), maps.Clone(s.texts)
	if next.overrides == nil {
		next.overrides = map[string][]manifests.Object{}
	}
	if next.texts == nil {
		next.texts = map[string]string{}
	}
	if text == "" {
		delete(next.overrides, stage)
		delete(next.texts, stage)
	} else {
		objects, err := manifests.Parse(stage+".yaml", []byte(text))
		if err != nil {
			return nil, err
		}
		next.overrides[stage], next.texts[stage] = objects, text
	}
	return &next, next.prepare()
}

// prepare plans the load.
func (s *settings) prepare() error {
	options, err := s.options()
	if err != nil {
		return err
	}
	phases, err := s.phases(s.controls.Canary)
	if err != nil {
		return err
	}
	s.splits = s.controls.Stage != "" && place(s.controls.Stage) >= splitFrom()
	if h := s.controls.Header; h != "" {
		last := &phases[len(phases)-1]
		last.Cohorts = []scenarios.Cohort{{Name: headerName + ": " + h, Entry: last.Cohorts[0].Entry, Header: http.Header{http.CanonicalHeaderKey(headerName): {h}}}}
	}
	s.plan, err = run.Plan(s.phaseName(), phases, options, run.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed})
	return err
}

// options are those of a run with the same flags.
func (s *settings) options() (run.Options, error) {
	c := s.controls
	var problems []error
	if c.Rate < 1 || c.Rate > MaxRate {
		problems = append(problems, fmt.Errorf("rate %g: must be a number of requests a second from 1 to %d", c.Rate, MaxRate))
	}
	if c.Stage != "" && place(c.Stage) < 0 {
		problems = append(problems, fmt.Errorf("no stage %s%s: the stages are %s", c.Stage, spelling.DidYouMean(c.Stage, stageNames()), strings.Join(stageNames(), ", ")))
	}
	problems = append(problems, checkHeader(c.Header))
	if all := breakNames(); c.Break != "" && !slices.Contains(all, c.Break) {
		problems = append(problems, fmt.Errorf("no break %s%s: the page has %s", c.Break, spelling.DidYouMean(c.Break, all), strings.Join(all, ", ")))
	}
	set := pflag.NewFlagSet("up", pflag.ContinueOnError)
	flags := run.AddFlags(set)
	err := set.Parse([]string{"--fail", fmt.Sprint(c.Fail), "--hang", fmt.Sprint(c.Hang), "--rate", fmt.Sprint(c.Rate), "--seed", strconv.FormatUint(s.seed, 10)})
	if err != nil {
		return run.Options{}, err
	}
	o, err := flags.Options()
	return o, errors.Join(append(problems, err)...)
}

// checkHeader says what is wrong with a value of x-dev-user; nil where nothing is.
func checkHeader(value string) error {
	if len(value) <= maxHeader && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) && strings.TrimSpace(value) == value {
		return nil
	}
	return fmt.Errorf("%s: must be at most %d printable characters of ASCII, without a space at either end", headerName, maxHeader)
}

// phases are those of a run of the stage, the last of which is kept.
func (s *settings) phases(canary int) ([]scenarios.Phase, error) {
	stage := s.controls.Stage
	if stage == "" {
		stage = stageNames()[0] // whose run begins with the application
	}
	chosen, err := scenarios.Choose([]string{stage})
	if err != nil {
		return nil, err
	}
	phases, err := scenarios.Phases(chosen, s.overrides, map[string]string{canaryParameter: strconv.Itoa(canary)})
	if err == nil && s.controls.Stage == "" {
		phases = phases[:1]
	}
	return phases, err
}

// phaseName is the name of the phase that is kept.
func (s *settings) phaseName() string {
	if s.controls.Stage == "" {
		return application
	}
	return s.controls.Stage
}

// splitFrom is the place of the first stage in which the canary may have a weight.
func splitFrom() int {
	return slices.IndexFunc(scenarios.Stages(), func(stage scenarios.Stage) bool {
		return slices.ContainsFunc(stage.Parameters, func(p scenarios.Parameter) bool { return p.Name == canaryParameter })
	})
}

// breakNames are the accepted values of Controls.Break but the empty one: those that a stage shows.
func breakNames() (names []string) {
	for _, b := range mesh.Breaks() {
		if b.Stage != "" {
			names = append(names, b.Name)
		}
	}
	return names
}

// changed says what is other than before, as a sentence.
func (s *settings) changed(before *settings) string {
	var parts []string
	note := func(different bool, format string, values ...any) {
		if different {
			parts = append(parts, fmt.Sprintf(format, values...))
		}
	}
	now, was := s.controls, before.controls
	note(now.Stage != was.Stage, "stage %s is applied", s.phaseName())
	note(now.Fail != was.Fail, "fail is now %g", now.Fail)
	note(now.Hang != was.Hang, "hang is now %g", now.Hang)
	note(now.Rate != was.Rate, "the rate is now %g a second", now.Rate)
	note(now.Canary != was.Canary, "the canary's weight is now %d %%", now.Canary)
	note(now.Header != was.Header && now.Header != "", "all requests have %s: %s", headerName, now.Header)
	note(now.Header != was.Header && now.Header == "", "the requests are those of the stage again")
	note(now.Break != was.Break && now.Break != "", "the mesh is broken: %s", now.Break)
	note(now.Break != was.Break && now.Break == "", "the mesh is whole again")
	note(now.Stopped != was.Stopped && !now.Stopped, "the load is on again")
	for _, stage := range stageNames() {
		note(s.texts[stage] != before.texts[stage], "the YAML of stage %s is another", stage)
	}
	if now.Stopped {
		return "The load is stopped."
	}
	if len(parts) == 0 {
		return "The numbers begin anew."
	}
	return "The numbers begin anew: " + strings.Join(parts, ", ") + "."
}
