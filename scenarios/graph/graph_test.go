package graph

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// workloadWith are the rules of a Deployment whose container has these variables.
func workloadWith(env map[string]string) *manifests.Rules {
	return &manifests.Rules{Workloads: []manifests.Workload{{Name: "reviews-v1", Namespace: "shop", Env: env, Replicas: 1}}}
}

func TestReadsCalls(t *testing.T) {
	g, err := Read(workloadWith(map[string]string{
		"SERVICE_NAME":    "reviews-v1",
		"CALLS":           `[[{"url":"http://ratings/stars?of=1"},{"url":"http://details:8080/","method":"POST"}],[{"url":"http://audit/","external":true}]]`,
		"FORWARD_HEADERS": "end-user", "FAIL_PROBABILITY": "0.25", "HANG_DURATION": "4s", "WORK_DURATION": "5ms",
	}))
	if err != nil {
		t.Fatal(err)
	}
	w := g.Of(&manifests.Workload{Name: "reviews-v1", Namespace: "shop"})
	if w == nil || w.Service != "reviews" || w.Version != "v1" || !w.Ours || *w.Fail != 0.25 || w.Hang != nil || w.HangTime != 4*time.Second || w.Work != 5*time.Millisecond {
		t.Fatalf("workload %+v", w)
	}
	if len(w.Forward) != 1 || w.Forward[0] != "End-User" {
		t.Errorf("it forwards %v, want End-User", w.Forward)
	}
	want := [][]Call{
		{{Number: 0, URL: "http://ratings/stars?of=1", Host: "ratings", Path: "/stars?of=1", Method: http.MethodGet},
			{Number: 1, URL: "http://details:8080/", Host: "details:8080", Path: "/", Method: http.MethodPost}},
		{{Number: 2, URL: "http://audit/", Host: "audit", Path: "/", Method: http.MethodGet, External: true}},
	}
	for i := range want {
		for j := range want[i] {
			if w.Steps[i][j] != want[i][j] {
				t.Errorf("call [%d][%d] is %+v, want %+v", i, j, w.Steps[i][j], want[i][j])
			}
		}
	}
	if g.Of(&manifests.Workload{Name: "reviews-v1", Namespace: "other"}) != nil {
		t.Error("a workload of another namespace was found")
	}
}

func TestTheClockIsNotOurs(t *testing.T) {
	g, err := Read(workloadWith(map[string]string{"ROLE": "clock"}))
	if err != nil || g.Workloads[0].Ours || len(g.Workloads[0].Steps) != 0 {
		t.Errorf("%+v, %v, want a workload that is not ours and calls nobody", g.Workloads, err)
	}
}

func TestReadNamesTheDeployment(t *testing.T) {
	_, err := Read(workloadWith(map[string]string{"SERVICE_NAME": "reviews-v1", "CALLS": "[[]]"}))
	if err == nil || !strings.Contains(err.Error(), "Deployment reviews-v1 in namespace shop") || !strings.Contains(err.Error(), "CALLS") {
		t.Errorf("%v, want an error that names the Deployment and CALLS", err)
	}
}
