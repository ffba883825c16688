package envoy

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// location is the Location of a redirect's answer (newUri and processRequestHost in Envoy's source/common/http/utility.cc, and
// rewritePathHeader of its config_impl.cc for the part of the path).
func location(r *route.Route, to *route.RedirectAction, q *Request) (string, error) {
	came := q.Header.Get("X-Forwarded-Proto") // which says what the scheme of a plain request is (mutateRequestHeaders)
	forwarded := cmp.Or(came, "http")
	if came != "https" {
		came = "http"
	}
	scheme := came
	switch {
	case to.GetSchemeRedirect() != "":
		scheme = to.GetSchemeRedirect()
	case to.GetHttpsRedirect():
		scheme = "https"
	}
	port := ""
	if to.PortRedirect != 0 {
		port = ":" + strconv.Itoa(int(to.PortRedirect))
	}
	host := to.HostRedirect
	if host == "" {
		host = keptHost(q.Host, forwarded, scheme, port)
	}
	path, err := redirected(r, to, q)
	return scheme + "://" + host + port + path, err
}

// keptHost is the host of a request without its port where that is replaced, or is that of the scheme that its x-forwarded-proto names and the
// redirect names another one. Envoy compares the words of that header, whatever they are.
func keptHost(host, came, scheme, port string) string {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host
	}
	own := host[i:]
	if port != "" || came != scheme && (came == "https" && own == ":443" || came == "http" && own == ":80") {
		return host[:i]
	}
	return host
}

// redirected is the path of a redirect, with its query.
func redirected(r *route.Route, to *route.RedirectAction, q *Request) (string, error) {
	path, query, asked := strings.Cut(q.Path, "?")
	if asked {
		query = "?" + query
	}
	switch by := to.PathRewriteSpecifier.(type) {
	case *route.RedirectAction_PathRedirect:
		if strings.Contains(by.PathRedirect, "?") {
			return by.PathRedirect, nil
		}
		path = cmp.Or(by.PathRedirect, path)
	case *route.RedirectAction_PrefixRewrite:
		if by.PrefixRewrite != "" {
			path = by.PrefixRewrite + path[len(matchedPath(r.Match, path)):]
		}
	case *route.RedirectAction_RegexRewrite:
		sent, err := substituted(path, by.RegexRewrite.Pattern.Regex, by.RegexRewrite.Substitution)
		if err != nil {
			return "", err
		}
		path = sent
	}
	if to.StripQuery {
		return path, nil
	}
	return path + query, nil
}

// matchedPath is the part of a path that a prefix takes the place of.
func matchedPath(m *route.RouteMatch, path string) string {
	switch by := m.PathSpecifier.(type) {
	case *route.RouteMatch_Prefix:
		return by.Prefix
	case *route.RouteMatch_PathSeparatedPrefix:
		return by.PathSeparatedPrefix
	}
	return path
}

// substituted is a path in which each match of an expression is replaced; the path itself where nothing would be left of it.
func substituted(path, regex, substitution string) (string, error) {
	expression, err := regexp.Compile(regex)
	if err != nil {
		return "", err
	}
	group := regexp.MustCompile(`\\([0-9])`)
	if sent := expression.ReplaceAllString(path, group.ReplaceAllString(strings.ReplaceAll(substitution, "$", "$$"), "$${$1}")); sent != "" {
		return sent, nil
	}
	return path, nil
}
