//go:build e2e

package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// The stages in the form of Gateway API pass on real Istio as on the mesh, and leave nothing behind, also when a run is killed.
func TestE2EGatewayAPI(t *testing.T) {
	b := newBed(t)
	remove, err := cluster.InstallGatewayAPI(t.Context(), b.config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := remove(ctx); err != nil {
			t.Error(err)
		}
	}()
	before := b.state(t)
	if got := b.execute(t, "doctor", "--api", "gateway"); !strings.Contains(got.stdout, "HTTPRoute v1 of the experimental channel") {
		t.Errorf("doctor: exit %d\n%s", got.code, got.stdout)
	}
	b.killedAtRoute(t)
	if diff := cmp.Diff(before, b.state(t)); diff != "" {
		t.Fatalf("killed after it wrote an HTTPRoute, and restored, the namespace is not as it was (-before +after):\n%s", diff)
	}
	if got := b.execute(t, "run", "retry", "--api", "gateway", "--target", "cluster"); got.code != reports.ExitInfrastructure || !strings.Contains(got.stderr, "VirtualService middleware in namespace "+b.namespace) {
		t.Errorf("beside a VirtualService of others: exit %d, want %d and its name\n%s", got.code, reports.ExitInfrastructure, got.stderr)
	}

	report, got := b.run(t, "all", "--api", "gateway", "--fail", "0.3", "--take-over")
	if got.code != 0 || len(report.Phases) != 6 || report.Verdict != reports.Pass {
		t.Errorf("exit %d, %s: %s\n%s", got.code, report.Verdict, report.Summary, words(report))
	}
	for i := range report.Phases {
		phase := &report.Phases[i]
		if phase.Way == "" || len(phase.Incidents) > 0 || len(phase.Mismatches) > 0 {
			t.Errorf("%s: way %q, incidents %v, mismatches %+v", phase.Name, phase.Way, phase.Incidents, phase.Mismatches)
		}
		if met, all := phase.Coverage(); met != all {
			t.Errorf("%s: %d of %d branches were met", phase.Name, met, all)
		}
	}
	t.Logf("%.0f s, put back in %.1f s", report.Elapsed, report.Restoration.Elapsed)
	sameAsMesh(t, report, "all", "--api", "gateway", "--fail", "0.3")
	b.withoutRoutes(t)
}

// killedAtRoute kills a run when it has written its first HTTPRoute, and restores what it changed.
func (b *bed) killedAtRoute(t *testing.T) {
	t.Helper()
	victim := exec.CommandContext(t.Context(), program)
	var f *front
	f, kubeconfig := b.newFront(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet || r.URL.Query().Get("dryRun") != "" || !strings.HasSuffix(r.URL.Path, "/httproutes/middleware") {
			return false
		}
		f.proxy.ServeHTTP(httptest.NewRecorder(), r)
		_ = victim.Process.Kill()
		panic(http.ErrAbortHandler)
	})
	victim.Args = append(victim.Args, "run", "prod", "--api", "gateway", "--take-over", "--fail", "0", "--rate", "200", "--max-requests", "20",
		"--target", "cluster", "--kubeconfig", kubeconfig, "-n", b.namespace)
	victim.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir()) // on "another machine" than the restore
	var out bytes.Buffer
	victim.Stdout, victim.Stderr = &out, &out
	_ = victim.Run()
	if victim.ProcessState.Exited() {
		t.Fatalf("the run wrote no HTTPRoute:\n%s", out.String())
	}
	if got := b.execute(t, "restore", "--all", "--now"); got.code != 0 {
		t.Fatalf("restore: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	b.withoutRoutes(t)
}

// withoutRoutes checks that no object of Gateway API is left, and waits until nothing is left of what Istio made for a Gateway.
func (b *bed) withoutRoutes(t *testing.T) {
	t.Helper()
	for _, resource := range []string{"httproutes", "gateways"} {
		list, err := b.objects.Resource(schema.GroupVersionResource{Group: manifests.GatewayAPI, Version: "v1", Resource: resource}).Namespace(b.namespace).
			List(t.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) > 0 {
			t.Errorf("%d %s are left: %v", len(list.Items), resource, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		list, err := b.core.CoreV1().Pods(b.namespace).List(ctx, metav1.ListOptions{LabelSelector: manifests.GatewayAPI + "/gateway-name"})
		if err != nil {
			t.Fatal(err)
		}
		services, err := b.core.CoreV1().Services(b.namespace).List(ctx, metav1.ListOptions{LabelSelector: manifests.GatewayAPI + "/gateway-name"})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items)+len(services.Items) == 0 {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}
