package reports

// Verdict is the result of a check, a phase or a run.
type Verdict string

const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
	// NotJudged is of checks that could not be looked at, for a reason that is given. It takes nothing away from others' verdicts.
	NotJudged Verdict = "not judged"
)

// Worst returns the worst of several verdicts: Fail is worse than Inconclusive, which is worse than Pass. NotJudged counts for
// nothing. Without any other verdict it is Inconclusive, because a run without data must not pass. A value that is none of them
// counts as Inconclusive.
func Worst(verdicts ...Verdict) Verdict {
	worst := NotJudged
	for _, v := range verdicts {
		switch {
		case v == Fail:
			return Fail
		case v == NotJudged:
		case v != Pass:
			worst = Inconclusive
		case worst == NotJudged:
			worst = Pass
		}
	}
	if worst == NotJudged {
		return Inconclusive
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
