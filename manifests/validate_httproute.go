package manifests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/hellochaos/hellochaos/spelling"
)

// What the definition of HTTPRoute in Kubernetes (its CRD of Gateway API 1.6, experimental channel) accepts at most.
const (
	mostRouteRules     = 16
	mostRuleMatches    = 64
	mostRouteMatches   = 128
	mostRouteHostnames = 16
	mostParents        = 32
	mostFilters        = 16
	mostBackends       = 16
	mostMatchHeaders   = 16
	mostWeight         = 1_000_000
	longestPath        = 1024
)

var (
	routeMethods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
	pathTypes    = []string{"Exact", "PathPrefix", "RegularExpression"}
	valueTypes   = []string{"Exact", "RegularExpression"}
	modifiers    = []string{"ReplaceFullPath", "ReplacePrefixMatch"}
	// ruleFilters are the filters of a rule that are executed, and backendFilters those of a backendRef: Istio knows no other there, and
	// passes over one (measured; its status says InvalidFilter).
	ruleFilters    = []string{"RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect", "URLRewrite"}
	backendFilters = []string{"RequestHeaderModifier", "ResponseHeaderModifier"}

	pathCharacters = regexp.MustCompile(`^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$`)
	gatewayTime    = regexp.MustCompile(`^([0-9]{1,5}(h|m|s|ms)){1,4}$`)
	fieldName      = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$")
)

// checkHTTPRoute refuses what the API server refuses, what makes Istio drop the whole route, and what is not executed.
func (d *document) checkHTTPRoute(spec *gatewayv1.HTTPRouteSpec) {
	d.atMost("spec.parentRefs", len(spec.ParentRefs), mostParents)
	d.atMost("spec.hostnames", len(spec.Hostnames), mostRouteHostnames)
	d.atMost("spec.rules", len(spec.Rules), mostRouteRules)
	if spec.Rules != nil && len(spec.Rules) == 0 {
		d.problem("spec.rules", "must have at least one rule, or be left out: Kubernetes accepts no empty list")
	}
	for i := range spec.ParentRefs {
		d.checkParent(fmt.Sprintf("spec.parentRefs[%d]", i), &spec.ParentRefs[i])
	}
	d.checkParentsDiffer(spec.ParentRefs)
	for i, host := range spec.Hostnames {
		d.checkHostname(fmt.Sprintf("spec.hostnames[%d]", i), string(host), wildHost)
	}
	matches := 0
	for i := range spec.Rules {
		matches += len(spec.Rules[i].Matches)
		d.checkRouteRule(fmt.Sprintf("spec.rules[%d]", i), &spec.Rules[i])
	}
	if matches > mostRouteMatches {
		d.problem("spec.rules", "has %d matches in all its rules: Kubernetes accepts at most %d", matches, mostRouteMatches)
	}
}

func (d *document) atMost(field string, n, most int) {
	if n > most {
		d.problem(field, "has %d entries: Kubernetes accepts at most %d", n, most)
	}
}

// checkOne refuses a value that is none of those that are accepted; the empty value is the default.
func (d *document) checkOne(field, value string, accepted []string) {
	if value != "" && !slices.Contains(accepted, value) {
		d.problem(field, "must be one of %s, not %q%s", strings.Join(accepted, ", "), value, spelling.DidYouMean(value, accepted))
	}
}

// checkHostname refuses what is no Hostname of Gateway API: lower case, no IP address, and "*" only as the first label.
func (d *document) checkHostname(field, host string, form hostForm) {
	if host != strings.ToLower(host) || strings.HasSuffix(host, ".") {
		d.problem(field, "must be in lower case and without a dot at its end, not %q", host)
		return
	}
	if strings.HasPrefix(host, "*") && !strings.HasPrefix(host, "*.") {
		d.problem(field, `must have "*" alone before the first dot, not %q`, host)
		return
	}
	d.checkHost(field, host, form)
}

// checkParent refuses parents that are neither a Gateway nor a Service: Istio passes over others, and so would a reader.
func (d *document) checkParent(field string, p *gatewayv1.ParentReference) {
	d.checkObjectName(field+".name", string(p.Name))
	if p.Namespace != nil {
		d.checkLabel(field+".namespace", string(*p.Namespace))
	}
	if p.Port != nil {
		d.checkPort(field+".port", int(*p.Port))
	}
	switch group, kind := parentKind(p); {
	case group == GatewayAPI && kind == "Gateway":
	case group == "" && kind == "Service":
		if p.SectionName != nil {
			d.problem(field+".sectionName", "is not supported by hellochaos for a Service: Istio does not look at it; write port")
		}
	default:
		d.problem(field+".kind", "must be Gateway of group %s, or Service of group \"\", not %s of group %q: hellochaos executes no other parent", GatewayAPI, kind, group)
	}
}

// parentKind is the group and the kind of a parent, Gateway where none are written.
func parentKind(p *gatewayv1.ParentReference) (group, kind string) {
	group, kind = GatewayAPI, "Gateway"
	if p.Group != nil {
		group = string(*p.Group)
	}
	if p.Kind != nil {
		kind = string(*p.Kind)
	}
	return group, kind
}

// checkParentsDiffer refuses two references to one parent that sectionName and port do not tell apart.
func (d *document) checkParentsDiffer(parents []gatewayv1.ParentReference) {
	type key struct{ group, kind, namespace, name, section, port string }
	of := func(p *gatewayv1.ParentReference) key {
		k := key{name: string(p.Name)}
		k.group, k.kind = parentKind(p)
		if p.Namespace != nil {
			k.namespace = string(*p.Namespace)
		}
		if p.SectionName != nil {
			k.section = string(*p.SectionName)
		}
		if p.Port != nil {
			k.port = fmt.Sprint(*p.Port)
		}
		return k
	}
	for i := range parents {
		for j := range parents[:i] {
			a, b := of(&parents[j]), of(&parents[i])
			same := a.group == b.group && a.kind == b.kind && a.namespace == b.namespace && a.name == b.name
			if same && (a == b || a.section+a.port == "" || b.section+b.port == "") {
				d.problem(fmt.Sprintf("spec.parentRefs[%d]", i), "is the parent of parentRefs[%d], too: two references to one parent must each have a sectionName or a port of their own", j)
				break
			}
		}
	}
}

// checkObjectName refuses what cannot be the name of an object.
func (d *document) checkObjectName(field, name string) {
	if name == "" {
		d.problem(field, "must not be empty")
		return
	}
	d.checkHostLike(field, name)
}

func (d *document) checkRouteRule(field string, r *gatewayv1.HTTPRouteRule) {
	d.atMost(field+".matches", len(r.Matches), mostRuleMatches)
	for i := range r.Matches {
		d.checkRouteMatch(fmt.Sprintf("%s.matches[%d]", field, i), &r.Matches[i])
	}
	d.checkFilters(field+".filters", r.Filters, ruleFilters, r)
	d.atMost(field+".backendRefs", len(r.BackendRefs), mostBackends)
	for i := range r.BackendRefs {
		d.checkBackend(fmt.Sprintf("%s.backendRefs[%d]", field, i), &r.BackendRefs[i], r)
	}
	redirects := slices.ContainsFunc(r.Filters, func(f gatewayv1.HTTPRouteFilter) bool { return f.Type == gatewayv1.HTTPRouteFilterRequestRedirect })
	if redirects && len(r.BackendRefs) > 0 {
		d.problem(field+".backendRefs", "must not stand beside a filter RequestRedirect, which answers in their place")
	}
	d.checkTimeouts(field+".timeouts", r.Timeouts)
	d.checkRouteRetry(field+".retry", r.Retry)
}

func (d *document) checkRouteMatch(field string, m *gatewayv1.HTTPRouteMatch) {
	if m.Path != nil {
		d.checkPathMatch(field+".path", m.Path)
	}
	if m.Method != nil {
		d.checkOne(field+".method", string(*m.Method), routeMethods)
	}
	d.atMost(field+".headers", len(m.Headers), mostMatchHeaders)
	d.atMost(field+".queryParams", len(m.QueryParams), mostMatchHeaders)
	names := make(map[string]int)
	for i, h := range m.Headers {
		place := fmt.Sprintf("%s.headers[%d]", field, i)
		d.checkCondition(place, string(h.Name), h.Value, kindOfValue(h.Type))
		d.checkProxyHeader(place, string(h.Name), valueMatch(kindOfValue(h.Type), h.Value))
		if strings.EqualFold(string(h.Name), "host") {
			d.problem(place+".name", "%s is not supported by hellochaos: write spec.hostnames", h.Name)
		}
		if first, twice := names[strings.ToLower(string(h.Name))]; twice {
			d.problem(place+".name", "is %q, as headers[%d] is: write each header once", h.Name, first)
		}
		names[strings.ToLower(string(h.Name))] = i
	}
	query := make(map[string]int)
	for i, q := range m.QueryParams {
		place := fmt.Sprintf("%s.queryParams[%d]", field, i)
		d.checkCondition(place, string(q.Name), q.Value, kindOfValue(q.Type))
		if first, twice := query[string(q.Name)]; twice {
			d.problem(place+".name", "is %q, as queryParams[%d] is: write each parameter once", q.Name, first)
		}
		query[string(q.Name)] = i
	}
}

// kindOfValue is how a condition on a header or a query parameter compares, Exact where it does not say.
func kindOfValue[T ~string](kind *T) string {
	if kind == nil {
		return "Exact"
	}
	return string(*kind)
}

func (d *document) checkCondition(field, name, value, kind string) {
	d.checkFieldName(field+".name", name)
	d.checkOne(field+".type", kind, valueTypes)
	if value == "" {
		d.problem(field+".value", "must not be empty")
	} else if kind == "RegularExpression" {
		d.checkRegex(field+".value", value)
	}
}

// checkFieldName refuses what cannot be the name of a header; query parameters have the same form in Gateway API.
func (d *document) checkFieldName(field, name string) {
	if !fieldName.MatchString(name) || len(name) > 256 {
		d.problem(field, "%q is not a name that Gateway API accepts here: letters, digits and !#$%%&'*+-.^_`|~, at most 256", name)
	}
}

func (d *document) checkPathMatch(field string, p *gatewayv1.HTTPPathMatch) {
	kind, value := "PathPrefix", "/"
	if p.Type != nil {
		kind = string(*p.Type)
	}
	if p.Value != nil {
		value = *p.Value
	}
	d.checkOne(field+".type", kind, pathTypes)
	if len(value) > longestPath {
		d.problem(field+".value", "has %d characters: Kubernetes accepts at most %d", len(value), longestPath)
	}
	switch {
	case kind == "RegularExpression":
		d.checkRegex(field+".value", value)
	case !strings.HasPrefix(value, "/"):
		d.problem(field+".value", "must begin with a slash, not be %q", value)
	case !pathCharacters.MatchString(value):
		d.problem(field+".value", "has a character that Gateway API does not accept in a path: %q", value)
	default:
		for _, part := range []string{"//", "/./", "/../", "%2f", "%2F"} {
			if strings.Contains(value, part) {
				d.problem(field+".value", "must not have %q in it, as %q has: Kubernetes refuses it", part, value)
			}
		}
		if strings.HasSuffix(value, "/..") || strings.HasSuffix(value, "/.") {
			d.problem(field+".value", `must not end with "/." or "/..", as %q does: Kubernetes refuses it`, value)
		}
	}
}

// checkBackend refuses what is no reference, and what makes Istio drop the whole route. A reference to nothing is accepted: requests are
// answered 500.
func (d *document) checkBackend(field string, b *gatewayv1.HTTPBackendRef, r *gatewayv1.HTTPRouteRule) {
	d.checkReference(field, &b.BackendObjectReference, "Istio drops the whole route")
	if b.Weight != nil && (*b.Weight < 0 || *b.Weight > mostWeight) {
		d.problem(field+".weight", "must be from 0 to %d, not %d", mostWeight, *b.Weight)
	}
	d.checkFilters(field+".filters", b.Filters, backendFilters, r)
}

// checkReference checks a reference to a Service. effect is what Istio does with a wrong one.
func (d *document) checkReference(field string, b *gatewayv1.BackendObjectReference, effect string) {
	d.checkObjectName(field+".name", string(b.Name))
	group, kind := backendKind(b)
	service := group == "" && kind == "Service"
	switch {
	case service && strings.Contains(string(b.Name), "."):
		d.problem(field+".name", "must be the name of a Service, not a host as %q is: %s", b.Name, effect)
	case service && b.Port == nil:
		d.problem(field+".port", "is missing, and a Service needs it: %s", effect)
	case group == istioGroup && kind == "Hostname", group == "inference.networking.k8s.io", group == "multicluster.x-k8s.io":
		d.problem(field+".kind", "%s of group %s is not supported by hellochaos; accepted: Service", kind, group)
	}
	if b.Namespace != nil {
		d.checkLabel(field+".namespace", string(*b.Namespace))
	}
	if b.Port != nil {
		d.checkPort(field+".port", int(*b.Port))
	}
}

// backendKind is the group and the kind of a backend, Service where none are written.
func backendKind(b *gatewayv1.BackendObjectReference) (group, kind string) {
	kind = "Service"
	if b.Group != nil {
		group = string(*b.Group)
	}
	if b.Kind != nil {
		kind = string(*b.Kind)
	}
	return group, kind
}

func (d *document) checkTimeouts(field string, t *gatewayv1.HTTPRouteTimeouts) {
	if t == nil {
		return
	}
	request := d.gatewayDuration(field+".request", t.Request)
	try := d.gatewayDuration(field+".backendRequest", t.BackendRequest)
	if request > 0 && try > request {
		d.problem(field+".backendRequest", "must not be longer than request, which is %v, and is %v", request, try)
	}
}

func (d *document) checkRouteRetry(field string, r *gatewayv1.HTTPRouteRetry) {
	if r == nil {
		return
	}
	if r.Attempts != nil && (*r.Attempts < 1 || *r.Attempts > maxAttempts) {
		d.problem(field+".attempts", "must be from 1 to %d, not %d: Kubernetes accepts no 0, and the services count tries by attempt number only up to 99", maxAttempts, *r.Attempts)
	}
	seen := make(map[gatewayv1.HTTPRouteRetryStatusCode]bool)
	for i, code := range r.Codes {
		place := fmt.Sprintf("%s.codes[%d]", field, i)
		if code < 400 || code > 599 {
			d.problem(place, "must be a status from 400 to 599, not %d", code)
		} else if _, known := statusCode(fmt.Sprint(int(code))); !known {
			d.problem(place, "%d is no status that HTTP defines, and Istio passes over it: remove it", code)
		}
		if seen[code] {
			d.problem(place, "is %d a second time: write each status once", code)
		}
		seen[code] = true
	}
	if r.Backoff != nil && d.gatewayDuration(field+".backoff", r.Backoff) == 0 && gatewayTime.MatchString(string(*r.Backoff)) {
		d.problem(field+".backoff", "must be at least 1ms, not %q: Envoy accepts no base of 0", *r.Backoff)
	}
}

// gatewayDuration reads a duration of Gateway API (GEP-2257): whole numbers of h, m, s and ms. It is 0, and a problem is recorded, for
// another text.
func (d *document) gatewayDuration(field string, text *gatewayv1.Duration) time.Duration {
	if text == nil {
		return 0
	}
	duration, err := time.ParseDuration(string(*text))
	if err != nil || !gatewayTime.MatchString(string(*text)) {
		d.problem(field, `must be a duration such as "2s" or "1m30s" (whole numbers with h, m, s or ms), not %q`, *text)
		return 0
	}
	return duration
}
