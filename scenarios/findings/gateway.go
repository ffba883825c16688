package findings

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/spelling"
)

// gateways finds rules for Gateways that do not exist.
func (f *finder) gateways() {
	for i := range f.entries {
		e := &f.entries[i]
		for _, g := range e.Gateways {
			if g.Name == manifests.Mesh || f.rules.Gateways[g.Name] != nil {
				continue
			}
			var known []string
			for name := range f.rules.Gateways {
				known = append(known, strings.TrimPrefix(name, e.Namespace+"/"))
			}
			slices.Sort(known)
			name := strings.TrimPrefix(g.Name, e.Namespace+"/")
			f.add(NoGateway, e, g.Line, fmt.Sprintf("gateway %q does not exist%s: %s", name, spelling.DidYouMean(name, known), thereAre(known)), f.unbound(e), f.notFound(e))
		}
	}
}

// unbound says which proxies have an entry one of whose gateways does not exist.
func (f *finder) unbound(e *manifests.HTTPEntry) string {
	var have []string
	for _, g := range e.Gateways {
		switch {
		case g.Name == manifests.Mesh:
			have = append(have, "the sidecars")
		case f.rules.Gateways[g.Name] != nil:
			have = append(have, "gateway "+strings.TrimPrefix(g.Name, e.Namespace+"/"))
		}
	}
	if len(have) > 0 {
		return "only " + list(have) + " have the rule"
	}
	return "no proxy has the rule, not even the sidecars, since mesh is not among its gateways"
}

// notFound says which gateways answer 404 to all requests for the hosts of an entry that reach them.
func (f *finder) notFound(e *manifests.HTTPEntry) string {
	met := map[string]bool{} // whether requests for the entry's hosts meet a rule at a gateway
	for _, routed := range f.ways.Routed() {
		host, _, _ := strings.Cut(strings.ToLower(routed.Request.Host), ":")
		if routed.Caller.Gateway != "" && slices.ContainsFunc(e.Hosts, func(of string) bool { return covers(of, host) }) {
			direct := routed.Rule.Direct
			met[routed.Caller.Gateway] = met[routed.Caller.Gateway] || direct == nil || direct.Flags != "NR"
		}
	}
	var all []string
	for _, gateway := range slices.Sorted(maps.Keys(met)) {
		if !met[gateway] {
			all = append(all, "gateway "+gateway)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf("every request for %s at %s is answered 404", hostsOf(e), list(all))
}

// apart finds rules for Gateways whose servers have none of the rules' hosts.
func (f *finder) apart() {
	for i := range f.entries {
		e := &f.entries[i]
		for _, g := range e.Gateways {
			isOut := func(out manifests.LeftOut) bool { return out.Server.Gateway == g.Name }
			if f.rules.Gateways[g.Name] == nil || len(e.Served(g.Name, 0)) > 0 || slices.ContainsFunc(f.rules.LeftOut(), isOut) {
				continue
			}
			if opaque := f.rules.Gateways[g.Name].Opaque; len(f.rules.Gateways[g.Name].Servers) == 0 {
				f.add(HostsApart, e, g.Line, fmt.Sprintf("gateway %s has no server of HTTP: at port %d (%s:%d) %s", strings.TrimPrefix(g.Name, e.Namespace+"/"), opaque[0].Port, opaque[0].File, opaque[0].Line, opaque[0].Why),
					"the gateway has none of the rules for HTTP", "give it a server of protocol HTTP, or of HTTPS with tls.mode SIMPLE")
				continue
			}
			if why := e.Refusals(g.Name); len(why) > 0 {
				f.add(HostsApart, e, g.Line, fmt.Sprintf("no listener of Gateway %s takes %s: %s", strings.TrimPrefix(g.Name, e.Namespace+"/"), e.Object, strings.Join(why, ", and ")),
					"the gateway has none of its rules", f.notFound(e), "name a listener in parentRefs that takes the route, or let a listener take it")
				continue
			}
			name, hosts := strings.TrimPrefix(g.Name, e.Namespace+"/"), f.rules.Gateways[g.Name].Hosts()
			effect, mend := "the gateway has none of the rules", "name a host in spec.hosts that the Gateway has, or the other way round"
			switch {
			case slices.ContainsFunc(hosts, func(host string) bool { return strings.Contains(host, "/") }): // a VirtualService elsewhere may have the hosts
				mend = fmt.Sprintf("name a host in spec.hosts that the Gateway has for namespace %s, or the other way round", e.Namespace)
			case !f.servedBy(e, g.Name):
				effect += ", and answers 404 to every request for these hosts"
			}
			f.add(HostsApart, e, g.Line, fmt.Sprintf("gateway %s serves none of the hosts of %s: its servers have %s, and the VirtualService is for %s", name, e.Object, list(hosts), hostsOf(e)),
				effect, f.notFound(e), mend)
		}
	}
}

// servedBy reports whether a Gateway of the same pods and port serves one of the hosts of an entry by some VirtualService.
func (f *finder) servedBy(e *manifests.HTTPEntry, gateway string) bool {
	var merged []string
	for _, port := range f.rules.Gateways[gateway].Ports() {
		merged = append(merged, f.rules.Merged(manifests.Caller{Gateway: gateway, Port: port}, "")...)
	}
	meets := func(served string) bool {
		return slices.ContainsFunc(e.Hosts, func(host string) bool { return covers(served, host) || covers(host, served) })
	}
	for i := range f.entries {
		other := &f.entries[i]
		for _, g := range other.Gateways {
			if slices.Contains(merged, g.Name) && slices.ContainsFunc(other.Served(g.Name, 0), meets) {
				return true
			}
		}
	}
	return false
}

// binds reports whether a gateway, or the sidecars, have an entry.
func (f *finder) binds(e *manifests.HTTPEntry) bool {
	return slices.ContainsFunc(e.Gateways, func(g manifests.WrittenGateway) bool { return g.Name == manifests.Mesh || len(e.Served(g.Name, 0)) > 0 })
}

// leftOut finds servers of Gateways that Istio leaves out.
func (f *finder) leftOut() {
	for _, out := range f.rules.LeftOut() {
		_, name, _ := strings.Cut(out.Server.Gateway, "/")
		order := "of several Gateways it leaves out that of the one that was created later, which no file shows"
		if out.Server.Gateway == out.By.Gateway {
			order = "it comes behind the other one"
		}
		f.addAt(LeftOut, "Gateway "+name, out.Server.File, out.Server.Line,
			fmt.Sprintf("%s is left out by Istio, since %s (%s:%d) has the host %s at port %d of the same pods, too", out.Server, out.By, out.By.File, out.By.Line, out.Host, out.Server.Port),
			order, "no request meets a rule by this server, for whichever of its hosts "+list(out.Server.Hosts()), "give each host to one server of a port")
	}
}

// gatewayOnly finds rules that requests meet at a gateway, while sidecars that do not have them send calls for the same host, which no
// other VirtualService has.
func (f *finder) gatewayOnly() {
	for i := range f.entries {
		e := &f.entries[i]
		bound := slices.ContainsFunc(e.Gateways, func(g manifests.WrittenGateway) bool { return g.Name == manifests.Mesh })
		if bound || len(f.met[placeOf(e)]) == 0 {
			continue
		}
		for _, routed := range f.ways.Routed() {
			host := f.full(routed)
			if routed.Caller.Gateway != "" || !unruled(routed.Rule) || !slices.Contains(e.Hosts, host) {
				continue
			}
			none, mend := "no VirtualService for the sidecars has the host", "add mesh to spec.gateways if they are to obey it"
			if e.OfHTTPRoute() {
				none, mend = "no rule for the sidecars has the host", "name the Service in parentRefs if they are to obey it"
			}
			f.add(GatewayOnly, e, e.ObjectLine, fmt.Sprintf("only %s obeys %s: the calls to %s that %s sends pass its sidecar, and %s",
				gatewaysOf(e), e.Object, short(host, e.Namespace), callerOf(routed), none), f.instead(routed.Rule), mend)
		}
	}
}

// gatewaysOf names the gateways of an entry.
func gatewaysOf(e *manifests.HTTPEntry) string {
	var names []string
	for _, g := range e.Gateways {
		if g.Name != manifests.Mesh {
			names = append(names, strings.TrimPrefix(g.Name, e.Namespace+"/"))
		}
	}
	return "gateway " + list(names)
}

// callerOf names who sends a request.
func callerOf(routed oracle.Routed) string {
	if routed.Service == oracle.Edge {
		return "a caller in the mesh"
	}
	return routed.Service
}

// unruled reports whether a rule is Istio's default for a host of the registry that no VirtualService has.
func unruled(rule *manifests.Rule) bool { return rule.Line == 0 && rule.Retry.Default }

// instead says what calls meet that do not meet the rule that was meant for them: all of them, and how they spread over the pods.
func (f *finder) instead(rule *manifests.Rule) string {
	text := "all of these calls meet " + rule.Name
	if unruled(rule) {
		text = "all of these calls meet Istio's default, by which a call that is answered has 1 try, whatever its status is"
	}
	for i := range f.ways.Rows {
		row := &f.ways.Rows[i]
		if row.Rule != rule {
			continue
		}
		var to []string
		for j := range row.Destinations {
			for _, w := range row.Destinations[j].Workloads {
				if share := row.Destinations[j].Share * w.Share; share < 1 {
					to = append(to, fmt.Sprintf("%s to %s", percent(share), w.Name))
				}
			}
		}
		if len(to) > 0 {
			text += ", and they spread over the pods: about " + list(to)
		}
		break
	}
	return text
}
