package manifests

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// GatewayAPI is the group of Kubernetes' Gateway API. Its Gateway and that of Istio are different kinds of the same name.
const GatewayAPI = "gateway.networking.k8s.io"

// gatewayVersions are the versions of Gateway API whose objects are read; they share one schema.
var gatewayVersions = []string{GatewayAPI + "/v1", GatewayAPI + "/v1beta1"}

// gatewayKinds are the kinds of Gateway API that are read, each with how to make an empty one.
var gatewayKinds = map[string]func() any{
	"HTTPRoute":      func() any { return new(gatewayv1.HTTPRoute) },
	"Gateway":        func() any { return new(gatewayv1.Gateway) },
	"ReferenceGrant": func() any { return new(gatewayv1.ReferenceGrant) },
}

// IsGatewayAPI reports whether the object is one of Gateway API.
func (o *Object) IsGatewayAPI() bool { return group(o.APIVersion) == GatewayAPI }

// HTTPRoute is the object as a route of Gateway API; nil where it is another object.
func (o *Object) HTTPRoute() *gatewayv1.HTTPRoute {
	route, _ := o.Kubernetes.(*gatewayv1.HTTPRoute)
	return route
}

// fieldsOf is what the table of what is supported calls the kind of an object: that of Gateway API's Gateway has the group before it,
// since Istio's has the same name.
func fieldsOf(version, kind string) string {
	if kind == "Gateway" && group(version) == GatewayAPI {
		return GatewayAPI + " " + kind
	}
	return kind
}

// decodeGatewayAPI fills an object of Gateway API from its fields.
func (d *document) decodeGatewayAPI(o *Object, fields map[string]any, data []byte) {
	empty, ok := gatewayKinds[o.Kind]
	if !ok {
		d.problem("kind", "%q of %s is not supported by hellochaos; accepted of this group: %s", o.Kind, GatewayAPI, strings.Join(slices.Sorted(maps.Keys(gatewayKinds)), ", "))
		return
	}
	if !slices.Contains(gatewayVersions, o.APIVersion) {
		d.problem("apiVersion", "must be one of %s for kind %s, not %q", strings.Join(gatewayVersions, ", "), o.Kind, o.APIVersion)
		return
	}
	o.Kubernetes = empty()
	if d.strict(data, o.Kubernetes); len(d.problems) == 0 {
		d.checkFields(kubernetesFields[fieldsOf(o.APIVersion, o.Kind)], "", "", fields)
	}
	o.Meta = *o.Kubernetes.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
}
