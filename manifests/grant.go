package manifests

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// grants are the ReferenceGrants by their namespaces.
type grants map[string][]*gatewayv1.ReferenceGrant

// allow reports whether HTTPRoutes of a namespace may name an object of another one: where a ReferenceGrant there says so (BackendAllowed in
// Istio's pilot/pkg/config/kube/gatewaycommon).
func (g grants) allow(from, group, kind, name, namespace string) bool {
	return from == namespace || slices.ContainsFunc(g[namespace], func(grant *gatewayv1.ReferenceGrant) bool {
		return slices.ContainsFunc(grant.Spec.From, func(f gatewayv1.ReferenceGrantFrom) bool {
			return string(f.Group) == GatewayAPI && string(f.Kind) == "HTTPRoute" && string(f.Namespace) == from
		}) && slices.ContainsFunc(grant.Spec.To, func(t gatewayv1.ReferenceGrantTo) bool {
			return string(t.Group) == group && string(t.Kind) == kind && (t.Name == nil || *t.Name == "" || string(*t.Name) == name)
		})
	})
}
