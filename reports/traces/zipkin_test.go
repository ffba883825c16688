package traces

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openzipkin/zipkin-go/model"

	"github.com/hellochaos/hellochaos/reports"
)

// The file is what Zipkin's API takes. Of the fields: docs/traces.md.
func TestZipkinFile(t *testing.T) {
	folder := t.TempDir()
	if _, err := Save(folder, example()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, "traces.zipkin.json"))
	if err != nil {
		t.Fatal(err)
	}
	var raw []map[string]any
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	if len(raw) != 10 {
		t.Fatalf("%d spans, want 10", len(raw))
	}
	want := map[string]any{
		"traceId": carried, "id": raw[5]["id"], "parentId": raw[2]["id"], "kind": "SERVER", "name": "get try 3",
		"timestamp": float64(began.Add(1560 * time.Millisecond).UnixMicro()), "duration": 500.0,
		"localEndpoint": map[string]any{"serviceName": "middleware"},
		"tags": map[string]any{"service.version": "prod", "http.request.method": "GET", "http.request.resend_count": "2", "error": "the connection was broken",
			"error.type": "connection_broken", "otel.status_code": "ERROR", "otel.scope.name": "github.com/hellochaos/hellochaos", "hellochaos.attempt": "3",
			"hellochaos.phase": "retry", "hellochaos.cohort": "developers", "hellochaos.request": "1/retry/17"},
	}
	if diff := cmp.Diff(want, raw[5]); diff != "" {
		t.Error("third try, -want +got:\n", diff)
	}
	if got, want := raw[2]["remoteEndpoint"], map[string]any{"serviceName": "middleware"}; raw[2]["kind"] != "CLIENT" || !cmp.Equal(got, any(want)) {
		t.Errorf("the call is %v to %v", raw[2]["kind"], got)
	}
	if tags := raw[8]["tags"].(map[string]any); tags["error"] != "503" {
		t.Errorf("the error of a 503 is %v, want its status", tags["error"])
	}
	if _, has := raw[0]["parentId"]; has || raw[0]["tags"].(map[string]any)["hellochaos.missing"] != missing {
		t.Errorf("the request is %v", raw[0])
	}
}

// store has the part of Zipkin's API that is used here. The real one is in zipkin_integration_test.go.
type store struct {
	sync.Mutex
	spans map[string]map[model.ID]model.SpanModel
	asked int
	// late comes to each trace that is asked for the second time.
	late *model.SpanModel
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	if r.Method == http.MethodPost && r.URL.Path == "/api/v2/spans" && r.Header.Get("Content-Type") == "application/json" {
		var spans []model.SpanModel
		if err := json.NewDecoder(r.Body).Decode(&spans); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, span := range spans {
			s.add(span)
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	id, found := strings.CutPrefix(r.URL.Path, "/api/v2/trace/")
	if r.Method != http.MethodGet || !found || len(s.spans[id]) == 0 {
		http.NotFound(w, r)
		return
	}
	if s.asked++; s.late != nil && s.asked == 2 && s.late.TraceID.String() == id {
		s.add(*s.late)
	}
	_ = json.NewEncoder(w).Encode(slices.Collect(maps.Values(s.spans[id])))
}

func (s *store) add(span model.SpanModel) {
	id := span.TraceID.String()
	if s.spans[id] == nil {
		s.spans[id] = make(map[model.ID]model.SpanModel)
	}
	s.spans[id][span.ID] = span
}

// Links lead to what Zipkin has, once however often a report is sent, and not to requests of a phase that others are compared with; the mesh's spans are waited for where there may be any.
func TestLinks(t *testing.T) {
	trace, err := model.TraceIDFromHex(carried)
	if err != nil {
		t.Fatal(err)
	}
	envoy := model.SpanModel{SpanContext: model.SpanContext{TraceID: trace, ID: 7}, Kind: model.Server, LocalEndpoint: &model.Endpoint{ServiceName: "frontend.default"}}
	for _, c := range []struct {
		name, target string
		late         *model.SpanModel
		want         string
	}{
		{"embedded", "mesh", nil, "Zipkin: the slowest request of retry"},
		{"traced by the mesh", "cluster", &envoy, "Zipkin: the slowest request of retry, with the mesh's own spans"},
		{"not traced by the mesh", "cluster", nil, "Zipkin: the slowest request of retry"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &store{spans: make(map[string]map[model.ID]model.SpanModel), late: c.late}
			server := httptest.NewServer(s)
			defer server.Close()
			r := example()
			r.Target.Kind = c.target
			r.Phases[0].Samples = []reports.Sample{{Why: "slowest", Name: "1/application/1", Latency: 1, Spans: []reports.Span{{Service: "edge", Parent: -1, Elapsed: 1}}}}
			to := destinations(t, "--zipkin-url", server.URL+"/zipkin")
			to.flush = time.Second
			for range 2 {
				Send(t.Context(), r, to)
			}
			all, _ := Of(r)
			want := []reports.Link{{Title: c.want, URL: server.URL + "/zipkin/traces/" + carried},
				{Title: "Zipkin: a failed request of retry", URL: server.URL + "/zipkin/traces/" + all[2].ID.String()}}
			if diff := cmp.Diff(want, r.Links); diff != "" || len(r.Remarks) > 0 {
				t.Errorf("remarks %q, links -want +got:\n%s", r.Remarks, diff)
			}
		})
	}
}

// Traces that were taken and are not shown are no links.
func TestNoLinks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	r := example()
	to := destinations(t, "--zipkin-url", server.URL)
	to.flush = time.Millisecond
	Send(t.Context(), r, to)
	want := []string{"traces: --zipkin-url " + server.URL + ": the server accepted the traces, but its API does not have any of them yet"}
	if len(r.Links) > 0 || !cmp.Equal(r.Remarks, want) {
		t.Errorf("links %v, remarks %q, want none and %q", r.Links, r.Remarks, want)
	}
}

// No connection stays open after all requests.
func TestConnectionsEnd(t *testing.T) {
	server := httptest.NewUnstartedServer(&store{spans: make(map[string]map[model.ID]model.SpanModel)})
	closed := make(chan struct{}, 8)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	Send(t.Context(), example(), destinations(t, "--zipkin-url", server.URL))
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Error("the connection to Zipkin is still open")
	}
}
