package reports

import "testing"

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		of   []Verdict
		want Verdict
	}{
		{nil, Inconclusive}, {[]Verdict{Pass}, Pass}, {[]Verdict{Pass, Inconclusive}, Inconclusive},
		{[]Verdict{Inconclusive, Fail, Pass}, Fail}, {[]Verdict{Pass, ""}, Inconclusive},
		{[]Verdict{Pass, NotJudged}, Pass}, {[]Verdict{NotJudged}, Inconclusive}, {[]Verdict{NotJudged, Fail}, Fail},
	} {
		if got := Worst(c.of...); got != c.want {
			t.Errorf("Worst(%v) = %s, want %s", c.of, got, c.want)
		}
	}
}

// Where several exit codes apply, it is the first of 5, 6, 4, 1, 3, 0.
func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		report Report
		code   int
	}{
		{Report{Verdict: Pass}, 0}, {Report{Verdict: Fail}, 1}, {Report{Verdict: Inconclusive}, 3}, {Report{}, 3},
		{Report{Verdict: Fail, Aborted: true}, 4},
		{Report{Verdict: Fail, Aborted: true, Error: "x"}, 6},
		{Report{Verdict: Pass, Aborted: true, Error: "x", Restored: NotRestored}, 5},
	} {
		if got := c.report.ExitCode(); got != c.code {
			t.Errorf("exit code %d of %+v, want %d", got, c.report, c.code)
		}
	}
}
