package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
)

// installation is what Deploy has to install: the objects, and the namespaces for them.
type installation struct {
	cluster    *Cluster
	namespaces []*home
	objects    []*unstructured.Unstructured
}

// Choices replace some values of the objects when Deploy installs them.
type Choices struct {
	// Image replaces the images of all Deployments; empty keeps them.
	Image string
	// ServiceType, one of ServiceTypes, is the type of the Service by which requests enter the chain; empty keeps
	// the type that the tutorial's manifest has, which is LoadBalancer.
	ServiceType string
}

// Deploy installs objects in the cluster. It returns when every pod of their Deployments is ready and, if its namespace
// injects sidecars, has a sidecar. It makes the cluster's namespace, with injection of sidecars, if it is missing, and the
// Namespaces among the objects likewise. It does not change what is already as it should be, so a second call changes nothing.
// Before the first change it tries every object whose namespace exists in a dry run. The error names each object, field, pod
// and event that prevents the installation.
func (c *Cluster) Deploy(ctx context.Context, objects []manifests.Object, choices Choices) error {
	if err := c.unfinished(ctx, ""); err != nil {
		return fmt.Errorf("deploying to namespace %s: %w", c.namespace, err)
	}
	in, err := c.installation(objects, choices)
	if err != nil {
		return err
	}
	if err := in.rehearse(ctx); err != nil {
		return fmt.Errorf("nothing was deployed to namespace %s: %w", c.namespace, err)
	}
	for _, n := range in.namespaces {
		if err := c.settle(ctx, n); err != nil {
			return err
		}
	}
	for _, want := range in.objects {
		if err := c.install(ctx, want); err != nil {
			return err
		}
	}
	if err := c.rolledOut(ctx, in.deployments()); err != nil {
		return err
	}
	return c.sidecars(ctx, in)
}

// installation turns objects into the form in which they are sent to the API server.
func (c *Cluster) installation(objects []manifests.Object, choices Choices) (*installation, error) {
	in := &installation{cluster: c}
	in.home(c.namespace, map[string]string{injectionLabel: "enabled"})
	var problems []error
	for i := range objects {
		o := &objects[i]
		if o.Kind == "Namespace" {
			in.home(o.Meta.Name, o.Meta.Labels)
			continue
		}
		if _, istio := istioResources[o.Kind]; istio && c.istioVersion == "" {
			problems = append(problems, fmt.Errorf("%s: the API server %s does not know the API group %s: install Istio first ('make deploy-istio')", o.Name(), c.server, istioGroup))
			continue
		}
		want, err := c.desired(o)
		if err == nil {
			err = choices.put(o, want)
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		in.objects = append(in.objects, want)
	}
	return in, errors.Join(problems...)
}

// put writes the choices into an object that is about to be sent.
func (choices Choices) put(o *manifests.Object, want *unstructured.Unstructured) error {
	switch {
	case choices.Image != "" && o.Kind == "Deployment":
		return setImage(want, choices.Image)
	case choices.ServiceType != "" && isEntry(o):
		return setServiceType(want, choices.ServiceType)
	}
	return nil
}

// setImage puts an image into every container of a Deployment.
func setImage(deployment *unstructured.Unstructured, image string) error {
	path := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(deployment.Object, path...)
	if err != nil {
		return err
	}
	for _, container := range containers {
		if container, ok := container.(map[string]any); ok {
			container["image"] = image
		}
	}
	return unstructured.SetNestedSlice(deployment.Object, containers, path...)
}

// deployments are the Deployments among the objects.
func (in *installation) deployments() (all []reference) {
	for _, want := range in.objects {
		if want.GetKind() == "Deployment" {
			all = append(all, nameOf(want))
		}
	}
	return all
}

// nameOf is the name of an object of the cluster.
func nameOf(u *unstructured.Unstructured) reference {
	return reference{kindOf(u.GroupVersionKind().Group, u.GetKind()), u.GetNamespace(), u.GetName()}
}

// rehearse reads the namespaces and tries every object whose namespace exists in a dry run. The error joins all refusals.
func (in *installation) rehearse(ctx context.Context) error {
	var problems []error
	there := map[string]bool{}
	for _, n := range in.namespaces {
		live, err := in.cluster.namespaceNow(ctx, n.name)
		if err == nil && live != nil {
			there[n.name] = true
			_, err = n.missing(live)
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	for _, want := range in.objects {
		if !there[want.GetNamespace()] {
			continue
		}
		err := in.cluster.again(ctx, "trying "+nameOf(want).String()+" in a dry run", func(ctx context.Context) error {
			_, err := in.cluster.put(ctx, want, dryRun)
			return err
		})
		if err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// install makes or changes one object, and reports what it did.
func (c *Cluster) install(ctx context.Context, want *unstructured.Unstructured) error {
	name := nameOf(want)
	var before, after *unstructured.Unstructured
	err := c.again(ctx, "deploying "+name.String(), func(ctx context.Context) (err error) {
		if before, err = c.get(ctx, name); err != nil {
			return err
		}
		after, err = c.put(ctx, want, nil)
		return err
	})
	switch {
	case err != nil:
		return err
	case before == nil:
		c.say("%s created", name)
	case contentOf(before).equal(contentOf(after)):
		c.say("%s unchanged", name)
	case before.GetLabels()[managedBy] != manager:
		c.say("%s changed: somebody else had made it; from now on 'hellochaos undeploy' deletes it", name)
	default:
		c.say("%s changed", name)
	}
	return nil
}

// put writes an object by server-side apply. It refuses to change a field that another field manager has set to another value.
func (c *Cluster) put(ctx context.Context, want *unstructured.Unstructured, dry []string) (*unstructured.Unstructured, error) {
	data, err := want.MarshalJSON()
	if err != nil {
		return nil, err
	}
	write := func(force bool) (*unstructured.Unstructured, error) {
		// The dynamic client's Apply cannot ask for strict validation of fields, but its Patch can.
		return c.at(nameOf(want)).Patch(ctx, want.GetName(), types.ApplyPatchType, data, metav1.PatchOptions{
			FieldManager: manager, Force: ptr.To(force), FieldValidation: metav1.FieldValidationStrict, DryRun: dry})
	}
	after, err := write(false)
	claims := claimsOf(err)
	if len(claims) == 0 {
		return after, err
	}
	if !slices.ContainsFunc(claims, func(c claim) bool { return c.manager != manager }) {
		// The only conflicts are with this program's own updates: the API server records a field that a run has put back as an
		// update of manager hellochaos, which it distinguishes from an apply of the same manager.
		return write(true)
	}
	return nil, claimed(nameOf(want), claims)
}

// claim is a field that another field manager has set to another value.
type claim struct{ field, manager string }

// claimsOf are the fields because of which the API server refused an apply; empty when err has another reason.
func claimsOf(err error) (claims []claim) {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			claims = append(claims, claim{strings.TrimPrefix(cause.Field, "."), claimant(cause.Message)})
		}
	}
	return claims
}

// claimant is the manager that the API server names in the message of a conflict, such as: conflict with "kubectl-scale" with
// subresource "scale" using apps/v1. It is the whole message when no manager is named.
func claimant(message string) string {
	_, rest, _ := strings.Cut(message, `"`)
	if name, _, ok := strings.Cut(rest, `"`); ok && name != "" {
		return name
	}
	return message
}

// claimed is the error about fields that others have set. It does not wrap the API server's error, which looks like a conflict
// that goes away when the write is tried again.
func claimed(r reference, claims []claim) error {
	var problems []error
	for _, one := range claims {
		if one.manager != manager {
			problems = append(problems, fmt.Errorf("%s, field %s: %s has set it to another value", r, one.field, one.manager))
		}
	}
	return fmt.Errorf("%w\n  set each of these fields to the value that the manifest has, or delete the object ('kubectl -n %s delete %s %s'), and run 'hellochaos deploy' again",
		errors.Join(problems...), printable.Word(r.Namespace), strings.ToLower(r.Kind), printable.Word(r.Name))
}
