package gauge

import (
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
)

// Expectations of a phase, a target and a status are judged by the requests of these alone, and names that the attack does not have are refused.
func TestScopedExpectations(t *testing.T) {
	wants := []struct {
		text string
		want reports.Verdict
		why  string
	}{
		{"/bad errors >= 99%", reports.Pass, ""},
		{"/good errors <= 1%", reports.Pass, ""},
		{"errors <= 1%", reports.Fail, ""},
		{"5xx <= 60%", reports.Pass, ""},
		{"503 >= 40%", reports.Pass, ""},
		{"404 <= 1%", reports.Pass, ""},
		{`"GET http://a/good" 5xx <= 1%`, reports.Pass, ""},
		{"fast: p90 <= 20ms", reports.Pass, ""},
		{"slow..er: p90 <= 20ms", reports.Fail, ""},
		{"fast: rate = 50/s ± 1/s", reports.Pass, ""},
		{"fast: /bad p50 <= 1m", reports.Fail, "there are no data: no request of that part got a good answer"},
	}
	var texts []string
	for _, w := range wants {
		texts = append(texts, w.text)
	}
	wanted, err := Expectations(texts)
	if err != nil {
		t.Fatal(err)
	}
	phases := []attack.Phase{{Name: "fast", Rate: 100, To: 100, Duration: 50 * time.Second}, {Name: "slow..er", Rate: 100, To: 100, Duration: 50 * time.Second}}
	a, err := Plan(Options{Options: attack.Options{Timeout: time.Minute}, Targets: get("http://a/good", "http://a/bad"), Expect: wanted, Phases: phases})
	if err != nil {
		t.Fatal(err)
	}
	counted := a.newTally()
	for n := range a.Requests {
		at := time.Duration(n) * 10 * time.Millisecond
		o := attack.Observation{Number: n, Cohort: n % 2, Planned: at, Started: at, Latency: 10 * time.Millisecond, Status: 200 + 303*(n%2)}
		if n >= a.Requests/2 {
			o.Latency = time.Duration(30+n%10) * time.Millisecond
		}
		counted.add(&o)
	}
	r := a.report(counted, &attack.Result{Planned: a.Requests, Sent: a.Requests, Observed: a.Requests, PlannedRate: 100})
	for i := range counted.phases {
		r.Phases = append(r.Phases, counted.phases[i].report(false))
	}
	conclude(r, counted, wanted)
	for i, w := range wants {
		if got := r.Expectations[i]; got.Verdict != w.want || !strings.Contains(got.Why, w.why) {
			t.Errorf("%s: %+v in %+v, want %s", w.text, got, got.Interval, w.want)
		}
	}
	if wanted, err = Expectations([]string{"c: errors <= 1%", "/goood errors <= 1%"}); err != nil {
		t.Fatal(err)
	}
	_, err = scopesOf(wanted, phases, get("http://a/good"))
	for _, want := range []string{`--expect c: errors <= 1%: there is no phase "c": the phases are fast, slow..er`, `there is no target "/goood": the targets are GET http://a/good`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err = scopesOf(wanted[:1], nil, nil); err == nil || !strings.Contains(err.Error(), "the attack has no phases") {
		t.Error(err)
	}
}
