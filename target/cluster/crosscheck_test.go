package cluster

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// The files are what proxies of Istio 1.31 with a proxyStatsMatcher answered, but istio.txt, which has the labels that its
// standard metrics have.
func TestReadStatistics(t *testing.T) {
	const middleware, backend = "middleware.crosscheck.svc.cluster.local", "backend.crosscheck.svc.cluster.local"
	for file, want := range map[string]map[statistic]int64{
		"frontend.txt": {
			{metricSent, "outbound|80|prod|" + middleware}:                                  259,
			{metricSent, "outbound|80||" + middleware}:                                      568,
			{"envoy_cluster_upstream_rq_per_try_timeout", "outbound|80|prod|" + middleware}: 22,
		},
		"middleware.txt": {
			{metricSent, "outbound|80||" + backend}:                                  3871,
			{"envoy_cluster_upstream_rq_per_try_timeout", "outbound|80||" + backend}: 65,
		},
		"istio.txt": {{metricReceived, ""}: 495},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", "crosscheck", file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := readStatistics(bytes.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, want - got +:\n%s", file, diff)
		}
	}
}

func TestReadStatisticsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"envoy_cluster_upstream_rq_total{cluster_name=":                                                                  "reading its proxy's statistics: ",
		`envoy_cluster_upstream_rq_total{cluster_name="outbound|80||a.b"} 1.5` + "\n":                                    "map[cluster_name:outbound|80||a.b] is 1.5, but must be a whole number",
		`istio_requests_total{reporter="destination",source_workload="a"} NaN` + "\n":                                    "is NaN, but must be a whole number",
		"# TYPE istio_requests_total counter\nistio_requests_total{reporter=\"destination\",source_workload=\"a\"} -1\n": "is -1, but must be a whole number",
	} {
		_, err := readStatistics(strings.NewReader(text))
		expectError(t, err, want)
	}
}

func FuzzReadStatistics(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "crosscheck", "*.txt"))
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		counts, err := readStatistics(bytes.NewReader(text))
		for s, count := range counts {
			if err != nil || count < 0 || (s.cluster == "") != (s.metric == metricReceived) {
				t.Errorf("%v: %d, error %v", s, count, err)
			}
		}
	})
}

func TestHostOf(t *testing.T) {
	for cluster, want := range map[string]string{
		"outbound|80|prod|backend.shop.svc.cluster.local": "backend.shop.svc.cluster.local",
		"outbound|80||backend.shop.svc.cluster.local;":    "backend.shop.svc.cluster.local",
		"inbound|3000||": "", "xds-grpc": "", "BlackHoleCluster": "", "": "", "outbound|80": "",
	} {
		if got := hostOf(cluster); got != want {
			t.Errorf("%s: got %q, want %q", cluster, got, want)
		}
	}
}

func TestCompare(t *testing.T) {
	counted := map[string]int64{"backend": 100, "middleware": 200}
	for _, c := range []struct {
		name                string
		middleware, backend sent
		want                []target.Incident
	}{
		{"nothing seen", sent{}, sent{}, nil},
		{"agree", sent{tries: 200}, sent{tries: 100}, []target.Incident{{Note: true, Text: "S: the pods of backend counted 100 of 100 tries; the pods of middleware counted 200 of 200 tries"}}},
		{"one unseen", sent{tries: 200}, sent{}, []target.Incident{{Note: true, Text: "S: the pods of middleware counted 200 of 200 tries; they have no tries to backend"}}},
		{"cut on the way", sent{tries: 200}, sent{103, [3]int64{0, 3, 2}}, []target.Incident{
			{Note: true, Text: "S: the pods of backend counted 100 of 103 tries, of which at most 3 ended without an answer; the pods of middleware counted 200 of 200 tries"}}},
		{"lost", sent{tries: 200}, sent{104, [3]int64{1, 2, 3}}, []target.Incident{
			{Text: "S have 104 tries to backend, of which at most 3 ended without an answer, but its pods counted 100: proxies answered some of the tries themselves, or their counts are wrong"},
			{Note: true, Text: "S: the pods of middleware counted 200 of 200 tries"}}},
		{"another caller", sent{tries: 199, cut: [3]int64{9, 9, 9}}, sent{tries: 50}, []target.Incident{
			{Text: "S have 50 tries to backend, but its pods counted 100: somebody else called it, or some calls went past the callers' proxies"},
			{Text: "S have 199 tries to middleware, but its pods counted 200: somebody else called it, or some calls went past the callers' proxies"}}},
	} {
		got := compare("S", counted, map[string]sent{"middleware": c.middleware, "backend": c.backend, "": {tries: 7}})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s, want - got +:\n%s", c.name, diff)
		}
	}
}

// chain is an API server with a chain's pods and an ingress gateway's, and a Prometheus.
type chain struct {
	mutex sync.Mutex
	// tries are what each service counted, of which those beyond 1 are tries of requests with pins, statistics the text of each pod's proxy; pods without one have no proxy.
	tries      map[string]int64
	statistics map[string]string
	uid        types.UID // of backend's pod
	forbidden  bool      // the gateway's pods
	another    bool      // the services are of another version
	// scraped is what the Prometheus knows, by its query's first word.
	scraped map[string]map[string]float64
	asked   int
	queries map[string]bool // that it was asked
}

// pods are those of the server, by the selector that finds them.
func (c *chain) pods() []corev1.Pod {
	var all []corev1.Pod
	for _, name := range []string{"frontend-prod", "middleware-prod", "backend-prod"} {
		service, version, _ := strings.Cut(name, "-")
		p := pod("shop", name, "", map[string]string{"app": service, "version": version})
		p.UID = types.UID(name)
		if service == "backend" {
			p.UID = c.uid
		}
		all = append(all, *p)
	}
	return append(all, *pod(istioSystem, "gateway", "", map[string]string{"istio": "ingressgateway"}))
}

func (c *chain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/"), "/")
	if len(parts) > 2 {
		parts[2] = strings.TrimPrefix(parts[2], "http:")
	}
	switch {
	case r.URL.Path == "/api/v1/query":
		c.asked++
		if c.queries == nil {
			c.queries = map[string]bool{}
		}
		c.queries[r.FormValue("query")] = true
		kind, _, _ := strings.Cut(r.FormValue("query"), " ")
		vector := []any{}
		for service, value := range c.scraped[kind] {
			vector = append(vector, map[string]any{"metric": map[string]any{"service": service}, "value": []any{1.5, fmt.Sprint(value)}})
		}
		answer(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": vector}})
	case len(parts) == 2 && parts[1] == "pods":
		selector, _ := labels.Parse(r.FormValue("labelSelector"))
		list := corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
		for _, p := range c.pods() {
			if p.Namespace == parts[0] && selector.Matches(labels.Set(p.Labels)) {
				list.Items = append(list.Items, p)
			}
		}
		answer(w, http.StatusOK, list)
	case len(parts) == 6 && parts[2] == "gateway:15090" && c.forbidden:
		answer(w, http.StatusForbidden, failure(http.StatusForbidden, metav1.StatusReasonForbidden, "not you"))
	case len(parts) == 5 && parts[4] == "metrics":
		service, _, _ := strings.Cut(parts[2], "-")
		form := trail.Form
		if c.another {
			form = "1"
		}
		_, _ = fmt.Fprintf(w, "# TYPE hellochaos_trail_form gauge\nhellochaos_trail_form{form=%q} 1\n", form)
		_, _ = fmt.Fprint(w, "# TYPE hellochaos_tries_total counter\n")
		natural := min(1, c.tries[service])
		for pinned, count := range map[bool]int64{false: natural, true: c.tries[service] - natural} {
			_, _ = fmt.Fprintf(w, "hellochaos_tries_total{service=%q,version=\"prod\",attempt=\"1\",code=\"200\",mirrored=\"no\",pinned=\"%v\"} %d\n", service, pinned, count)
		}
	case len(parts) == 6 && strings.HasSuffix(parts[2], ":15090") && r.URL.Query().Has("usedonly") && c.statistics[strings.TrimSuffix(parts[2], ":15090")] != "-":
		_, _ = fmt.Fprint(w, c.statistics[strings.TrimSuffix(parts[2], ":15090")])
	default:
		answer(w, http.StatusNotFound, failure(http.StatusNotFound, metav1.StatusReasonNotFound, r.URL.Path+" not found"))
	}
}

// run is a run on the chain with the tutorial's last rules, and one phase's incidents: during it, meanwhile happens.
func (c *chain) run(t *testing.T, stage string, prometheus bool, meanwhile func()) *Run {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(func() {
		server.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	cluster := &Cluster{namespace: "shop", istioVersion: "v1", config: &rest.Config{Host: server.URL, QPS: -1}, options: Options{Wait: 2 * time.Second}}
	if prometheus {
		cluster.options.PrometheusURL = server.URL
	}
	if err := cluster.clients(); err != nil {
		t.Fatal(err)
	}
	objects, err := scenarios.Through(stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{cluster: cluster}
	if r.rules, err = manifests.Read(objects); err != nil {
		t.Fatal(err)
	}
	for _, step := range []func(){func() {}, meanwhile} {
		step()
		if _, err := r.Counters(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func outbound(subset, service string, tries int) string {
	return fmt.Sprintf("envoy_cluster_upstream_rq_total{cluster_name=\"outbound|80|%s|%s.shop.svc.cluster.local\"} %d\n", subset, service, tries)
}

func received(source string, tries int) string {
	return fmt.Sprintf("istio_requests_total{reporter=\"destination\",source_workload=%q} %d\n", source, tries)
}

func incidents(t *testing.T, r *Run) (told []string) {
	t.Helper()
	all, err := r.Incidents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		kind := "incident: "
		if i.Note {
			kind = "note: "
		}
		told = append(told, kind+i.Text)
	}
	return told
}

func TestCrossCheckOfProxies(t *testing.T) {
	for _, c := range []struct {
		name, stage string
		change      func(*chain) // between the phase's ends
		before      map[string]string
		after       map[string]string
		want        []string
	}{
		{"agree, and a subset is gone", "retry", nil,
			map[string]string{"frontend-prod": outbound("", "middleware", 7) + outbound("canary", "middleware", 900), "middleware-prod": outbound("", "backend", 3)},
			map[string]string{"frontend-prod": outbound("", "middleware", 17) + outbound("prod", "middleware", 90), "middleware-prod": outbound("", "backend", 203) + outbound("", "clock", 9) + strings.Replace(outbound("", "backend", 9), ".shop.", ".others.", 1)},
			[]string{"note: Envoy's statistics: the pods of backend counted 200 of 200 tries; the pods of middleware counted 100 of 100 tries; they have no tries to frontend"}},
		{"a cluster made anew", "retry", nil,
			map[string]string{"frontend-prod": outbound("", "middleware", 5000)},
			map[string]string{"frontend-prod": outbound("", "middleware", 100)},
			[]string{"note: Envoy's statistics: the pods of middleware counted 100 of 100 tries; they have no tries to backend, frontend"}},
		{"another caller", "retry", nil, nil,
			map[string]string{"frontend-prod": outbound("", "middleware", 100), "middleware-prod": outbound("", "backend", 150)},
			[]string{"incident: Envoy's statistics have 150 tries to backend, but its pods counted 200: somebody else called it, or some calls went past the callers' proxies",
				"note: Envoy's statistics: the pods of middleware counted 100 of 100 tries; they have no tries to frontend"}},
		{"through the gateway", "ingress", nil, nil,
			map[string]string{"gateway": outbound("", "frontend", 50), "frontend-prod": outbound("", "middleware", 100), "middleware-prod": outbound("", "backend", 200)},
			[]string{"note: Envoy's statistics: the pods of backend counted 200 of 200 tries; the pods of frontend counted 50 of 50 tries; the pods of middleware counted 100 of 100 tries"}},
		{"the gateway's pods may not be read", "ingress", func(c *chain) { c.forbidden = true }, nil,
			map[string]string{"frontend-prod": outbound("", "middleware", 100), "middleware-prod": outbound("", "backend", 200)},
			[]string{"note: Envoy's statistics: the pods of backend counted 200 of 200 tries; the pods of middleware counted 100 of 100 tries; they have no tries to frontend",
				"note: the gateway's statistics cannot be read without the permission get pods/proxy in namespace istio-system"}},
		{"stock Istio", "retry", nil,
			map[string]string{"backend-prod": received("unknown", 40) + received("middleware-prod", 10)},
			map[string]string{"backend-prod": received("unknown", 90) + received("middleware-prod", 211), "middleware-prod": received("frontend-prod", 100)},
			[]string{"incident: Istio's statistics have 201 tries to backend, of which at most 0 ended without an answer, but its pods counted 200: proxies answered some of the tries themselves, or their counts are wrong",
				"note: Istio's statistics: the pods of middleware counted 100 of 100 tries; they have no tries to frontend"}},
		{"no statistics", "retry", nil, nil, nil,
			[]string{"note: the proxies have no statistics about the chain's Services: they do not export them, or calls go past the proxies (Istio's proxyStatsMatcher decides what they export)"}},
		{"no sidecar", "retry", nil, nil, map[string]string{"middleware-prod": "-"},
			[]string{"note: the proxies' statistics cannot be read, so the counters are not compared with them: pod middleware-prod: "}},
		{"a pod was replaced", "retry", func(c *chain) { c.uid = "new" }, nil,
			map[string]string{"frontend-prod": outbound("", "middleware", 1)},
			[]string{"incident: pod backend-prod is new: ", "incident: pod backend-prod went away: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &chain{uid: "old", tries: map[string]int64{"frontend": 1, "middleware": 2, "backend": 3}, statistics: c.before}
			r := s.run(t, c.stage, false, func() {
				s.mutex.Lock()
				defer s.mutex.Unlock()
				s.tries, s.statistics = map[string]int64{"frontend": 51, "middleware": 102, "backend": 203}, c.after
				if c.change != nil {
					c.change(s)
				}
			})
			expectLines(t, incidents(t, r), c.want)
			if again := incidents(t, r); again != nil {
				t.Errorf("told again: %q", again)
			}
			if s.asked != 0 {
				t.Errorf("a Prometheus was asked %d times by a run that has none", s.asked)
			}
		})
	}
}

// expectLines wants lines that begin so.
func expectLines(t *testing.T, got, want []string) {
	t.Helper()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = strings.HasPrefix(got[i], want[i])
	}
	if !same {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCrossCheckOfPrometheus(t *testing.T) {
	sum := func(frontend, middleware, backend float64) map[string]map[string]float64 {
		return map[string]map[string]float64{"sum": {"frontend": frontend, "middleware": middleware, "backend": backend}}
	}
	ages := func(all map[string]map[string]float64, age float64) map[string]map[string]float64 {
		all["max"] = map[string]float64{"frontend": age, "middleware": age, "backend": age}
		return all
	}
	const agreed = "note: Prometheus: it has 200 of 200 tries to backend; it has 50 of 50 tries to frontend; it has 100 of 100 tries to middleware"
	for _, c := range []struct {
		name    string
		scraped map[string]map[string]float64
		over    bool // the time of the wait
		want    string
	}{
		{"agrees", sum(51, 102, 203), false, agreed},
		{"agrees later", nil, false, agreed},
		{"disagrees", ages(sum(51, 112, 203), 3), true, "incident: Prometheus has 110 tries to middleware, but its pods counted 100"},
		{"lags", ages(sum(51, 90, 203), 60), true, "note: Prometheus had not scraped all pods of middleware 30 s after the phase, "},
		{"lacks a service", map[string]map[string]float64{"sum": {"frontend": 51, "middleware": 102}}, true, "incident: Prometheus has no tries to backend, whose pods counted 200: "},
		{"knows nothing", map[string]map[string]float64{}, true, `incident: Prometheus at ADDRESS has no hellochaos_tries_total{namespace="shop"}, so its counts are not compared: `},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &chain{uid: "old", scraped: c.scraped}
			r := s.run(t, "retry", true, func() {
				s.mutex.Lock()
				defer s.mutex.Unlock()
				s.tries = map[string]int64{"frontend": 51, "middleware": 102, "backend": 203}
			})
			// What was counted before the phase is no part of it.
			r.began.counters = target.Counters{{Service: "frontend", Version: "prod", Attempt: 1, Status: 200, Count: 1},
				{Service: "middleware", Version: "prod", Attempt: 1, Status: 200, Count: 2}, {Service: "backend", Version: "prod", Attempt: 1, Status: 200, Count: 3}}
			if c.over {
				r.ended.at = time.Now().Add(-30 * time.Second)
			}
			if c.scraped == nil {
				time.AfterFunc(100*time.Millisecond, func() {
					s.mutex.Lock()
					defer s.mutex.Unlock()
					s.scraped = sum(51, 102, 203)
				})
			}
			got := strings.ReplaceAll(strings.Join(incidents(t, r), "\n"), r.cluster.options.PrometheusURL, "ADDRESS")
			if !strings.Contains(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			// Tries of requests with pins are tries too: no query may tell them apart.
			want := map[string]bool{`sum by (service) (hellochaos_tries_total{namespace="shop"})`: true}
			if s.scraped["max"] != nil || c.name == "lacks a service" || c.name == "knows nothing" {
				want[`max by (service) (time() - timestamp(hellochaos_tries_total{namespace="shop"}))`] = true
			}
			if diff := cmp.Diff(want, s.queries); diff != "" {
				t.Errorf("queries, want - got +:\n%s", diff)
			}
			if c.name == "agrees later" && s.asked != 2 {
				t.Errorf("it was asked %d times, want 2", s.asked)
			}
		})
	}
}

func TestCrossCheckOfAPrometheusThatIsDown(t *testing.T) {
	s := &chain{uid: "old"}
	more := func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.tries = map[string]int64{"backend": s.tries["backend"] + 5}
	}
	r := s.run(t, "retry", true, more)
	r.cluster.options.PrometheusURL = "http://127.0.0.1:1"
	expectLines(t, incidents(t, r)[1:], []string{"incident: Prometheus at http://127.0.0.1:1 could not be asked, so its counts are not compared: "})
	for range 2 { // a second phase
		more()
		if _, err := r.Counters(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	expectLines(t, incidents(t, r), []string{"note: the proxies have no statistics about the chain's Services: "})
}

// A redirect of Prometheus is not followed: the password in its URL is for the host that the user named.
func TestCrossCheckOfAPrometheusThatRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s reached another host", r.Method, r.URL) }))
	defer elsewhere.Close()
	named := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer named.Close()
	s := &chain{uid: "old"}
	r := s.run(t, "retry", true, func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.tries = map[string]int64{"backend": 5}
	})
	r.cluster.options.PrometheusURL = strings.Replace(named.URL, "http://", "http://u:pa55word@", 1)
	if got := strings.Join(incidents(t, r), "\n"); !strings.Contains(got, "could not be asked") || strings.Contains(got, "pa55word") {
		t.Errorf("incidents %q, want that Prometheus could not be asked", got)
	}
}
