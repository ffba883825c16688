package reports

import "slices"

// Verdict is the result of a check, a stage or a run.
type Verdict string

const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Worst returns the worst of several verdicts: Fail is worse than Inconclusive, which is worse than Pass. Without any verdict it is
// Inconclusive, because a run without data must not pass. A value that is none of the three counts as Inconclusive.
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

// The exit codes of a run.
const (
	ExitPass           = 0
	ExitFail           = 1
	ExitUsage          = 2
	ExitInconclusive   = 3
	ExitAborted        = 4
	ExitNotRestored    = 5
	ExitInfrastructure = 6
)

// ExitCode returns the exit code of the run. Where several apply it is the first of 5, 6, 4, 1, 3, 0.
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

// VerdictOf returns the worst verdict of a stage's checks on one phase, "before" or "after".
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

// Services returns the names of the services that counted tries, in the order of the chain.
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
