package standins

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// pods adds the Deployments of all stand-ins inside the mesh.
func (b *builder) pods() {
	for _, host := range b.order {
		for _, w := range b.workloads {
			if b.services[host].selects(w) {
				b.services[host].selected++
			}
		}
	}
	for _, w := range b.workloads {
		w.service = b.serviceOf(w)
	}
	for _, host := range b.order {
		s := b.services[host]
		if s.unknown || !b.withPods[s.namespace] {
			b.standUpPods(s)
		}
	}
	versions := b.versions()
	for _, w := range b.workloads {
		b.deploy(deployment{from: w.from, line: w.from.Line, namespace: w.from.InNamespace(), name: w.from.Meta.Name, service: b.nameOf(w), version: versions[w],
			labels: w.labels, replicas: w.replicas, env: w.env})
	}
}

// serviceOf is the Service whose pods a workload has. Of several it is the one that selects most workloads: beside a Service for all
// versions there may be one for each.
func (b *builder) serviceOf(w *workload) (best *service) {
	for _, host := range b.order {
		if s := b.services[host]; s.selects(w) && (best == nil || s.selected > best.selected) {
			best = s
		}
	}
	return best
}

// selects reports whether a workload's pods are those of a Service.
func (s *service) selects(w *workload) bool {
	return s.namespace == w.from.InNamespace() && has(w.labels, s.selector)
}

// has reports whether labels contain all of want.
func has(labels, want map[string]string) bool {
	for name, value := range want {
		if got, ok := labels[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// nameOf is what the stand-in of a workload calls its service: as its Service is called, or else by its label app, or its own name.
func (b *builder) nameOf(w *workload) string {
	if w.service != nil {
		return b.called(w.service)
	}
	name := w.labels["app"]
	if name == "" {
		name = w.from.Meta.Name
	}
	for _, s := range b.services {
		if s.name == name { // it is not of that Service
			return w.from.Kind + "/" + w.from.Meta.Name
		}
	}
	return name
}

// called is what stand-ins call a Service: its name, with the namespace where another one has a Service of that name, too. The one in
// manifests.Namespace keeps the name.
func (b *builder) called(s *service) string {
	for _, other := range b.services {
		if other.name == s.name && other.namespace != s.namespace && s.namespace != manifests.Namespace {
			return s.name + "." + s.namespace
		}
	}
	return s.name
}

// versions are the versions that the stand-ins of workloads report: the label version where the workloads of one service all have
// their own, or else the name of the workload without that of the service.
func (b *builder) versions() map[*workload]string {
	groups := map[string][]*workload{}
	for _, w := range b.workloads {
		name := b.nameOf(w)
		groups[name] = append(groups[name], w)
	}
	versions := map[*workload]string{}
	for name, group := range groups {
		seen := map[string]int{}
		for _, w := range group {
			seen[w.labels["version"]]++
		}
		for _, w := range group {
			version := w.labels["version"]
			if version == "" || seen[version] > 1 {
				version = w.from.Meta.Name
				if rest, ok := strings.CutPrefix(version, name+"-"); ok && rest != "" && seen[rest] == 0 {
					version = rest
				}
			}
			versions[w] = version
		}
		for i, w := range group { // two workloads of different kinds or namespaces may have one name
			if slices.ContainsFunc(group[:i], func(other *workload) bool { return versions[other] == versions[w] }) {
				versions[w] = strings.ToLower(w.from.Kind) + "-" + w.from.Meta.Name + "." + w.from.InNamespace()
			}
		}
	}
	return versions
}

// version is a set of pods of a Service that is stood up.
type version struct {
	name   string
	labels map[string]string
	subset *subset // nil for the pods of a Service without subsets
}

// standUpPods adds a Deployment for each version of a Service whose pods are in no file.
func (b *builder) standUpPods(s *service) {
	for _, v := range b.versionsOf(s) {
		labels := maps.Clone(s.selector)
		if labels["app"] == "" && v.labels["app"] == "" {
			labels["app"] = s.name
		}
		maps.Copy(labels, v.labels)
		from, line := s.from, s.line
		why := "no DestinationRule defines a subset of its host"
		switch {
		case v.subset == nil && len(b.named.subsetsOf(s.host)) > 0:
			why += " with labels that its pods may have"
		case v.subset != nil:
			from, line = v.subset.from, v.subset.line
			why = fmt.Sprintf("subset %s of %s (%s:%d) has the pods with %s", v.subset.name, from.Name(), from.File, line, labelText(v.labels))
		}
		since := "no file has pods of its namespace"
		if s.unknown {
			since = "the Service has no selector, so that its pods are in no file"
		}
		name := b.deploy(deployment{from: from, line: line, namespace: s.namespace, name: s.name + "-" + v.name, service: b.called(s), version: v.name, labels: labels, replicas: 1})
		b.stoodUp("Deployment "+name, s.namespace, from, line, "Deployment %s in namespace %s is stood up as version %s of Service %s, because %s, and %s.",
			name, s.namespace, v.name, s.name, why, since)
	}
}

// versionsOf are the versions of a Service without pods in the files: one for each set of labels that a subset of its host asks for, as
// far as pods that the Service selects can have them, or one.
func (b *builder) versionsOf(s *service) (all []version) {
	subsets := b.named.subsetsOf(s.host)
	for i := range subsets {
		sub := &subsets[i]
		same := func(v version) bool { return maps.Equal(v.labels, sub.labels) }
		if len(sub.labels) > 0 && agree(sub.labels, s.selector) && !slices.ContainsFunc(all, same) {
			all = append(all, version{name: sub.name, labels: sub.labels, subset: sub})
		}
	}
	if len(all) == 0 {
		return []version{{name: "stand-in"}}
	}
	for i := range all {
		label := all[i].labels["version"]
		taken := func(v version) bool {
			return v.name == label || v.labels["version"] == label && !maps.Equal(v.labels, all[i].labels)
		}
		if label != "" && label != all[i].name && !slices.ContainsFunc(all, taken) {
			all[i].name = label
		}
	}
	return all
}

// agree reports whether pods can have both sets of labels.
func agree(a, b map[string]string) bool {
	for name, value := range a {
		if other, ok := b[name]; ok && other != value {
			return false
		}
	}
	return true
}

// labelText is labels in the form of kubectl: "app=reviews,version=v1".
func labelText(labels map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, name+"="+labels[name])
	}
	return strings.Join(all, ",")
}
