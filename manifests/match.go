package manifests

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// match is one entry of a rule's match list. A request must meet all its conditions.
type match struct {
	uri, method, authority *text
	headers, without       []named
	query                  []named
	gateways               []string // empty means those of the VirtualService
	port                   int      // of the request at the caller's proxy; 0 is any
	namespace              string   // of the caller's proxy; empty is any
	labels                 []string // of the pods of the caller's proxy: "app=reviews", sorted
}

// named is a condition on a header or a query parameter.
type named struct {
	name string // the name of a header is canonical
	text text
}

// text is a condition on a string; the zero value holds for every string.
type text struct {
	exact, prefix *string
	regex         *regexp.Regexp
	fold          bool // exact and prefix compare without regard to case
	segments      bool // prefix must end where a segment of the path does
}

func (t *text) matches(s string) bool {
	switch {
	case t.exact != nil && t.fold:
		return strings.EqualFold(s, *t.exact)
	case t.exact != nil:
		return s == *t.exact
	case t.prefix != nil && t.fold:
		return len(s) >= len(*t.prefix) && strings.EqualFold(s[:len(*t.prefix)], *t.prefix)
	case t.prefix != nil && t.segments:
		rest, begins := strings.CutPrefix(s, *t.prefix)
		return begins && (rest == "" || rest[0] == '/')
	case t.prefix != nil:
		return strings.HasPrefix(s, *t.prefix)
	case t.regex != nil:
		return t.regex.MatchString(s)
	}
	return true
}

// any reports whether the condition holds for every value, so that only presence counts.
func (t *text) any() bool { return t.exact == nil && t.prefix == nil && t.regex == nil }

// newText compiles a condition; the regular expression must match the whole string, as Envoy's RE2::FullMatch does.
func newText(m *networking.StringMatch, fold bool) (text, error) {
	t := text{fold: fold}
	switch kind := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		t.exact = &kind.Exact
	case *networking.StringMatch_Prefix:
		t.prefix = &kind.Prefix
	case *networking.StringMatch_Regex:
		if kind.Regex == "*" {
			return t, nil // Istio takes "*" for "present", though it is not a regular expression
		}
		var err error
		t.regex, err = regexp.Compile(`\A(?:` + kind.Regex + `)\z`)
		return t, err
	}
	return t, nil
}

// newMatch compiles one entry of a match list. Its error names the condition whose regular expression cannot be compiled.
func newMatch(m *networking.HTTPMatchRequest, namespace string) (match, error) {
	compiled := match{port: int(m.Port), namespace: m.SourceNamespace, labels: pairs(m.SourceLabels)}
	for _, gateway := range m.Gateways {
		compiled.gateways = append(compiled.gateways, qualifyGateway(gateway, namespace))
	}
	for _, part := range []struct {
		name string
		from *networking.StringMatch
		to   **text
		fold bool
	}{
		{"uri", m.Uri, &compiled.uri, m.IgnoreUriCase},
		{"method", m.Method, &compiled.method, false},
		{"authority", m.Authority, &compiled.authority, false},
	} {
		if part.from == nil {
			continue
		}
		t, err := newText(part.from, part.fold)
		if err != nil {
			return match{}, fmt.Errorf("%s: %w", part.name, err)
		}
		*part.to = &t
	}
	var err error
	if compiled.headers, err = newNamed("headers", m.Headers, http.CanonicalHeaderKey); err != nil {
		return match{}, err
	}
	if compiled.without, err = newNamed("withoutHeaders", m.WithoutHeaders, http.CanonicalHeaderKey); err != nil {
		return match{}, err
	}
	compiled.query, err = newNamed("queryParams", m.QueryParams, func(name string) string { return name })
	return compiled, err
}

// segments makes a prefix of the path one of whole segments, as Gateway API has it: "/a" is a prefix of "/a/b" and not of "/ab".
func (m *match) segments(are bool) {
	if are && m.uri != nil && m.uri.prefix != nil && *m.uri.prefix != "/" {
		m.uri.segments = true
	}
}

func newNamed(field string, conditions map[string]*networking.StringMatch, canonical func(string) string) ([]named, error) {
	var compiled []named
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		t, err := newText(conditions[name], false)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", field, name, err)
		}
		compiled = append(compiled, named{canonical(name), t})
	}
	return compiled, nil
}

// view is a request with its path and query apart, which every rule looks at.
type view struct {
	*Request
	path, query string // both from Request.Path
	gateway     bool   // whether a gateway looks at the request, and not a sidecar
	tls         bool   // whether the request reached its proxy over TLS
}

func newView(q *Request) view {
	v := view{Request: q}
	v.path, v.query, _ = strings.Cut(q.Path, "?")
	return v
}

// header is the value of a header as Envoy sees it: several values are joined by commas, and some are the proxy's own.
func (v *view) header(canonical string) (value string, present bool) {
	values := v.Header[canonical]
	if value, ok := v.byProxy(canonical, values); ok {
		return value, true
	}
	if len(values) == 1 {
		return values[0], true
	}
	return strings.Join(values, ","), len(values) > 0
}

// parameter is the first value of a query parameter as the request has it, not unescaped.
func (v *view) parameter(name string) (value string, present bool) {
	for query := v.query; query != ""; {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if key == name {
			return value, true
		}
	}
	return "", false
}

// catchAll reports whether Istio takes the entry for one that holds for every request (its function IsCatchAllRoute): the entry
// has no condition except a uri with prefix "/" or regex ".*".
func (m *match) catchAll() bool {
	if m.method != nil || m.authority != nil || len(m.headers)+len(m.without)+len(m.query) > 0 {
		return false
	}
	return m.uri == nil || m.uri.prefix != nil && *m.uri.prefix == "/" || m.uri.regex != nil && m.uri.regex.String() == `\A(?:.*)\z`
}

func (m *match) matches(v *view) bool {
	if m.method != nil && !m.method.matches(v.Method) ||
		m.authority != nil && !m.authority.matches(v.Host) ||
		m.uri != nil && !m.uri.matches(v.path) {
		return false
	}
	for i := range m.headers {
		if value, present := v.header(m.headers[i].name); !present || !m.headers[i].text.matches(value) {
			return false
		}
	}
	for i := range m.without {
		// A missing header counts as an empty one here, unless the condition is on presence alone.
		value, present := v.header(m.without[i].name)
		if t := &m.without[i].text; (present || !t.any()) && t.matches(value) {
			return false
		}
	}
	for i := range m.query {
		if value, present := v.parameter(m.query[i].name); !present || !m.query[i].text.matches(value) {
			return false
		}
	}
	return true
}
