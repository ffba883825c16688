package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
)

const (
	journalPath = "/api/v1/namespaces/shop/configmaps/" + journalPrefix
	shopRules   = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices/"
)

// putJournal stores a journal of these lines as the ConfigMap of a run, with no label but the run's.
func putJournal(t *testing.T, s *apiServer, run, text string) {
	t.Helper()
	object, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{runLabel: run}}, "data": map[string]any{journalKey: text}})
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, journalPath+run, string(object))
}

func headOf(run string) line {
	return line{Run: &header{Format: journalFormat, Name: run, Namespace: "shop", Version: "1.0", Command: []string{"hellochaos", "run"}}}
}

// rule is a VirtualService of namespace shop with a number in its spec.
func rule(name string, n int) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"name": name, "namespace": "shop"}}}
	policy(n).into(u)
	return u
}

// putRule stores it on the server.
func putRule(t *testing.T, s *apiServer, name string, n int) {
	t.Helper()
	text, err := rule(name, n).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, shopRules+name, string(text))
}

// changedRule are the lines of a run that has made a 2 of a rule that was a 1.
func changedRule(name string) []line {
	ref := nameOf(rule(name, 1))
	return []line{{Before: &snapshot{ref, rule(name, 1).Object}}, {Intent: &outcome{ref, policy(2)}}, {Done: &outcome{ref, policy(2)}}}
}

func TestRestorePutsBackFromTheClusterAlone(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 10*time.Second)
	putRule(t, s, "middleware", 2)
	made := reference{"VirtualService", "shop", "backend"}
	putRule(t, s, "backend", 3)
	lines := append([]line{headOf("r1")}, changedRule("middleware")...)
	putJournal(t, s, "r1", written(append(lines, line{Before: &snapshot{Reference: made}}, line{Intent: &outcome{made, policy(3)}})...))
	done, err := c.Restore(t.Context(), "r1", RefuseEdits, false)
	if err != nil || done.Objects != 2 {
		t.Fatalf("got %+v, %v, want 2 objects put back", done, err)
	}
	if got := contentOf(s.at(shopRules + "middleware")); !got.equal(policy(1)) {
		t.Errorf("middleware is %v, want %v", got, policy(1))
	}
	if got := s.paths(); !slices.Equal(got, []string{shopRules + "middleware"}) {
		t.Errorf("after the restore there is %q, want middleware alone: no backend, no journal, no lease", got)
	}
	_, err = c.Restore(t.Context(), "r1", RefuseEdits, false)
	expectError(t, err, "namespace shop holds no journal of a run r1", "hellochaos status")
	_, err = c.Restore(t.Context(), "../../secrets/x", RefuseEdits, false)
	expectError(t, err, "cannot be the name of a run")
}

// Nothing of a journal is executed that no run of the namespace can have written, not even the part of it that one could
// have.
func TestRestoreRefusesAPlantedJournal(t *testing.T) {
	privileged := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "evil", "namespace": "kube-system"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{
			"name": "evil", "image": "evil", "securityContext": map[string]any{"privileged": true}}}}}}}
	before := func(kind, namespace, name string, was map[string]any) line {
		return line{Before: &snapshot{reference{kind, namespace, name}, was}}
	}
	service := func(change func(u *unstructured.Unstructured)) map[string]any {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "frontend", "namespace": "shop"}}}
		change(u)
		return u.Object
	}
	for _, c := range []struct {
		name  string
		lines []line
		want  string
	}{
		{"a privileged Deployment", []line{headOf("x"), before("Deployment", "kube-system", "evil", privileged)}, `line 5: "Deployment" "evil" in namespace "kube-system": a run changes only objects of its own namespace, which is "shop"`},
		{"a Deployment in the namespace", []line{headOf("x"), before("Deployment", "shop", "evil", privileged)}, `"Deployment" "evil" in namespace "shop": a run changes only objects of these kinds: Service, Sidecar, ServiceEntry, DestinationRule, Gateway, VirtualService`},
		{"the end of a namespace", []line{headOf("x"), before("Namespace", "", "prod", nil)}, `"Namespace" "prod" in namespace ""`},
		{"the end of a namespace, as if it were in one", []line{headOf("x"), before("Namespace", "shop", "prod", nil)}, `"Namespace" "prod" in namespace "shop"`},
		{"a rule of another namespace", []line{headOf("x"), before("VirtualService", "prod", "middleware", nil)}, `in namespace "prod"`},
		{"an unknown kind", []line{headOf("x"), before("Secret", "shop", "token", nil)}, `"Secret" "token"`},
		{"a path for a name", []line{headOf("x"), before("Service", "shop", "../../../namespaces/prod", nil)}, "this cannot be the name of an object"},
		{"what it was is another kind", []line{headOf("x"), before("Service", "shop", "frontend", service(func(u *unstructured.Unstructured) { u.SetKind("Secret") }))}, `the object that is recorded as its former state is another one: "Secret" "frontend" in namespace "shop" of apiVersion "v1"`},
		{"what it was is of another group", []line{headOf("x"), before("Service", "shop", "frontend", service(func(u *unstructured.Unstructured) { u.SetAPIVersion("serving.knative.dev/v1") }))}, `apiVersion "serving.knative.dev/v1"`},
		{"what it was stands elsewhere", []line{headOf("x"), before("Service", "shop", "frontend", service(func(u *unstructured.Unstructured) { u.SetNamespace("prod") }))}, `"Service" "frontend" in namespace "prod"`},
		{"what it was stands nowhere", []line{headOf("x"), before("Service", "shop", "frontend", service(func(u *unstructured.Unstructured) { u.SetNamespace("") }))}, `in namespace ""`},
		{"what it was has another name", []line{headOf("x"), before("Service", "shop", "frontend", service(func(u *unstructured.Unstructured) { u.SetName("backend") }))}, `"Service" "backend"`},
		{"a write of what was never written down", []line{headOf("x"), {Done: &outcome{reference{"Namespace", "", "prod"}, policy(1)}}}, `this line records a change of "Namespace" "prod" in namespace "", but no earlier line records what the object was before`},
		{"a beginning of a write of what was never written down", []line{headOf("x"), {Intent: &outcome{reference{"VirtualService", "shop", "other"}, nil}}}, "no earlier line records what the object was before"},
		{"an object twice", []line{headOf("x"), before("Service", "shop", "a", nil), before("Service", "shop", "a", nil)}, "was already recorded by an earlier line"},
		{"of another run", []line{headOf("y")}, `this is the journal of run "y" in namespace "shop", but it is stored as that of run "x" in namespace "shop"`},
		{"of another namespace", []line{{Run: &header{Format: journalFormat, Name: "x", Namespace: "prod"}}}, `in namespace "prod"`},
		{"two beginnings", []line{headOf("x"), headOf("x")}, "this line begins a second journal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, cluster, _ := newAPIServer(t, 10*time.Second)
			s.put(t, "/api/v1/namespaces/prod", `{}`)
			putRule(t, s, "middleware", 2)
			lines := append(slices.Clone(c.lines[:1]), append(changedRule("middleware"), c.lines[1:]...)...)
			putJournal(t, s, "x", written(lines...))
			there := s.paths()
			_, err := cluster.Restore(t.Context(), "x", OverwriteEdits, true)
			expectError(t, err, c.want, "refused: nothing that it calls for was done, and it was kept", "kubectl delete configmap hellochaos-run-x -n shop")
			if len(s.writes) != 0 || !slices.Equal(s.paths(), there) {
				t.Errorf("it wrote %q, want nothing", s.writes)
			}
		})
	}
}

// What this program does not know of a journal would not be put back, so the journal must not be removed.
func TestRestoreKeepsWhatItCannotRead(t *testing.T) {
	whole := written(append([]line{headOf("x")}, changedRule("middleware")...)...)
	for name, c := range map[string]struct{ text, want string }{
		"a newer format":  {strings.Replace(whole, `"format":1,`, `"format":4,`, 1), `hellochaos "1.0" wrote the journal in format 4`},
		"an unknown line": {whole + `{"moved":{}}` + "\n", `line 5: "moved" is not a kind of line`},
		"damage":          {strings.Replace(whole, `"intent"`, `"int`, 1), "line 3"},
		"no text":         {"", "does not name the run that wrote it"},
	} {
		t.Run(name, func(t *testing.T) {
			s, cluster, _ := newAPIServer(t, 10*time.Second)
			putRule(t, s, "middleware", 2)
			putJournal(t, s, "x", c.text)
			_, err := cluster.Restore(t.Context(), "x", RefuseEdits, false)
			expectError(t, err, c.want, "it was kept")
			if s.at(journalPath+"x") == nil || len(s.writes) != 0 {
				t.Errorf("the journal is gone, or something was written: %q", s.writes)
			}
		})
	}
}

// A journal that nobody can use hides neither the others nor itself, and whether its ConfigMap has our other label does not
// matter.
func TestDamagedJournalBesideGood(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 10*time.Second)
	putRule(t, s, "middleware", 2)
	putJournal(t, s, "a-damaged", "{")
	putJournal(t, s, "b-good", written(append([]line{headOf("b-good")}, changedRule("middleware")...)...))
	putJournal(t, s, "c-future", strings.Replace(written(headOf("c-future")), `"format":1`, `"format":9`, 1))
	left, err := c.Leftovers(t.Context())
	if err != nil || len(left) != 3 {
		t.Fatalf("got %+v, %v, want three", left, err)
	}
	expectError(t, left[0].Problem, "does not name the run that wrote it")
	expectError(t, left[2].Problem, "format 9")
	if good := left[1]; good.Problem != nil || good.Name != "b-good" || good.Command != "hellochaos run" || !slices.Equal(good.Changed, []string{"VirtualService middleware"}) {
		t.Errorf("got %+v, want the good one with its change", good)
	}
	names, err := c.Unrestored(t.Context())
	if want := []string{"a-damaged", "b-good", "c-future"}; err != nil || !slices.Equal(names, want) {
		t.Fatalf("got %q, %v, want %q", names, err, want)
	}
	expectError(t, c.unfinished(t.Context(), ""), "run a-damaged was not put back", "run b-good was not put back", "run c-future was not put back")
	if _, err := c.Restore(t.Context(), "b-good", RefuseEdits, false); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(s.at(shopRules + "middleware")); !got.equal(policy(1)) {
		t.Errorf("middleware is %v, want %v", got, policy(1))
	}
}

// running is a run that holds the lease and whose journal is as begun.
func running(t *testing.T, c *Cluster, recs ...*record) *Run {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	r := &Run{cluster: c, name: "r1", known: recs, probes: map[reference]*record{}}
	gone, lost := context.WithCancelCause(context.WithoutCancel(t.Context()))
	t.Cleanup(func() { lost(nil) })
	r.gone = gone
	var err error
	if r.lease, err = c.acquire(t.Context(), r.name, lost); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.lease.stop(); r.lease.ended.Wait() })
	var before []snapshot
	for _, rec := range recs {
		before = append(before, snapshot{rec.reference, rec.before.Object})
	}
	for _, kind := range []string{"ServiceEntry", "DestinationRule", "Gateway", "VirtualService"} {
		rec := &record{reference: reference{kind, "shop", probeName}}
		r.probes[rec.reference] = rec
		before = append(before, snapshot{Reference: rec.reference})
	}
	if r.journal, err = c.newJournal(t.Context(), header{Name: r.name, Namespace: "shop"}, before); err != nil {
		t.Fatal(err)
	}
	return r
}

// recordOf is a record of a rule as it is.
func recordOf(u *unstructured.Unstructured) *record {
	return &record{reference: nameOf(u), before: u, ours: contentOf(u)}
}

// A run whose journal gets full stops before the write that it could not write down, and puts everything back; if it is
// killed instead, a restore does.
func TestFullJournalEnds(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %v", killed), func(t *testing.T) {
			s, c, _ := newAPIServer(t, 10*time.Second)
			putRule(t, s, "middleware", 1)
			r := running(t, c, recordOf(s.at(shopRules+"middleware")))
			writes := 0
			var err error
			for n := 2; err == nil; n++ {
				u := rule("middleware", n)
				u.SetLabels(map[string]string{"large": strings.Repeat("x", 40<<10)})
				if _, err = r.change(t.Context(), r.known[0], u); err == nil {
					writes++
				}
			}
			var full *fullError
			if !errors.As(err, &full) || writes < 5 {
				t.Fatalf("after %d writes: %v, want that the journal is full", writes, err)
			}
			if stored := s.at(journalPath + "r1"); len(stored.Object["data"].(map[string]any)[journalKey].(string)) > mostJournal {
				t.Error("the journal that was stored is larger than it may be")
			}
			small := rule("middleware", 1000)
			small.SetLabels(map[string]string{"large": "no"})
			if _, err := r.change(t.Context(), r.known[0], small); err != nil {
				t.Errorf("a write for which there is room: %v", err)
			}
			if killed {
				r.lease.stop()
				r.lease.ended.Wait()
				r.journal.close()
				_, err = c.Restore(t.Context(), "r1", RefuseEdits, true)
			} else {
				_, err = r.Close(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.paths(); !slices.Equal(got, []string{shopRules + "middleware"}) || !contentOf(s.at(got[0])).equal(policy(1)) {
				t.Errorf("there is %q, want middleware alone, as it was", got)
			}
		})
	}
}

// A journal that is full to its last byte, of a run that was killed, is restored.
func TestRestoreOfAJournalWithoutRoom(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 10*time.Second)
	lines := append([]line{headOf("r1")}, changedRule("middleware")...)
	filling := line{Done: &outcome{lines[1].Before.Reference, content{"labels": map[string]any{"large": ""}}}}
	lines = append(lines, filling, line{Done: &outcome{lines[1].Before.Reference, policy(2)}})
	filling.Done.Content["labels"].(map[string]any)["large"] = strings.Repeat("x", mostJournal-len(written(lines...)))
	text := written(lines...)
	putRule(t, s, "middleware", 2)
	putJournal(t, s, "r1", text)
	if _, err := c.Restore(t.Context(), "r1", RefuseEdits, false); err != nil {
		t.Fatalf("a journal of %d bytes: %v", len(text), err)
	}
	if got := contentOf(s.at(shopRules + "middleware")); !got.equal(policy(1)) || s.at(journalPath+"r1") != nil {
		t.Errorf("middleware is %v, want %v, and no journal", got, policy(1))
	}
}

func TestJournalThatIsTooLargeFromTheStart(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("XDG_STATE_HOME", folder)
	s, c, _ := newAPIServer(t, 10*time.Second)
	u := rule("middleware", 1)
	u.SetLabels(map[string]string{"large": strings.Repeat("x", mostJournal)})
	_, err := c.newJournal(t.Context(), header{Name: "r1"}, []snapshot{{nameOf(u), u.Object}})
	expectError(t, err, "would need", "its ConfigMap has room for 1024000", "run fewer stages at a time")
	if len(s.writes) != 0 {
		t.Errorf("it wrote %q", s.writes)
	}
}

// An object that somebody deletes looks as it was before the run, and will not be there in a moment: its end is waited for,
// and then it is made anew, if the user wants that.
func TestTerminatingObjectIsNotRestoredYet(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, _ := newAPIServer(t, 20*time.Second)
	u := rule("middleware", 1)
	u.SetFinalizers([]string{"example.com/slow"})
	u.SetDeletionTimestamp(new(metav1.Now()))
	text, err := u.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, shopRules+"middleware", string(text))
	putJournal(t, s, "r1", written(append([]line{headOf("r1")}, changedRule("middleware")...)...))
	left, err := c.Leftovers(t.Context())
	if err != nil || len(left) != 1 || !slices.Equal(left[0].Changed, []string{"VirtualService middleware"}) {
		t.Errorf("got %+v, %v, want that middleware is not as it was", left, err)
	}
	reads := 0
	s.read = func(path string, _ *unstructured.Unstructured) {
		if path == shopRules+"middleware" {
			if reads++; reads == 3 { // its finalizer has done its work
				s.remove(path)
			}
		}
	}
	_, err = c.Restore(t.Context(), "r1", RefuseEdits, false)
	expectError(t, err, "VirtualService middleware was changed by somebody who removed it since the run last wrote or read it")
	if _, err := c.Restore(t.Context(), "r1", OverwriteEdits, false); err != nil {
		t.Fatal(err)
	}
	live := s.at(shopRules + "middleware")
	if live == nil || terminating(live) || !contentOf(live).equal(policy(1)) {
		t.Errorf("middleware is %v after %d reads, want it as it was, and not being deleted", live, reads)
	}
}

// What the run made and what a finalizer holds is not taken away yet.
func TestTerminatingObjectThatStays(t *testing.T) {
	s, c, _ := newAPIServer(t, 2*time.Second)
	made := rule("backend", 3)
	made.SetFinalizers([]string{"example.com/slow"})
	text, err := made.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, shopRules+"backend", string(text))
	ref := nameOf(made)
	putJournal(t, s, "r1", written(headOf("r1"), line{Before: &snapshot{Reference: ref}}, line{Done: &outcome{ref, policy(3)}}))
	_, err = c.Restore(t.Context(), "r1", RefuseEdits, false)
	expectError(t, err, "VirtualService backend is being deleted, but its finalizers still keep it: the controllers that set example.com/slow must remove them", "hellochaos restore r1")
	if s.at(journalPath+"r1") == nil {
		t.Error("the journal is gone, though backend is still there")
	}
	if diff := cmp.Diff([]string{"DELETE " + shopRules + "backend"}, slices.DeleteFunc(slices.Clone(s.writes), func(w string) bool { return strings.Contains(w, "/leases") || strings.HasPrefix(w, http.MethodPut) })); diff != "" {
		t.Errorf("it was asked for more than once (-want +got):\n%s", diff)
	}
}
