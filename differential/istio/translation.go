// Package istio asks Istio's own code what it makes of objects: the configuration that a proxy gets, and whether the webhook accepts an
// object. It runs in this process, without a cluster.
package istio

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/config/kube/gateway"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/networking/core"
	"istio.io/istio/pilot/pkg/serviceregistry/kube"
	"istio.io/istio/pilot/pkg/xds/endpoints"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/visibility"
	"istio.io/istio/pkg/kube/krt"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/test"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/differential/envoy"
)

const (
	domain = "cluster.local"
	// nowhere is the address of hosts that no Service has.
	nowhere = "203.0.113.9"
	// root is Istio's root namespace, in which the ingress gateway's pods run too.
	root = "istio-system"
)

func init() {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel) // Istio's log of thousands of sets says nothing about any of them
	}
}

// Caller is a proxy: that of a pod in a namespace, or, with Gateway, that of a gateway's pods with these labels. For a Gateway of Gateway API
// Pods is its "namespace/name": the pods are those that Istio runs for it.
type Caller struct {
	Namespace string
	Gateway   bool
	Labels    map[string]string
	Pods      string
}

// Translation is what Istio makes of a set of objects.
type Translation struct {
	generator *core.ConfigGenTest
	addresses map[string]string // of Services, by full name
	pods      map[string]string // names of pods by address
	// entrances are the addresses of the pods of each Gateway of Gateway API, by its "namespace/name".
	entrances map[string]string
	// controller made what Istio makes of objects of Gateway API; nil where there are none.
	controller *gateway.Controller
}

// Translate hands a set of objects to Istio. world has Services and Deployments of Kubernetes, and policies objects of Istio, all in YAML.
// Objects of Istio are of the same age. What Istio starts ends with t.
func Translate(t test.Failer, world, policies string) (*Translation, error) {
	istios, own, err := split(policies)
	if err != nil {
		return nil, err
	}
	configs, err := read(istios)
	if err != nil {
		return nil, err
	}
	tr := &Translation{addresses: make(map[string]string), pods: make(map[string]string), entrances: make(map[string]string)}
	options := core.TestOptions{Configs: configs}
	if err := tr.addWorld(t, world, own, &options); err != nil {
		return nil, err
	}
	krt.GlobalDebugHandler = new(krt.DebugHandler) // it would keep everything that every set had
	tr.generator = core.NewConfigGenTest(t, options)
	if tr.controller != nil {
		tr.generator.PushContext().GatewayAPIController = tr.controller
	}
	return tr, nil
}

// read reads objects of Istio, which must be valid and have a namespace.
func read(policies string) ([]config.Config, error) {
	configs, others, err := crd.ParseInputs(policies)
	if err != nil {
		return nil, err
	}
	if len(others) > 0 {
		return nil, fmt.Errorf("kind %s is none of Istio's", others[0].Kind)
	}
	for i := range configs {
		configs[i].Domain = domain
		configs[i].CreationTimestamp = born
	}
	return configs, nil
}

// addWorld adds the Services of Kubernetes, as Istio's registry of Kubernetes reads them, and the pods that they select, and what Istio makes of
// objects of Gateway API.
func (tr *Translation) addWorld(t test.Failer, world string, own *gatewayAPI, options *core.TestOptions) error {
	var services []*corev1.Service
	var deployments []*appsv1.Deployment
	for document := range strings.SplitSeq(world, "\n---\n") {
		var kind struct{ Kind string }
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			return err
		}
		var err error
		switch kind.Kind {
		case "Service":
			s := new(corev1.Service)
			err = yaml.Unmarshal([]byte(document), s)
			services = append(services, s)
		case "Deployment":
			d := new(appsv1.Deployment)
			err = yaml.Unmarshal([]byte(document), d)
			deployments = append(deployments, d)
		}
		if err != nil {
			return err
		}
	}
	if len(own.objects) > 0 {
		var made []config.Config
		made, tr.controller = own.translated(t, services)
		options.Configs = append(options.Configs, made...)
	}
	tr.addServices(services, deployments, options)
	for i, s := range own.entrances() {
		converted := tr.addService(s, options)
		address := fmt.Sprintf("10.3.0.%d", i+1)
		tr.entrances[s.Namespace+"/"+own.gateways[i].Name] = address
		for _, port := range converted.Ports {
			options.Instances = append(options.Instances, instance(converted, port, address, nil, uint32(port.Port)))
		}
	}
	return nil
}

// addService adds a Service of Kubernetes, with an address.
func (tr *Translation) addService(s *corev1.Service, options *core.TestOptions) *model.Service {
	s.Spec.ClusterIP = fmt.Sprintf("10.1.0.%d", len(options.Services)+1)
	converted := kube.ConvertService(*s, nil, domain, "", domain)
	converted.CreationTime = born
	tr.addresses[string(converted.Hostname)] = s.Spec.ClusterIP
	options.Services = append(options.Services, converted)
	return converted
}

// addServices adds Services of Kubernetes with the pods that they select.
func (tr *Translation) addServices(services []*corev1.Service, deployments []*appsv1.Deployment, options *core.TestOptions) {
	number := 0
	for _, s := range services {
		converted := tr.addService(s, options)
		if converted.Attributes.ExportTo.Contains(visibility.None) {
			continue // serviceNeedsPush in Istio's endpointslice.go: nobody is told of its pods
		}
		for _, d := range deployments {
			labels := d.Spec.Template.Labels
			if d.Namespace != s.Namespace || len(s.Spec.Selector) == 0 || !contains(labels, s.Spec.Selector) {
				continue
			}
			for range *d.Spec.Replicas {
				number++
				address := fmt.Sprintf("10.2.%d.%d", number/250, number%250+1)
				tr.pods[address] = "pod " + d.Namespace + "/" + d.Name
				for _, port := range converted.Ports {
					options.Instances = append(options.Instances, instance(converted, port, address, labels, 3000))
				}
			}
		}
	}
}

// instance is the endpoint that a pod adds to a port of a Service. The pod listens at own.
func instance(s *model.Service, port *model.Port, address string, labels map[string]string, own uint32) *model.ServiceInstance {
	return &model.ServiceInstance{Service: s, ServicePort: port, Endpoint: &model.IstioEndpoint{Addresses: []string{address},
		Labels: labels, ServicePortName: port.Name, EndpointPort: own, Namespace: s.Attributes.Namespace, HealthStatus: model.Healthy}}
}

func contains(labels, want map[string]string) bool {
	for name, value := range want {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// Proxy is the configuration of a caller's proxy.
func (tr *Translation) Proxy(c Caller) (*envoy.Proxy, error) {
	node := &model.Proxy{Type: model.SidecarProxy, ConfigNamespace: c.Namespace, IPAddresses: []string{"10.2.99.99"}, Labels: c.Labels,
		ID: "caller." + c.Namespace, Metadata: &model.NodeMetadata{Namespace: c.Namespace, Labels: c.Labels, IstioVersion: "1.31.0"}}
	if c.Gateway {
		node.Type = model.Router
	}
	if address := tr.entrances[c.Pods]; address != "" {
		node.IPAddresses = []string{address}
	}
	node = tr.generator.SetupProxy(node)
	p := &envoy.Proxy{Listeners: tr.generator.Listeners(node), Routes: make(map[string]*route.RouteConfiguration), Pods: tr.pods, Gateway: c.Gateway,
		Clusters: make(map[string]*cluster.Cluster), Endpoints: make(map[string]*endpoint.ClusterLoadAssignment)}
	for _, r := range tr.generator.RoutesFromListeners(node, p.Listeners) {
		p.Routes[r.Name] = r
	}
	for _, found := range tr.generator.Clusters(node) {
		p.Clusters[found.Name] = found
		if found.GetType() != cluster.Cluster_EDS {
			continue
		}
		builder := endpoints.NewEndpointBuilder(found.Name, node, tr.generator.PushContext())
		p.Endpoints[found.Name] = builder.BuildClusterLoadAssignment(tr.generator.Env().EndpointIndex)
	}
	return p, nil
}

// Resolve is the address to which the cluster's DNS resolves a name for pods of a namespace, and the full name of the Service that has it;
// for a host outside an address that nothing here has, and the name itself.
func (tr *Translation) Resolve(name, namespace string) (address, full string) {
	name = strings.ToLower(name)
	if rest, ok := strings.CutSuffix(name, "."+domain+"."); ok {
		name = rest + "." + domain
	}
	for _, full := range slices.Sorted(maps.Keys(tr.addresses)) {
		service, _, _ := strings.Cut(full, ".svc."+domain)
		short, of, _ := strings.Cut(service, ".")
		if name == full || name == service || name == service+".svc" || name == short && of == namespace {
			return tr.addresses[full], full
		}
	}
	if net.ParseIP(name) != nil {
		return name, name
	}
	return nowhere, name
}
