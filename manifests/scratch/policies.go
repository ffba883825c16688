package scratch

import (
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// policy moves an object that hellochaos does not read. What would act on the whole mesh, or have others than the stand-ins called, is
// left out.
func (m *mover) policy(p *manifests.Policy) {
	name := fmt.Sprintf("%s %s (%s:%d)", p.Kind, p.Name, p.File, p.Line)
	switch {
	case p.Namespace == rootNamespace:
		m.left("%s acts on the whole mesh from namespace %s.", name, rootNamespace)
		return
	case p.Kind == "AuthorizationPolicy" && p.Spec["action"] == "CUSTOM":
		m.left("%s has a provider decide (action CUSTOM), which is not one of the stand-ins.", name)
		return
	case p.Kind == "RequestAuthentication" && mentions(p.Spec, "jwksUri"):
		m.left("%s has keys that are fetched from a jwksUri, which is not one of the stand-ins.", name)
		return
	}
	spec, _ := m.rewritten("", p.Spec).(map[string]any)
	m.set.Policies = append(m.set.Policies, manifests.Policy{File: p.File, Line: p.Line, APIVersion: p.APIVersion, Kind: p.Kind, Name: p.Name, Namespace: m.place(p.Namespace), Spec: spec})
	m.set.Beyond = append(m.set.Beyond, name)
}

// mentions reports whether a value has a field of this name anywhere.
func mentions(value any, name string) bool {
	switch v := value.(type) {
	case map[string]any:
		for field, inner := range v {
			if field == name || mentions(inner, name) {
				return true
			}
		}
	case []any:
		for _, inner := range v {
			if mentions(inner, name) {
				return true
			}
		}
	}
	return false
}

// rewritten is a value of a policy after the move. name is that of the field in which it stands.
func (m *mover) rewritten(name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		if key, _ := v["key"].(string); key != "" { // a condition of an AuthorizationPolicy: its values are of what the key names
			all := map[string]any{"key": key}
			for _, field := range []string{"values", "notValues"} {
				if v[field] != nil {
					all[field] = m.rewritten(key, v[field])
				}
			}
			return all
		}
		all := make(map[string]any, len(v))
		for name, inner := range v {
			all[name] = m.rewritten(name, inner)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, inner := range v {
			all[i] = m.rewritten(name, inner)
		}
		return all
	case string:
		return m.rewrittenText(name, v)
	}
	return value
}

// rewrittenText rewrites the fields of an AuthorizationPolicy that name a namespace.
func (m *mover) rewrittenText(field, text string) string {
	switch field {
	case "namespaces", "notNamespaces", "source.namespace":
		if !strings.Contains(text, "*") {
			return m.place(text)
		}
	case "principals", "notPrincipals", "source.principal":
		before, rest, ok := strings.Cut(text, "/ns/")
		namespace, account, whole := strings.Cut(rest, "/")
		if ok && whole {
			return before + "/ns/" + m.place(namespace) + "/" + account
		}
	case "hosts", "notHosts":
		return m.authority(text)
	}
	return text
}
