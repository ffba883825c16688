package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// editedError says that somebody else has changed an object since the run last wrote or read it.
type editedError struct {
	reference   reference
	who         string
	differences []difference
}

func (e *editedError) Error() string {
	text := fmt.Sprintf("%s was changed by %s since the run last wrote or read it, and was left as it is", e.reference, e.who)
	for i, d := range e.differences {
		text += []string{": ", "; "}[min(i, 1)] + d.String()
	}
	return text
}

// terminatingError says that an object is being deleted, but still exists. The error goes away when the object is gone.
type terminatingError struct {
	reference  reference
	finalizers []string
}

func (e *terminatingError) Error() string {
	if len(e.finalizers) == 0 {
		return fmt.Sprintf("%s is being deleted", e.reference)
	}
	return fmt.Sprintf("%s is being deleted, but its finalizers still keep it: the controllers that set %s must remove them",
		e.reference, strings.Join(e.finalizers, ", "))
}

// terminating reports whether an object is being deleted, so that its present state will not last.
func terminating(u *unstructured.Unstructured) bool {
	return u != nil && u.GetDeletionTimestamp() != nil
}

// get reads an object; it is nil when the object does not exist.
func (c *Cluster) get(ctx context.Context, r reference) (*unstructured.Unstructured, error) {
	u, err := c.at(r).Get(ctx, r.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return u, err
}

// change makes an object as want describes it, or deletes it when want is nil. It checks that nobody else has changed the object,
// tries the write in a dry run, records in the journal what the object will become, and writes. It reports whether it had to
// write anything.
func (r *Run) change(ctx context.Context, rec *record, want *unstructured.Unstructured) (changed bool, err error) {
	err = r.cluster.again(ctx, "writing "+rec.reference.String(), func(ctx context.Context) error {
		if err := r.lease.check(ctx); err != nil {
			return err
		}
		live, err := r.cluster.get(ctx, rec.reference)
		if err != nil {
			return err
		}
		if terminating(live) {
			return &terminatingError{rec.reference, live.GetFinalizers()}
		}
		if !rec.knows(contentOf(live)) {
			return edited(rec, live)
		}
		now := rec.ownPart(live, want)
		write, result, err := r.cluster.plan(ctx, rec.reference, live, want)
		if err != nil {
			return err
		}
		foreseen := rec.ownPart(result, want)
		if foreseen.equal(now) {
			r.done(rec, now)
			rec.settle(live, want)
			return nil
		}
		begun := &outcome{rec.reference, foreseen}
		r.journal.add(line{Intent: begun})
		if err := r.journal.flush(ctx); err != nil {
			return err
		}
		changed, rec.pending = true, begun
		written, err := write(ctx, nil)
		if err == nil {
			r.done(rec, rec.ownPart(written, want))
			rec.settle(written, want)
		}
		return err
	})
	return changed, err
}

// done records what an object has become, unless the journal says so already.
func (r *Run) done(rec *record, now content) {
	if rec.pending != nil || !now.equal(rec.ours) {
		r.journal.add(line{Done: &outcome{rec.reference, now}})
	}
	rec.ours, rec.pending = now, nil
}

// edited is the error about an object that is not as the run left it.
func edited(rec *record, live *unstructured.Unstructured) error {
	return &editedError{rec.reference, lastManager(live), differences("", plain(contentOf(rec.before)), plain(rec.ours), plain(contentOf(live)))}
}

// lastManager names the field manager that wrote to an object last, apart from this program, and the time.
func lastManager(u *unstructured.Unstructured) string {
	if u == nil {
		return "somebody who removed it"
	}
	var last *metav1.ManagedFieldsEntry
	for _, entry := range u.GetManagedFields() {
		if entry.Manager != manager && entry.Subresource == "" && entry.Time != nil && (last == nil || last.Time.Before(entry.Time)) {
			last = &entry
		}
	}
	if last == nil {
		return "somebody"
	}
	return fmt.Sprintf("%s (%s)", last.Manager, last.Time.UTC().Format(time.TimeOnly+" UTC"))
}

// dryRun is the option that makes a write have no effect.
var dryRun = []string{metav1.DryRunAll}

// writer makes a planned write; with dryRun, the write has no effect.
type writer func(ctx context.Context, dry []string) (*unstructured.Unstructured, error)

// plan chooses how to write an object so that it has exactly the wanted spec. foreseen is the object that the write will make.
func (c *Cluster) plan(ctx context.Context, r reference, live, want *unstructured.Unstructured) (write writer, foreseen *unstructured.Unstructured, err error) {
	if want == nil {
		if live == nil {
			return nil, nil, nil
		}
		return c.remover(r, live), nil, nil
	}
	write = c.applier(r, live, want)
	foreseen, err = write(ctx, dryRun)
	rule := isRule(r.Kind)
	switch {
	case rule && live != nil && apierrors.IsInvalid(err):
		// Server-side apply turns a map that becomes empty, as in trafficPolicy: {}, into null, which the schema refuses. So the
		// spec is replaced as a whole. If the wanted object itself is wrong, this is refused, too.
		foreseen = marked(live, want)
	case err != nil:
		return nil, nil, err
	case !rule || live == nil || (content{"spec": foreseen.Object["spec"]}).equal(content{"spec": want.Object["spec"]}):
		return write, foreseen, nil
	}
	// Server-side apply would keep the fields that others have set. A policy must have exactly the wanted spec.
	write = c.replacer(r, live, foreseen, want)
	if foreseen, err = write(ctx, dryRun); err != nil {
		return nil, nil, err
	}
	return write, foreseen, nil
}

// applier writes by server-side apply. It sends the version that was read, so that a change in between is a conflict.
func (c *Cluster) applier(r reference, live, want *unstructured.Unstructured) writer {
	want = want.DeepCopy()
	if live != nil {
		want.SetResourceVersion(live.GetResourceVersion())
	}
	return func(ctx context.Context, dry []string) (*unstructured.Unstructured, error) {
		// The dynamic client's Apply cannot ask for strict validation of fields, but its Patch can.
		data, err := want.MarshalJSON()
		if err != nil {
			return nil, err
		}
		return c.at(r).Patch(ctx, r.Name, "application/apply-patch+yaml", data, metav1.PatchOptions{
			FieldManager: manager, Force: new(true), FieldValidation: metav1.FieldValidationStrict, DryRun: dry})
	}
}

// marked is a copy of live with the wanted labels and annotations added to those that it has.
func marked(live, want *unstructured.Unstructured) *unstructured.Unstructured {
	copied := live.DeepCopy()
	beside := func(has, wanted map[string]string) map[string]string {
		if has == nil {
			return wanted
		}
		maps.Copy(has, wanted)
		return has
	}
	copied.SetLabels(beside(copied.GetLabels(), want.GetLabels()))
	copied.SetAnnotations(beside(copied.GetAnnotations(), want.GetAnnotations()))
	return copied
}

// replacer replaces the spec as a whole.
func (c *Cluster) replacer(r reference, live, foreseen, want *unstructured.Unstructured) writer {
	whole := foreseen.DeepCopy()
	whole.SetResourceVersion(live.GetResourceVersion())
	whole.SetManagedFields(nil) // the server records these itself
	whole.Object["spec"] = want.Object["spec"]
	return func(ctx context.Context, dry []string) (*unstructured.Unstructured, error) {
		return c.at(r).Update(ctx, whole, metav1.UpdateOptions{FieldManager: manager, FieldValidation: metav1.FieldValidationStrict, DryRun: dry})
	}
}

// remover deletes an object, if it is still the one that was read.
func (c *Cluster) remover(r reference, live *unstructured.Unstructured) writer {
	return func(ctx context.Context, dry []string) (*unstructured.Unstructured, error) {
		err := c.at(r).Delete(ctx, r.Name, metav1.DeleteOptions{DryRun: dry, Preconditions: &metav1.Preconditions{
			UID: new(live.GetUID()), ResourceVersion: new(live.GetResourceVersion())}})
		if apierrors.IsNotFound(err) {
			err = nil
		}
		return nil, err
	}
}

// rehearse tries every wanted object in a dry run. The error joins all refusals of the API server.
func (c *Cluster) rehearse(ctx context.Context, wanted []*unstructured.Unstructured) error {
	var problems []error
	var reported []string
	for _, want := range wanted {
		r := nameOf(want)
		err := c.again(ctx, "trying "+r.String()+" in a dry run", func(ctx context.Context) error {
			live, err := c.get(ctx, r)
			if err == nil {
				_, _, err = c.plan(ctx, r, live, want)
			}
			return err
		})
		if err != nil && !slices.Contains(reported, err.Error()) {
			reported = append(reported, err.Error())
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}
