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

// Close implements target.Target: every object is put back as it was, read back, and the proxies and the chain are asked. It
// is done under a lease that is given back in the end. What could not be put back stays in the journal, and the error says
// what and why; RestoreCommand tries again. When the lease is lost nothing more is put back by this process: whoever has
// the lease may be doing it, or may have changed the objects for another run.
func (r *Run) Close(ctx context.Context) (target.Restoration, error) {
	defer r.journal.close()
	r.shut()
	recs := slices.Clone(r.known)
	for _, u := range (&probe{namespace: r.cluster.namespace, selector: map[string]string{}}).objects(r.cluster) {
		recs = append(recs, r.probes[reference{u.GetKind(), u.GetNamespace(), u.GetName()}])
	}
	held, done := r.whileHeld(ctx)
	defer done()
	restored, err := r.cluster.putBack(held, r, recs)
	return restored, errors.Join(err, r.lease.release(ctx))
}

// whileHeld is a context that ends with ctx, and as soon as the lease is lost, which is its cause then.
func (r *Run) whileHeld(ctx context.Context) (held context.Context, done func()) {
	held, end := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.gone, func() { end(context.Cause(r.gone)) })
	if r.gone.Err() != nil {
		end(context.Cause(r.gone)) // AfterFunc runs in its own time
	}
	return held, func() {
		stop()
		end(nil)
	}
}

// Edits is what becomes of an object that another has changed since the run wrote it.
type Edits string

const (
	// RefuseEdits leaves it alone, and is an error.
	RefuseEdits Edits = ""
	// KeepEdits leaves it as the other made it, for good.
	KeepEdits Edits = "keep"
	// OverwriteEdits puts it back as it was before the run.
	OverwriteEdits Edits = "overwrite"
)

// Restore puts back what a run has left, from its journal in the cluster alone. A journal that no run of this namespace can
// have written is refused, and kept. The run must be dead: it has given back its lease, or it has not renewed it for as long
// as a lease lasts, which is waited for; now is the word of the user that it is dead, and nothing is waited for.
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

// restoring begins the names of the holders of the lease that restore a run.
func restoring(run string) string { return "restore-" + run }

// restoreAll puts back all of a journal. It is read again under the lease: until then its run may have gone on.
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
	r.steady = stored.lines[0].Run.Steady
	return r.cluster.putBack(ctx, r, records(stored.lines))
}

// storedJournal is a journal as it is in the cluster.
type storedJournal struct {
	text, version string
	lines         []line
}

// errNoJournal says that there is no journal of a run.
var errNoJournal = errors.New("'hellochaos status' lists the runs that have a journal")

// storedJournal reads the journal of a run. The error is an errNoJournal when there is none, and a refusedError when it is
// not to be believed.
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

// removeLocal removes the journal's file, if this machine is the one that has it.
func removeLocal(name string) error {
	folder, err := journalFolder()
	if err != nil {
		return nil // then there is none
	}
	if err := os.Remove(filepath.Join(folder, name+".jsonl")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the journal's file: %w", err)
	}
	return nil
}

// pointedAt are the kinds that rules point at.
var pointedAt = []string{"Service", "ServiceEntry", "DestinationRule", "Gateway"}

// putBack restores every object that it can, has the proxies and the chain asked, and removes the journal when all of it
// is as it was.
func (c *Cluster) putBack(ctx context.Context, r *Run, recs []*record) (target.Restoration, error) {
	var probes []*record
	objects := slices.DeleteFunc(slices.Clone(recs), func(rec *record) bool {
		probe := rec.reference.Name == probeName
		if probe {
			probes = append(probes, rec)
		}
		return probe
	})
	restored, problems := r.restoreObjects(ctx, objects)
	seen := ""
	if len(problems) == 0 {
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
		// What was done last is still to be written down. A journal that has no room for it says enough: what was begun.
		var full *fullError
		if flushed := r.journal.flush(ctx); ctx.Err() == nil && !errors.As(flushed, &full) {
			err = errors.Join(err, flushed)
		}
		return target.Restoration{Objects: restored}, fmt.Errorf("%w\nthe journal still holds what was not put back; to try again, type: %s (with --edited=keep or --edited=overwrite if somebody else has changed an object)",
			err, r.RestoreCommand())
	}
	done := target.Restoration{Objects: restored, Detail: fmt.Sprintf("%d objects were read back as they were before the run; %s", restored, seen)}
	return done, r.journal.remove(ctx)
}

// restoreObjects puts back first what was there before, then takes away what was not, so that no rule points at nothing in
// between. A rule that another has changed stays, and with it what we made that it may point at. It ends with ctx.
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
			return &terminatingError{rec.reference, live.GetFinalizers()} // what it is now will be gone in a moment
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
		// Once more from the top: it is done when it is read as it should be.
		return apierrors.NewConflict(r.cluster.resource(rec.reference.Kind).GroupResource(), rec.reference.Name, errors.New("it was written, and must still be read back"))
	})
}

// replace makes an object's content what it should be.
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

// disown books the fields of an object that is as it was to those who had set them: otherwise whoever applies it next would
// be told of a conflict with us.
func (c *Cluster) disown(ctx context.Context, rec *record, live *unstructured.Unstructured) error {
	if live == nil || !contentOf(live).equal(contentOf(rec.before)) || !slices.ContainsFunc(live.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == manager }) {
		return nil
	}
	was := rec.before.GetManagedFields()
	if len(was) == 0 {
		was = []metav1.ManagedFieldsEntry{{}} // this is how an API server is told to forget them all
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": live.GetResourceVersion(), "managedFields": was}})
	if err != nil {
		return err
	}
	_, err = c.at(rec.reference).Patch(ctx, rec.reference.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: manager})
	return err
}

// removeProbe takes a probe's object away. Nobody else has a use for it, so nobody is asked.
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

// seen looks at the restored rules from outside: every proxy of the chain must hold what the API server holds, and the chain
// must answer as it did before the run. It says what was seen.
func (r *Run) seen(ctx context.Context) (string, error) {
	if r.steady == "" {
		return "how the chain answers was not compared, since the chain had no pod that could be asked", nil
	}
	if r.rules == nil {
		// A restore knows the journal alone: which Deployments the chain has is in the application's manifests.
		rules, err := manifests.Read(manifests.Application())
		if err != nil {
			return "", err
		}
		r.rules = rules
	}
	p := &probe{nonce: r.newProbe().nonce, namespace: r.cluster.namespace}
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

// overlap reports whether two sets of answers have one in common: what is random in the restored rules may show in one
// sample and not in the other.
func overlap(a, b string) bool {
	was := strings.Split(b, " or ")
	return slices.ContainsFunc(strings.Split(a, " or "), func(s string) bool { return slices.Contains(was, s) })
}
