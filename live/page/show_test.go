package page

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/live"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// The page of a run takes no changes, refuses other names, and ends when the run has: each open page is told what came of it before.
func TestShow(t *testing.T) {
	chosen, err := scenarios.Choose([]string{"egress"})
	if err != nil {
		t.Fatal(err)
	}
	phases, err := scenarios.Phases(chosen, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := run.Options{Cascade: "absorb", Exclude: 0.05, SplitLo: 0.7, SplitHi: 1.4, Seed: 7}
	o.Attack.Timeout = time.Second
	plan, err := run.Plan("egress", phases, o, run.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	following := live.Follow(plan, "hellochaos run egress")
	ended := make(chan error, 1)
	go func() { ended <- Show(context.WithoutCancel(t.Context()), listener, following) }()
	at := "http://" + listener.Addr().String()
	defer http.DefaultClient.CloseIdleConnections()
	stream, err := http.Get(at + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	for _, path := range []string{"/set", "/edit", "/send"} {
		response, err := http.Post(at+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s, want that nothing can be changed", path, response.Status)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another name: %s", response.Status)
	}
	following.Handle(run.Ended{Report: &reports.Report{Verdict: reports.Fail, Summary: "nothing was sent"}})
	following.End()
	all, err := io.ReadAll(stream.Body)
	if err != nil || !strings.Contains(string(all), `"readonly":true`) || !strings.Contains(string(all), `"result":{"verdict":"fail","text":"Nothing was sent."}`) {
		t.Errorf("%v, %s", err, all)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
