package manifests

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// maxRegex is the longest regular expression that Istio's webhook accepts, in bytes.
	maxRegex = 1024
	// maxAttempts is a limit of hellochaos and not of Istio: the services count tries by attempt number up to 99, and the
	// first try has number 1.
	maxAttempts = 98
)

func (d *document) checkVirtualService(spec *networking.VirtualService) {
	if isDelegate(spec) && len(spec.Gateways) > 0 {
		d.problem("spec.gateways", "is not accepted where there are no hosts: a VirtualService without hosts is one to which others delegate, and holds where they do")
	}
	form := anyHost
	if len(spec.Gateways) == 0 || slices.Contains(spec.Gateways, mesh) {
		form = wildHost // Istio refuses "*" for the mesh, even where the VirtualService names gateways too
	}
	for i, host := range spec.Hosts {
		field := fmt.Sprintf("spec.hosts[%d]", i)
		if host == "*" && form == wildHost {
			d.problem(field, `must not be "*" where the VirtualService is for the mesh's sidecars: name the hosts, or name only `+
				"gateways in spec.gateways")
			continue
		}
		d.checkHost(field, host, form)
		for _, other := range spec.Hosts[:i] {
			switch {
			case other == host:
				d.problem(field, "is %q a second time: write each host once", host)
			case covers(other, host) || covers(host, other):
				d.problem(field, "is %q, and %q, which stands before it, is for the same hosts: Istio refuses hosts of one VirtualService of which one "+
					"covers the other", host, other)
			default:
				continue
			}
			break
		}
	}
	d.checkGatewayNames("spec.gateways", spec.Gateways)
	if len(spec.Http) == 0 {
		d.problem("spec.http", "must have at least one rule")
	}
	for i, h := range spec.Http {
		field := fmt.Sprintf("spec.http[%d]", i)
		if h.Delegate != nil && isDelegate(spec) {
			d.problem(field+".delegate", "is not accepted in a VirtualService without hosts, to which others delegate: there is one level only")
		}
		d.checkHTTP(field, h)
	}
}

func (d *document) checkGatewayNames(field string, names []string) {
	for i, name := range names {
		place := fmt.Sprintf("%s[%d]", field, i)
		namespace, rest, ok := strings.Cut(name, "/")
		if ok {
			d.checkLabel(place, namespace)
			name = rest
		}
		d.checkLabel(place, name)
		if !ok && name != "" && strings.Trim(name, "0123456789") == "" {
			d.problem(place, "%q is not a name that Istio accepts for a gateway: it must not be a number", name)
		}
	}
}

func (d *document) checkHTTP(field string, h *networking.HTTPRoute) {
	actions := 0
	for _, present := range []bool{len(h.Route) > 0, h.Redirect != nil, h.DirectResponse != nil} {
		if present {
			actions++
		}
	}
	if h.Delegate != nil {
		d.checkDelegate(field, h.Delegate, actions)
	} else if actions != 1 {
		d.problem(field, "must have exactly one of route, redirect and directResponse, but has %d of them", actions)
	}
	routed := len(h.Route) > 0 || h.Delegate != nil
	if h.Fault != nil && !routed {
		d.problem(field+".fault", "is accepted only beside route, not beside redirect or directResponse")
	}
	for i, m := range h.Match {
		d.checkMatch(fmt.Sprintf("%s.match[%d]", field, i), m)
	}
	if h.Rewrite != nil && !routed {
		d.problem(field+".rewrite", "is accepted only beside route, not beside redirect or directResponse")
	}
	d.checkRewrite(field+".rewrite", h.Rewrite)
	d.checkHeaders(field+".headers", h.Headers)
	if name, twice := authorityTwice(h); twice {
		d.problem(field+".headers.request", "%s is a second place that sets the host: only one is accepted", name)
	}
	d.checkSplit(field+".route", h.Route)
	d.checkMirrors(field, h)
	d.checkRetries(field+".retries", h.Retries)
	d.checkFault(field+".fault", h.Fault)
	if h.Redirect != nil {
		d.checkRedirect(field+".redirect", h.Redirect, h.Match)
	}
	if r := h.DirectResponse; r != nil {
		d.checkStatus(field+".directResponse.status", r.Status)
	}
}

// checkDelegate checks an http entry that delegates. Istio accepts a directResponse beside delegate, and then answers with it.
func (d *document) checkDelegate(field string, to *networking.Delegate, actions int) {
	if actions > 0 {
		d.problem(field, "must have none of route, redirect and directResponse beside delegate")
	}
	d.checkLabel(field+".delegate.name", to.Name)
	if to.Namespace != "" {
		d.checkLabel(field+".delegate.namespace", to.Namespace)
	}
}

func (d *document) checkSplit(field string, destinations []*networking.HTTPRouteDestination) {
	sum := int64(0)
	for i, r := range destinations {
		place := fmt.Sprintf("%s[%d]", field, i)
		if r.Weight < 0 {
			d.problem(place+".weight", "must be at least 0, not %d", r.Weight)
		}
		sum += int64(r.Weight)
		d.checkHeaders(place+".headers", r.Headers)
		if r.Destination == nil {
			d.problem(place, "must have a destination")
			continue
		}
		d.checkDestination(place+".destination", r.Destination)
	}
	if len(destinations) > 1 && sum == 0 {
		d.problem(field, "has weights that add up to 0: at least one destination must have a weight above 0")
	}
}

// checkDestination checks where requests, or copies of them, are to go.
func (d *document) checkDestination(field string, to *networking.Destination) {
	d.checkHost(field+".host", to.Host, exactHost)
	if to.Subset != "" {
		d.checkLabel(field+".subset", to.Subset)
	}
	if to.Port != nil {
		d.checkPort(field+".port.number", int(to.Port.Number))
	}
}

func (d *document) checkRetries(field string, r *networking.HTTPRetry) {
	if r == nil {
		return
	}
	if r.Attempts < 0 || r.Attempts > maxAttempts {
		d.problem(field+".attempts", "must be from 0 to %d, not %d: the services count tries by attempt number only up to 99",
			maxAttempts, r.Attempts)
	}
	if r.Attempts == 0 && (r.PerTryTimeout != nil || r.RetryOn != "") {
		d.problem(field, "has perTryTimeout or retryOn without attempts, which Istio refuses: set attempts to 1 or more, or remove "+
			"the two")
	}
	if r.RetryOn == "" {
		return
	}
	for word := range strings.SplitSeq(r.RetryOn, ",") {
		_, known := retryWords[word]
		if _, code := statusCode(word); !known && !code {
			d.problem(field+".retryOn", "has %q, which Istio does not accept; accepted, joined by commas without blanks: "+
				"numbers of HTTP statuses such as 503, %s",
				word, strings.Join(slices.Sorted(maps.Keys(retryWords)), ", "))
		}
	}
}

func (d *document) checkFault(field string, f *networking.HTTPFaultInjection) {
	if f == nil {
		return
	}
	if f.Delay == nil && f.Abort == nil {
		d.problem(field, "must have delay or abort")
	}
	if f.Delay != nil {
		if f.Delay.GetFixedDelay() == nil {
			d.problem(field+".delay", "must have fixedDelay")
		}
		d.checkPercentage(field+".delay.percentage.value", f.Delay.Percentage)
		//lint:ignore SA1019 Istio still executes the old field
		if percent := f.Delay.GetPercent(); percent < 0 || percent > 100 {
			d.problem(field+".delay.percent", "must be from 0 to 100, not %d", percent)
		}
	}
	if f.Abort != nil {
		d.checkStatus(field+".abort.httpStatus", uint32(f.Abort.GetHttpStatus()))
		d.checkPercentage(field+".abort.percentage.value", f.Abort.Percentage)
	}
}

func (d *document) checkPercentage(field string, p *networking.Percent) {
	if value := p.GetValue(); value < 0 || value > 100 {
		d.problem(field, "must be from 0 to 100, not %v", value)
	}
}

func (d *document) checkStatus(field string, status uint32) {
	if status < 200 || status > 599 {
		d.problem(field, "must be an HTTP status from 200 to 599, not %d", int32(status))
	}
}

func (d *document) checkMatch(field string, m *networking.HTTPMatchRequest) {
	d.checkText(field+".uri", m.Uri)
	d.checkText(field+".method", m.Method)
	d.checkText(field+".authority", m.Authority)
	d.checkGatewayNames(field+".gateways", m.Gateways)
	if m.Port != 0 {
		d.checkPort(field+".port", int(m.Port))
	}
	if m.SourceNamespace != "" {
		d.checkLabel(field+".sourceNamespace", m.SourceNamespace)
	}
	d.checkLabels(field+".sourceLabels", m.SourceLabels)
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		d.checkHeaderName(field+".headers."+name, name)
		d.checkText(field+".headers."+name, m.Headers[name])
		d.checkProxyHeader(field+".headers."+name, name, m.Headers[name])
	}
	for _, name := range slices.Sorted(maps.Keys(m.WithoutHeaders)) {
		d.checkHeaderName(field+".withoutHeaders."+name, name)
		if m.WithoutHeaders[name].GetRegex() != "*" { // Istio's other spelling of "absent"
			d.checkText(field+".withoutHeaders."+name, m.WithoutHeaders[name])
		}
		d.checkProxyHeader(field+".withoutHeaders."+name, name, m.WithoutHeaders[name])
	}
	for _, name := range slices.Sorted(maps.Keys(m.QueryParams)) {
		d.checkText(field+".queryParams."+name, m.QueryParams[name])
	}
}

// checkHeaderName refuses a text that cannot be a header's name, and the names of parts of a request that are not headers.
func (d *document) checkHeaderName(field, name string) {
	d.checkHeaderWord(field, name)
	switch strings.ToLower(name) {
	case "host", "uri", "method", "authority", "scheme":
		d.problem(field, "is not accepted as the name of a header: use the fields uri, method and authority of the match entry")
	}
}

// checkHeaderWord refuses a text that cannot be a header's name. Envoy passes names with "_" on, as Istio sets it up.
func (d *document) checkHeaderWord(field, name string) {
	for _, wrong := range validation.IsHTTPHeaderName(strings.ReplaceAll(name, "_", "-")) {
		d.problem(field, "%q is not a valid name of a header: %s", name, wrong)
	}
}

func (d *document) checkText(field string, m *networking.StringMatch) {
	switch kind := m.GetMatchType().(type) {
	case *networking.StringMatch_Prefix:
		if kind.Prefix == "" {
			d.problem(field+".prefix", "must not be empty")
		}
	case *networking.StringMatch_Regex:
		d.checkRegex(field+".regex", kind.Regex)
	}
}

// checkRegex refuses an expression that Istio refuses. It returns the compiled expression, or nil.
func (d *document) checkRegex(field, regex string) *regexp.Regexp {
	compiled, err := regexp.Compile(regex)
	switch {
	case regex == "":
		d.problem(field, "must not be empty")
	case len(regex) > maxRegex:
		d.problem(field, "must be at most %d bytes long, not %d", maxRegex, len(regex))
	case err != nil:
		d.problem(field, "must be a regular expression in RE2 syntax: %v", err)
	default:
		return compiled
	}
	return nil
}
