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

// followed is a run of a stage that has not begun, with what its page follows and its address; ended has what Show returned.
func followed(t *testing.T, stage string) (plan *run.Run, following *live.Following, at string, ended chan error) {
	t.Helper()
	chosen, err := scenarios.Choose([]string{stage})
	if err != nil {
		t.Fatal(err)
	}
	phases, err := scenarios.Phases(chosen, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := run.Options{Fail: 0.3, Cascade: "absorb", Exclude: 0.2, SplitLo: 0.7, SplitHi: 1.4, Seed: 7}
	o.Attack.Timeout = 10 * time.Second
	if plan, err = run.Plan(stage, phases, o, run.Pace{Capacity: mesh.Capacity, Timed: mesh.Timed}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	following = live.Follow(plan, "hellochaos run "+stage)
	plan.Subscribe(following.Handle)
	ended = make(chan error, 1)
	go func() { ended <- Show(context.WithoutCancel(t.Context()), listener, following) }()
	return plan, following, "http://" + listener.Addr().String(), ended
}

// The page of a run takes no changes, refuses other names, and ends when the run has: each open page is told what came of it before.
func TestShow(t *testing.T) {
	_, following, at, ended := followed(t, "egress")
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
