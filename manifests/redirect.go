package manifests

import (
	"cmp"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// newRedirect is a redirect. Its port is found where the port of the request is known.
func newRedirect(h *networking.HTTPRedirect) *Redirect {
	to := &Redirect{Status: int(h.RedirectCode), Scheme: h.Scheme, URI: h.Uri, Authority: h.Authority, Port: int(h.GetPort())}
	if to.Status == 0 {
		to.Status = 301
	}
	if _, derived := h.RedirectPort.(*networking.HTTPRedirect_DerivePort); derived {
		to.requestPort = h.GetDerivePort() == networking.HTTPRedirect_FROM_REQUEST_PORT
	}
	if h.PrefixRewrite != "" {
		to.Prefix = &Rewrite{URI: h.PrefixRewrite}
	}
	return to
}

// checkRedirect refuses what Istio's validateHTTPRedirect refuses, and codes that are none of a redirect.
func (d *document) checkRedirect(field string, to *networking.HTTPRedirect, matches []*networking.HTTPMatchRequest) {
	if to.Uri == "" && to.PrefixRewrite == "" && to.Authority == "" && to.RedirectPort == nil && to.Scheme == "" {
		d.problem(field, "must have uri, prefixRewrite, authority, scheme, port or derivePort")
	}
	if to.Uri != "" && to.PrefixRewrite != "" {
		d.problem(field+".prefixRewrite", "must not stand beside uri, which replaces the whole path")
	}
	for i, m := range matches {
		if _, prefix := m.GetUri().GetMatchType().(*networking.StringMatch_Prefix); to.PrefixRewrite != "" && m.GetUri() != nil && !prefix {
			d.problem(field+".prefixRewrite", "needs a prefix to replace, and match[%d] has a uri that is none: Istio refuses it", i)
		}
	}
	if to.Scheme != "" && to.Scheme != "http" && to.Scheme != "https" {
		d.problem(field+".scheme", "must be http or https, not %q", to.Scheme)
	}
	if port := to.GetPort(); port != 0 {
		d.checkPort(field+".port", int(port))
	}
	if derived, ok := to.RedirectPort.(*networking.HTTPRedirect_DerivePort); ok {
		d.checkValue(field+".derivePort", derived.DerivePort)
	}
	switch to.RedirectCode {
	case 0, 301, 302, 303, 307, 308:
	default:
		d.problem(field+".redirectCode", "must be 301, 302, 303, 307 or 308, not %d", to.RedirectCode)
	}
}

// at is a redirect for requests that come to a listener. The port of its scheme is not written (ApplyRedirect in Istio's route.go).
func (to *Redirect) at(at listener) *Redirect {
	if to == nil {
		return nil
	}
	bound := *to
	bound.Prefix = copyOf(to.Prefix)
	if to.requestPort {
		bound.Port = at.port
	}
	if isPortOf(cmp.Or(to.Scheme, schemeOf(at.tls)), bound.Port) {
		bound.Port = 0
	}
	return &bound
}

// isPortOf reports whether a port is that which a scheme has without one.
func isPortOf(scheme string, port int) bool {
	return scheme == "http" && port == usualPort || scheme == "https" && port == securePort
}

// Location is where a request is sent that came by a scheme, for a host as its Host header has it, and that is to ask for uri. forwarded is what its
// x-forwarded-proto says, which is the scheme where it has none. The port of the request goes where another one is named, or where it is that of
// forwarded and the redirect names another scheme (processRequestHost in Envoy's source/common/http/utility.cc, which asks that header alone: a
// request that came by http and says "A" keeps port 80).
func (to *Redirect) Location(scheme, forwarded, host, uri string) string {
	asked := scheme
	if to.Scheme != "" {
		asked = to.Scheme
	}
	port := ""
	if to.Port != 0 {
		port = ":" + strconv.Itoa(to.Port)
	}
	if to.Authority != "" {
		host = to.Authority
	} else if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		number, _ := strconv.Atoi(host[i+1:])
		if port != "" || !to.keepsPort && asked != forwarded && isPortOf(forwarded, number) {
			host = host[:i]
		}
	}
	return asked + "://" + host + port + uri
}
