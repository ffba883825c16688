package compare

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/reporttest"
	"github.com/hellochaos/hellochaos/stats"
)

// Each change is found in its own metric, in its direction, and turned round it is the opposite. The reports are of schema 1 and have
// different seeds, so that their requests are two samples.
func TestWords(t *testing.T) {
	for _, test := range []struct {
		name, phase, metric string
		change              func(*truth)
		want                Word
		others              bool // of the metrics may change too
	}{
		{"nothing", "retry", reports.EdgeFails, func(*truth) {}, Same, false},
		{"more failures", "prod", reports.EdgeFails, func(is *truth) { is.edge = 0.4 }, Worse, true},
		{"fewer failures", "retry", "backend: fails", func(is *truth) { is.call, is.edge = 0, 0.28 }, Better, true},
		{"a little more, within the margin", "retry", reports.EdgeFails, func(is *truth) { is.edge = 0.31 }, Same, false},
		{"near the margin", "retry", reports.EdgeFails, func(is *truth) { is.edge = 0.345 }, Unclear, false},
		{"away from the prediction, up", "retry", "middleware: split canary", func(is *truth) { is.canary = 0.3 }, Worse, false},
		{"away from the prediction, down", "retry", "middleware: split canary", func(is *truth) { is.canary = 0.1 }, Worse, false},
		{"more tries", "retry", "backend: tries/request", func(is *truth) { is.tries = 2 }, Worse, false},
		{"slower", "retry", "ok p50", func(is *truth) { is.latency = 0.012 }, Worse, true},
		{"slower by less than the floor", "retry", "ok p50", func(is *truth) { is.latency = 0.0024 }, Same, true},
		{"one call that met something else", "retry", "middleware: each call", func(is *truth) { is.mismatched = 1 }, Worse, true},
		{"one retry missing", "retry", "backend: ledger", func(is *truth) { is.missing = 1 }, Worse, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := former
			test.change(&changed)
			a, b := former.draw(3), changed.draw(4)
			c, back := Of(a, b, defaults), Of(b, a, defaults)
			row := find(c, test.phase, test.metric)
			if row == nil || row.Word != test.want {
				t.Fatalf("got %+v, want %s", row, test.want)
			}
			opposite := map[Word]Word{Worse: Better, Better: Worse, Same: Same, Unclear: Unclear}
			if got := find(back, test.phase, test.metric).Word; got != opposite[test.want] {
				t.Errorf("turned round: got %s, want %s", got, opposite[test.want])
			}
			for i := range c.Rows {
				if r := &c.Rows[i]; !test.others && r.of() != test.metric && (r.Word == Worse || r.Word == Better) {
					t.Errorf("%s is %s", r.name(), r.Word)
				}
			}
			wantCode := map[Word]int{Worse: 1, Better: 0, Same: 0, Unclear: 3}[test.want]
			if c.Word != test.want && c.Word != Same || c.Word == test.want && c.ExitCode() != wantCode {
				t.Errorf("the whole: %s, exit %d; want %s, %d: %s", c.Word, c.ExitCode(), test.want, wantCode, c.Summary)
			}
		})
	}
}

// A report against itself is the same everywhere, whatever its data.
func TestItself(t *testing.T) {
	few := usual
	few.requests, few.seconds, few.mismatched, few.missing = 60, 1, 3, 2
	for _, is := range []truth{usual, few, former} {
		c := Of(is.draw(3), is.draw(3), defaults)
		if c.Word != Same || c.ExitCode() != 0 || c.Counts()[Same] != len(c.Rows) || len(c.Rows) < 15 {
			t.Errorf("%s: %v of %d", c.Summary, c.Counts(), len(c.Rows))
		}
	}
	for name, r := range reporttest.Named() {
		if c := Of(r, r, defaults); c.Counts()[Same] != len(c.Rows) && name != "inconclusive" { // what neither run could judge is unclear
			t.Errorf("%s: %s", name, c.Summary)
		}
	}
}

// Of pairs that are alike, even in seconds that differ by 20 %, hardly any has a metric that is called better or worse.
func TestAlike(t *testing.T) {
	const runs = 150
	noisy := former
	noisy.noise, noisy.requests = 0.2, 1500
	tight := defaults
	tight.Margin, tight.LatencyMargin, tight.LatencyFloor = 1e-9, 1e-9, 0 // the p-values alone
	wrong, wrongTight, same := 0, 0, 0
	for i := range uint64(runs) {
		a, b := noisy.draw(2*i+10), noisy.draw(2*i+11)
		for i := range a.Phases {
			a.Phases[i].LagMedian, a.Phases[i].LagP99 = 0, 0
			b.Phases[i].LagMedian, b.Phases[i].LagP99 = 0, 0
		}
		c := Of(a, b, defaults)
		if count := c.Counts(); count[Worse]+count[Better] > 0 {
			wrong++
		} else if c.Word == Same {
			same++
		}
		if count := Of(a, b, tight).Counts(); count[Worse]+count[Better] > 0 {
			wrongTight++
		}
	}
	t.Logf("of %d pairs %d are called different, without a margin %d; %d are the same", runs, wrong, wrongTight, same)
	if wrong > 1 || wrongTight > runs*4/100 { // 1 % is promised; 6 of 150 has a chance of .004 then
		t.Errorf("called different: %d, without a margin %d of %d", wrong, wrongTight, runs)
	}
	if same < runs/5 { // six shares of 1,500 requests each
		t.Errorf("the same: %d of %d", same, runs)
	}
}

// More data make an unclear difference a clear one, about as many as it says.
func TestNeeded(t *testing.T) {
	before, after := former, former
	before.requests, after.requests, after.edge = 500, 500, 0.33
	c := Of(before.draw(3), after.draw(4), defaults)
	row := find(c, "retry", reports.EdgeFails)
	if row.Word != Unclear || row.Needed < 1000 || row.Needed > 400000 {
		t.Fatalf("got %s, needs %d", row.Word, row.Needed)
	}
	before.requests, after.requests = 40*before.requests, 40*after.requests
	if got := find(Of(before.draw(3), after.draw(4), defaults), "retry", reports.EdgeFails); got.Word != Same {
		t.Errorf("with 40 times as many: %s, %v", got.Word, got.Interval)
	}
	// One second shows no spread between seconds.
	short := former
	short.seconds = 1
	row = find(Of(short.draw(3), short.draw(4), defaults), "retry", "ok p50")
	if row.Word != Unclear || row.Gates || row.P != nil || row.Needed <= int64(short.requests) || !strings.Contains(row.Note, "too few answers for an interval") {
		t.Errorf("one second: %+v", row)
	}
	strict := defaults
	strict.Strict = true
	if c := Of(short.draw(3), short.draw(4), defaults); c.Word != Same {
		t.Errorf("an unclear latency counts: %s", c.Summary)
	}
	if c := Of(short.draw(3), short.draw(4), strict); c.Word != Unclear || c.ExitCode() != 3 {
		t.Errorf("strict: %s", c.Summary)
	}
}

// A busy machine excuses a difference that its own lateness explains.
func TestLag(t *testing.T) {
	slow := usual
	slow.latency = 0.012
	a, b := usual.draw(1), slow.draw(2)
	b.Phases[1].LagMedian, b.Phases[1].LagP99 = 0.015, 0.018
	row := find(Of(a, b, defaults), "retry", "ok p50")
	if row.Word != Unclear || !strings.Contains(row.Note, "the machine was busy") {
		t.Errorf("got %s, %q", row.Word, row.Note)
	}
}

// A difference is worse by more than the margin only where its whole interval lies beyond the margin: a true change that is smaller is
// hardly ever called worse, and one that is clearly larger is found.
func TestChangesNearTheMargin(t *testing.T) {
	const runs, n = 1000, 4000
	one := func(change float64, paired bool, random *rand.Rand) Word {
		var both, onlyOld, onlyNew, a, b int64
		for range n {
			x, y := random.Float64(), random.Float64()
			if paired {
				y = x
			}
			old, new := x < 0.3, y < 0.3+change
			switch {
			case old && new:
				both++
			case old:
				onlyOld++
			case new:
				onlyNew++
			}
		}
		a, b = both+onlyOld, both+onlyNew
		r := &Row{Gates: true, measured: measured{requests: n}}
		k1, k2 := float64(a), float64(b)
		u := test{difference: stats.Newcombe(k1, n, k2, n, intervalAlpha), margin: 0.05, p: stats.TwoProportions(k1, n, k2, n)}
		if paired {
			u = test{difference: stats.PairedDifference(both, onlyOld, onlyNew, n-both-onlyOld-onlyNew, intervalAlpha), margin: 0.05, p: stats.McNemar(onlyOld, onlyNew)}
		}
		r.show(u, false)
		r.PHolm = &u.p
		r.judge(1)
		return r.Word
	}
	for _, paired := range []bool{false, true} {
		for _, test := range []struct{ change, least, most float64 }{{0.045, 0, 0.015}, {0.0499, 0, 0.04}, {0.1, 0.95, 1.001}} {
			random := rand.New(rand.NewPCG(5, math.Float64bits(test.change)))
			worse := 0.0
			for range runs {
				if one(test.change, paired, random) == Worse {
					worse += 1. / runs
				}
			}
			t.Logf("a true change of %g with a margin of 0.05, %d requests, the same in both runs %v: worse in %.3f", test.change, n, paired, worse)
			if worse < test.least || worse > test.most {
				t.Errorf("worse in %.3f, want %g to %g", worse, test.least, test.most)
			}
		}
	}
}

// Invalid data are not compared, and the comparison lists them.
func TestExcluded(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*reports.Report)
		what   string // left out, of phase retry
		why    string
		gates  bool
	}{
		{"undecided", func(r *reports.Report) { r.Phases[1].Undecided = "the counters could not be read" }, "everything", "NEW: the counters could not be read", true},
		{"replaced", func(r *reports.Report) { r.Phases[1].Replaced = true }, "everything", "NEW: pods were replaced during the phase", true},
		{"aborted", func(r *reports.Report) { r.Aborted = true }, "everything", "NEW: the run ended during the phase", true},
		{"error", func(r *reports.Report) { r.Error = "lost" }, "everything", "NEW: the run ended during the phase", true},
		{"nothing observed", func(r *reports.Report) { r.Phases[1].Observed = 0 }, "everything", "NEW: no request was observed", true},
		{"late", func(r *reports.Report) { r.Phases[1].Late = true }, "latencies", "requests were sent late in NEW", false},
		{"generator", func(r *reports.Report) { r.Phases[1].GeneratorLimited = true }, "latencies", "the load generator could not keep its schedule", false},
		{"half the rate", func(r *reports.Report) { r.Phases[1].PlannedRate /= 2 }, "latencies", "OLD sent 300 requests a second, NEW 150", false},
		{"no seconds", func(r *reports.Report) { r.Phases[1].Seconds = nil }, "latencies", "a report has no latencies by second", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := usual.again(1, 1), usual.again(1, 2)
			test.change(b)
			c := Of(a, b, defaults)
			if want := []Exclusion{{"retry", test.what, test.why, test.gates}}; !cmp.Equal(c.Excluded, want) {
				t.Errorf("got %+v, want %+v", c.Excluded, want)
			}
			for i := range c.Rows {
				r := &c.Rows[i]
				if r.Phase == "retry" && (test.what == "everything" || test.what == "latencies" && r.Kind == Latency) {
					t.Errorf("%s was compared", r.name())
				}
			}
			if want := map[bool]Word{true: Unclear, false: Same}[test.gates]; c.Word != want {
				t.Errorf("the whole is %s, want %s: %s", c.Word, want, c.Summary)
			}
		})
	}
	a, b := former.draw(1), former.draw(2)
	b.Phases[1].GeneratorLimited = true
	if c := Of(a, b, defaults); !cmp.Equal(c.Excluded, []Exclusion{{"retry", "everything", "NEW: the load generator could not keep its schedule", true}}) {
		t.Errorf("schema 1: %+v", c.Excluded)
	}
	a, b = usual.again(1, 1), usual.again(1, 2)
	b.Phases = b.Phases[:1]
	if c := Of(a, b, defaults); !cmp.Equal(c.Excluded, []Exclusion{{"retry", "everything", "only OLD has the phase", true}}) || c.Word != Unclear {
		t.Errorf("a phase less: %+v, %s", c.Excluded, c.Word)
	}
	if c := Of(b, a, defaults); !cmp.Equal(c.Excluded, []Exclusion{{"retry", "everything", "only NEW has the phase", false}}) {
		t.Errorf("a phase more: %+v", c.Excluded)
	}
}

// What only one report has is listed. It counts where OLD has it and NEW does not. A verdict that changed settles a metric.
func TestOfOneAlone(t *testing.T) {
	call := func(r *reports.Report, i int) *reports.Call { return &r.Phases[1].Calls[i] }
	canary := func(r *reports.Report) *reports.SplitShare { return &call(r, 0).Split.Parts[1] }
	for _, test := range []struct {
		name    string
		change  func(a, b *reports.Report)
		metric  string
		note    string
		word    Word
		gates   bool
		overall Word
	}{
		{"share only in old", func(a, b *reports.Report) { b.Phases[1].Shares = b.Phases[1].Shares[1:] }, reports.EdgeFails, "only OLD has it", Unclear, true, Unclear},
		{"share only in new", func(a, b *reports.Report) { a.Phases[1].Shares = a.Phases[1].Shares[1:] }, reports.EdgeFails, "only NEW has it", Unclear, false, Same},
		{"call only in old", func(a, b *reports.Report) { b.Phases[1].Calls = b.Phases[1].Calls[1:] }, "middleware: all", "only OLD has it", Unclear, true, Unclear},
		{"call only in new", func(a, b *reports.Report) { a.Phases[1].Calls = a.Phases[1].Calls[1:] }, "middleware: all", "only NEW has it", Unclear, false, Same},
		{"ledger only in old", func(a, b *reports.Report) { call(b, 1).Ledger = nil }, "backend: ledger", "only OLD has it", Unclear, true, Unclear},
		{"split only in old", func(a, b *reports.Report) { call(b, 0).Split = nil }, "middleware: split", "only OLD has it", Unclear, true, Unclear},
		{"no data", func(a, b *reports.Report) { call(b, 1).Fails = reports.Share{Name: "fails"} }, "backend: fails", "no data in NEW", Unclear, true, Unclear},
		{"no data before", func(a, b *reports.Report) { call(a, 1).Fails = reports.Share{Name: "fails"} }, "backend: fails", "no data in OLD", Unclear, false, Same},
		{"branch", func(a, b *reports.Report) { call(b, 1).Branches[1].Met = 0 }, "backend: branches met", "no longer met: all 4 tries fail", Unclear, true, Unclear},
		{"branch gained", func(a, b *reports.Report) { call(a, 1).Branches[1].Met = 0 }, "backend: branches met", "", Same, true, Same},
		{"undecided", func(a, b *reports.Report) { call(b, 1).Ledger.Verdict = reports.Inconclusive }, "backend: ledger", "NEW has no verdict", Unclear, true, Unclear},
		{"decided now", func(a, b *reports.Report) { call(a, 1).Ledger.Verdict = reports.Inconclusive }, "backend: ledger", "OLD has no verdict", Unclear, false, Same},
		{"neither decided", func(a, b *reports.Report) {
			call(a, 1).Ledger.Verdict, call(b, 1).Ledger.Verdict = reports.Inconclusive, reports.Inconclusive
			call(b, 1).Ledger.Failures++
		}, "backend: ledger", "neither report has a violation, but neither has enough trials for a verdict", Unclear, true, Unclear},
		{"phase without a verdict", func(a, b *reports.Report) { b.Phases[1].Verdict = reports.Inconclusive }, "verdict", "NEW has no verdict", Unclear, true, Unclear},
		{"phase fails", func(a, b *reports.Report) { b.Phases[1].Verdict = reports.Fail }, "verdict", "", Worse, true, Worse},
		{"phase passes", func(a, b *reports.Report) { a.Phases[1].Verdict = reports.Fail }, "verdict", "", Better, true, Better},
		{"phase fails after none", func(a, b *reports.Report) {
			a.Phases[1].Verdict, b.Phases[1].Verdict = reports.Inconclusive, reports.Fail
		}, "verdict", "it fails in NEW, and OLD has no verdict", Unclear, true, Unclear},
		{"mismatches", func(a, b *reports.Report) { call(b, 0).Mismatched, call(b, 0).Requests = 2, reports.Fail }, "middleware: each call", "it passed in OLD and fails in NEW", Worse, true, Worse},
		{"mismatches gone", func(a, b *reports.Report) { call(a, 0).Mismatched, call(a, 0).Requests = 2, reports.Fail }, "middleware: each call", "it failed in OLD and passes in NEW", Better, true, Better},
		{"both mismatched", func(a, b *reports.Report) {
			call(a, 0).Mismatched, call(a, 0).Requests = 100, reports.Fail
			call(b, 0).Mismatched, call(b, 0).Requests = 600, reports.Fail
		}, "middleware: each call", "a report has violations that it does not fail for, or both have some, so their shares are compared", Worse, true, Worse},
		{"a lost connection", func(a, b *reports.Report) { call(b, 0).Mismatched = 1 }, "middleware: each call",
			"a report has violations that it does not fail for, or both have some, so their shares are compared", Same, true, Same},
		{"split fails", func(a, b *reports.Report) { canary(b).Verdict = reports.Fail }, "middleware: split canary", "it passed in OLD and fails in NEW", Worse, true, Worse},
		{"by load", func(a, b *reports.Report) {
			call(a, 0).Split.Balanced, call(b, 0).Split.Balanced = true, true
			canary(b).Measured = value(0.3)
		}, "middleware: split", "a load balancer picks versions by load, so the manifests promise no share, only that each version answers", Same, true, Same},
		{"other side", func(a, b *reports.Report) {
			canary(a).Share, canary(b).Share = counted("canary", 0.2, 300, 3000), counted("canary", 0.2, 900, 3000)
			call(b, 0).Split.Verdict = reports.Inconclusive
		}, "middleware: split canary", "the new value is about as far from the prediction as the old one, on its other side", Unclear, true, Unclear},
		{"few calls of a split", func(a, b *reports.Report) {
			canary(a).Share, canary(b).Share = counted("canary", 0.2, 20, 100), counted("canary", 0.2, 25, 100)
		}, "middleware: split canary", "both shares are within what the runs tolerate", Same, true, Same},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := usual.again(1, 1), usual.again(1, 2)
			test.change(a, b)
			c := Of(a, b, defaults)
			r := find(c, "retry", test.metric)
			if r == nil || r.Word != test.word || r.Gates != test.gates || r.Note != test.note {
				t.Errorf("got %+v, want %s, %v, %q", r, test.word, test.gates, test.note)
			}
			if c.Word != test.overall {
				t.Errorf("the whole is %s, want %s: %s", c.Word, test.overall, c.Summary)
			}
		})
	}
}

// Settings that must be the same, and those that may differ, are listed with both values. Unknown settings are listed as well.
func TestScenario(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*reports.Report)
		want   string // of the refusal
	}{
		{"scenario", func(r *reports.Report) { r.Scenario.Name = "prod" }, "scenario: OLD retry, NEW prod"},
		{"phases", func(r *reports.Report) { r.Phases[0].Name = "egress" }, "phases: OLD prod, retry, NEW egress, retry"},
		{"fail", func(r *reports.Report) { r.Settings.Fail = 0.5 }, "fail probability: OLD 0.3, NEW 0.5"},
		{"hang", func(r *reports.Report) { r.Settings.Hang = 0.01 }, "hang probability: OLD 0, NEW 0.01"},
		{"cascade", func(r *reports.Report) { r.Settings.Cascade = "propagate" }, "cascade: OLD absorb, NEW propagate"},
		{"canary", func(r *reports.Report) { r.Settings.Parameters["canary-weight"] = "30" }, "canary-weight: OLD 20, NEW 30"},
		{"no canary", func(r *reports.Report) { r.Settings.Parameters = nil }, "canary-weight: OLD 20, NEW none"},
		{"exclude", func(r *reports.Report) { r.Settings.Exclude = 0.02 }, "--exclude: OLD 0.01, NEW 0.02"},
		{"split", func(r *reports.Report) { r.Settings.SplitTolerance.Lo = 0.9 }, "--split-tolerance: OLD 0.7 to 1.4, NEW 0.9 to 1.4"},
		{"target", func(r *reports.Report) { r.Target.Kind = "cluster" }, "kind of target: OLD mesh, NEW cluster"},
		{"rate", func(r *reports.Report) { r.Settings.Rate = 100 }, "rate: OLD as planned, NEW 100 a second"},
		{"hash", func(r *reports.Report) { r.Settings.ManifestsHash = "bb" }, "manifests' hash: OLD aa, NEW bb"},
		{"two", func(r *reports.Report) { r.Settings.Rate, r.Settings.Fail = 100, 0 }, "fail probability: OLD 0.3, NEW 0\nrate: OLD as planned, NEW 100 a second"},
		{"seed", func(r *reports.Report) { r.Settings.Seed = 99 }, ""},
	} {
		b := usual.draw(2)
		test.change(b)
		if got := Of(usual.draw(1), b, defaults).Refusal(); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	a, b := usual.draw(1), usual.draw(2)
	b.Target.Versions, b.Target.Deviation, b.Tool.Version, b.Tool.Processors = map[string]string{"istio": "1.31.1"}, "slow-backend", "1.1", 8
	c := Of(a, b, defaults)
	want := []Mismatch{{"version of istio", "none", "1.31.1"}, {"--break", "none", "slow-backend"}, {"hellochaos", "1.0", "1.1"}, {"processors", "2", "8"}}
	if !cmp.Equal(c.Changes, want) || c.Refusal() != "" {
		t.Errorf("got %v and %q, want %v", c.Changes, c.Refusal(), want)
	}
	older := former.draw(1)
	older.UpgradedFrom, older.Settings.ManifestsHash = "1.1", ""
	c = Of(former.draw(2), older, defaults)
	unknown := []string{"the rate could not be compared: NEW does not have it",
		"the manifests' hash could not be compared: NEW does not have it"}
	if !cmp.Equal(c.Unknown, unknown) || c.Refusal() != "" {
		t.Errorf("an older schema: %q, %q", c.Unknown, c.Refusal())
	}
}

// A report of schema 1 is compared with one of today's, in the phases that both have.
func TestForms(t *testing.T) {
	a, b := former.draw(1), usual.draw(1)
	a.Phases[0].Name = "retry before"
	a.Settings.Parameters["canary-weight"] = "20"
	a.Scenario.Name = "prod, retry"
	c := Of(a, b, defaults)
	if c.Refusal() != "" || c.Paired != 0 {
		t.Errorf("refused: %q; %d paired", c.Refusal(), c.Paired)
	}
	want := []Exclusion{{"retry before", "everything", "only OLD has the phase", false}, {"prod", "everything", "only NEW has the phase", false}}
	if !cmp.Equal(c.Excluded, want) {
		t.Errorf("excluded %+v", c.Excluded)
	}
	for _, metric := range []string{"verdict", reports.EdgeFails, "backend: fails", "backend: ledger", "backend: tries/request", "backend: waits before try 2", "ok p50"} {
		if find(c, "retry", metric) == nil {
			t.Errorf("no row for %s", metric)
		}
	}
	unknown := []string{"the share of deviating calls to be excluded could not be compared: OLD does not have it", "the manifests' hash could not be compared: OLD does not have it"}
	if !cmp.Equal(c.Unknown, unknown) {
		t.Errorf("unknown %q", c.Unknown)
	}
	// Real reports of schema 1 are compared as well.
	for _, file := range []string{"retry.json", "egress-canary.json"} {
		r, err := reports.Load(filepath.Join("..", "testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if c := Of(r, r, defaults); c.Word != Same && c.Word != Unclear || c.Counts()[Worse]+c.Counts()[Better] > 0 || len(c.Rows) < 10 {
			t.Errorf("%s with itself: %s, %d rows", file, c.Summary, len(c.Rows))
		}
	}
}

// A margin that is wider makes nothing worse that was the same.
func TestMarginIsMonotone(t *testing.T) {
	changed := former
	changed.edge, changed.latency = 0.36, 0.003
	a, b := former.draw(1), changed.draw(2)
	last := map[string]Word{}
	for _, margin := range []float64{0.005, 0.02, 0.05, 0.1, 0.3} {
		c := Of(a, b, Options{Margin: margin, LatencyMargin: 4 * margin})
		for i := range c.Rows {
			r := &c.Rows[i]
			if was := last[r.name()]; was == Same && r.Word != Same {
				t.Errorf("%s: same, and with a margin of %g %s", r.name(), margin, r.Word)
			}
			last[r.name()] = r.Word
		}
	}
	if last[`"edge fails" of phase retry`] != Same {
		t.Errorf("within 0.3: %s", last[`"edge fails" of phase retry`])
	}
}

// Whatever two reports are read, they are compared or refused, and every format can be written.
func FuzzOf(f *testing.F) {
	small := usual
	small.requests, small.seconds = 20, 2
	var texts [][]byte
	for _, r := range []*reports.Report{small.again(1, 1), small.again(1, 2), reporttest.Everything(), reporttest.RunAll()} {
		var text bytes.Buffer
		if err := reports.JSON(&text, r); err != nil {
			f.Fatal(err)
		}
		texts = append(texts, text.Bytes())
	}
	old, err := os.ReadFile(filepath.Join("..", "testdata", "egress-canary.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, edits := range []string{"", "60 1\n90 0", "100 \"AAEC\"\n130 null", "200 1e15\n31 []"} {
		f.Add(texts[0], texts[1], edits)
		f.Add(texts[2], texts[2], edits)
		f.Add(texts[3], texts[2], edits)
		f.Add(old, old, edits)
	}
	f.Fuzz(func(t *testing.T, old, other []byte, edits string) {
		if len(old) > 1<<16 || len(other) > 1<<16 || strings.Count(edits, "\n") > 10 {
			return
		}
		a, err := reports.Read(bytes.NewReader(old))
		if err != nil {
			return
		}
		b, err := reports.Read(bytes.NewReader(reporttest.Edited(other, edits)))
		if err != nil {
			return
		}
		c := Of(a, b, defaults)
		for _, format := range formats {
			if err := format.Write(&strings.Builder{}, c); err != nil {
				t.Fatalf("%s: %v", format.Name, err)
			}
		}
		for i := range c.Rows {
			if c.Rows[i].Word == "" {
				t.Fatalf("%s has no word", c.Rows[i].name())
			}
			if p := c.Rows[i].picture("x"); p != nil {
				inside(t, p, fmt.Sprintf("%s: difference %g, interval %v, margin %g", c.Rows[i].name(), *c.Rows[i].Difference, c.Rows[i].Interval, c.Rows[i].Margin))
			}
		}
	})
}

func BenchmarkOf(b *testing.B) {
	large := usual
	large.requests, large.seconds = 20000, 40
	one, other := large.draw(1), large.draw(2)
	for b.Loop() {
		if c := Of(one, other, defaults); len(c.Rows) == 0 {
			b.Fatal(c.Summary)
		}
	}
}

// Violations that their own run does not judge, since a race may explain them, settle nothing.
func TestViolationsThatAreNotJudged(t *testing.T) {
	a, b := usual.draw(1), usual.draw(2)
	b.Phases[1].Calls[1].Ledger.Violations, b.Phases[1].Calls[1].Ledger.Verdict = 2, reports.Inconclusive
	for _, sides := range [][2]*reports.Report{{a, b}, {b, a}} {
		if row := find(Of(sides[0], sides[1], defaults), "retry", "backend: ledger"); row.Word != Unclear || !row.Gates || !strings.Contains(row.Note, "is inconclusive in the report") {
			t.Errorf("got %+v, want unclear, and why", row)
		}
	}
}
