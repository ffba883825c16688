package live

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/target/mesh"
)

// A request without a name is told with all that it leads to, directly and through the gateway.
func TestLogOfAMesh(t *testing.T) {
	for _, stage := range []string{"prod", "ingress"} {
		var out strings.Builder
		s, err := New(t.Context(), Options{Controls: Controls{Stage: stage}, Log: &out})
		if err != nil {
			t.Fatal(err)
		}
		at, err := s.Address(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{}}
		response, err := client.Get(at.URL)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		client.CloseIdleConnections()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if line := regexp.MustCompile(`^200 +[0-9.]+(µs|ms|s)  frontend-prod, middleware-prod, backend-prod\n$`); !line.MatchString(out.String()) {
			t.Errorf("stage %s: %q", stage, out.String())
		}
	}
}

// A line has the status, the time, and the tries of each service in the order in which they began, whatever others do at the same time.
func TestRequestLog(t *testing.T) {
	var out strings.Builder
	l := newRequestLog(&out)
	began := time.Unix(1000, 0)
	tell := func(request, caller, service, version string, status int, cut bool) {
		of := mesh.Try{Request: request, Caller: caller, Service: service, Version: version, Host: service + ":80", Path: "0", Began: began, Status: status, Cut: cut}
		begun := of
		begun.Status, begun.Version, begun.Cut = 0, "", false
		l.try(&begun)
		of.Ended = began.Add(1500 * time.Microsecond)
		l.try(&of)
	}
	tell("a", gateway, "frontend", "prod", 500, false)
	tell("b", gateway, "frontend", "prod", 200, false)
	tell("a", gateway, "frontend", "prod", 200, false)
	tell("a", "frontend", "middleware", "canary", 0, true)
	tell("a", "frontend", "middleware", "canary", 0, true)
	tell("a", "middleware", "backend", "prod", 0, false)
	l.answered(mesh.AccessLogEntry{Request: "a", Caller: "frontend", Status: 504}) // a call within the mesh
	l.answered(mesh.AccessLogEntry{Request: "a", Caller: gateway, Status: 200, Flags: "-", Duration: 42123456 * time.Nanosecond})
	l.answered(mesh.AccessLogEntry{Request: "c", Caller: gateway, Status: 404, Flags: "NR", Duration: time.Millisecond})
	l.answered(mesh.AccessLogEntry{Request: "b", Caller: gateway, Status: 200, Flags: "-", Duration: 2 * time.Millisecond})
	tell("d", "", "frontend", "prod", 500, false)
	called := mesh.Try{Request: "e", Service: "backend", Path: "0.0", Began: began, Ended: began, Status: 200} // by a pod without a sidecar
	l.try(&called)
	want := `200    42.12ms  frontend-prod (2 tries), middleware-canary (2 tries, the last timed out), backend-prod (without an answer)
404        1ms  NR
200        2ms  frontend-prod
500      1.5ms  frontend-prod (500)
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	for i := range 3 * mostOpen {
		tell(fmt.Sprint(i), "frontend", "middleware", "prod", 200, false)
	}
	if len(l.open) > mostOpen || len(l.old) > mostOpen {
		t.Errorf("%d requests without an answer are remembered", len(l.open))
	}
}
