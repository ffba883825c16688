package run

import (
	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/observe"
)

// Event is something that happened in a run: Began, PhaseBegan, Progress, PhaseEnded, ChangeBegan or Ended. Events come one after another, by
// the goroutine that takes in the answers: who is slow to handle one holds up the load. What an event points to must not be changed,
// and must not be read after the call returned, but for the reports of PhaseEnded and Ended.
type Event interface{ event() }

// Began comes once, before anything is applied. Its report has all but phases.
type Began struct{ Report *reports.Report }

// PhaseBegan comes before the first request of a phase, with what is planned. A phase that is sent again begins again.
type PhaseBegan struct{ Phase *reports.Phase }

// Progress comes a few times a second while a phase sends its requests.
type Progress struct {
	// Phase has its name, what is planned, when it began and how many answers are in.
	Phase *reports.Phase
	// Done is how many answers are in.
	Done int
	// Tally is what they showed, Load what the natural ones among them were at the edge, by cohort; Cohorts names these.
	Tally   *observe.Tally
	Load    *attack.Tally
	Cohorts []string
	// Stand judges what was answered until now, within the call of the handler. It takes a few milliseconds, in which no answer is taken in.
	Stand func() *Standing
}

// PhaseEnded comes when a phase has been judged.
type PhaseEnded struct{ Phase *reports.Phase }

// ChangeBegan comes before the first request of a change between two phases, with what is planned.
type ChangeBegan struct{ Change *reports.Change }

// Ended comes once, when all has been put back.
type Ended struct{ Report *reports.Report }

func (Began) event()       {}
func (PhaseBegan) event()  {}
func (Progress) event()    {}
func (PhaseEnded) event()  {}
func (ChangeBegan) event() {}
func (Ended) event()       {}
