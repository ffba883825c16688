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

// editedError says that another has changed an object since we wrote it last.
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

// terminatingError says that an object is being deleted and still there. It passes when the object is gone.
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

// terminating reports whether an object is being deleted: it is not what it seems to be for long.
func terminating(u *unstructured.Unstructured) bool {
	return u != nil && u.GetDeletionTimestamp() != nil
}

// get reads an object; nil when there is none.
func (c *Cluster) get(ctx context.Context, r reference) (*unstructured.Unstructured, error) {
	u, err := c.at(r).Get(ctx, r.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return u, err
}

// change makes an object what it should be, and away when want is nil: looks that nobody else has changed it, tries the
// write without effect, writes down what it will become, and writes. It reports whether there was anything to do.
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
		}
		return err
	})
	return changed, err
}

// done notes what an object has become, if that is news.
func (r *Run) done(rec *record, now content) {
	if rec.pending != nil || !now.equal(rec.ours) {
		r.journal.add(line{Done: &outcome{rec.reference, now}})
	}
	rec.ours, rec.pending = now, nil
}

// edited is the error about an object that is not as we left it.
func edited(rec *record, live *unstructured.Unstructured) error {
	return &editedError{rec.reference, lastManager(live), differences("", plain(contentOf(rec.before)), plain(rec.ours), plain(contentOf(live)))}
}

// lastManager names who wrote to an object last, apart from us, and when.
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

// writer carries out a planned write; with dryRun it has no effect.
type writer func(ctx context.Context, dry []string) (*unstructured.Unstructured, error)

// plan chooses how an object is written, so that it has exactly the spec that is wanted, and what will come of it.
func (c *Cluster) plan(ctx context.Context, r reference, live, want *unstructured.Unstructured) (write writer, foreseen *unstructured.Unstructured, err error) {
	if want == nil {
		if live == nil {
			return nil, nil, nil
		}
		return c.remover(r, live), nil, nil
	}
	write = c.applier(r, live, want)
	foreseen, err = write(ctx, dryRun)
	_, istio := istioResources[r.Kind]
	switch {
	case istio && live != nil && apierrors.IsInvalid(err):
		// A map that becomes empty, as in trafficPolicy: {}, is a null after the merge of server-side apply, which the schema
		// refuses. What is wrong by itself is refused again, as a whole.
		foreseen = marked(live, want)
	case err != nil:
		return nil, nil, err
	case !istio || live == nil || (content{"spec": foreseen.Object["spec"]}).equal(content{"spec": want.Object["spec"]}):
		return write, foreseen, nil
	}
	// Server-side apply keeps what others have set beside our fields; a policy is what we say and nothing else.
	write = c.replacer(r, live, foreseen, want)
	if foreseen, err = write(ctx, dryRun); err != nil {
		return nil, nil, err
	}
	return write, foreseen, nil
}

// applier writes by server-side apply. The version that was read makes a change in between a conflict.
func (c *Cluster) applier(r reference, live, want *unstructured.Unstructured) writer {
	want = want.DeepCopy()
	if live != nil {
		want.SetResourceVersion(live.GetResourceVersion())
	}
	return func(ctx context.Context, dry []string) (*unstructured.Unstructured, error) {
		// The dynamic client's Apply has no way to ask for strict validation of fields, its Patch has.
		data, err := want.MarshalJSON()
		if err != nil {
			return nil, err
		}
		return c.at(r).Patch(ctx, r.Name, "application/apply-patch+yaml", data, metav1.PatchOptions{
			FieldManager: manager, Force: new(true), FieldValidation: metav1.FieldValidationStrict, DryRun: dry})
	}
}

// marked is a copy of live with the labels and annotations that are wanted beside those that it has.
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

// replacer writes the spec as a whole.
func (c *Cluster) replacer(r reference, live, foreseen, want *unstructured.Unstructured) writer {
	whole := foreseen.DeepCopy()
	whole.SetResourceVersion(live.GetResourceVersion())
	whole.SetManagedFields(nil) // the server's to book
	whole.Object["spec"] = want.Object["spec"]
	return func(ctx context.Context, dry []string) (*unstructured.Unstructured, error) {
		return c.at(r).Update(ctx, whole, metav1.UpdateOptions{FieldManager: manager, FieldValidation: metav1.FieldValidationStrict, DryRun: dry})
	}
}

// remover takes an object away, if it is still the one that was read.
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

// rehearse tries every object of some sets without effect and joins all that the API server refuses.
func (c *Cluster) rehearse(ctx context.Context, wanted []*unstructured.Unstructured) error {
	var problems []error
	var said []string
	for _, want := range wanted {
		r := reference{want.GetKind(), want.GetNamespace(), want.GetName()}
		err := c.again(ctx, "trying "+r.String()+" in a dry run", func(ctx context.Context) error {
			live, err := c.get(ctx, r)
			if err == nil {
				_, _, err = c.plan(ctx, r, live, want)
			}
			return err
		})
		if err != nil && !slices.Contains(said, err.Error()) {
			said = append(said, err.Error())
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}
