package scratch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// The ends of the full names of Services.
const (
	serviceDomain = ".svc.cluster.local"
	serviceShort  = ".svc"
)

// host is a host after the move, which is noted where it is another one. A name without a namespace, and a host outside the mesh, stay
// as they are.
func (m *mover) host(host string) string {
	if _, outside := m.external[strings.ToLower(host)]; outside {
		return host
	}
	for _, end := range []string{serviceDomain, serviceShort} {
		if rest, ok := strings.CutSuffix(host, end); ok {
			return m.renamed(host, rest, end)
		}
	}
	if m.services[host] {
		return m.renamed(host, host, "")
	}
	return host
}

// renamed rewrites a host that is rest, "name.namespace", with an end.
func (m *mover) renamed(host, rest, end string) string {
	is := m.moved(rest) + end
	if is != host {
		m.hosts[host] = is
	}
	return is
}

// moved is "name.namespace" after the move.
func (m *mover) moved(rest string) string {
	dot := strings.LastIndexByte(rest, '.')
	if dot < 0 {
		return rest
	}
	return rest[:dot+1] + m.place(rest[dot+1:])
}

// known notes the names by which callers of other namespaces may call a Service, so that requests to them can be sent.
func (m *mover) known(name, namespace string) {
	rest := name + "." + namespace
	for _, end := range []string{"", serviceShort, serviceDomain} {
		m.set.sent[rest+end] = m.moved(rest) + end
	}
}

// qualified is "namespace/name" after the move. A name without a namespace stays as it is.
func (m *mover) qualified(text string) string {
	namespace, name, ok := strings.Cut(text, "/")
	if !ok || namespace == "." || namespace == "*" {
		return text
	}
	return m.place(namespace) + "/" + name
}

// exportTo is to whom an object is exported after the move: to the namespaces that stand in for those that the files name, and to all that are
// made for the set where they name none. Nothing is exported to others: the list has no "*", and is not empty.
func (m *mover) exportTo(was []string) (all []string) {
	if !named(was) {
		return m.everywhere()
	}
	for _, name := range was {
		switch {
		case name == ownNamespace || name == hiddenFromAll:
			all = append(all, name)
		case name == rootNamespace && m.options.Shared:
			all = append(all, m.place(name), rootNamespace)
		default:
			all = append(all, m.place(name))
		}
	}
	return all
}

// The values of an exportTo that are no names.
const (
	ownNamespace   = "."
	everyNamespace = "*"
	hiddenFromAll  = "~"
)

// named reports whether the values of an exportTo are not for all namespaces.
func named(exportTo []string) bool {
	return len(exportTo) > 0 && !slices.Contains(exportTo, everyNamespace)
}

// exported notes the namespaces that an exportTo names, which are made whatever stands in them: an object that is for nobody of the set must
// not become one for all.
func (m *mover) exported(exportTo []string) {
	for _, name := range exportTo {
		if name != ownNamespace && name != everyNamespace && name != hiddenFromAll {
			m.sources[name] = true
		}
	}
}

// everywhere are the namespaces of all proxies that may know an object of the set.
func (m *mover) everywhere() (all []string) {
	for _, n := range m.set.Namespaces {
		if n.Injected {
			all = append(all, n.Name)
		}
	}
	if m.options.Shared {
		all = append(all, rootNamespace)
	}
	return all
}

// pattern refuses a condition on a text that names a namespace of the source, since only a whole host can be rewritten.
func (m *mover) pattern(o *manifests.Object, field, text string) {
	for of := range m.sources {
		if regexp.MustCompile(`\.` + regexp.QuoteMeta(of) + `([.:\\]|$)`).MatchString(text) {
			m.problems = append(m.problems, fmt.Errorf("%s:%d: %s, field %s: %q names namespace %s in a pattern, which hellochaos cannot rewrite to a namespace of its own: write the whole host with exact, or leave the field out",
				o.File, o.LineOf(field), o.Name(), field, text, of))
			return
		}
	}
}
