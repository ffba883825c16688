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

// match is one entry of a rule's match list: all its parts must hold.
type match struct {
	uri, method, authority *text
	headers, without       []named
	query                  []named
	gateways               []string // empty: the VirtualService's own
}

// named is a condition on a header or a query parameter.
type named struct {
	name string // of a header: canonical
	text text
}

// text is a condition on a string; the zero value holds for every string.
type text struct {
	exact, prefix *string
	regex         *regexp.Regexp
	fold          bool // exact and prefix do not look at case
}

func (t *text) matches(s string) bool {
	switch {
	case t.exact != nil && t.fold:
		return strings.EqualFold(s, *t.exact)
	case t.exact != nil:
		return s == *t.exact
	case t.prefix != nil && t.fold:
		return len(s) >= len(*t.prefix) && strings.EqualFold(s[:len(*t.prefix)], *t.prefix)
	case t.prefix != nil:
		return strings.HasPrefix(s, *t.prefix)
	case t.regex != nil:
		return t.regex.MatchString(s)
	}
	return true
}

// any reports whether the condition only asks for presence.
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
			return t, nil // Istio's spelling of presence; it is no regular expression
		}
		var err error
		t.regex, err = regexp.Compile(`\A(?:` + kind.Regex + `)\z`)
		return t, err
	}
	return t, nil
}

// newMatch compiles one entry of a match list. The error names the part.
func newMatch(m *networking.HTTPMatchRequest, namespace string) (match, error) {
	var compiled match
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

// view is a request while rules look at it.
type view struct {
	*Request
	path, query string // of Request.Path
}

// header is the value of a header as Envoy sees it, several values joined by commas.
func (v *view) header(canonical string) (value string, present bool) {
	values := v.Header[canonical]
	if len(values) == 1 {
		return values[0], true
	}
	return strings.Join(values, ","), len(values) > 0
}

// parameter is the first value of a query parameter, as it is written in the request.
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

// catchAll reports whether Istio takes the entry for one that holds for every request (IsCatchAllRoute): it has no
// other condition than a uri with prefix "/" or regex ".*".
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
		// A missing header counts as empty here, but not where presence is asked.
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
