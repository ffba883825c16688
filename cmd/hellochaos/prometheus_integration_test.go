//go:build integration

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/grafana"
	"github.com/hellochaos/hellochaos/reports/render"
)

// scrapeInterval of the Prometheus of these tests; Grafana's $__rate_interval is four of them.
const scrapeInterval, rateInterval = time.Second, 4 * time.Second

// debian finds a program of Debian's package prometheus.
func debian(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v; type: apt-get install --no-install-recommends prometheus", err)
	}
	return path
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// startPrometheus runs a real Prometheus that scrapes one address, until the test ends.
func startPrometheus(t *testing.T, scraped string) prometheus.API {
	t.Helper()
	program := debian(t, "prometheus")
	folder, address := t.TempDir(), freeAddress(t)
	config := filepath.Join(folder, "prometheus.yml")
	text := fmt.Sprintf("scrape_configs:\n- job_name: hellochaos\n  scrape_interval: %s\n  scrape_timeout: %s\n  static_configs:\n  - targets: [%q]\n", scrapeInterval, scrapeInterval, scraped)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(folder, "data"), "--web.listen-address="+address, "--log.level=warn")
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus: %s", log.String())
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		response, err := http.Get("http://" + address + "/-/ready")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("prometheus is not ready after a minute: %v\n%s", err, log.String())
		}
	}
	client, err := api.NewClient(api.Config{Address: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	return prometheus.NewAPI(client)
}

// untilScraped waits until Prometheus has a series. It begins to scrape some seconds after it is ready: it hands the targets of its configuration
// on every five seconds.
func untilScraped(t *testing.T, on prometheus.API, series string, from time.Time) {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		value, _, _, err := on.QueryRange(t.Context(), series, prometheus.Range{Start: from, End: time.Now(), Step: scrapeInterval})
		if err != nil {
			t.Fatal(err)
		}
		if matrix := value.(model.Matrix); len(matrix) > 0 {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("Prometheus has no %s after a minute", series)
		}
	}
}

// asked are the queries in a dashboard.
type asked struct {
	Templating struct {
		List []struct {
			Name  string
			Query json.RawMessage
		}
	}
	Panels []struct {
		Title   string
		Targets []struct{ Expr string }
	}
}

// substitute replaces the variables in a query as Grafana does: by their values, and for "All" by allValue.
func substitute(expression, namespace string) string {
	return strings.NewReplacer("$__rate_interval", model.Duration(rateInterval).String(), "$phase", ".*", "$share", ".*", "$namespace", namespace).Replace(expression)
}

// everyQueryHasData sends every query and every variable of a dashboard to Prometheus.
func everyQueryHasData(t *testing.T, on prometheus.API, name, namespace string, from, to time.Time) {
	t.Helper()
	var board asked
	for _, d := range grafana.Dashboards() {
		if d.Name == name {
			if err := json.Unmarshal(d.JSON, &board); err != nil {
				t.Fatal(err)
			}
		}
	}
	queries, variables := 0, 0
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries++
			expression := substitute(target.Expr, namespace)
			if strings.Contains(expression, "$") {
				t.Errorf("%s: a variable is left in %s", p.Title, expression)
			}
			value, _, _, err := on.QueryRange(t.Context(), expression, prometheus.Range{Start: from, End: to, Step: scrapeInterval})
			if err != nil {
				t.Errorf("%s: %s: %v", p.Title, expression, err)
				continue
			}
			if series, numbers := count(value.(model.Matrix)); numbers == 0 {
				t.Errorf("%s: %d series and no number: %s", p.Title, series, expression)
			}
		}
	}
	for _, v := range board.Templating.List {
		var query struct{ Query string }
		if json.Unmarshal(v.Query, &query) != nil {
			continue // the data source
		}
		variables++
		parts := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(substitute(query.Query, namespace))
		if parts == nil {
			t.Errorf("variable %s: %s is not label_values(SERIES, LABEL)", v.Name, query.Query)
			continue
		}
		values, _, _, err := on.LabelValues(t.Context(), parts[2], []string{parts[1]}, from, to)
		if err != nil || len(values) == 0 {
			t.Errorf("variable %s: %v, %v", v.Name, values, err)
		}
		t.Logf("dashboard %s: variable %s is %v", name, v.Name, values)
	}
	t.Logf("dashboard %s: %d queries, %d variables", name, queries, variables)
	if queries < 20 || variables == 0 {
		t.Errorf("%d queries and %d variables, want at least 20 and 1", queries, variables)
	}
}

func count(matrix model.Matrix) (series, numbers int) {
	for _, stream := range matrix {
		series++
		for _, v := range stream.Values {
			if !math.IsNaN(float64(v.Value)) {
				numbers++
			}
		}
	}
	return series, numbers
}

// A real Prometheus scrapes a live run, and every query of the run's dashboard has data.
func TestIntegrationRunDashboard(t *testing.T) {
	address := freeAddress(t)
	on := startPrometheus(t, address)
	from := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	// Stage canary runs after retry, so that Prometheus can still scrape the results of retry.
	cmd := exec.CommandContext(ctx, program, "run", "retry", "canary", "--fail", "0.5", "--seed", "7", "--rate", "500", "--max-requests", "4000",
		"--metrics-addr", address, "--format", "json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	page := ""
	for page == "" {
		time.Sleep(500 * time.Millisecond)
		if ctx.Err() != nil {
			t.Fatalf("no metrics in three minutes\n%s", stderr.String())
		}
		page = fetch("http://" + address + "/metrics")
	}
	cmd.Wait() // the verdict does not matter here
	report := new(reports.Report)
	if err := json.Unmarshal(stdout.Bytes(), report); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	everyQueryHasData(t, on, "run", "", from, time.Now())
	// The counts of the first phase no longer change, so Prometheus and the report must agree on them.
	phase := report.Phases[0]
	value, _, _, err := on.Query(t.Context(), `sum(max_over_time(hellochaos_requests_total{phase="prod"}[5m]))`, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if v := value.(model.Vector); len(v) != 1 || float64(v[0].Value) != float64(phase.Observed) {
		t.Errorf("Prometheus has %v requests of the first phase, the report %d", v, phase.Observed)
	}
	checkMetrics(t, "a live run", page)
	var text strings.Builder
	if err := render.Prometheus(&text, report); err != nil {
		t.Fatal(err)
	}
	checkMetrics(t, "its report", text.String())
}

func fetch(address string) string {
	response, err := http.Get(address)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(body)
}

// checkMetrics runs promtool on metrics.
func checkMetrics(t *testing.T, what, text string) {
	t.Helper()
	cmd := exec.Command(debian(t, "promtool"), "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics of %s: %v\n%s", what, err, out)
	}
}

// istio stands in for Istio: it serves metrics with the names and labels of those of Istio and Envoy, so that the queries of the
// mesh dashboard can be tested without a cluster. All counts are higher at every scrape.
type istio struct{ scrapes int }

// requests are the series of istio_requests_total after a run of all stages: reporter, caller, called service, its version,
// status, response flags.
var requests = [][7]string{
	{"source", "backend-prod", "unknown", "BlackHoleCluster", "unknown", "502", "-"},
	{"source", "backend-prod", "unknown", "time.hellochaos.test", "unknown", "200", "-"},
	{"source", "frontend-prod", "middleware-prod", "middleware", "prod", "200", "-"},
	{"source", "frontend-prod", "middleware-prod", "middleware", "prod", "500", "URX"},
	{"destination", "frontend-prod", "middleware-prod", "middleware", "prod", "200", "-"},
	{"destination", "frontend-prod", "middleware-prod", "middleware", "prod", "500", "-"},
	{"destination", "frontend-prod", "middleware-canary", "middleware", "canary", "200", "-"},
	{"destination", "unknown", "frontend-prod", "frontend", "prod", "200", "-"},
	{"destination", "istio-ingressgateway", "frontend-prod", "frontend", "prod", "200", "-"},
	{"source", "istio-ingressgateway", "frontend-prod", "frontend", "prod", "200", "-"},
}

func (i *istio) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	i.scrapes++
	fmt.Fprintln(w, "# TYPE istio_requests_total counter")
	for n, r := range requests {
		fmt.Fprintf(w, "istio_requests_total{%s} %d\n", labelsOf(r), i.scrapes*(n+1)*10)
	}
	fmt.Fprintln(w, "# TYPE istio_request_duration_milliseconds histogram")
	for _, r := range requests {
		for b, bound := range []string{"0.5", "1", "5", "10", "25", "50", "+Inf"} {
			fmt.Fprintf(w, "istio_request_duration_milliseconds_bucket{%s,le=%q} %d\n", labelsOf(r), bound, i.scrapes*b*10)
		}
		fmt.Fprintf(w, "istio_request_duration_milliseconds_sum{%s} %d\n", labelsOf(r), i.scrapes*100)
		fmt.Fprintf(w, "istio_request_duration_milliseconds_count{%s} %d\n", labelsOf(r), i.scrapes*60)
	}
	for n, name := range []string{"retry", "retry_success", "retry_limit_exceeded", "retry_overflow", "retry_backoff_exponential"} {
		fmt.Fprintf(w, "# TYPE envoy_cluster_upstream_rq_%s counter\n", name)
		fmt.Fprintf(w, "envoy_cluster_upstream_rq_%s{cluster_name=\"outbound|80|prod|middleware.demo.svc.cluster.local\",namespace=\"demo\",pod=\"frontend-prod-1\"} %d\n", name, i.scrapes*n)
	}
}

func labelsOf(r [7]string) string {
	namespace, service := "demo", r[3]+".demo.svc.cluster.local"
	if r[2] == "unknown" {
		namespace, service = "unknown", r[3]
	}
	caller := "demo"
	if r[1] == "unknown" {
		caller = "unknown"
	}
	return fmt.Sprintf(`reporter=%q,source_workload=%q,source_workload_namespace=%q,source_principal="unknown",source_app=%q,source_version="prod",`+
		`source_canonical_service=%q,source_canonical_revision="prod",source_cluster="Kubernetes",`+
		`destination_workload=%q,destination_workload_namespace=%q,destination_principal="unknown",destination_app=%q,destination_version=%q,`+
		`destination_service=%q,destination_service_name=%q,destination_service_namespace=%q,destination_canonical_service=%q,destination_canonical_revision=%q,destination_cluster="Kubernetes",`+
		`request_protocol="http",response_code=%q,grpc_response_status="",response_flags=%q,connection_security_policy="unknown"`,
		r[0], r[1], caller, r[1], r[1], r[2], namespace, r[3], r[4], service, r[3], namespace, r[3], r[4], r[5], r[6])
}

// Every query of the mesh dashboard has data in a real Prometheus that scrapes metrics of Istio's form.
func TestIntegrationMeshDashboard(t *testing.T) {
	server := httptest.NewServer(&istio{})
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	on := startPrometheus(t, u.Host)
	untilScraped(t, on, "istio_requests_total", from)
	time.Sleep(rateInterval + 3*scrapeInterval)
	everyQueryHasData(t, on, "mesh", "demo", from, time.Now())
}
