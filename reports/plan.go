package reports

import "time"

// Plan is what a run would do. Nothing of it was measured.
type Plan struct {
	Scenario string
	// Settings are those of the run, as far as they are known before it.
	Settings Settings
	// Requests is how many the run is expected to send, Most the most that it sends, and Duration about how long that takes.
	Requests, Most int
	Duration       time.Duration
	Phases         []PlannedPhase
	// Changes are those that are measured under load ('hellochaos run --through-change').
	Changes  []PlannedChange
	Findings []Finding
	// Notices are what the plan cannot decide.
	Notices []string
}

// PlannedChange is the objects of one phase taking the place of those of another under load, and being put back.
type PlannedChange struct {
	From, To string
	// Blocked is a clause that says why no request can be sent before and after it; empty where some can.
	Blocked string
	// Rate is the requests a second that are sent, at most.
	Rate float64
	// Steps are the objects that are written or removed one step after another, and Back those of putting back.
	Steps, Back [][]string
}

// PlannedPhase is one set of objects in force, and the requests that are to be sent meanwhile.
type PlannedPhase struct {
	Name, Title string
	// Base: the phase is only what the next one is compared with. No probes are sent in it.
	Base bool
	// Objects are those that the phase adds to the one before; in the first phase all.
	Objects []PlannedObject
	Cohorts []PlannedCohort
	// Shares are the predictions for the natural requests.
	Shares []Share
	// Calls are from the edge inwards.
	Calls []PlannedCall
}

// PlannedObject is an object that is applied, and the place of its file where it is written.
type PlannedObject struct {
	Name, File string
	Line       int
}

// PlannedCohort is requests that are alike.
type PlannedCohort struct {
	// Name is empty where all requests of the phase are alike. Entry says where they enter, and Request what they ask for: "POST /orders".
	Name, Entry, Request string
	// Natural are those that are sent at least, with failures drawn; Probes have failures pinned.
	Natural, Probes int
}

// PlannedCall is the calls from one service to another under one rule.
type PlannedCall struct {
	From, To string
	// Cohorts are the requests that lead to these calls, where not all do.
	Cohorts []string
	// Rule is what the caller's proxy does; none where the caller has no proxy.
	Rule *Rule
	// Fails is how often such a call of a natural request fails, and Tries how many tries such a request leads to here.
	Fails, Tries float64
	// Unchanged: the rule is that of the phase before, which proved it.
	Unchanged bool
	Branches  []PlannedBranch
}

// PlannedBranch is a case of a rule.
type PlannedBranch struct {
	Name string
	// Met is how many calls of the probes of each cohort meet it. What the mesh draws is played, so that it is about so many there.
	Met []MetBy
	// Why says why nothing is judged of it: it is too seldom, or no answer shows it. Empty where it is judged.
	Why string
}

// MetBy is how many calls of the probes of a cohort meet a case.
type MetBy struct {
	Cohort string
	Calls  int64
}
