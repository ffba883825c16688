//go:build integration

package traces

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openzipkin/zipkin-go/model"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/destination"
)

const fetch = "mvn dependency:get -Dartifact=io.zipkin:zipkin-server:3.5.1:jar:exec -Dtransitive=false"

// startZipkin starts a Zipkin server on a loopback port and ends it with the test.
func startZipkin(t *testing.T) string {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		t.Fatal("this test runs a Zipkin server, which needs Java 17: apt-get install openjdk-17-jre-headless maven")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	jar := filepath.Join(home, ".m2/repository/io/zipkin/zipkin-server/3.5.1/zipkin-server-3.5.1-exec.jar")
	if _, err := os.Stat(jar); err != nil {
		t.Fatalf("this test runs a Zipkin server: %s (%v)", fetch, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	listener.Close()
	var log bytes.Buffer
	server := exec.Command("nice", "-n", "19", java, "-Xmx256m", "-jar", jar)
	server.Env = append(os.Environ(), fmt.Sprint("QUERY_PORT=", address.Port), "ARMERIA_OPTS=", "STORAGE_TYPE=mem")
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait(); http.DefaultClient.CloseIdleConnections() })
	base := "http://" + address.String()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		response, err := http.Get(base + "/health")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return base
			}
		}
		if time.Now().After(deadline) {
			_ = server.Process.Kill()
			_ = server.Wait() // so that its log is whole
			t.Fatalf("Zipkin did not start: %v\n%s", err, log.String())
		}
	}
}

// ask gets JSON from Zipkin's API.
func ask(t *testing.T, address string, into any) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %s %v", address, response.Status, body, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("GET %s: %v in %s", address, err, body)
	}
}

func TestIntegrationZipkin(t *testing.T) {
	base := startZipkin(t)
	t.Run("four tries of one call", func(t *testing.T) { testFourTries(t, base) })
	t.Run("the mesh's own spans", func(t *testing.T) { testMeshSpans(t, base) })
	t.Run("the file", func(t *testing.T) { testUpload(t, base) })
	t.Run("a run", func(t *testing.T) { testRun(t, base) })
}

// testFourTries reads back what was sent: one trace, however often it was sent, with a call and its four tries as they were.
func testFourTries(t *testing.T, base string) {
	r := example()
	now := time.Now().Add(-time.Minute).Truncate(time.Microsecond)
	r.Phases[1].Started = now
	for range 2 {
		Send(t.Context(), r, destinations(t, "--zipkin-url", base))
	}
	if len(r.Remarks) > 0 || len(r.Links) != 2 {
		t.Fatalf("remarks %q, links %v, want none and 2", r.Remarks, r.Links)
	}
	var spans []model.SpanModel
	ask(t, base+"/api/v2/trace/"+carried, &spans)
	all, _ := Of(r)
	byID := make(map[string]model.SpanModel)
	for _, s := range spans {
		byID[s.ID.String()] = s
	}
	if len(spans) != len(all[0].Spans) || len(byID) != len(spans) {
		t.Fatalf("%d spans of %d ids, want %d", len(spans), len(byID), len(all[0].Spans))
	}
	for i, want := range zipkinSpans(all[:1]) {
		want.Name = strings.ToLower(want.Name)
		want.Timestamp = want.Timestamp.Local()
		if diff := cmp.Diff(want, byID[want.ID.String()]); diff != "" {
			t.Errorf("span %d, -want +got:\n%s", i, diff)
		}
	}
	call := byID[hex.EncodeToString(all[0].Spans[2].SpanId)]
	var tries []string
	for _, s := range spans {
		if s.Kind == model.Server && s.ParentID != nil && *s.ParentID == call.ID {
			tries = append(tries, fmt.Sprintf("%s %s %s%s at %s", s.LocalEndpoint.ServiceName, s.Name, s.Tags["http.response.status_code"], s.Tags["error"], s.Timestamp.Sub(now)))
		}
	}
	want := []string{"middleware get try 1 500500 at 1.503s", "middleware get try 2 499 at 1.52s", "middleware get try 3 the connection was broken at 1.56s", "middleware get try 4 200 at 1.65s"}
	if diff := cmp.Diff(want, tries); diff != "" {
		t.Errorf("tries of %s %s, -want +got:\n%s", call.Kind, call.Name, diff)
	}
	var found [][]model.SpanModel // by what a reader would search for
	query := url.Values{"serviceName": {"hellochaos"}, "annotationQuery": {"hellochaos.phase=retry and hellochaos.why=slowest, most tries"}, "lookback": {"3600000"}}
	ask(t, base+"/api/v2/traces?"+query.Encode(), &found)
	if len(found) != 1 || len(found[0]) != len(spans) {
		t.Errorf("the search finds %d traces, want this one", len(found))
	}
}

// testMeshSpans: on a cluster the proxies' spans come late and under the same id, and the link says that they are there.
func testMeshSpans(t *testing.T, base string) {
	const id = "463ac35c9f6413ad48485a3953bb6124"
	r := example()
	r.Target.Kind = "cluster"
	phase := &r.Phases[1]
	phase.Started = time.Now().Add(-time.Minute)
	phase.Samples = phase.Samples[:1]
	phase.Samples[0].Trace = id
	sent := make(chan error, 1)
	go func() {
		time.Sleep(time.Second)
		body := fmt.Sprintf(`[{"traceId":%q,"id":"463ac35c9f6413ad","kind":"SERVER","name":"frontend.default.svc.cluster.local:80/*","timestamp":%d,"duration":1000,
			"localEndpoint":{"serviceName":"frontend.default"},"tags":{"component":"proxy","response_flags":"-"}}]`, id, time.Now().UnixMicro())
		response, err := http.Post(base+"/api/v2/spans", "application/json", strings.NewReader(body))
		if err == nil {
			response.Body.Close()
		}
		sent <- err
	}()
	Send(t.Context(), r, destinations(t, "--zipkin-url", base))
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	want := []reports.Link{{Title: "Zipkin: the slowest request of retry, with the mesh's own spans", URL: base + "/zipkin/traces/" + id}}
	if diff := cmp.Diff(want, r.Links); diff != "" || len(r.Remarks) > 0 {
		t.Errorf("remarks %q, links -want +got:\n%s", r.Remarks, diff)
	}
	response, err := http.Get(r.Links[0].URL) // the page itself
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the link leads to %s, %s", response.Status, response.Header.Get("Content-Type"))
	}
}

// testUpload: the file that is saved is what the API takes.
func testUpload(t *testing.T, base string) {
	r := example()
	r.Started = r.Started.Add(time.Hour)
	r.Phases[1].Samples = r.Phases[1].Samples[1:2]
	folder := t.TempDir()
	if _, err := Save(folder, r); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(folder, ZipkinFileName))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	response, err := http.Post(base+"/api/v2/spans", "application/json", file)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	all, _ := Of(r)
	z := zipkin{base: &url.URL{Scheme: "http", Host: strings.TrimPrefix(base, "http://")}, client: destination.New(destination.Options{})}
	spans, err := z.get(context.Background(), all[0].ID)
	if err != nil || response.StatusCode != http.StatusAccepted || len(spans) != 1 || spans[0].Tags["error"] != "no whole answer" {
		t.Errorf("uploading: %s, then %d spans, %v", response.Status, len(spans), err)
	}
}

// testRun is a run on the embedded mesh as users make it: its request with most tries is linked to and has a call with four.
func testRun(t *testing.T, base string) {
	program := filepath.Join(t.TempDir(), "hellochaos")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/hellochaos").CombinedOutput(); err != nil {
		t.Fatalf("building hellochaos: %v\n%s", err, out)
	}
	out, err := exec.Command(program, "run", "retry", "--fail", "0.5", "--seed", "1", "--zipkin-url", base, "--format", "json").Output()
	r := new(reports.Report)
	if decoding := json.Unmarshal(out, r); decoding != nil {
		t.Fatalf("running hellochaos: %v, %v\n%s", err, decoding, out)
	}
	all, problems := Of(r)
	most := slices.IndexFunc(all, func(one Trace) bool { return one.Phase == "retry" && slices.Contains(one.Why, "most tries") })
	at := -1 // the request may be the slowest, too, and then its link says so
	if most >= 0 {
		at = slices.IndexFunc(r.Links, func(l reports.Link) bool { return strings.HasSuffix(l.URL, "/"+all[most].ID.String()) })
	}
	if at < 0 || len(problems) > 0 || len(r.Remarks) > 0 {
		t.Fatalf("links %v, want one to the request with most tries; problems %q, remarks %q", r.Links, problems, r.Remarks)
	}
	id := r.Links[at].URL[strings.LastIndex(r.Links[at].URL, "/")+1:]
	sent := all[slices.IndexFunc(all, func(one Trace) bool { return one.ID.String() == id })]
	var spans []model.SpanModel
	ask(t, base+"/api/v2/trace/"+id, &spans)
	if len(spans) != len(sent.Spans) {
		t.Errorf("%d spans, want %d", len(spans), len(sent.Spans))
	}
	tries := make(map[model.ID][]string) // of each call
	roots, longest := 0, 0
	for _, s := range spans {
		if s.ParentID == nil {
			roots++
		} else if s.Kind == model.Server {
			tries[*s.ParentID] = append(tries[*s.ParentID], s.Tags["hellochaos.attempt"])
			longest = max(longest, len(tries[*s.ParentID]))
		}
	}
	if roots != 1 || longest != 4 {
		t.Errorf("%d requests, and at most %d tries of a call, want 1 and 4: %v", roots, longest, tries)
	}
	for call, attempts := range tries {
		if len(attempts) == 4 && !slices.Equal(slices.Sorted(slices.Values(attempts)), []string{"1", "2", "3", "4"}) {
			t.Errorf("call %s has the tries %v", call, attempts)
		}
	}
}
