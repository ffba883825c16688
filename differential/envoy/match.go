package envoy

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// routeMatches reports whether a request has all that a route's match asks for.
func routeMatches(m *route.RouteMatch, q *Request) (bool, error) {
	path, query, _ := strings.Cut(q.Path, "?")
	matches, err := pathMatches(m, path)
	for _, h := range m.Headers {
		if err != nil || !matches {
			return false, err
		}
		matches, err = headerMatches(h, q)
	}
	for _, parameter := range m.QueryParameters {
		if err != nil || !matches {
			return false, err
		}
		value, present := parameterOf(query, parameter.Name)
		if matches = present; present && parameter.GetStringMatch() != nil {
			matches, err = textMatches(parameter.GetStringMatch(), value)
		}
	}
	if len(m.DynamicMetadata) > 0 || m.Grpc != nil || m.RuntimeFraction != nil {
		return false, fmt.Errorf("a match asks for what this package does not read: %v", m)
	}
	return matches, err
}

func pathMatches(m *route.RouteMatch, path string) (bool, error) {
	fold := func(s string) string { return s }
	if m.CaseSensitive != nil && !m.CaseSensitive.Value {
		fold = strings.ToLower
	}
	switch by := m.PathSpecifier.(type) {
	case *route.RouteMatch_Prefix:
		return strings.HasPrefix(fold(path), fold(by.Prefix)), nil
	case *route.RouteMatch_PathSeparatedPrefix:
		rest, begins := strings.CutPrefix(fold(path), fold(by.PathSeparatedPrefix))
		return begins && (rest == "" || rest[0] == '/'), nil
	case *route.RouteMatch_Path:
		return fold(path) == fold(by.Path), nil
	case *route.RouteMatch_SafeRegex:
		return fullMatch(by.SafeRegex.Regex, path)
	}
	return false, fmt.Errorf("a match of a path by %T", m.PathSpecifier)
}

// headerMatches follows Envoy's HeaderUtility::matchHeaders: several values are joined by commas, and a header that is absent does not
// match, whether the match is inverted or not, unless it is to be treated as an empty one.
func headerMatches(h *route.HeaderMatcher, q *Request) (bool, error) {
	value, present := headerOf(q, h.Name)
	if by, ok := h.HeaderMatchSpecifier.(*route.HeaderMatcher_PresentMatch); ok {
		return (present == by.PresentMatch) != h.InvertMatch, nil
	}
	if !present && !h.TreatMissingHeaderAsEmpty {
		return false, nil
	}
	by, ok := h.HeaderMatchSpecifier.(*route.HeaderMatcher_StringMatch)
	if !ok {
		return false, fmt.Errorf("a match of header %s by %T", h.Name, h.HeaderMatchSpecifier)
	}
	matches, err := textMatches(by.StringMatch, value)
	return matches != h.InvertMatch, err
}

func headerOf(q *Request, name string) (value string, present bool) {
	switch name {
	case ":method":
		return q.Method, true
	case ":authority":
		return q.Host, true
	case ":scheme":
		return "http", true
	}
	values := q.Header[http.CanonicalHeaderKey(name)]
	return strings.Join(values, ","), len(values) > 0
}

func parameterOf(query, name string) (value string, present bool) {
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key == name && pair != "" {
			return value, true
		}
	}
	return "", false
}

func textMatches(m *matcher.StringMatcher, s string) (bool, error) {
	switch by := m.MatchPattern.(type) {
	case *matcher.StringMatcher_Exact:
		return s == by.Exact, nil
	case *matcher.StringMatcher_Prefix:
		return strings.HasPrefix(s, by.Prefix), nil
	case *matcher.StringMatcher_SafeRegex:
		return fullMatch(by.SafeRegex.Regex, s)
	}
	return false, fmt.Errorf("a match of a text by %T", m.MatchPattern)
}

func fullMatch(expression, s string) (bool, error) {
	compiled, err := regexp.Compile(`^(?:` + expression + `)$`)
	if err != nil {
		return false, err
	}
	found := compiled.FindStringIndex(s)
	compiled.Longest()
	if longest := compiled.FindStringIndex(s); longest != nil {
		found = longest
	}
	return found != nil && found[0] == 0 && found[1] == len(s), nil
}
