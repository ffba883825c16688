package run

import (
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// Each check of a report has a name of its own, also where two policies are for one host.
func TestChecksOfOneHost(t *testing.T) {
	var all []reports.PolicyCheck
	for range 3 {
		all = append(all, distinct(reports.PolicyCheck{Policy: "connectionPool", Host: "one"}, all))
	}
	if all[0].Host != "one" || all[1].Host != "one (2)" || all[2].Host != "one (3)" {
		t.Errorf("the hosts are %q, %q and %q", all[0].Host, all[1].Host, all[2].Host)
	}
}
