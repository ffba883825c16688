package mesh

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/target"
)

const serviceOne = `
apiVersion: v1
kind: Service
metadata: {name: one}
spec:
  selector: {app: one}
  ports: [{name: http, port: 80}]
---
`

// virtualService is host with a destination and what else its only route says.
func virtualService(host, rest string) string {
	return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: policy}
spec:
  hosts: [` + host + `]
  http: [{route: [{destination: {host: ` + host + `}}], ` + rest + `}]
---
`
}

// ask sends a request by the sidecar of app one.
func ask(ctx context.Context, m *Mesh, host, script string) (int, string, error) {
	address, err := m.Sidecar("one")
	if err != nil {
		return 0, "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, "", err
	}
	r.Host = host
	r.Header.Set(service.HeaderScript, script)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestClose(t *testing.T) {
	m := applied(t, Options{}, serviceOne+deployment1("one"))
	sidecar, err := m.Sidecar("one")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(sidecar, "http://")); err == nil {
		conn.Close()
		t.Error("the sidecar's port is still open")
	}
	if err := m.Apply(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("apply: got error %v, want one that says closed", err)
	}
}

func TestAddressErrors(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	check := func(entry target.Entry, want string) {
		t.Helper()
		if _, err := m.Address(entry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("entry %s: got error %v, want one with %q", entry, err, want)
		}
	}
	check(target.Direct, "nothing is applied")
	if err := m.Apply(t.Context(), objects(t, deployment1("one"))); err != nil {
		t.Fatal(err)
	}
	check(target.Gateway, "no Gateway is applied")
	check(target.Direct, "no Service frontend is applied")
	check("window", "accepted are direct and gateway")
	if err := m.Apply(t.Context(), objects(t, strings.ReplaceAll(serviceOne, "one", "frontend")+deployment1("one"))); err != nil {
		t.Fatal(err)
	}
	check(target.Direct, "no Deployment is applied that Service frontend selects")
	if _, err := m.Sidecar("two"); err == nil || !strings.Contains(err.Error(), "there are one") {
		t.Errorf("sidecar: got error %v, want one that lists one", err)
	}
}

// TestApplyKeepsWhatDidNotChange follows the pods of two Deployments over Applies by their addresses.
func TestApplyKeepsWhatDidNotChange(t *testing.T) {
	both := serviceOne + deployment1("one") + "---" + deployment1("two")
	m := applied(t, Options{}, both)
	address := func(name string) string {
		d := m.pods[deploymentName{"default", name}]
		if d == nil {
			return ""
		}
		return d.pods[0].server.address
	}
	one, two := address("one"), address("two")
	if err := m.Apply(t.Context(), objects(t, strings.Replace(both, "two-v1", "two-v2", 1))); err != nil {
		t.Fatal(err)
	}
	if address("one") != one || address("two") == two {
		t.Errorf("got one %s and two %s, want %s kept and %s replaced", address("one"), address("two"), one, two)
	}
	former := address("two")
	wrong := strings.Replace(both, "value: script}, {name: SERVICE_NAME, value: two", "value: bogus}, {name: SERVICE_NAME, value: two", 1)
	if err := m.Apply(t.Context(), objects(t, wrong)); err == nil || !strings.Contains(err.Error(), "Deployment two") {
		t.Errorf("got error %v, want one that names Deployment two", err)
	}
	if address("one") != one || address("two") != former {
		t.Error("an Apply that failed changed the pods")
	}
	if status, _, err := ask(t.Context(), m, "one", "200"); status != 200 || err != nil {
		t.Errorf("after an Apply that failed: got %d, %v, want 200", status, err)
	}
	if err := m.Apply(t.Context(), objects(t, serviceOne+deployment1("one"))); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", former); err == nil {
		conn.Close()
		t.Error("a Deployment that is gone still listens")
	}
}

// TestCallerGoesAway ends a call from outside while its first try hangs: the app sees it at once, and no retry follows.
func TestCallerGoesAway(t *testing.T) {
	lines := make(chan AccessLogEntry, 1)
	m := applied(t, Options{AccessLog: func(e AccessLogEntry) { lines <- e }},
		serviceOne+virtualService("one", "retries: {attempts: 3, retryOn: 5xx}")+deployment1("one"))
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan error, 1)
	go func() { _, _, err := ask(ctx, m, "one", "hang"); asked <- err }()
	pod := m.pods[deploymentName{"default", "one"}].pods[0]
	for inFlight := int64(0); inFlight == 0; {
		var err error
		if _, inFlight, err = pod.readCounters(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-asked; err == nil {
		t.Error("the call that was given up got an answer")
	}
	if line := <-lines; line.Flags != "DC" || line.Attempts != 1 || line.Status != 0 {
		t.Errorf("got %+v, want flags DC after 1 attempt", line)
	}
	counters, err := m.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(counters) != 1 || counters[0].Status != target.StatusCut || counters[0].Count != 1 {
		t.Errorf("got counters %v, want one try that was cut", counters)
	}
}

// TestExternalHost sends to a host that no Service has, where no callee's sidecar stands in for a broken
// connection.
func TestExternalHost(t *testing.T) {
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(service.HeaderScript) == "close" {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "outside")
	}))
	defer outside.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, test := range []struct {
		name, script  string
		listener      net.Listener
		status        int
		body          string
		flags, policy string
	}{
		{"answers", "200", outside.Listener, 200, "outside", "-", ""},
		{"breaks the connection", "close", outside.Listener, 503, textReset + reasonTermination, "UC", ""},
		{"breaks the connection, retried", "close", outside.Listener, 503,
			"upstream connect error or disconnect/reset before headers. retried and the latest reset reason: " + reasonTermination,
			"URX,UC", virtualService("127.0.0.1", "retries: {attempts: 1, retryOn: reset}")},
		{"refuses", "200", closed, 503, "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: " + reasonConnect,
			"URX,UF", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var line AccessLogEntry
			port := test.listener.Addr().(*net.TCPAddr).Port
			m := applied(t, Options{AccessLog: func(e AccessLogEntry) { line = e }}, deployment1("one")+"---"+test.policy+`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside}
spec: {hosts: ["127.0.0.1"], ports: [{number: `+strconv.Itoa(port)+`, name: http, protocol: HTTP}], resolution: DNS}
`)
			status, body, err := ask(t.Context(), m, "127.0.0.1:"+strconv.Itoa(port), test.script)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Close(t.Context()); err != nil { // the line is written by now
				t.Fatal(err)
			}
			if status != test.status || body != test.body || line.Flags != test.flags {
				t.Errorf("got %d %q, flags %s; want %d %q, %s", status, body, line.Flags, test.status, test.body, test.flags)
			}
		})
	}
}
