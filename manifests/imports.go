package manifests

import (
	"cmp"
	"slices"
	"strings"
)

// imports is what a Sidecar imports: patterns of hosts with their namespaces. As everywhere in Istio, "." is the namespace of the proxy that
// obeys the Sidecar, also where the Sidecar is that of the root namespace and holds for others (convertIstioListenerToWrapper in its
// pilot/pkg/model/sidecar.go).
type imports struct {
	in, out []hostPattern // out are those that "~" excludes
}

// addImport adds a host of a Sidecar, "namespace/host". With "~" it is excluded: "~/host" in every namespace, "~shop/host" in one.
func (s *imports) add(text string) {
	namespace, host, _ := strings.Cut(text, "/")
	if rest, excluded := strings.CutPrefix(namespace, "~"); excluded {
		s.out = append(s.out, hostPattern{cmp.Or(rest, "*"), host})
		return
	}
	s.in = append(s.in, hostPattern{namespace, host})
}

// of are the imports as the proxies of a namespace obey them.
func (s *imports) of(namespace string) imports {
	resolved := func(patterns []hostPattern) []hostPattern {
		all := slices.Clone(patterns)
		for i := range all {
			if all[i].namespace == "." {
				all[i].namespace = namespace
			}
		}
		return all
	}
	return imports{resolved(s.in), resolved(s.out)}
}

// admit reports whether the Service or ServiceEntry of a namespace that has this host is imported.
func (s *imports) admit(namespace, host string) bool {
	return !admits(s.out, namespace, host) && admits(s.in, namespace, host)
}

// exact reports whether no import has a wildcard.
func (s *imports) exact() bool {
	return !slices.ContainsFunc(s.in, func(p hostPattern) bool { return p.namespace == "*" || strings.HasPrefix(p.host, "*") })
}

// admitRules reports whether a VirtualService of a namespace is imported: all of it is where one of its hosts is, and where the pattern of the
// one covers that of the other (Istio's SelectVirtualServices and VSMatches). Hosts are compared as they are written.
func (s *imports) admitRules(namespace string, hosts []string) bool {
	return slices.ContainsFunc(hosts, func(host string) bool {
		return !admits(s.out, namespace, host) && slices.ContainsFunc(s.in, func(p hostPattern) bool {
			return (p.namespace == "*" || p.namespace == namespace) && (covers(p.host, host) || covers(host, p.host))
		})
	})
}
