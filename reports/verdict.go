package reports

import "slices"

// Verdict is the answer of a check, a stage or a run.
type Verdict string

const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Worst is the verdict of several: a failure outweighs what could not be decided, which outweighs a pass. None at all
// is inconclusive: no data is never a pass.
func Worst(verdicts ...Verdict) Verdict {
	if len(verdicts) == 0 {
		return Inconclusive
	}
	worst := Pass
	for _, v := range verdicts {
		switch {
		case v == Fail:
			return Fail
		case v != Pass:
			worst = Inconclusive
		}
	}
	return worst
}

// Exit codes of a run, in the order of design.md §3.
const (
	ExitPass           = 0
	ExitFail           = 1
	ExitUsage          = 2
	ExitInconclusive   = 3
	ExitAborted        = 4
	ExitNotRestored    = 5
	ExitInfrastructure = 6
)

// ExitCode is what the program ends with for this report; where several apply, 5 > 6 > 4 > 1 > 3 > 0.
func (r *Report) ExitCode() int {
	switch {
	case r.Restored == NotRestored:
		return ExitNotRestored
	case r.Error != "":
		return ExitInfrastructure
	case r.Aborted:
		return ExitAborted
	case r.Verdict == Fail:
		return ExitFail
	case r.Verdict != Pass:
		return ExitInconclusive
	}
	return ExitPass
}

// Values of Report.Restored.
const (
	Restored    = "restored"
	NotRestored = "not restored"
)

// VerdictOf is the verdict of a stage's checks on one of its phases.
func (s *Stage) VerdictOf(phase string) Verdict {
	var verdicts []Verdict
	for i := range s.Checks {
		m := s.Checks[i].Before
		if phase == "after" {
			m = s.Checks[i].After
		}
		if m != nil {
			verdicts = append(verdicts, m.Verdict)
		}
	}
	return Worst(verdicts...)
}

// Services are the services of the chain that counted tries, in the order of the calls.
func (r *Report) Services() []string {
	var names []string
	for _, s := range r.Stages {
		for _, a := range s.Amplification {
			if !slices.Contains(names, a.Hop) {
				names = append(names, a.Hop)
			}
		}
	}
	return names
}
