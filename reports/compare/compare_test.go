package compare

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Each change is found in its own metric, in its direction, and turned round it is the opposite.
func TestWords(t *testing.T) {
	for _, test := range []struct {
		name, phase, metric string
		change              func(*truth)
		want                Word
		others              bool // of the metrics may change too
	}{
		{"nothing", "after", "edge fails", func(*truth) {}, Same, false},
		{"more failures", "before", "edge fails", func(is *truth) { is.edge = 0.4 }, Worse, false},
		{"fewer failures", "after", "backend call fails", func(is *truth) { is.call = 0.0 }, Better, false},
		{"a little more, within the margin", "after", "edge fails", func(is *truth) { is.edge = 0.31 }, Same, false},
		{"near the margin", "after", "edge fails", func(is *truth) { is.edge = 0.345 }, Unclear, false},
		{"away from the prediction, up", "after", "canary share", func(is *truth) { is.canary = 0.3 }, Worse, false},
		{"away from the prediction, down", "after", "canary share", func(is *truth) { is.canary = 0.1 }, Worse, false},
		{"more tries", "after", "backend tries/request", func(is *truth) { is.tries = 2 }, Worse, false},
		{"slower", "after", "ok p50", func(is *truth) { is.latency = 0.012 }, Worse, true},
		{"slower by less than the floor", "after", "ok p50", func(is *truth) { is.latency = 0.0024 }, Same, true},
		{"one violation", "after", "canary, exact header", func(is *truth) { is.violations = 1 }, Worse, false},
		{"one retry missing", "after", "backend ledger", func(is *truth) { is.missing = 1 }, Worse, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := usual
			test.change(&changed)
			a, b := usual.draw(1), changed.draw(2)
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
				if r := &c.Rows[i]; !test.others && r.Metric != test.metric && (r.Word == Worse || r.Word == Better) {
					t.Errorf("%s is %s", r.name(), r.Word)
				}
			}
			wantCode := map[Word]int{Worse: 1, Better: 0, Same: 0, Unclear: 3}[test.want]
			if c.Word != test.want || c.ExitCode() != wantCode {
				t.Errorf("the whole: %s, exit %d; want %s, %d", c.Word, c.ExitCode(), test.want, wantCode)
			}
		})
	}
}

// A report against itself is the same everywhere, whatever its data.
func TestItself(t *testing.T) {
	few := usual
	few.requests, few.seconds, few.violations, few.missing = 60, 1, 3, 2
	for _, is := range []truth{usual, few} {
		c := Of(is.draw(3), is.draw(3), defaults)
		if c.Word != Same || c.ExitCode() != 0 || c.Counts()[Same] != len(c.Rows) || len(c.Rows) < 15 {
			t.Errorf("%s: %v of %d", c.Summary, c.Counts(), len(c.Rows))
		}
	}
}

// Of pairs that are alike, even in seconds that differ by 20 %, hardly any has a metric that is called better or worse.
func TestAlike(t *testing.T) {
	const runs = 150
	noisy := usual
	noisy.noise, noisy.requests = 0.2, 1500
	tight := defaults
	tight.Margin, tight.LatencyMargin, tight.LatencyFloor = 1e-9, 1e-9, 0 // the p-values alone
	wrong, wrongTight, same := 0, 0, 0
	for i := range uint64(runs) {
		a, b := noisy.draw(2*i+10), noisy.draw(2*i+11)
		for i := range a.Stages[0].Phases {
			a.Stages[0].Phases[i].LagMedian, a.Stages[0].Phases[i].LagP99 = 0, 0
			b.Stages[0].Phases[i].LagMedian, b.Stages[0].Phases[i].LagP99 = 0, 0
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
	before, after := usual, usual
	before.requests, after.requests, after.edge = 500, 500, 0.33
	c := Of(before.draw(1), after.draw(2), defaults)
	row := find(c, "after", "edge fails")
	if row.Word != Unclear || row.Needed < 1000 || row.Needed > 400000 {
		t.Fatalf("got %s, needs %d", row.Word, row.Needed)
	}
	before.requests, after.requests = 40*before.requests, 40*after.requests
	if got := find(Of(before.draw(1), after.draw(2), defaults), "after", "edge fails"); got.Word != Same {
		t.Errorf("with 40 times as many: %s, %v", got.Word, got.Interval)
	}
	// One second shows no spread between seconds.
	short := usual
	short.seconds = 1
	row = find(Of(short.draw(1), short.draw(2), defaults), "after", "ok p50")
	if row.Word != Unclear || row.Gates || row.P != nil || row.Needed <= int64(short.requests) || !strings.Contains(row.Note, "too few answers for an interval") {
		t.Errorf("one second: %+v", row)
	}
	strict := defaults
	strict.Strict = true
	if c := Of(short.draw(1), short.draw(2), defaults); c.Word != Same {
		t.Errorf("an unclear latency counts: %s", c.Summary)
	}
	if c := Of(short.draw(1), short.draw(2), strict); c.Word != Unclear || c.ExitCode() != 3 {
		t.Errorf("strict: %s", c.Summary)
	}
}

// A busy machine excuses a difference that its own lateness explains.
func TestLag(t *testing.T) {
	slow := usual
	slow.latency = 0.012
	a, b := usual.draw(1), slow.draw(2)
	b.Stages[0].Phases[1].LagMedian, b.Stages[0].Phases[1].LagP99 = 0.015, 0.018
	row := find(Of(a, b, defaults), "after", "ok p50")
	if row.Word != Unclear || !strings.Contains(row.Note, "the machine was busy") {
		t.Errorf("got %s, %q", row.Word, row.Note)
	}
}

// Invalid data are not compared, and the comparison lists them.
func TestExcluded(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*reports.Report)
		what   string // left out, of phase after
		why    string
		gates  bool
	}{
		{"generator", func(r *reports.Report) { r.Stages[0].Phases[1].GeneratorLimited = true }, "everything", "NEW: the load generator could not keep its schedule", true},
		{"replaced", func(r *reports.Report) { r.Stages[0].Phases[1].Replaced = true }, "everything", "NEW: pods were replaced during the phase", true},
		{"aborted", func(r *reports.Report) { r.Aborted = true }, "everything", "NEW: the run ended during the phase", true},
		{"error", func(r *reports.Report) { r.Error = "lost" }, "everything", "NEW: the run ended during the phase", true},
		{"missing", func(r *reports.Report) { r.Stages[0].Phases = r.Stages[0].Phases[:1] }, "everything", "NEW: the phase was not measured", true},
		{"late", func(r *reports.Report) { r.Stages[0].Phases[1].Late = true }, "latencies", "requests were sent late in NEW", false},
		{"half the rate", func(r *reports.Report) { r.Stages[0].Phases[1].PlannedRate /= 2 }, "latencies", "OLD sent 300 requests a second, NEW 150", false},
		{"no seconds", func(r *reports.Report) { r.Stages[0].Phases[1].Seconds = nil }, "latencies", "a report has no latencies by second", false},
		{"no data in both", nil, "edge fails", "neither report has data", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := usual.draw(1), usual.draw(2)
			if test.change != nil {
				test.change(b)
			} else {
				a.Stages[0].Checks[0].After.Measured, b.Stages[0].Checks[0].After.Measured = nil, nil
			}
			c := Of(a, b, defaults)
			if want := []Exclusion{{"retry", "after", test.what, test.why, test.gates}}; !cmp.Equal(c.Excluded, want) {
				t.Errorf("got %+v, want %+v", c.Excluded, want)
			}
			for i := range c.Rows {
				r := &c.Rows[i]
				if r.Phase == "after" && (test.what == "everything" || test.what == "latencies" && r.Kind == Latency || r.Metric == test.what) {
					t.Errorf("%s was compared", r.name())
				}
			}
			if want := map[bool]Word{true: Unclear, false: Same}[test.gates]; c.Word != want {
				t.Errorf("the whole is %s, want %s: %s", c.Word, want, c.Summary)
			}
		})
	}
}

// A check that only one report has is listed. It counts where OLD has it and NEW does not.
func TestChecksOfOneAlone(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(a, b *reports.Report)
		metric  string
		note    string
		word    Word
		gates   bool
		overall Word
	}{
		{"only old", func(a, b *reports.Report) { b.Stages[0].Checks = b.Stages[0].Checks[1:] }, "edge fails", "only OLD has this check", Unclear, true, Unclear},
		{"only new", func(a, b *reports.Report) { a.Stages[0].Checks = a.Stages[0].Checks[1:] }, "edge fails", "only NEW has this check", Unclear, false, Same},
		{"no data", func(a, b *reports.Report) { b.Stages[0].Checks[0].After.Measured = nil }, "edge fails", "no data in NEW", Unclear, true, Unclear},
		{"undecided", func(a, b *reports.Report) { b.Stages[0].Checks[4].After.Verdict = reports.Inconclusive }, "backend ledger", "neither report has a violation, but one has too few trials for a verdict", Unclear, true, Unclear},
		{"violations alone", func(a, b *reports.Report) {
			violate(b.Stages[0].Checks[3].After, 2)
			b.Stages[0].Checks[3].After.Verdict = reports.Pass
		}, "canary, exact header", "", Worse, true, Worse},
		{"violations gone", func(a, b *reports.Report) {
			violate(a.Stages[0].Checks[3].After, 2)
			a.Stages[0].Checks[3].After.Verdict = reports.Pass
		}, "canary, exact header", "", Better, true, Better},
		{"verdict worse", func(a, b *reports.Report) { b.Stages[0].Checks[0].After.Verdict = reports.Fail }, "edge fails", "the check passed in OLD and fails in NEW", Worse, true, Worse},
		{"verdict better", func(a, b *reports.Report) { a.Stages[0].Checks[0].After.Verdict = reports.Fail }, "edge fails", "the check failed in OLD and passes in NEW", Better, true, Better},
		{"by load", func(a, b *reports.Report) {
			for _, r := range []*reports.Report{a, b} {
				r.Stages[0].Checks[2].After.Band = stats.Interval{Lo: 0.02, Hi: 0.38}
			}
			b.Stages[0].Checks[2].After.Measured = value(0.3)
		}, "canary share", "a load balancer picks versions by load, so the manifests promise no share, only that each version answers", Same, true, Same},
		{"other side", func(a, b *reports.Report) {
			share(a.Stages[0].Checks[2].After, 0.1)
			share(b.Stages[0].Checks[2].After, 0.3)
		}, "canary share", "the new value is about as far from the prediction as the old one, on its other side", Unclear, true, Unclear},
		{"both violate", func(a, b *reports.Report) {
			violate(a.Stages[0].Checks[3].After, 100)
			violate(b.Stages[0].Checks[3].After, 200)
		}, "canary, exact header", "both reports have violations, so their shares are compared", Worse, true, Worse},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := usual.draw(1), usual.draw(2)
			test.change(a, b)
			c := Of(a, b, defaults)
			r := find(c, "after", test.metric)
			if r == nil || r.Word != test.word || r.Gates != test.gates || r.Note != test.note {
				t.Errorf("got %+v, want %s, %v, %q", r, test.word, test.gates, test.note)
			}
			if c.Word != test.overall {
				t.Errorf("the whole is %s, want %s: %s", c.Word, test.overall, c.Summary)
			}
		})
	}
}

func share(m *reports.Measurement, p float64) { m.K, m.Measured = int64(p*float64(m.N)), &p }

func violate(m *reports.Measurement, n int64) {
	m.Violations, m.K, m.Verdict = n, m.N-n, reports.Fail
	m.Measured = value(float64(m.K) / float64(m.N))
}

// Settings that must be the same, and those that may differ, are listed with both values. Unknown settings are listed as well.
func TestScenario(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*reports.Report)
		want   string // of the refusal
	}{
		{"stages", func(r *reports.Report) { r.Stages[0].Name = "prod" }, "stages: OLD retry, NEW prod"},
		{"fail", func(r *reports.Report) { r.Settings.Fail = 0.5 }, "fail probability: OLD 0.3, NEW 0.5"},
		{"hang", func(r *reports.Report) { r.Settings.Hang = 0.01 }, "hang probability: OLD 0, NEW 0.01"},
		{"cascade", func(r *reports.Report) { r.Settings.Cascade = "propagate" }, "cascade: OLD absorb, NEW propagate"},
		{"canary", func(r *reports.Report) { r.Settings.CanaryWeight = 20 }, "canary weight: OLD 0 %, NEW 20 %"},
		{"tolerance", func(r *reports.Report) { r.Settings.Tolerance = 0.02 }, "tolerance: OLD 0.05, NEW 0.02"},
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
	b.Schema, b.Settings.ManifestsHash = "1.1", ""
	c = Of(a, b, defaults)
	unknown := []string{"the rate could not be compared: NEW does not have it", "the manifests' hash could not be compared: NEW does not have it"}
	if !cmp.Equal(c.Unknown, unknown) || c.Refusal() != "" {
		t.Errorf("an older schema: %q, %q", c.Unknown, c.Refusal())
	}
}

// A margin that is wider makes nothing worse that was the same.
func TestMarginIsMonotone(t *testing.T) {
	changed := usual
	changed.edge, changed.latency = 0.36, 0.003
	a, b := usual.draw(1), changed.draw(2)
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
	if last[`"edge fails" of stage retry, phase after`] != Same {
		t.Errorf("within 0.3: %s", last[`"edge fails" of stage retry, phase after`])
	}
}

// Whatever two reports are, they are compared or refused, and every format can be written.
func FuzzOf(f *testing.F) {
	small := usual
	small.requests, small.seconds = 20, 2
	text, err := json.Marshal(small.draw(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, []byte(`{"stages":[{"name":"retry","phases":[{"name":"after","observed_requests":1,"seconds":[{"ok":[[0,1]]}]}]}]}`))
	f.Add([]byte(`{}`), text)
	f.Fuzz(func(t *testing.T, old, other []byte) {
		a, b := decoded(old), decoded(other)
		if a == nil || b == nil {
			return
		}
		c := Of(a, b, defaults)
		for _, format := range formats {
			if err := format.Write(&strings.Builder{}, c); err != nil {
				t.Fatalf("%s: %v", format.Name, err)
			}
		}
		for i := range c.Rows {
			if p := c.Rows[i].picture("x"); p != nil {
				inside(t, p, fmt.Sprintf("%s: difference %g, interval %v, margin %g", c.Rows[i].name(), *c.Rows[i].Difference, c.Rows[i].Interval, c.Rows[i].Margin))
			}
		}
	})
}

func decoded(text []byte) *reports.Report {
	r := new(reports.Report)
	if json.Unmarshal(text, r) != nil {
		return nil
	}
	return r
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
	ledger := func(r *reports.Report) *reports.Check {
		for i := range r.Stages[0].Checks {
			if c := &r.Stages[0].Checks[i]; c.Kind == reports.Ledger {
				return c
			}
		}
		t.Fatal("no ledger")
		return nil
	}
	c := ledger(b)
	c.After.Violations, c.After.Verdict, c.Verdict = 2, reports.Inconclusive, reports.Inconclusive
	for _, sides := range [][2]*reports.Report{{a, b}, {b, a}} {
		if row := find(Of(sides[0], sides[1], defaults), "after", c.Name); row.Word != Unclear || !row.Gates || !strings.Contains(row.Note, "is inconclusive in the report") {
			t.Errorf("got %+v, want unclear, and why", row)
		}
	}
}
