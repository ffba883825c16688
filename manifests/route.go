package manifests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// mesh is the name that stands for all sidecars in a VirtualService's list of gateways.
const mesh = "mesh"

// httpRoute is an entry of a VirtualService's http list, the same for every caller.
type httpRoute struct {
	matches []match // a request must meet one of them; when empty, every request meets the entry
	rule    *Rule   // a destination with port 0 in it goes to the port of the request
	written *written
}

// route is a rule with one match under which a request meets it, like one of Envoy's routes.
type route struct {
	match *match
	rule  *Rule
}

// qualifyGateway is a gateway's name with its namespace.
func qualifyGateway(name, namespace string) string {
	if name == mesh || strings.Contains(name, "/") {
		return name
	}
	return namespace + "/" + name
}

// virtualService compiles the parts of a VirtualService, with these http entries, that are the same for every caller and port.
func (r *Rules) virtualService(o *Object, spec *networking.VirtualService, entries []written) (virtualService, Problems) {
	v := virtualService{object: o, name: o.Name(), namespace: o.namespace(), exports: exports(o)}
	for _, host := range spec.Hosts {
		full := qualify(host, v.namespace)
		v.written, v.hosts = append(v.written, full), append(v.hosts, strings.ToLower(full))
	}
	for _, gateway := range spec.Gateways {
		v.gateways = append(v.gateways, qualifyGateway(gateway, v.namespace))
	}
	if len(v.gateways) == 0 {
		v.gateways = []string{mesh}
	}
	var problems Problems
	for i := range entries {
		compiled, wrong := newHTTPRoute(&entries[i])
		problems = append(problems, wrong...)
		compiled.rule.Hosts = v.hosts
		v.routes = append(v.routes, compiled)
	}
	return v, problems
}

// newHTTPRoute compiles an http entry. Its problems are the expressions that cannot be compiled.
func newHTTPRoute(w *written) (httpRoute, Problems) {
	var problems Problems
	problem := func(part, text string) {
		problems = append(problems, w.from.problem(w.field(part), "%s", text))
	}
	rule, err := newRule(w)
	if err != nil {
		problem("rewrite", "has a regular expression that cannot be compiled: "+err.Error())
	}
	if text := w.mergedProblem(); text != "" {
		problem("", text)
	}
	rule.Name, rule.File, rule.Line = w.name(), w.from.File, w.line("")
	if len(rule.Split) > 0 {
		rule.Mirrors = newMirrors(w)
	}
	compiled := httpRoute{rule: rule, written: w}
	for j, m := range w.http.Match {
		c, err := newMatch(m, w.from.namespace())
		c.segments(w.gatewayAPI)
		if err != nil {
			problem(fmt.Sprintf("match[%d]", j), "has a regular expression that cannot be compiled: "+err.Error())
			continue
		}
		compiled.matches = append(compiled.matches, c)
	}
	compiled.rule.Match = compiled.words()
	return compiled, problems
}

// newRule is the rule of an http entry, still without its Name. A destination that names no port has port 0.
func newRule(w *written) (*Rule, error) {
	h, namespace := w.http, w.from.namespace()
	rule := &Rule{Timeout: h.Timeout.AsDuration()}
	if w.gatewayAPI {
		rule.Missing = http.StatusInternalServerError
	}
	own := newOperations(h.Headers)
	rule.Retry = retry(h.Retries, rule.Timeout)
	rule.Fault = newFault(h.Fault)
	switch {
	case h.Redirect != nil:
		rule.Redirect = newRedirect(h.Redirect)
	case h.DirectResponse != nil:
		rule.Direct = &Direct{Status: int(h.DirectResponse.Status), Body: h.DirectResponse.Body.GetString_(),
			Flags: "-", Detail: "direct_response"}
	default:
		rule.Split = newSplit(h.Route, own, namespace)
		for _, k := range w.denied {
			rule.Split[k].denied = true
		}
		var err error
		rule.Rewrite, err = newRewrite(w.rewrite(), own.authority)
		return rule, err
	}
	rule.Answer = changes(own.answer)
	return rule, nil
}

// rewrite is the rewrite of the entry. With Gateway API the prefix "/" stands for none (withoutPrefix).
func (w *written) rewrite() *networking.HTTPRewrite {
	h := w.http.Rewrite
	if !w.gatewayAPI || h.GetUri() != "/" {
		return h
	}
	return &networking.HTTPRewrite{Authority: h.Authority, UriRegexRewrite: withoutPrefix(w.http.Match)}
}

// newSplit is the destinations with their shares. Each share is the weight over the sum of all weights; a single destination has
// share 1 whatever its weight is. route are the header operations of their http entry.
func newSplit(destinations []*networking.HTTPRouteDestination, route operations, namespace string) []Destination {
	sum := 0
	for _, d := range destinations {
		sum += int(d.Weight)
	}
	split := make([]Destination, 0, len(destinations))
	for _, d := range destinations {
		share := 1.0
		if len(destinations) > 1 {
			share = float64(d.Weight) / float64(sum)
		}
		to := Destination{
			Host:   qualify(d.Destination.GetHost(), namespace),
			Subset: d.Destination.GetSubset(),
			Port:   int(d.Destination.GetPort().GetNumber()),
			Share:  share,
		}
		to.change(route, newOperations(d.Headers), len(destinations) == 1)
		split = append(split, to)
	}
	return split
}

func newFault(f *networking.HTTPFaultInjection) *Fault {
	if f == nil {
		return nil
	}
	delayed := f.Delay.GetPercentage().GetValue()
	if f.Delay.GetPercentage() == nil {
		//lint:ignore SA1019 Istio still executes the old field (TranslateFault in its pilot/pkg/networking/core/route)
		delayed = float64(f.Delay.GetPercent())
	}
	return &Fault{
		Delay:       f.Delay.GetFixedDelay().AsDuration(),
		DelayShare:  delayed / 100,
		AbortStatus: int(f.Abort.GetHttpStatus()),
		AbortShare:  f.Abort.GetPercentage().GetValue() / 100,
	}
}

// boundTo reports whether a request at this gateway can meet the entry; "mesh" stands for the sidecars.
func (h *httpRoute) boundTo(gateway string, v *virtualService) bool {
	if len(h.matches) == 0 {
		return v.listed(gateway)
	}
	return slices.ContainsFunc(h.matches, func(m match) bool { return m.boundTo(gateway, v) })
}

// listed reports whether the VirtualService has a gateway in its own list. Without that, no match can bind an entry of it there: Istio does
// not look at its rules at all (getGatewayNames in its pilot/pkg/model/push_context.go).
func (v *virtualService) listed(gateway string) bool { return slices.Contains(v.gateways, gateway) }

// listener is where a proxy takes a request: at which port, a proxy of which namespace, and of which Gateway, where "mesh" stands for the
// sidecars.
type listener struct {
	gateway, namespace string
	port               int
	labels             string // of the pods of the proxy, as Caller has them
	tls                bool   // whether it ends TLS
}

// holdsAt reports whether requests at a listener can meet the match. One that names gateways does not ask for the caller's namespace
// and labels (Istio's sourceMatchHTTP).
func (m *match) holdsAt(at listener, v *virtualService) bool {
	return m.boundTo(at.gateway, v) && (m.port == 0 || m.port == at.port) &&
		(len(m.gateways) > 0 || at.has(m.labels) && (m.namespace == "" || m.namespace == at.namespace))
}

func (m *match) boundTo(gateway string, v *virtualService) bool {
	return v.listed(gateway) && (len(m.gateways) == 0 || slices.Contains(m.gateways, gateway))
}

// boundTo reports whether the VirtualService has a rule at this gateway; "mesh" stands for the sidecars.
func (v *virtualService) boundTo(gateway string) bool {
	return slices.ContainsFunc(v.routes, func(h httpRoute) bool { return h.boundTo(gateway, v) })
}

// bind makes the routes of a VirtualService at a listener. It ends after the first route that every request meets, as Istio's
// BuildHTTPRoutesForVirtualService does.
func (r *Rules) bind(v *virtualService, at listener) []route {
	var bound []route
	for i := range v.routes {
		h := &v.routes[i]
		if !h.boundTo(at.gateway, v) {
			continue
		}
		rule := r.bindRule(h.rule, at)
		if at.gateway == mesh && !h.concerns(at.namespace) {
			r.hideUnseen(rule, at.namespace)
		}
		rewrites := []*Rewrite{rule.Rewrite}
		if rule.Redirect != nil {
			rewrites = append(rewrites, rule.Redirect.Prefix)
		}
		if len(h.matches) == 0 {
			return append(bound, route{new(match), rule})
		}
		for j := range h.matches {
			m := &h.matches[j]
			if !m.holdsAt(at, v) {
				continue
			}
			for _, w := range rewrites {
				if w != nil {
					w.of = append(w.of, m)
				}
			}
			bound = append(bound, route{m, rule})
			if m.catchAll() && v.attached == nil {
				return bound
			}
		}
	}
	return bound
}

// bindRule is the rule for requests that arrive at a listener: it fills in the ports and the endpoints of the destinations.
func (r *Rules) bindRule(rule *Rule, at listener) *Rule {
	bound := *rule
	bound.Split = make([]Destination, len(rule.Split))
	for i, d := range rule.Split {
		bound.Split[i] = r.bindDestination(d, at)
	}
	bound.Mirrors = slices.Clone(rule.Mirrors)
	for i := range bound.Mirrors {
		bound.Mirrors[i].Destination = r.bindDestination(bound.Mirrors[i].Destination, at)
	}
	// Where the only destination of a rule is chosen by a key, a retry goes there again unless the YAML says otherwise (ConvertPolicy in
	// Istio's route/retry, and applyHTTPRouteDestination in its route.go).
	if rule.File != "" && len(bound.Split) == 1 && bound.Split[0].endpoints.Hash != nil && !rule.Retry.previousSet {
		bound.Retry.PreviousHosts = false
	}
	bound.Rewrite, bound.Redirect = copyOf(rule.Rewrite), rule.Redirect.at(at)
	return &bound
}

// bindDestination fills in the port and the endpoints of a destination of requests that arrive at a listener.
func (r *Rules) bindDestination(d Destination, at listener) Destination {
	if d.Port == 0 {
		d.Port = at.port
		if at.gateway != mesh {
			d.Port = r.portOf(d.Host, at.port)
		}
	}
	d.from, d.atGateway, d.overTLS = at.namespace, at.gateway != mesh, at.tls
	d.endpoints = r.Endpoints(&d)
	if secure := d.endpoints.secure; secure != nil && (at.gateway != mesh || !secure.atGateways) {
		d.TLS = secure
	}
	return d
}

// Pick is the destination on whose share the number draw, in [0,1), falls. It is nil when the rule has no destination.
func (r *Rule) Pick(draw float64) *Destination {
	var chosen *Destination
	sum := 0.0
	for i := range r.Split {
		d := &r.Split[i]
		if d.Share <= 0 {
			continue
		}
		chosen = d
		if sum += d.Share; draw < sum {
			break
		}
	}
	return chosen
}
