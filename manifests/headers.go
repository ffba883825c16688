package manifests

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/hellochaos/hellochaos/service/trail"
)

// HeaderChange is what a proxy does to the headers of a request or an answer: it removes some, sets others, and then adds others
// (Envoy's HeaderParser::evaluateHeaders). Names are canonical, as in http.Header.
type HeaderChange struct {
	Remove []string
	// Set replaces all values of a header, and Add adds a value to those that it has. Neither does anything with an empty value.
	Set, Add []HeaderValue
}

// HeaderValue is a header and a value of it.
type HeaderValue struct{ Name, Value string }

// HeaderChanges are made one after another.
type HeaderChanges []HeaderChange

// Apply makes the changes in headers.
func (all HeaderChanges) Apply(headers http.Header) {
	for i := range all {
		c := &all[i]
		for _, name := range c.Remove {
			delete(headers, name)
		}
		for _, set := range c.Set {
			headers[set.Name] = []string{set.Value}
		}
		for _, add := range c.Add {
			headers[add.Name] = append(slices.Clip(headers[add.Name]), add.Value)
		}
	}
}

// Changed are headers after the changes. The headers that it gets stay as they are.
func (all HeaderChanges) Changed(headers http.Header) http.Header {
	if len(all) == 0 {
		return headers
	}
	changed := make(http.Header, len(headers)+1)
	maps.Copy(changed, headers)
	all.Apply(changed)
	return changed
}

// operations are the header operations of an http entry or of one of its destinations.
type operations struct {
	request, answer HeaderChange
	authority       string // replaces the host; empty keeps it
}

// newOperations reads operations as Istio's TranslateHeadersOperations does: a host that is set or added becomes the authority, and
// one that is set comes before one that is added.
func newOperations(h *networking.Headers) (o operations) {
	o.request, o.authority = newHeaderChange(h.GetRequest())
	o.answer, _ = newHeaderChange(h.GetResponse())
	return o
}

func newHeaderChange(h *networking.Headers_HeaderOperations) (c HeaderChange, authority string) {
	for _, name := range h.GetRemove() {
		c.Remove = append(c.Remove, http.CanonicalHeaderKey(name))
	}
	values := func(from map[string]string) (all []HeaderValue) {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			switch value := strings.ReplaceAll(from[name], "%%", "%"); {
			case namesHost(name):
				authority = from[name]
			case value != "":
				all = append(all, HeaderValue{http.CanonicalHeaderKey(name), value})
			}
		}
		return all
	}
	c.Add = values(h.GetAdd())
	c.Set = values(h.GetSet())
	return c, authority
}

// namesHost reports whether an operation's name stands for the host of a request.
func namesHost(name string) bool {
	return strings.EqualFold(name, "host") || strings.EqualFold(name, ":authority")
}

// changes are the non-empty ones of some changes, in order.
func changes(all ...HeaderChange) (some HeaderChanges) {
	for _, c := range all {
		if len(c.Remove)+len(c.Set)+len(c.Add) > 0 {
			some = append(some, c)
		}
	}
	return some
}

// together is a change that makes those of a route and of its only destination in one, as Istio's processDestination joins them.
func together(route, destination HeaderChange) HeaderChange {
	return HeaderChange{slices.Concat(route.Remove, destination.Remove), slices.Concat(route.Set, destination.Set), slices.Concat(route.Add, destination.Add)}
}

// change notes what the headers of an http entry and of a destination do to requests to it. Where there are several destinations,
// Envoy makes the changes of the destination before those of the route.
func (d *Destination) change(route, own operations, single bool) {
	d.Authority = own.authority
	if single {
		d.Request, d.Answer = changes(together(route.request, own.request)), changes(together(route.answer, own.answer))
		return
	}
	d.Request, d.Answer = changes(own.request, route.request), changes(own.answer, route.answer)
}

// authorityTwice finds a header operation of an http entry that sets the host beside another one, or beside its rewrite (Istio's
// validateAuthorityRewrite).
func authorityTwice(h *networking.HTTPRoute) (name string, twice bool) {
	set := h.GetRewrite().GetAuthority() != ""
	for _, values := range []map[string]string{h.GetHeaders().GetRequest().GetSet(), h.GetHeaders().GetRequest().GetAdd()} {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if namesHost(name) && set {
				return name, true
			}
			set = set || namesHost(name)
		}
	}
	return "", false
}

// checkHeaders refuses operations that Istio's webhook refuses, and those that this package does not execute.
func (d *document) checkHeaders(field string, h *networking.Headers) {
	d.checkOperations(field+".request", h.GetRequest(), true)
	d.checkOperations(field+".response", h.GetResponse(), false)
}

func (d *document) checkOperations(field string, h *networking.Headers_HeaderOperations, request bool) {
	for i, name := range h.GetRemove() {
		d.checkOperation(fmt.Sprintf("%s.remove[%d]", field, i), name, request, false)
	}
	for _, part := range []struct {
		name   string
		values map[string]string
	}{{"set", h.GetSet()}, {"add", h.GetAdd()}} {
		for _, name := range slices.Sorted(maps.Keys(part.values)) {
			place, value := field+"."+part.name+"."+name, part.values[name]
			d.checkOperation(place, name, request, true)
			if request && namesHost(name) {
				d.checkAuthority(place, value)
				continue
			}
			d.checkHeaderValue(place, value)
		}
	}
}

// checkOperation refuses the name of a header that must not be changed.
func (d *document) checkOperation(field, name string, request, gives bool) {
	if namesHost(name) || strings.HasPrefix(name, ":") {
		if !request || !gives || !namesHost(name) {
			d.problem(field, "%q cannot be changed: Istio accepts host and :authority in request.set and request.add alone", name)
		}
		return
	}
	d.checkHeaderWord(field, name)
	key := strings.ToLower(name)
	switch {
	case connectionHeaders[key]:
		d.problem(field, "%s is not supported by hellochaos: the header belongs to one connection, whose proxies write it themselves", key)
	case strings.HasPrefix(key, "x-hellochaos-") || request && ownHeaders[key]:
		d.problem(field, "%s is not supported by hellochaos: its services obey this header, and nothing could be foreseen of requests in "+
			"which a proxy changes it", key)
	case request && strings.HasPrefix(key, "x-envoy-"):
		d.problem(field, "%s is not supported by hellochaos: Envoy obeys some of these headers, and the embedded mesh does not", key)
	}
}

// connectionHeaders belong to one connection, or say how an answer is framed.
var connectionHeaders = map[string]bool{"connection": true, "keep-alive": true, "proxy-connection": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "expect": true, "content-length": true}

// ownHeaders are those of a request, beside those that begin with "x-hellochaos-", that decide how the services answer.
var ownHeaders = map[string]bool{trail.HeaderFail: true, trail.HeaderHang: true, trail.HeaderCascade: true, "accept": true}

// checkHeaderValue refuses values that cannot be sent, and those in which Envoy puts something in place of a command.
func (d *document) checkHeaderValue(field, value string) {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		d.problem(field, "%q is not a valid value of a header", value)
	}
	if strings.Contains(strings.ReplaceAll(value, "%%", ""), "%") {
		d.problem(field, `%q has a command of Envoy, such as "%%START_TIME%%", which hellochaos does not support; a single %% is written %%%%`, value)
	}
}
