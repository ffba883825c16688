package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
)

// refusedError says that no run of this namespace can have written a journal, or that this program cannot read it. Nothing that
// the journal calls for was done, and it was kept.
type refusedError struct {
	run, namespace string
	reason         error
}

func (e *refusedError) Error() string {
	name := journalPrefix + e.run
	return fmt.Sprintf("the journal %q is refused: nothing that it calls for was done, and it was kept:\n%v\n"+
		"'kubectl get configmap %s -n %s -o yaml' shows the journal; if none of your runs wrote it, or that run left nothing to put back, delete it with 'kubectl delete configmap %s -n %s'",
		name, e.reason, name, e.namespace, name, e.namespace)
}

func (e *refusedError) Unwrap() error { return e.reason }

// readStored reads and checks the journal of a run as it is stored in this namespace. It does not trust the text, since anybody
// who may write a ConfigMap there may have written it. The error is a refusedError.
func (c *Cluster) readStored(run, text string) ([]line, error) {
	lines, err := readJournal(strings.NewReader(text))
	if err == nil {
		err = c.check(run, lines)
	}
	if err != nil {
		return nil, &refusedError{run, c.namespace, err}
	}
	return lines, nil
}

// check refuses a journal that a run in this namespace cannot have written. A run changes only Services and rules of its own
// namespace, and records each of them before it changes it, or makes namespaces of its own and changes nothing else.
func (c *Cluster) check(run string, lines []line) error {
	var problems []error
	wrong := func(i int, format string, args ...any) {
		problems = append(problems, fmt.Errorf("line %d: %w", i+1, fmt.Errorf(format, args...)))
	}
	known := map[reference]bool{}
	made := len(madeBy(lines)) > 0
	for i, l := range lines {
		switch {
		case made && l.Run == nil && l.Made == nil:
			wrong(i, "a run in namespaces of its own records nothing but these")
		case l.Run != nil && i > 0:
			wrong(i, "this line begins a second journal")
		case l.Run != nil && (l.Run.Name != run || l.Run.Namespace != c.namespace):
			wrong(i, "this is the journal of run %q in namespace %q, but it is stored as that of run %q in namespace %q", l.Run.Name, l.Run.Namespace, run, c.namespace)
		case l.Made != nil:
			if err := c.checkMade(l.Made); err != nil {
				wrong(i, "%w", err)
			}
		case l.Before != nil:
			if known[l.Before.Reference] {
				wrong(i, "%s was already recorded by an earlier line", inFull(l.Before.Reference))
			}
			known[l.Before.Reference] = true
			if err := c.checkSnapshot(l.Before); err != nil {
				wrong(i, "%w", err)
			}
		case l.Intent != nil && !known[l.Intent.Reference]:
			wrong(i, "this line records a change of %s, but no earlier line records what the object was before", inFull(l.Intent.Reference))
		case l.Done != nil && !known[l.Done.Reference]:
			wrong(i, "this line records a change of %s, but no earlier line records what the object was before", inFull(l.Done.Reference))
		}
	}
	return errors.Join(problems...)
}

// inFull names an object of a journal, quoted, since anybody may have written the journal.
func inFull(r reference) string {
	return fmt.Sprintf("%q %q in namespace %q", r.Kind, r.Name, r.Namespace)
}

// checkSnapshot refuses a reference to an object that a run may not change, and a recorded object that is not the one that the
// reference names.
func (c *Cluster) checkSnapshot(s *snapshot) error {
	r := s.Reference
	switch {
	case r.Namespace != c.namespace:
		return fmt.Errorf("%s: a run changes only objects of its own namespace, which is %q", inFull(r), c.namespace)
	case ofWorkers(r) && s.Object == nil:
		return nil // what is removed must have the annotation of the run, too
	case !slices.Contains(runKinds, r.Kind):
		return fmt.Errorf("%s: a run changes only objects of these kinds: %s", inFull(r), strings.Join(runKinds, ", "))
	case len(validation.IsDNS1123Subdomain(r.Name)) > 0:
		return fmt.Errorf("%s: this cannot be the name of an object: %s", inFull(r), strings.Join(validation.IsDNS1123Subdomain(r.Name), "; "))
	case s.Object == nil:
		return nil
	}
	was := &unstructured.Unstructured{Object: s.Object}
	version, err := schema.ParseGroupVersion(was.GetAPIVersion())
	if is := nameOf(was); is != r || err != nil || version.Group != c.resource(r.Kind).Group {
		return fmt.Errorf("%s: the object that is recorded as its former state is another one: %s of apiVersion %q", inFull(r), inFull(is), was.GetAPIVersion())
	}
	return nil
}
