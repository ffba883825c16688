package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"istio.io/istio/pkg/test"

	"github.com/hellochaos/hellochaos/differential/envoy"
	"github.com/hellochaos/hellochaos/differential/istio"
	"github.com/hellochaos/hellochaos/manifests"
)

// set is a set of objects that both sides accept, as each of them reads it.
type set struct {
	policies    []tree
	rules       *manifests.Rules
	translation *istio.Translation
	proxies     map[string]*envoy.Proxy // by caller
}

// accepted are the objects that both sides accept, each by itself, and manifests all of them together with a world. Two objects of one name do not stand
// in one cluster, so that the first one is taken.
func accepted(world string, policies []tree) ([]tree, *manifests.Rules, error) {
	var kept []tree
	names := make(map[string]bool)
	for _, p := range policies {
		metadata := p["metadata"].(tree)
		name := fmt.Sprint(p["kind"], metadata["namespace"], metadata["name"])
		yaml := text([]tree{p})
		if _, err := manifests.Parse("policy.yaml", []byte(yaml)); err != nil || names[name] || istio.Validate(yaml) != nil {
			continue
		}
		names[name] = true
		kept = append(kept, p)
	}
	for {
		rules, refused, err := read(world, kept)
		if err != nil || refused == nil {
			return kept, rules, err
		}
		kept = slices.DeleteFunc(kept, func(p tree) bool { return refused[text([]tree{p})] })
	}
}

// read reads a world with objects of Istio. refused are those, as YAML, that do not go together with the others.
func read(world string, policies []tree) (rules *manifests.Rules, refused map[string]bool, err error) {
	objects, err := manifests.Parse("world.yaml", []byte(world))
	if err != nil {
		return nil, nil, err
	}
	files := make(map[string]string)
	for i, p := range policies {
		file, yaml := fmt.Sprintf("%d.yaml", i), text([]tree{p})
		more, err := manifests.Parse(file, []byte(yaml))
		if err != nil {
			return nil, nil, err
		}
		files[file] = yaml
		objects = append(objects, more...)
	}
	rules, err = manifests.Read(objects)
	if problems, ok := err.(manifests.Problems); ok {
		refused = make(map[string]bool)
		for _, problem := range problems {
			if files[problem.File] == "" {
				return nil, nil, err
			}
			refused[files[problem.File]] = true
		}
		return nil, refused, nil
	}
	return rules, nil, err
}

// newSet hands the objects to both sides, with those of a world. What Istio starts ends with t.
func newSet(t test.Failer, world string, policies []tree) (*set, error) {
	kept, rules, err := accepted(world, policies)
	if err != nil {
		return nil, err
	}
	translation, err := istio.Translate(t, world+"\n---\n"+istio.Separated(ControlPlane), text(kept))
	if err != nil {
		return nil, err
	}
	return &set{kept, rules, translation, make(map[string]*envoy.Proxy)}, nil
}

// gateways are the names of the set's Gateways.
func (s *set) gateways() []string { return slices.Sorted(maps.Keys(s.rules.Gateways)) }

// callerLabels are those of the pods whose sidecars send requests.
var callerLabels = map[string]string{"app": "caller", "version": "v1"}

// ask asks both sides what a request meets.
func (s *set) ask(a *asked) (ours, theirs string, err error) {
	if a.caller.Gateway != "" && s.rules.Gateways[a.caller.Gateway] == nil {
		return "", "", fmt.Errorf("there is no Gateway %s", a.caller.Gateway)
	}
	rule := s.rules.Table(s.sender(a)).Route(&a.request)
	ours = outcome(s.rules, rule, &a.request, a.caller.Gateway != "").String()
	proxy, err := s.proxy(a.caller)
	if err != nil {
		return "", "", err
	}
	met, err := proxy.Meets(s.connected(a))
	if err != nil {
		return "", "", err
	}
	return ours, met.String(), nil
}

// sender is the caller of a request with what its pods are told apart by.
func (s *set) sender(a *asked) manifests.Caller {
	if a.caller.Gateway != "" {
		return a.caller
	}
	return s.rules.SidecarCaller(&manifests.Workload{Namespace: a.caller.Namespace, Labels: callerLabels})
}

// enter has a request that is for a gateway enter at one of its ports: that of its host where it is Istio's own Gateway, whose servers have one
// port here, and any where it is one of Gateway API.
func (s *set) enter(d draw, a *asked) {
	g := s.rules.Gateways[a.caller.Gateway]
	if g == nil {
		return
	}
	a.caller.Port = g.Entrance(a.request.Host)
	if ports := g.Ports(); g.HasOwnPods() && d.chance(0.3) {
		a.caller.Port = ports[d.IntN(len(ports))]
	}
}

// connected is a request with the address and the port to which its sender connects.
func (s *set) connected(a *asked) *envoy.Request {
	q := envoy.Request{Host: a.request.Host, Port: port(a.request.Host), Method: a.request.Method, Path: a.request.Path, Header: a.request.Header}
	if a.caller.Gateway != "" {
		q.Port = a.caller.Port
	}
	host := q.Host
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	q.Address, q.Name = s.translation.Resolve(host, a.caller.Namespace)
	return &q
}

func (s *set) proxy(c manifests.Caller) (*envoy.Proxy, error) {
	key := c.Namespace + "|" + c.Gateway
	if p := s.proxies[key]; p != nil {
		return p, nil
	}
	caller := istio.Caller{Namespace: c.Namespace, Labels: callerLabels}
	if c.Gateway != "" {
		caller = istio.Caller{Namespace: "istio-system", Gateway: true, Labels: map[string]string{"istio": "ingressgateway"}}
		g := s.rules.Gateways[c.Gateway]
		if g != nil && len(g.Selector) > 0 {
			caller.Labels = g.Selector
		}
		if g != nil && g.HasOwnPods() {
			caller.Namespace, _, _ = strings.Cut(c.Gateway, "/")
			caller.Pods = c.Gateway
		}
	}
	p, err := s.translation.Proxy(caller)
	s.proxies[key] = p
	return p, err
}
