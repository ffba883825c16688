package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// pairs are labels as matches are compared with them: "app=reviews", sorted.
func pairs(labels map[string]string) (all []string) {
	for name, value := range labels {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}

// SidecarCaller is the proxy of a workload's pods. Two workloads of a namespace have the same one unless some match asks by sourceLabels
// for labels that only one of them has.
func (r *Rules) SidecarCaller(w *Workload) Caller {
	c := Caller{Namespace: w.Namespace}
	if len(r.sourceLabels) > 0 {
		asked := slices.DeleteFunc(pairs(w.Labels), func(pair string) bool { return !r.sourceLabels[pair] })
		c.Labels = strings.Join(asked, ",")
	}
	return c
}

// noteSourceLabels collects what the matches of the rules ask for by sourceLabels.
func (r *Rules) noteSourceLabels() {
	r.sourceLabels = make(map[string]bool)
	for i := range r.virtualServices {
		for j := range r.virtualServices[i].routes {
			for k := range r.virtualServices[i].routes[j].matches {
				for _, pair := range r.virtualServices[i].routes[j].matches[k].labels {
					r.sourceLabels[pair] = true
				}
			}
		}
	}
}

// has reports whether the pods of the proxy at a listener have labels.
func (l *listener) has(labels []string) bool {
	if len(labels) == 0 {
		return true
	}
	of := strings.Split(l.labels, ",")
	return !slices.ContainsFunc(labels, func(pair string) bool { return !slices.Contains(of, pair) })
}

// sourceLabelConflicts are the problems of matches for a gateway whose pods may or may not have the labels that the match asks for: a
// Gateway names some of the labels of its pods alone.
func (r *Rules) sourceLabelConflicts() (problems Problems) {
	for i := range r.virtualServices {
		v := &r.virtualServices[i]
		for j := range v.routes {
			h := &v.routes[j]
			for k := range h.matches {
				if gateway, label := r.unknownLabel(v, &h.matches[k]); label != "" {
					problems = append(problems, h.written.from.problem(fmt.Sprintf("spec.http[%d].match[%d].sourceLabels", h.written.index, k),
						"asks for %s of the pods of Gateway %s, whose selector does not name that label, so that nobody knows whether they have it: "+
							"put what is for the gateway into a VirtualService of its own, without sourceLabels", label, gateway))
				}
			}
		}
	}
	return problems
}

// unknownLabel is a label that a match asks for and that the selector of a Gateway, for which it is too, does not name.
func (r *Rules) unknownLabel(v *virtualService, m *match) (gateway, label string) {
	if len(m.gateways) > 0 {
		return "", ""
	}
	for _, name := range v.gateways {
		g := r.Gateways[name]
		if g == nil {
			continue
		}
		for _, pair := range m.labels {
			key, value, _ := strings.Cut(pair, "=")
			selected, named := g.Selector[key]
			if named && selected != value {
				label = "" // they do not have all of the labels for certain
				break
			}
			if !named {
				gateway, label = name, pair
			}
		}
		if label != "" {
			return gateway, label
		}
	}
	return "", ""
}

// labelConditions are the labels that a match asks for and that the pods of the proxy at a listener do not have.
func (m *match) labelConditions(at listener) (all []Condition) {
	has := map[string]string{}
	for _, pair := range strings.Split(at.labels, ",") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			has[name] = value
		}
	}
	for _, pair := range m.labels {
		name, value, _ := strings.Cut(pair, "=")
		if other, present := has[name]; !present || other != value {
			all = append(all, Condition{"label " + name + " of the caller's pods", value, value, other, present})
		}
	}
	return all
}

// Bearers are the workloads whose pods have all labels that a match asks for by sourceLabels, in the namespace that it asks for.
func (r *Rules) Bearers(asked *Asked) (all []*Workload) {
	for i := range r.Workloads {
		w := &r.Workloads[i]
		if has(w.Labels, asked.Labels) && (asked.Namespace == "" || asked.Namespace == w.Namespace) {
			all = append(all, w)
		}
	}
	return all
}

// labelsOf are labels by their pairs.
func labelsOf(pairs []string) map[string]string {
	if len(pairs) == 0 {
		return nil
	}
	all := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all
}

// mergedLabels are the sourceLabels of a delegate's match and of the one that delegates to it.
func mergedLabels(root, delegate map[string]string) map[string]string {
	if len(root) == 0 {
		return delegate
	}
	all := maps.Clone(root)
	maps.Copy(all, delegate)
	return all
}

// labelConflict names a label for which a delegate's match asks for another value than the one that delegates to it.
func labelConflict(root, leaf map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(leaf)) {
		if value, both := root[name]; both && value != leaf[name] {
			return fmt.Sprintf("sourceLabels ask for %s: %s, and there for %s", name, leaf[name], value)
		}
	}
	return ""
}

// WithoutSourceLabels is a copy of r whose matches look at no labels of the caller's pods.
func (r *Rules) WithoutSourceLabels() *Rules {
	return r.eachRoute(func(h *httpRoute) bool {
		h.matches = slices.Clone(h.matches)
		for i := range h.matches {
			h.matches[i].labels = nil
		}
		return true
	})
}
