package cluster

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hellochaos/hellochaos/manifests"
)

// Types of the Service by which requests enter the chain. They decide who can reach the chain: the programs of the cluster,
// everybody who can reach a node, or everybody who can reach the address of the cluster's load balancer, which is public on most
// clouds.
const (
	ClusterIP    = string(corev1.ServiceTypeClusterIP)
	NodePort     = string(corev1.ServiceTypeNodePort)
	LoadBalancer = string(corev1.ServiceTypeLoadBalancer)
)

// ServiceTypes are the types that Deploy accepts.
var ServiceTypes = []string{ClusterIP, NodePort, LoadBalancer}

// applicationFile is the bundled file of the chain itself.
const applicationFile = "application.yaml"

// isEntry reports whether an object is the Service of the chain's first hop in the application's manifest. It is false for the
// same Service in a stage's manifest, since the type that a stage sets is part of what is tested.
func isEntry(o *manifests.Object) bool {
	return o.File == applicationFile && o.Kind == "Service" && o.Meta.Name == entryService
}

// setServiceType sets the type of a Service.
func setServiceType(service *unstructured.Unstructured, to string) error {
	return unstructured.SetNestedField(service.Object, to, "spec", "type")
}

// entryType is the type that the Service of the chain's first hop has in the cluster. If the Service does not exist, it is
// ClusterIP, with which nobody outside can reach the Service.
func (c *Cluster) entryType(ctx context.Context) (string, error) {
	ref := reference{Kind: "Service", Namespace: c.namespace, Name: entryService}
	has := ClusterIP
	err := c.again(ctx, "reading "+ref.String(), func(ctx context.Context) error {
		live, err := c.get(ctx, ref)
		if err != nil || live == nil {
			return err
		}
		if found, _, _ := unstructured.NestedString(live.Object, "spec", "type"); slices.Contains(ServiceTypes, found) {
			has = found
		}
		return nil
	})
	return has, err
}
