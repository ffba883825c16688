package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/target"
)

const serviceOne = `
apiVersion: v1
kind: Service
metadata: {name: one}
spec:
  selector: {app: one}
  ports: [{name: http, port: 80, targetPort: 3000}]
---
`

// virtualService is a VirtualService for host with one http entry: rest follows its destination.
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

// ask sends a request through the sidecar of app one.
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
	sidecar, pod := m.sidecars[sidecarName{"default", "one", ""}], m.pods[deploymentName{"default", "one"}].pods[0]
	for range 2 {
		if _, err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !ended(t, sidecar.server) || !ended(t, pod.server) {
		t.Error("a server still listens")
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
	check := func(entry manifests.Entry, want string) {
		t.Helper()
		if _, err := m.Address(t.Context(), entry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("entry %v: got error %v, want one with %q", entry, err, want)
		}
	}
	check(manifests.Entry{Service: "frontend"}, "no objects are applied yet")
	if err := m.Apply(t.Context(), objects(t, deployment1("one"))); err != nil {
		t.Fatal(err)
	}
	check(manifests.Entry{Gateway: "default/door"}, "no Gateway default/door in the objects")
	check(manifests.Entry{Service: "frontend"}, "no Service frontend in the objects")
	check(manifests.Entry{Caller: "default/two"}, "no Deployment of namespace default has pods with the label app: two")
	if err := m.Apply(t.Context(), objects(t, strings.ReplaceAll(serviceOne, "one", "frontend")+deployment1("one"))); err != nil {
		t.Fatal(err)
	}
	check(manifests.Entry{Service: "frontend"}, "no Deployment is applied that Service frontend selects")
	if _, err := m.Sidecar("two"); err == nil || !strings.Contains(err.Error(), "the apps that have one are one") {
		t.Errorf("sidecar: got error %v, want one that lists one", err)
	}
}

// TestApplyKeepsWhatDidNotChange compares the addresses of the pods of two Deployments before and after Apply.
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
	former := m.pods[deploymentName{"default", "two"}].pods[0].server
	wrong := objects(t, strings.Replace(both, "two-v1", "two-v2", 1)+"---"+deployment1("three"))
	for i := range wrong {
		if k, ok := wrong[i].Kubernetes.(*appsv1.Deployment); ok && k.Name != "one" { // Parse would have refused this
			k.Spec.Template.Spec.Containers[0].Env[0].Value = "bogus"
		}
	}
	if err := m.Apply(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "Deployment two") {
		t.Errorf("got error %v, want one that names Deployment two", err)
	}
	if _, err := m.Sidecar("three"); err == nil {
		t.Error("an Apply that failed left a sidecar")
	}
	if address("one") != one || address("two") != former.address {
		t.Error("an Apply that failed changed the pods")
	}
	if status, _, err := ask(t.Context(), m, "one", "200"); status != 200 || err != nil {
		t.Errorf("after an Apply that failed: got %d, %v, want 200", status, err)
	}
	if err := m.Apply(t.Context(), objects(t, serviceOne+deployment1("one"))); err != nil {
		t.Fatal(err)
	}
	if !ended(t, former) {
		t.Error("a Deployment that is gone still listens")
	}
}

// TestCallerGoesAway cancels a call while its first try hangs. The app must see that at once, and no retry may follow.
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

// TestExternalHost sends calls to a host that no Service has. There is no sidecar on its side that would answer 503 for a broken
// connection.
func TestExternalHost(t *testing.T) {
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(service.HeaderScript) == "close" {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "outside")
	}))
	defer outside.Close()
	closed := refusing(t)
	for _, test := range []struct {
		name, script  string
		address       string
		status        int
		body          string
		flags, policy string
	}{
		{"answers", "200", outside.Listener.Addr().String(), 200, "outside", "-", ""},
		{"breaks the connection", "close", outside.Listener.Addr().String(), 503, textReset + reasonTermination, "UC", ""},
		{"breaks the connection, retried", "close", outside.Listener.Addr().String(), 503,
			"upstream connect error or disconnect/reset before headers. retried and the latest reset reason: " + reasonTermination,
			"URX,UC", virtualService(loopback, "retries: {attempts: 1, retryOn: reset}")},
		{"refuses", "200", closed, 503, "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: " + reasonConnect,
			"URX,UF", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var line AccessLogEntry
			_, port, err := net.SplitHostPort(test.address)
			if err != nil {
				t.Fatal(err)
			}
			m := applied(t, Options{AccessLog: func(e AccessLogEntry) { line = e }}, deployment1("one")+"---"+test.policy+entryOutside(port))
			status, body, err := ask(t.Context(), m, test.address, test.script)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Close(t.Context()); err != nil { // the line is written by now
				t.Fatal(err)
			}
			if status != test.status || body != test.body || line.Flags != test.flags {
				t.Errorf("got %d %q, flags %s; want %d %q, %s", status, body, line.Flags, test.status, test.body, test.flags)
			}
		})
	}
}

// TestRateLimited calls an upstream that answers the first try with x-envoy-ratelimited. The call must be sent again only where
// retryOn has envoy-ratelimited.
func TestRateLimited(t *testing.T) {
	for on, want := range map[string]int{"5xx": 503, "5xx,envoy-ratelimited": 200, "envoy-ratelimited": 200} {
		var tries atomic.Int64
		outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tries.Add(1) == 1 {
				w.Header().Set("x-envoy-ratelimited", "true")
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		address := outside.Listener.Addr().String()
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		m := applied(t, Options{}, deployment1("one")+"---"+virtualService(loopback, "retries: {attempts: 3, retryOn: '"+on+"'}")+entryOutside(port))
		got, _, err := ask(t.Context(), m, address, "200")
		if err != nil || got != want {
			t.Errorf("retryOn %s: got %d after %d tries, %v; want %d", on, got, tries.Load(), err, want)
		}
		if _, err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		outside.Close()
	}
}

// entryOutside is a ServiceEntry for the loopback interface.
func entryOutside(port string) string {
	return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside}
spec: {hosts: [` + loopback + `], ports: [{number: ` + port + `, name: http, protocol: HTTP}], resolution: DNS}
`
}

const gatewayAll = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
`

// TestGatewayIsTaken applies objects without the Gateway that was applied before. The gateway must then answer 404.
func TestGatewayIsTaken(t *testing.T) {
	lines := make(chan AccessLogEntry, 1)
	m := applied(t, Options{AccessLog: func(e AccessLogEntry) { lines <- e }}, gatewayAll+serviceOne+deployment1("one"))
	address, err := m.Address(t.Context(), manifests.Entry{Gateway: "default/door"})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(t.Context(), objects(t, serviceOne+deployment1("one"))); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(address.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if line := <-lines; response.StatusCode != http.StatusNotFound || line.Flags != "NR" {
		t.Errorf("got %d, flags %s; want 404, NR", response.StatusCode, line.Flags)
	}
}

// TestPanicsAreSeen makes a handler panic. The panic must be logged.
func TestPanicsAreSeen(t *testing.T) {
	s, err := serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("seen by nobody") }), podLimits, nil)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	former := log.Writer()
	log.SetOutput(&text)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if response, err := client.Get("http://" + s.address); err == nil {
		response.Body.Close()
		t.Errorf("got %s, want a broken connection", response.Status)
	}
	s.close()
	log.SetOutput(former)
	if !strings.Contains(text.String(), "seen by nobody") {
		t.Errorf("got log %q, want the panic", text.String())
	}
}

// TestSidecarsOfNamespaces moves an app to another namespace, in which another Sidecar is in force, and back.
func TestSidecarsOfNamespaces(t *testing.T) {
	const closed = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: other}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
---
`
	here := serviceOne + deployment1("one")
	there := strings.ReplaceAll(here, "{name: one}", "{name: one, namespace: other}")
	m := applied(t, Options{}, closed+here)
	first := m.sidecars[sidecarName{"default", "one", ""}]
	if err := m.Apply(t.Context(), objects(t, closed+there)); err != nil {
		t.Fatal(err)
	}
	if !ended(t, first.server) {
		t.Error("the sidecar of the namespace before has not ended")
	}
	if _, err := m.Sidecar("one"); err == nil || !strings.Contains(err.Error(), "the apps that have one are one.other") {
		t.Errorf("got error %v, want one that lists one.other", err)
	}
	if err := m.Apply(t.Context(), objects(t, closed+here+"---"+there)); err != nil {
		t.Fatal(err)
	}
	if len(m.sidecars) != 2 {
		t.Errorf("got %d sidecars, want one for each namespace", len(m.sidecars))
	}
	address, err := m.Sidecar("one.other")
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "nowhere.example"
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d, want 502 by the Sidecar of the other namespace", response.StatusCode)
	}
}

// TestPodsAreInOrder checks that the pods of a Service always have the same order.
func TestPodsAreInOrder(t *testing.T) {
	yaml := serviceOne
	for _, name := range []string{"d", "b", "e", "a", "c"} {
		yaml += "---" + strings.Replace(deployment1("one"), "metadata: {name: one}", "metadata: {name: "+name+"}", 1)
	}
	m := applied(t, Options{}, yaml)
	var got, want []string
	for _, pod := range m.pods.replicasOf(m.rules.Selected(m.rules.Service("one"))) {
		got = append(got, pod.server.address)
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		want = append(want, m.pods[deploymentName{"default", name}].pods[0].server.address)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got pods %v, want %v", got, want)
	}
}

// hanging makes a mesh and a call that hangs at its only pod. The channel receives the call's outcome.
func hanging(t *testing.T) (*Mesh, chan error) {
	t.Helper()
	m := applied(t, Options{}, serviceOne+strings.Replace(deployment1("one"), "env: [", "env: [{name: HANG_DURATION, value: 1m}, ", 1))
	asked := make(chan error, 1)
	ctx := t.Context()
	go func() {
		status, _, err := ask(ctx, m, "one", "hang")
		if err == nil {
			err = fmt.Errorf("answered %d", status)
		}
		asked <- err
	}()
	pod := m.pods[deploymentName{"default", "one"}].pods[0]
	for inFlight := int64(0); inFlight == 0; {
		var err error
		if _, inFlight, err = pod.readCounters(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return m, asked
}

// TestApplyCutsCalls removes a pod while a call hangs there. Apply must cut the call, and the caller's proxy must answer 503.
func TestApplyCutsCalls(t *testing.T) {
	m, asked := hanging(t)
	caller := strings.Replace(deployment1("one"), "spec:\n", "spec:\n  replicas: 0\n", 1)
	if err := m.Apply(t.Context(), objects(t, serviceOne+caller)); err != nil {
		t.Fatal(err)
	}
	if err := <-asked; err == nil || err.Error() != "answered 503" {
		t.Errorf("the call that was cut: got %v, want answered 503", err)
	}
	if status, body, err := ask(t.Context(), m, "one", "200"); status != 503 || body != textNoHealthy || err != nil {
		t.Errorf("after it: got %d %q, %v; want 503 %q", status, body, err, textNoHealthy)
	}
}

// TestCountersWait checks that Counters waits for calls that are under way until its context ends.
func TestCountersWait(t *testing.T) {
	m, asked := hanging(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	counters, err := m.Counters(ctx)
	if counters != nil || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 tries in flight and 1 calls open") {
		t.Errorf("got %v, %v; want no counters, and an error that says what is under way", counters, err)
	}
	if _, err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-asked
}

// TestCountersWaitForProxies checks that Counters waits while a proxy has a call open, even when no pod has a try of it.
func TestCountersWaitForProxies(t *testing.T) {
	m := applied(t, Options{}, serviceOne+deployment1("one"))
	m.sidecars[sidecarName{"default", "one", ""}].open.Add(1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := m.Counters(ctx); err == nil || !strings.Contains(err.Error(), "0 tries in flight and 1 calls open") {
		t.Errorf("got error %v, want one that says that a call is open", err)
	}
}
