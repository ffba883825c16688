package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
)

const (
	// injectionLabel and revisionLabel on a namespace say whether its pods get sidecars, and which control plane's.
	injectionLabel, revisionLabel = "istio-injection", "istio.io/rev"
	// madeByDeploy is an annotation of a namespace that Deploy has made.
	madeByDeploy = "hellochaos.dev/made-by-deploy"
	// labelledByDeploy is an annotation of a namespace that existed before Deploy. Its value lists the labels that Deploy has
	// added: "name=value,name=value".
	labelledByDeploy = "hellochaos.dev/labelled-by-deploy"
	// usedBy, followed by the name of a chain's namespace, is an annotation of another namespace that holds objects for that
	// chain.
	usedBy = "used-by.hellochaos.dev/"
)

// home is a namespace for objects of an installation, with the labels and annotations that it must have.
type home struct {
	name                string
	labels, annotations map[string]string
}

// home adds a namespace to the installation, or adds labels that the namespace must have.
func (in *installation) home(name string, labels map[string]string) {
	i := slices.IndexFunc(in.namespaces, func(n *home) bool { return n.name == name })
	if i < 0 {
		i = len(in.namespaces)
		in.namespaces = append(in.namespaces, &home{name: name, labels: map[string]string{}, annotations: map[string]string{}})
	}
	maps.Copy(in.namespaces[i].labels, labels)
	if name != in.cluster.namespace {
		in.namespaces[i].annotations[usedBy+in.cluster.namespace] = "deploy"
	}
}

// namespaceNow reads a namespace; it is nil when the namespace does not exist.
func (c *Cluster) namespaceNow(ctx context.Context, name string) (live *corev1.Namespace, err error) {
	err = c.again(ctx, "reading namespace "+name, func(ctx context.Context) error {
		live, err = c.core.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			live, err = nil, nil
		}
		return err
	})
	return live, err
}

// missing is the labels and annotations that a namespace lacks. The error says which label has another value, or that the
// namespace is being deleted.
func (n *home) missing(live *corev1.Namespace) (metav1.ObjectMeta, error) {
	lacks := metav1.ObjectMeta{Labels: map[string]string{}, Annotations: map[string]string{}}
	if live.DeletionTimestamp != nil {
		return lacks, fmt.Errorf("namespace %s is being deleted: run 'hellochaos deploy' again when 'kubectl get namespace %s' does not find it any more", n.name, n.name)
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(n.labels)) {
		want := n.labels[name]
		has, ok := live.Labels[name]
		revision := live.Labels[revisionLabel]
		switch {
		case ok && has == want:
		case ok:
			problems = append(problems, fmt.Errorf("namespace %s has the label %s=%s, but deploy needs %s=%s: choose another namespace with -n, or type 'kubectl label namespace %s %s=%s --overwrite'",
				n.name, name, has, name, want, n.name, name, want))
		case name == injectionLabel && revision != "" && want == "enabled":
		case name == injectionLabel && revision != "":
			problems = append(problems, fmt.Errorf("namespace %s has the label %s=%s, by which its pods get sidecars, but its pods must have none: type 'kubectl label namespace %s %s-'",
				n.name, revisionLabel, revision, n.name, revisionLabel))
		default:
			lacks.Labels[name] = want
		}
	}
	for name, value := range n.annotations {
		if _, ok := live.Annotations[name]; !ok {
			lacks.Annotations[name] = value
		}
	}
	if len(lacks.Labels) > 0 && live.Annotations[madeByDeploy] == "" {
		added := maps.Clone(lacks.Labels)
		maps.Copy(added, readLabels(live.Annotations[labelledByDeploy]))
		lacks.Annotations[labelledByDeploy] = labels.FormatLabels(added)
	}
	return lacks, errors.Join(problems...)
}

// readLabels reads labels as labels.FormatLabels writes them.
func readLabels(text string) map[string]string {
	read := map[string]string{}
	for _, one := range strings.Split(text, ",") {
		if name, value, ok := strings.Cut(one, "="); ok {
			read[name] = value
		}
	}
	return read
}

// settle makes a namespace, or adds the labels and annotations that it lacks.
func (c *Cluster) settle(ctx context.Context, n *home) error {
	name := reference{Kind: "Namespace", Name: n.name}
	done := "unchanged"
	err := c.again(ctx, "deploying "+name.String(), func(ctx context.Context) error {
		namespaces := c.core.CoreV1().Namespaces()
		live, err := namespaces.Get(ctx, n.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			if _, err = namespaces.Create(ctx, n.object(), metav1.CreateOptions{FieldManager: manager}); err == nil {
				done = "created"
			}
			if !apierrors.IsAlreadyExists(err) {
				return err
			}
			live, err = namespaces.Get(ctx, n.name, metav1.GetOptions{}) // somebody else made it just now, or an earlier try whose answer was lost
		}
		if err != nil {
			return err
		}
		lacks, err := n.missing(live)
		if err != nil || len(lacks.Labels)+len(lacks.Annotations) == 0 {
			return err
		}
		done = "changed"
		return c.patchNamespace(ctx, n.name, map[string]any{"labels": lacks.Labels, "annotations": lacks.Annotations})
	})
	if err == nil {
		c.say("%s %s", name, done)
	}
	return err
}

// object is the namespace in the form in which Deploy makes it.
func (n *home) object() *corev1.Namespace {
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.name, Labels: maps.Clone(n.labels), Annotations: maps.Clone(n.annotations)}}
	made.Labels[managedBy] = manager
	made.Annotations[madeByDeploy] = "true"
	return made
}

// patchNamespace merges labels and annotations into a namespace. A value of nil removes the label or annotation.
func (c *Cluster) patchNamespace(ctx context.Context, name string, metadata map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	_, err = c.core.CoreV1().Namespaces().Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{
		FieldManager: manager, FieldValidation: metav1.FieldValidationStrict})
	return err
}
