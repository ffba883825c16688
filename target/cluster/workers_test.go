package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	jobPath    = "/apis/batch/v1/namespaces/shop/jobs/" + workersName
	ordersMap  = "/api/v1/namespaces/shop/configmaps/" + workersName
	workerPods = "/api/v1/namespaces/shop/pods/"
)

// runPods does what the controller of a Job and a kubelet do: as soon as there is a Job of two workers, its pods have run and ended with these
// exit codes.
func runPods(s *apiServer, codes ...int) {
	s.react = func(o *unstructured.Unstructured) {
		if o.GetKind() != "Job" {
			return
		}
		for i, code := range codes {
			pod := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod",
				"status": map[string]any{"phase": "Running", "containerStatuses": []any{map[string]any{"name": "worker",
					"state": map[string]any{"terminated": map[string]any{"exitCode": int64(code), "reason": "Error"}}}}}}}
			pod.SetName(fmt.Sprintf("w-%d", i))
			pod.SetNamespace("shop")
			pod.SetLabels(map[string]string{"job-name": workersName, indexLabel: fmt.Sprint(i)})
			if s.objects[workerPods+pod.GetName()] == nil {
				s.store(workerPods+pod.GetName(), pod)
			}
		}
	}
}

// The workers of load are a Job and a ConfigMap, which the journal names before they are made, and which are gone at the end.
func TestCrew(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 10*time.Second)
	c.options.Workers, c.options.WorkersImage = 2, "hellochaos:1"
	s.logs = "one\ntwo\ncut o"
	runPods(s, 0, 137)
	r, err := c.BeginLoad(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	journal, _, _ := unstructured.NestedString(s.at(journalPath+r.Name()).Object, "data", journalKey)
	if !strings.Contains(journal, `"format":3`) || !strings.Contains(journal, `{"kind":"Job","namespace":"shop","name":"hellochaos-workers"}`) {
		t.Errorf("the journal is\n%s", journal)
	}
	w := r.Crew()
	if err := w.Start(t.Context(), "plan.gz", []byte("order"), time.Minute); err != nil {
		t.Fatal(err)
	}
	image, _, _ := unstructured.NestedSlice(s.at(jobPath).Object, "spec", "template", "spec", "containers")
	if got := fmt.Sprint(image); !strings.Contains(got, "image:hellochaos:1") || !strings.Contains(got, "$(JOB_COMPLETION_INDEX)") {
		t.Errorf("the container is %s", got)
	}
	for index, want := range []string{"", "its container in pod w-1 ended with exit code 137 (Error)"} {
		var lines []string
		err := w.Follow(t.Context(), index, func(line []byte) error { lines = append(lines, string(line)); return nil })
		if got := fmt.Sprint(err); want != "" && got != want || want == "" && err != nil || !slices.Equal(lines, []string{"one", "two"}) {
			t.Errorf("worker %d wrote %q and ended with %v", index, lines, err)
		}
	}
	if err := w.Tell(t.Context(), "begin", "[1,2]"); err != nil {
		t.Fatal(err)
	}
	told, _, _ := unstructured.NestedString(s.at(ordersMap).Object, "data", "begin")
	if told != "[1,2]" || s.at(workerPods + "w-1").GetAnnotations()[toldAnnotation] != "1" {
		t.Errorf("the ConfigMap has %q, and the pod %v", told, s.at(workerPods+"w-1").GetAnnotations())
	}
	done, err := r.Close(t.Context())
	if err != nil || !strings.Contains(done.Detail, "the workers are gone") {
		t.Errorf("%+v, %v", done, err)
	}
	if left := slices.DeleteFunc(s.paths(), func(p string) bool { return strings.HasPrefix(p, workerPods) }); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

// A restore of a killed command removes the workers that the command has made, and those of nobody else.
func TestRestoreOfWorkers(t *testing.T) {
	for _, c := range []struct{ madeFor, want string }{{"r1", ""}, {"r2", "Job hellochaos-workers was not made by run r1"}} {
		t.Setenv("XDG_STATE_HOME", t.TempDir())
		s, cluster, _ := newAPIServer(t, 5*time.Second)
		head := headOf("r1")
		head.Run.Format = workersFormat
		putJournal(t, s, "r1", written(head, line{Before: &snapshot{Reference: reference{"Job", "shop", workersName}}}, line{Before: &snapshot{Reference: reference{"ConfigMap", "shop", workersName}}}))
		for _, path := range []string{jobPath, ordersMap} {
			s.put(t, path, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, madeForRun, c.madeFor))
		}
		left := cluster.leftoversOf(t)
		if len(left) != 2 {
			t.Errorf("status names %q as changed, want both", left)
		}
		_, err := cluster.Restore(t.Context(), "r1", RefuseEdits, true)
		switch {
		case c.want == "" && (err != nil || len(s.paths()) > 0):
			t.Errorf("%v, %q is left", err, s.paths())
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || s.at(jobPath) == nil || s.at(journalPath+"r1") == nil):
			t.Errorf("%v, and there is %q", err, s.paths())
		}
	}
}

// leftoversOf are the objects that status names as changed.
func (c *Cluster) leftoversOf(t *testing.T) (changed []string) {
	t.Helper()
	all, err := c.Leftovers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		changed = append(changed, all[i].Changed...)
	}
	return changed
}
