package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/expect"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios/expectations"
)

// expecting are options of a run of which something is expected.
func expecting(t *testing.T, o Options, texts ...string) Options {
	t.Helper()
	for _, text := range texts {
		e, err := expect.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		e.Place = "--expect"
		o.Expect = append(o.Expect, e)
	}
	return o
}

// Names that no phase knows are refused before the start, all at once, with the nearest one.
func TestExpectationsOfNothing(t *testing.T) {
	for text, want := range map[string]string{
		"retyr: edge fails <= 0.1":                    `--expect retyr: edge fails <= 0.1: no phase "retyr": the phases of the run are ingress, canary`,
		"cnary: edge fails <= 0.1":                    `no phase "cnary" (did you mean "canary"?)`,
		"midleware fails <= 0.1":                      `no calls of phase canary lead to "midleware" (did you mean "middleware"?): they lead to backend, clock, frontend, middleware`,
		"middleware canry share = 0.1":                `middleware has no version or subset "canry" (did you mean "canary"?): it has canary, prod`,
		"super-secrt reaches middleware canary":       `no requests of phase canary are called "super-secrt", send a header with that value, or have it in their name (did you mean "super-secret"?). There are:` + "\n    \"no header\"\n    \"all\"\n    \"exact header\"\n",
		"exact header reaches middleware canar":       `middleware has no version or subset "canar"`,
		"middleware tries per request <= 2":           "2 rules of phase canary lead to middleware, whose tries are counted together",
		"midleware worst case tries <= 2":             `lead to "midleware" (did you mean "middleware"?)`,
		"ingress: exact header reaches middleware v9": `middleware has no version or subset "v9"`,
	} {
		_, err := Plan("canary", phasesOf(t, "canary", nil, nil), expecting(t, usual(), text, "edge fails <= 0.5"), pace)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "<= 0.5") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	_, err := Plan("canary", phasesOf(t, "canary", nil, nil), expecting(t, usual(), "a fails <= 0.1", "b fails <= 0.1"), pace)
	if err == nil || strings.Count(err.Error(), "--expect") != 2 {
		t.Errorf("%v, want both problems", err)
	}
}

// A text names the cohorts that are called so, or send it as a header's value, or have it in their names.
func TestCohortsThatATextNames(t *testing.T) {
	p := planOf(t, "canary", usual(), nil).phases[1]
	for text, want := range map[string]string{
		"all": "[exact header no header another value another case]", "exact header": "[exact header]", "super-secret": "[exact header]", "Super-Secret": "[another case]",
		"another": "[another value another case]", "header": "[exact header no header]", "Header": "[]",
	} {
		if got := fmt.Sprint(p.named(text)); got != want {
			t.Errorf("%s names %s, want %s", text, got, want)
		}
	}
}

// A quantile is expected of so many good answers that it can be judged; the other phase sends no more.
func TestExpectationsNeedRequests(t *testing.T) {
	without := planOf(t, "ingress canary", usual(), nil)
	with := planOf(t, "ingress canary", expecting(t, usual(), "ingress: p99 <= 1s"), nil)
	at := slices.IndexFunc(with.phases, func(p *planned) bool { return p.Name == "ingress" })
	if n := int64(with.phases[at].natural); n < expectations.Answers(0.99) || n > 2*expectations.Answers(0.99) {
		t.Errorf("%d natural requests, want somewhat more than %d", n, expectations.Answers(0.99))
	}
	for i, p := range with.phases {
		if i != at && p.natural != without.phases[i].natural {
			t.Errorf("phase %s: %d natural requests, want %d", p.Name, p.natural, without.phases[i].natural)
		}
	}
}

// On the mesh an expectation holds, a weak policy fails one, and a mesh that disobeys fails one that the manifests achieve.
func TestExpectationsOnTheMesh(t *testing.T) {
	verdicts := func(r *reports.Report) (all []string) {
		for _, e := range r.Expectations {
			all = append(all, string(e.Verdict)+": "+e.Why)
		}
		return all
	}
	of := func(stages string, derived bool, texts ...string) *Run {
		o := hasty(0.3, 1)
		o.Derived, o.Exclude = derived, 0.2 // nothing here is about rare deviations
		r, err := Plan(stages, phasesOf(t, stages, patient(t), nil), expecting(t, o, texts...), pace)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := onMesh(t, of("canary", true, "edge fails <= 0.05", "super-secret reaches middleware canary", "no header reaches middleware prod",
		"middleware canary share = 1", "worst case tries <= 64"), "")
	if len(r.Expectations) != 5 || r.Verdict != reports.Pass || r.ExitCode() != reports.ExitPass {
		t.Errorf("%s, %s: %q, want a pass", r.Verdict, r.Summary, verdicts(r))
	}
	whole := of("ingress", false, "any fails <= 0.2", "backend tries per request <= 2") // of all requests, so that they are natural ones
	whole.phases[0].onlySo(5)
	whole.phases[1].unprobed()
	if got := verdicts(onMesh(t, whole, "")); len(got) != 2 || !strings.HasPrefix(got[0], "pass: ") || !strings.HasPrefix(got[1], "pass: ") {
		t.Errorf("of all requests: %q, want two that pass", got)
	}
	weak := of("canary", true, "edge fails <= 0.001", "another case reaches middleware canary", "worst case tries <= 63", "edge fails <= 0.2")
	weak.phases[0].onlySo(5)
	r = onMesh(t, weak, "")
	for i, want := range []string{"fail: the manifests do not", "fail: the call of frontend goes to middleware subset prod (canary.yaml:24)", "fail: the manifests do not", "pass: "} {
		if got := verdicts(r); !strings.HasPrefix(got[i], want) {
			t.Errorf("%s: %q, want %q", r.Expectations[i].Text, got[i], want)
		}
	}
	if r.Verdict != reports.Fail || !strings.HasSuffix(r.Summary, "met what the manifests say, but 3 of 4 expectations are not met, the first of them: edge fails <= 0.001") {
		t.Errorf("%s: %s", r.Verdict, r.Summary)
	}
	disobeyed := of("ingress", true, "edge fails <= 0.05")
	disobeyed.phases[0].onlySo(5)
	r = onMesh(t, disobeyed, "no-retries")
	if got := verdicts(r); !strings.HasPrefix(got[0], "fail: what was measured excludes it") {
		t.Errorf("a mesh that does not retry: %q", got)
	}
}
