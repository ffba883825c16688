package gauge

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/reports"
)

// An attack ends early when an expectation cannot be met any more, and not before.
func TestSendAborts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	for path, ends := range map[string]bool{"/bad": true, "/": false} {
		wanted, err := Expectations([]string{"errors <= 20%"})
		if err != nil {
			t.Fatal(err)
		}
		a, err := Plan(Options{Options: attack.Options{Rate: 300, Duration: 2 * time.Second, Timeout: time.Minute}, Targets: get(server.URL + path), Expect: wanted, Abort: true})
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Send(t.Context(), nil, func(Progress) {})
		if err != nil || (r.Aborted == "errors <= 20%") != ends || ends != (r.Verdict == reports.Fail) || ends != (r.Requests.Sent < 600) || r.Requests.Sent < 300 {
			t.Errorf("%s: %v, %+v", path, err, r)
		}
	}
}
