package links

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/reports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func base(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := reports.BaseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func report() *reports.Report {
	return &reports.Report{Started: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC), Elapsed: 89.5}
}

func TestKiali(t *testing.T) {
	now := report().Started.Add(121 * time.Second)
	for _, text := range []string{"http://u:p@k:20001", "http://k:20001/kiali/"} {
		want := reports.Link{Title: "Kiali: the last 3 min of demo when it is opened",
			URL: "http://k:20001/kiali/console/graph/namespaces?duration=180&graphType=versionedApp&namespaces=demo&refresh=0"}
		if got := kiali(base(t, text), "demo", report(), now); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestPrometheus(t *testing.T) {
	got := prometheus(base(t, "http://u:p@prom:9090"), "demo", report())
	u, err := url.Parse(got.URL)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"g0.expr": {`sum by (destination_workload, response_code) (rate(istio_requests_total{reporter="destination",destination_workload_namespace="demo"}[1m]))`},
		"g0.tab": {"0"}, "g0.end_input": {"2026-01-02 03:05:35"}, "g0.range_input": {"90s"}}
	if u.Host != "prom:9090" || u.User != nil || u.Path != "/graph" || !reflect.DeepEqual(u.Query(), want) {
		t.Errorf("%s, %v", got.URL, u.Query())
	}
}

func TestTracing(t *testing.T) {
	const jaeger = "/search?end=1767323135100000&limit=100&lookback=custom&service=frontend.demo&start=1767323045600000"
	const zipkin = "/zipkin/?endTs=1767323135101&limit=100&lookback=range&serviceName=frontend.demo&startTs=1767323045600"
	for _, c := range []struct{ at, answer, under, want string }{
		{"/api/services", `{"data":["frontend.demo"],"total":1,"limit":0,"offset":0,"errors":null}`, "", "Jaeger: traces of frontend.demo|" + jaeger},
		{"/jaeger/api/services", `{"data":[]}`, "", "Jaeger: traces of frontend.demo|/jaeger" + jaeger},
		{"/jaeger/api/services", `{"data":[]}`, "/jaeger", "Jaeger: traces of frontend.demo|/jaeger" + jaeger},
		{"/api/v2/services", `["frontend.demo"]`, "", "Zipkin: traces of frontend.demo|" + zipkin},
		{"/zipkin/api/v2/services", `[]`, "/zipkin", "Zipkin: traces of frontend.demo|" + zipkin},
		{"/elsewhere", `[]`, "", ""},
		{"/api/services", `<html>`, "", ""},
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("GET "+c.at, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, c.answer) })
		s := httptest.NewServer(mux)
		r := report()
		u := base(t, s.URL+c.under)
		u.User = url.UserPassword("u", "pa55word")
		Add(t.Context(), Options{Tracing: u, Namespace: "demo"}, r)
		s.Close()
		title, under, _ := strings.Cut(c.want, "|")
		switch {
		case c.want == "" && (len(r.Links) != 0 || len(r.Remarks) != 1 || !strings.HasPrefix(r.Remarks[0], "tracing at "+s.URL+": neither Jaeger nor Zipkin answers there: ") || strings.Contains(r.Remarks[0], "pa55word")):
			t.Errorf("%s %s: %v, %q, want a remark", c.at, c.answer, r.Links, r.Remarks)
		case c.want != "" && !reflect.DeepEqual(r.Links, []reports.Link{{Title: title, URL: s.URL + under}}):
			t.Errorf("%s: %v, %q, want %s", c.at, r.Links, r.Remarks, s.URL+under)
		}
	}
}

// Only what is known is linked to.
func TestNothing(t *testing.T) {
	r := report()
	Add(t.Context(), Options{Namespace: "demo"}, r)
	if len(r.Links)+len(r.Remarks) != 0 {
		t.Errorf("%v, %q", r.Links, r.Remarks)
	}
}
