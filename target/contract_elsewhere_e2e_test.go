//go:build e2e

package target_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/hellochaos/hellochaos/manifests"
)

// otherNamespace is the second namespace of the contract on a cluster. A run changes its own namespace alone, so the test writes these objects. It
// does so before the run writes the others and its probe, so that a proxy that obeys the run obeys them, too.
type otherNamespace struct {
	name   string
	client dynamic.Interface
	kept   []string // what every row has that needs the namespace, by nameIn: it stays
	laid   map[string]*unstructured.Unstructured
}

// newOtherNamespace is the namespace elsewhere of a namespace, whose objects of away are deployed together with base.
func newOtherNamespace(t *testing.T, config *rest.Config, namespace string) *otherNamespace {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	n := &otherNamespace{name: elsewhere(namespace), client: client, laid: make(map[string]*unstructured.Unstructured)}
	objects := documentsOf(t, away(namespace))
	for i := range objects {
		n.kept = append(n.kept, nameIn(&objects[i]))
	}
	return n
}

// split are the objects that a run changes, and those that stand in the other namespace.
func (n *otherNamespace) split(objects []manifests.Object) (ofRun, there []manifests.Object) {
	for _, o := range objects {
		switch {
		case o.Kind == "Namespace":
		case o.Meta.Namespace == n.name:
			there = append(there, o)
		default:
			ofRun = append(ofRun, o)
		}
	}
	return ofRun, there
}

// Apply implements target.Target for the objects of both namespaces.
func (s *onCluster) Apply(ctx context.Context, objects []manifests.Object) error {
	ofRun, there := s.other.split(objects)
	if err := s.other.apply(ctx, there); err != nil {
		return err
	}
	return s.Run.Apply(ctx, ofRun)
}

// apply makes objects all that the namespace has beside what stays.
func (n *otherNamespace) apply(ctx context.Context, objects []manifests.Object) error {
	var wanted []string
	for i := range objects {
		name := nameIn(&objects[i])
		if slices.Contains(n.kept, name) {
			continue
		}
		u, err := n.lay(ctx, &objects[i])
		if err != nil {
			return err
		}
		n.laid[name], wanted = u, append(wanted, name)
	}
	for name, u := range n.laid {
		if slices.Contains(wanted, name) {
			continue
		}
		if err := n.of(u).Delete(ctx, u.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("removing %s of namespace %s: %w", name, n.name, err)
		}
		delete(n.laid, name)
	}
	return nil
}

// nameIn tells an object from all others of its namespace.
func nameIn(o *manifests.Object) string { return o.APIVersion + " " + o.Kind + " " + o.Meta.Name }

// lay writes an object. For a Gateway of Gateway API it waits until Istio has written the Service by which sidecars know its ports.
func (n *otherNamespace) lay(ctx context.Context, o *manifests.Object) (*unstructured.Unstructured, error) {
	object, err := o.Unstructured()
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{Object: object}
	if _, err := n.of(u).Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: "contract", Force: true}); err != nil {
		return nil, fmt.Errorf("writing %s of namespace %s: %w", o.Name(), n.name, err)
	}
	if o.IsGatewayAPI() && o.Kind == "Gateway" {
		err = n.awaitService(ctx, u.GetName()+"-istio")
	}
	return u, err
}

// of is the client for the objects of the kind of one.
func (n *otherNamespace) of(u *unstructured.Unstructured) dynamic.ResourceInterface {
	plural := strings.Replace(strings.ToLower(u.GetKind())+"s", "entrys", "entries", 1)
	return n.client.Resource(u.GroupVersionKind().GroupVersion().WithResource(plural)).Namespace(n.name)
}

func (n *otherNamespace) awaitService(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("Istio has not written Service "+name+" within a minute"))
	defer cancel()
	for {
		_, err := n.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "services"}).Namespace(n.name).Get(ctx, name, metav1.GetOptions{})
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !apierrors.IsNotFound(err):
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
