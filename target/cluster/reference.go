package cluster

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/hellochaos/hellochaos/manifests"
)

const istioGroup = "networking.istio.io"

// istioVersions are the versions of Istio's networking API that have the same schema, the preferred one first.
var istioVersions = []string{"v1", "v1beta1", "v1alpha3"}

// reference names one object of the cluster. Kind is as kindOf has it. Namespace is empty for an object without a namespace.
type reference struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String is the form for messages: "VirtualService middleware".
func (r reference) String() string { return r.Kind + " " + r.Name }

// istioResources are the names of the API resources of Istio's kinds.
var istioResources = map[string]string{
	"VirtualService": "virtualservices", "DestinationRule": "destinationrules", "Gateway": "gateways",
	"ServiceEntry": "serviceentries", "Sidecar": "sidecars",
}

// coreResources are the API resources of Kubernetes' own kinds.
var coreResources = map[string]schema.GroupVersionResource{
	"Service":     {Version: "v1", Resource: "services"},
	"Namespace":   {Version: "v1", Resource: "namespaces"},
	"Deployment":  {Group: "apps", Version: "v1", Resource: "deployments"},
	"Job":         {Group: "batch", Version: "v1", Resource: "jobs"},
	"Secret":      {Version: "v1", Resource: "secrets"},
	"Role":        {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	"RoleBinding": {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
	"ConfigMap":   {Version: "v1", Resource: "configmaps"},
}

// unreadResources are the API resources of the policies that are applied without being read.
var unreadResources = map[string]schema.GroupVersionResource{
	"AuthorizationPolicy":   {Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"},
	"PeerAuthentication":    {Group: "security.istio.io", Version: "v1", Resource: "peerauthentications"},
	"RequestAuthentication": {Group: "security.istio.io", Version: "v1", Resource: "requestauthentications"},
}

// runKinds are the kinds that a run changes, in the order in which it writes them: an object is written before the objects that
// refer to it.
var runKinds = []string{"Service", "Sidecar", "ServiceEntry", "DestinationRule", "Gateway", "VirtualService", gatewayKind, "ReferenceGrant", routeKind}

// resource is the API resource of a kind.
func (c *Cluster) resource(kind string) schema.GroupVersionResource {
	if resource, ok := istioResources[kind]; ok {
		return schema.GroupVersionResource{Group: istioGroup, Version: c.istioVersion, Resource: resource}
	}
	if resource, ok := gatewayAPIResources[kind]; ok {
		return schema.GroupVersionResource{Group: manifests.GatewayAPI, Version: cmp.Or(c.gatewayAPI[kind], gatewayAPIVersions[0]), Resource: resource}
	}
	if resource, ok := unreadResources[kind]; ok {
		return resource
	}
	return coreResources[kind]
}

// at is the client for the objects of a reference's kind and namespace.
func (c *Cluster) at(r reference) dynamic.ResourceInterface {
	if r.Namespace == "" {
		return c.dynamic.Resource(c.resource(r.Kind))
	}
	return c.dynamic.Resource(c.resource(r.Kind)).Namespace(r.Namespace)
}

// referenceOf names an object of a manifest as it is in this cluster: without a namespace of its own it is in the chain's.
func (c *Cluster) referenceOf(o *manifests.Object) reference {
	r := reference{Kind: o.Kind, Namespace: o.Meta.Namespace, Name: o.Meta.Name}
	if o.IsGatewayAPI() {
		r.Kind = kindOf(manifests.GatewayAPI, o.Kind)
	}
	if r.Namespace == "" && r.Kind != "Namespace" {
		r.Namespace = c.namespace
	}
	return r
}

// desired is an object of a manifest in the form that is sent to the API server, with its namespace and the label managedBy.
func (c *Cluster) desired(o *manifests.Object) (*unstructured.Unstructured, error) {
	object, err := o.Unstructured()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name(), err)
	}
	u := &unstructured.Unstructured{Object: object}
	r := c.referenceOf(o)
	u.SetGroupVersionKind(c.resource(r.Kind).GroupVersion().WithKind(plainKind(r.Kind)))
	u.SetNamespace(r.Namespace)
	labels := u.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[managedBy] = manager
	u.SetLabels(labels)
	return u, nil
}
