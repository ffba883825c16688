package cluster

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// place is where a fake API server keeps an object.
type place struct{ resource, namespace, name string }

// fakeServer is an API server that serves the objects that it was given, and refuses what it was told to.
type fakeServer struct {
	version string
	groups  []string
	objects map[place]*unstructured.Unstructured
	// forbidden are refused: "list envoyfilters istio-system", with "*" for all namespaces at once, "pods/proxy" with its
	// subresource.
	forbidden []string
	// admit is what the webhook says to a VirtualService with these retries.
	admit func(attempts int64) error
	// slow are paths whose answers do not come while the test runs.
	slow string
	done chan struct{}

	mutex sync.Mutex
	asked []string
}

func newFakeServer() *fakeServer {
	return &fakeServer{version: "v1.37.2", groups: []string{istioGroup}, objects: map[place]*unstructured.Unstructured{}, done: make(chan struct{}),
		admit: func(attempts int64) error {
			if attempts == 0 {
				return apierrors.NewBadRequest(`admission webhook "rev.validation.istio.io" denied the request: attempts are set to 0`)
			}
			return nil
		}}
}

// put adds objects, or replaces them.
func (f *fakeServer) put(tb testing.TB, objects ...runtime.Object) {
	tb.Helper()
	for _, object := range objects {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			tb.Fatal(err)
		}
		u := &unstructured.Unstructured{Object: fields}
		if kinds, _, err := scheme.Scheme.ObjectKinds(object); err == nil && u.GetKind() == "" {
			u.SetGroupVersionKind(kinds[0])
		}
		f.objects[f.placeOf(u)] = u
	}
}

// placeOf is where an object is kept.
func (f *fakeServer) placeOf(u *unstructured.Unstructured) place {
	resource := strings.ToLower(u.GetKind()) + "s"
	if stem, ok := strings.CutSuffix(resource, "ys"); ok && !strings.HasSuffix(stem, "wa") { // not gateways
		resource = stem + "ies"
	}
	return place{resource, u.GetNamespace(), u.GetName()}
}

// connect is a Cluster of this server, in namespace shop.
func (f *fakeServer) connect(t *testing.T) *Cluster {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(func() {
		close(f.done)
		server.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := `{"apiVersion": "v1", "kind": "Config", "current-context": "fake", "contexts": [{"name": "fake", "context": {"cluster": "c", "user": "u"}}],
		"users": [{"name": "u", "user": {}}], "clusters": [{"name": "c", "cluster": {"server": "` + server.URL + `"}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Connect(t.Context(), Options{Kubeconfig: file, Namespace: "shop", Wait: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.slow != "" && strings.Contains(r.URL.Path, f.slow) {
		<-f.done
		return
	}
	answer, err := f.answer(r)
	status := http.StatusOK
	if err != nil {
		refused := apierrors.NewInternalError(err).Status()
		if known, ok := err.(apierrors.APIStatus); ok {
			refused = known.Status()
		}
		refused.Kind, refused.APIVersion = "Status", "v1"
		answer, status = refused, int(refused.Code)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *fakeServer) answer(r *http.Request) (any, error) {
	switch r.URL.Path {
	case "/version":
		if f.version == "" {
			return nil, apierrors.NewUnauthorized("hellochaos does not know you")
		}
		return map[string]any{"major": "1", "minor": "37", "gitVersion": f.version}, nil
	case "/api":
		return map[string]any{"kind": "APIVersions", "versions": []any{"v1"}}, nil
	case "/apis":
		var groups []any
		for _, name := range f.groups {
			version := map[string]any{"groupVersion": name + "/v1", "version": "v1"}
			groups = append(groups, map[string]any{"name": name, "versions": []any{version}, "preferredVersion": version})
		}
		return map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}, nil
	case "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
		return f.review(r)
	}
	group, at := split(r.URL.Path)
	verb := map[string]string{http.MethodGet: "get", http.MethodPost: "create"}[r.Method]
	if verb == "get" && at.name == "" {
		verb = "list"
	}
	if f.forbids(verb, at.resource, at.namespace) {
		return nil, apierrors.NewForbidden(schema.GroupResource{Group: group, Resource: at.resource}, at.name, nil)
	}
	switch verb {
	case "create":
		return f.create(r)
	case "list":
		return f.list(r, at)
	}
	if u := f.objects[at]; u != nil {
		return u, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: group, Resource: at.resource}, at.name)
}

// split reads a path of the API: /api/v1/namespaces/shop/pods/one.
func split(path string) (group string, at place) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "apis" {
		group, parts = parts[1], parts[1:]
	}
	parts = parts[2:]
	if parts[0] == "namespaces" && len(parts) > 2 {
		at.namespace, parts = parts[1], parts[2:]
	}
	at.resource = parts[0]
	if len(parts) > 1 {
		at.name = parts[1]
	}
	return group, at
}

func (f *fakeServer) forbids(verb, resource, namespace string) bool {
	if namespace == "" && resource != "namespaces" {
		namespace = "*"
	}
	return slices.Contains(f.forbidden, strings.TrimSpace(verb+" "+resource+" "+namespace))
}

// typedLists are the lists that are read into types of Kubernetes' own.
var typedLists = map[string]schema.GroupVersionKind{
	"pods":        {Version: "v1", Kind: "PodList"},
	"services":    {Version: "v1", Kind: "ServiceList"},
	"deployments": {Group: "apps", Version: "v1", Kind: "DeploymentList"},
}

func (f *fakeServer) list(r *http.Request, at place) (any, error) {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	found := []any{}
	for where, u := range f.objects {
		if where.resource == at.resource && (at.namespace == "" || at.namespace == where.namespace) && selector.Matches(labels.Set(u.GetLabels())) {
			found = append(found, u)
		}
	}
	kind, version := "List", strings.Join(strings.Split(r.URL.Path, "/")[2:4], "/") // of /apis/apps/v1/...
	if typed, ok := typedLists[at.resource]; ok {
		kind, version = typed.Kind, typed.GroupVersion().String()
	}
	return map[string]any{"kind": kind, "apiVersion": version, "metadata": map[string]any{"resourceVersion": "1"}, "items": found}, nil
}

func (f *fakeServer) review(r *http.Request) (any, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		return nil, err
	}
	review := object.(*authorizationv1.SelfSubjectAccessReview)
	a := review.Spec.ResourceAttributes
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	f.mutex.Lock()
	f.asked = append(f.asked, strings.Join([]string{a.Verb, a.Group, resource, a.Namespace, a.Name}, " "))
	f.mutex.Unlock()
	review.TypeMeta = metav1.TypeMeta{Kind: "SelfSubjectAccessReview", APIVersion: "authorization.k8s.io/v1"}
	review.Status.Allowed = !f.forbids(a.Verb, resource, a.Namespace)
	return review, nil
}

// create takes dry runs only.
func (f *fakeServer) create(r *http.Request) (any, error) {
	if query := r.URL.Query(); query.Get("dryRun") != "All" || query.Get("fieldValidation") != "Strict" {
		return nil, apierrors.NewBadRequest("a write that is none of Doctor's: " + r.URL.String())
	}
	u := &unstructured.Unstructured{}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := u.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	rules, _, _ := unstructured.NestedSlice(u.Object, "spec", "http")
	attempts, _, _ := unstructured.NestedInt64(rules[0].(map[string]any), "retries", "attempts")
	return u, f.admit(attempts)
}
