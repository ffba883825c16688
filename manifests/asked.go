package manifests

import (
	"fmt"
	"slices"
	"strings"
)

// Asked is what a match of an http entry asks of a request: all of its conditions must hold.
type Asked struct {
	// Path, Method and Authority are nil where the match does not look at them. The path is without its query.
	Path, Method, Authority *Text
	Headers, Query          []NamedText
	// Without are headers that must be absent, or, where the text has a condition, must not be so.
	Without []NamedText
	// Port is that to which the request is, 0 for any. Namespace is that of the caller, empty for any.
	Port      int
	Namespace string
	// Labels are those of the caller's pods. Where there are Gateways, Istio looks neither at them nor at Namespace.
	Labels map[string]string
	// Gateways are those for which the match is; empty: those of its VirtualService.
	Gateways []string
}

// Text is a condition on a string: exactly one of Exact, Prefix and Regex is set, or none where every string will do.
type Text struct {
	Exact, Prefix *string
	// Regex must match the whole string. It is the expression as the file has it.
	Regex *string
	// Fold: exact and prefix compare without regard to case.
	Fold bool
	// Segments: the prefix must end where a segment of the path does.
	Segments bool
}

// NamedText is a condition on a header, by its canonical name, or on a query parameter.
type NamedText struct {
	Name string
	Text Text
}

// Asked are the matches of the entry, in their order; none where every request meets it.
func (e *HTTPEntry) Asked() (all []Asked) {
	for i := range e.owner.routes[e.index].matches {
		one := e.owner.routes[e.index].matches[i].asked()
		if a := e.owner.attached; a != nil && a.mesh() {
			one.Port = a.onlyPort()
		}
		all = append(all, one)
	}
	return all
}

func (m *match) asked() Asked {
	return Asked{Path: m.uri.exported(), Method: m.method.exported(), Authority: m.authority.exported(), Headers: exported(m.headers),
		Query: exported(m.query), Without: exported(m.without), Port: m.port, Namespace: m.namespace, Labels: labelsOf(m.labels), Gateways: m.gateways}
}

// exported is a condition as others see it; nil where there is none.
func (t *text) exported() *Text {
	if t == nil {
		return nil
	}
	all := &Text{Exact: t.exact, Prefix: t.prefix, Fold: t.fold, Segments: t.segments}
	if t.regex != nil {
		regex := strings.TrimSuffix(strings.TrimPrefix(t.regex.String(), `\A(?:`), `)\z`)
		all.Regex = &regex
	}
	return all
}

func exported(conditions []named) (all []NamedText) {
	for i := range conditions {
		all = append(all, NamedText{conditions[i].name, *conditions[i].text.exported()})
	}
	return all
}

// words are what the match list of an entry asks for, as a table shows it: "end-user: jason", "POST /orders… or x-beta". It is empty
// where every request meets the entry.
func (h *httpRoute) words() string {
	var all []string
	for i := range h.matches {
		one := h.matches[i].asked()
		if text := one.String(); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	if slices.Contains(all, "") {
		return ""
	}
	return strings.Join(all, " or ")
}

// String is what the match asks for: "POST /orders… end-user: jason". It is empty where every request meets it.
func (a *Asked) String() string {
	var all []string
	add := func(format string, t *Text) {
		if t != nil {
			all = append(all, fmt.Sprintf(format, t))
		}
	}
	add("%s", a.Method)
	add("host %s", a.Authority)
	if a.Path != nil && (a.Path.Prefix == nil || *a.Path.Prefix != "/") {
		add("%s", a.Path)
	}
	for i := range a.Query {
		all = append(all, "?"+a.Query[i].join("="))
	}
	for i := range a.Headers {
		all = append(all, a.Headers[i].join(": "))
	}
	for i := range a.Without {
		all = append(all, "no "+a.Without[i].join(": "))
	}
	if a.Port != 0 {
		all = append(all, fmt.Sprintf("port %d", a.Port))
	}
	if a.Namespace != "" {
		all = append(all, "from "+a.Namespace)
	}
	if len(a.Labels) > 0 && len(a.Gateways) == 0 {
		all = append(all, "from pods with "+strings.Join(pairs(a.Labels), ","))
	}
	return strings.Join(all, " ")
}

// join is the name, and the condition where there is one.
func (n *NamedText) join(with string) string {
	name := n.Name
	if with == ": " {
		name = strings.ToLower(name)
	}
	if n.Text.any() {
		return name
	}
	return name + with + n.Text.String()
}

func (t *Text) any() bool { return t.Exact == nil && t.Prefix == nil && t.Regex == nil }

// String is the string that is asked for, with … behind a prefix and ~ before a regular expression.
func (t *Text) String() string {
	switch {
	case t.Exact != nil && *t.Exact == "":
		return `""`
	case t.Exact != nil:
		return *t.Exact
	case t.Prefix != nil && t.Segments:
		return *t.Prefix + "/…"
	case t.Prefix != nil:
		return *t.Prefix + "…"
	case t.Regex != nil:
		return "~" + *t.Regex
	}
	return "any"
}
