package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// gatewayAPI checks whether the cluster has the kinds of Gateway API that the objects are of, with the fields that they use, and the classes
// of their Gateways.
func (v *view) gatewayAPI() Finding {
	if !usesGatewayAPI(v.objects) {
		return good("these stages need no Gateway API")
	}
	if err := v.cluster.missingGatewayAPI([][]manifests.Object{v.objects}); err != nil {
		return fail(installGatewayAPI, "%s", oneLine(err))
	}
	switch {
	case unknownField(v.route) && retries(v.objects):
		return fail(upgradeGatewayAPI, "the cluster has the standard channel of Gateway API, whose HTTPRoutes have no retry: the API server would refuse those of the stages")
	case v.route != nil && !unknownField(v.route) && !apierrors.IsNotFound(v.route): // the namespace may be missing, which the row of the application says
		return v.unseen(fmt.Errorf("trying an HTTPRoute in a dry run: %w", v.route))
	}
	channel := "experimental"
	if unknownField(v.route) {
		channel = "standard"
	}
	kinds := fmt.Sprintf("HTTPRoute %s of the %s channel", v.cluster.gatewayAPI[routeKind], channel)
	if v.classes.hidden != nil {
		return warn("", "%s; the GatewayClasses could not be read: %s", kinds, oneLine(v.classes.hidden))
	}
	var names []string
	for _, class := range v.classes.items {
		names = append(names, class.GetName())
	}
	for i := range v.objects {
		g, ok := v.objects[i].Kubernetes.(*gatewayv1.Gateway)
		if !ok {
			continue
		}
		class := string(g.Spec.GatewayClassName)
		if !slices.Contains(names, class) {
			return fail("kubectl get gatewayclass", "%s; %s is of GatewayClass %q, which the cluster does not have, so that nothing would serve it: there are %s",
				kinds, v.objects[i].Name(), class, orNone(strings.Join(names, ", ")))
		}
		kinds += fmt.Sprintf(", GatewayClass %s", class)
	}
	return good("%s", kinds)
}

// retries reports whether an HTTPRoute among the objects has retry, a field of the experimental channel.
func retries(objects []manifests.Object) bool {
	return slices.ContainsFunc(objects, func(o manifests.Object) bool {
		route := o.HTTPRoute()
		return route != nil && slices.ContainsFunc(route.Spec.Rules, func(r gatewayv1.HTTPRouteRule) bool { return r.Retry != nil })
	})
}

// tryRoute tries an HTTPRoute with a field of the experimental channel in a dry run.
func (c *Cluster) tryRoute(ctx context.Context) error {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"parentRefs": []any{map[string]any{"group": "", "kind": "Service", "name": "hellochaos-doctor"}},
		"rules": []any{map[string]any{"retry": map[string]any{"attempts": int64(3), "codes": []any{int64(500)}},
			"backendRefs": []any{map[string]any{"name": "hellochaos-doctor", "port": int64(80)}}}},
	}}}
	u.SetGroupVersionKind(c.resource(routeKind).GroupVersion().WithKind(routeKind))
	u.SetGenerateName("hellochaos-doctor-")
	_, err := c.dynamic.Resource(c.resource(routeKind)).Namespace(c.namespace).Create(ctx, u,
		metav1.CreateOptions{DryRun: dryRun, FieldManager: manager, FieldValidation: metav1.FieldValidationStrict})
	return err
}
