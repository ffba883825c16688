// Package istio asks Istio's own code what it makes of objects: the configuration that a proxy gets, and whether the webhook accepts an
// object. It runs in this process, without a cluster.
package istio

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"istio.io/istio/pilot/pkg/config/kube/crd"
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

// Caller is a proxy: that of a pod in a namespace, or, with a selector, that of a gateway's pods with these labels.
type Caller struct {
	Namespace string
	Gateway   bool
	Labels    map[string]string
}

// Translation is what Istio makes of a set of objects.
type Translation struct {
	generator *core.ConfigGenTest
	addresses map[string]string // of Services, by full name
	pods      map[string]string // names of pods by address
}

// Translate hands a set of objects to Istio. world has Services and Deployments of Kubernetes, and policies objects of Istio, all in YAML.
// Objects of Istio are of the same age. What Istio starts ends with t.
func Translate(t test.Failer, world, policies string) (*Translation, error) {
	configs, err := read(policies)
	if err != nil {
		return nil, err
	}
	tr := &Translation{addresses: make(map[string]string), pods: make(map[string]string)}
	options := core.TestOptions{Configs: configs}
	if err := tr.addWorld(world, &options); err != nil {
		return nil, err
	}
	krt.GlobalDebugHandler = new(krt.DebugHandler) // it would keep everything that every set had
	tr.generator = core.NewConfigGenTest(t, options)
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
		configs[i].CreationTimestamp = time.Unix(1_000_000_000, 0)
	}
	return configs, nil
}

// addWorld adds the Services of Kubernetes, as Istio's registry of Kubernetes reads them, and the pods that they select.
func (tr *Translation) addWorld(world string, options *core.TestOptions) error {
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
	number := 0
	for i, s := range services {
		s.Spec.ClusterIP = fmt.Sprintf("10.1.0.%d", i+1)
		converted := kube.ConvertService(*s, nil, domain, "", domain)
		converted.CreationTime = time.Unix(1_000_000_000, 0)
		tr.addresses[string(converted.Hostname)] = s.Spec.ClusterIP
		options.Services = append(options.Services, converted)
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
				options.Instances = append(options.Instances, instances(converted, address, labels)...)
			}
		}
	}
	return nil
}

// instances are the endpoints that a pod adds to a Service, one for each port.
func instances(s *model.Service, address string, labels map[string]string) (all []*model.ServiceInstance) {
	for _, port := range s.Ports {
		all = append(all, &model.ServiceInstance{Service: s, ServicePort: port, Endpoint: &model.IstioEndpoint{Addresses: []string{address},
			Labels: labels, ServicePortName: port.Name, EndpointPort: 3000, Namespace: s.Attributes.Namespace, HealthStatus: model.Healthy}})
	}
	return all
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
