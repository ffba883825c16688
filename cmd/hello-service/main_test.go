package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target/certificates"
)

// quick is hello with a shorter notice.
var quick = program{notice: time.Millisecond, drain: hello.drain, limits: hello.limits}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a run in this process.
type running struct {
	address string // base URL
	log     *bufio.Scanner
	status  chan int
}

// start runs the program, and returns when it serves.
func start(t *testing.T, ctx context.Context, environment map[string]string) *running {
	t.Helper()
	read, write := io.Pipe()
	p := &running{log: bufio.NewScanner(read), status: make(chan int, 1)}
	go func() {
		p.status <- quick.run(ctx, nil, func(name string) string { return environment[name] }, io.Discard, write)
		_ = write.Close()
	}()
	if !p.log.Scan() {
		t.Fatalf("run ended with status %d and no word", <-p.status)
	}
	port := regexp.MustCompile(`address=\S*:(\d+)`).FindStringSubmatch(p.log.Text())
	if port == nil {
		t.Fatalf("first line %q names no address", p.log.Text())
	}
	p.address = "http://127.0.0.1:" + port[1]
	return p
}

// end reads the log to its end, and checks that the program logs one more line and ends with status 0.
func (p *running) end(t *testing.T) {
	t.Helper()
	var lines []string
	for p.log.Scan() {
		lines = append(lines, p.log.Text())
	}
	if status := <-p.status; status != 0 || len(lines) != 1 || !strings.Contains(lines[0], "msg=ended") {
		t.Errorf("run ended with status %d and %q, want 0 and one line that says so", status, lines)
	}
}

func get(client *http.Client, url string, header ...string) (int, string, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// The chain of two programs: a hop and the clock.
func TestRunServesUntilItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	clock := start(t, ctx, map[string]string{"ROLE": "clock", "PORT": "0"})
	backend := start(t, ctx, map[string]string{"SERVICE_NAME": "backend-prod", "UPSTREAM_URI": clock.address + "/",
		"UPSTREAM_EXTERNAL": "true", "PORT": "0"})
	client := newClient(t)
	want := regexp.MustCompile(`^backend-prod - 0\.\d{3}secs\n` + clock.address + `/ -> \{"date":.*"time":.*\}\n$`)
	if status, page, err := get(client, backend.address); err != nil || status != 200 || !want.MatchString(page) {
		t.Errorf("GET / = %d %q %v, want 200 and %v", status, page, err, want)
	}
	if status, _, err := get(client, backend.address, "fail", "1"); err != nil || status != 500 {
		t.Errorf("GET / with fail: 1 = %d %v, want 500", status, err)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, _, err := get(client, backend.address+path); err != nil || status != 200 {
			t.Errorf("GET %s = %d %v, want 200", path, status, err)
		}
	}
	cancel()
	backend.end(t)
	clock.end(t)
	if _, _, err := get(client, backend.address); err == nil {
		t.Error("the program answers after its end")
	}
}

// A try that has begun when the signal comes is answered.
func TestRunEndsItsTriesAfterASignal(t *testing.T) {
	p := start(t, t.Context(), map[string]string{"SERVICE_NAME": "one-a", "ROLE": "script", "HANG_DURATION": "1s", "PORT": "0"})
	client := newClient(t)
	answered := make(chan error, 1)
	go func() {
		status, _, err := get(client, p.address, "x-hellochaos-script", "hang")
		if err == nil && status != 200 {
			err = fmt.Errorf("status %d", status)
		}
		answered <- err
	}()
	deadline := time.Now().Add(10 * time.Second)
	for inFlight := false; !inFlight; {
		if time.Now().After(deadline) {
			t.Fatal("the try is not in flight after 10s")
		}
		_, metrics, err := get(client, p.address+"/metrics")
		if err != nil {
			t.Fatal(err)
		}
		inFlight = strings.Contains(metrics, `hellochaos_tries_in_flight{service="one",version="a"} 1`)
	}
	signalSelf(t, syscall.SIGTERM)
	if err := <-answered; err != nil {
		t.Errorf("the try on its way: %v, want status 200", err)
	}
	p.end(t)
}

// After a signal, the program still accepts connections for some time while /readyz answers 503, so that callers learn from
// /readyz that it ends, and not from a refused connection.
func TestServeGivesNoticeBeforeItRefuses(t *testing.T) {
	handler, err := service.New(service.Config{Role: service.Clock})
	if err != nil {
		t.Fatal(err)
	}
	defer handler.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server, served := &http.Server{Handler: handler}, make(chan error, 1)
	go func() {
		served <- program{notice: time.Hour}.serve(ctx, server, []net.Listener{listener}, handler.Drain)
	}()
	client, address := newClient(t), "http://"+listener.Addr().String()
	client.Transport.(*http.Transport).DisableKeepAlives = true // each request opens a new connection
	if status, _, err := get(client, address+"/readyz"); err != nil || status != 200 {
		t.Errorf("GET /readyz before the signal = %d %v, want 200", status, err)
	}
	cancel()
	deadline := time.Now().Add(10 * time.Second)
	for status := 200; status != 503; {
		if status, _, err = get(client, address+"/readyz"); err != nil || time.Now().After(deadline) {
			t.Fatalf("GET /readyz after the signal = %d %v, want 503", status, err)
		}
	}
	if status, _, err := get(client, address); err != nil || status != 200 {
		t.Errorf("GET / after the signal = %d %v, want 200", status, err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("serve = %v, want the end of the server", err)
	}
}

// Kubernetes kills the program 30 s after the signal. A hanging try that has begun by then must be answered before.
func TestTimesOfTheEnd(t *testing.T) {
	if hello.notice+hello.drain >= 30*time.Second || hello.drain <= trail.DefaultHang {
		t.Errorf("%+v: want less than 30s in all, and a drain above %v", hello, trail.DefaultHang)
	}
	for _, want := range []string{fmt.Sprintf("goes on for %.0f s.", hello.notice.Seconds()), fmt.Sprintf("after %.0f s more", hello.drain.Seconds())} {
		if !strings.Contains(usage, want) {
			t.Errorf("-h lacks %q", want)
		}
	}
}

// The help has the limits that are in force.
func TestHelpTellsTheLimits(t *testing.T) {
	l, text := hello.limits, strings.Join(strings.Fields(usage), " ")
	for _, want := range []string{
		fmt.Sprintf("at most %d KiB (or the answer is 431) and must come within %.0f s", l.HeadBytes>>10, l.Head.Seconds()),
		fmt.Sprintf("its body within %.0f s", l.Body.Seconds()),
		fmt.Sprintf("within %.0f s after it was written", l.Write.Seconds()),
		fmt.Sprintf("idle for at most %.0f min", l.Idle.Minutes()),
		fmt.Sprintf("%d connections are served at once", l.Connections),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("-h lacks %q", want)
		}
	}
}

// A try that does not end in time is cut, and the program reports it.
func TestServeCutsTriesAtItsDeadline(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		close(ended)
	})}
	go func() { _, _, _ = get(newClient(t), "http://"+listener.Addr().String()) }()
	err = program{drain: time.Millisecond}.serve(ctx, server, []net.Listener{listener}, func() {})
	if want := "tries did not end in 1ms and were cut"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("serve = %v, want %q", err, want)
	}
	<-ended
}

// The service answers at ADMIN_PORT what it answers at PORT, and counts both together.
func TestAdminPort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := start(t, ctx, map[string]string{"SERVICE_NAME": "one-a", "CALLS": "[]", "PORT": "0", "ADMIN_PORT": "0"})
	if !p.log.Scan() {
		t.Fatal("the log names no second address")
	}
	admin := "http://127.0.0.1:" + regexp.MustCompile(`address=\S*:(\d+)`).FindStringSubmatch(p.log.Text())[1]
	client := newClient(t)
	for _, address := range []string{p.address, admin} {
		if status, _, err := get(client, address+"/"); err != nil || status != 200 {
			t.Errorf("GET %s/ = %d %v, want 200", address, status, err)
		}
	}
	if _, text, err := get(client, admin+"/metrics"); err != nil || !regexp.MustCompile(trail.MetricTries+`\{.*\} 2\n`).MatchString(text) {
		t.Errorf("the metrics at %s do not have 2 tries: %v\n%s", admin, err, text)
	}
	cancel()
	p.end(t)
	if _, _, err := get(client, admin+"/"); err == nil {
		t.Error("the program answers at ADMIN_PORT after its end")
	}
}

// At TLS_PORT the service answers with TLS, by a certificate that no client knows, and tells which name it was asked for.
func TestTLSPort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := start(t, ctx, map[string]string{"SERVICE_NAME": "one-a", "ROLE": "script", "PORT": "0", "TLS_PORT": "0"})
	if !p.log.Scan() {
		t.Fatal("the log names no second address")
	}
	address := "127.0.0.1:" + regexp.MustCompile(`address=\S*:(\d+)`).FindStringSubmatch(p.log.Text())[1]
	if status, text, err := get(newClient(t), "http://"+address+"/"); err != nil || status != 400 {
		t.Errorf("without TLS: %d %q %v, want 400", status, text, err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "asked.example"}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set(service.HeaderTell, service.ServerName)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if told := response.Header.Get(service.HeaderTold); told != "asked.example" {
		t.Errorf("told the name %q, want asked.example", told)
	}
	cancel()
	for p.log.Scan() { // it has a warning about the client that spoke no TLS
	}
	if status := <-p.status; status != 0 {
		t.Errorf("run ended with status %d, want 0", status)
	}
}

// With TLS_FILES the certificate is that of the files, and a client may show one of the same issuer, and no other.
func TestTLSFiles(t *testing.T) {
	issuer, err := certificates.NewIssuer()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := certificates.NewIssuer()
	if err != nil {
		t.Fatal(err)
	}
	data, err := issuer.Secret("one.example")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range data {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := start(t, ctx, map[string]string{"SERVICE_NAME": "one-a", "ROLE": "script", "PORT": "0", "TLS_PORT": "0", "TLS_FILES": folder})
	if !p.log.Scan() {
		t.Fatal("the log names no second address")
	}
	address := "127.0.0.1:" + regexp.MustCompile(`address=\S*:(\d+)`).FindStringSubmatch(p.log.Text())[1]
	for _, c := range []struct {
		shown []tls.Certificate
		told  string // empty: the connection is refused
	}{{nil, "-"}, {issuer.Client().Certificates, "shown"}, {stranger.Client().Certificates, ""}} {
		config := issuer.Client().Clone()
		config.ServerName = "one.example"
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &append(c.shown, tls.Certificate{})[0], nil
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: config}}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(service.HeaderTell, service.ClientCertificate)
		told := ""
		if response, err := client.Do(request); err == nil {
			response.Body.Close()
			told = response.Header.Get(service.HeaderTold)
		}
		if told != c.told {
			t.Errorf("a client with %d certificates is told %q, want %q", len(c.shown), told, c.told)
		}
	}
	cancel()
	for p.log.Scan() { // it has a warning about the client that was refused
	}
	if status := <-p.status; status != 0 {
		t.Errorf("run ended with status %d, want 0", status)
	}
}

func TestRunRefusesAWrongConfiguration(t *testing.T) {
	var stderr bytes.Buffer
	missing := filepath.Join(t.TempDir(), "missing")
	environment := map[string]string{"TLS_FILES": missing, "ROLE": "cook", "PORT": "66000", "HANG_DURATION": "-1s", "UPSTREAM_EXTERNAL": "yes", "ADMIN_PORT": "none", "TLS_PORT": "443s"}
	status := quick.run(t.Context(), []string{"now"}, func(name string) string { return environment[name] }, io.Discard, &stderr)
	if status != 2 {
		t.Errorf("status = %d, want 2", status)
	}
	for _, want := range []string{`the arguments ["now"] are not accepted`, `ROLE`, `PORT is "66000"`, `HANG_DURATION is "-1s"`,
		`UPSTREAM_EXTERNAL is "yes"`, `SERVICE_NAME`, `ADMIN_PORT is "none"`, `TLS_PORT is "443s"`, "the certificate of TLS_FILES: open " + missing} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("message lacks %q:\n%s", want, &stderr)
		}
	}
}

func TestRunRefusesFilesWithoutAPort(t *testing.T) {
	var stderr bytes.Buffer
	environment := map[string]string{"ROLE": "clock", "PORT": "66000", "TLS_FILES": "/etc/certificates"}
	status := quick.run(t.Context(), nil, func(name string) string { return environment[name] }, io.Discard, &stderr)
	if want := `TLS_FILES is "/etc/certificates", and there is no TLS_PORT`; status != 2 || !strings.Contains(stderr.String(), want) {
		t.Errorf("status %d, %q: want 2 and %q", status, &stderr, want)
	}
}

func TestRunSaysWhatItCannotListenOn(t *testing.T) {
	taken := start(t, t.Context(), map[string]string{"ROLE": "clock", "PORT": "0"})
	_, port, _ := strings.Cut(strings.TrimPrefix(taken.address, "http://"), ":")
	var stderr bytes.Buffer
	environment := map[string]string{"ROLE": "clock", "PORT": port}
	status := quick.run(t.Context(), nil, func(name string) string { return environment[name] }, io.Discard, &stderr)
	if want := "address already in use"; status != 1 || !strings.Contains(stderr.String(), want) {
		t.Errorf("status %d, %q: want 1 and %q", status, &stderr, want)
	}
	signalSelf(t, syscall.SIGINT)
	taken.end(t)
}

// A pod's trails have the name of the pod: that of its host, as Kubernetes sets it, unless the variable says another one.
func TestPodName(t *testing.T) {
	for _, c := range []struct {
		environment map[string]string
		err         error
		want        string
	}{
		{nil, nil, ""},
		{map[string]string{"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, nil, "front-x1"},
		{map[string]string{"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, errors.New("no name"), ""},
		{map[string]string{"KUBERNETES_SERVICE_HOST": "10.96.0.1", "POD_NAME": "web-0"}, nil, "web-0"},
	} {
		got := podName(func(name string) string { return c.environment[name] }, func() (string, error) { return "front-x1", c.err })
		if got != c.want {
			t.Errorf("%v, %v: %q, want %q", c.environment, c.err, got, c.want)
		}
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	var stdout bytes.Buffer
	asked := make(map[string]bool)
	getenv := func(name string) string { asked[name] = true; return "" }
	if status := quick.run(t.Context(), []string{"-h"}, getenv, &stdout, io.Discard); status != 0 {
		t.Errorf("status of -h = %d, want 0", status)
	}
	if status := quick.run(t.Context(), nil, getenv, io.Discard, io.Discard); status != 2 {
		t.Errorf("status without a configuration = %d, want 2", status)
	}
	if len(asked) != 17 {
		t.Errorf("the program asks for %v, want 17 variables", asked)
	}
	for name := range asked {
		if !regexp.MustCompile("\\n  " + name + "\\s").MatchString(stdout.String()) {
			t.Errorf("-h does not explain %s", name)
		}
	}
}

// signalSelf sends this process a signal.
func signalSelf(t *testing.T, signal os.Signal) {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(signal)
	}
	if err != nil {
		t.Fatal(err)
	}
}
