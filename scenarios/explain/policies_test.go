package explain

import (
	"slices"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

func TestPolicies(t *testing.T) {
	const left = "All other requests were sent without the limits and ejections of DestinationRules, by which calls depend on each other: what is predicted leaves them out."
	hash := reports.PolicyCheck{Policy: "consistentHash", Host: "one", File: "a/one.yaml", Line: 3, Verdict: reports.Pass, Text: "all met one pod"}
	pool := reports.PolicyCheck{Policy: "connectionPool", Host: "one", Verdict: reports.NotJudged, Text: "it bounds no calls"}
	wrong := reports.PolicyCheck{Policy: "outlierDetection", Host: "one", Verdict: reports.Fail, Text: "the pod answered"}
	told := "The consistentHash of one (one.yaml:3) holds: all met one pod."
	for _, c := range []struct {
		policies []reports.PolicyCheck
		want     []string
	}{
		{nil, nil},
		{[]reports.PolicyCheck{hash}, []string{told}},
		{[]reports.PolicyCheck{pool, hash}, []string{"The connectionPool of one was not checked: it bounds no calls.", told, left}},
		{[]reports.PolicyCheck{wrong}, []string{left}},
	} {
		r := &reports.Report{Phases: []reports.Phase{{Name: "verify", Policies: c.policies}}}
		if got := Phase(r, 0); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.policies, got, c.want)
		}
	}
}
