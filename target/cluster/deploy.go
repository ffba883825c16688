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

// installation is what Deploy is to bring about.
type installation struct {
	cluster    *Cluster
	namespaces []*home
	objects    []*unstructured.Unstructured
}

// Choices are what Deploy puts in place of what the objects say.
type Choices struct {
	// Image takes the place of the Deployments' images; empty leaves them.
	Image string
	// ServiceType, one of ServiceTypes, is the type of the Service by which requests enter the chain; empty leaves the
	// tutorial's, which is LoadBalancer.
	ServiceType string
}

// Deploy makes objects stand in the cluster, and ends when every pod of their Deployments is ready and, where the namespace
// injects, has its sidecar. The cluster's namespace is made when it is missing, with sidecars injected; Namespaces among the
// objects are made likewise. What is there already is left alone, so that a second call changes nothing. Everything is tried
// without effect before the first change, as far as its namespace is there. The error names each object, field, pod and
// event that is in the way.
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

// installation turns objects into what the API server is sent.
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

// put puts what was chosen into an object as it is sent.
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

func nameOf(u *unstructured.Unstructured) reference {
	return reference{u.GetKind(), u.GetNamespace(), u.GetName()}
}

// rehearse looks at the namespaces and tries every object without effect whose namespace is there, and joins all that is
// refused.
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

// install makes one object as it should be, and tells what had to be done for it.
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

// put writes an object by server-side apply, without taking from another manager a field that it has set otherwise.
func (c *Cluster) put(ctx context.Context, want *unstructured.Unstructured, dry []string) (*unstructured.Unstructured, error) {
	data, err := want.MarshalJSON()
	if err != nil {
		return nil, err
	}
	write := func(force bool) (*unstructured.Unstructured, error) {
		// The dynamic client's Apply has no way to ask for strict validation of fields, its Patch has.
		return c.at(nameOf(want)).Patch(ctx, want.GetName(), types.ApplyPatchType, data, metav1.PatchOptions{
			FieldManager: manager, Force: ptr.To(force), FieldValidation: metav1.FieldValidationStrict, DryRun: dry})
	}
	after, err := write(false)
	claims := claimsOf(err)
	if len(claims) == 0 {
		return after, err
	}
	if !slices.ContainsFunc(claims, func(c claim) bool { return c.manager != manager }) {
		// What a run has put back is booked under our name as an update, and so is no part of what we applied.
		return write(true)
	}
	return nil, claimed(nameOf(want), claims)
}

// claim is a field that a manager has set otherwise than we would.
type claim struct{ field, manager string }

// claimsOf are the fields that made the API server refuse an apply; none when err is something else.
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

// claimant is the manager that a cause of a conflict names: conflict with "kubectl-scale" with subresource "scale" using
// apps/v1. The whole message where it names none.
func claimant(message string) string {
	_, rest, _ := strings.Cut(message, `"`)
	if name, _, ok := strings.Cut(rest, `"`); ok && name != "" {
		return name
	}
	return message
}

// claimed is the error about fields that others have set. It hides the API server's, which looks like a conflict that
// goes away when the write is tried again.
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
