package cluster

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
)

// recordingPods is an API server with a chain's pods, each a real service behind its pod proxy; one has an older image.
type recordingPods struct {
	services map[string]*service.Service
	old      string // a pod that knows no spans
	asked    []string
}

func (p *recordingPods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/")
	name, proxied, _ := strings.Cut(strings.TrimPrefix(path, "shop/pods/http:"), ":3000/proxy")
	switch app := p.services[name]; {
	case path == "shop/pods":
		selector, _ := labels.Parse(r.FormValue("labelSelector"))
		list := corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
		for name := range p.services {
			app, version, _ := strings.Cut(name, "-")
			if selector.Matches(labels.Set{"app": app, "version": version}) {
				list.Items = append(list.Items, *pod("shop", name, "", map[string]string{"app": app, "version": version}))
			}
		}
		answer(w, http.StatusOK, list)
	case app == nil:
		answer(w, http.StatusNotFound, failure(http.StatusNotFound, metav1.StatusReasonNotFound, r.URL.Path+" not found"))
	case name == p.old:
		_, _ = w.Write([]byte("frontend-prod - 0.001secs\n"))
	default:
		p.asked = append(p.asked, name)
		r.URL.Path = proxied
		app.ServeHTTP(w, r)
	}
}

// recordingRun is a run on these pods, with rules that have a relay and a clock beside the chain.
func recordingRun(t *testing.T, pods *recordingPods) *Run {
	t.Helper()
	pods.services = map[string]*service.Service{}
	for _, name := range []string{"frontend-prod", "middleware-prod", "middleware-canary", "backend-prod"} {
		of, version, _ := strings.Cut(name, "-")
		app, err := service.New(service.Config{Service: of, Version: version, Upstream: "http://next/"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(app.Close)
		pods.services[name] = app
	}
	cluster := clusterOf(t, pods)
	objects, err := scenarios.Through("canary", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{cluster: cluster}
	if r.rules, err = manifests.Read(objects); err != nil {
		t.Fatal(err)
	}
	return r
}

// clusterOf is a Cluster, in namespace shop, of an API server that is a handler.
func clusterOf(t *testing.T, handler http.Handler) *Cluster {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	cluster := &Cluster{namespace: "shop", istioVersion: "v1", config: &rest.Config{Host: server.URL, QPS: -1}, options: Options{Wait: 2 * time.Second}}
	if err := cluster.clients(); err != nil {
		t.Fatal(err)
	}
	return cluster
}

// try makes a pod record a failing try of a request.
func (p *recordingPods) try(pod, request string) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set(trail.HeaderRequest, request)
	r.Header.Set(trail.HeaderFail, "1")
	p.services[pod].ServeHTTP(httptest.NewRecorder(), r)
}

func TestSpansOfEveryPod(t *testing.T) {
	pods := &recordingPods{}
	r := recordingRun(t, pods)
	for _, request := range []string{"1/canary-after/2", "1/canary-after/30", "1/canary-after/4"} {
		pods.try("frontend-prod", request)
		pods.try("middleware-canary", request)
	}
	all, err := r.Spans(t.Context(), []string{"1/canary-after/2", "1/canary-after/30"})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, recording := range all {
		line := recording.Service + "-" + recording.Version
		for _, span := range recording.Spans {
			line += " " + span.Request
		}
		told = append(told, line)
	}
	slices.Sort(told)
	want := []string{"backend-prod", "frontend-prod 1/canary-after/2 1/canary-after/30", "middleware-canary 1/canary-after/2 1/canary-after/30", "middleware-prod"}
	if !slices.Equal(told, want) || len(pods.asked) != len(want) {
		t.Errorf("%q of %q, want %q", told, pods.asked, want)
	}
}

// What one pod cannot tell takes nothing away from the others.
func TestSpansOfAnOldPod(t *testing.T) {
	pods := &recordingPods{old: "backend-prod"}
	r := recordingRun(t, pods)
	all, err := r.Spans(t.Context(), nil)
	if len(all) != 3 {
		t.Errorf("%d recordings, want 3", len(all))
	}
	expectError(t, err, "pod backend-prod", "is the pod's image of this version of hello-service?")
}

func TestVersionsOf(t *testing.T) {
	if got := versionsOf("1.33.2", "of an unknown release"); len(got) != 1 || got["kubernetes"] != "1.33.2" {
		t.Errorf("%v", got)
	}
	if got := versionsOf("1.33.2", "1.31.0"); len(got) != 2 || got["istio"] != "1.31.0" {
		t.Errorf("%v", got)
	}
}
