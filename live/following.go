package live

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// judgedEvery is how often the phase of a run is judged for those who watch it.
const judgedEvery = 250 * time.Millisecond

// Following is a run that others started, told as a session is: its phases one after another, and nothing that a user could move.
type Following struct {
	feed
	each []float64     // how many tries a natural request of each phase is predicted to lead to
	over chan struct{} // closed by End
	end  func()

	// What follows is under the lock of the feed.
	at     int // the phase that was told of last; -1: none
	judged time.Time
}

// Follow follows a run that has not begun; command is the one that runs it. Handle must be subscribed to the run, and End be called after it.
func Follow(plan *run.Run, command string) *Following {
	f := &Following{feed: newFeed(), over: make(chan struct{}), at: -1}
	f.end = sync.OnceFunc(func() { close(f.over) })
	outline := plan.Outline()
	f.state = &State{ReadOnly: true, Untold: true, Seed: outline.Settings.Seed, Every: 1, Command: command, About: "This run. It moves nothing on the page: hellochaos up does.",
		Findings: plan.Findings(), Notice: "The run begins."}
	for i := range outline.Phases {
		p := &outline.Phases[i]
		f.state.Stages = append(f.state.Stages, Stage{Name: p.Name, Title: p.Title})
		tries := 0.0
		for _, c := range p.Calls {
			tries += c.Tries
		}
		f.each = append(f.each, tries)
	}
	return f
}

// Handle takes an event of the run.
func (f *Following) Handle(e run.Event) {
	switch e := e.(type) {
	case run.Began:
		f.note(func(s *State) {
			s.Place = "Tested: " + e.Report.Target.Detail + "."
			s.Notice = "The objects of phase " + s.Stages[0].Name + " are applied now."
		})
	case run.ChangeBegan:
		f.note(func(s *State) {
			s.Notice = fmt.Sprintf("The change from phase %s to phase %s is measured now. The calls below are of before.", e.Change.From, e.Change.To)
		})
	case run.PhaseBegan:
		f.begins(e.Phase)
	case run.Progress:
		if f.due() {
			f.stands(e.Stand())
		}
	case run.PhaseEnded:
		f.ends(e.Phase)
	case run.Ended:
		f.note(func(s *State) {
			s.Result = &Result{Verdict: e.Report.Verdict, Text: upper(e.Report.Summary) + "."}
			s.Notice = "The run has ended. The page stays as it is; the report has more."
		})
	}
}

// note changes the state.
func (f *Following) note(change func(*State)) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.told(func(s *State) {
		s.Stages = slices.Clone(s.Stages) // what was taken before may still be read
		change(s)
	})
}

// begins begins the numbers of a phase, or begins them again.
func (f *Following) begins(p *reports.Phase) {
	f.lock.Lock()
	again := f.at >= 0 && f.state.Stages[f.at].Verdict == "" // one that has a verdict is over
	if !again {
		f.at++
	}
	f.judged = time.Time{}
	f.thin(p.PlannedRate, f.each[f.at])
	f.anew()
	f.lock.Unlock()
	f.note(func(s *State) {
		s.Every = int(f.every)
		s.Controls.Stage = p.Name
		s.Stages[f.at].Applied = true
		s.Notice = "The numbers begin: phase " + p.Name + "."
		if again {
			s.Notice = fmt.Sprintf("Phase %s is sent again, at %.0f requests a second; the report says why.", p.Name, p.PlannedRate)
		}
	})
}

// ends shows a phase as it was judged.
func (f *Following) ends(p *reports.Phase) {
	at := *p // so that nobody changes it while it is told
	f.stands(&run.Standing{Phase: &at, Settled: p.Planned, Done: p.Observed, Counted: true})
	f.note(func(s *State) {
		if f.at < 0 || s.Stages[f.at].Name != p.Name {
			s.Notice = "Phase " + p.Name + " did not begin."
			return
		}
		s.Stages[f.at].Verdict = p.Verdict
		s.Notice = fmt.Sprintf("Phase %s has ended: %s.", p.Name, strings.ToUpper(string(p.Verdict)))
		if next := f.at + 1; next < len(s.Stages) {
			s.Notice += " The objects of phase " + s.Stages[next].Name + " are applied now."
		}
	})
}

// due reports whether somebody watches for whom the phase is to be judged now: it holds up the run for some milliseconds.
func (f *Following) due() bool {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.watchers == 0 || time.Since(f.judged) < judgedEvery {
		return false
	}
	f.judged = time.Now()
	return true
}

// Try takes what the embedded mesh tells of a try (mesh.Options.Tries). On a cluster nobody tells of tries.
func (f *Following) Try(t *mesh.Try) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.watchers > 0 && chosen(t.Request)%f.every == 0 {
		f.add(f.tryOf(t))
	}
}

// TellsTries notes that Try will be called.
func (f *Following) TellsTries() { f.note(func(s *State) { s.Untold = false }) }

// Watch notes that somebody watches, until the function that it returns was called.
func (f *Following) Watch() (leave func()) {
	f.watch(1)
	return sync.OnceFunc(func() { f.watch(-1) })
}

func (f *Following) watch(more int) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.watchers += more
}

// End notes that nothing comes any more.
func (f *Following) End() { f.end() }

// Over is closed by End.
func (f *Following) Over() <-chan struct{} { return f.over }
