package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

// Close implements target.Target. It puts every object back as it was, reads it back, and checks that the proxies obey and that
// the chain answers as before. Then it gives the lease back. What could not be put back stays in the journal; the error names it
// and says why, and RestoreCommand tries again. When the lease is lost, this process puts nothing more back: the new holder of
// the lease may be doing so, or may have changed the objects for another run.
func (r *Run) Close(ctx context.Context) (target.Restoration, error) {
	defer r.journal.close()
	r.shut()
	recs := append(slices.Clone(r.known), r.workers...)
	for _, kind := range r.probeKinds() {
		if probe := r.probes[reference{kind, r.cluster.namespace, probeName}]; probe != nil { // an attack by workers has none
			recs = append(recs, probe)
		}
	}
	held, done := r.whileHeld(ctx)
	defer done()
	restored, err := r.cluster.putBack(held, r, recs)
	return restored, errors.Join(err, r.lease.release(ctx))
}

// whileHeld is a context that ends with ctx, or as soon as the lease is lost. In the second case its cause is the loss.
func (r *Run) whileHeld(ctx context.Context) (held context.Context, done func()) {
	held, end := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.gone, func() { end(context.Cause(r.gone)) })
	if r.gone.Err() != nil {
		end(context.Cause(r.gone)) // AfterFunc runs later, in a goroutine of its own
	}
	return held, func() {
		stop()
		end(nil)
	}
}

// Edits decides what a restore does with an object that somebody else has changed since the run wrote it.
type Edits string

const (
	// RefuseEdits leaves the object as it is, and makes the restore return an error.
	RefuseEdits Edits = ""
	// KeepEdits leaves the object as somebody else made it, and removes it from what must be put back.
	KeepEdits Edits = "keep"
	// OverwriteEdits puts the object back as it was before the run.
	OverwriteEdits Edits = "overwrite"
)

// Restore puts back what a run has changed. It needs only the journal in the cluster. A journal that no run of this namespace
// can have written is refused, and kept. The run must be dead: either it has given back its lease, or Restore waits for the
// duration of a lease and sees no renewal. now means that the user knows that the run is dead, so Restore does not wait.
func (c *Cluster) Restore(ctx context.Context, name string, edited Edits, now bool) (target.Restoration, error) {
	if _, err := c.storedJournal(ctx, name); err != nil {
		return target.Restoration{}, err
	}
	gone, lost := context.WithCancelCause(context.WithoutCancel(ctx))
	defer lost(nil)
	l, err := c.inherit(ctx, restoring(name), now, lost)
	if err != nil {
		return target.Restoration{}, err
	}
	r := &Run{cluster: c, name: name, lease: l, gone: gone, edited: edited}
	held, done := r.whileHeld(ctx)
	defer done()
	restored, err := r.restoreAll(held)
	if err == nil {
		err = removeLocal(name)
	}
	return restored, errors.Join(err, l.release(ctx))
}

// restoring is the beginning of the name under which a restore of a run holds the lease.
func restoring(run string) string { return "restore-" + run }

// restoreAll puts back everything that a journal records. It reads the journal again now that it has the lease, since the run
// may have gone on until then.
func (r *Run) restoreAll(ctx context.Context) (target.Restoration, error) {
	stored, err := r.cluster.storedJournal(ctx, r.name)
	if errors.Is(err, errNoJournal) {
		return target.Restoration{Detail: "the run has put everything back itself in the meantime"}, nil
	}
	if err != nil {
		return target.Restoration{}, err
	}
	r.journal = &journal{cluster: r.cluster, run: r.name, version: stored.version, stored: len(stored.text)}
	r.journal.text.WriteString(stored.text)
	if made := madeBy(stored.lines); len(made) > 0 {
		return r.removeScratch(ctx, made)
	}
	r.steady = stored.lines[0].Run.Steady
	recs := records(stored.lines)
	r.routed = slices.ContainsFunc(recs, func(rec *record) bool {
		return rec.reference == reference{routeKind, r.cluster.namespace, probeName}
	})
	return r.cluster.putBack(ctx, r, recs)
}

// storedJournal is a journal as it is stored in the cluster.
type storedJournal struct {
	text, version string
	lines         []line
}

// errNoJournal says that no journal of a run exists.
var errNoJournal = errors.New("'hellochaos status' lists the runs that have a journal")

// storedJournal reads the journal of a run. The error is an errNoJournal when it does not exist, and a
// refusedError when it cannot be trusted or read.
func (c *Cluster) storedJournal(ctx context.Context, run string) (*storedJournal, error) {
	if wrong := validation.IsDNS1123Subdomain(run); len(wrong) > 0 {
		return nil, fmt.Errorf("%q cannot be the name of a run: %s; %w", run, strings.Join(wrong, "; "), errNoJournal)
	}
	var stored *corev1.ConfigMap
	err := c.again(ctx, "reading the journal of run "+run, func(ctx context.Context) (err error) {
		stored, err = c.core.CoreV1().ConfigMaps(c.namespace).Get(ctx, journalPrefix+run, metav1.GetOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("namespace %s holds no journal of a run %s: %w", c.namespace, run, errNoJournal)
	}
	if err != nil {
		return nil, err
	}
	lines, err := c.readStored(run, stored.Data[journalKey])
	if err != nil {
		return nil, err
	}
	return &storedJournal{text: stored.Data[journalKey], version: stored.ResourceVersion, lines: lines}, nil
}

// removeLocal removes the journal's file, if it is on this machine.
func removeLocal(name string) error {
	folder, err := journalFolder()
	if err != nil {
		return nil // without a folder there is no file
	}
	if err := os.Remove(filepath.Join(folder, name+".jsonl")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the journal's file: %w", err)
	}
	return nil
}

// pointedAt are the kinds of objects to which rules refer.
var pointedAt = []string{"Service", "ServiceEntry", "DestinationRule", "Gateway", gatewayKind}

// putBack restores every object that it can. If all are as they were, it checks the proxies and the chain, and removes the
// journal.
func (c *Cluster) putBack(ctx context.Context, r *Run, recs []*record) (target.Restoration, error) {
	var probes []*record
	workers := false
	objects := slices.DeleteFunc(slices.Clone(recs), func(rec *record) bool {
		probe := rec.reference.Name == probeName
		if probe {
			probes = append(probes, rec)
		}
		worker := ofWorkers(rec.reference)
		workers = workers || worker
		return probe || worker
	})
	var removed error // first of all, so that no load meets rules that are put back
	if workers {
		removed = r.removeWorkers(ctx)
	}
	restored, problems := r.restoreObjects(ctx, objects)
	problems = slices.DeleteFunc(append(problems, removed), func(err error) bool { return err == nil })
	seen := ""
	if len(problems) == 0 && len(recs) > len(workerKinds) {
		var err error
		if seen, err = r.seen(ctx); err != nil {
			problems = append(problems, err)
		}
	}
	for _, rec := range slices.Backward(probes) {
		if ctx.Err() == nil {
			problems = append(problems, c.removeProbe(ctx, rec.reference))
		}
	}
	if ctx.Err() != nil {
		problems = []error{fmt.Errorf("%d of %d objects were put back: %w", restored, len(objects), context.Cause(ctx))}
	}
	if err := errors.Join(problems...); err != nil {
		// The line about the last write is not stored yet. If the journal has no room for it, the stored line about the beginning
		// of this write is enough.
		var full *fullError
		if flushed := r.journal.flush(ctx); ctx.Err() == nil && !errors.As(flushed, &full) {
			err = errors.Join(err, flushed)
		}
		return target.Restoration{Objects: restored}, fmt.Errorf("%w\nthe journal still holds what was not put back; to try again, type: %s (with --edited=keep or --edited=overwrite if somebody else has changed an object)",
			err, r.RestoreCommand())
	}
	done := target.Restoration{Objects: restored, Detail: fmt.Sprintf("%d objects were read back as they were before the run; %s", restored, seen)}
	switch {
	case workers && seen == "":
		done.Detail = "the workers are gone, with their Job and ConfigMap, and nothing else was changed"
	case workers:
		done.Detail += "; the workers are gone, with their Job and ConfigMap"
	}
	return done, r.journal.remove(ctx)
}

// restoreObjects first puts back the objects that existed before the run, and then removes those that did not, so that no rule
// refers to a missing object in between. If an object could not be put back, it keeps the objects of the run to which that
// object may refer. It stops when ctx ends.
func (r *Run) restoreObjects(ctx context.Context, recs []*record) (restored int, problems []error) {
	restore := func(rec *record) {
		if ctx.Err() != nil {
			return
		}
		if err := r.restore(ctx, rec); err != nil {
			problems = append(problems, err)
		} else {
			restored++
		}
	}
	for _, rec := range recs {
		if rec.before != nil {
			restore(rec)
		}
	}
	var left []string
	for _, rec := range slices.Backward(recs) {
		switch {
		case rec.before != nil:
		case len(problems) > 0 && rec.ours != nil && slices.Contains(pointedAt, rec.reference.Kind):
			left = append(left, rec.reference.String())
		default:
			restore(rec)
		}
	}
	if len(left) > 0 {
		problems = append(problems, fmt.Errorf("%s: not removed either, since an object that was not put back may refer to it", strings.Join(left, ", ")))
	}
	return restored, problems
}

// restore puts one object back and reads it back.
func (r *Run) restore(ctx context.Context, rec *record) error {
	before := contentOf(rec.before)
	return r.cluster.again(ctx, "putting back "+rec.reference.String(), func(ctx context.Context) error {
		if err := r.lease.check(ctx); err != nil {
			return err
		}
		live, err := r.cluster.get(ctx, rec.reference)
		if err != nil {
			return err
		}
		if terminating(live) {
			return &terminatingError{rec.reference, live.GetFinalizers()} // its present state will be gone in a moment
		}
		now, ours := contentOf(live), rec.ours
		if rec.begun(now) {
			if ours = rec.pending.Content; ours != nil {
				ours["spec"] = now["spec"] // with the node ports that the server chose
			}
		}
		merged, conflicts := putBack(before, ours, now)
		switch {
		case len(conflicts) == 0:
		case r.edited == KeepEdits:
			merged = now
		case r.edited == OverwriteEdits:
			merged = before
		default:
			return &editedError{rec.reference, lastManager(live), conflicts}
		}
		if merged.equal(now) {
			return r.cluster.disown(ctx, rec, live)
		}
		if err := r.cluster.replace(ctx, rec, live, merged); err != nil {
			return err
		}
		// This conflict makes again call the function once more, to read the object back.
		return apierrors.NewConflict(r.cluster.resource(rec.reference.Kind).GroupResource(), rec.reference.Name, errors.New("it was written, and must still be read back"))
	})
}

// replace writes the merged content to an object: it deletes, creates or updates the object.
func (c *Cluster) replace(ctx context.Context, rec *record, live *unstructured.Unstructured, merged content) error {
	switch {
	case merged == nil:
		_, err := c.remover(rec.reference, live)(ctx, nil)
		return err
	case live == nil:
		fresh := rec.before.DeepCopy()
		for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"} {
			unstructured.RemoveNestedField(fresh.Object, "metadata", field)
		}
		_, err := c.at(rec.reference).Create(ctx, fresh, metav1.CreateOptions{FieldManager: manager})
		return err
	default:
		next := live.DeepCopy()
		next.SetManagedFields(nil)
		merged.into(next)
		_, err := c.at(rec.reference).Update(ctx, next, metav1.UpdateOptions{FieldManager: manager})
		return err
	}
}

// disown gives the fields of an object that is as it was back to the field managers that had set them. Otherwise the next apply
// of the object would report a conflict with this program.
func (c *Cluster) disown(ctx context.Context, rec *record, live *unstructured.Unstructured) error {
	if live == nil || !contentOf(live).equal(contentOf(rec.before)) || !slices.ContainsFunc(live.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == manager }) {
		return nil
	}
	was := rec.before.GetManagedFields()
	if len(was) == 0 {
		was = []metav1.ManagedFieldsEntry{{}} // an API server forgets all field managers when it gets one empty entry
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": live.GetResourceVersion(), "managedFields": was}})
	if err != nil {
		return err
	}
	_, err = c.at(rec.reference).Patch(ctx, rec.reference.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: manager})
	return err
}

// removeProbe removes an object of a probe. Nobody else uses it, so it is removed whoever has changed it.
func (c *Cluster) removeProbe(ctx context.Context, ref reference) error {
	return c.again(ctx, "removing "+ref.String(), func(ctx context.Context) error {
		err := c.at(ref).Delete(ctx, ref.Name, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		live, err := c.get(ctx, ref)
		if live != nil {
			return &terminatingError{ref, live.GetFinalizers()}
		}
		return err
	})
}

// seen checks the restored rules from outside: every proxy of the chain must hold what the API server holds, and the chain must
// answer as it did before the run. It returns a sentence about what it saw.
func (r *Run) seen(ctx context.Context) (string, error) {
	if r.steady == "" {
		return "how the chain answers was not compared, since the chain had no pod that could be asked", nil
	}
	if r.rules == nil {
		// A restore has only the journal, which does not name the Deployments of the chain; the application's manifests do.
		rules, err := manifests.Read(manifests.Application())
		if err != nil {
			return "", err
		}
		r.rules = rules
	}
	p := &probe{nonce: nonce(), namespace: r.cluster.namespace, routed: r.routed}
	if err := r.writeProbe(ctx, p); err != nil {
		return "", err
	}
	if err := r.converge(ctx, p, p.visible()); err != nil {
		return "", err
	}
	steady, err := r.cluster.steadyState(ctx, r.rules)
	if err != nil {
		return "", err
	}
	if !overlap(steady, r.steady) {
		return "", fmt.Errorf("all objects are as they were, but the chain now answers %s, and before the run it answered %s: look for something else that has changed", steady, r.steady)
	}
	return "every proxy obeys the restored rules, and the chain answers " + steady + ", hop by hop, as before the run", nil
}

// overlap reports whether two sets of answers have an answer in common. They need not be equal: if the restored rules have random
// results, two samples of answers may differ.
func overlap(a, b string) bool {
	was := strings.Split(b, " or ")
	return slices.ContainsFunc(strings.Split(a, " or "), func(s string) bool { return slices.Contains(was, s) })
}
