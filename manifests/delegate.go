package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// Dropped is an http entry that no proxy obeys, since its VirtualService and a delegate do not go together. Istio logs that alone.
type Dropped struct {
	// Object, File and Line are those of the entry: that of the delegate, or that which delegates where there is no such delegate.
	Object, File string
	Line         int
	// Why is a clause.
	Why string
}

// Dropped are the http entries that no proxy obeys because of how VirtualServices delegate, in the order of the objects.
func (r *Rules) Dropped() []Dropped { return r.dropped }

func (r *Rules) drop(o *Object, field, why string, values ...any) {
	r.dropped = append(r.dropped, Dropped{Object: o.Name(), File: o.File, Line: o.lines.of(field, o.Line), Why: fmt.Sprintf(why, values...)})
}

// isDelegate reports whether a VirtualService holds only where others delegate to it.
func isDelegate(spec *networking.VirtualService) bool { return len(spec.Hosts) == 0 }

// delegates are the VirtualServices to which others may delegate, by "namespace/name".
func delegates(objects []Object) map[string]*Object {
	all := make(map[string]*Object)
	for i := range objects {
		if spec, ok := objects[i].Istio.(*networking.VirtualService); ok && isDelegate(spec) {
			all[objects[i].namespace()+"/"+objects[i].Meta.Name] = &objects[i]
		}
	}
	return all
}

// entriesOf are the http entries of a VirtualService, with those of its delegates in the place of the entries that delegate, as Istio's
// mergeVirtualServices finds them. A delegate has none of its own. used collects the delegates that are found.
func (r *Rules) entriesOf(o *Object, spec *networking.VirtualService, delegates map[string]*Object, used map[*Object]bool) (all []written) {
	if isDelegate(spec) {
		return nil
	}
	for i, h := range spec.Http {
		entry := written{http: h, from: o, index: i}
		if h.Delegate == nil {
			all = append(all, entry)
			continue
		}
		field := fmt.Sprintf("spec.http[%d].delegate", i)
		name := h.Delegate.Namespace + "/" + h.Delegate.Name
		if h.Delegate.Namespace == "" {
			name = o.namespace() + name
		}
		to := delegates[name]
		switch {
		case to == nil:
			r.drop(o, field, "there is no VirtualService %s without hosts, to which the rule could delegate", name)
			continue
		case exports(to) != nil && !slices.Contains(exports(to), o.namespace()):
			used[to] = true
			r.drop(o, field, `the delegate %s is hidden from namespace %s by its exportTo %q`, to.place(), o.namespace(), exportedBy(to))
			continue
		}
		used[to] = true
		all = append(all, r.merged(&entry, to)...)
	}
	return all
}

// dropUnused drops the delegates to which nobody delegates.
func (r *Rules) dropUnused(objects []Object, delegates map[string]*Object, used map[*Object]bool) {
	for i := range objects {
		o := &objects[i]
		if delegates[o.namespace()+"/"+o.Meta.Name] == o && !used[o] {
			r.drop(o, "spec", "the VirtualService has no hosts, so that it holds only where another one delegates to it, and none does")
		}
	}
}

// merged are the entries of a delegate, each merged with the entry that delegates to them (Istio's MergeHTTPRoutes).
func (r *Rules) merged(root *written, to *Object) (all []written) {
	outer := qualified(root.http, root.from.namespace())
	for i, h := range to.Istio.(*networking.VirtualService).Http {
		inner := qualified(h, to.namespace())
		matches, why := mergeMatches(outer.Match, inner.Match)
		if why != "" {
			r.drop(to, fmt.Sprintf("spec.http[%d]", i), "the rule delegates from %s (%s:%d), and %s", root.name(), root.from.File,
				root.from.lines.of(fmt.Sprintf("spec.http[%d]", root.index), root.from.Line), why)
			continue
		}
		inner.Match = matches
		inherit(outer, inner)
		all = append(all, written{http: inner, from: to, index: i, by: root.name()})
	}
	return all
}

// qualified is a copy of an http entry that holds in any namespace: its gateways and destinations have their full names.
func qualified(h *networking.HTTPRoute, namespace string) *networking.HTTPRoute {
	full := proto.Clone(h).(*networking.HTTPRoute)
	for _, m := range full.Match {
		for i, gateway := range m.Gateways {
			m.Gateways[i] = qualifyGateway(gateway, namespace)
		}
	}
	for _, d := range full.Route {
		d.Destination.Host = qualify(d.Destination.GetHost(), namespace)
	}
	for _, m := range mirrorsOf(full) {
		m.to.Host = qualify(m.to.GetHost(), namespace)
	}
	return full
}

// inherit gives a delegate's entry what only the entry that delegates to it has.
func inherit(root, delegate *networking.HTTPRoute) {
	if delegate.Rewrite == nil {
		delegate.Rewrite = root.Rewrite
	}
	if delegate.Timeout == nil {
		delegate.Timeout = root.Timeout
	}
	if delegate.Retries == nil {
		delegate.Retries = root.Retries
	}
	if delegate.Fault == nil {
		delegate.Fault = root.Fault
	}
	if delegate.Headers == nil {
		delegate.Headers = root.Headers
	}
	inheritMirrors(root, delegate)
}

// mergedProblem is what keeps this package from executing an entry; empty where nothing does. Envoy would inject the fault.
func (w *written) mergedProblem() string {
	if w.by == "" || w.http.Fault == nil || len(w.http.Route) > 0 {
		return ""
	}
	return "has no route, and gets the fault of " + w.by + ", which delegates to it: hellochaos executes faults beside route alone"
}

// mergeMatches is the match list of a merged entry. why is a clause that says why there is none: each entry of the delegate's list must
// ask for something that an entry of the other list allows (Istio's mergeHTTPMatchRequests).
func mergeMatches(root, delegate []*networking.HTTPMatchRequest) (all []*networking.HTTPMatchRequest, why string) {
	if len(root) == 0 {
		return delegate, ""
	}
	if len(delegate) == 0 {
		return root, ""
	}
	for i, inner := range delegate {
		found, conflict := false, ""
		for _, outer := range root {
			if conflict = conflictOf(outer, inner); conflict == "" {
				all, found = append(all, mergeMatch(outer, inner)), true
			}
		}
		if !found {
			return nil, fmt.Sprintf("its match[%d] does not go together with the conditions there: %s", i, conflict)
		}
	}
	return all, ""
}

// mergeMatch is an entry of a match list that asks for what both entries ask for.
func mergeMatch(root, delegate *networking.HTTPMatchRequest) *networking.HTTPMatchRequest {
	m := proto.Clone(delegate).(*networking.HTTPMatchRequest)
	if m.Uri == nil {
		m.Uri = root.Uri
	}
	if m.Method == nil {
		m.Method = root.Method
	}
	if m.Authority == nil {
		m.Authority = root.Authority
	}
	m.Headers, m.WithoutHeaders, m.QueryParams = both(root.Headers, m.Headers), both(root.WithoutHeaders, m.WithoutHeaders), both(root.QueryParams, m.QueryParams)
	if m.Port == 0 {
		m.Port = root.Port
	}
	if m.SourceNamespace == "" {
		m.SourceNamespace = root.SourceNamespace
	}
	m.SourceLabels = mergedLabels(root.SourceLabels, m.SourceLabels)
	if len(m.Gateways) == 0 {
		m.Gateways = root.Gateways
	}
	return m
}

// both has the entries of two maps. Where both have a key, the second one counts.
func both(first, second map[string]*networking.StringMatch) map[string]*networking.StringMatch {
	joined := make(map[string]*networking.StringMatch)
	maps.Copy(joined, first)
	maps.Copy(joined, second)
	return joined
}

// conflictOf names what a delegate's match entry asks for that the other entry does not allow; empty where there is nothing (Istio's
// hasConflict).
func conflictOf(root, leaf *networking.HTTPMatchRequest) string {
	for _, part := range []struct {
		name       string
		root, leaf *networking.StringMatch
	}{{"uri", root.Uri, leaf.Uri}, {"method", root.Method, leaf.Method}, {"authority", root.Authority, leaf.Authority}} {
		if why := narrows(part.root, part.leaf); why != "" {
			return part.name + " " + why
		}
	}
	for _, part := range []struct {
		name       string
		root, leaf map[string]*networking.StringMatch
	}{{"header", root.Headers, leaf.Headers}, {"withoutHeaders", root.WithoutHeaders, leaf.WithoutHeaders}, {"query parameter", root.QueryParams, leaf.QueryParams}} {
		for _, name := range slices.Sorted(maps.Keys(part.leaf)) {
			if why := narrows(part.root[name], part.leaf[name]); why != "" {
				return part.name + " " + name + " " + why
			}
		}
	}
	switch {
	case root.IgnoreUriCase != leaf.IgnoreUriCase:
		return "only one of them has ignoreUriCase"
	case root.Port > 0 && leaf.Port > 0 && root.Port != leaf.Port:
		return fmt.Sprintf("port %d is not %d", leaf.Port, root.Port)
	case root.SourceNamespace != "" && leaf.SourceNamespace != root.SourceNamespace:
		return fmt.Sprintf("sourceNamespace must be %q, too", root.SourceNamespace)
	case labelConflict(root.SourceLabels, leaf.SourceLabels) != "":
		return labelConflict(root.SourceLabels, leaf.SourceLabels)
	case len(root.Gateways) > 0 && len(leaf.Gateways) > 0 && beyond(root.Gateways, leaf.Gateways):
		return fmt.Sprintf("gateways %s are not among %s", strings.Join(leaf.Gateways, ", "), strings.Join(root.Gateways, ", "))
	}
	return ""
}

// beyond reports whether a delegate's gateways are not among those of the other entry.
func beyond(root, leaf []string) bool {
	return len(leaf) > len(root) || slices.ContainsFunc(leaf, func(name string) bool { return !slices.Contains(root, name) })
}

// narrows says why a delegate's condition is none that narrows the condition of the entry that delegates to it; empty where it is one
// (Istio's stringMatchConflict). Istio compares no regular expressions, so that one beside any other condition is a conflict, its own
// text included.
func narrows(root, leaf *networking.StringMatch) string {
	switch {
	case root == nil || leaf == nil:
		return ""
	case (root.GetRegex() != "" || leaf.GetRegex() != "") && hasText(root) && hasText(leaf):
		return "has a regex beside another condition, which Istio takes for a conflict"
	case root.GetExact() != "":
		if leaf.GetPrefix() != "" || leaf.GetExact() != root.GetExact() {
			return fmt.Sprintf("is not exact %q", root.GetExact())
		}
		return ""
	case root.GetPrefix() != "":
		if begin := leaf.GetPrefix() + leaf.GetExact(); begin != "" && strings.HasPrefix(begin, root.GetPrefix()) {
			return ""
		}
		return fmt.Sprintf("does not begin with %q", root.GetPrefix())
	}
	return "is asked for in both, and Istio takes that for a conflict"
}

// hasText reports whether a condition has a text.
func hasText(m *networking.StringMatch) bool {
	return m.GetRegex() != "" || m.GetPrefix() != "" || m.GetExact() != ""
}
