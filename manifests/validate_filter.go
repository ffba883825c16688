package manifests

import (
	"fmt"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/hellochaos/hellochaos/spelling"
)

// allFilters are the types of filters that Gateway API has.
var allFilters = []string{"RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect", "URLRewrite", "ExtensionRef", "CORS", "ExternalAuth"}

// checkFilters checks the filters of a rule, or of one of its backends, of which those of some types are executed.
func (d *document) checkFilters(field string, filters []gatewayv1.HTTPRouteFilter, executed []string, r *gatewayv1.HTTPRouteRule) {
	d.atMost(field, len(filters), mostFilters)
	seen := make(map[gatewayv1.HTTPRouteFilterType]bool)
	for i := range filters {
		f := &filters[i]
		place := fmt.Sprintf("%s[%d]", field, i)
		switch kind := string(f.Type); {
		case !slices.Contains(allFilters, kind):
			d.problem(place+".type", "must be one of %s, not %q%s", strings.Join(executed, ", "), kind, spelling.DidYouMean(kind, allFilters))
			continue
		case !slices.Contains(executed, kind):
			d.problem(place+".type", "%s is not supported by hellochaos here; accepted: %s", kind, strings.Join(executed, ", "))
			continue
		case seen[f.Type] && f.Type != gatewayv1.HTTPRouteFilterRequestMirror:
			d.problem(place+".type", "is %s a second time: Kubernetes accepts one of a type", kind)
		}
		seen[f.Type] = true
		d.checkFilter(place, f, r)
	}
	if seen[gatewayv1.HTTPRouteFilterRequestRedirect] && seen[gatewayv1.HTTPRouteFilterURLRewrite] {
		d.problem(field, "has RequestRedirect and URLRewrite: Kubernetes accepts one of the two")
	}
}

// checkFilter checks that a filter has the settings of its type, and no others.
func (d *document) checkFilter(place string, f *gatewayv1.HTTPRouteFilter, r *gatewayv1.HTTPRouteRule) {
	for _, part := range []struct {
		of    gatewayv1.HTTPRouteFilterType
		field string
		set   bool
	}{
		{gatewayv1.HTTPRouteFilterRequestHeaderModifier, "requestHeaderModifier", f.RequestHeaderModifier != nil},
		{gatewayv1.HTTPRouteFilterResponseHeaderModifier, "responseHeaderModifier", f.ResponseHeaderModifier != nil},
		{gatewayv1.HTTPRouteFilterRequestRedirect, "requestRedirect", f.RequestRedirect != nil},
		{gatewayv1.HTTPRouteFilterURLRewrite, "urlRewrite", f.URLRewrite != nil},
		{gatewayv1.HTTPRouteFilterRequestMirror, "requestMirror", f.RequestMirror != nil},
	} {
		switch {
		case part.set && part.of != f.Type:
			d.problem(place+"."+part.field, "must not stand in a filter of type %s", f.Type)
		case !part.set && part.of == f.Type:
			d.problem(place, "must have %s, since its type is %s", part.field, f.Type)
		}
	}
	if f.RequestHeaderModifier != nil {
		d.checkModifier(place+".requestHeaderModifier", f.RequestHeaderModifier, true)
	}
	if f.ResponseHeaderModifier != nil {
		d.checkModifier(place+".responseHeaderModifier", f.ResponseHeaderModifier, false)
	}
	if to := f.RequestRedirect; to != nil {
		d.checkRedirectFilter(place+".requestRedirect", to, r)
	}
	if to := f.RequestMirror; to != nil {
		d.checkMirrorFilter(place+".requestMirror", to)
	}
	if to := f.URLRewrite; to != nil {
		d.checkPreciseHost(place+".urlRewrite.hostname", to.Hostname)
		d.checkPathModifier(place+".urlRewrite.path", to.Path, r)
	}
}

func (d *document) checkRedirectFilter(field string, to *gatewayv1.HTTPRequestRedirectFilter, r *gatewayv1.HTTPRouteRule) {
	if to.Scheme != nil {
		d.checkOne(field+".scheme", *to.Scheme, []string{"http", "https"})
	}
	d.checkPreciseHost(field+".hostname", to.Hostname)
	if to.Port != nil {
		d.checkPort(field+".port", int(*to.Port))
	}
	if code := to.StatusCode; code != nil && !slices.Contains([]int{301, 302, 303, 307, 308}, *code) {
		d.problem(field+".statusCode", "must be 301, 302, 303, 307 or 308, not %d", *code)
	}
	d.checkPathModifier(field+".path", to.Path, r)
}

// checkMirrorFilter refuses a share that the definition of HTTPRoute refuses, and what is no reference. A reference to nothing is accepted:
// nothing is copied.
func (d *document) checkMirrorFilter(field string, m *gatewayv1.HTTPRequestMirrorFilter) {
	d.checkReference(field+".backendRef", &m.BackendRef, "Istio copies nothing to it")
	if m.Percent != nil && m.Fraction != nil {
		d.problem(field, "must have only one of percent and fraction")
	}
	if p := m.Percent; p != nil && (*p < 0 || *p > 100) {
		d.problem(field+".percent", "must be from 0 to 100, not %d", *p)
	}
	f := m.Fraction
	switch {
	case f == nil:
	case denominatorOf(f) < 1:
		d.problem(field+".fraction.denominator", "must be at least 1, not %d", denominatorOf(f))
	case f.Numerator < 0 || f.Numerator > denominatorOf(f):
		d.problem(field+".fraction.numerator", "must be from 0 to the denominator, which is %d, not %d", denominatorOf(f), f.Numerator)
	}
}

func (d *document) checkPreciseHost(field string, host *gatewayv1.PreciseHostname) {
	if host != nil {
		d.checkHostname(field, string(*host), exactHost)
	}
}

// checkPathModifier refuses a replacement without its value, and one of a prefix where the rule asks for none.
func (d *document) checkPathModifier(field string, p *gatewayv1.HTTPPathModifier, r *gatewayv1.HTTPRouteRule) {
	if p == nil {
		return
	}
	d.checkOne(field+".type", string(p.Type), modifiers)
	full, prefix := p.Type == gatewayv1.FullPathHTTPPathModifier, p.Type == gatewayv1.PrefixMatchHTTPPathModifier
	if full != (p.ReplaceFullPath != nil) || prefix != (p.ReplacePrefixMatch != nil) {
		d.problem(field, "must have replaceFullPath where its type is ReplaceFullPath, and replacePrefixMatch where it is ReplacePrefixMatch")
		return
	}
	value, name := p.ReplaceFullPath, "replaceFullPath"
	if prefix {
		value, name = p.ReplacePrefixMatch, "replacePrefixMatch"
	}
	if value == nil {
		return
	}
	d.checkTarget(field+"."+name, *value)
	if *value != "" && !strings.HasPrefix(*value, "/") {
		d.problem(field+"."+name, "must begin with a slash, not be %q: no server accepts another path", *value)
	}
	if full && strings.Contains(*value, `\`) {
		d.problem(field+"."+name, `must not have a backslash, as %q has: Istio takes it for a group of a regular expression`, *value)
	}
	if prefix && !prefixAlone(r) {
		d.problem(field, "has ReplacePrefixMatch, and then its rule must have exactly one match, whose path has type PathPrefix")
	}
}

// prefixAlone reports whether a rule has one match, which asks for a prefix of the path. A rule that names none asks for "/".
func prefixAlone(r *gatewayv1.HTTPRouteRule) bool {
	if len(r.Matches) == 0 {
		return true
	}
	path := r.Matches[0].Path
	return len(r.Matches) == 1 && (path == nil || path.Type == nil || *path.Type == gatewayv1.PathMatchPathPrefix)
}

// checkModifier checks the changes of headers.
func (d *document) checkModifier(field string, m *gatewayv1.HTTPHeaderFilter, request bool) {
	seen := make(map[string]string)
	check := func(place, list, name string, gives bool) {
		d.checkFieldName(place, name)
		d.checkOperation(place, name, request, gives)
		key := list + " " + strings.ToLower(name)
		if first := seen[key]; first != "" {
			d.problem(place, "is %q, which %s has already: of two of one name Gateway API obeys the first alone", name, first)
		}
		seen[key] = place
	}
	for _, part := range []struct {
		list string
		all  []gatewayv1.HTTPHeader
	}{{"set", m.Set}, {"add", m.Add}} {
		d.atMost(field+"."+part.list, len(part.all), mostMatchHeaders)
		for i, h := range part.all {
			place := fmt.Sprintf("%s.%s[%d]", field, part.list, i)
			check(place+".name", part.list, string(h.Name), true)
			switch {
			case h.Value == "":
				d.problem(place+".value", "must not be empty")
			case request && namesHost(string(h.Name)):
				d.checkAuthority(place+".value", h.Value)
			default:
				d.checkHeaderValue(place+".value", h.Value)
			}
		}
	}
	d.atMost(field+".remove", len(m.Remove), mostMatchHeaders)
	for i, name := range m.Remove {
		check(fmt.Sprintf("%s.remove[%d]", field, i), "remove", name, false)
	}
}
