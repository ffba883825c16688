package gauge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
)

// Expectations of a phase, a target and a status are judged by the requests of these alone, and names that the attack does not have are refused.
func TestScopedExpectations(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	for _, c := range []struct {
		text string
		want reports.Verdict
		why  string
	}{
		{"/bad errors >= 90%", reports.Pass, ""},
		{"/good errors <= 10%", reports.Pass, ""},
		{"errors <= 10%", reports.Fail, ""},
		{"5xx <= 60%", reports.Pass, ""},
		{"503 >= 40%", reports.Pass, ""},
		{"404 <= 5%", reports.Pass, ""},
		{`"GET ` + server.URL + `/good" 5xx <= 10%`, reports.Pass, ""},
		{"b: p99 <= 1ns", reports.Fail, ""},
		{"b: rate >= 1/s", reports.Pass, ""},
		{"b: /bad p50 <= 1m", reports.Fail, "there are no data: no request of that part got a good answer"},
	} {
		wanted, err := Expectations([]string{c.text})
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Options: attack.Options{Timeout: time.Minute}, Targets: get(server.URL+"/good", server.URL+"/bad"), Expect: wanted,
			Phases: []attack.Phase{{Name: "a", Rate: 500, To: 500, Duration: 200 * time.Millisecond}, {Name: "b", Rate: 500, To: 500, Duration: 300 * time.Millisecond}}}
		a, err := Plan(o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Send(t.Context(), nil, func(Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		got := r.Expectations[0]
		if got.Verdict != c.want && !r.Limited && !r.Phases[1].Limited || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %+v", c.text, got)
		}
	}
	wanted, err := Expectations([]string{"c: errors <= 1%", "/goood errors <= 1%"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = scopesOf(wanted, []attack.Phase{{Name: "a", Duration: 1}, {Name: "b", Duration: 1}}, get("http://a/good"))
	for _, want := range []string{`--expect c: errors <= 1%: there is no phase "c": the phases are a, b`, `there is no target "/goood": the targets are GET http://a/good`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err = scopesOf(wanted[:1], nil, nil); err == nil || !strings.Contains(err.Error(), "the attack has no phases") {
		t.Error(err)
	}
}
