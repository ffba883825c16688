package istio

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"istio.io/istio/pilot/pkg/config/kube/gateway"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/serviceregistry/kube/controller"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/gvk"
	"istio.io/istio/pkg/config/schema/gvr"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/kclient/clienttest"
	"istio.io/istio/pkg/kube/krt"
	"istio.io/istio/pkg/test"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/yaml"
)

// group is the API group of Gateway API.
const group = "gateway.networking.k8s.io"

// born is when all objects were created.
var born = time.Unix(1_000_000_000, 0)

// gatewayAPI are the objects of Gateway API of a set, as the API server stores them.
type gatewayAPI struct {
	objects  []runtime.Object
	gateways []*gatewayv1.Gateway
}

// split is a set of objects without those of Gateway API, and those.
func split(policies string) (others string, own *gatewayAPI, err error) {
	own = new(gatewayAPI)
	var rest []string
	for document := range strings.SplitSeq(policies, "\n---\n") {
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			return "", nil, err
		}
		if !strings.HasPrefix(head.APIVersion, group+"/") {
			rest = append(rest, document)
			continue
		}
		if err := own.add(head.Kind, document); err != nil {
			return "", nil, err
		}
	}
	return strings.Join(rest, "\n---\n"), own, nil
}

// add reads an object of Gateway API, and gives it the defaults of its definition.
func (g *gatewayAPI) add(kind, document string) error {
	var object interface {
		runtime.Object
		metav1.Object
	}
	switch kind {
	case "Gateway":
		gateway := new(gatewayv1.Gateway)
		g.gateways = append(g.gateways, gateway)
		object = gateway
	case "HTTPRoute":
		object = new(gatewayv1.HTTPRoute)
	case "ReferenceGrant":
		object = new(gatewayv1beta1.ReferenceGrant)
	default:
		return fmt.Errorf("kind %s is none of Gateway API that is compared", kind)
	}
	stored, err := defaulted(kind, document)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(stored, object); err != nil {
		return err
	}
	object.SetCreationTimestamp(metav1.NewTime(born))
	object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{}) // so that the client goes by the type: Istio asks for v1beta1 of some
	g.objects = append(g.objects, object)
	return nil
}

// resources are what Istio's controller of Gateway API waits for.
var resources = []schema.GroupVersionResource{gvr.KubernetesGateway, gvr.ReferenceGrant, gvr.ListenerSet, gvr.GatewayClass, gvr.HTTPRoute, gvr.GRPCRoute, gvr.TCPRoute,
	gvr.TLSRoute, gvr.ServiceEntry, gvr.XBackendTrafficPolicy, gvr.BackendTLSPolicy, gvr.InferencePool}

// translated are the Gateways and VirtualServices that Istio's controller of Gateway API makes of the objects, in a cluster with these
// Services, and the controller.
func (g *gatewayAPI) translated(t test.Failer, services []*corev1.Service) ([]config.Config, *gateway.Controller) {
	objects := slices.Clone(g.objects)
	namespaces := map[string]bool{"default": true, root: true}
	for _, s := range services {
		objects, namespaces[s.Namespace] = append(objects, s.DeepCopy()), true
	}
	for _, name := range slices.Sorted(maps.Keys(namespaces)) {
		objects = append(objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}}})
	}
	client := kube.NewFakeClient(objects...)
	for _, r := range resources {
		clienttest.MakeCRDWithAnnotations(t, client, r, map[string]string{consts.BundleVersionAnnotation: consts.BundleVersion})
	}
	stop := test.NewStop(t)
	ready := func(schema.GroupVersionResource, <-chan struct{}) bool { return true }
	c := gateway.NewController(client, ready, controller.Options{DomainSuffix: domain, KrtDebugger: new(krt.DebugHandler)}, nil)
	go c.Run(stop)
	client.RunAndWait(stop)
	c.Reconcile(model.NewPushContext()) // which it needs for what it says of the state of Gateways alone
	kube.WaitForCacheSync("gateway", stop, c.HasSynced)
	return append(c.List(gvk.Gateway, ""), c.List(gvk.VirtualService, "")...), c
}

// entrances are the Services that Istio writes for Gateways of Gateway API, and whose pods run the gateways (extractServicePorts in its
// deploymentcontroller.go).
func (g *gatewayAPI) entrances() (all []*corev1.Service) {
	for _, gateway := range g.gateways {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: gateway.Name + "-istio", Namespace: gateway.Namespace}}
		for _, l := range gateway.Spec.Listeners {
			port := corev1.ServicePort{Name: fmt.Sprintf("%s-%d", strings.ToLower(string(l.Protocol)), l.Port), Port: l.Port}
			if !slices.Contains(s.Spec.Ports, port) {
				s.Spec.Ports = append(s.Spec.Ports, port)
			}
		}
		all = append(all, s)
	}
	return all
}
