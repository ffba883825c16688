package manifests

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// routeReader reads the HTTPRoutes of Gateway API as Istio does: each rule becomes an http entry of Istio's API, and what it means
// differently there is noted beside (convertHTTPRoute in its pilot/pkg/config/kube/gateway, and what its route.go does with
// UseGatewaySemantics).
type routeReader struct {
	rules  *Rules
	grants grants
}

// addHTTPRoutes adds the HTTPRoutes of some objects: each as one virtualService for the sidecars, and one for the gateways.
func (r *Rules) addHTTPRoutes(objects []Object) (problems Problems) {
	reader := &routeReader{rules: r, grants: make(grants)}
	labels := map[string]map[string]string{Namespace: nil}
	for i := range objects {
		o := &objects[i]
		if k, ok := o.Kubernetes.(*gatewayv1.ReferenceGrant); ok {
			reader.grants[o.namespace()] = append(reader.grants[o.namespace()], k)
		}
		if o.Kind == "Namespace" {
			labels[o.Meta.Name] = o.Meta.Labels
		} else if labels[o.namespace()] == nil {
			labels[o.namespace()] = map[string]string{}
		}
	}
	for _, g := range r.Gateways {
		g.admitNamespaces(labels)
	}
	for i := range objects {
		route := objects[i].HTTPRoute()
		if route == nil {
			continue
		}
		for _, a := range []*attachment{r.atServices(&objects[i], route), r.atListeners(&objects[i], route)} {
			if a == nil {
				continue
			}
			v, wrong := reader.virtualService(&objects[i], route, a)
			problems = append(problems, wrong...)
			r.virtualServices = append(r.virtualServices, v)
		}
	}
	return problems
}

// virtualService is an HTTPRoute where it is attached.
func (c *routeReader) virtualService(o *Object, route *gatewayv1.HTTPRoute, a *attachment) (virtualService, Problems) {
	v := virtualService{object: o, name: o.Name(), namespace: o.namespace(), attached: a, gateways: a.gateways, hosts: a.hosts, written: a.hosts}
	var problems Problems
	for i, rule := range withDefaults(&route.Spec) {
		entry := c.entry(o, &rule, i, a.mesh())
		compiled, wrong := newHTTPRoute(entry)
		compiled.rule.Hosts = v.hosts
		problems = append(problems, wrong...)
		v.routes = append(v.routes, compiled)
	}
	return v, problems
}

// withDefaults are the rules of an HTTPRoute with the defaults of its definition: a rule without a match asks for the prefix "/".
func withDefaults(spec *gatewayv1.HTTPRouteSpec) []gatewayv1.HTTPRouteRule {
	rules := slices.Clone(spec.Rules)
	if len(rules) == 0 {
		rules = []gatewayv1.HTTPRouteRule{{}}
	}
	for i := range rules {
		if len(rules[i].Matches) == 0 {
			rules[i].Matches = []gatewayv1.HTTPRouteMatch{{}}
		}
	}
	return rules
}

// entry is a rule as an http entry of Istio's API.
func (c *routeReader) entry(o *Object, r *gatewayv1.HTTPRouteRule, index int, mesh bool) *written {
	h := &networking.HTTPRoute{Retries: routeRetries(r.Retry)}
	w := &written{http: h, from: o, index: index, gatewayAPI: true}
	for i := range r.Matches {
		h.Match = append(h.Match, routeMatch(&r.Matches[i]))
	}
	for i := range r.Filters {
		if m := r.Filters[i].RequestMirror; m != nil {
			c.addMirror(w, m, i, mesh)
		} else {
			addFilter(h, &r.Filters[i])
		}
	}
	addTimeouts(h, r.Timeouts)
	sum := 0
	for i := range r.BackendRefs {
		sum += weightOf(&r.BackendRefs[i])
	}
	if sum == 0 && h.Redirect == nil {
		h.DirectResponse = &networking.HTTPDirectResponse{Status: 500}
		h.Rewrite = nil
		return w
	}
	for i := range r.BackendRefs {
		b := &r.BackendRefs[i]
		if weightOf(b) == 0 {
			continue
		}
		to, allowed := c.destination(o, b, mesh)
		if !allowed {
			w.denied = append(w.denied, len(h.Route))
		}
		h.Route, w.backends = append(h.Route, to), append(w.backends, i)
	}
	if len(h.Route) == 1 && r.BackendRefs[w.backends[0]].Weight == nil {
		h.Route[0].Weight = 0 // as where an http entry names none
	}
	return w
}

// weightOf is the weight of a backend, 1 where none is written.
func weightOf(b *gatewayv1.HTTPBackendRef) int {
	if b.Weight == nil {
		return 1
	}
	return int(*b.Weight)
}

// destination is a backend of a rule. It is not allowed where requests are answered 500 in its place although such a Service may exist: it is
// of another kind, or of another namespace without a ReferenceGrant. Rules for the sidecars need none (buildDestination).
func (c *routeReader) destination(o *Object, b *gatewayv1.HTTPBackendRef, mesh bool) (to *networking.HTTPRouteDestination, allowed bool) {
	reference, allowed := c.reference(o, &b.BackendObjectReference, mesh)
	to = &networking.HTTPRouteDestination{Weight: int32(weightOf(b)), Destination: reference}
	for i := range b.Filters {
		f := &b.Filters[i]
		if to.Headers == nil {
			to.Headers = &networking.Headers{}
		}
		addModifiers(to.Headers, f)
	}
	return to, allowed
}

// reference is what a reference of an HTTPRoute leads to, and whether the route may name it.
func (c *routeReader) reference(o *Object, b *gatewayv1.BackendObjectReference, mesh bool) (to *networking.Destination, allowed bool) {
	group, kind := backendKind(b)
	namespace := o.namespace()
	if b.Namespace != nil {
		namespace = string(*b.Namespace)
	}
	to = &networking.Destination{Host: string(b.Name) + "." + namespace + domain}
	if b.Port != nil {
		to.Port = &networking.PortSelector{Number: uint32(*b.Port)}
	}
	service := group == "" && kind == "Service"
	if !service {
		to.Host = fmt.Sprintf("%s.%s.%s.%s", b.Name, namespace, strings.ToLower(kind), group)
	}
	return to, service && (mesh || c.grants.allow(o.namespace(), group, kind, string(b.Name), namespace))
}

// addMirror gives an entry the mirror of a filter, the one with this index in its rule. One that the route may not name is kept, as one that
// gets nothing (createMirrorFilter in Istio's conversion.go leaves it out).
func (c *routeReader) addMirror(w *written, f *gatewayv1.HTTPRequestMirrorFilter, index int, mesh bool) {
	to, allowed := c.reference(w.from, &f.BackendRef, mesh)
	if !allowed {
		w.deniedMirrors = append(w.deniedMirrors, len(w.http.Mirrors))
	}
	m := &networking.HTTPMirrorPolicy{Destination: to}
	switch {
	case f.Fraction != nil:
		m.Percentage = &networking.Percent{Value: 100 * float64(f.Fraction.Numerator) / float64(denominatorOf(f.Fraction))}
	case f.Percent != nil:
		m.Percentage = &networking.Percent{Value: float64(*f.Percent)}
	}
	w.http.Mirrors, w.mirrors = append(w.http.Mirrors, m), append(w.mirrors, index)
}

// denominatorOf is the denominator of a fraction, 100 where none is written.
func denominatorOf(f *gatewayv1.Fraction) int32 {
	if f.Denominator == nil {
		return 100
	}
	return *f.Denominator
}

// routeMatch is a match of a rule. All its conditions must hold.
func routeMatch(m *gatewayv1.HTTPRouteMatch) *networking.HTTPMatchRequest {
	to := &networking.HTTPMatchRequest{Uri: pathMatch(m.Path)}
	if m.Method != nil {
		to.Method = &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: string(*m.Method)}}
	}
	for _, h := range m.Headers {
		if to.Headers == nil {
			to.Headers = make(map[string]*networking.StringMatch)
		}
		to.Headers[string(h.Name)] = valueMatch(kindOfValue(h.Type), h.Value)
	}
	for _, q := range m.QueryParams {
		if to.QueryParams == nil {
			to.QueryParams = make(map[string]*networking.StringMatch)
		}
		to.QueryParams[string(q.Name)] = valueMatch(kindOfValue(q.Type), q.Value)
	}
	return to
}

// valueMatch is a condition on a header or a query parameter.
func valueMatch(kind, value string) *networking.StringMatch {
	if kind == "RegularExpression" {
		return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: value}}
	}
	return &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: value}}
}

// pathMatch is the condition on the path. A slash at the end of a prefix says nothing: a prefix ends at a segment.
func pathMatch(p *gatewayv1.HTTPPathMatch) *networking.StringMatch {
	kind, value := gatewayv1.PathMatchPathPrefix, "/"
	if p != nil && p.Type != nil {
		kind = *p.Type
	}
	if p != nil && p.Value != nil {
		value = *p.Value
	}
	switch kind {
	case gatewayv1.PathMatchExact, gatewayv1.PathMatchRegularExpression:
		return valueMatch(string(kind), value)
	}
	if value != "/" {
		value = strings.TrimSuffix(value, "/")
	}
	return &networking.StringMatch{MatchType: &networking.StringMatch_Prefix{Prefix: value}}
}

// routeRetries are the retries of a rule. Beside the statuses that it names, calls are sent again whose connection could not be made, or
// breaks before the request was sent.
func routeRetries(r *gatewayv1.HTTPRouteRetry) *networking.HTTPRetry {
	if r == nil {
		return nil
	}
	on := []string{"connect-failure", "refused-stream", "unavailable", "cancelled"}
	for _, code := range r.Codes {
		on = append(on, strconv.Itoa(int(code)))
	}
	to := &networking.HTTPRetry{Attempts: defaultAttempts, RetryOn: strings.Join(on, ",")}
	if r.Attempts != nil {
		to.Attempts = int32(*r.Attempts)
	}
	if r.Backoff != nil {
		to.Backoff = durationpb.New(timeOf(r.Backoff))
	}
	return to
}

// timeOf is a duration of Gateway API that was checked; 0 for nil.
func timeOf(d *gatewayv1.Duration) time.Duration {
	if d == nil {
		return 0
	}
	duration, _ := time.ParseDuration(string(*d))
	return duration
}

// addTimeouts gives an entry the timeouts of a rule. Without retries that of a try is that of the call.
func addTimeouts(h *networking.HTTPRoute, t *gatewayv1.HTTPRouteTimeouts) {
	if t == nil {
		return
	}
	if request := timeOf(t.Request); request != 0 {
		h.Timeout = durationpb.New(request)
	}
	try := timeOf(t.BackendRequest)
	switch {
	case try == 0:
	case h.Retries != nil:
		h.Retries.PerTryTimeout = durationpb.New(try)
	default:
		h.Timeout = durationpb.New(try)
	}
}

// addFilter gives an entry a filter of a rule.
func addFilter(h *networking.HTTPRoute, f *gatewayv1.HTTPRouteFilter) {
	switch {
	case f.RequestRedirect != nil:
		h.Redirect = redirectFilter(f.RequestRedirect)
	case f.URLRewrite != nil:
		h.Rewrite = rewriteFilter(f.URLRewrite)
	default:
		if h.Headers == nil {
			h.Headers = &networking.Headers{}
		}
		addModifiers(h.Headers, f)
	}
}

// addModifiers adds the changes of headers of a filter.
func addModifiers(to *networking.Headers, f *gatewayv1.HTTPRouteFilter) {
	changes := func(m *gatewayv1.HTTPHeaderFilter) *networking.Headers_HeaderOperations {
		values := func(all []gatewayv1.HTTPHeader) map[string]string {
			some := make(map[string]string)
			for _, h := range all {
				some[strings.ToLower(string(h.Name))] = h.Value
			}
			return some
		}
		return &networking.Headers_HeaderOperations{Set: values(m.Set), Add: values(m.Add), Remove: m.Remove}
	}
	if f.RequestHeaderModifier != nil {
		to.Request = changes(f.RequestHeaderModifier)
	}
	if f.ResponseHeaderModifier != nil {
		to.Response = changes(f.ResponseHeaderModifier)
	}
}

// redirectFilter is a redirect. Where it names no port, and no scheme whose own port would hold, the port is that of the request.
func redirectFilter(f *gatewayv1.HTTPRequestRedirectFilter) *networking.HTTPRedirect {
	to := &networking.HTTPRedirect{RedirectCode: 302, RedirectPort: &networking.HTTPRedirect_DerivePort{DerivePort: networking.HTTPRedirect_FROM_REQUEST_PORT}}
	if f.StatusCode != nil {
		to.RedirectCode = uint32(*f.StatusCode)
	}
	if f.Hostname != nil {
		to.Authority = string(*f.Hostname)
	}
	if f.Scheme != nil {
		to.Scheme = *f.Scheme
		to.RedirectPort = &networking.HTTPRedirect_DerivePort{DerivePort: networking.HTTPRedirect_FROM_PROTOCOL_DEFAULT}
	}
	if f.Port != nil {
		to.RedirectPort = &networking.HTTPRedirect_Port{Port: uint32(*f.Port)}
	}
	switch {
	case f.Path == nil:
	case f.Path.ReplaceFullPath != nil:
		to.Uri = *f.Path.ReplaceFullPath
	case f.Path.ReplacePrefixMatch != nil:
		to.PrefixRewrite = *f.Path.ReplacePrefixMatch
	}
	return to
}

// rewriteFilter is a rewrite; nil where it changes nothing.
func rewriteFilter(f *gatewayv1.HTTPURLRewriteFilter) *networking.HTTPRewrite {
	to := &networking.HTTPRewrite{}
	if f.Hostname != nil {
		to.Authority = string(*f.Hostname)
	}
	switch {
	case f.Path == nil:
	case f.Path.ReplacePrefixMatch != nil:
		to.Uri = cmp.Or(strings.TrimSuffix(*f.Path.ReplacePrefixMatch, "/"), "/")
	case f.Path.ReplaceFullPath != nil:
		to.UriRegexRewrite = &networking.RegexRewrite{Match: "/.*", Rewrite: *f.Path.ReplaceFullPath}
	}
	if to.Uri == "" && to.UriRegexRewrite == nil && to.Authority == "" {
		return nil
	}
	return to
}

// withoutPrefix is what removes the prefix that the only match of a rule asks for: what is left begins with one slash. Envoy would put the
// slash of the replacement before the rest, and with it a second one (applyHTTPRouteDestination in Istio's route.go).
func withoutPrefix(matches []*networking.HTTPMatchRequest) *networking.RegexRewrite {
	prefix := ""
	if len(matches) == 1 && matches[0].GetUri().GetPrefix() != "/" {
		prefix = matches[0].GetUri().GetPrefix()
	}
	return &networking.RegexRewrite{Match: "^" + regexp.QuoteMeta(prefix) + `(/?)(.*)`, Rewrite: `/\2`}
}
