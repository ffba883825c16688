package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hellochaos/hellochaos/manifests/scratch"
	"github.com/hellochaos/hellochaos/target"
)

// madeForRun is an annotation of a namespace that a run has made; its value is the run's name.
const madeForRun = "hellochaos.dev/made-for-run"

// madeNamespace is a namespace that a run is about to make (without a UID), or has made.
type madeNamespace struct {
	Name string    `json:"name"`
	UID  types.UID `json:"uid,omitempty"`
}

// madeBy are the namespaces of a journal, each with its UID if that was recorded.
func madeBy(lines []line) (all []madeNamespace) {
	for _, l := range lines {
		if l.Made == nil {
			continue
		}
		i := slices.IndexFunc(all, func(m madeNamespace) bool { return m.Name == l.Made.Name })
		switch {
		case i < 0:
			all = append(all, *l.Made)
		case l.Made.UID != "":
			all[i] = *l.Made
		}
	}
	return all
}

// checkMade refuses the name of a namespace that a run with its journal in this namespace does not make.
func (c *Cluster) checkMade(m *madeNamespace) error {
	if m.Name != c.namespace && !strings.HasPrefix(m.Name, c.namespace+"-") || len(validation.IsDNS1123Label(m.Name)) > 0 {
		return fmt.Errorf("namespace %q: a run makes only %q, and namespaces whose names begin with %q", m.Name, c.namespace, c.namespace+"-")
	}
	return nil
}

// is returns an error if a namespace is not the one that the run has made. Whoever can write the journal cannot therefore name the
// namespace of somebody else: that one has not the run's annotation.
func (m *madeNamespace) is(run string, live *corev1.Namespace) error {
	switch {
	case live == nil:
		return nil
	case live.Annotations[madeForRun] != run:
		return fmt.Errorf("namespace %s was not made by run %s (it lacks the annotation %s: %s), and was left as it is", m.Name, run, madeForRun, run)
	case m.UID != "" && m.UID != live.UID:
		return fmt.Errorf("namespace %s is another one than run %s has made (its uid is %s, and not %s), and was left as it is", m.Name, run, live.UID, m.UID)
	}
	return nil
}

// free returns an error unless none of the namespaces of a set exists.
func (c *Cluster) free(ctx context.Context, set *scratch.Set) error {
	var problems []error
	for _, n := range set.Namespaces {
		live, err := c.namespaceNow(ctx, n.Name)
		switch {
		case err != nil:
			return err
		case live == nil:
		case n.Name == c.namespace && live.Annotations[madeForRun] != "":
			if err := c.unfinished(ctx, ""); err != nil {
				return err
			}
			fallthrough
		default:
			problems = append(problems, fmt.Errorf("namespace %s exists: hellochaos works only in namespaces that it makes for the run, and deletes at its end; choose another name with -n", n.Name))
		}
	}
	return errors.Join(problems...)
}

// makeNamespace makes a namespace for a run.
func (c *Cluster) makeNamespace(ctx context.Context, run string, n scratch.Namespace) (made madeNamespace, err error) {
	injection := "disabled"
	if n.Injected {
		injection = "enabled"
	}
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: map[string]string{injectionLabel: injection, managedBy: manager},
		Annotations: map[string]string{madeForRun: run}}}
	err = c.again(ctx, "making namespace "+n.Name, func(ctx context.Context) error {
		namespaces := c.core.CoreV1().Namespaces()
		live, err := namespaces.Create(ctx, object, metav1.CreateOptions{FieldManager: manager})
		if apierrors.IsAlreadyExists(err) { // an earlier try whose answer was lost may have made it
			existing, gone := namespaces.Get(ctx, n.Name, metav1.GetOptions{})
			if gone == nil && existing.Annotations[madeForRun] == run {
				live, err = existing, nil
			}
		}
		if err == nil {
			made = madeNamespace{n.Name, live.UID}
		}
		return err
	})
	return made, err
}

// removeScratch deletes the namespaces that the run has made, with all that is in them, and waits until they are gone. The one that
// holds the journal and the lease goes last, when all others are gone.
func (r *Run) removeScratch(ctx context.Context, made []madeNamespace) (target.Restoration, error) {
	var first *madeNamespace
	var doomed []madeNamespace
	var problems []error
	for i := range made {
		m := &made[i]
		live, err := r.cluster.namespaceNow(ctx, m.Name)
		if err == nil {
			err = m.is(r.name, live)
		}
		switch {
		case err != nil:
			problems = append(problems, err)
		case live == nil:
		case m.Name == r.cluster.namespace:
			first = &madeNamespace{m.Name, live.UID}
		default:
			doomed = append(doomed, madeNamespace{m.Name, live.UID})
		}
	}
	problems = append(problems, r.cluster.removeNamespaces(ctx, doomed))
	if err := errors.Join(problems...); err != nil {
		return target.Restoration{}, fmt.Errorf("%w\nthe journal still holds what was not removed; to try again, type: %s", err, r.RestoreCommand())
	}
	removed := len(doomed)
	if first != nil {
		if r.lease != nil { // it was not taken yet where the run ended right after its first write
			if err := r.lease.release(ctx); err != nil {
				return target.Restoration{}, err
			}
		}
		if err := r.cluster.removeNamespaces(ctx, []madeNamespace{*first}); err != nil {
			return target.Restoration{}, err
		}
		removed++
	}
	return target.Restoration{Objects: removed, Detail: fmt.Sprintf("the %d namespaces that were made for the run are deleted, with all that was in them, and nothing else was changed", removed)}, nil
}

// removeNamespaces deletes namespaces by their UIDs, and waits until they are gone.
func (c *Cluster) removeNamespaces(ctx context.Context, doomed []madeNamespace) error {
	for _, m := range doomed {
		if err := c.request(ctx, reference{Kind: "Namespace", Name: m.Name}, m.UID); err != nil {
			return err
		}
	}
	for _, m := range doomed {
		if err := c.gone(ctx, reference{Kind: "Namespace", Name: m.Name}, metav1.ListOptions{FieldSelector: "metadata.name=" + m.Name}); err != nil {
			return err
		}
	}
	return nil
}
