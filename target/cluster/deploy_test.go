package cluster

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hellochaos/hellochaos/manifests"
)

// rollsOut is a controller that makes every Deployment complete at once.
func rollsOut(o *unstructured.Unstructured) {
	if o.GetKind() != "Deployment" {
		return
	}
	n, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
	o.Object["status"] = map[string]any{"observedGeneration": o.GetGeneration(), "replicas": n, "updatedReplicas": n, "readyReplicas": n, "availableReplicas": n}
}

const (
	shopNamespace  = "/api/v1/namespaces/shop"
	clockNamespace = "/api/v1/namespaces/outside"
	frontendProd   = "/apis/apps/v1/namespaces/shop/deployments/frontend-prod"
)

func TestDeployTwiceAndUndeploy(t *testing.T) {
	s, c, said := newAPIServer(t, 10*time.Second)
	s.react = rollsOut
	if err := c.Deploy(t.Context(), manifests.Application(), Choices{Image: "registry.test/hello-service:2"}); err != nil {
		t.Fatal(err)
	}
	lines := said()
	for _, want := range []string{"Namespace shop created", "Namespace outside created", "Deployment frontend-prod created", "Sidecar default created", "Deployment clock created"} {
		if !slices.Contains(lines, want) {
			t.Errorf("first deploy said %q, want %q among it", lines, want)
		}
	}
	if got, want := s.at(shopNamespace).GetLabels()["istio-injection"], "enabled"; got != want {
		t.Errorf("label istio-injection of namespace shop = %q, want %q", got, want)
	}
	if got, want := s.at(clockNamespace).GetLabels()["istio-injection"], "disabled"; got != want {
		t.Errorf("label istio-injection of namespace outside = %q, want %q", got, want)
	}
	containers, _, _ := unstructured.NestedSlice(s.at(frontendProd).Object, "spec", "template", "spec", "containers")
	if got, want := containers[0].(map[string]any)["image"], "registry.test/hello-service:2"; got != want {
		t.Errorf("image of frontend-prod = %v, want %v", got, want)
	}

	s.writes = nil
	if err := c.Deploy(t.Context(), manifests.Application(), Choices{Image: "registry.test/hello-service:2"}); err != nil {
		t.Fatal(err)
	}
	if len(s.writes) != 0 {
		t.Errorf("second deploy wrote %q, want nothing", s.writes)
	}
	for _, line := range said() {
		if !strings.HasSuffix(line, " unchanged") {
			t.Errorf("second deploy said %q, want only that things are unchanged", line)
		}
	}

	for range 2 { // the second finds nothing
		if err := c.Undeploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := s.paths(); len(left) != 0 {
			t.Errorf("after undeploy there is %q, want nothing", left)
		}
	}
}

func TestDeployRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		path string // of an object that is there
		text string
		want []string
	}{
		{"injection disabled", shopNamespace, `{"metadata":{"labels":{"istio-injection":"disabled"}}}`,
			[]string{"namespace shop has the label istio-injection=disabled, but deploy needs istio-injection=enabled", "-n", "kubectl label namespace shop istio-injection=enabled --overwrite"}},
		{"the clock would get a sidecar", clockNamespace, `{"metadata":{"labels":{"istio.io/rev":"stable"}}}`,
			[]string{"namespace outside has the label istio.io/rev=stable", "kubectl label namespace outside istio.io/rev-"}},
		{"namespace going away", shopNamespace, `{"metadata":{"deletionTimestamp":"2026-01-02T03:04:05Z"}}`,
			[]string{"namespace shop is being deleted"}},
		{"journal", "/api/v1/namespaces/shop/configmaps/hellochaos-run-20260102-aaaa",
			`{"metadata":{"labels":{"app.kubernetes.io/managed-by":"hellochaos","hellochaos.dev/run":"20260102-aaaa"}}}`,
			[]string{"run 20260102-aaaa was not put back", "hellochaos restore 20260102-aaaa -n shop"}},
		{"a run at work", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/hellochaos",
			`{"metadata":{"annotations":{"hellochaos.dev/process":"elsewhere/7"}},"spec":{"holderIdentity":"20260102-bbbb","renewTime":"` + time.Now().UTC().Format(metav1.RFC3339Micro) + `"}}`,
			[]string{"run 20260102-bbbb (elsewhere/7) is at work"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, cluster, _ := newAPIServer(t, 10*time.Second)
			s.react = rollsOut
			s.put(t, c.path, c.text)
			err := cluster.Deploy(t.Context(), manifests.Application(), Choices{})
			expectError(t, err, c.want...)
			if len(s.writes) != 0 {
				t.Errorf("it wrote %q, want nothing", s.writes)
			}
		})
	}
}

func TestUndeployRefusesWhileARunIsNotPutBack(t *testing.T) {
	s, c, _ := newAPIServer(t, 10*time.Second)
	s.react = rollsOut
	if err := c.Deploy(t.Context(), manifests.Application(), Choices{}); err != nil {
		t.Fatal(err)
	}
	s.put(t, "/api/v1/namespaces/shop/configmaps/hellochaos-run-x", `{"metadata":{"labels":{"app.kubernetes.io/managed-by":"hellochaos","hellochaos.dev/run":"x"}}}`)
	s.writes = nil
	expectError(t, c.Undeploy(t.Context()), "run x was not put back", "hellochaos restore x -n shop")
	if len(s.writes) != 0 {
		t.Errorf("it wrote %q, want nothing", s.writes)
	}
}

func TestDeployWithoutIstio(t *testing.T) {
	s, c, _ := newAPIServer(t, 10*time.Second)
	c.istioVersion = ""
	expectError(t, c.Deploy(t.Context(), manifests.Application(), Choices{}), "Sidecar default", "does not know the API group networking.istio.io", "make deploy-istio")
	if len(s.writes) != 0 {
		t.Errorf("it wrote %q, want nothing", s.writes)
	}
}

// Every object is tried before the first change, and every conflict is told.
func TestDeployTellsConflicts(t *testing.T) {
	s, c, _ := newAPIServer(t, 10*time.Second)
	s.put(t, shopNamespace, `{}`)
	s.refuse = func(r *http.Request, o *unstructured.Unstructured) *metav1.Status {
		forced := r.URL.Query().Get("force") == "true"
		switch {
		case o.GetName() == "frontend-prod":
			return conflicting(`conflict with "kubectl-scale" with subresource "scale" using apps/v1`, ".spec.replicas")
		case o.GetName() == "backend" && o.GetKind() == "Service":
			return conflicting(`conflict with "someone" using v1`, `.spec.ports[port=80,protocol="TCP"].targetPort`)
		case o.GetName() == "middleware" && o.GetKind() == "Service" && !forced:
			return conflicting(`conflict with "hellochaos" using v1`, ".spec.type")
		}
		return nil
	}
	err := c.Deploy(t.Context(), manifests.Application(), Choices{})
	expectError(t, err, "nothing was deployed",
		"Deployment frontend-prod, field spec.replicas: kubectl-scale has set it to another value", "kubectl -n shop delete deployment frontend-prod",
		`Service backend, field spec.ports[port=80,protocol="TCP"].targetPort: someone has set it`)
	if strings.Contains(err.Error(), "Service middleware") {
		t.Errorf("error %q names Service middleware, whose field is our own", err)
	}
	if len(s.writes) != 0 {
		t.Errorf("it wrote %q, want nothing", s.writes)
	}
}

func conflicting(message, field string) *metav1.Status {
	status := failure(http.StatusConflict, metav1.StatusReasonConflict, "Apply failed with 1 conflict")
	status.Details = &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict, Message: message, Field: field}}}
	return status
}

// What was there before deploy is there after undeploy.
func TestUndeployKeepsWhatIsOthers(t *testing.T) {
	const volume = "/api/v1/namespaces/shop/persistentvolumeclaims/data"
	for _, c := range []struct {
		name string
		// before is there before deploy, by path; after comes between deploy and undeploy.
		before, after map[string]string
		want          map[string]string // labels and annotations of what is left, by path
		said          string
	}{
		{"a namespace of another's", map[string]string{shopNamespace: `{"metadata":{"labels":{"team":"a"}}}`}, nil,
			map[string]string{shopNamespace: "team=a"}, "Namespace shop: label istio-injection removed"},
		{"with another revision of Istio", map[string]string{shopNamespace: `{"metadata":{"labels":{"istio.io/rev":"stable"}}}`}, nil,
			map[string]string{shopNamespace: "istio.io/rev=stable"}, ""},
		{"a namespace of ours with another's data", nil, map[string]string{volume: `{}`},
			map[string]string{shopNamespace: "", volume: ""}, "Namespace shop is kept, since others have put objects there: PersistentVolumeClaim data"},
		{"the clock is in use", nil, map[string]string{
			"/api/v1/namespaces/bar": `{}`,
			clockNamespace:           `{"metadata":{"labels":{"istio-injection":"disabled"},"annotations":{"used-by.hellochaos.dev/shop":"deploy","used-by.hellochaos.dev/bar":"deploy","used-by.hellochaos.dev/away":"deploy"}}}`},
			map[string]string{"/api/v1/namespaces/bar": "", clockNamespace: "istio-injection=disabled used-by.hellochaos.dev/away=deploy,used-by.hellochaos.dev/bar=deploy",
				clockNamespace + "/services/clock": "", "/apis/apps/v1/namespaces/outside/deployments/clock": ""},
			"Namespace outside is kept, since other namespaces use it: bar"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, cluster, said := newAPIServer(t, 10*time.Second)
			s.react = rollsOut
			for path, text := range c.before {
				s.put(t, path, text)
			}
			if err := cluster.Deploy(t.Context(), manifests.Application(), Choices{}); err != nil {
				t.Fatal(err)
			}
			for path, text := range c.after {
				s.put(t, path, text)
			}
			said()
			if err := cluster.Undeploy(t.Context()); err != nil {
				t.Fatal(err)
			}
			if lines := said(); c.said != "" && !slices.Contains(lines, c.said) {
				t.Errorf("it said %q, want %q among it", lines, c.said)
			}
			for _, path := range s.paths() {
				if _, ok := c.want[path]; !ok {
					t.Errorf("%s is left", path)
				}
			}
			for path, want := range c.want {
				o := s.at(path)
				if o == nil {
					t.Errorf("%s is gone", path)
				} else if got := marks(o); want != "" && got != want {
					t.Errorf("%s has %s, want %s", path, got, want)
				}
			}
		})
	}
}

// marks are an object's labels and annotations.
func marks(o *unstructured.Unstructured) string {
	return strings.TrimSpace(labels.FormatLabels(o.GetLabels()) + " " + strings.ReplaceAll(labels.FormatLabels(o.GetAnnotations()), "<none>", ""))
}

// Pods that were made before the namespace injected are made anew; an injector that does not work is told.
func TestDeployRestartsPodsWithoutSidecar(t *testing.T) {
	const pod = "/api/v1/namespaces/shop/pods/frontend-prod-1"
	bare := `{"metadata":{"labels":{"app":"frontend","version":"prod"}},"spec":{"containers":[{"name":"hello-service"}]}}`
	for _, test := range []struct {
		name    string
		sidecar string // in what the restarted pod has
		want    string
	}{
		{"native sidecar", `"initContainers":[{"name":"istio-proxy"}],`, ""},
		{"plain sidecar", `"containers":[{"name":"hello-service"},{"name":"istio-proxy"}],`, ""},
		{"none again", ``, "Deployment frontend-prod: its pods have no sidecar although the labels of namespace shop ask for one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, c, said := newAPIServer(t, 10*time.Second)
			s.put(t, shopNamespace, `{}`)
			s.put(t, pod, bare)
			s.react = func(o *unstructured.Unstructured) {
				rollsOut(o)
				annotations, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "annotations")
				if o.GetKind() == "Deployment" && annotations["kubectl.kubernetes.io/restartedAt"] != "" {
					anew := s.objects[pod].DeepCopy()
					unstructured.RemoveNestedField(anew.Object, "spec")
					mergeText(t, anew.Object, `{"spec":{`+test.sidecar+`"nodeName":"a"}}`)
					s.objects[pod] = anew
				}
			}
			err := c.Deploy(t.Context(), manifests.Application(), Choices{})
			if test.want == "" && err != nil {
				t.Fatal(err)
			}
			if test.want != "" {
				expectError(t, err, test.want)
			}
			want := "Deployment frontend-prod restarted: its pods were made before the namespace injected sidecars, and had none"
			if lines := said(); !slices.Contains(lines, want) {
				t.Errorf("it said %q, want %q among it", lines, want)
			}
		})
	}
}

func FuzzClaimant(f *testing.F) {
	for _, message := range []string{`conflict with "kubectl-scale" with subresource "scale" using apps/v1`, `conflict with "x" using v1`, "conflict", `"`, `""`} {
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message string) {
		got := claimant(message)
		if !strings.Contains(message, got) || got == "" && message != "" {
			t.Errorf("claimant(%q) = %q, want a part of it", message, got)
		}
	})
}

func FuzzReadLabels(f *testing.F) {
	for _, text := range []string{"istio-injection=enabled", "a=1,b=2", "deploy", "", "=", ",=,", "a="} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range readLabels(text) {
			if !strings.Contains(text, name+"="+value) {
				t.Errorf("readLabels(%q) has %s=%s", text, name, value)
			}
		}
	})
}

// expectError fails unless an error has all these parts.
func expectError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, want %q in it", err, part)
		}
	}
}

func mergeText(t *testing.T, into map[string]any, text string) {
	t.Helper()
	from := &unstructured.Unstructured{}
	if err := from.UnmarshalJSON([]byte(`{"kind":"x",` + strings.TrimPrefix(text, "{"))); err != nil {
		t.Fatal(err)
	}
	delete(from.Object, "kind")
	mergeJSON(into, from.Object)
}
