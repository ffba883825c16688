package cluster

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hellochaos/hellochaos/manifests"
)

// ofShop is a namespace with a Service, a Deployment that knows a secret, a VirtualService, and what a cluster adds to them.
func ofShop(t *testing.T) *fakeServer {
	t.Helper()
	f := newFakeServer()
	labels := map[string]string{"app": "orders"}
	meta := metav1.ObjectMeta{Name: "orders", Namespace: "shop", ResourceVersion: "17", UID: "u", Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}"}}
	f.put(t, &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: labels, ClusterIP: "10.96.0.7", Ports: []corev1.ServicePort{{Name: "http", Port: 80, NodePort: 30080}}}})
	deployment := &appsv1.Deployment{ObjectMeta: meta, Status: appsv1.DeploymentStatus{Replicas: 1}}
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "orders", Image: "orders:1", Env: []corev1.EnvVar{{Name: "PASSWORD", Value: "geheim"}}, Args: []string{"--token=geheim"}}}
	f.put(t, deployment)
	service := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"name": "orders", "namespace": "shop", "generation": int64(3), "managedFields": []any{}},
		"spec":     map[string]any{"hosts": []any{"orders"}, "http": []any{map[string]any{"route": []any{map[string]any{"destination": map[string]any{"host": "orders"}}}}}},
		"status":   map[string]any{"observedGeneration": int64(3)}}}
	f.objects[f.placeOf(service)] = service
	return f
}

// Import reads a namespace as files that verify reads, without secrets and without what the cluster added.
func TestImport(t *testing.T) {
	f := ofShop(t)
	f.forbidden = []string{"list authorizationpolicies shop"}
	got, err := f.connect(t).Import(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := string(got.Application) + "---\n" + string(got.Policies)
	for _, leaked := range []string{"geheim", "10.96.0.7", "30080", "last-applied", "resourceVersion", "uid", "status", "managedFields", "generation"} {
		if strings.Contains(all, leaked) {
			t.Errorf("the files have %q:\n%s", leaked, all)
		}
	}
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	others, err := manifests.LoadOthers([]string{file}, strings.NewReader(""))
	if err != nil || len(others.Objects) != 3 {
		t.Errorf("%d objects are read, want 3: %v\n%s", len(others.Objects), err, all)
	}
	if len(got.Remarks) != 1 || !strings.Contains(got.Remarks[0], "authorizationpolicies could not be listed") || got.Source != "" {
		t.Errorf("remarks %q, source %q", got.Remarks, got.Source)
	}
}

// Who calls whom is read from Istio's metric in a Prometheus, and where it has none, a remark says so.
func TestImportAsksPrometheus(t *testing.T) {
	for result, want := range map[string]string{
		`[{"metric": {"source_workload": "web", "destination_service": "orders.shop.svc.cluster.local"}, "value": [1, "12"]}]`: "[{web orders.shop.svc.cluster.local 12}]",
		`[]`: "[]",
	} {
		prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if query := r.FormValue("query"); !strings.Contains(query, `istio_requests_total{reporter="source",source_workload_namespace="shop"}`) {
				t.Errorf("query %s", query)
			}
			fmt.Fprintf(w, `{"status": "success", "data": {"resultType": "vector", "result": %s}}`, result)
		}))
		defer prometheus.Close()
		c := ofShop(t).connect(t)
		c.options.PrometheusURL = prometheus.URL
		got, err := c.Import(t.Context())
		if err != nil || fmt.Sprint(got.Calls) != want {
			t.Errorf("calls %v, want %s (%v)", got.Calls, want, err)
		}
		if none := want == "[]"; none != (len(got.Remarks) == 1) || none != (got.Source == "") {
			t.Errorf("calls %s: remarks %q, source %q", want, got.Remarks, got.Source)
		}
	}
}
