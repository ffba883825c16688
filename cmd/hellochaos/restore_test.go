package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/kubernetes/scheme"

	"github.com/hellochaos/hellochaos/reports"
)

// left is an API server with the objects that runs have left, by their paths. It can read, create, replace and delete them.
type left struct {
	mutex   sync.Mutex
	objects map[string]map[string]any
}

func (l *left) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	code, answer := l.answer(r)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}

func (l *left) answer(r *http.Request) (int, any) {
	const journals = "/api/v1/namespaces/demo/configmaps"
	switch r.URL.Path {
	case "/version":
		return http.StatusOK, map[string]any{"gitVersion": "v1.31.0"}
	case "/api":
		return http.StatusOK, map[string]any{"kind": "APIVersions", "versions": []any{"v1"}}
	case "/apis":
		version := map[string]any{"groupVersion": "networking.istio.io/v1", "version": "v1"}
		return http.StatusOK, map[string]any{"kind": "APIGroupList", "apiVersion": "v1",
			"groups": []any{map[string]any{"name": "networking.istio.io", "versions": []any{version}, "preferredVersion": version}}}
	case strings.Replace(journals, "demo", "nowhere", 1):
		return http.StatusOK, map[string]any{"kind": "ConfigMapList", "apiVersion": "v1", "items": []any{}}
	case journals:
		items := []any{}
		for path, object := range l.objects {
			if strings.HasPrefix(path, journals+"/") {
				items = append(items, object)
			}
		}
		return http.StatusOK, map[string]any{"kind": "ConfigMapList", "apiVersion": "v1", "items": items}
	}
	path := r.URL.Path
	if strings.Contains(path, "/namespaces/nowhere/") && r.Method != http.MethodGet {
		return http.StatusNotFound, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		object, err := decoded(r.Body)
		if err != nil {
			return http.StatusBadRequest, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 400, "message": err.Error()}
		}
		if r.Method == http.MethodPost {
			path += "/" + object["metadata"].(map[string]any)["name"].(string)
		}
		l.objects[path] = object
	}
	object := l.objects[path]
	if object == nil {
		return http.StatusNotFound, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
	}
	if r.Method == http.MethodDelete {
		delete(l.objects, path)
	}
	return http.StatusOK, object
}

// decoded is an object that client-go has sent, in any of its encodings.
func decoded(body io.Reader) (object map[string]any, err error) {
	sent, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	typed, kind, err := scheme.Codecs.UniversalDeserializer().Decode(sent, nil, nil)
	if err != nil {
		return nil, err
	}
	typed.GetObjectKind().SetGroupVersionKind(*kind)
	text, err := json.Marshal(typed)
	if err != nil {
		return nil, err
	}
	return object, json.Unmarshal(text, &object)
}

// journal adds a ConfigMap that has the name and the label of the journal of a run.
func (l *left) journal(run string, lines ...string) {
	l.put("/api/v1/namespaces/demo/configmaps/hellochaos-run-"+run, map[string]any{"kind": "ConfigMap", "apiVersion": "v1",
		"metadata": map[string]any{"name": "hellochaos-run-" + run, "namespace": "demo", "labels": map[string]any{"hellochaos.dev/run": run}},
		"data":     map[string]any{"journal.jsonl": strings.Join(lines, "\n") + "\n"}})
}

// put adds an object, or replaces the one at its path.
func (l *left) put(path string, object map[string]any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.objects[path] = object
}

// connected starts the server, and returns the flags with which a command connects to it.
func (l *left) connected(t *testing.T) []string {
	t.Helper()
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
		"users": [{"name": "u", "user": {}}], "clusters": [{"name": "c", "cluster": {"server": %q}}]}`, server.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	return []string{"--kubeconfig", file, "-n", "demo"}
}

// restore and status of a planted journal, a damaged one, a newer one, a good one, and the lease of a run that was killed.
func TestRestoreOfWhatWasLeft(t *testing.T) {
	l := &left{objects: map[string]map[string]any{}}
	flags := l.connected(t)
	head := func(run string) string {
		return `{"run":{"format":1,"name":"` + run + `","namespace":"demo","command":["hellochaos","run","prod"],"started":"2026-01-02T03:04:05Z"}}`
	}
	l.journal("a-damaged", "{")
	l.journal("b-good", head("b-good"))
	l.journal("c-planted", head("c-planted"), `{"before":{"object":{"kind":"Namespace","name":"prod"}}}`)
	l.journal("d-future", strings.Replace(head("d-future"), `"format":1`, `"format":99,"version":"9.0"`, 1))

	got := execute(t, append([]string{"status"}, flags...)...)
	for _, want := range []string{"a-damaged  ended without", "line 1: ", "b-good  ended without", "> hellochaos restore b-good -n demo",
		`"Namespace" "prod" in namespace "": a run changes only objects of its own namespace, which is "demo"`,
		`hellochaos "9.0" wrote the journal in format 99`, "kubectl delete configmap hellochaos-run-c-planted -n demo"} {
		if got.code != reports.ExitNotRestored || !strings.Contains(got.stdout, want) {
			t.Errorf("status: exit %d, want 5 and %q\n%s%s", got.code, want, got.stdout, got.stderr)
		}
	}
	lease := "/apis/coordination.k8s.io/v1/namespaces/demo/leases/hellochaos"
	l.put(lease, map[string]any{"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": map[string]any{"name": "hellochaos",
		"annotations": map[string]any{"hellochaos.dev/process": "elsewhere/7"}}, "spec": map[string]any{"holderIdentity": "b-good", "renewTime": "2026-01-02T03:04:05.000000Z"}})
	got = execute(t, append([]string{"restore", "--all", "--now"}, flags...)...)
	for _, want := range []string{"taking the lease from run b-good (elsewhere/7) without waiting, because of --now\n", "run b-good: 0 objects were read back"} {
		if got.code != reports.ExitNotRestored || !strings.Contains(got.stdout, want) {
			t.Errorf("restore: exit %d, want 5 and %q\n%s%s", got.code, want, got.stdout, got.stderr)
		}
	}
	if n := strings.Count(got.stderr, "is refused: nothing that it calls for was done, and it was kept"); n != 3 {
		t.Errorf("restore refuses %d journals, want 3:\n%s", n, got.stderr)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(l.objects) != 3 || l.objects[lease] != nil {
		t.Errorf("there are %d objects, want the three journals that were refused", len(l.objects))
	}
}

// Nothing is left in a namespace that does not exist, and restore says so.
func TestRestoreInNoNamespace(t *testing.T) {
	l := &left{objects: map[string]map[string]any{}}
	flags := l.connected(t)
	got := execute(t, append([]string{"restore", "--all", "--now"}, append(flags[:len(flags)-1], "nowhere")...)...)
	if got.code != reports.ExitPass || got.stdout != "namespace nowhere: there is nothing to put back\n" {
		t.Errorf("exit %d, want 0\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestCountDownIsForTerminals(t *testing.T) {
	var pipe bytes.Buffer
	show := countDown(&pipe)
	show(30e9)
	show(0)
	if pipe.Len() != 0 {
		t.Errorf("a pipe got %q, want nothing", &pipe)
	}
}
