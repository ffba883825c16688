//go:build e2e

package target_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// shownOnCluster are the fields whose pairs a cluster executes, and the policies of these pairs.
func shownOnCluster(t *testing.T) (fields []manifests.Field, policies []string) {
	proofs := pairs()
	left := make(map[string]int)
	for _, field := range manifests.Fields() {
		p, ok := proofs[field.String()]
		if !ok {
			continue // TestAddedFields has the field
		}
		if why := p.onCluster(t, field); why != "" {
			left[why]++
			continue
		}
		fields = append(fields, field)
		policies = append(policies, p.without, p.with)
	}
	for why, n := range left {
		t.Logf("%d fields are not shown: %s", n, why)
	}
	return fields, policies
}

// TestPairsByCluster has real Istio execute the pairs of fields: a field that is executed makes a difference there, too, and a field that is
// not makes none. Answers are compared, and not the lines of access logs, which come with a delay. It takes some minutes, and make e2e
// leaves it to make e2e-fields.
func TestPairsByCluster(t *testing.T) {
	installGatewayAPI(t)
	fields, policies := shownOnCluster(t)
	s := newOnCluster(t, func(string) []string { return policies }, true)
	proofs := pairs()
	passed, began := 0, time.Now()
	for _, field := range fields {
		t.Run(field.String(), func(t *testing.T) {
			p := proofs[field.String()].in(s.namespace)
			p.checkAnswers(t, s, field)
			if !t.Failed() {
				passed++
			}
		})
	}
	t.Logf("%d of %d pairs of fields passed on %s in %v", passed, len(fields), s.Describe().Detail, time.Since(began).Round(time.Second))
}

// in is the pair for objects in a namespace. On a busy cluster an ejected pod may come back some seconds late.
func (p pair) in(namespace string) pair {
	there := strings.NewReplacer("."+manifests.Namespace+".svc", "."+namespace+".svc", "fixedDelay: 100ms", "fixedDelay: 4s")
	p.without, p.with = there.Replace(p.without), there.Replace(p.with)
	p.requests = slices.Clone(p.requests)
	for i := range p.requests {
		p.requests[i].host = there.Replace(p.requests[i].host)
	}
	return p
}

// checkAnswers compares the answers by the two manifests. Where no field decides it, a balancer chooses between versions: equal answers may
// need some attempts.
func (p *pair) checkAnswers(t *testing.T, s subject, field manifests.Field) {
	t.Helper()
	if p.slower > 0 {
		p.checkTime(t, s)
		return
	}
	const attempts = 5
	before := p.answers(t, s, p.without)
	after := p.answers(t, s, p.with)
	for range attempts {
		if field.Executed() || before == after {
			break
		}
		after = p.answers(t, s, p.with)
	}
	judge(t, field, before, after)
	if field.Executed() {
		if again := p.answers(t, s, p.without); again != before {
			t.Errorf("chance decides what becomes of the requests: first\n%s\nand then\n%s", before, again)
		}
	}
}

// answers applies objects over base, sends the requests one after another, and describes the answers.
func (p *pair) answers(t *testing.T, s subject, policy string) string {
	t.Helper()
	if err := s.Apply(t.Context(), parse(t, policy)); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for i, q := range p.requests {
		answer := send(t, s, exchange{request: q.named(i)}, "field")[0]
		answer.header.Del("X-Envoy-Upstream-Service-Time")
		answer.describe(&all)
		all.WriteByte('\n')
	}
	return all.String()
}
