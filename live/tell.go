package live

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// Batch is what happened in a while.
type Batch struct {
	// Now is when it was taken, in milliseconds since the session began, as all times of tries are.
	Now float64 `json:"now"`
	// Anew says that the numbers began anew.
	Anew bool `json:"anew,omitempty"`
	// State and Numbers are nil where they did not change.
	State   *State   `json:"state,omitempty"`
	Numbers *Numbers `json:"numbers,omitempty"`
	Tries   []Try    `json:"tries,omitempty"`
	// Missed is how many tries are not told of, since nobody took them in time.
	Missed int `json:"missed,omitempty"`
}

// Try is a try that has begun or ended.
type Try struct {
	Request string `json:"q"`
	Path    string `json:"p"`
	Caller  string `json:"c"`
	// To is the service that gets the try, or the host where that is none of ours.
	To      string  `json:"s"`
	Version string  `json:"v,omitempty"`
	Attempt int     `json:"n"` // 0: no proxy sent it, or it answered itself
	Began   float64 `json:"b"`
	Ended   float64 `json:"e,omitempty"` // 0: not yet
	Status  int     `json:"st,omitempty"`
	Cut     bool    `json:"cut,omitempty"`
}

// edge is what reports call the outside, where requests come from.
const edge = "edge"

// gateway is the caller of tries that a gateway sends.
const gateway = "gateway"

// Numbers are what was measured beside what is predicted.
type Numbers struct {
	Phase *reports.Phase `json:"phase"`
	// Settled is how many requests a verdict needs, Done how many answers are in.
	Settled int `json:"settled"`
	Done    int `json:"done"`
	// Counted says that the services' counters were held against the calls.
	Counted bool `json:"counted"`
	// Notes say what is not judged, and why requests were sent a second time.
	Notes []string `json:"notes,omitempty"`
}

func numbersOf(at *run.Standing) *Numbers {
	n := &Numbers{Phase: at.Phase, Settled: at.Settled, Done: at.Done, Counted: at.Counted}
	if at.Unlike != "" {
		n.Notes = append(n.Notes, upper(at.Unlike)+".")
	}
	if at.Again != "" {
		n.Notes = append(n.Notes, "The requests were sent a second time, since "+at.Again+".")
	}
	if at.Phase.Undecided != "" {
		n.Notes = append(n.Notes, upper(at.Phase.Undecided)+".")
	}
	return n
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// State is what is in force.
type State struct {
	Controls Controls `json:"controls"`
	Seed     uint64   `json:"seed"`
	Stages   []Stage  `json:"stages"`
	Breaks   []Break  `json:"breaks"`
	// Application says that the stages stand on the application of the tutorial, which can be kept without any of them.
	Application bool `json:"application"`
	// Splits says that the canary's weight changes something.
	Splits bool `json:"splits"`
	// Every is one in how many requests is drawn.
	Every int `json:"every"`
	// Command is the run that gives the same numbers, or a request like those of the load where no run does; About says which.
	Command string `json:"command"`
	About   string `json:"about"`
	// Curl sends one request, as the load does.
	Curl string `json:"curl"`
	// Findings are what is wrong with the objects themselves.
	Findings []reports.Finding `json:"findings,omitempty"`
	// Notice says what was changed.
	Notice string `json:"notice"`
	// Error is why the load ended; empty while it goes on.
	Error string `json:"error,omitempty"`
	// Place says where the mesh is.
	Place string `json:"place"`
	// ReadOnly says that nothing can be moved: what is shown is a run, whose phases are Stages.
	ReadOnly bool `json:"readonly,omitempty"`
	// Untold says that nobody tells of single tries.
	Untold bool `json:"untold,omitempty"`
	// Result is what came of the run; nil while it goes on.
	Result *Result `json:"result,omitempty"`

	settings *settings
}

// Result is what came of a run that has ended.
type Result struct {
	Verdict reports.Verdict `json:"verdict"`
	Text    string          `json:"text"`
}

// Stage is a stage with its YAML, or a phase of a run.
type Stage struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Applied bool   `json:"applied"`
	YAML    string `json:"yaml"`
	Edited  bool   `json:"edited"`
	// Verdict is that of a phase that has ended; empty: it has not, or it is a stage.
	Verdict reports.Verdict `json:"verdict,omitempty"`
}

// Break is something that the mesh can do wrong.
type Break struct {
	Name  string `json:"name"`
	Stage string `json:"stage"`
	Text  string `json:"text"`
	// Shows says that the stage that shows it is applied; of a scenario file that is not known, so that it is true.
	Shows bool `json:"shows"`
}

// describe is the state with settings.
func (s *Session) describe(ctx context.Context, now *settings) (*State, error) {
	state := &State{Controls: now.controls, Seed: s.seed, Splits: now.splits, Every: 1, Application: now.steps.file == nil, Place: "The mesh is in this program, on loopback.", Findings: now.plan.Findings(), settings: now}
	for i, name := range now.steps.names {
		text, err := now.yaml(i)
		if err != nil {
			return nil, err
		}
		_, edited := now.texts[name]
		state.Stages = append(state.Stages, Stage{Name: name, Title: now.steps.titles[i], Applied: i <= now.steps.place(now.controls.Stage), YAML: text, Edited: edited})
	}
	for _, b := range mesh.Breaks() {
		if b.Stage != "" {
			state.Breaks = append(state.Breaks, Break{b.Name, b.Stage, b.Text, now.steps.file != nil || now.steps.place(b.Stage) <= now.steps.place(now.controls.Stage)})
		}
	}
	entry, host := now.plan.Entry()
	address, err := s.mesh.Address(ctx, entry)
	if err != nil {
		return nil, err
	}
	url := address.URL
	if s.entry != "" {
		scheme, _, _ := strings.Cut(url, ":")
		url = scheme + "://" + s.entry
	}
	state.Curl = now.curl(url, host)
	state.Command, state.About = now.command(state.Curl)
	return state, nil
}

// yaml is the text of the stage at a place as it is in force.
func (s *settings) yaml(at int) (string, error) {
	if text, edited := s.texts[s.steps.names[at]]; edited {
		return text, nil
	}
	if objects, replaced := s.overrides[s.steps.names[at]]; replaced {
		return encoded(objects)
	}
	return s.steps.texts[at], nil
}

// curl is the command that sends one request as the load does.
func (s *settings) curl(url, host string) string {
	words := []string{"curl", "-i"}
	header := func(name, value string) {
		words = append(words, "-H", printable.Word(name+": "+value))
	}
	if host != "" {
		header("Host", host)
	}
	if s.controls.Header != "" {
		header(headerName, s.controls.Header)
	}
	header("fail", fmt.Sprint(s.controls.Fail))
	if s.controls.Hang > 0 {
		header("hang", fmt.Sprint(s.controls.Hang))
	}
	return strings.Join(append(words, url+"/"), " ")
}

// command is the run that gives the same numbers, with what must be known of it.
func (s *settings) command(curl string) (command, about string) {
	c := s.controls
	if c.Header != "" {
		return curl, "One such request. No run sends this header with all requests: leave the field empty for the requests of the stage, which a run sends too."
	}
	about = "The same requests with the same draws, and their report."
	if c.Stage == "" || s.steps.file != nil {
		about = "The same requests with the same draws: those of its phase " + s.phaseName() + "."
	}
	words := []string{"hellochaos", "run", printable.Word(s.steps.argument(c.Stage)), "--fail", fmt.Sprint(c.Fail)}
	add := func(there bool, flag string, value any) {
		if there {
			words = append(words, flag, fmt.Sprint(value))
		}
	}
	add(c.Hang > 0, "--hang", c.Hang)
	add(c.Canary > 0 && s.splits, "--"+canaryParameter, c.Canary)
	add(true, "--rate", c.Rate)
	add(true, "--seed", s.seed)
	add(c.Break != "", "--break", c.Break)
	if own := s.own(); len(own) > 0 {
		words = append(words, "--manifests", "mine")
		about = "With the YAML of " + strings.Join(own, " and ") + " saved as mine/" + strings.Join(own, ".yaml and mine/") + ".yaml: the same requests with the same draws."
	}
	return strings.Join(words, " "), about
}

// own are the stages whose objects are not the bundled ones.
func (s *settings) own() (names []string) {
	for _, name := range s.steps.names {
		if _, replaced := s.overrides[name]; replaced {
			names = append(names, name)
		}
	}
	return slices.Clip(names)
}
