//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// A run of all stages on real Istio passes, and leaves nothing behind.
func TestE2EAllStages(t *testing.T) {
	b := newBed(t)
	report, got := b.run(t, "all", "--fail", "0.3")
	if got.code != 0 || len(report.Phases) != 6 || report.Verdict != reports.Pass {
		t.Errorf("exit %d, %s: %s\n%s", got.code, report.Verdict, report.Summary, words(report))
	}
	for i := range report.Phases {
		phase := &report.Phases[i]
		if phase.Way == "" || phase.Applied <= 0 || len(phase.Incidents) > 0 || len(phase.Mismatches) > 0 {
			t.Errorf("%s: way %q, applied in %v s, incidents %v, mismatches %+v", phase.Name, phase.Way, phase.Applied, phase.Incidents, phase.Mismatches)
		}
		if met, all := phase.Coverage(); met != all {
			t.Errorf("%s: %d of %d branches were met", phase.Name, met, all)
		}
		if len(phase.Samples) < 2 || len(phase.Edges) < 4 {
			t.Errorf("%s: %d samples and %d edges, want at least 2 and 4", phase.Name, len(phase.Samples), len(phase.Edges))
		}
		for _, sample := range phase.Samples {
			if sample.Missing != "" || len(sample.Spans) < 2 || len(sample.Trace) != 32 {
				t.Errorf("%s: sample %+v: want all of its tries, and the id of its trace", phase.Name, sample)
			}
		}
	}
	if report.Restoration == nil || !strings.Contains(report.Restoration.Detail, "every proxy obeys") {
		t.Errorf("the report does not say how the cluster was put back: %+v", report.Restoration)
	}
	t.Logf("%.0f s, put back in %.1f s", report.Elapsed, report.Restoration.Elapsed)
	sameAsMesh(t, report, "all", "--fail", "0.3")
	b.prometheusIsLinkedTo(t, report)
}

// prometheusIsLinkedTo checks that a report links to the cluster's Prometheus, if the cluster has the one of Istio's addons and
// its address can be reached from here.
func (b *bed) prometheusIsLinkedTo(t *testing.T, report *reports.Report) {
	t.Helper()
	service, err := b.core.CoreV1().Services("istio-system").Get(t.Context(), "prometheus", metav1.GetOptions{})
	if err != nil {
		t.Logf("the cluster has no Prometheus: %v", err)
		return
	}
	url := fmt.Sprintf("http://%s:%d", service.Spec.ClusterIP, service.Spec.Ports[0].Port)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	response, err := client.Get(url + "/-/ready")
	if err != nil {
		t.Logf("Prometheus does not answer here: %v", err)
		return
	}
	_ = response.Body.Close()
	if !slices.ContainsFunc(report.Links, func(l reports.Link) bool { return strings.HasPrefix(l.URL, url+"/graph?") }) {
		t.Errorf("links %v, want one to Prometheus at %s", report.Links, url)
	}
}

// sameAsMesh runs the same stages with the same seed on the embedded mesh, at a rate that it keeps beside a cluster on the same
// machine. What the draws decide is the same on both, request by request: each natural request has the same outcome, and each call of
// the report the same prediction, the same verdict and the same share of failures, but where versions are picked by load. It logs the
// values side by side, for docs/cluster.md.
func sameAsMesh(t *testing.T, onCluster *reports.Report, stages ...string) {
	t.Helper()
	args := append(append([]string{"run"}, stages...), "--rate", "600", "--seed", fmt.Sprint(onCluster.Settings.Seed), "--format", "json")
	onMesh := reported(t, execute(t, args...), args)
	table := new(strings.Builder)
	for i := range onCluster.Phases {
		here, there := &onCluster.Phases[i], phaseOf(t, onMesh, onCluster.Phases[i].Name)
		differ := 0
		for n := range min(len(here.Outcomes), len(there.Outcomes)) {
			// A time limit may have decided the outcomes whose six upper bits are 0.
			if a, b := here.Outcomes[n], there.Outcomes[n]; a>>2 != 0 && b>>2 != 0 && a != b {
				differ++
			}
		}
		if differ > 0 || len(here.Outcomes) < 300 || len(there.Outcomes) < 300 {
			t.Errorf("%s: %d of %d and %d natural requests have another outcome on the cluster than on the mesh", here.Name, differ, len(here.Outcomes), len(there.Outcomes))
		}
		for j := range here.Calls {
			c := &here.Calls[j]
			m := callTo(t, onMesh, here.Name, c.To)
			for k := range there.Calls {
				if other := &there.Calls[k]; other.To == c.To && slices.Equal(other.Cohorts, c.Cohorts) {
					m = other
				}
			}
			if c.Requests != m.Requests || math.Abs(c.Fails.Predicted-m.Fails.Predicted) > 1e-9 {
				t.Errorf("%s, calls to %s: %s and predicted %v on the cluster, %s and %v on the mesh", here.Name, here.Label(c), c.Requests, c.Fails.Predicted, m.Requests, m.Fails.Predicted)
			}
			fmt.Fprintf(table, "| %s | %s | %.4g | %d of %d | %d of %d |\n", here.Name, here.Label(c), c.Fails.Predicted, m.Fails.K, m.Fails.N, c.Fails.K, c.Fails.N)
		}
	}
	t.Logf("values side by side:\n%s", table)
}

// brief is a run of stage retry whose phases send for some seconds each.
var brief = []string{"retry", "--fail", "0.5", "--rate", "100"}

// A policy that someone weakens while the run measures it fails, and the report names the cause. The edit stays in the cluster.
func TestE2EEditedMeanwhile(t *testing.T) {
	b := newBed(t)
	services := b.objects.Resource(istioResource("virtualservices")).Namespace(b.namespace)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	edited := make(chan error, 1)
	go func() {
		edited <- func() error {
			watch, err := services.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=middleware"})
			if err != nil {
				return err
			}
			defer watch.Stop()
			for event := range watch.ResultChan() {
				o, ok := event.Object.(*unstructured.Unstructured)
				if text, _ := json.Marshal(o.Object["spec"]); !ok || !bytes.Contains(text, []byte(`"attempts":3`)) {
					continue
				}
				select { // some time into the phase, so that there are requests on both sides
				case <-time.After(4 * time.Second):
				case <-ctx.Done():
					return ctx.Err()
				}
				_, err := services.Patch(ctx, "middleware", types.JSONPatchType,
					[]byte(`[{"op":"replace","path":"/spec/http/0/retries/attempts","value":2}]`), metav1.PatchOptions{FieldManager: "kubectl-patch"})
				return err
			}
			return fmt.Errorf("the rule never came: %w", ctx.Err())
		}()
	}()
	report, got := b.run(t, brief...)
	if err := <-edited; err != nil {
		t.Fatal(err)
	}
	if got.code != reports.ExitNotRestored || report.Verdict != reports.Fail {
		t.Errorf("exit %d, %s, want 5 and a failure: %s", got.code, report.Verdict, report.Summary)
	}
	for _, want := range []string{"kubectl-patch", "retries.attempts", "3 as the run left it, and is 2 now"} {
		if !strings.Contains(words(report), want) || !strings.Contains(report.Restoration.Problem, want) {
			t.Errorf("the words or the restoration lack %q:\n%s\n%s", want, words(report), report.Restoration.Problem)
		}
	}
	rule, err := services.Get(t.Context(), "middleware", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := json.Marshal(rule.Object["spec"]); !bytes.Contains(text, []byte(`"attempts":2`)) {
		t.Errorf("the edit was overwritten: %s", text)
	}
	if got := b.execute(t, "status"); got.code != reports.ExitNotRestored || !strings.Contains(got.stdout, "edited by someone else since: VirtualService middleware") {
		t.Errorf("status: exit %d\n%s", got.code, got.stdout)
	}
	if got := b.execute(t, "restore", "--all"); got.code != reports.ExitNotRestored {
		t.Errorf("restore without a word about edits: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := b.execute(t, "restore", "--all", "--edited", "overwrite"); got.code != 0 {
		t.Errorf("restore --edited overwrite: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// A stage file without retryOn: the prediction says that today's Istio retries no 500, and Istio agrees.
func TestE2EWithoutRetryOn(t *testing.T) {
	b := newBed(t)
	text, err := scenarios.YAMLIn(scenarios.IstioAPI, "retry")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	without := regexp.MustCompile(`(?m)^ *retryOn:.*\n`).ReplaceAll(text, nil)
	if err := os.WriteFile(filepath.Join(folder, "retry.yaml"), without, 0o644); err != nil {
		t.Fatal(err)
	}
	report, got := b.run(t, "retry", "--fail", "0.5", "--manifests", folder)
	if got.code != 0 || !strings.Contains(report.Summary, "not what the scenario promises") {
		t.Errorf("exit %d: %s", got.code, report.Summary)
	}
	expectFails(t, report, "retry", "middleware", 0.5)
	t.Logf("%.0f s", report.Elapsed)
}
