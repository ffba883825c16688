package live

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
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
	// usualRate is at how many requests a second a session begins, unless they lead to more tries a second than usualTries.
	usualRate, usualTries = 20, 400
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
	steps     *steps
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

// first are the settings with which a session begins.
func (s *settings) first(c Controls) (*settings, error) {
	if c.Rate > 0 {
		return s.with(c)
	}
	c.Rate = 1
	slow, err := s.with(c)
	if err != nil {
		return nil, err
	}
	c.Rate = math.Floor(min(usualRate, max(1, usualTries/(1+slow.plan.TriesEach()))))
	return s.with(c)
}

// edited are settings with other YAML of a stage.
func (s *settings) edited(stage, text string) (*settings, error) {
	if err := s.steps.check(cmp.Or(stage, "application")); err != nil {
		return nil, err
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
	phases, err := s.steps.phases(s.controls.Stage, s.overrides, s.controls.Canary)
	if err != nil {
		return err
	}
	s.splits = s.controls.Stage != "" && s.steps.place(s.controls.Stage) >= s.steps.splitFrom()
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
	problems = append(problems, s.steps.check(c.Stage), checkHeader(c.Header))
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

// phaseName is the name of the phase that is kept.
func (s *settings) phaseName() string {
	if s.controls.Stage == "" {
		return application
	}
	return s.controls.Stage
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
	for _, stage := range s.steps.names {
		note(s.texts[stage] != before.texts[stage], "the YAML of stage %s has changed", stage)
	}
	if now.Stopped {
		return strings.Join(append([]string{"The load is stopped"}, parts...), ", ") + "."
	}
	if len(parts) == 0 {
		return "The numbers begin anew."
	}
	return "The numbers begin anew: " + strings.Join(parts, ", ") + "."
}
