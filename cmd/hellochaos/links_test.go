package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/metrics"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/grafana"
)

func TestUsageOfLinks(t *testing.T) {
	got := usage(t, "run", "egress", "--metrics-addr", "9464", "--grafana-url", "http://admin:pa55word@a?orgId=1", "--kiali-url", "http://kiali?", "--tracing-url", "http://t",
		"--prometheus-url", "http://p/?token=pa55word", "--direct-url", "http://:9090", "--gateway-url", "http://g#pa55word")
	for _, want := range []string{"--metrics-addr 9464: must be HOST:PORT", "--grafana-url: must be an absolute URL", "--kiali-url: must be", "--kiali-url: needs --target cluster", "--tracing-url: needs --target cluster",
		"--prometheus-url: must be an absolute URL", "--direct-url: must be", "--gateway-url: must be"} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
		}
	}
	if got.code != 2 || strings.Contains(got.stderr, "pa55word") {
		t.Errorf("exit %d, want 2 and no password:\n%s", got.code, got.stderr)
	}
	for _, args := range [][]string{{"dashboard", "rum"}, {"dashboard", "run", "mesh"}, {"dashboard", "run", "--format", "xml"}} {
		if got := usage(t, args...); got.code != 2 || !strings.Contains(got.stderr, "dashboard: ") {
			t.Errorf("%v: exit %d, %q", args, got.code, got.stderr)
		}
	}
}

func TestDashboardCommand(t *testing.T) {
	list := usage(t, "dashboard")
	for _, d := range grafana.Dashboards() {
		if !strings.Contains(list.stdout, d.Name+" ") || !strings.Contains(list.stdout, d.UID) {
			t.Errorf("the list lacks %s:\n%s", d.Name, list.stdout)
		}
		if got := usage(t, "dashboard", d.Name); got.code != 0 || got.stdout != string(d.JSON) {
			t.Errorf("%s: exit %d, and not the dashboard", d.Name, got.code)
		}
		var object struct {
			Kind     string
			Metadata struct {
				Name   string
				Labels map[string]string
			}
			Data map[string]string
		}
		got := usage(t, "dashboard", d.Name, "--format", "configmap")
		if err := yaml.UnmarshalStrict([]byte(strings.Replace(got.stdout, "apiVersion: v1\n", "", 1)), &object); err != nil {
			t.Fatal(err)
		}
		if object.Kind != "ConfigMap" || object.Metadata.Labels["grafana_dashboard"] != "1" || object.Data[object.Metadata.Name+".json"] != string(d.JSON) {
			t.Errorf("%s: %s %s with labels %v", d.Name, object.Kind, object.Metadata.Name, object.Metadata.Labels)
		}
	}
}

// Every metric of hellochaos in a query of a panel exists.
func TestDashboardsAskForWhatThereIs(t *testing.T) {
	var known []string
	for _, m := range metrics.All() {
		known = append(known, m.Name)
	}
	asked := 0
	for _, d := range grafana.Dashboards() {
		for _, name := range regexp.MustCompile(`hellochaos_\w+`).FindAllString(string(d.JSON), -1) {
			asked++
			if !slices.Contains(known, strings.TrimSuffix(name, "_bucket")) {
				t.Errorf("dashboard %s asks for %s, which there is not", d.Name, name)
			}
		}
	}
	if asked < 30 {
		t.Errorf("%d metrics were found in the dashboards, want at least 30", asked)
	}
}

// A password in an address is sent to Grafana, but is neither printed nor part of the command line in the report. The verdict
// of the run does not depend on the answers of Grafana.
func TestPasswordIsNotShown(t *testing.T) {
	used := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		used <- password
		http.Error(w, `{"message":"not you, pa55word"}`, http.StatusForbidden)
	}))
	defer server.Close()
	at := strings.Replace(server.URL, "http://", "http://admin:pa55word@", 1)
	for _, args := range [][]string{{"--grafana-url", at}, {"--grafana-url=" + at, "--format", "json"}} {
		got := execute(t, append([]string{"run", "egress"}, args...)...)
		if got.code != 0 || strings.Contains(got.stdout+got.stderr, "pa55word") {
			t.Errorf("exit %d, want 0 and no password:\n%s%s", got.code, got.stdout, got.stderr)
		}
		if flat := strings.Join(strings.Fields(got.stdout), " "); !strings.Contains(flat, "Grafana at "+server.URL+": looking for the dashboards of hellochaos: 403 Forbidden (not you, …)") {
			t.Errorf("the remark is missing:\n%s", got.stdout)
		}
		if password := <-used; password != "pa55word" {
			t.Errorf("the password used was %q", password)
		}
		var report reports.Report
		if slices.Contains(args, "json") {
			if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || !strings.Contains(strings.Join(report.Command, " "), "--grafana-url=http://…@") {
				t.Errorf("command %q (%v)", report.Command, err)
			}
		}
	}
}

// Prometheus can scrape a run while it runs. The server of the metrics has ended when the run has.
func TestMetricsOfALiveRun(t *testing.T) {
	t.Parallel() // this run needs little of the machine
	cmd := exec.CommandContext(t.Context(), program, "run", "egress", "--metrics-addr", "127.0.0.1:0", "--rate", "300", "--seed", "7")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(line), "metrics of the run: ")
	if err != nil || !found {
		t.Fatalf("the first line is %q (%v), want the address of the metrics", line, err)
	}
	text := ""
	for deadline := time.Now().Add(time.Minute); !regexp.MustCompile(`hellochaos_requests_total\{outcome="ok",phase="application"\} [1-9]`).MatchString(text); {
		if time.Now().After(deadline) {
			t.Fatalf("no request was counted within a minute:\n%s", text)
		}
		response, err := http.Get(url)
		if err != nil {
			t.Fatalf("%v, last:\n%s", err, text)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s, %v", response.Status, err)
		}
		text = string(body)
		time.Sleep(50 * time.Millisecond)
	}
	for _, want := range []string{`hellochaos_run_verdict{verdict="pending"} 1`, `seed="7"`, `hellochaos_share_predicted_ratio{phase="application",share="edge fails"} 0.3`} {
		if !strings.Contains(text, want) {
			t.Errorf("while it runs, %s is missing:\n%s", want, text)
		}
	}
	if _, err := io.Copy(io.Discard, stderr); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("the metrics are still served after the run")
	}
}

func TestMetricsAddressInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	got := execute(t, "run", "egress", "--metrics-addr", listener.Addr().String())
	if want := fmt.Sprintf("serving metrics: listen tcp %s: bind: address already in use: choose another address", listener.Addr()); got.code != 6 || !strings.Contains(got.stderr, want) {
		t.Errorf("exit %d, want 6 and %q:\n%s", got.code, want, got.stderr)
	}
}
