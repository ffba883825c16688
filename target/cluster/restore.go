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
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

// Close implements target.Target: every object is put back as it was, read back, and the proxies and the chain are asked. It
// is done under a lease that is given back in the end. What could not be put back stays in the journal, and the error says
// what and why; RestoreCommand tries again.
func (r *Run) Close(ctx context.Context) (target.Restoration, error) {
	defer r.journal.close()
	r.shut()
	recs := slices.Clone(r.known)
	for _, u := range (&probe{namespace: r.cluster.namespace, selector: map[string]string{}}).objects(r.cluster) {
		recs = append(recs, r.probes[reference{u.GetKind(), u.GetNamespace(), u.GetName()}])
	}
	done, err := r.cluster.putBack(ctx, r, recs)
	return done, errors.Join(err, r.lease.release(ctx))
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

// Restore puts back what a run has left, from its journal in the cluster alone. A run that may still be at work is waited
// for until its lease has run out.
func (c *Cluster) Restore(ctx context.Context, name string, edited Edits) (target.Restoration, error) {
	var stored *corev1.ConfigMap
	j := &journal{cluster: c, run: name}
	err := c.again(ctx, "reading the journal of run "+name, func(ctx context.Context) (err error) {
		stored, err = c.core.CoreV1().ConfigMaps(c.namespace).Get(ctx, j.name(), metav1.GetOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return target.Restoration{}, fmt.Errorf("namespace %s holds no journal of a run %s: 'hellochaos status' lists those that there are", c.namespace, name)
	}
	if err != nil {
		return target.Restoration{}, err
	}
	l, err := c.acquireFrom(ctx, name)
	if err != nil {
		return target.Restoration{}, err
	}
	lines, err := readJournal(strings.NewReader(stored.Data[journalKey]))
	if err != nil {
		return target.Restoration{}, errors.Join(err, l.release(ctx))
	}
	j.text.WriteString(stored.Data[journalKey])
	j.version = stored.ResourceVersion
	r := &Run{cluster: c, name: name, journal: j, lease: l, steady: lines[0].Run.Steady, edited: edited}
	done, err := c.putBack(ctx, r, records(lines))
	if err == nil {
		err = removeLocal(name)
	}
	return done, errors.Join(err, l.release(ctx))
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

// acquireFrom takes the lease that a run has left behind.
func (c *Cluster) acquireFrom(ctx context.Context, run string) (*lease, error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for told := false; ; told = true {
		_, lost := context.WithCancelCause(ctx)
		l, err := c.acquire(ctx, "restore-"+run, lost)
		var held *heldError
		if err == nil || !errors.As(err, &held) || held.holder != run {
			return l, err
		}
		if !told {
			c.say("run %s (%s) was at work less than %v ago: waiting until its lease has run out", run, held.process, leaseTime)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// pointedAt are the kinds that rules point at.
var pointedAt = []string{"Service", "ServiceEntry", "DestinationRule", "Gateway"}

// putBack restores every object that it can: first what was there before, then what was not is taken away, so that no rule
// points at nothing in between. A rule that another has changed stays, and with it what we made that it may point at.
func (c *Cluster) putBack(ctx context.Context, r *Run, recs []*record) (target.Restoration, error) {
	var problems []error
	var left []string
	objects := 0
	restore := func(rec *record) {
		if err := r.restore(ctx, rec); err != nil {
			problems = append(problems, err)
		} else {
			objects++
		}
	}
	for _, rec := range recs {
		if rec.before != nil && rec.reference.Name != probeName {
			restore(rec)
		}
	}
	for _, rec := range slices.Backward(recs) {
		switch {
		case rec.before != nil || rec.reference.Name == probeName:
		case len(problems) > 0 && rec.ours != nil && slices.Contains(pointedAt, rec.reference.Kind):
			left = append(left, rec.reference.String())
		default:
			restore(rec)
		}
	}
	if len(left) > 0 {
		problems = append(problems, fmt.Errorf("%s: left too, since what was left may point there", strings.Join(left, ", ")))
	}
	if err := r.journal.flush(ctx); err != nil {
		problems = append(problems, err)
	}
	seen := ""
	if len(problems) == 0 {
		var err error
		if seen, err = r.seen(ctx); err != nil {
			problems = append(problems, err)
		}
	}
	for _, rec := range slices.Backward(recs) {
		if rec.reference.Name == probeName {
			if err := c.removeProbe(ctx, rec.reference); err != nil {
				problems = append(problems, err)
			}
		}
	}
	if len(problems) > 0 {
		return target.Restoration{Objects: objects}, fmt.Errorf("%w\nwhat is left is in the journal; try again by: %s, with --edited=keep or --edited=overwrite where it was another's edit",
			errors.Join(problems...), r.RestoreCommand())
	}
	done := target.Restoration{Objects: objects, Detail: fmt.Sprintf("%d objects read back as they were before; %s", objects, seen)}
	return done, r.journal.remove(ctx)
}

// restore puts one object back and reads it back.
func (r *Run) restore(ctx context.Context, rec *record) error {
	before := contentOf(rec.before)
	return r.cluster.again(ctx, "putting back "+rec.reference.String(), func(ctx context.Context) error {
		live, err := r.cluster.get(ctx, rec.reference)
		if err != nil {
			return err
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
			r.journal.add(line{Back: &rec.reference})
			return r.cluster.disown(ctx, rec, live)
		}
		if err := r.cluster.replace(ctx, rec, live, merged); err != nil {
			return err
		}
		// Once more from the top: it is done when it is read as it should be.
		return apierrors.NewConflict(r.cluster.resource(rec.reference.Kind).GroupResource(), rec.reference.Name, errors.New("to be read back"))
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
		return err
	})
}

// seen looks at the restored rules from outside: every proxy of the chain must hold what the API server holds, and the chain
// must answer as it did before the run. It says what was seen.
func (r *Run) seen(ctx context.Context) (string, error) {
	if r.steady == "" {
		return "the chain had no pod that could be asked how it answers", nil
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
		return "", fmt.Errorf("all objects are as they were, but the chain answers %s where it answered %s before the run: what else has changed?", steady, r.steady)
	}
	return "every proxy obeys, and the chain answers " + steady + " by hop, as before", nil
}

// overlap reports whether two sets of answers have one in common: what is random in the restored rules may show in one
// sample and not in the other.
func overlap(a, b string) bool {
	was := strings.Split(b, " or ")
	return slices.ContainsFunc(strings.Split(a, " or "), func(s string) bool { return slices.Contains(was, s) })
}
