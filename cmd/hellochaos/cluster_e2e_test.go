//go:build e2e

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
)

// bed is a namespace with the chain in it, on the cluster that KUBECONFIG names.
type bed struct {
	namespace string
	config    *rest.Config
	objects   dynamic.Interface
}

// chainKinds are the kinds that a run may change.
var chainKinds = []schema.GroupVersionResource{
	{Version: "v1", Resource: "services"}, {Version: "v1", Resource: "configmaps"},
	{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"},
	istio("virtualservices"), istio("destinationrules"), istio("gateways"), istio("serviceentries"), istio("sidecars"),
}

func istio(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: resource}
}

// byHand is a rule that somebody has applied before any run.
const byHand = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: middleware, labels: {team: theirs}, annotations: {note: by hand}}
spec:
  hosts: [middleware]
  http: [{name: theirs, timeout: 7s, route: [{destination: {host: middleware}}]}]
`

func newBed(t *testing.T) *bed {
	t.Helper()
	file := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
	if file == "" {
		t.Fatal("this test needs a cluster: set KUBECONFIG")
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	b := &bed{namespace: "e2e-" + strings.ToLower(rand.Text()[:8])}
	var err error
	if b.config, err = clientcmd.BuildConfigFromFlags("", file); err != nil {
		t.Fatal(err)
	}
	if b.objects, err = dynamic.NewForConfig(b.config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now. What others have put there keeps a namespace from being undeployed.
		err := b.objects.Resource(istio("virtualservices")).Namespace(b.namespace).Delete(context.Background(), "middleware", metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
		if out, err := exec.Command(program, "undeploy", "-n", b.namespace).CombinedOutput(); err != nil {
			t.Errorf("undeploy: %v\n%s", err, out)
		}
	})
	if got := execute(t, "deploy", "-n", b.namespace, "--wait", "2m"); got.code != 0 {
		t.Fatalf("deploy: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	var theirs unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(byHand), &theirs.Object); err != nil {
		t.Fatal(err)
	}
	if _, err := b.objects.Resource(istio("virtualservices")).Namespace(b.namespace).Create(t.Context(), &theirs, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs stages on the bed.
func (b *bed) run(t *testing.T, args ...string) (*reports.Report, ended) {
	t.Helper()
	got := execute(t, append(args, "--target", "cluster", "-n", b.namespace, "--format", "json")...)
	report := new(reports.Report)
	if err := json.Unmarshal([]byte(got.stdout), report); err != nil {
		t.Fatalf("hellochaos %v: exit %d, %v\n%s%s", args, got.code, err, got.stdout, got.stderr)
	}
	return report, got
}

// state is the spec, labels and annotations of everything that a run may change, and who owns which fields.
func (b *bed) state(t *testing.T) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, resource := range chainKinds {
		list, err := b.objects.Resource(resource).Namespace(b.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			owners := map[string]string{}
			for _, entry := range o.GetManagedFields() {
				owners[entry.Manager+" "+string(entry.Operation)+" "+entry.Subresource] = string(entry.FieldsV1.GetRawBytes())
			}
			all[resource.Resource+" "+o.GetName()] = map[string]any{
				"spec": o.Object["spec"], "labels": o.GetLabels(), "annotations": o.GetAnnotations(), "owners": owners}
		}
	}
	return all
}

// unchanged asserts that everything is as it was.
func (b *bed) unchanged(t *testing.T, before map[string]any) {
	t.Helper()
	if diff := cmp.Diff(before, b.state(t)); diff != "" {
		t.Errorf("the namespace is not as it was before (-before +after):\n%s", diff)
	}
}

// The tour on real Istio passes, and leaves nothing behind.
func TestE2EAllStages(t *testing.T) {
	b := newBed(t)
	before := b.state(t)
	report, got := b.run(t, "run", "all", "--fail", "0.3")
	if got.code != 0 || len(report.Stages) != 5 || report.Verdict != reports.Pass {
		t.Errorf("exit %d, %s: %s\n%s", got.code, report.Verdict, report.Summary, words(report))
	}
	for _, stage := range report.Stages {
		for _, phase := range stage.Phases {
			if phase.Way == "" || phase.Applied <= 0 || len(phase.Incidents) > 0 {
				t.Errorf("%s %s: way %q, applied in %v s, incidents %v", stage.Name, phase.Name, phase.Way, phase.Applied, phase.Incidents)
			}
		}
	}
	if report.Restoration == nil || !strings.Contains(report.Restoration.Detail, "every proxy obeys") {
		t.Errorf("the report does not say how the cluster was put back: %+v", report.Restoration)
	}
	t.Logf("%.0f s, put back in %.1f s", report.Elapsed, report.Restoration.Elapsed)
	b.unchanged(t, before)
}

// A policy that is weakened while it is measured fails with the cause named; the edit is reported and stays.
func TestE2EEditedMeanwhile(t *testing.T) {
	b := newBed(t)
	services := b.objects.Resource(istio("virtualservices")).Namespace(b.namespace)
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
				case <-time.After(8 * time.Second):
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
	report, got := b.run(t, "run", "retry", "--fail", "0.5")
	if err := <-edited; err != nil {
		t.Fatal(err)
	}
	if got.code != reports.ExitNotRestored || report.Verdict != reports.Fail {
		t.Errorf("exit %d, %s, want 5 and a failure: %s", got.code, report.Verdict, report.Summary)
	}
	for _, want := range []string{"kubectl-patch", "retries.attempts", "3 by the run, now 2"} {
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
	if got := execute(t, "status", "-n", b.namespace); got.code != reports.ExitNotRestored || !strings.Contains(got.stdout, "edited by another since: VirtualService middleware") {
		t.Errorf("status: exit %d\n%s", got.code, got.stdout)
	}
	if got := execute(t, "restore", "--all", "-n", b.namespace); got.code != reports.ExitNotRestored {
		t.Errorf("restore without a word about edits: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := execute(t, "restore", "--all", "--edited", "overwrite", "-n", b.namespace); got.code != 0 {
		t.Errorf("restore --edited overwrite: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// A stage file without retryOn: the prediction says that today's Istio retries no 500, and Istio agrees.
func TestE2EWithoutRetryOn(t *testing.T) {
	b := newBed(t)
	text, err := manifests.StageYAML("retry")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	without := regexp.MustCompile(`(?m)^ *retryOn:.*\n`).ReplaceAll(text, nil)
	if err := os.WriteFile(filepath.Join(folder, "retry.yaml"), without, 0o644); err != nil {
		t.Fatal(err)
	}
	report, got := b.run(t, "run", "retry", "--fail", "0.5", "--manifests", folder)
	if got.code != 0 || !strings.Contains(report.Summary, "not what the tutorial promises") {
		t.Errorf("exit %d: %s", got.code, report.Summary)
	}
	expect(t, report, "retry", "middleware call fails", 0.5, 0.5)
	t.Logf("%.0f s", report.Elapsed)
}

// killer is an API server's front that kills a process after its n-th write was done, before it can know.
type killer struct {
	proxy  *httputil.ReverseProxy
	mutex  sync.Mutex
	left   int
	victim *os.Process
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	write := r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "" &&
		!strings.Contains(r.URL.Path, "/leases") && !strings.Contains(r.URL.Path, "accessreviews")
	if !write {
		k.proxy.ServeHTTP(w, r)
		return
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.left--; k.left != 0 {
		k.proxy.ServeHTTP(w, r)
		return
	}
	k.proxy.ServeHTTP(httptest.NewRecorder(), r)
	_ = k.victim.Kill()
	panic(http.ErrAbortHandler)
}

// Wherever a run is killed, restore puts everything back from the journal in the cluster alone.
func TestE2EKilledAtEveryWrite(t *testing.T) {
	b := newBed(t)
	before := b.state(t)
	transport, err := rest.TransportFor(b.config)
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(b.config.Host)
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{proxy: httputil.NewSingleHostReverseProxy(server)}
	k.proxy.Transport = transport
	front := httptest.NewServer(k)
	defer front.Close()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: %q}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\ncurrent-context: c\n", front.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		cmd := exec.CommandContext(t.Context(), program, "run", "prod", "--fail", "0", "--rate", "200", "--max-requests", "20",
			"--target", "cluster", "--kubeconfig", kubeconfig, "-n", b.namespace)
		cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir()) // on "another machine" than the restore
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		k.mutex.Lock()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		k.left, k.victim = n, cmd.Process
		k.mutex.Unlock()
		_ = cmd.Wait()
		if cmd.ProcessState.Exited() {
			if n < 20 {
				t.Errorf("the run ended by itself with its write %d, want at least 20 writes\n%s", n, out.String())
			}
			t.Logf("killed after each of %d writes", n-1)
			b.unchanged(t, before)
			return
		}
		if got := execute(t, "restore", "--all", "-n", b.namespace); got.code != 0 {
			t.Fatalf("killed after write %d, restore: exit %d\n%s%s", n, got.code, got.stdout, got.stderr)
		}
		if diff := cmp.Diff(before, b.state(t)); diff != "" {
			t.Fatalf("killed after write %d and restored, the namespace is not as it was (-before +after):\n%s", n, diff)
		}
	}
}
