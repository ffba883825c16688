package derive

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// other is a value, and a segment of a path, that no rule asks for on purpose.
const other = "hellochaos"

// request is a request that is being made.
type request struct {
	place
	method, path string
	query        []string // "name=value"
	header       http.Header
}

// target is the path with its query.
func (r *request) target() string {
	if len(r.query) == 0 {
		return r.path
	}
	return r.path + "?" + strings.Join(r.query, "&")
}

func (r *request) request() *manifests.Request {
	return &manifests.Request{Host: r.host, Method: r.method, Path: manifests.NormalPath(r.target()), Header: r.header}
}

// cohort is the request as a cohort. Its name says all that it asks for: "reviews /v2 end-user: jason, by gateway shop", and "shop:443"
// where it has TLS, or the Gateway several ports.
func (r *request) cohort(rules *manifests.Rules) scenarios.Cohort {
	name := r.host
	if r.method != http.MethodGet {
		name = r.method + " " + name
	}
	if target := r.target(); target != "/" {
		name += " " + target
	}
	for _, key := range slices.Sorted(maps.Keys(r.header)) {
		name += fmt.Sprintf(" %s: %s", strings.ToLower(key), r.header.Get(key))
	}
	namespace, _, _ := strings.Cut(cmp.Or(r.entry.Caller, r.entry.Gateway), "/")
	_, _, deployment := r.entry.Pods()
	switch {
	case r.entry.Gateway != "":
		name += ", by gateway " + strings.TrimPrefix(r.entry.Gateway, manifests.Namespace+"/")
		if g := rules.Gateways[r.entry.Gateway]; g != nil && (len(g.Ports()) > 1 || rules.Secure(manifests.Caller{Gateway: r.entry.Gateway, Port: r.entry.Port})) {
			name += fmt.Sprintf(":%d", r.entry.Port)
		}
	case deployment != "" && namespace != manifests.Namespace:
		name += ", from pods of " + deployment + " in namespace " + namespace
	case deployment != "":
		name += ", from pods of " + deployment
	case namespace != manifests.Namespace:
		name += ", from namespace " + namespace
	}
	return scenarios.Cohort{Name: name, Entry: r.entry, Method: r.method, Host: r.host, Path: manifests.NormalPath(r.target()), Header: r.header}
}

// clone is a copy that may be changed.
func (r *request) clone() request {
	c := *r
	c.query, c.header = slices.Clone(r.query), r.header.Clone()
	return c
}

// candidates are requests that meet a match, at least one, the plainest first: each has another path, method or value as far as the match
// leaves that open.
func candidates(at place, asked *manifests.Asked) (all []request) {
	for variant := range 2 {
		header, query := http.Header{}, []string(nil)
		for _, h := range asked.Headers {
			header.Set(h.Name, pick(examples(&h.Text), variant))
		}
		for _, h := range asked.Without {
			if variant > 0 || h.Text.Exact != nil && *h.Text.Exact == "" { // a missing header counts as an empty one
				if !present(&h.Text) {
					header.Set(h.Name, other)
				}
			}
		}
		for _, q := range asked.Query {
			query = append(query, q.Name+"="+pick(examples(&q.Text), variant))
		}
		for _, method := range methods(asked.Method) {
			for _, path := range paths(asked.Path) {
				all = append(all, request{place: at, method: method, path: path, query: query, header: header})
			}
		}
	}
	return all
}

// authorities are hosts for a place, of which one may meet a condition on the authority: the place's own first, and those that the
// condition asks for, also with the domain of the place.
func authorities(at place, t *manifests.Text) []string {
	all := []string{at.host}
	if t == nil || present(t) {
		return all
	}
	_, domain, _ := strings.Cut(at.host, ".")
	for _, host := range examples(t) {
		all = append(all, host, strings.TrimSuffix(host, ".")+"."+domain)
	}
	return all
}

// present reports whether a condition is on presence alone.
func present(t *manifests.Text) bool { return t.Exact == nil && t.Prefix == nil && t.Regex == nil }

// pick is the value of a variant, or the last one where there are fewer.
func pick(values []string, variant int) string { return values[min(variant, len(values)-1)] }

// methods are those that a match takes.
func methods(t *manifests.Text) []string {
	if t == nil || present(t) {
		return []string{http.MethodGet, http.MethodPost, http.MethodPut}
	}
	return examples(t)
}

// paths are some that a match takes. They begin with "/", since every path does: a match that asks for another one is met by none.
func paths(t *manifests.Text) (all []string) {
	if t == nil || present(t) {
		return []string{"/", "/" + other}
	}
	for _, path := range examples(t) {
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		all = append(all, strings.ReplaceAll(path, " ", "%20"))
	}
	return all
}

// examples are strings that meet a condition, the plainest first; at least one.
func examples(t *manifests.Text) []string {
	switch {
	case t.Exact != nil:
		return []string{*t.Exact}
	case t.Prefix != nil && strings.HasSuffix(*t.Prefix, "/"):
		return []string{*t.Prefix, *t.Prefix + other}
	case t.Segments:
		return []string{*t.Prefix, *t.Prefix + "/", *t.Prefix + "/" + other}
	case t.Prefix != nil:
		return []string{*t.Prefix, *t.Prefix + "/" + other, *t.Prefix + other}
	case t.Regex != nil:
		return matching(*t.Regex)
	}
	return []string{other}
}
