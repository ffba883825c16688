package target_test

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// shownOfAway are the fields of the objects of away, each with the row that shows what it does: other rows have these objects only since they need
// something of them. With new in place of old the row fails.
var shownOfAway = map[string]struct{ row, old, new string }{
	"Namespace.metadata.name":                                {allowedRow, "kind: Namespace\nmetadata: {name: elsewhere", "kind: Namespace\nmetadata: {name: other"},
	"Namespace.metadata.labels":                              {allowedRow, "team: a}}\n---", "team: b}}\n---"},
	"Service.metadata.namespace":                             {podsRow, "kind: Service\nmetadata: {namespace: elsewhere, name: right}", "kind: Service\nmetadata: {name: right}"},
	"Deployment.metadata.namespace":                          {podsRow, "kind: Deployment\nmetadata: {namespace: elsewhere, name: far-v1}", "kind: Deployment\nmetadata: {name: far-v1}"},
	"Deployment.spec.replicas":                               {podsRow, "replicas: 0", "replicas: 1"},
	"Deployment.spec.template.metadata.labels":               {podsRow, "labels: {side: left", "labels: {side: right"},
	"Deployment.spec.template.spec.containers[].env[].name":  {podsRow, "name: ROLE, value: script", `name: CALLS, value: "[]"`},
	"Deployment.spec.template.spec.containers[].env[].value": {podsRow, "value: far-v1", "value: far-v2"},
}

// TestShownOfAway holds the rows to the fields: each must pass, and must fail as soon as its field is changed.
func TestShownOfAway(t *testing.T) {
	rows := make(map[string]row)
	for _, r := range namespaceRows(manifests.Namespace) {
		rows[r.name] = r
	}
	for field, s := range shownOfAway {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			r := rows[s.row]
			if !r.passes(t) {
				t.Errorf("the row %q does not pass", s.row)
			}
			r.policy = strings.Replace(r.policy, s.old, s.new, 1)
			if r.passes(t) {
				t.Errorf("the row %q passes with %q in place of %q, too", s.row, s.new, s.old)
			}
		})
	}
}

// passes reports whether a row passes on the embedded mesh.
func (r row) passes(t *testing.T) bool {
	observed := observe(t, newEmbedded(t, ""), r)
	for i := range r.exchanges {
		if r.exchanges[i].want.check(&observed[i]) != nil {
			return false
		}
	}
	return true
}
