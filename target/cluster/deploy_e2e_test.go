//go:build e2e

package cluster

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

// deployCluster connects to the cluster of $KUBECONFIG and a namespace of the test's own, which is gone at its end.
func deployCluster(t *testing.T) (c *Cluster, said func() []string) {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" {
		t.Fatal("KUBECONFIG is not set: this test needs a cluster with Istio")
	}
	var mutex sync.Mutex
	var lines []string
	c, err := Connect(t.Context(), Options{Namespace: fmt.Sprintf("deploy-e2e-%06x", rand.N(1<<24)), Wait: 2 * time.Minute, Say: func(format string, args ...any) {
		mutex.Lock()
		defer mutex.Unlock()
		lines = append(lines, fmt.Sprintf(format, args...))
		t.Logf(format, args...)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.core.CoreV1().Namespaces().Delete(ctx, c.namespace, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	return c, func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		told := lines
		lines = nil
		return told
	}
}

// scripted is a Deployment of the demo service by which its state can be chosen: more environment, another request of CPU.
func scripted(t *testing.T, image, port, cpu string) []manifests.Object {
	t.Helper()
	objects, err := manifests.Parse("one.yaml", fmt.Appendf(nil, `apiVersion: v1
kind: Service
metadata: {name: one}
spec: {selector: {app: one}, ports: [{name: http, port: 80, targetPort: 3000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: one-v1}
spec:
  selector: {matchLabels: {app: one, version: v1}}
  template:
    metadata: {labels: {app: one, version: v1}}
    spec:
      containers:
        - name: hello-service
          image: %s
          imagePullPolicy: IfNotPresent
          env: [{name: ROLE, value: script}, {name: SERVICE_NAME, value: one-v1}, {name: PORT, value: "3000"}]
          ports: [{containerPort: 3000}]
          readinessProbe: {httpGet: {path: /readyz, port: 3000}, periodSeconds: 1}
          resources: {requests: {cpu: %q}}
`, image, cpu))
	if err != nil {
		t.Fatal(err)
	}
	if port == "3000" {
		return objects
	}
	// Parse refuses such an environment, the API server does not: a Deployment that was deployed by other means.
	for i := range objects {
		if d, ok := objects[i].Kubernetes.(*appsv1.Deployment); ok {
			d.Spec.Template.Spec.Containers[0].Env[2].Value = port
		}
	}
	return objects
}

func TestE2EDeployTwiceAndUndeploy(t *testing.T) {
	t.Parallel()
	c, said := deployCluster(t)
	begin := time.Now()
	if err := c.Deploy(t.Context(), manifests.Application(), Choices{}); err != nil {
		t.Fatal(err)
	}
	first := time.Since(begin)
	lines := said()
	for _, want := range []string{"Namespace " + c.namespace + " created", "Deployment frontend-prod created", "Sidecar default created"} {
		if !slices.Contains(lines, want) {
			t.Errorf("first deploy said %q, want %q among it", lines, want)
		}
	}
	rules, err := manifests.Read(manifests.Application())
	if err != nil {
		t.Fatal(err)
	}
	for i := range rules.Workloads {
		w := &rules.Workloads[i]
		pods, err := c.podsOf(t.Context(), w)
		if err != nil || len(pods) != 1 || !ready(&pods[0]) || hasSidecar(&pods[0]) != c.ours(w) {
			t.Errorf("pods of %s: %d, %v, want one that is ready, with a sidecar only in the chain", w.Name, len(pods), err)
		}
	}
	begin = time.Now()
	if err := c.Deploy(t.Context(), manifests.Application(), Choices{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("first deploy %v, second %v", first, time.Since(begin))
	for _, line := range said() {
		if !strings.HasSuffix(line, " unchanged") {
			t.Errorf("second deploy said %q, want only that things are unchanged", line)
		}
	}
	begin = time.Now()
	for range 2 {
		if err := c.Undeploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if live, err := c.namespaceNow(t.Context(), c.namespace); err != nil || live != nil {
			t.Errorf("namespace after undeploy: %v, %v, want none", live, err)
		}
		if left, err := c.supports(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("namespaces that stand for this one after undeploy: %v, %v, want none", left, err)
		}
	}
	t.Logf("undeploy %v", time.Since(begin))
}

func TestE2EDeployTellsTrouble(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		image, port, cpu string
		within           time.Duration
		want             []string
	}{
		{"image", "registry.invalid/hello-service:none", "3000", "10m", 30 * time.Second,
			[]string{"Pod one-v1-", "image registry.invalid/hello-service:none", "newest event, ", "make push"}},
		{"crash", "hello-service", "nonsense", "10m", time.Minute,
			[]string{"Pod one-v1-", "CrashLoopBackOff: container hello-service was started", "exit code", `PORT is "nonsense"`, "--previous"}},
		{"unschedulable", "hello-service", "3000", "1000", 45 * time.Second,
			[]string{"Pod one-v1-", "Unschedulable: 0/", "Insufficient cpu", "request less"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := deployCluster(t)
			begin := time.Now()
			err := c.Deploy(t.Context(), scripted(t, test.image, test.port, test.cpu), Choices{})
			took := time.Since(begin)
			t.Logf("after %v: %v", took, err)
			expectError(t, err, test.want...)
			if took > test.within {
				t.Errorf("it was told after %v, want within %v", took, test.within)
			}
		})
	}
}

func TestE2EDeployTellsQuota(t *testing.T) {
	t.Parallel()
	c, _ := deployCluster(t)
	makeNamespace(t, c, map[string]string{injectionLabel: "enabled"})
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}}}
	if _, err := whole(t, c).CoreV1().ResourceQuotas(c.namespace).Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	err := c.Deploy(t.Context(), scripted(t, "hello-service", "3000", "10m"), Choices{})
	t.Log(err)
	expectError(t, err, "ReplicaSet one-v1-", "FailedCreate", "exceeded quota: none", "raise the namespace's quota")
}

// A webhook that cannot be reached refuses every pod of the namespace.
func TestE2EDeployTellsTheWebhook(t *testing.T) {
	t.Parallel()
	c, _ := deployCluster(t)
	webhooks := whole(t, c).AdmissionregistrationV1().MutatingWebhookConfigurations()
	hook := &admissionv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}, Webhooks: []admissionv1.MutatingWebhook{{
		Name: "refuses.hellochaos.test", AdmissionReviewVersions: []string{"v1"}, SideEffects: ptr.To(admissionv1.SideEffectClassNone),
		FailurePolicy: ptr.To(admissionv1.Fail), TimeoutSeconds: ptr.To[int32](1),
		ClientConfig:      admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: c.namespace, Name: "away"}},
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": c.namespace}},
		Rules: []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{admissionv1.Create},
			Rule: admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}}},
	}}}
	if _, err := webhooks.Create(t.Context(), hook, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := webhooks.Delete(context.Background(), c.namespace, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	err := c.Deploy(t.Context(), scripted(t, "hello-service", "3000", "10m"), Choices{})
	t.Log(err)
	expectError(t, err, "ReplicaSet one-v1-", "FailedCreate", `failed calling webhook "refuses.hellochaos.test"`, `service "away" not found`, "hellochaos doctor")
}

func TestE2EDeployRefusesANamespaceWithoutInjection(t *testing.T) {
	t.Parallel()
	c, _ := deployCluster(t)
	makeNamespace(t, c, map[string]string{injectionLabel: "disabled"})
	expectError(t, c.Deploy(t.Context(), scripted(t, "hello-service", "3000", "10m"), Choices{}), "istio-injection=disabled, but deploy needs istio-injection=enabled", "--overwrite")
	pods, err := c.core.AppsV1().Deployments(c.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 0 {
		t.Errorf("Deployments: %v, %v, want none", pods.Items, err)
	}
}

// A strict API server and another manager's field are told before the first change.
func TestE2EDeployTellsConflicts(t *testing.T) {
	t.Parallel()
	c, _ := deployCluster(t)
	objects := scripted(t, "hello-service", "3000", "10m")
	if err := c.Deploy(t.Context(), objects, Choices{}); err != nil {
		t.Fatal(err)
	}
	patch := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"hello-service","image":"hello-service:latest"}]}}}}`)
	if _, err := c.core.AppsV1().Deployments(c.namespace).Patch(t.Context(), "one-v1", types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: "kubectl-set"}); err != nil {
		t.Fatal(err)
	}
	err := c.Deploy(t.Context(), objects, Choices{})
	expectError(t, err, "nothing was deployed", "Deployment one-v1, field spec.template.spec.containers", "image: kubectl-set has set it to another value",
		"kubectl -n "+c.namespace+" delete deployment one-v1")
}

// Pods that were made before the namespace injected get their sidecars, and undeploy takes away what deploy added.
func TestE2EDeployRestartsPodsWithoutSidecar(t *testing.T) {
	t.Parallel()
	c, said := deployCluster(t)
	makeNamespace(t, c, map[string]string{"team": "a"})
	objects := scripted(t, "hello-service", "3000", "10m")
	for i := range objects {
		want, err := c.desired(&objects[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := c.install(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.rolledOut(t.Context(), []reference{{"Deployment", c.namespace, "one-v1"}}); err != nil {
		t.Fatal(err)
	}
	workload := &manifests.Workload{Name: "one-v1", Namespace: manifests.Namespace, Labels: map[string]string{"app": "one"}}
	sidecar := func(want bool) {
		t.Helper()
		pods, err := c.podsOf(t.Context(), workload)
		if err != nil || len(pods) != 1 || hasSidecar(&pods[0]) != want {
			t.Fatalf("pods: %d, %v, want one; with a sidecar: %v", len(pods), err, want)
		}
	}
	sidecar(false)
	said()
	if err := c.Deploy(t.Context(), objects, Choices{}); err != nil {
		t.Fatal(err)
	}
	sidecar(true)
	want := "Deployment one-v1 restarted: its pods were made before the namespace injected sidecars, and had none"
	if lines := said(); !slices.Contains(lines, want) {
		t.Errorf("it said %q, want %q among it", lines, want)
	}
	if err := c.Deploy(t.Context(), objects, Choices{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range said() {
		if !strings.HasSuffix(line, " unchanged") {
			t.Errorf("deploy after the restart said %q, want only that things are unchanged", line)
		}
	}
	if err := c.Undeploy(t.Context()); err != nil {
		t.Fatal(err)
	}
	live, err := c.namespaceNow(t.Context(), c.namespace)
	if err != nil || live == nil || live.Labels[injectionLabel] != "" || live.Labels["team"] != "a" || len(live.Annotations) != 0 {
		t.Errorf("namespace after undeploy: %+v, %v, want it as it was", live, err)
	}
	if pods, err := c.podsOf(t.Context(), workload); err != nil || len(pods) != 0 {
		t.Errorf("pods after undeploy: %d, %v, want none", len(pods), err)
	}
}

// Each way in is a real one; a port-forward outlives a connection that its pod resets.
func TestE2EAddress(t *testing.T) {
	t.Parallel()
	c, _ := deployCluster(t)
	if err := c.Deploy(t.Context(), scripted(t, "hello-service", "3000", "10m"), Choices{}); err != nil {
		t.Fatal(err)
	}
	service, err := c.core.CoreV1().Services(c.namespace).Get(t.Context(), "one", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in := &entrance{service: service, port: service.Spec.Ports[0], path: "/healthz", ours: func(r *http.Response) bool { return r.StatusCode == http.StatusOK }, passed: " and goes past the sidecar of the pod"}
	ways, _ := c.ways(t.Context(), in)
	if len(ways) != 1 || ways[0].how != "cluster IP" {
		t.Errorf("ways %v, want the cluster IP", ways)
	}
	address, closer, err := c.tunnel(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if want := "port-forward to pod one-v1-"; !strings.HasPrefix(address.Way, want) || !strings.HasSuffix(address.Way, ", which is slow and goes past the sidecar of the pod") {
		t.Errorf("way %q, want %s…, which is slow and goes past the sidecar of the pod", address.Way, want)
	}
	if status, err := fetch(t.Context(), address, "500"); err != nil || status != http.StatusInternalServerError {
		t.Errorf("through the port-forward: %d, %v, want 500", status, err)
	}
	if status, err := fetch(t.Context(), address, "reset"); err == nil {
		t.Errorf("a reset through the port-forward: %d, want an error", status)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		status, err := fetch(t.Context(), address, "200")
		if err == nil && status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a reset: %d, %v, want 200 again", status, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := closer.Close(); err != nil {
		t.Error(err)
	}
	if status, err := fetch(t.Context(), address, "200"); err == nil {
		t.Errorf("after its end the port-forward answers %d, want nothing", status)
	}
}

// fetch sends one request on a connection of its own.
func fetch(ctx context.Context, at target.Address, script string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL+"/", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("x-hellochaos-script", script)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func makeNamespace(t *testing.T, c *Cluster, labels map[string]string) {
	t.Helper()
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace, Labels: labels}}
	if _, err := c.core.CoreV1().Namespaces().Create(t.Context(), n, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
