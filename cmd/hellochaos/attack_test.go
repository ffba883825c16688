package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/load"
)

// attacked runs an attack, again where this machine was too busy to send it, and returns its report.
func attacked(t *testing.T, args ...string) (ended, *load.Report) {
	t.Helper()
	for range 5 {
		got := usage(t, append([]string{"attack", "--format", "json"}, args...)...)
		var r load.Report
		if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
			t.Fatalf("%v: %+v", err, got)
		}
		if r.Requests.Skipped == 0 {
			return got, &r
		}
	}
	t.Fatal("this machine sends no 50 requests a second")
	return ended{}, nil
}

// An attack sends what the command line says, its results are read again, and the expectations give the exit code.
func TestAttack(t *testing.T) {
	var wrong atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); r.Method != "POST" || r.Header.Get("X-A") != "b" || string(body) != "order" {
			wrong.Add(1)
		}
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, "hello")
	}))
	defer server.Close()
	folder := t.TempDir()
	body, results, out := filepath.Join(folder, "body"), filepath.Join(folder, "r.bin"), filepath.Join(folder, "out")
	if err := os.WriteFile(body, []byte("order"), 0o644); err != nil {
		t.Fatal(err)
	}
	post := []string{"--rate", "50/1s", "--requests", "60", "-X", "POST", "-H", "X-A: b", "--body", body}
	got, r := attacked(t, append(post, server.URL, "--output", results, "--out", out, "--expect", "errors <= 20%", "--expect", "rate >= 1/s")...)
	if got.code != reports.ExitPass || r.Verdict != reports.Pass || r.Requests.OK != 60 || r.BytesIn != 300 || r.BytesOut != 300 || r.Statuses[200] != 60 || wrong.Load() > 0 {
		t.Errorf("exit %d, %+v; %d requests were wrong", got.code, r, wrong.Load())
	}
	for _, from := range []string{results, out, filepath.Join(out, load.FileName)} {
		again := usage(t, "report", from)
		if again.code != 0 || !strings.Contains(again.stdout, "60 good") || !strings.Contains(again.stdout, "200: 60") || !strings.Contains(again.stdout, "from the planned start") {
			t.Errorf("report %s: %+v", from, again)
		}
	}
	if refused := usage(t, "report", results, "--format", "markdown"); refused.code != reports.ExitUsage || !strings.Contains(refused.stderr, "--format markdown: the report of an attack is printed as text, json, html") {
		t.Errorf("%+v", refused)
	}
	if got, r = attacked(t, append(post, server.URL+"/bad", "--expect", "errors <= 20%")...); got.code != reports.ExitFail || r.Verdict != reports.Fail || r.Statuses[503] != 60 {
		t.Errorf("exit %d, %+v", got.code, r)
	}
	if got, r = attacked(t, append(post, server.URL, "--expect", "errors <= 0.1%")...); got.code != reports.ExitInconclusive || r.Verdict != reports.Inconclusive {
		t.Errorf("exit %d, %+v", got.code, r)
	}
}

// The targets of a file take turns by their weights.
func TestAttackTargets(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/b" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "targets")
	if err := os.WriteFile(file, fmt.Appendf(nil, "GET %s/a\n\nGET %s/b\n", server.URL, server.URL), 0o644); err != nil {
		t.Fatal(err)
	}
	got, r := attacked(t, "--targets", file, "--weights", "3,1", "--requests", "40")
	if got.code != 0 || r.Statuses[200] != 30 || r.Statuses[404] != 10 || r.Requests.Failed != 10 || len(r.Targets) != 2 || r.Targets[0].Weight != 3 {
		t.Errorf("exit %d, %+v", got.code, r)
	}
	refused := usage(t, "attack", "--targets", file, "--weights", "3", "--method", "PUT")
	if refused.code != reports.ExitUsage || !strings.Contains(refused.stderr, "--method: is for a URL") {
		t.Errorf("%+v", refused)
	}
}

// What cannot be reached gets no request; the message says what helps.
func TestAttackUnreachable(t *testing.T) {
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs who does not trust it
	secure.StartTLS()
	defer secure.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for url, want := range map[string]string{"http://" + closed.Addr().String(): "connection refused", secure.URL: "--cacert FILE names the authority", "http://no-such-host.invalid/": "no-such-host.invalid:80 cannot be reached"} {
		if got := usage(t, "attack", url); got.code != reports.ExitInfrastructure || got.stdout != "" || !strings.Contains(got.stderr, want) || !strings.Contains(got.stderr, "nothing was sent") {
			t.Errorf("%s: %+v, want %q", url, got, want)
		}
	}
	for _, trust := range [][]string{{"--insecure"}, {"--cacert", ca}} {
		if got, r := attacked(t, append(trust, secure.URL, "--requests", "3")...); got.code != 0 || r.Statuses[404] != 3 {
			t.Errorf("%v: exit %d, %+v", trust, got.code, r)
		}
	}
}

// Much load on a public address needs --yes.
func TestAttackPublic(t *testing.T) {
	for _, c := range []struct {
		public []string
		rate   float64
		yes    bool
		want   string
	}{{nil, 5000, false, ""}, {[]string{"shop.example:443"}, 1000, false, ""}, {[]string{"shop.example:443"}, 1001, true, ""}, {[]string{"shop.example:443"}, 1001, false, "--rate: 1001 requests a second to shop.example:443, which is a public address"}} {
		err := (&attackFlags{yes: c.yes}).agreed(c.public, c.rate)
		if (err != nil) != (c.want != "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestWithoutValues(t *testing.T) {
	got := withoutValues(strings.Fields("hellochaos attack http://a/ -H A:1 -HB:2 --header C:3 --header=D:4 -header E:5 -header=F:6 --body b"))
	if want := "[hellochaos attack http://a/ -H A: … -HB: … --header C: … --header=D: … -header E: … --header=F: … --body b]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A signal ends an attack, and the report is of what was done until then. The values of headers and passwords are in no report.
func TestAttackInterrupted(t *testing.T) {
	var cmd *exec.Cmd
	received := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { received <- struct{}{} }))
	defer server.Close()
	cmd = exec.CommandContext(t.Context(), program, "attack", strings.Replace(server.URL, "://", "://me:secret@", 1), "--rate", "20", "--duration", "50s", "--format", "json", "-H", "Authorization: secret", "--header=Cookie: secret", "--expect", "p99 <= 1s")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		<-received
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(stdout)
	_ = cmd.Wait()
	var r load.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if code := cmd.ProcessState.ExitCode(); code != reports.ExitAborted || r.Interrupted == "" || r.Requests.OK < 4 || r.Requests.Planned != 1000 || r.Verdict != reports.Inconclusive ||
		r.Requests.Sent != r.Requests.OK+r.Requests.Failed+r.Requests.GivenUp {
		t.Errorf("exit %d, %+v", code, r)
	}
	if strings.Contains(string(text), "secret") || !strings.Contains(string(text), "Authorization: …") {
		t.Errorf("a secret is in the report: %s", text)
	}
}
