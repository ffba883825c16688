//go:build e2e

package target_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// TestFieldsOnCluster has real Istio execute the pairs of the table of what is supported: a field that is executed makes a difference
// there, too, and a field that is not makes none. Answers are compared, and not the lines of access logs, which come with a delay.
func TestFieldsOnCluster(t *testing.T) {
	proofs := pairs()
	var fields []manifests.Field
	var policies []string
	for _, field := range manifests.Fields() {
		p, ok := proofs[field.String()]
		if !ok || !ofIstio(t, p.without) || !ofIstio(t, p.with) {
			t.Logf("left out: %s", field)
			continue
		}
		fields = append(fields, field)
		policies = append(policies, p.without, p.with)
	}
	s := newOnCluster(t, policies...)
	passed, began := 0, time.Now()
	for _, field := range fields {
		t.Run(field.String(), func(t *testing.T) {
			p := proofs[field.String()]
			before, after := p.answers(t, s, p.without), p.answers(t, s, p.with)
			judge(t, field, before, after)
			if !t.Failed() {
				passed++
			}
		})
	}
	t.Logf("%d of %d pairs passed on %s in %v", passed, len(fields), s.Describe().Detail, time.Since(began).Round(time.Second))
}

func (p *pair) answers(t *testing.T, s subject, policy string) string {
	t.Helper()
	policy = strings.ReplaceAll(policy, ".default.svc", "."+s.(*onCluster).namespace+".svc")
	if err := s.Apply(t.Context(), parse(t, policy)); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for i, q := range p.requests {
		q.host = strings.ReplaceAll(q.host, ".default.svc", "."+s.(*onCluster).namespace+".svc")
		answer := send(t, s, exchange{request: q.named(i)}, "field")[0]
		answer.header.Del("X-Envoy-Upstream-Service-Time")
		answer.describe(&all)
		all.WriteByte('\n')
	}
	return all.String()
}

// ofIstio reports whether a policy has objects of Istio alone, which a run may apply.
func ofIstio(t *testing.T, policy string) bool {
	t.Helper()
	objects, err := manifests.Parse("policy.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(policy, "kind: Gateway") < 2 && !strings.Contains(policy, "number: 8080") && !slices.ContainsFunc(objects, func(o manifests.Object) bool {
		return o.Kubernetes != nil || o.Meta.Namespace != "" || strings.Contains(policy, "protocol: HTTPS") || strings.Contains(policy, "protocol: TLS")
	})
}
