//go:build e2e

package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// long is a run of stage prod whose two phases send for some seconds each.
var long = []string{"prod", "--fail", "0", "--rate", "160"}

// trigger does something once, some time after the first request that meets a condition.
type trigger struct {
	once sync.Once
	done chan struct{}
}

// after starts do in a goroutine, some time after the first request that reads counters.
func (t *trigger) after(r *http.Request, delay time.Duration, do func()) {
	if measuring(r) {
		t.once.Do(func() {
			time.AfterFunc(delay, func() {
				do()
				close(t.done)
			})
		})
	}
}

func newTrigger() *trigger { return &trigger{done: make(chan struct{})} }

// fired checks that the trigger has done it.
func (t *trigger) fired(tb testing.TB) {
	tb.Helper()
	select {
	case <-t.done:
	case <-time.After(30 * time.Second):
		tb.Error("the trouble never came")
	}
}

// While the API server does not answer, the load goes on; the counters are read when it answers again.
func TestE2EAPIServerAway(t *testing.T) {
	b := newBed(t)
	var mutex sync.Mutex
	var from time.Time
	refused := 0
	away := newTrigger()
	_, kubeconfig := b.newFront(t, func(_ http.ResponseWriter, r *http.Request) bool {
		away.after(r, 2*time.Second, func() {
			mutex.Lock()
			defer mutex.Unlock()
			from = time.Now()
		})
		mutex.Lock()
		gone := !from.IsZero() && time.Since(from) < 20*time.Second
		if gone {
			refused++
		}
		mutex.Unlock()
		if gone {
			panic(http.ErrAbortHandler) // the connection breaks
		}
		return false
	})
	report, got := b.run(t, append(slices.Clip(long), "--kubeconfig", kubeconfig)...)
	away.fired(t)
	if got.code != 0 || report.Verdict != reports.Pass || refused == 0 {
		t.Errorf("exit %d, %s: %s; %d requests were refused\n%s", got.code, report.Verdict, report.Summary, refused, got.stderr)
	}
	t.Logf("%d requests were refused; %s", refused, report.Summary)
}

// A pod that is deleted in the middle of a phase loses calls and counts: the report names the pod and is inconclusive.
func TestE2EPodDeleted(t *testing.T) {
	b := newBed(t)
	deleted := newTrigger()
	name := ""
	_, kubeconfig := b.newFront(t, func(_ http.ResponseWriter, r *http.Request) bool {
		deleted.after(r, 2*time.Second, func() {
			pods, err := b.core.CoreV1().Pods(b.namespace).List(context.Background(), metav1.ListOptions{LabelSelector: "app=backend"})
			if err != nil || len(pods.Items) == 0 {
				t.Errorf("pods of the backend: %v, %v", pods, err)
				return
			}
			name = pods.Items[0].Name
			if err := b.core.CoreV1().Pods(b.namespace).Delete(context.Background(), name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
				t.Error(err)
			}
		})
		return false
	})
	report, got := b.run(t, append(slices.Clip(long), "--kubeconfig", kubeconfig)...)
	deleted.fired(t)
	if got.code != reports.ExitInconclusive || !strings.Contains(report.Summary, "pods were replaced") {
		t.Errorf("exit %d: %s\n%s", got.code, report.Summary, got.stderr)
	}
	if text := words(report); !strings.Contains(text, "pod "+name+" went away") {
		t.Errorf("the words do not name pod %s:\n%s", name, text)
	}
}

// When a token is no longer accepted, the run ends with the command to type; that command puts everything back with another token.
func TestE2ETokenExpired(t *testing.T) {
	b := newBed(t)
	expired := newTrigger()
	var mutex sync.Mutex
	over := false
	_, kubeconfig := b.newFront(t, func(_ http.ResponseWriter, r *http.Request) bool {
		expired.after(r, time.Second, func() {
			mutex.Lock()
			defer mutex.Unlock()
			over = true
		})
		mutex.Lock()
		defer mutex.Unlock()
		if over { // from now on the API server gets an invalid token, and refuses it
			r.Header.Set("Authorization", "Bearer expired")
		}
		return false
	})
	report, got := b.run(t, append(slices.Clip(long), "--kubeconfig", kubeconfig)...)
	expired.fired(t)
	command := "hellochaos restore "
	if got.code != reports.ExitNotRestored || report.Restoration == nil || !strings.Contains(report.Restoration.Problem, command) {
		t.Fatalf("exit %d, want 5 and what to type: %+v\n%s", got.code, report.Restoration, got.stderr)
	}
	if !strings.Contains(report.Error+report.Restoration.Problem, "does not accept the credentials, or they have expired") {
		t.Errorf("the report does not say why: %s\n%s", report.Error, report.Restoration.Problem)
	}
	// This restore waits until the lease has expired, because the run could not give it back.
	if got := b.execute(t, "restore", "--all"); got.code != 0 || !strings.Contains(got.stdout, "has not given back its lease") {
		t.Errorf("restore with a good token: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// Of two runs in one namespace, the second is refused and changes nothing.
func TestE2ETwoRuns(t *testing.T) {
	b := newBed(t)
	under := newTrigger()
	var second ended
	_, kubeconfig := b.newFront(t, func(_ http.ResponseWriter, r *http.Request) bool {
		under.after(r, 0, func() { second = b.execute(t, "run", "prod", "--target", "cluster") })
		return false
	})
	report, got := b.run(t, append(slices.Clip(long), "--kubeconfig", kubeconfig)...)
	under.fired(t)
	if got.code != 0 {
		t.Errorf("the first run: exit %d: %s\n%s", got.code, report.Summary, got.stderr)
	}
	if second.code != reports.ExitInfrastructure || !strings.Contains(second.stderr, "is at work in namespace "+b.namespace) {
		t.Errorf("the second run: exit %d\n%s%s", second.code, second.stdout, second.stderr)
	}
}

// fewerRetries is an EnvoyFilter that lowers the retries of the calls to the backend, which no VirtualService shows.
const fewerRetries = `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: fewer-retries}
spec:
  configPatches:
  - applyTo: HTTP_ROUTE
    match: {context: SIDECAR_OUTBOUND, routeConfiguration: {vhost: {name: "backend.NAMESPACE.svc.cluster.local:80"}}}
    patch: {operation: MERGE, value: {route: {retry_policy: {num_retries: 1}}}}
`

// Retries that are lowered by another object than the VirtualService fail the ledger, and the report names who made the object.
func TestE2EEnvoyFilter(t *testing.T) {
	b := newBed(t)
	filters := b.objects.Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1alpha3", Resource: "envoyfilters"}).Namespace(b.namespace)
	var filter unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(strings.Replace(fewerRetries, "NAMESPACE", b.namespace, 1)), &filter.Object); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := present(filters.Delete(context.Background(), filter.GetName(), metav1.DeleteOptions{})); err != nil {
			t.Error(err)
		}
	})
	lowered := newTrigger()
	var mutex sync.Mutex
	written := false // the stage's rules
	_, kubeconfig := b.newFront(t, func(_ http.ResponseWriter, r *http.Request) bool {
		mutex.Lock()
		defer mutex.Unlock()
		written = written || r.Method == http.MethodPatch && r.URL.Query().Get("dryRun") == "" && strings.HasSuffix(r.URL.Path, "/destinationrules/backend") ||
			r.Method == http.MethodPatch && r.URL.Query().Get("dryRun") == "" && strings.HasSuffix(r.URL.Path, "/virtualservices/backend")
		if written {
			lowered.after(r, time.Second, func() {
				if _, err := filters.Create(context.Background(), &filter, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
					t.Error(err)
				}
			})
		}
		return false
	})
	report, got := b.run(t, append(slices.Clip(brief), "--kubeconfig", kubeconfig)...)
	lowered.fired(t)
	if got.code != reports.ExitFail {
		t.Errorf("exit %d, want 1: %s\n%+v", got.code, report.Summary, report.Restoration)
	}
	backend := callTo(t, report, "retry", "backend")
	if backend.Requests != reports.Fail || backend.Ledger == nil || backend.Ledger.Verdict != reports.Fail {
		t.Errorf("the backend's calls or its ledger did not fail: %+v\n%s", backend, words(report))
	}
	if text := words(report); !strings.Contains(text, "EnvoyFilter fewer-retries in namespace "+b.namespace+" was made by kubectl-create") {
		t.Errorf("the words do not name who lowered the retries:\n%s", text)
	}
}

// A Gateway that selects no pods is refused before the first change.
func TestE2ENoGateway(t *testing.T) {
	b := newBed(t)
	text, err := scenarios.YAMLIn(scenarios.IstioAPI, "ingress")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	elsewhere := strings.Replace(string(text), "istio: ingressgateway", "istio: ingress", 1) // the label that Istio's Helm chart gives to the pods
	if err := os.WriteFile(filepath.Join(folder, "ingress.yaml"), []byte(elsewhere), 0o644); err != nil {
		t.Fatal(err)
	}
	got := b.execute(t, "run", "ingress", "--target", "cluster", "--manifests", folder)
	if got.code != reports.ExitInfrastructure || !strings.Contains(got.stderr, "nothing was changed") || !strings.Contains(got.stderr, "istio=ingress") {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// Before the first change the program names a webhook that refuses the objects of the stages.
func TestE2EWebhookRefuses(t *testing.T) {
	b := newBed(t)
	hooks := b.core.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	fail, none, timeout := admissionv1.Fail, admissionv1.SideEffectClassNone, int32(1)
	hook := &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: b.namespace}, Webhooks: []admissionv1.ValidatingWebhook{{
		Name: "refuses.hellochaos.test", AdmissionReviewVersions: []string{"v1"}, SideEffects: &none, FailurePolicy: &fail, TimeoutSeconds: &timeout,
		ClientConfig:      admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: b.namespace, Name: "away"}},
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": b.namespace}},
		Rules: []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
			Rule: admissionv1.Rule{APIGroups: []string{"networking.istio.io"}, APIVersions: []string{"*"}, Resources: []string{"virtualservices"}}}},
	}}}
	if _, err := hooks.Create(t.Context(), hook, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hooks.Delete(context.Background(), hook.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	var got ended
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
		// The API server learns of the webhook some time later, by a watch.
		if got = b.execute(t, "run", "prod", "--target", "cluster", "--fail", "0", "--max-requests", "20"); got.code == reports.ExitInfrastructure {
			break
		}
	}
	for _, want := range []string{"refuses.hellochaos.test", "nothing was changed", "kubectl get validatingwebhookconfigurations"} {
		if got.code != reports.ExitInfrastructure || !strings.Contains(got.stderr, want) {
			t.Errorf("exit %d, lacks %q\n%s%s", got.code, want, got.stdout, got.stderr)
		}
	}
}
