package cluster

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// reachTime is how long an address may take to answer.
	reachTime = 2 * time.Second
	// mostNodes is how many nodes are tried for a node port.
	mostNodes = 3
)

// address finds a way into the chain. If the user gave an address, it is that one. Otherwise it is the first that answers of
// the Service's load balancer, its cluster IP, its node port, and, if tunnel is set, a port-forward. The closer ends the
// port-forward, and is nil for the other ways. The error lists each way and why it does not lead to the entry, and wraps
// errUnreached if the Service exists.
func (c *Cluster) address(ctx context.Context, entry manifests.Entry, rules *manifests.Rules, tunnel bool) (target.Address, io.Closer, error) {
	given, flag := c.options.DirectURL, "--direct-url"
	if entry.Gateway != "" {
		given, flag = c.options.GatewayURL, "--gateway-url"
	}
	if given != "" {
		return target.Address{URL: strings.TrimRight(given, "/"), Way: "given by " + flag}, nil, nil
	}
	in, err := c.entrance(ctx, entry, rules)
	if err != nil {
		return target.Address{}, nil, fmt.Errorf("entry %s: %w; or give the address of the entry with %s", entry.Kind(), err, flag)
	}
	ways, failed := c.ways(ctx, in)
	for _, w := range ways {
		address := c.addressAt(in, w.address, w.String())
		if err := in.reach(ctx, address.URL); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", w, err))
			continue
		}
		return address, nil, nil
	}
	if tunnel {
		address, closer, err := c.tunnel(ctx, in)
		if err == nil {
			return address, closer, nil
		}
		failed = append(failed, fmt.Errorf("port-forward: %w", err))
	}
	return target.Address{}, nil, fmt.Errorf("entry %s: Service %s of namespace %s cannot be reached in any of these ways; give an address with %s:\n%w",
		entry.Kind(), in.service.Name, in.service.Namespace, flag, errors.Join(append(failed, errUnreached)...))
}

// addressAt is the address of an entrance at a host and port. how says in which way these were found.
func (c *Cluster) addressAt(in *entrance, hostPort, how string) target.Address {
	if in.secure == nil {
		return target.Address{URL: "http://" + hostPort, Way: how}
	}
	return target.Address{URL: "https://" + hostPort, Way: how + " with TLS", TLS: c.client}
}

// errUnreached says that the entry's Service exists, but does not answer yet.
var errUnreached = errors.New("none of these ways led to an answer")

// entrance is the Service that an entry leads to, and the request that shows whether it is reached.
type entrance struct {
	service *corev1.Service
	port    corev1.ServicePort
	// path is the path of that request, and ours reports whether an answer comes from the Service's pods.
	path string
	ours func(*http.Response) bool
	// secure is how a client connects to a port with TLS that asks for a host of the gateway; nil for a port without TLS.
	secure *tls.Config
	// passed is the part of a port-forward's description that says what it goes past; empty when it goes past nothing.
	passed string
}

// entrance finds the Service of an entry. The error says which object is missing.
func (c *Cluster) entrance(ctx context.Context, entry manifests.Entry, rules *manifests.Rules) (*entrance, error) {
	switch entry.Kind() {
	case manifests.EntryGateway:
		return c.gatewayEntrance(ctx, rules, entry)
	case manifests.EntryCaller:
		if c.scratch == nil {
			return nil, errors.New("on a cluster, requests cannot enter at the sidecar of a caller: choose a Service or a Gateway as the entry, or the embedded mesh")
		}
		namespace, client, _ := strings.Cut(entry.Caller, "/")
		return c.serviceEntrance(ctx, namespace, client)
	}
	namespace, name := c.namespace, entry.Service
	if s := rules.Service(entry.Service); s != nil && s.Host != entry.Service+"."+manifests.Namespace+".svc.cluster.local" {
		name, namespace, _ = strings.Cut(strings.TrimSuffix(s.Host, ".svc.cluster.local"), ".")
	}
	return c.serviceEntrance(ctx, namespace, name)
}

// serviceEntrance is the entrance by a Service whose pods run hello-service.
func (c *Cluster) serviceEntrance(ctx context.Context, namespace, name string) (*entrance, error) {
	in := &entrance{path: "/healthz", ours: func(r *http.Response) bool { return r.StatusCode == http.StatusOK }, passed: " and goes past the sidecar of the pod"}
	err := c.again(ctx, "reading Service "+name, func(ctx context.Context) (err error) {
		in.service, err = c.core.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: 'hellochaos deploy' creates it", err)
	}
	if len(in.service.Spec.Ports) == 0 {
		return nil, fmt.Errorf("the Service %s of namespace %s has no port: run 'hellochaos deploy' again", name, namespace)
	}
	in.port = in.service.Spec.Ports[0]
	return in, nil
}

// gatewayEntrance finds the Service of the pods that a Gateway of the rules selects, with the port at which an entry's requests enter: first in Istio's own namespace, then in all
// namespaces whose Services the run is permitted to list.
func (c *Cluster) gatewayEntrance(ctx context.Context, rules *manifests.Rules, entry manifests.Entry) (*entrance, error) {
	gateway := rules.Gateways[entry.Gateway]
	if gateway == nil {
		return nil, fmt.Errorf("the applied objects contain no Gateway %s: stage ingress adds one", entry.Gateway)
	}
	port := cmp.Or(entry.Port, gateway.Entrance(""))
	in := &entrance{path: "/", ours: fromGateway, secure: c.asking(rules, manifests.Caller{Gateway: entry.Gateway, Port: port})}
	var last error
	homes := []string{istioSystem, metav1.NamespaceAll}
	switch {
	case gateway.HasOwnPods():
		homes = []string{c.namespace}
	case c.scratch != nil && !c.scratch.Shared:
		homes = []string{c.scratch.Gateway}
	}
	for _, namespace := range homes {
		var services *corev1.ServiceList
		last = c.again(ctx, "looking for the ingress gateway's Service", func(ctx context.Context) (err error) {
			services, err = c.core.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
			return err
		})
		if last == nil && in.choose(services.Items, gateway, port) {
			return in, nil
		}
	}
	text := fmt.Sprintf("no Service with port %d leads to the pods %s that Gateway %s selects", port, labels.FormatLabels(gateway.Selector), entry.Gateway)
	if last == nil && gateway.HasOwnPods() {
		return nil, fmt.Errorf("%s yet: Istio makes it when the Gateway is written, if its gatewayClassName is one of Istio's: %w", text, errUnreached)
	}
	if last != nil {
		return nil, fmt.Errorf("%s, but not all Services could be listed (%w): 'hellochaos doctor' shows what it sees of the gateway", text, last)
	}
	return nil, fmt.Errorf("%s: install an ingress gateway whose pods have these labels", text)
}

// asking is how a client connects to a port of a Gateway that asks for a host that the Gateway has there; nil for a port without TLS.
func (c *Cluster) asking(rules *manifests.Rules, at manifests.Caller) *tls.Config {
	if !rules.Secure(at) || c.client == nil {
		return nil
	}
	config := c.client.Clone()
	config.ServerName, _ = rules.EntryHost(at.Gateway, at.Port)
	return config
}

// gateways looks for the Service of every set's Gateway, unless the user gave its address, and refuses sets with several Gateways.
func (c *Cluster) gateways(ctx context.Context, sets [][]manifests.Object) error {
	var problems []error
	reported := map[string]bool{}
	for _, set := range sets {
		rules, err := manifests.Read(set)
		if err != nil {
			return err
		}
		if n := len(rules.Gateways); n > 1 {
			return fmt.Errorf("the objects have %d Gateways (%s), and on a cluster hellochaos waits for one only: apply one, or use the embedded mesh",
				n, strings.Join(slices.Sorted(maps.Keys(rules.Gateways)), ", "))
		}
		for name, gateway := range rules.Gateways {
			err := c.certificateMissing(rules, gateway)
			if err == nil && c.options.GatewayURL == "" && !gateway.HasOwnPods() {
				_, err = c.gatewayEntrance(ctx, rules, manifests.Entry{Gateway: name})
			}
			if err != nil && !reported[err.Error()] {
				reported[err.Error()] = true
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}

// certificateMissing is an error where a Gateway has a server with TLS whose certificate the run does not know, or the servers of probes at its
// port have no Secret with one. The certificate of a cluster's gateway is in a Secret there, and its issuer need not be one that this machine
// trusts.
func (c *Cluster) certificateMissing(rules *manifests.Rules, gateway *manifests.Gateway) error {
	for _, s := range gateway.Servers {
		switch {
		case !s.TLS:
		case c.client == nil:
			return fmt.Errorf("%s (%s:%d) has TLS at port %d, and this run has no certificate of that server by which its requests could connect: "+
				"use the embedded mesh, or 'hellochaos verify --target cluster', which makes one", s, s.File, s.Line, s.Port)
		case rules.Credential(manifests.Caller{Gateway: s.Gateway, Port: s.Port}) == "":
			return fmt.Errorf("%s (%s:%d) has TLS at port %d, and no server there has a tls.credentialName, whose certificate the run could show "+
				"where it finds out whether the gateway obeys: name the Secret of the certificate in it", s, s.File, s.Line, s.Port)
		}
	}
	return nil
}

// choose takes the first Service, by name, that leads to a Gateway's pods and has a port.
func (in *entrance) choose(services []corev1.Service, gateway *manifests.Gateway, number int) bool {
	slices.SortFunc(services, func(a, b corev1.Service) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, s := range services {
		if len(gateway.Selector) == 0 || !labels.SelectorFromSet(gateway.Selector).Matches(labels.Set(s.Spec.Selector)) {
			continue
		}
		for _, port := range s.Spec.Ports {
			if int(port.Port) == number {
				in.service, in.port = &s, port
				return true
			}
		}
	}
	return false
}

// fromGateway reports whether an answer may come from a gateway. A gateway may answer "/" in several ways, but a web proxy on
// the way to a host that it cannot reach answers, too, and must not count.
func fromGateway(r *http.Response) bool {
	return strings.Contains(r.Header.Get("Server"), "envoy") || r.StatusCode < 300 || r.StatusCode == http.StatusNotFound
}

// reach sends the entrance's request to a URL. The error says what was answered instead.
func (in *entrance) reach(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reachTime, fmt.Errorf("no answer within %v", reachTime))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+in.path, nil)
	if err != nil {
		return err
	}
	// The load goes straight to the address, so this request must not use a proxy that the environment names.
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: in.secure}
	response, err := transport.RoundTrip(request)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("GET %s: %w", in.path, err)
	}
	defer response.Body.Close()
	if !in.ours(response) {
		return fmt.Errorf("GET %s was answered with %s by %q", in.path, response.Status, cmp.Or(response.Header.Get("Server"), "a server that does not name itself"))
	}
	return nil
}

// way is an address at which an entrance may answer, and how that address was found.
type way struct{ how, address string }

func (w way) String() string { return w.how + " " + w.address }

// ways are the addresses that a Service has, the best first. missing says for each other kind of address why the Service has
// none.
func (c *Cluster) ways(ctx context.Context, in *entrance) (ways []way, missing []error) {
	add := func(how, host string, port int32) {
		ways = append(ways, way{how, net.JoinHostPort(host, strconv.Itoa(int(port)))})
	}
	for _, i := range in.service.Status.LoadBalancer.Ingress {
		add("load balancer", cmp.Or(i.IP, i.Hostname), in.port.Port)
	}
	switch {
	case len(ways) > 0:
	case in.service.Spec.Type != corev1.ServiceTypeLoadBalancer:
		missing = append(missing, fmt.Errorf("load balancer: the Service has none, since its type is %s", cmp.Or(in.service.Spec.Type, corev1.ServiceTypeClusterIP)))
	default:
		missing = append(missing, errors.New("load balancer: the Service has not been given an address yet"))
	}
	if ip := in.service.Spec.ClusterIP; ip == "" || ip == corev1.ClusterIPNone {
		missing = append(missing, errors.New("cluster IP: the Service has none"))
	} else {
		add("cluster IP", ip, in.port.Port)
	}
	if in.port.NodePort == 0 {
		return ways, append(missing, errors.New("node port: the Service has none"))
	}
	hosts, err := c.nodeAddresses(ctx)
	if err != nil {
		missing = append(missing, fmt.Errorf("node port: %w", err))
	}
	for _, host := range hosts {
		add("node port", host, in.port.NodePort)
	}
	return ways, missing
}

// nodeAddresses are the addresses of the first mostNodes nodes, the internal ones first.
func (c *Cluster) nodeAddresses(ctx context.Context) (addresses []string, err error) {
	err = c.again(ctx, "looking for the nodes' addresses", func(ctx context.Context) error {
		nodes, err := c.core.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: mostNodes})
		if err != nil {
			return err
		}
		addresses = nil
		for _, kind := range []corev1.NodeAddressType{corev1.NodeInternalIP, corev1.NodeExternalIP} {
			for _, node := range nodes.Items {
				for _, a := range node.Status.Addresses {
					if a.Type == kind {
						addresses = append(addresses, a.Address)
					}
				}
			}
		}
		return nil
	})
	return addresses, err
}

// tunnel forwards a port to a ready pod behind an entrance.
func (c *Cluster) tunnel(ctx context.Context, in *entrance) (target.Address, io.Closer, error) {
	var pods *corev1.PodList
	selector := labels.SelectorFromSet(in.service.Spec.Selector).String()
	err := c.again(ctx, "looking for a pod", func(ctx context.Context) (err error) {
		pods, err = c.core.CoreV1().Pods(in.service.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		return err
	})
	if err != nil {
		return target.Address{}, nil, err
	}
	i := slices.IndexFunc(pods.Items, func(pod corev1.Pod) bool { return lives(&pod) && ready(&pod) })
	if i < 0 || selector == "" {
		return target.Address{}, nil, fmt.Errorf("the Service has no ready pod (%s)", selector)
	}
	pod := &pods.Items[i]
	f, err := c.forward(ctx, pod, podPort(pod, &in.port))
	if err != nil {
		return target.Address{}, nil, err
	}
	address := c.addressAt(in, strings.TrimPrefix(f.url, "http://"), "port-forward to pod "+pod.Name+", which is slow"+in.passed)
	if err := in.reach(ctx, address.URL); err != nil {
		return target.Address{}, nil, errors.Join(fmt.Errorf("to pod %s: %w", pod.Name, err), f.Close())
	}
	return address, f, nil
}

// podPort is the port of a pod that a Service's port leads to.
func podPort(pod *corev1.Pod, port *corev1.ServicePort) int {
	for _, container := range pod.Spec.Containers {
		for _, p := range container.Ports {
			if name := port.TargetPort.StrVal; name != "" && p.Name == name {
				return int(p.ContainerPort)
			}
		}
	}
	return cmp.Or(port.TargetPort.IntValue(), int(port.Port))
}
