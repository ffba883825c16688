package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/spelling"
)

// unmet finds rules that no request of the phase can meet. Those whose author says that they are meant so are left out, and so are
// those for gateways that do not exist or do not serve their hosts.
func (f *finder) unmet() {
	for i := range f.entries {
		e := &f.entries[i]
		accepted := slices.ContainsFunc(f.phase.Unmet, func(u scenarios.Unmet) bool { return u.Rule == e.Object })
		if f.binds(e) && !accepted && len(f.met[placeOf(e)]) == 0 && !f.unborne(e) && !unknownMethods(e) {
			f.explain(e)
		}
	}
}

// explain adds the finding of a rule that no request meets: why the nearest request does not.
func (f *finder) explain(e *manifests.HTTPEntry) {
	const dead = "the rule has no effect on any request of the run"
	near, routed := f.nearest(e)
	whole := e.ObjectLine // what keeps requests from the whole object is reported once, where it begins
	switch {
	case near != nil && near.Kind == manifests.MissEarlier:
		if why := f.always(near.Earlier); near.Always && why != "" {
			f.add(Shadowed, e, e.Line, fmt.Sprintf("no request meets %s: %s comes before it and takes every request, since %s", e.Name, ruleAt(near.Earlier), why), "the rule has no effect on any request", f.anyItem(near.Earlier))
			break
		}
		f.shadowed(e, dead)
	case near != nil && near.Kind == manifests.MissRedirected:
		by := near.Redirected
		f.add(Shadowed, e, e.Line, fmt.Sprintf("no request meets %s: the requests for its host enter at %s (%s:%d), which answers 301 to https (tls.httpsRedirect) before it looks at rules", e.Name, by, by.File, by.Line), dead,
			"send them to a server of protocol HTTPS that has these hosts, or give the Gateway one")
	case near != nil && near.Kind == manifests.MissCondition:
		f.add(NeverSent, e, e.Line, fmt.Sprintf("no request meets %s: %s", e.Name, f.neverSent(e, near.Failing[0])), dead)
	case near != nil && near.Kind == manifests.MissOwner:
		f.add(Shadowed, e, whole, fmt.Sprintf("no request meets %s: the rules of %s hold for its host", e.Object, near.Owner), dead)
	case near != nil && near.Kind == manifests.MissNamespace:
		f.add(OtherProxy, e, whole, fmt.Sprintf("no request meets %s: the proxies that send the calls do not know it, since %s", e.Object, near.Hidden), dead)
	case near != nil && near.Kind == manifests.MissProxy:
		f.add(OtherProxy, e, whole, fmt.Sprintf("no request meets %s: %s", e.Object, elsewhere(e, routed)), dead)
	case near == nil && routed != nil:
		f.shadowed(e, dead)
	case f.unreached(e) != "":
		if !f.lost() {
			f.add(NotReached, e, whole, fmt.Sprintf("no request meets %s: the calls for its host are made by %s, which no request reaches", e.Object, f.unreached(e)), dead)
		}
	case f.half(e) != "":
		f.add(HalfName, e, whole, f.half(e), dead)
	case f.otherHost(e) != "":
		f.add(OtherHost, e, whole, fmt.Sprintf("no request meets %s: %s", e.Object, f.otherHost(e)), dead)
	case f.ledByGateway(e) != nil:
		led := f.ledByGateway(e)
		f.add(OtherProxy, e, whole, fmt.Sprintf("no request meets %s: requests reach its host by gateway %s, where they meet %s (%s:%d); a gateway obeys the rules for the host of a request, and not those for the host that it sends it to",
			e.Object, strings.TrimPrefix(led.Caller.Gateway, e.Namespace+"/"), led.Rule.Name, led.Rule.File, led.Rule.Line), dead)
	case f.enteredDirectly(e) != "":
		f.add(OtherProxy, e, whole, fmt.Sprintf("no request meets %s: the requests for %s enter from outside the mesh, straight to its pods, so that no proxy is on their way that could obey the rule",
			e.Object, short(f.enteredDirectly(e), e.Namespace)), unsent(e), dead)
	default:
		f.add(NotCalled, e, whole, fmt.Sprintf("no request meets %s: it is for %s, and no call is for that; %s", e.Object, hostsOf(e), f.called(e)), dead)
	}
}

// shadowed adds the finding of an entry that some requests could meet, all of which meet other rules, or none at a port at which their
// sidecar has no rules.
func (f *finder) shadowed(e *manifests.HTTPEntry, effect string) {
	var takers, none, hints []string
	before := true // whether all of them come before the entry in its own VirtualService
	for _, routed := range f.ways.Routed() {
		miss := e.Miss(routed.Caller, &routed.Request)
		if miss != nil && miss.Kind != manifests.MissEarlier {
			continue
		}
		rule := routed.Rule
		switch {
		case miss != nil && miss.Always:
			rule = miss.Earlier // the proxy has none of the rules behind it
		case f.entryOf(&routed) == nil:
			none = append(none, rule.Name)
			continue
		}
		before = before && miss != nil && miss.Earlier.Name == rule.Name
		if taker := ruleAt(rule); !slices.Contains(takers, taker) {
			takers, hints = append(takers, taker), append(hints, f.anyItem(rule))
		}
	}
	if len(takers) == 0 {
		f.add(OtherProxy, e, e.Line, fmt.Sprintf("no request meets %s: the proxy of the requests that could meet it has no rules at their port, and they are %s", e.Name, none[0]), effect)
		return
	}
	come, take := "come", "take"
	if len(takers) == 1 {
		come, take = "comes", "takes"
	}
	if before {
		take = come + " before it and " + take
	}
	text := fmt.Sprintf("no request meets %s: %s %s each of the run's requests that could meet this one", e.Name, list(takers), take)
	f.add(Shadowed, e, e.Line, append([]string{text, effect}, hints...)...)
}

// always says why every request for the hosts of a rule meets it, at whichever proxy and port; empty where not every request does.
func (f *finder) always(rule *manifests.Rule) string {
	for i := range f.entries {
		e := &f.entries[i]
		free := func(asked manifests.Asked) bool { return asked.String() == "" && len(asked.Gateways) == 0 }
		asked := e.Asked()
		switch {
		case placeOf(e) != place{rule.Name, rule.File, rule.Line}:
		case len(asked) == 0:
			return "it has no condition"
		case slices.ContainsFunc(asked, free):
			return "its condition holds for each"
		}
	}
	return ""
}

// ruleAt is a rule with its file and line.
func ruleAt(rule *manifests.Rule) string {
	return fmt.Sprintf("%s (%s:%d)", rule.Name, rule.File, rule.Line)
}

// unreached is a service that no request reaches and that calls the host of an entry; empty where there is none.
func (f *finder) unreached(e *manifests.HTTPEntry) string {
	for _, w := range f.ways.Unreached() {
		for _, step := range w.Steps {
			for i := range step {
				miss := e.Miss(f.rules.SidecarCaller(w.Workload), &manifests.Request{Host: step[i].Host, Method: step[i].Method, Path: step[i].Path})
				if miss == nil || miss.Kind > manifests.MissHost {
					return w.Service
				}
			}
		}
	}
	return ""
}

// lost reports whether calls are lost on the way, by a finding that says so: then it explains what is not reached.
func (f *finder) lost() bool {
	return slices.ContainsFunc(f.found, func(found reports.Finding) bool { return strings.HasPrefix(found.ID, "HC10") })
}

// nearest is why the request that comes nearest to an entry does not meet it. It is nil with a request that meets all conditions of
// the entry, and nil without one where no request is sent at all.
func (f *finder) nearest(e *manifests.HTTPEntry) (near *manifests.Miss, of *oracle.Routed) {
	routed := f.ways.Routed()
	for i := range routed {
		miss := e.Miss(routed[i].Caller, &routed[i].Request)
		switch {
		case miss == nil:
			return nil, &routed[i]
		case near == nil || miss.Kind > near.Kind || miss.Kind == near.Kind && len(miss.Failing) < len(near.Failing):
			near, of = miss, &routed[i]
		}
	}
	return near, of
}

// neverSent says which condition no request meets, and what requests have instead.
func (f *finder) neverSent(e *manifests.HTTPEntry, failing manifests.Condition) string {
	var sent []string
	without := false
	for _, routed := range f.ways.Routed() {
		miss := e.Miss(routed.Caller, &routed.Request)
		if miss == nil || miss.Kind != manifests.MissCondition {
			continue
		}
		for _, c := range miss.Failing {
			switch {
			case c.What != failing.What:
			case !c.Present:
				without = true
			case !slices.Contains(sent, c.Sent):
				sent = append(sent, c.Sent)
			}
		}
	}
	var have []string
	for _, value := range sent {
		have = append(have, fmt.Sprintf("%q", value))
	}
	if without {
		have = append(have, "none")
	}
	text := fmt.Sprintf("it asks for %s %s, and the calls for its host have %s", failing.What, failing.Wanted, list(have))
	if slices.ContainsFunc(sent, func(value string) bool { return failing.Value != "" && strings.EqualFold(value, failing.Value) }) {
		return text + " (values are compared with regard to case)"
	}
	if failing.Value != "" {
		text += spelling.DidYouMean(failing.Value, sent)
	}
	return text
}

// unsent says how many tries a call has that no proxy sends, where an entry has retries of its own.
func unsent(e *manifests.HTTPEntry) string {
	if e.Retry.Default || e.Retry.Attempts == 0 {
		return ""
	}
	return fmt.Sprintf("each request has 1 try, and not up to %d", 1+e.Retry.Attempts)
}

// elsewhere says that an entry is for other proxies than the one that sends a request for its host.
func elsewhere(e *manifests.HTTPEntry, routed *oracle.Routed) string {
	if routed.Caller.Gateway == "" {
		return fmt.Sprintf("it is for %s alone, and the calls for its host are sent by sidecars; add mesh to spec.gateways if they are to obey it", gatewaysOf(e))
	}
	proxies := "the sidecars"
	if slices.ContainsFunc(e.Gateways, func(g manifests.WrittenGateway) bool { return g.Name != manifests.Mesh }) {
		proxies = gatewaysOf(e)
	}
	return fmt.Sprintf("it is for %s alone, and the requests for its host enter by gateway %s; name that in spec.gateways if it is to obey the rule", proxies, routed.Caller.Gateway)
}

// ledByGateway is a request that a gateway sends to a host of an entry; nil where there is none.
func (f *finder) ledByGateway(e *manifests.HTTPEntry) *oracle.Routed {
	all := f.ways.Routed()
	for i := range all {
		leads := func(d manifests.Destination) bool { return d.Share > 0 && slices.Contains(e.Hosts, d.Host) }
		if all[i].Caller.Gateway != "" && slices.ContainsFunc(all[i].Rule.Split, leads) {
			return &all[i]
		}
	}
	return nil
}

// enteredDirectly is the host of an entry at which requests enter past every proxy; empty where there is none.
func (f *finder) enteredDirectly(e *manifests.HTTPEntry) string {
	for _, host := range f.direct {
		if slices.Contains(e.Hosts, host) {
			return host
		}
	}
	return ""
}

// hostsOf names the hosts of an entry.
func hostsOf(e *manifests.HTTPEntry) string {
	if len(e.Hosts) == 1 {
		return "host " + e.Hosts[0]
	}
	return "the hosts " + list(e.Hosts)
}

// called says which hosts are called by sidecars, and which of them may have been meant.
func (f *finder) called(e *manifests.HTTPEntry) string {
	var hosts []string
	for _, routed := range f.ways.Routed() {
		if host := f.full(routed); routed.Caller.Gateway == "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if len(hosts) == 0 {
		return "no service calls another one"
	}
	slices.Sort(hosts)
	text := "the calls are for " + list(hosts)
	for _, host := range e.Hosts {
		name, _, _ := strings.Cut(host, ".")
		for _, other := range hosts {
			if first, _, _ := strings.Cut(other, "."); first == name {
				return text + fmt.Sprintf(" (did you mean %q?)", other)
			}
		}
		if near := meant(host, hosts); near != "" {
			return text + near
		}
	}
	return text
}

// full is the full name of the host of a request, without its port.
func (f *finder) full(routed oracle.Routed) string {
	host, _, _ := strings.Cut(routed.Request.Host, ":")
	namespace := routed.Caller.Namespace
	if namespace == "" {
		namespace = manifests.Namespace
	}
	if !strings.Contains(host, ".") {
		if s := f.rules.Services[host+"."+namespace+".svc.cluster.local"]; s != nil {
			return s.Host
		}
	}
	if s := f.rules.Service(host); s != nil {
		return s.Host
	}
	return host
}
