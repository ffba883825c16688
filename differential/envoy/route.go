package envoy

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	fault "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	types "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

// notFound is Envoy's answer where no virtual host or no route of it matches: 404 with the flag NR.
const notFound = "404"

// routed is what a request meets at an HTTP connection manager.
func (p *Proxy) routed(manager *hcm.HttpConnectionManager, q *Request) (*Outcome, error) {
	config := manager.GetRouteConfig()
	if config == nil {
		config = p.Routes[manager.GetRds().GetRouteConfigName()]
	}
	if config == nil {
		return nil, fmt.Errorf("there is no route configuration %s", manager.GetRds().GetRouteConfigName())
	}
	if refused := parsed(q); refused != nil {
		return refused, nil
	}
	seen := mutated(q, manager)
	host := virtualHost(config, seen.Host)
	if host == nil || strings.Join(seen.Header["X-Forwarded-Proto"], "") == "" { // getRouteFromEntries of config_impl.cc
		return &Outcome{Answer: notFound}, nil
	}
	for _, r := range host.Routes {
		matches, err := routeMatches(r.Match, seen)
		if err != nil {
			return nil, err
		}
		if matches {
			return p.outcome(r, seen)
		}
	}
	return &Outcome{Answer: notFound}, nil
}

// mutated is a request as the router sees it, which Envoy's ConnectionManagerUtility::mutateRequestHeaders changes before: it has always
// x-forwarded-proto and x-request-id. A proxy at the edge does not believe what clients say there, and adds its client's address to
// x-forwarded-for.
func mutated(q *Request, manager *hcm.HttpConnectionManager) *Request {
	seen := *q
	seen.Header = q.Header.Clone()
	edge := manager.UseRemoteAddress.GetValue()
	if edge || len(seen.Header["X-Forwarded-Proto"]) == 0 {
		seen.Header.Set("X-Forwarded-Proto", "http")
	}
	if edge && !manager.SkipXffAppend {
		seen.Header["X-Forwarded-For"] = append(seen.Header["X-Forwarded-For"], "198.51.100.7")
	}
	if manager.GenerateRequestId == nil || manager.GenerateRequestId.Value {
		if edge && !manager.PreserveExternalRequestId || seen.Header.Get("X-Request-Id") == "" {
			seen.Header.Set("X-Request-Id", "00000000-0000-4000-8000-000000000000")
		}
	}
	return &seen
}

// virtualHost finds the virtual host of a Host header, as Envoy's RouteMatcher::findVirtualHost does: an exact domain, or else the longest
// "*suffix", or else the longest "prefix*", or else "*". At least one character must stand for a star.
func virtualHost(config *route.RouteConfiguration, host string) *route.VirtualHost {
	host = strings.ToLower(host)
	if config.IgnorePortInHostMatching {
		if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.Contains(host[i:], "]") {
			host = host[:i]
		}
	}
	var found *route.VirtualHost
	best := 0
	for _, v := range config.VirtualHosts {
		for _, domain := range v.Domains {
			if rank := rankOf(strings.ToLower(domain), host); rank > best {
				found, best = v, rank
			}
		}
	}
	return found
}

// rankOf is how exactly a domain covers a host; 0 where it does not.
func rankOf(domain, host string) int {
	const exact, suffix, prefix = 3_000_000, 2_000_000, 1_000_000
	switch rest, star := strings.CutPrefix(domain, "*"); {
	case domain == host:
		return exact
	case domain == "*":
		return 1
	case star && len(host) > len(rest) && strings.HasSuffix(host, rest):
		return suffix + len(domain)
	case strings.HasSuffix(domain, "*") && len(host) >= len(domain) && strings.HasPrefix(host, domain[:len(domain)-1]):
		return prefix + len(domain)
	}
	return 0
}

// outcome is what becomes of a request that meets a route.
func (p *Proxy) outcome(r *route.Route, q *Request) (*Outcome, error) {
	switch action := r.Action.(type) {
	case *route.Route_Redirect:
		to, err := location(r, action.Redirect, q)
		if err != nil {
			return nil, err
		}
		return answered(r, fmt.Sprintf("redirect %d %s", redirectStatus(action.Redirect.ResponseCode), to))
	case *route.Route_DirectResponse:
		to := action.DirectResponse
		return answered(r, fmt.Sprintf("direct %d %s", to.Status, to.GetBody().GetInlineString()))
	case *route.Route_Route:
		return p.forwarded(r, action.Route, q)
	}
	return nil, fmt.Errorf("route %s has an action %T", r.Name, r.Action)
}

// answered is an answer of the proxy itself, with the headers that SomeAnswer has after the changes of the route.
func answered(r *route.Route, answer string) (*Outcome, error) {
	h, err := changed(SomeAnswer, r.ResponseHeadersToAdd, r.ResponseHeadersToRemove)
	return &Outcome{Answer: answer + " " + HeaderWords(h)}, err
}

func redirectStatus(code route.RedirectAction_RedirectResponseCode) int {
	return map[route.RedirectAction_RedirectResponseCode]int{route.RedirectAction_MOVED_PERMANENTLY: 301, route.RedirectAction_FOUND: 302,
		route.RedirectAction_SEE_OTHER: 303, route.RedirectAction_TEMPORARY_REDIRECT: 307, route.RedirectAction_PERMANENT_REDIRECT: 308}[code]
}

// forwarded is what becomes of a request that a route sends to a cluster.
func (p *Proxy) forwarded(r *route.Route, action *route.RouteAction, q *Request) (*Outcome, error) {
	o := &Outcome{Retry: retryWords(action.RetryPolicy, action.Timeout.AsDuration())}
	if t := action.Timeout.AsDuration(); t > 0 {
		o.Timeout = t.String()
	}
	var err error
	if o.Fault, err = faultWords(r); err != nil {
		return nil, err
	}
	path, err := rewritten(r.Match, action, q)
	if err != nil {
		return nil, err
	}
	add := func(name string, share float64, own *route.WeightedCluster_ClusterWeight) error {
		to, err := p.destination(name, q)
		if err != nil {
			return err
		}
		if to == "NC" && action.ClusterNotFoundResponseCode == route.RouteAction_INTERNAL_SERVER_ERROR {
			to += " 500"
		}
		host := cmp.Or(action.GetHostRewriteLiteral(), own.GetHostRewriteLiteral(), q.Host)
		secure, err := p.secure(name, host)
		if err != nil {
			return err
		}
		request, err := headersOf(q.Header, own.GetRequestHeadersToAdd(), own.GetRequestHeadersToRemove(), r.RequestHeadersToAdd, r.RequestHeadersToRemove)
		if err != nil {
			return err
		}
		answer, err := headersOf(SomeAnswer, own.GetResponseHeadersToAdd(), own.GetResponseHeadersToRemove(), r.ResponseHeadersToAdd, r.ResponseHeadersToRemove)
		o.To = append(o.To, Share{share, Sent(to+secure, host, path, request, answer)})
		return err
	}
	for _, m := range action.RequestMirrorPolicies {
		to, err := p.destination(m.Cluster, q)
		if err != nil {
			return nil, err
		}
		if !m.DisableShadowHostSuffixAppend {
			to += " as shadow"
		}
		o.Mirrors = append(o.Mirrors, Share{share(m.RuntimeFraction.GetDefaultValue()), to})
	}
	if action.GetCluster() != "" {
		return o, add(action.GetCluster(), 1, nil)
	}
	sum := 0.0
	for _, c := range action.GetWeightedClusters().GetClusters() {
		sum += float64(c.Weight.GetValue())
	}
	for _, c := range action.GetWeightedClusters().GetClusters() {
		if err := add(c.Name, float64(c.Weight.GetValue())/sum, c); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// headersOf are headers after the changes of a weighted cluster, and then of its route.
func headersOf(h http.Header, own []*core.HeaderValueOption, ownRemoved []string, ofRoute []*core.HeaderValueOption, ofRouteRemoved []string) (http.Header, error) {
	h, err := changed(h, own, ownRemoved)
	if err != nil {
		return nil, err
	}
	return changed(h, ofRoute, ofRouteRemoved)
}

// rewritten is the path that a route sends, with its query (Envoy's finalizePathHeader).
func rewritten(m *route.RouteMatch, action *route.RouteAction, q *Request) (string, error) {
	path, _, _ := strings.Cut(q.Path, "?")
	query := q.Path[len(path):]
	switch {
	case action.PrefixRewrite != "":
		return action.PrefixRewrite + path[len(matchedPath(m, path)):] + query, nil
	case action.RegexRewrite != nil:
		sent, err := substituted(path, action.RegexRewrite.Pattern.Regex, action.RegexRewrite.Substitution)
		if err != nil {
			return "", err
		}
		path = sent
	}
	return path + query, nil
}

// faultWords is the fault that a route injects.
func faultWords(r *route.Route) (string, error) {
	config := r.TypedPerFilterConfig["envoy.filters.http.fault"]
	if config == nil {
		return "", nil
	}
	f := new(fault.HTTPFault)
	if err := config.UnmarshalTo(f); err != nil {
		return "", err
	}
	return FaultWords(f.GetDelay().GetFixedDelay().AsDuration(), share(f.GetDelay().GetPercentage()), int(f.GetAbort().GetHttpStatus()),
		share(f.GetAbort().GetPercentage())), nil
}

func share(p *types.FractionalPercent) float64 {
	of := map[types.FractionalPercent_DenominatorType]float64{types.FractionalPercent_HUNDRED: 100, types.FractionalPercent_TEN_THOUSAND: 10_000,
		types.FractionalPercent_MILLION: 1_000_000}
	return float64(p.GetNumerator()) / of[p.GetDenominator()]
}
