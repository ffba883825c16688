package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// gatewayKind is Gateway API's Gateway among the kinds of this package, since Istio's has the same name. It is the form in which
	// kubectl tells the two apart, too.
	gatewayKind = "Gateway." + manifests.GatewayAPI
	// routeKind is the kind of the routes of Gateway API.
	routeKind = "HTTPRoute"
)

// gatewayAPIResources are the names of the API resources of Gateway API's kinds.
var gatewayAPIResources = map[string]string{gatewayKind: "gateways", routeKind: "httproutes", "ReferenceGrant": "referencegrants"}

// gatewayAPIVersions are the versions of Gateway API whose objects have the same schema, the preferred one first. A release of Gateway
// API may have a kind in the second one alone.
var gatewayAPIVersions = []string{"v1", "v1beta1"}

// installGatewayAPI installs the definitions of Gateway API with all fields that a run may use: retry is one of the experimental channel.
const installGatewayAPI = "kubectl apply --server-side -f https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.0/experimental-install.yaml"

// upgradeGatewayAPI installs them where the standard channel is installed. A policy that came with it refuses that for some seconds after it was
// deleted.
const upgradeGatewayAPI = "kubectl delete validatingadmissionpolicy safe-upgrades.gateway.networking.k8s.io --ignore-not-found && sleep 5 && " + installGatewayAPI

// kindOf is a kind of an API group as this package names it.
func kindOf(group, kind string) string {
	if group == manifests.GatewayAPI && kind == "Gateway" {
		return gatewayKind
	}
	return kind
}

// plainKind is a kind as the API server names it.
func plainKind(kind string) string {
	if kind == gatewayKind {
		return "Gateway"
	}
	return kind
}

// isRule reports whether objects of a kind are rules for proxies, of Istio or of Gateway API. A run writes their spec as a whole.
func isRule(kind string) bool {
	_, istio := istioResources[kind]
	_, gatewayAPI := gatewayAPIResources[kind]
	return istio || gatewayAPI
}

// serves reports whether the API server has a kind. It is only asked for the kinds of Gateway API, which are installed apart from
// Kubernetes and Istio.
func (c *Cluster) serves(kind string) bool {
	_, gatewayAPI := gatewayAPIResources[kind]
	return !gatewayAPI || c.gatewayAPI[kind] != ""
}

// served are those of some kinds that the API server has.
func (c *Cluster) served(kinds []string) []string {
	return slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return !c.serves(kind) })
}

// findGatewayAPI asks the server which kinds of Gateway API it has, in a version of the group that it serves.
func (c *Cluster) findGatewayAPI(ctx context.Context, served []metav1.GroupVersionForDiscovery) error {
	found := map[string]string{}
	for _, version := range gatewayAPIVersions {
		if !slices.ContainsFunc(served, func(v metav1.GroupVersionForDiscovery) bool { return v.Version == version }) {
			continue
		}
		list, err := c.core.serverResources(ctx, manifests.GatewayAPI+"/"+version)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, resource := range list.APIResources {
			kind := kindOf(manifests.GatewayAPI, resource.Kind)
			if gatewayAPIResources[kind] == resource.Name && found[kind] == "" {
				found[kind] = version
			}
		}
	}
	c.gatewayAPI = found
	return nil
}

// usesGatewayAPI reports whether a set of objects has one of Gateway API.
func usesGatewayAPI(objects []manifests.Object) bool {
	return slices.ContainsFunc(objects, func(o manifests.Object) bool { return o.IsGatewayAPI() })
}

// missingGatewayAPI is an error where a set of objects has kinds of Gateway API that the cluster does not have.
func (c *Cluster) missingGatewayAPI(sets [][]manifests.Object) error {
	var missing []string
	for _, set := range sets {
		for i := range set {
			o := &set[i]
			if kind := kindOf(manifests.GatewayAPI, o.Kind); o.IsGatewayAPI() && !c.serves(kind) && !slices.Contains(missing, o.Kind) {
				missing = append(missing, o.Kind)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("the cluster at %s does not have these kinds of the API group %s, of which the objects to apply are: %s: install Gateway API with '%s'",
		c.server, manifests.GatewayAPI, strings.Join(missing, ", "), installGatewayAPI)
}

// channel adds to a refusal of the API server what to do where it does not know a field of Gateway API's experimental channel.
func channel(err error) error {
	if err != nil && strings.Contains(err.Error(), manifests.GatewayAPI) && unknownField(err) {
		return fmt.Errorf("%w\nretry and some filters belong to the experimental channel of Gateway API, and the cluster has the standard one: install the other with '%s'", err, upgradeGatewayAPI)
	}
	return err
}

// unknownField reports whether the API server refused an object for a field that it does not know: server-side apply and the other
// ways of writing have words of their own for it.
func unknownField(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "field not declared in schema") || strings.Contains(err.Error(), "unknown field"))
}

// listenerOf is the Gateway of Gateway API among some objects, with a host at which its first listener for HTTP takes requests: a name
// that only the nonce has, or else the one host that the listener is for. It is "" where there is no such Gateway.
func listenerOf(objects []manifests.Object, nonce string) (gateway, host string) {
	for i := range objects {
		g, ok := objects[i].Kubernetes.(*gatewayv1.Gateway)
		if !ok {
			continue
		}
		for _, l := range g.Spec.Listeners {
			if l.Protocol != gatewayv1.HTTPProtocolType {
				continue
			}
			host = nonce
			if l.Hostname != nil && *l.Hostname != "" {
				host = strings.Replace(string(*l.Hostname), "*", strings.ReplaceAll(nonce, ".", "-"), 1)
			}
			return g.Name, host
		}
	}
	return "", ""
}
