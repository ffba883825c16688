package cluster

import (
	"context"
	"encoding/json"
	"net/http"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	serverversion "k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// kinds are the kinds of the API groups below, and those of the meta group that every group has.
var kinds = func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, authorizationv1.AddToScheme, coordinationv1.AddToScheme} {
		utilruntime.Must(add(scheme))
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	return scheme
}()

var (
	codecs     = serializer.NewCodecFactory(kinds)
	parameters = runtime.NewParameterCodec(kinds)
)

// clientset is the part of client-go's clientset that this package uses, under the same names. The whole clientset brings
// every kind of every API group with it, and makes the program a third larger (docs/performance.md).
type clientset struct {
	core, apps, authorization, coordination rest.Interface
}

// newClientset makes the clients of all groups, which share one limit of requests.
func newClientset(config *rest.Config, client *http.Client) (*clientset, error) {
	shared := rest.CopyConfig(config)
	if shared.RateLimiter == nil && shared.QPS > 0 {
		shared.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(shared.QPS, shared.Burst)
	}
	c := &clientset{}
	for _, group := range []struct {
		version schema.GroupVersion
		path    string
		made    *rest.Interface
	}{
		{corev1.SchemeGroupVersion, "/api", &c.core},
		{appsv1.SchemeGroupVersion, "/apis", &c.apps},
		{authorizationv1.SchemeGroupVersion, "/apis", &c.authorization},
		{coordinationv1.SchemeGroupVersion, "/apis", &c.coordination},
	} {
		own := rest.CopyConfig(shared)
		own.GroupVersion, own.APIPath, own.NegotiatedSerializer = &group.version, group.path, codecs.WithoutConversion()
		made, err := rest.RESTClientForConfigAndClient(own, client)
		if err != nil {
			return nil, err
		}
		*group.made = made
	}
	return c, nil
}

// serverVersion asks the API server what it is.
func (c *clientset) serverVersion(ctx context.Context) (*serverversion.Info, error) {
	info := &serverversion.Info{}
	return info, c.read(ctx, "/version", info)
}

// serverGroups asks the API server for its API groups with their versions, all but the core group.
func (c *clientset) serverGroups(ctx context.Context) (*metav1.APIGroupList, error) {
	groups := &metav1.APIGroupList{}
	return groups, c.read(ctx, "/apis", groups)
}

// serverResources asks the API server for the resources of a version of an API group, "gateway.networking.k8s.io/v1".
func (c *clientset) serverResources(ctx context.Context, groupVersion string) (*metav1.APIResourceList, error) {
	resources := &metav1.APIResourceList{}
	return resources, c.read(ctx, "/apis/"+groupVersion, resources)
}

// read gets a JSON document at a path that belongs to no API group.
func (c *clientset) read(ctx context.Context, path string, into any) error {
	answer, err := c.core.Get().AbsPath(path).DoRaw(ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

func (c *clientset) CoreV1() coreV1                   { return coreV1{c.core} }
func (c *clientset) AppsV1() appsV1                   { return appsV1{c.apps} }
func (c *clientset) AuthorizationV1() authorizationV1 { return authorizationV1{c.authorization} }
func (c *clientset) CoordinationV1() coordinationV1   { return coordinationV1{c.coordination} }

type coreV1 struct{ client rest.Interface }

func (g coreV1) RESTClient() rest.Interface { return g.client }

func (g coreV1) Namespaces() kind[corev1.Namespace, corev1.NamespaceList] {
	return kind[corev1.Namespace, corev1.NamespaceList]{g.client, "namespaces", ""}
}

func (g coreV1) Nodes() kind[corev1.Node, corev1.NodeList] {
	return kind[corev1.Node, corev1.NodeList]{g.client, "nodes", ""}
}

func (g coreV1) Services(namespace string) kind[corev1.Service, corev1.ServiceList] {
	return kind[corev1.Service, corev1.ServiceList]{g.client, "services", namespace}
}

func (g coreV1) ConfigMaps(namespace string) kind[corev1.ConfigMap, corev1.ConfigMapList] {
	return kind[corev1.ConfigMap, corev1.ConfigMapList]{g.client, "configmaps", namespace}
}

func (g coreV1) Events(namespace string) kind[corev1.Event, corev1.EventList] {
	return kind[corev1.Event, corev1.EventList]{g.client, "events", namespace}
}

func (g coreV1) Pods(namespace string) pods {
	return pods{kind[corev1.Pod, corev1.PodList]{g.client, "pods", namespace}}
}

type appsV1 struct{ client rest.Interface }

func (g appsV1) Deployments(namespace string) kind[appsv1.Deployment, appsv1.DeploymentList] {
	return kind[appsv1.Deployment, appsv1.DeploymentList]{g.client, "deployments", namespace}
}

func (g appsV1) ReplicaSets(namespace string) kind[appsv1.ReplicaSet, appsv1.ReplicaSetList] {
	return kind[appsv1.ReplicaSet, appsv1.ReplicaSetList]{g.client, "replicasets", namespace}
}

type authorizationV1 struct{ client rest.Interface }

func (g authorizationV1) SelfSubjectAccessReviews() kind[authorizationv1.SelfSubjectAccessReview, metav1.List] {
	return kind[authorizationv1.SelfSubjectAccessReview, metav1.List]{g.client, "selfsubjectaccessreviews", ""}
}

type coordinationV1 struct{ client rest.Interface }

func (g coordinationV1) Leases(namespace string) kind[coordinationv1.Lease, coordinationv1.LeaseList] {
	return kind[coordinationv1.Lease, coordinationv1.LeaseList]{g.client, "leases", namespace}
}

// pods reads and writes the pods of a namespace, and reads their logs.
type pods struct {
	kind[corev1.Pod, corev1.PodList]
}

// GetLogs reads what a container of a pod wrote.
func (p pods) GetLogs(name string, options *corev1.PodLogOptions) *rest.Request {
	return p.request(http.MethodGet).Name(name).SubResource("log").VersionedParams(options, parameters)
}
