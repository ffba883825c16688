package grafana

import (
	"encoding/json"
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

func report() *reports.Report {
	began := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
	phase := func(name string, verdict reports.Verdict, after, took float64) reports.Phase {
		return reports.Phase{Name: name, Verdict: verdict, Started: began.Add(time.Duration(after * 1e9)), Elapsed: took, Sent: 100}
	}
	call := func(to string) reports.Call { return reports.Call{To: to, Tries: &reports.Factor{}} }
	r := &reports.Report{Started: began, Elapsed: 9.5, Settings: reports.Settings{Seed: 7}, Verdict: reports.Fail, Phases: []reports.Phase{
		phase("application", reports.Pass, 1, 1.5), phase("egress", reports.Pass, 3, 1), phase("retry", reports.Fail, 5, 2), {Name: "canary"}, // nothing was sent
	}}
	r.Scenario.Services = []string{"frontend", "middleware"}
	r.Phases[0].Calls = []reports.Call{call("frontend"), call("middleware")}
	return r
}

// tell calls Tell with a report, and returns the report.
func tell(t *testing.T, o Options) *reports.Report {
	t.Helper()
	r := report()
	Tell(t.Context(), o, r)
	return r
}

func TestImportAnnotateAndLink(t *testing.T) {
	for _, under := range []string{"", "/grafana"} {
		s := newServer(t, under)
		r := tell(t, Options{URL: s.base(), Token: token})
		if len(r.Remarks) != 0 {
			t.Fatalf("remarks: %q", r.Remarks)
		}
		wantLink := []reports.Link{{Title: "Grafana: hellochaos: a run",
			URL: s.URL + under + "/d/hellochaos-run/a-slug?from=1767323045600&to=1767323055100&var-phase=application&var-phase=egress&var-phase=retry&var-phase=canary"}}
		if !reflect.DeepEqual(r.Links, wantLink) {
			t.Errorf("links\n%v, want\n%v", r.Links, wantLink)
		}
		if len(s.dashboards) != 1 || s.dashboards[0].UID != "hellochaos-run" {
			t.Fatalf("dashboards there: %+v, want the run's alone", s.dashboards)
		}
		var want map[string]any
		if err := json.Unmarshal(ours[0].JSON, &want); err != nil || !reflect.DeepEqual(s.dashboards[0].model, want) {
			t.Errorf("what was imported is not the embedded dashboard (%v)", err)
		}
		wantAnnotations := []map[string]any{
			{"time": int64(1767323046600), "timeEnd": int64(1767323048100), "tags": "hellochaos,application,20260102T030405Z-7,pass", "text": "hellochaos: application: pass; 100 requests"},
			{"time": int64(1767323048600), "timeEnd": int64(1767323049600), "tags": "hellochaos,egress,20260102T030405Z-7,pass", "text": "hellochaos: egress: pass; 100 requests"},
			{"time": int64(1767323050600), "timeEnd": int64(1767323052600), "tags": "hellochaos,retry,20260102T030405Z-7,fail", "text": "hellochaos: retry: fail; 100 requests"},
		}
		if !reflect.DeepEqual(s.annotations, wantAnnotations) {
			t.Errorf("annotations\n%v, want\n%v", s.annotations, wantAnnotations)
		}
		// Once more: what is there is not imported again.
		again := tell(t, Options{URL: s.base(), Token: token})
		if len(s.dashboards) != 1 || !reflect.DeepEqual(again.Links, wantLink) || len(again.Remarks) != 0 {
			t.Errorf("the second time: %d dashboards, links %v, remarks %q", len(s.dashboards), again.Links, again.Remarks)
		}
	}
}

// On a cluster Istio's own dashboards are linked to, those that are found and by whatever uid they have.
func TestIstiosDashboards(t *testing.T) {
	s := newServer(t, "")
	s.put("random2", "Istio Service Dashboard (mine)")
	s.put("random1", "Istio Service Dashboard", "istio")
	s.put("random3", "Istio Mesh Dashboard")
	r := tell(t, Options{URL: s.base(), Token: token, Namespace: "demo"})
	when := "from=1767323045600&to=1767323055100"
	want := []reports.Link{
		{Title: "Grafana: hellochaos: a run", URL: s.URL + "/d/hellochaos-run/a-slug?" + when + "&var-phase=application&var-phase=egress&var-phase=retry&var-phase=canary"},
		{Title: "Grafana: hellochaos: the mesh by stage", URL: s.URL + "/d/hellochaos-mesh/a-slug?" + when + "&var-namespace=demo"},
		{Title: "Grafana: Istio Mesh Dashboard", URL: s.URL + "/d/random3/a-slug?" + when},
		{Title: "Grafana: Istio Service Dashboard, frontend", URL: s.URL + "/d/random1/a-slug?" + when + "&var-qrep=source&var-qrep=destination&var-service=frontend.demo.svc.cluster.local"},
		{Title: "Grafana: Istio Service Dashboard, middleware", URL: s.URL + "/d/random1/a-slug?" + when + "&var-qrep=source&var-qrep=destination&var-service=middleware.demo.svc.cluster.local"},
	}
	if !reflect.DeepEqual(r.Links, want) || len(r.Remarks) != 0 {
		t.Errorf("links\n%v, want\n%v; remarks %q", r.Links, want, r.Remarks)
	}
}

// An older revision of a dashboard is not overwritten, and a remark reports it.
func TestOlderRevision(t *testing.T) {
	s := newServer(t, "")
	s.put("hellochaos-run", "mine now", "hellochaos", "hellochaos-revision-0")
	r := tell(t, Options{URL: s.base(), Token: token})
	want := fmt.Sprintf("Grafana at %s: Grafana has revision 0 of the dashboard \"mine now\", which hellochaos does not overwrite; 'hellochaos dashboard run' prints revision %d, which you can import", s.URL, ours[0].Revision)
	if len(s.dashboards) != 1 || s.dashboards[0].Title != "mine now" || len(r.Links) != 1 || len(r.Remarks) != 1 || r.Remarks[0] != want {
		t.Errorf("dashboards %+v, links %v, remarks %q, want %q", s.dashboards, r.Links, r.Remarks, want)
	}
}

func TestBasicAuthentication(t *testing.T) {
	s := newServer(t, "")
	u := s.base()
	u.User = url.UserPassword(user, password)
	r := tell(t, Options{URL: u})
	if len(s.annotations) != 3 || len(r.Remarks) != 0 {
		t.Errorf("%d annotations, remarks %q", len(s.annotations), r.Remarks)
	}
	secretless(t, r)
}

// secretless looks for secrets in all that a report shows.
func secretless(t *testing.T, r *reports.Report) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{token, password, "wr0ng", "Authorization", "YWRtaW46"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the report holds %q: %q", secret, r.Remarks)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := newServer(t, "")
	wrong := s.base()
	wrong.User = url.UserPassword(user, "wr0ng")
	for _, c := range []struct {
		o    Options
		role string
		want string
	}{
		{Options{URL: s.base(), Token: "wr0ng"}, "Editor", "looking for the dashboards of hellochaos: 401 Unauthorized (Invalid API key Bearer …): set GRAFANA_TOKEN to the token of a service account"},
		{Options{URL: s.base()}, "Editor", "looking for the dashboards of hellochaos: 401 Unauthorized (Invalid API key): set GRAFANA_TOKEN to the token of a service account"},
		{Options{URL: wrong}, "Editor", "looking for the dashboards of hellochaos: 401 Unauthorized"},
		{Options{URL: s.base(), Token: token}, "Viewer", `importing dashboard "hellochaos: a run": 403 Forbidden (You'll need additional permissions to perform this action. Permissions needed: any of dashboards:create): the token needs the role Editor; writing annotations: 403 Forbidden`},
	} {
		s.role = c.role
		r := tell(t, c.o)
		if len(r.Remarks) != 1 || !strings.HasPrefix(r.Remarks[0], "Grafana at "+s.URL+": "+c.want) || len(r.Links) != 0 {
			t.Errorf("remarks %q, links %v; want %q", r.Remarks, r.Links, c.want)
		}
		secretless(t, r)
	}
}

// Whatever the server answers, the report gets one remark about it.
func TestNoGrafana(t *testing.T) {
	write := func(status int, text string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}
	}
	const notOne = "looking for the dashboards of hellochaos: the answer does not have the form of Grafana's API: is this the URL of a Grafana?"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a page":       {write(200, "<!DOCTYPE html><title>Log in</title>", "Content-Type", "text/html"), notOne},
		"nothing":      {write(200, ""), notOne},
		"half":         {write(200, `[{"uid":"hellochaos-run"`), notOne},
		"another JSON": {write(200, `{"a":1}`), notOne},
		"numbers":      {write(200, `[{"uid":1}]`), notOne},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "[", strings.Repeat(" ", destination.MostAnswer+10), "]")
		}, "looking for the dashboards of hellochaos: the answer is longer than 16 MiB"},
		"500":            {write(500, "panic\x1b[31m "+token), "looking for the dashboards of hellochaos: 500 Internal Server Error; writing annotations: 500 Internal Server Error"},
		"500, with word": {write(500, `{"message":"database \u001b[31m is locked `+token+`"}`), "looking for the dashboards of hellochaos: 500 Internal Server Error (database \\u001b[31m is locked …); writing annotations"},
		"404":            {write(404, "404 page not found"), "looking for the dashboards of hellochaos: 404 Not Found: is this the URL of a Grafana, with its path?; writing annotations"},
		"log in":         {write(302, "", "Location", "/login"), "looking for the dashboards of hellochaos: 302 Found: a redirect to http://127.0.0.1:"},
		"creates others": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				fmt.Fprint(w, "[]")
			} else {
				fmt.Fprint(w, `{"uid":"other","url":"/d/other"}`)
			}
		}, `importing dashboard "hellochaos: a run": the answer does not have the form of Grafana's API`},
		"hangs up": {func(w http.ResponseWriter, r *http.Request) {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				c.Close()
			}
		}, "looking for the dashboards of hellochaos: EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.answer)
			defer s.Close()
			u, _ := url.Parse(s.URL)
			r := tell(t, Options{URL: u, Token: token})
			if len(r.Remarks) != 1 || !strings.HasPrefix(r.Remarks[0], "Grafana at "+s.URL+": "+c.want) || strings.ContainsAny(r.Remarks[0], "\n\x1b") || len(r.Links) != 0 {
				t.Errorf("remarks %q, links %v; want %q", r.Remarks, r.Links, c.want)
			}
			secretless(t, r)
		})
	}
}

func TestDown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	r := tell(t, Options{URL: &url.URL{Scheme: "http", Host: address, User: url.UserPassword(user, password)}})
	if len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0], "Grafana at http://"+address+": looking for the dashboards of hellochaos: dial tcp "+address) {
		t.Errorf("remarks %q", r.Remarks)
	}
	secretless(t, r)
}

// A Grafana that does not answer holds nothing up for longer than one request may take.
func TestSlow(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(release)
	u, _ := url.Parse(s.URL)
	began := time.Now()
	r := tell(t, Options{URL: u})
	if took := time.Since(began); took > Timeout+2*time.Second {
		t.Errorf("took %v, want at most %v", took, Timeout)
	}
	if len(r.Remarks) != 1 || !strings.HasSuffix(r.Remarks[0], "looking for the dashboards of hellochaos: no answer within 5s") {
		t.Errorf("remarks %q", r.Remarks)
	}
}

// A path in an answer never leads to another host.
func TestPage(t *testing.T) {
	for _, c := range []struct{ base, path, want string }{
		{"http://a", "/d/x/y", "http://a/d/x/y"},
		{"http://a/grafana", "/grafana/d/x", "http://a/grafana/d/x"},
		{"http://a/grafana", "/d/x", "http://a/grafana/d/x"},
		{"http://a", "//evil/d", "http://a/evil/d"},
		{"http://a", "https://evil/d", "http://a/https://evil/d"},
		{"http://u:p@a", "/d", "http://a/d"},
	} {
		u, err := destination.BaseURL(c.base)
		if err != nil {
			t.Fatal(err)
		}
		if got := newClient(Options{URL: u}).page(c.path); got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.path, c.base, got, c.want)
		}
	}
}
