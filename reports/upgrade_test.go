package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// old returns a report of schema 1.2 in which every field has a value, with some of its text replaced.
func old(t testing.TB, replace ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "every-field.json"))
	if err != nil {
		t.Fatal(err)
	}
	return replaced(t, string(data), replace...)
}

// Reports of schema 1.2 become those in testdata/upgraded, which are of today's form.
func TestUpgrade(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d reports of schema 1 in testdata (%v), want 3", len(files), err)
	}
	for _, file := range files {
		r, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := JSON(&got, r); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "upgraded", filepath.Base(file))
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got.String() != string(want) {
			t.Errorf("%s (%v) is upgraded to something else than %s: look at what `go test ./reports -update` changes", file, err, golden)
		}
		if back, err := Read(bytes.NewReader(want)); err != nil || back.UpgradedFrom != "1.2" || back.Schema != SchemaVersion || len(back.Remarks) != len(r.Remarks) {
			t.Errorf("%s, read again: %v", golden, err)
		}
	}
}

// What an upgraded report shows is what the old one says, number by number.
func TestUpgradedNumbers(t *testing.T) {
	r, err := Load(filepath.Join("testdata", "retry.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Phases) != 2 || r.Phases[0].Name != "retry before" || !r.Phases[0].Base || r.Phases[1].Name != "retry" || r.Phases[1].Base || r.Verdict != Pass {
		t.Fatalf("%d phases, verdict %s", len(r.Phases), r.Verdict)
	}
	before, after := &r.Phases[0], &r.Phases[1]
	if before.Sent != 13143 || after.Sent != 3093 || after.Natural != 3093 || after.Probes != 0 || after.Outcomes != nil || after.Mismatches != nil {
		t.Errorf("counts: %d and %d sent", before.Sent, after.Sent)
	}
	for i, want := range []string{"edge→frontend", "frontend→middleware", "middleware→backend"} {
		if c := &after.Calls[i]; c.From+"→"+c.To != want || len(after.Calls) != 3 {
			t.Fatalf("call %d of %d is %s→%s, want %s", i, len(after.Calls), c.From, c.To, want)
		}
	}
	frontend, backend := &after.Calls[0], &after.Calls[2]
	switch {
	case frontend.Rule != nil || frontend.Fails.K != after.Shares[0].K || after.Shares[0].Name != "edge fails" || after.Shares[1].Name != "any of ours fails":
		t.Errorf("frontend: %+v, shares %+v", frontend, after.Shares)
	case backend.Rule == nil || backend.Rule.Retries != 3 || !strings.HasPrefix(backend.Rule.Policy, "3 retries on 5xx") || backend.Fails.Predicted != 0.0625 || backend.Fails.N == 0:
		t.Errorf("backend: %+v %+v", backend.Rule, backend.Fails)
	case backend.Ledger == nil || backend.Ledger.Retries != backend.Ledger.Failures || backend.Ledger.Failures == 0 || backend.Ledger.Verdict != Pass || len(backend.Ledger.Attempts) == 0:
		t.Errorf("backend's ledger: %+v", backend.Ledger)
	case len(backend.Waits) != 3 || backend.Waits[0].Try != 2 || backend.Waits[2].Try != 4 || backend.Waits[0].Predicted != 0.0125 || backend.Waits[0].Interval == nil:
		t.Errorf("backend's waits: %+v", backend.Waits)
	case backend.Tries == nil || backend.Tries.Tries == 0 || backend.Requests != Pass || backend.Judged != 0 || backend.Verdict != Pass:
		t.Errorf("backend: %+v, %s, %s", backend.Tries, backend.Requests, backend.Verdict)
	case before.Calls[2].Fails.Predicted != 0.5 || before.Calls[2].Rule.Name != unknownRule().Name:
		t.Errorf("backend before: %+v", before.Calls[2])
	case len(after.Words) != 2 || len(before.Words) != 0:
		t.Errorf("words: %q, %q", before.Words, after.Words)
	case r.Settings.Parameters["tolerance"] != "0.05" || !slices.Equal(r.Scenario.Services, []string{"frontend", "middleware", "backend"}):
		t.Errorf("%+v, %+v", r.Settings, r.Scenario)
	}
}

// Each cohort of stage canary is a call of its own, whose violations are calls that met something else.
func TestUpgradedCohorts(t *testing.T) {
	r, err := Load(filepath.Join("testdata", "egress-canary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range r.Phases {
		names = append(names, r.Phases[i].Name)
	}
	if !slices.Equal(names, []string{"egress before", "egress", "canary before", "canary"}) {
		t.Fatalf("phases %q", names)
	}
	canary := &r.Phases[3]
	var cohorts []string
	for i := range canary.Calls {
		if c := &canary.Calls[i]; len(c.Cohorts) > 0 {
			cohorts = append(cohorts, canary.Label(c))
			if c.Judged != c.Split.Parts[0].N || c.Mismatched != 0 || c.Requests != Inconclusive || c.Split.Parts[0].Name != "canary" || c.Split.Balanced || c.Split.Parts[1].Predicted != 1-c.Split.Parts[0].Predicted {
				t.Errorf("%+v", c)
			}
		}
	}
	if want := []string{"middleware from frontend for exact header", "middleware from frontend for no header", "middleware from frontend for another value", "middleware from frontend for another case"}; !slices.Equal(cohorts, want) {
		t.Errorf("cohorts %q, want %q", cohorts, want)
	}
	clock := &r.Phases[0].Calls[3]
	if clock.From != "backend" || clock.To != "clock" || clock.Judged != 360 || clock.Mismatched != 0 || clock.Fails.K != 360 || clock.Requests != Pass {
		t.Errorf("the clock: %+v", clock)
	}
}

// The form of an older report is checked as strictly as it was.
func TestReadOldRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"verdict", old(t, `"verdict": "fail"`, `"verdict": "not judged"`), []string{`verdict: "not judged": must be pass, fail or inconclusive`}},
		{"kind", old(t, `"kind": "ledger"`, `"kind": "ledgre"`), []string{`stages[0].checks[2].kind: "ledgre": must be proportion, exact, ledger or median`}},
		{"a field of schema 2", old(t, `"checks": [`, `"calls": [], "checks": [`), []string{"stages[0].calls: unknown field: schema 1.2 does not have it"}},
		{"negative count", old(t, `"n": 2531`, `"n": -1`), []string{`stages[0].checks[1].after.n: -1: must be a whole number from 0 to`}},
		{"no probability", old(t, `"fail": 0.5`, `"fail": 1.5`), []string{`settings.fail: 1.5: must be a number from 0 to 1`}},
		{"interval upside down", old(t, `"lo": 0.048`, `"lo": 0.99`), []string{"stages[0].checks[3].after.interval: lo is 0.99 and hi is 0.052: lo must be at most hi"}},
		{"band upside down", old(t, `"lo": 0.00625`, `"lo": 0.99`), []string{"stages[0].checks[3].after.band: lo is 0.99 and hi is 0.025: lo must be at most hi"}},
		{"more hits than trials", old(t, `"k": 498`, `"k": 1001`), []string{"stages[0].checks[0].before.k: 1001: must be at most n, which is 1000"}},
		{"bins", old(t, "[250,1]", "[99,1]"), []string{"stages[0].phases[1].seconds[0].ok[1]: the latency 99 follows 100: the latencies of bins must ascend"}},
		{"bin of three", old(t, "[100,3]", "[100,5,3]"), []string{`stages[0].phases[1].seconds[0].ok[0]: 3 elements: must be 2`}},
		{"seconds", old(t, `"number": 1`, `"number": 0`), []string{"stages[0].phases[1].seconds[1].number: 0: must be larger than the number before it"}},
		{"span before its parent", old(t, `"parent": 0`, `"parent": 1`), []string{"stages[0].phases[1].samples[0].spans[1].parent: 1: must be the number of a span before"}},
		{"latency upside down", old(t, `"lo": 0.009`, `"lo": 9`), []string{"stages[0].phases[1].latency[0].interval_seconds: lo is 9 and hi is 0.011"}},
		{"a phase twice", old(t, `"name": "after"`, `"name": "before"`), []string{"stages[0].phases[1]: before: the name is there twice, and must be there once"}},
		{"a check twice", old(t, `"name": "backend ledger"`, `"name": "canary share"`), []string{"stages[0].checks[2]: canary share: the name is there twice"}},
		{"two at once", old(t, `"n": 2531`, `"n": -1`, `"kind": "ledger"`, `"kind": 7`), []string{"2 problems:\n", "checks[1].after.n", "checks[2].kind: 7: must be proportion"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Read(strings.NewReader(c.text))
			if err == nil || r != nil {
				t.Fatalf("read %v, %v", r, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("lacks %q:\n%.2000s", want, err)
				}
			}
		})
	}
}

// Minor versions of schema 1 are read whatever their number is: older ones lack fields, and unknown ones are left out.
func TestReadOldMinors(t *testing.T) {
	for version, text := range map[string]string{
		"1.0":  old(t, `"schema": "1.2"`, `"schema": "1.0"`, `"rate": 500,`, ""),
		"1.1":  old(t, `"schema": "1.2"`, `"schema": "1.1"`, `"rate": 500,`, ""),
		"1.99": old(t, `"schema": "1.2"`, `"schema": "1.99", "mood": {"deep": [1, {"a": null}]}`),
	} {
		r, err := Read(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", version, err)
			continue
		}
		if r.Schema != SchemaVersion || r.UpgradedFrom != version || !slices.ContainsFunc(r.Remarks, func(s string) bool { return strings.Contains(s, "older schema "+version+",") }) {
			t.Errorf("%s: schema %s from %s, remarks %q", version, r.Schema, r.UpgradedFrom, r.Remarks)
		}
	}
}

// Names that would be the same phase or the same check in today's form are refused, and not read as something that no format can show.
func TestUpgradeThatCannotBe(t *testing.T) {
	stage := `"stages": [
    {
      "name": "retry before", "title": "", "verdict": "pass"
    },`
	_, err := Read(strings.NewReader(old(t, `"stages": [`, stage)))
	if err == nil || !strings.Contains(err.Error(), "the report cannot be turned into the form of schema 2.0: phases[1]: retry before: the name is there twice") {
		t.Errorf("got %v", err)
	}
}

// A stage that a run did not reach is a phase without requests.
func TestUpgradedStageThatWasNotMeasured(t *testing.T) {
	stage := `"stages": [
    {
      "name": "prod", "title": "all go to prod", "verdict": "inconclusive"
    },`
	r, err := Read(strings.NewReader(old(t, `"stages": [`, stage)))
	if err != nil {
		t.Fatal(err)
	}
	if p := &r.Phases[0]; p.Name != "prod" || p.Verdict != Inconclusive || p.Undecided == "" || p.Sent != 0 || r.Scenario.Name != "prod, retry" {
		t.Errorf("%+v of %s", p, r.Scenario.Name)
	}
}
