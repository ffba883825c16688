package cluster

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"
)

// apiServer is an API server in memory, over real sockets: objects by their path, with lists, watches, creation, merge and
// apply patches, deletion and dry runs. It has no controllers, no managed fields and no defaults of its own.
type apiServer struct {
	mutex    sync.Mutex
	objects  map[string]*unstructured.Unstructured
	version  int
	watchers map[chan watchEvent]string // the path of what each watches
	// refuse, when set, may answer a write instead.
	refuse func(r *http.Request, object *unstructured.Unstructured) *metav1.Status
	// read, when set, is called before an object is read, with the mutex held.
	read func(path string, object *unstructured.Unstructured)
	// react, when set, is called after a write with the mutex held: a controller.
	react func(object *unstructured.Unstructured)
	// writes are the writes that had an effect: "PATCH /api/v1/namespaces/shop".
	writes []string
	// logs are those of each pod; empty: a word.
	logs string
}

type watchEvent struct {
	Type   string         `json:"type"`
	Object map[string]any `json:"object"`

	path string
}

var kindsByResource = map[string]string{
	"namespaces": "Namespace", "services": "Service", "pods": "Pod", "deployments": "Deployment", "replicasets": "ReplicaSet",
	"configmaps": "ConfigMap", "jobs": "Job", "secrets": "Secret", "persistentvolumeclaims": "PersistentVolumeClaim", "statefulsets": "StatefulSet",
	"leases": "Lease", "events": "Event", "sidecars": "Sidecar", "virtualservices": "VirtualService", "destinationrules": "DestinationRule",
	"gateways": "Gateway", "nodes": "Node", "serviceentries": "ServiceEntry",
}

// newAPIServer starts a server and connects a Cluster to it, whose progress goes to the returned function's lines.
func newAPIServer(t *testing.T, wait time.Duration) (*apiServer, *Cluster, func() []string) {
	t.Helper()
	s := &apiServer{objects: map[string]*unstructured.Unstructured{}, watchers: map[chan watchEvent]string{}}
	listening := httptest.NewServer(s)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		listening.Close()
	})
	var mutex sync.Mutex
	var said []string
	c := &Cluster{
		options: Options{Wait: wait, Say: func(format string, args ...any) {
			mutex.Lock()
			defer mutex.Unlock()
			said = append(said, fmt.Sprintf(format, args...))
		}},
		config: &rest.Config{Host: listening.URL, QPS: -1, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, server: listening.URL, namespace: "shop", istioVersion: "v1", lease: usualLease,
	}
	if err := c.clientsOver(&http.Client{Transport: transport}); err != nil {
		t.Fatal(err)
	}
	return s, c, func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		lines := said
		said = nil
		return lines
	}
}

// ServeHTTP implements http.Handler.
func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	single := kindsByResource[parts[len(parts)-1]] == ""
	body, _ := io.ReadAll(r.Body)
	sent := &unstructured.Unstructured{}
	if len(body) > 0 && r.Method != http.MethodDelete {
		if err := utiljson.Unmarshal(body, &sent.Object); err != nil {
			answer(w, http.StatusBadRequest, failure(http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error()))
			return
		}
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/log"):
		_, _ = io.WriteString(w, cmp.Or(s.logs, "fake logs"))
	case r.Method == http.MethodGet && r.URL.Query().Get("watch") != "":
		s.watch(w, r)
	case r.Method == http.MethodGet && !single:
		s.list(w, r)
	default:
		s.mutex.Lock()
		defer s.mutex.Unlock()
		path := r.URL.Path
		if r.Method == http.MethodPost {
			path += "/" + sent.GetName()
		}
		code, object := s.one(r, path, sent)
		answer(w, code, object)
	}
}

// one answers a request for one object.
func (s *apiServer) one(r *http.Request, path string, sent *unstructured.Unstructured) (int, any) {
	live := s.objects[path]
	if s.refuse != nil && r.Method != http.MethodGet {
		if status := s.refuse(r, sent); status != nil {
			return int(status.Code), status
		}
	}
	apply := r.Header.Get("Content-Type") == "application/apply-patch+yaml"
	if live == nil && r.Method != http.MethodPost && !apply {
		return http.StatusNotFound, failure(http.StatusNotFound, metav1.StatusReasonNotFound, path+" not found")
	}
	dry := r.URL.Query().Get("dryRun") != ""
	switch r.Method {
	case http.MethodGet:
		if s.read != nil {
			s.read(path, live)
		}
		return http.StatusOK, live.Object
	case http.MethodDelete:
		s.finalize(path)
		return http.StatusOK, live.Object
	case http.MethodPut:
		if version := sent.GetResourceVersion(); version != "" && version != live.GetResourceVersion() {
			return http.StatusConflict, failure(http.StatusConflict, metav1.StatusReasonConflict, path+" was changed")
		}
	case http.MethodPost:
		if live != nil {
			return http.StatusConflict, failure(http.StatusConflict, metav1.StatusReasonAlreadyExists, path+" already exists")
		}
	}
	next := &unstructured.Unstructured{Object: map[string]any{}}
	if live != nil {
		next = live.DeepCopy()
	}
	if r.Method == http.MethodPut {
		next.Object = sent.Object
		next.SetUID(live.GetUID())
	} else {
		mergeJSON(next.Object, sent.Object)
	}
	if live == nil {
		next.SetUID(uidOf(path))
	}
	if !dry && (live == nil || !reflect.DeepEqual(next.Object, live.Object)) {
		s.writes = append(s.writes, r.Method+" "+path)
		s.store(path, next)
	}
	return http.StatusOK, next.Object
}

// store puts an object and tells those who watch. The mutex is held.
func (s *apiServer) store(path string, object *unstructured.Unstructured) {
	event := "MODIFIED"
	if s.objects[path] == nil {
		event = "ADDED"
	}
	s.version++
	object.SetResourceVersion(fmt.Sprint(s.version))
	s.objects[path] = object
	if s.react != nil {
		s.react(object)
	}
	s.tell(watchEvent{event, object.DeepCopy().Object, path})
}

// finalize does what a deletion does: an object with finalizers stays until they are gone. The mutex is held.
func (s *apiServer) finalize(path string) {
	live := s.objects[path]
	if len(live.GetFinalizers()) == 0 {
		s.remove(path)
		return
	}
	if live.GetDeletionTimestamp() == nil {
		s.writes = append(s.writes, "DELETE "+path)
		next := live.DeepCopy()
		next.SetDeletionTimestamp(new(metav1.Now()))
		s.store(path, next)
	}
}

// remove takes an object away, with all that stands in it when it is a namespace. The mutex is held.
func (s *apiServer) remove(path string) {
	for _, other := range slices.Sorted(maps.Keys(s.objects)) {
		if other != path && !(strings.HasPrefix(path, "/api/v1/namespaces/") && strings.Contains(other, strings.TrimPrefix(path, "/api/v1")+"/")) {
			continue
		}
		object := s.objects[other]
		delete(s.objects, other)
		s.writes = append(s.writes, "DELETE "+other)
		s.version++
		object = object.DeepCopy()
		object.SetResourceVersion(fmt.Sprint(s.version))
		s.tell(watchEvent{"DELETED", object.Object, other})
	}
}

func (s *apiServer) tell(e watchEvent) {
	for channel, path := range s.watchers {
		if in(e.path, path) {
			channel <- e
		}
	}
}

// put stores an object of a test's own, given as JSON, at its path.
func (s *apiServer) put(t *testing.T, path, text string) {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	parts := strings.Split(path, "/")
	object.SetName(parts[len(parts)-1])
	object.SetKind(kindsByResource[parts[len(parts)-2]])
	object.SetAPIVersion(versionOf(path))
	if i := slices.Index(parts, "namespaces"); i > 0 && i+3 < len(parts) {
		object.SetNamespace(parts[i+1])
	}
	object.SetUID(uidOf(path))
	s.store(path, object)
}

// at is a copy of the object at a path; nil when there is none.
func (s *apiServer) at(path string) *unstructured.Unstructured {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.objects[path] == nil {
		return nil
	}
	return s.objects[path].DeepCopy()
}

func (s *apiServer) paths() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

func (s *apiServer) list(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	items := []any{}
	for _, path := range s.selected(r) {
		items = append(items, s.objects[path].DeepCopy().Object)
	}
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	answer(w, http.StatusOK, map[string]any{"kind": kindsByResource[resource] + "List", "apiVersion": versionOf(r.URL.Path),
		"metadata": map[string]any{"resourceVersion": fmt.Sprint(s.version)}, "items": items})
}

// selected are the paths that a list or watch is about.
func (s *apiServer) selected(r *http.Request) (paths []string) {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		panic(err)
	}
	name, named := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	for _, path := range slices.Sorted(maps.Keys(s.objects)) {
		o := s.objects[path]
		if in(path, r.URL.Path) && selector.Matches(labels.Set(o.GetLabels())) && (!named || o.GetName() == name) {
			paths = append(paths, path)
		}
	}
	return paths
}

// in reports whether an object's path belongs to a list's: of one namespace, or of all.
func in(path, list string) bool {
	rest, ok := strings.CutPrefix(path, list+"/")
	if ok && !strings.Contains(rest, "/") {
		return true
	}
	parts, cluster := strings.Split(path, "/"), strings.Split(list, "/")
	i := slices.Index(parts, "namespaces")
	return i > 0 && i+3 < len(parts) && slices.Equal(append(slices.Clone(parts[:i]), parts[i+2]), cluster)
}

// watch sends what is there, as the client asks for, and then every change until the client goes.
func (s *apiServer) watch(w http.ResponseWriter, r *http.Request) {
	events := make(chan watchEvent, 1000)
	s.mutex.Lock()
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		for _, path := range s.selected(r) {
			events <- watchEvent{"ADDED", s.objects[path].DeepCopy().Object, path}
		}
		resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		events <- watchEvent{"BOOKMARK", map[string]any{"kind": kindsByResource[resource], "apiVersion": versionOf(r.URL.Path), "metadata": map[string]any{
			"resourceVersion": fmt.Sprint(s.version), "annotations": map[string]any{metav1.InitialEventsAnnotationKey: "true"}}}, ""}
	}
	s.watchers[events] = r.URL.Path
	s.mutex.Unlock()
	defer func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		delete(s.watchers, events)
	}()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	for {
		_ = http.NewResponseController(w).Flush()
		select {
		case e := <-events:
			_ = json.NewEncoder(w).Encode(e)
		case <-r.Context().Done():
			return
		}
	}
}

func answer(w http.ResponseWriter, code int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object)
}

func failure(code int32, reason metav1.StatusReason, message string) *metav1.Status {
	return &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}
}

// versionOf is the apiVersion in a path.
func versionOf(path string) string {
	parts := strings.Split(path, "/")
	if parts[1] == "api" {
		return "v1"
	}
	return parts[2] + "/" + parts[3]
}

func uidOf(path string) types.UID { return types.UID("uid of " + path) }

// mergeJSON merges as a JSON merge patch does.
func mergeJSON(into, from map[string]any) {
	for key, value := range from {
		next, isMap := value.(map[string]any)
		if now, ok := into[key].(map[string]any); ok && isMap {
			mergeJSON(now, next)
			continue
		}
		if value == nil {
			delete(into, key)
			continue
		}
		into[key] = runtime.DeepCopyJSONValue(value)
	}
}
