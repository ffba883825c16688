package links

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/destination"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func base(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := destination.BaseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func report() *reports.Report {
	return &reports.Report{Started: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC), Elapsed: 89.5,
		Scenario: reports.Scenario{Services: []string{"frontend", "backend"}}}
}

func TestKiali(t *testing.T) {
	now := report().Started.Add(121 * time.Second)
	for _, text := range []string{"http://u:p@k:20001", "http://k:20001/kiali/"} {
		want := reports.Link{Title: "Kiali: demo, the last 3 min before the link is opened",
			URL: "http://k:20001/kiali/console/graph/namespaces?duration=180&graphType=versionedApp&namespaces=demo&refresh=0"}
		if got := kialiGraph(address{base(t, text), true}, "demo", report(), now); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestPrometheus(t *testing.T) {
	r := report()
	Add(t.Context(), Options{Prometheus: Place{Given: base(t, "http://u:p@prom:9090")}, Namespace: "demo"}, r)
	if len(r.Links) != 1 || len(r.Remarks) != 0 {
		t.Fatalf("%v, %q, want a link", r.Links, r.Remarks)
	}
	u, err := url.Parse(r.Links[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"g0.expr": {`sum by (destination_workload, response_code) (rate(istio_requests_total{reporter="destination",destination_workload_namespace="demo"}[1m]))`},
		"g0.tab": {"0"}, "g0.end_input": {"2026-01-02 03:05:35"}, "g0.range_input": {"90s"}}
	if u.Host != "prom:9090" || u.User != nil || u.Path != "/graph" || !reflect.DeepEqual(u.Query(), want) {
		t.Errorf("%s, %v", u, u.Query())
	}
}

// A program that was found on a cluster gets a link only where it answers as that program, at the first of its addresses that does. There
// is no remark about one that does not answer.
func TestFound(t *testing.T) {
	serve := func(at, answer string) *url.URL {
		mux := http.NewServeMux()
		mux.HandleFunc("GET "+at, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answer) })
		s := httptest.NewServer(mux)
		t.Cleanup(s.Close)
		return base(t, s.URL)
	}
	refused, never := serve("/", ""), serve("/other", "{}")
	refused.Host = "127.0.0.1:1"
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	silent := base(t, "http://"+listener.Addr().String())
	const buildinfo = `{"status":"success","data":{"version":"2.42.0"}}`
	kiali, zipkin := serve("/kiali/api/auth/info", `{"strategy":"token","sessionInfo":{}}`), serve("/api/v2/services", `[]`)
	first, second := serve("/api/v1/status/buildinfo", buildinfo), serve("/api/v1/status/buildinfo", buildinfo)
	for _, c := range []struct {
		options Options
		want    *url.URL
	}{
		{Options{Kiali: Place{Found: []*url.URL{refused, never, kiali}}}, kiali},
		{Options{Kiali: Place{Found: []*url.URL{zipkin, first}}}, nil},
		{Options{Kiali: Place{Found: []*url.URL{serve("/kiali/api/auth/info", "{}")}}}, nil},
		{Options{Tracing: Place{Found: []*url.URL{refused, kiali, zipkin}}}, zipkin},
		{Options{Tracing: Place{Found: []*url.URL{refused, kiali}}}, nil},
		{Options{Tracing: Place{Found: []*url.URL{serve("/api/services", "{}")}}}, nil},
		{Options{Tracing: Place{Found: []*url.URL{silent, zipkin}}}, zipkin},
		{Options{Prometheus: Place{Found: []*url.URL{refused, first, second}}}, first},
		{Options{Prometheus: Place{Found: []*url.URL{kiali, never, serve("/api/v1/status/buildinfo", "{}")}}}, nil},
		{Options{Prometheus: Place{Given: never, Found: []*url.URL{first}}}, never},
		{Options{Kiali: Place{Given: never, Found: []*url.URL{kiali}}}, never},
	} {
		r := report()
		Add(t.Context(), c.options, r)
		switch {
		case len(r.Remarks) > 0:
			t.Errorf("%v: remarks %q, want none", c.options, r.Remarks)
		case c.want == nil && len(r.Links) > 0, c.want != nil && (len(r.Links) != 1 || !strings.HasPrefix(r.Links[0].URL, c.want.String()+"/")):
			t.Errorf("%v: %v, want a link to %v", c.options, r.Links, c.want)
		}
	}
}

// An address that takes no answer back does not hold up a better one that answers.
func TestSilentAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `[]`) }))
	defer s.Close()
	asked := make(chan error, 1)
	p := Place{Found: []*url.URL{base(t, s.URL), base(t, "http://"+listener.Addr().String())}}
	link, err := p.first(ctx, func(ctx context.Context, at address) (reports.Link, error) {
		if at.Host == listener.Addr().String() {
			err := at.ask(ctx, "/", new(any))
			asked <- err
			return reports.Link{}, err
		}
		return reports.Link{URL: at.String()}, nil
	})
	if err != nil || link.URL != s.URL {
		t.Errorf("%v, %v", link, err)
	}
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Errorf("the silent one ended with %v, want it given up", err)
	}
	cancel()
	if link, err := (Place{Given: base(t, s.URL)}).first(ctx, func(ctx context.Context, at address) (reports.Link, error) {
		return reports.Link{}, at.ask(ctx, "/", new(any))
	}); err == nil || link != (reports.Link{}) {
		t.Errorf("after the end: %v, %v", link, err)
	}
}

func TestTracing(t *testing.T) {
	const jaeger = "/search?end=1767323135100000&limit=100&lookback=custom&service=frontend.demo&start=1767323045600000"
	const zipkin = "/zipkin/?endTs=1767323135101&limit=100&lookback=range&serviceName=frontend.demo&startTs=1767323045600"
	for _, c := range []struct{ at, answer, under, want string }{
		{"/api/services", `{"data":null,"total":0,"limit":0,"offset":0,"errors":null}`, "", "Jaeger: traces of frontend.demo|" + jaeger},
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
		Add(t.Context(), Options{Tracing: Place{Given: u}, Namespace: "demo"}, r)
		s.Close()
		title, under, _ := strings.Cut(c.want, "|")
		switch {
		case c.want == "" && (len(r.Links) != 0 || len(r.Remarks) != 1 || !strings.HasPrefix(r.Remarks[0], "tracing at "+s.URL+": neither Jaeger nor Zipkin answers at this URL: ") || strings.Contains(r.Remarks[0], "pa55word")):
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

// A report without services has no traces to link to.
func TestTracingNeedsAService(t *testing.T) {
	r := report()
	r.Scenario.Services = nil
	Add(t.Context(), Options{Tracing: Place{Given: base(t, "http://127.0.0.1:1")}, Namespace: "demo"}, r)
	want := []string{"tracing at http://127.0.0.1:1: the report names no service whose traces could be linked to"}
	if len(r.Links) != 0 || !reflect.DeepEqual(r.Remarks, want) {
		t.Errorf("%v, %q, want %q", r.Links, r.Remarks, want)
	}
}
