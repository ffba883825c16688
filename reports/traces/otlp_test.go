package traces

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/hellochaos/hellochaos/reports"
)

// destinations are what these arguments of a command choose.
func destinations(t *testing.T, arguments ...string) Destinations {
	t.Helper()
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	flags := AddFlags(set)
	if err := set.Parse(arguments); err != nil {
		t.Fatal(err)
	}
	to, err := flags.Destinations()
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// receiver is an OTLP/HTTP receiver that accepts what the protocol allows and nothing else.
func receiver(t *testing.T, received chan<- *collector.ExportTraceServiceRequest) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unpacked
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		request := new(collector.ExportTraceServiceRequest)
		if err := proto.Unmarshal(data, request); err != nil || len(request.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("not an ExportTraceServiceRequest: %v, unknown %x", err, request.ProtoReflect().GetUnknown())
		}
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s of %s, want POST of application/x-protobuf", r.Method, r.Header.Get("Content-Type"))
		}
		if got := r.URL.Path + " " + r.Header.Get("Authorization"); got != "/otel/v1/traces Bearer to,ken" {
			t.Errorf("path and authorization %q", got)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		answer, _ := proto.Marshal(new(collector.ExportTraceServiceResponse))
		_, _ = w.Write(answer)
		received <- request
	}
}

func TestOTLP(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20to%2Cken,x-a=b")
	received := make(chan *collector.ExportTraceServiceRequest, 2)
	server := httptest.NewServer(receiver(t, received))
	defer server.Close()
	for _, path := range []string{"/otel", "/otel/v1/traces"} {
		for _, compression := range []string{"none", "gzip"} {
			t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
			r := example()
			Send(t.Context(), r, destinations(t, "--otlp-endpoint", server.URL+path))
			if len(r.Remarks) > 0 || len(r.Links) > 0 {
				t.Fatalf("remarks %q, links %v", r.Remarks, r.Links)
			}
			all, _ := Of(example())
			if diff := cmp.Diff(allInWords(all), spansOf((<-received).ResourceSpans)); diff != "" {
				t.Error("-want +got:\n", diff)
			}
		}
	}
}

// allInWords returns the spans of traces in words, by id.
func allInWords(all []Trace) map[string]string {
	words := make(map[string]string)
	for _, trace := range all {
		for _, s := range trace.Spans {
			words[hex.EncodeToString(s.TraceId)+hex.EncodeToString(s.SpanId)] = inWords(s.Span, s.Service, s.Version)
		}
	}
	return words
}

func inWords(s *otlp.Span, service, version string) string {
	attributes := make(map[string]string)
	for _, a := range s.Attributes {
		attributes[a.Key] = valueOf(a)
	}
	return fmt.Sprintln(service, version, hex.EncodeToString(s.ParentSpanId), s.Name, s.Kind, s.StartTimeUnixNano, s.EndTimeUnixNano,
		s.Status.GetCode(), s.Status.GetMessage(), attributes)
}

func valueOf(a *common.KeyValue) string {
	if number, ok := a.Value.Value.(*common.AnyValue_IntValue); ok {
		return fmt.Sprint(number.IntValue)
	}
	return a.Value.GetStringValue()
}

func spansOf(recorders []*otlp.ResourceSpans) map[string]string {
	words := make(map[string]string)
	for _, recorder := range recorders {
		who := map[string]string{}
		for _, a := range recorder.Resource.Attributes {
			who[a.Key] = valueOf(a)
		}
		for _, scope := range recorder.ScopeSpans {
			for _, s := range scope.Spans {
				words[hex.EncodeToString(s.TraceId)+hex.EncodeToString(s.SpanId)] = inWords(s, who["service.name"], who["service.version"])
			}
		}
	}
	return words
}

// hexID finds the ids of OTLP's JSON, which are hexadecimal where the JSON of protocol buffers has base64.
var hexID = regexp.MustCompile(`"(traceId|spanId|parentSpanId)":"([0-9a-f]*)"`)

// The file has a line a trace, each a TracesData with the same spans as are sent.
func TestOTLPFile(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip") // must not matter
	folder := t.TempDir()
	if _, err := Save(folder, example()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, "traces.otlp.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(data, []byte("\n")) != 2 || !bytes.HasSuffix(data, []byte("}\n")) || !bytes.Contains(data, []byte(`"traceId":"`+carried+`"`)) {
		t.Fatalf("not two lines with ids in hexadecimal digits:\n%s", data)
	}
	got := make(map[string]string)
	for line := range bytes.Lines(data) {
		line = hexID.ReplaceAllFunc(line, func(match []byte) []byte {
			parts := hexID.FindSubmatch(match)
			id, err := hex.DecodeString(string(parts[2]))
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Appendf(nil, `"%s":"%s"`, parts[1], base64.StdEncoding.EncodeToString(id))
		})
		traces := new(otlp.TracesData)
		if err := protojson.Unmarshal(line, traces); err != nil { // which refuses fields that it does not know
			t.Fatalf("%v in %s", err, line)
		}
		for id, words := range spansOf(traces.ResourceSpans) {
			got[id] = words
		}
	}
	all, _ := Of(example())
	if diff := cmp.Diff(allInWords(all), got); diff != "" {
		t.Error("-want +got:\n", diff)
	}
}

// A run folder that has traces of an earlier run has none of them afterwards.
func TestSaveNothing(t *testing.T) {
	folder := t.TempDir()
	if _, err := Save(folder, example()); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 2 {
		t.Errorf("%v, want two files", entries)
	}
	if _, err := Save(folder, new(reports.Report)); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("%v, want none", entries)
	}
	if _, err := Save(filepath.Join(folder, "none"), example()); err == nil || strings.Count(err.Error(), "saving traces into") != 2 {
		t.Errorf("into a folder that is not there: %v, want an error for each file", err)
	}
}

// Whatever a receiver does, the run has one remark, in time, on one line, without what authorizes it.
func TestRemarks(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20secret-token,x-key=secret-token-too")
	var asked atomic.Int32
	hold := make(chan struct{})
	defer close(hold)
	mux := http.NewServeMux()
	mux.HandleFunc("/refuses/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, fmt.Sprintf("no\nentry for %s or %s%s", r.Header.Get("Authorization"), r.Header.Get("x-key"), strings.Repeat("!", 999)), http.StatusUnauthorized)
	})
	mux.HandleFunc("/busy/", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(w, "later", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/slow/", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	down := httptest.NewServer(mux)
	down.Close()
	for _, c := range []struct{ flag, url, want string }{
		{"--otlp-endpoint", server.URL + "/refuses", "traces: --otlp-endpoint " + server.URL + "/refuses/v1/traces: 401 Unauthorized: no entry for … or …!+…$"},
		{"--otlp-endpoint", server.URL + "/slow", "no answer within 500ms"},
		{"--otlp-endpoint", down.URL, "traces: --otlp-endpoint .*/v1/traces: dial tcp .*: connection refused$"},
		{"--otlp-endpoint", server.URL + "/busy", ""},
		{"--zipkin-url", server.URL + "/refuses", "traces: --zipkin-url .*/refuses: the server did not accept the traces: 401 Unauthorized: no entry for or !+…$"},
		{"--zipkin-url", server.URL + "/slow", "no answer within 500ms"},
		{"--zipkin-url", down.URL, "traces: --zipkin-url .*: the server did not accept the traces: dial tcp .*: connection refused$"},
	} {
		t.Run(c.flag+strings.TrimPrefix(c.url, server.URL), func(t *testing.T) {
			r := example()
			to := destinations(t, c.flag, c.url)
			if strings.HasSuffix(c.url, "/slow") {
				to.patience = 500 * time.Millisecond
			}
			Send(t.Context(), r, to)
			if c.want == "" {
				if len(r.Remarks) > 0 {
					t.Errorf("remarks %q, want none", r.Remarks)
				}
				return
			}
			if len(r.Remarks) != 1 || !regexp.MustCompile(c.want).MatchString(r.Remarks[0]) || strings.Contains(r.Remarks[0], "\n") || strings.Contains(r.Remarks[0], "secret") || len([]rune(r.Remarks[0])) > 300 {
				t.Errorf("remarks %q, want one: %s", r.Remarks, c.want)
			}
		})
	}
}

// What authorizes us goes to the receiver that the user named and to no other host, and a redirect is never a success: of a POST that
// is redirected by 302, Go makes a GET without the spans.
func TestRedirects(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret-key,Authorization=Bearer%20secret-token")
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s reached another host with %v", r.Method, r.URL, r.Header)
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		named := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if otlp := r.URL.Path == "/v1/traces"; (r.Header.Get("api-key") == "secret-key") != otlp {
				t.Errorf("%s got the headers %v", r.URL, r.Header)
			}
			http.Redirect(w, r, elsewhere.URL+"/secret-key", status)
		}))
		for flag, want := range map[string]string{
			"--otlp-endpoint": fmt.Sprintf("traces: --otlp-endpoint %s/v1/traces: %d %s: a redirect to %s, which hellochaos did not follow", named.URL, status, http.StatusText(status), elsewhere.URL),
			"--zipkin-url":    fmt.Sprintf("traces: --zipkin-url %s: the server did not accept the traces: %d %s: a redirect to %s, which hellochaos did not follow", named.URL, status, http.StatusText(status), elsewhere.URL),
		} {
			r := example()
			Send(t.Context(), r, destinations(t, flag, named.URL))
			if len(r.Links) > 0 || len(r.Remarks) != 1 || !strings.HasPrefix(r.Remarks[0], want) || strings.Contains(r.Remarks[0], "secret") {
				t.Errorf("links %v, remarks %q, want %q", r.Links, r.Remarks, want)
			}
		}
		named.Close()
	}
}

// Spans that a receiver did not accept are reported, although its answer is 200.
func TestPartialSuccess(t *testing.T) {
	for _, c := range []struct {
		success *collector.ExportTracePartialSuccess
		want    string
	}{
		{nil, ""},
		{&collector.ExportTracePartialSuccess{}, ""},
		{&collector.ExportTracePartialSuccess{RejectedSpans: 300, ErrorMessage: "too\nold"}, ": the receiver did not accept 300 spans: too old"},
		{&collector.ExportTracePartialSuccess{ErrorMessage: "slow down"}, ": the receiver accepted the spans with a warning: slow down"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answer, _ := proto.Marshal(&collector.ExportTraceServiceResponse{PartialSuccess: c.success})
			_, _ = w.Write(answer)
		}))
		r := example()
		Send(t.Context(), r, destinations(t, "--otlp-endpoint", server.URL))
		server.Close()
		if remarks := strings.Join(r.Remarks, "\n"); c.want == "" && remarks != "" || !strings.HasSuffix(remarks, c.want) {
			t.Errorf("%v: remarks %q, want %q", c.success, r.Remarks, c.want)
		}
	}
	for _, answer := range []string{"", "{}", "<html>", "\x0a\xff", "\x0a\x02\x08", "\x00"} { // none of them is such a message
		if err := partial([]byte(answer)); err != nil {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

// Certificates come from files that the environment names.
func TestCertificates(t *testing.T) {
	received := make(chan *collector.ExportTraceServiceRequest, 1)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20to%2Cken")
	server := httptest.NewUnstartedServer(receiver(t, received))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	authority := filepath.Join(t.TempDir(), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := example()
	Send(t.Context(), r, destinations(t, "--otlp-endpoint", server.URL+"/otel"))
	if len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0], "certificate signed by unknown authority") {
		t.Errorf("without the certificate: remarks %q", r.Remarks)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", authority)
	r = example()
	Send(t.Context(), r, destinations(t, "--otlp-endpoint", server.URL+"/otel"))
	if len(r.Remarks) != 0 || len((<-received).ResourceSpans) == 0 {
		t.Errorf("with the certificate: remarks %q", r.Remarks)
	}
}

func TestNothingToSend(t *testing.T) {
	r := new(reports.Report)
	Send(t.Context(), r, Destinations{})
	if len(r.Remarks) != 0 {
		t.Errorf("remarks %q without any destination", r.Remarks)
	}
	Send(t.Context(), r, destinations(t, "--zipkin-url", "http://127.0.0.1:1"))
	if want := []string{"traces: no request was sampled, so no trace was sent"}; !cmp.Equal(r.Remarks, want) {
		t.Errorf("remarks %q, want %q", r.Remarks, want)
	}
}
