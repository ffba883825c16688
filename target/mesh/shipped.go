package mesh

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/manifests"
)

// shipped are bugs with which Istio was released, each under the number of the issue or pull request in which Istio's release notes tell of
// it. Most hand the proxies other objects than those that were applied, of which Istio's code made what the bug was; the proxies obey
// these correctly. docs/verification.md says in which releases they were.
func shipped() []breakage {
	of := func(number, text string, rules func(*manifests.Rules) (*manifests.Rules, error)) breakage {
		return breakage{Break: Break{Name: "istio-" + number, Text: text, OnlyFiles: true}, rules: rules}
	}
	return []breakage{
		of("33387", "a Sidecar's host imports wildcards around it", reread(importWildcards)),
		of("34129", "a route leads to a lone backend of weight 0", rereadEach(leadToWeightless)),
		of("39188", "a gateway moves a rule for / with a port last", reread(moveCatchAlls)),
		of("40474", "a port in Host misses a gateway's *.domain", changedOnly((*manifests.Rules).WithPortsInWildcards)),
		of("45415", "the oldest wildcard wins, not the longest", reread(oldestWildcard)),
		of("47148", "conditions of a list of delegates add up", rereadEach(joinHeaders)),
		of("49364", "a wildcard of no Service has no rules", reread(dropUnregistered)),
		of("49537", "withoutHeaders fails without the header", rereadEach(demandAbsent)),
		of("49539", "rules that delegate come after all others", rereadEach(delegateLast)),
		of("49620", "a gateway keeps regex .* before other rules", rereadEach(hideCatchAll)),
		of("50506", "an answer of 503 is sent again by default", eachRule(retryUnavailable)),
		of("52532", "portLevelSettings are ignored", rereadEach(dropPortLevel)),
		of("54357", "a mirror's denominator is 100", rereadEach(dropDenominator)),
		of("55767", "hosts with upper case have no rules", reread(dropUpperCase)),
		of("56007", "a name with a dot at its end has no rules", changedOnly((*manifests.Rules).WithoutAbsoluteNames)),
		of("59356", "an HTTPRoute without backends answers 404", answerNotFound),
		of("59504", "retryBudget has 0.2 % where percent is absent", rereadEach(shrinkBudget)),
		of("59667", "subsets with a policy have no retryBudget", rereadEach(dropSubsetBudgets)),
		of("61045", "a hash needs a VirtualService for its host", reread(dropRulelessHash)),
	}
}

// changedOnly is a change of rules that cannot fail.
func changedOnly(change func(*manifests.Rules) *manifests.Rules) func(*manifests.Rules) (*manifests.Rules, error) {
	return func(applied *manifests.Rules) (*manifests.Rules, error) { return change(applied), nil }
}

// reread makes the rules of changed objects.
func reread(change func([]manifests.Object) []manifests.Object) func(*manifests.Rules) (*manifests.Rules, error) {
	return func(applied *manifests.Rules) (*manifests.Rules, error) { return applied.Reread(change) }
}

// rereadEach is reread of a change of single objects.
func rereadEach(change func(*manifests.Object)) func(*manifests.Rules) (*manifests.Rules, error) {
	return reread(func(objects []manifests.Object) []manifests.Object {
		for i := range objects {
			change(&objects[i])
		}
		return objects
	})
}

// importWildcards: a Sidecar that imports one host also imported a Service or ServiceEntry whose wildcard covers it.
func importWildcards(objects []manifests.Object) []manifests.Object {
	var wild []string
	for i := range objects {
		if spec, ok := objects[i].Istio.(*networking.ServiceEntry); ok {
			wild = append(wild, slices.DeleteFunc(slices.Clone(spec.Hosts), func(host string) bool { return !strings.HasPrefix(host, "*") })...)
		}
	}
	for i := range objects {
		spec, ok := objects[i].Istio.(*networking.Sidecar)
		if !ok {
			continue
		}
		for _, egress := range spec.Egress {
			for _, imported := range slices.Clone(egress.Hosts) {
				namespace, host, _ := strings.Cut(imported, "/")
				for _, pattern := range wild {
					if strings.HasSuffix(host, pattern[1:]) && host != pattern {
						egress.Hosts = append(egress.Hosts, namespace+"/"+pattern)
					}
				}
			}
		}
	}
	return objects
}

// eachSide calls change with each VirtualService, that for the sidecars and that for gateways apart, since some bugs were in one of the
// two only. What change leaves without hosts is left out: without hosts it would be a delegate.
func eachSide(objects []manifests.Object, change func(spec *networking.VirtualService, gateway bool)) (all []manifests.Object) {
	for i := range objects {
		spec, ok := objects[i].Istio.(*networking.VirtualService)
		if !ok || len(spec.Hosts) == 0 {
			all = append(all, objects[i])
			continue
		}
		forMesh := len(spec.Gateways) == 0 || slices.Contains(spec.Gateways, "mesh")
		gateways := slices.DeleteFunc(slices.Clone(spec.Gateways), func(name string) bool { return name == "mesh" })
		if forMesh {
			side := objects[i].Clone()
			spec := side.Istio.(*networking.VirtualService)
			spec.Gateways = nil
			if change(spec, false); len(spec.Hosts) > 0 {
				all = append(all, side)
			}
		}
		if len(gateways) > 0 {
			side := objects[i].Clone()
			side.Meta.Name += " " // a name of its own, that no other object can have, at the same place in the order of names
			spec := side.Istio.(*networking.VirtualService)
			spec.Gateways = gateways
			if change(spec, true); len(spec.Hosts) > 0 {
				all = append(all, side)
			}
		}
	}
	return all
}

// moveCatchAlls: a gateway took an entry for every path for one that comes last, and yet did not end the list there where the entry asked
// for something that its proxy does not look at in a request: a port, a gateway or a namespace (isCatchAllMatch beside SortVHostRoutes).
func moveCatchAlls(objects []manifests.Object) []manifests.Object {
	return eachSide(objects, func(spec *networking.VirtualService, gateway bool) {
		if !gateway {
			return
		}
		var first, last []*networking.HTTPRoute
		for _, h := range spec.Http {
			if len(h.Match) == 0 || h.Delegate != nil {
				first = append(first, h)
				continue
			}
			for _, m := range h.Match {
				one := proto.Clone(h).(*networking.HTTPRoute)
				one.Match = []*networking.HTTPMatchRequest{m}
				if everyPath(m) && (m.Port != 0 || len(m.Gateways) > 0 || m.SourceNamespace != "") {
					last = append(last, one)
				} else {
					first = append(first, one)
				}
			}
		}
		spec.Http = append(first, last...)
	})
}

// everyPath reports whether an entry of a match list asks for no part of a request, or for the prefix "/".
func everyPath(m *networking.HTTPMatchRequest) bool {
	return m.Method == nil && m.Authority == nil && len(m.Headers)+len(m.WithoutHeaders)+len(m.QueryParams) == 0 && (m.Uri == nil || m.Uri.GetPrefix() == "/")
}

// registered are the hosts of Services and ServiceEntries.
func registered(objects []manifests.Object) (hosts []string) {
	for i := range objects {
		o := &objects[i]
		if spec, ok := o.Istio.(*networking.ServiceEntry); ok {
			hosts = append(hosts, spec.Hosts...)
		}
		if o.Kind == "Service" {
			hosts = append(hosts, manifests.FullHost(o.Meta.Name, namespaceOf(o)))
		}
	}
	return hosts
}

// namespaceOf is where an object stands.
func namespaceOf(o *manifests.Object) string {
	if o.Meta.Namespace == "" {
		return manifests.Namespace
	}
	return o.Meta.Namespace
}

// oldestWildcard: of several VirtualServices whose wildcards cover a host of the registry the oldest held for it, not the one with the longest
// wildcard. Objects of one file are of one age, and go by name. A sidecar has the rules of the first that names the host, so that the
// oldest names it here.
func oldestWildcard(objects []manifests.Object) []manifests.Object {
	hosts := registered(objects)
	return eachSide(objects, func(spec *networking.VirtualService, gateway bool) {
		if gateway {
			return
		}
		for _, pattern := range slices.Clone(spec.Hosts) {
			suffix, wild := strings.CutPrefix(pattern, "*")
			for _, host := range hosts {
				if wild && host != pattern && strings.HasSuffix(host, suffix) && !slices.Contains(spec.Hosts, host) {
					spec.Hosts = append(spec.Hosts, host)
				}
			}
		}
	})
}

// joinHeaders: each entry of the match list of a rule that delegates also had the conditions on headers of all others, once it was merged with
// an entry of the delegate (mergeHTTPMatchRequest wrote into the delegate's map).
func joinHeaders(o *manifests.Object) {
	spec, ok := o.Istio.(*networking.VirtualService)
	if !ok {
		return
	}
	for _, h := range spec.Http {
		if h.Delegate == nil {
			continue
		}
		joined := make(map[string]*networking.StringMatch)
		for _, m := range h.Match {
			maps.Copy(joined, m.Headers)
		}
		for _, m := range h.Match {
			m.Headers = joined
		}
	}
}

// dropUnregistered: a VirtualService for a wildcard that covers no Service and no ServiceEntry had no rules at a sidecar.
func dropUnregistered(objects []manifests.Object) []manifests.Object {
	hosts := registered(objects)
	return eachSide(objects, func(spec *networking.VirtualService, gateway bool) {
		spec.Hosts = slices.DeleteFunc(spec.Hosts, func(pattern string) bool {
			suffix, wild := strings.CutPrefix(pattern, "*")
			covers := func(host string) bool { return strings.HasSuffix(host, suffix) }
			return wild && !gateway && !slices.ContainsFunc(hosts, covers)
		})
	})
}

// demandAbsent: a condition of withoutHeaders on a value did not hold for a request without the header (Envoy's
// treat_missing_header_as_empty was not set).
func demandAbsent(o *manifests.Object) {
	spec, ok := o.Istio.(*networking.VirtualService)
	if !ok {
		return
	}
	for _, h := range spec.Http {
		for _, m := range h.Match {
			for name, text := range m.WithoutHeaders {
				if text.GetMatchType() == nil || m.Headers[name] != nil {
					continue
				}
				if m.Headers == nil {
					m.Headers = make(map[string]*networking.StringMatch)
				}
				m.Headers[name] = &networking.StringMatch{}
			}
		}
	}
}

// delegateLast: VirtualServices that delegate were looked at after all others, whichever is older (mergeVirtualServicesIfNeeded).
func delegateLast(o *manifests.Object) {
	spec, ok := o.Istio.(*networking.VirtualService)
	if ok && slices.ContainsFunc(spec.Http, func(h *networking.HTTPRoute) bool { return h.Delegate != nil }) {
		o.Meta.Name = "~" + o.Meta.Name // no name of Kubernetes comes after it
	}
}

// hideCatchAll: an entry for the regular expression .* was not taken for one that every request meets, so that a gateway did not look at it
// last.
func hideCatchAll(o *manifests.Object) {
	spec, ok := o.Istio.(*networking.VirtualService)
	if !ok {
		return
	}
	for _, h := range spec.Http {
		for _, m := range h.Match {
			if m.Uri.GetRegex() == ".*" {
				m.Uri = &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: "(.*)"}}
			}
		}
	}
}

// retryUnavailable: retries without retryOn, and Istio's default where there are none, also covered answers of 503
// (retriable-status-codes came with 503).
func retryUnavailable(rule *manifests.Rule) {
	if rule.Retry.DefaultOn {
		rule.Retry.SetOn(rule.Retry.On + ",503")
	}
}

// dropPortLevel: a waypoint ignored what a DestinationRule says of single ports.
func dropPortLevel(o *manifests.Object) {
	spec, ok := o.Istio.(*networking.DestinationRule)
	if !ok {
		return
	}
	policies := []*networking.TrafficPolicy{spec.TrafficPolicy}
	for _, s := range spec.Subsets {
		policies = append(policies, s.TrafficPolicy)
	}
	for _, p := range policies {
		if p != nil {
			p.PortLevelSettings = nil
		}
	}
}

// upperCase finds a letter in upper case.
var upperCase = regexp.MustCompile(`[A-Z]`)

// dropUpperCase: a sidecar had no rules for a host that a VirtualService writes with letters in upper case.
func dropUpperCase(objects []manifests.Object) []manifests.Object {
	return eachSide(objects, func(spec *networking.VirtualService, gateway bool) {
		spec.Hosts = slices.DeleteFunc(spec.Hosts, func(host string) bool { return !gateway && upperCase.MatchString(host) })
	})
}

// dropRulelessHash: at a waypoint a consistentHash had no effect on a host for which there was no VirtualService, since the route had no
// hash_policy.
func dropRulelessHash(objects []manifests.Object) []manifests.Object {
	ruled := make(map[string]bool)
	for i := range objects {
		if spec, ok := objects[i].Istio.(*networking.VirtualService); ok {
			for _, host := range spec.Hosts {
				ruled[manifests.FullHost(host, namespaceOf(&objects[i]))] = true
			}
		}
	}
	for i := range objects {
		spec, ok := objects[i].Istio.(*networking.DestinationRule)
		if ok && spec.TrafficPolicy.GetLoadBalancer().GetConsistentHash() != nil && !ruled[manifests.FullHost(spec.Host, namespaceOf(&objects[i]))] {
			spec.TrafficPolicy.LoadBalancer = &networking.LoadBalancerSettings{}
		}
	}
	return objects
}
