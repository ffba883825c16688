package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// permission is the right to do something that a run, its restore, or Doctor does with the API server.
type permission struct {
	// namespace is the namespace of the resources; empty means the chain's.
	namespace string
	// group and resources are written as in RBAC, for example "pods/proxy" for a subresource.
	group     string
	resources []string
	// name is the only object to which it applies; empty means every object.
	name  string
	verbs []string
	// reason says what the permission is needed for.
	reason string
	// optional means that a run works without the permission, but reports less.
	optional bool
	// gatewayAPI means that only a run of objects of Gateway API needs it.
	gatewayAPI bool
}

const (
	toChange = "to apply stages and to put everything back"
	toSee    = "to see that the chain stands as deployed"
	toWarn   = "to see what may change the figures"
)

var (
	writeVerbs        = []string{"get", "list", "create", "update", "patch", "delete"}
	routeResources    = []string{"httproutes", "gateways", "referencegrants"}
	policyResources   = []string{"virtualservices", "destinationrules", "gateways", "serviceentries", "sidecars"}
	securityResources = []string{"peerauthentications", "authorizationpolicies"}
)

// permissions are all that a run needs. manifests/rbac.yaml grants these and no others; a test compares the two.
var permissions = []permission{
	{resources: []string{"services"}, verbs: writeVerbs, reason: toChange},
	{group: istioGroup, resources: policyResources, verbs: writeVerbs, reason: toChange},
	{group: manifests.GatewayAPI, resources: routeResources, verbs: writeVerbs, reason: toChange, gatewayAPI: true},
	{resources: []string{"configmaps"}, verbs: []string{"get", "list", "create", "update", "delete"}, reason: "to keep the journal of a run"},
	{group: "coordination.k8s.io", resources: []string{"leases"}, verbs: []string{"get", "create", "update", "delete"}, reason: "to keep two runs apart"},
	{group: "apps", resources: []string{"deployments"}, verbs: []string{"list"}, reason: toSee},
	{resources: []string{"pods"}, verbs: []string{"list"}, reason: toSee},
	{resources: []string{"pods/proxy"}, verbs: []string{"get"}, reason: "to read the services' counters and to ask their sidecars"},
	{resources: []string{"namespaces"}, name: ownName, verbs: []string{"get"}, reason: "to see the injection label", optional: true},
	{resources: []string{"pods/portforward"}, verbs: []string{"create"}, reason: "to send requests by a port-forward where no address can be reached", optional: true},
	{group: istioGroup, resources: []string{"envoyfilters"}, verbs: []string{"list"}, reason: toWarn, optional: true},
	{group: securityGroup, resources: securityResources, verbs: []string{"list"}, reason: toWarn, optional: true},

	{namespace: istioSystem, resources: []string{"services", "pods"}, verbs: []string{"list"}, reason: "to find the gateway and its address"},
	{namespace: istioSystem, resources: []string{"configmaps"}, name: "istio", verbs: []string{"get"}, reason: toWarn, optional: true},
	{namespace: istioSystem, group: istioGroup, resources: append([]string{"envoyfilters"}, policyResources...), verbs: []string{"list"}, reason: toWarn, optional: true},
	{namespace: istioSystem, group: manifests.GatewayAPI, resources: routeResources, verbs: []string{"list"}, reason: toWarn, optional: true, gatewayAPI: true},
	{namespace: istioSystem, group: securityGroup, resources: securityResources, verbs: []string{"list"}, reason: toWarn, optional: true},
}

// workersPermissions are what load by workers needs beside permissions, of which it needs those of ConfigMaps and Leases.
// manifests/rbac-workers.yaml grants these and no others, and manifests/rbac.yaml not all of them: who may make Jobs may make pods.
var workersPermissions = []permission{
	{group: "batch", resources: []string{"jobs"}, verbs: []string{"get", "create", "delete"}, reason: "to start workers and to end them"},
	{resources: []string{"pods"}, verbs: []string{"list", "patch"}, reason: "to see that workers run, and to have them look at what they are told"},
	{resources: []string{"pods/log"}, verbs: []string{"get"}, reason: "to read what workers say"},
	{resources: []string{"configmaps"}, verbs: []string{"get", "list", "create", "update", "delete"}, reason: "to tell workers what to do, and for the journal"},
	{group: "coordination.k8s.io", resources: []string{"leases"}, verbs: []string{"get", "create", "update", "delete"}, reason: "to keep two runs apart"},
}

// ownName stands for the name of the chain's namespace.
const ownName = "."

// parallelReviews is how many permissions are asked for at the same time.
const parallelReviews = 8

// access is one verb on one resource.
type access struct {
	permission     *permission
	resource, verb string
}

// denied asks the API server about each verb of each permission, and returns those that are not allowed. It has an error when
// an answer did not come.
func (c *Cluster) denied(ctx context.Context, permissions []permission) (seen seen[access]) {
	var asked []access
	for i := range permissions {
		for _, resource := range permissions[i].resources {
			for _, verb := range permissions[i].verbs {
				asked = append(asked, access{&permissions[i], resource, verb})
			}
		}
	}
	allowed := make([]bool, len(asked))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReviews)
	for i := range asked {
		group.Go(func() (err error) {
			allowed[i], err = c.may(ctx, asked[i])
			return err
		})
	}
	seen.hidden = group.Wait()
	for i := range asked {
		if !allowed[i] {
			seen.items = append(seen.items, asked[i])
		}
	}
	return seen
}

// may asks whether the user of this connection is allowed one verb on one resource.
func (c *Cluster) may(ctx context.Context, a access) (bool, error) {
	resource, subresource, _ := strings.Cut(a.resource, "/")
	attributes := authorizationv1.ResourceAttributes{Namespace: a.permission.namespace, Verb: a.verb, Group: a.permission.group,
		Resource: resource, Subresource: subresource, Name: a.permission.name}
	if attributes.Namespace == "" {
		attributes.Namespace = c.namespace
	}
	if attributes.Name == ownName {
		attributes.Name = c.namespace
	}
	review, err := c.core.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes}}, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("asking whether %s of %s is allowed: %w", a.verb, a.resource, err)
	}
	return review.Status.Allowed, nil
}

// text lists the verbs of a permission that are not allowed; resources that lack the same verbs are listed together.
func (p *permission) text(namespace string, denied []access) string {
	if p.namespace != "" {
		namespace = p.namespace
	}
	suffix := ""
	if p.group != "" {
		suffix = "." + p.group
	}
	var lacks []string                 // lists of verbs, in the order of the resources
	resources := map[string][]string{} // by the list of verbs that they lack
	for _, resource := range p.resources {
		var verbs []string
		for _, a := range denied {
			if a.permission == p && a.resource == resource {
				verbs = append(verbs, a.verb)
			}
		}
		if lack := strings.Join(verbs, ", "); lack != "" {
			if resources[lack] == nil {
				lacks = append(lacks, lack)
			}
			resources[lack] = append(resources[lack], resource)
		}
	}
	var texts []string
	for _, lack := range lacks {
		texts = append(texts, fmt.Sprintf("%s %s%s in namespace %s (%s)", lack, strings.Join(resources[lack], ", "), suffix, namespace, p.reason))
	}
	return strings.Join(texts, "; ")
}

// needed are the permissions that a run with these options needs.
func (c *Cluster) needed() []permission {
	if c.options.Workers == 0 {
		return permissions
	}
	return slices.Concat(permissions, workersPermissions[:3]) // the others are among those of every run
}

// MayHaveWorkers returns an error that names the permissions that load by workers lacks in the namespace, verb by verb.
func (c *Cluster) MayHaveWorkers(ctx context.Context) error {
	denied := c.denied(ctx, workersPermissions)
	if denied.hidden != nil {
		return denied.hidden
	}
	var lacking []string
	for i := range workersPermissions {
		if text := workersPermissions[i].text(c.namespace, denied.items); text != "" {
			lacking = append(lacking, text)
		}
	}
	if len(lacking) > 0 {
		return fmt.Errorf("not allowed: %s; 'hellochaos manifests rbac-workers -n %s | kubectl apply -f -' grants it to the ServiceAccount hellochaos", strings.Join(lacking, "; "), c.namespace)
	}
	return nil
}

// permissions checks which permissions are missing, and says what each one is needed for.
func (v *view) permissions() Finding {
	if v.denied.hidden != nil {
		return v.unseen(v.denied.hidden)
	}
	var needed, useful []string
	all := v.needed
	for i := range all {
		switch text := all[i].text(v.cluster.namespace, v.denied.items); {
		case text == "", all[i].gatewayAPI && !usesGatewayAPI(v.objects):
		case all[i].optional:
			useful = append(useful, text)
		default:
			needed = append(needed, text)
		}
	}
	switch {
	case len(needed) > 0:
		return fail(v.grant(), "not allowed: %s", strings.Join(append(needed, useful...), "; "))
	case len(useful) > 0:
		return warn(v.grant(), "a run can be made, but these are not allowed: %s", strings.Join(useful, "; "))
	}
	return good("everything that a run and its restore need is allowed in namespaces %s and %s", v.cluster.namespace, istioSystem)
}
