package target_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// limits are two cases of the contract for a field that is executed: they show where what it does ends. Its effect itself is in its pair.
//
// Each is the name of a row, or the reason why there can be none, which begins with "none:".
type limits struct {
	// nearMiss is a row that sets the field and has a request that just misses what the field asks for, so that nothing of it shows.
	nearMiss string
	// precedence is a row in which something else wants another thing of the same request, and that shows which of them wins.
	precedence string
}

// Why a field has no near miss, or nothing over which it could take precedence.
const (
	holder = "none: it holds other fields, which have theirs"
	anyOf  = "none: each value does something"
	only   = "none: nothing else decides the same"
)

// fieldLimits are the limits of the fields that are executed, by the name of the row of the table of what is supported.
func fieldLimits() map[string]limits {
	all := make(map[string]limits)
	for _, part := range []map[string]limits{virtualServiceLimits, trafficPolicyLimits, meshEdgeLimits} {
		for name, l := range part {
			if _, twice := all[name]; twice {
				panic("two limits are called " + name)
			}
			all[name] = l
		}
	}
	return all
}

// TestFieldLimits wants the limits of each field of Istio's API that is executed. A row that is named must set the field, or keep an object of base
// that does, and must be one that clusters run.
func TestFieldLimits(t *testing.T) {
	of, proofs := fieldLimits(), newProofs(t)
	sets := func(row, name string) bool {
		return slices.ContainsFunc(proofs.measured[name], func(p proof) bool { return p.name == row }) || slices.Contains(proofs.kept[name], row)
	}
	for _, field := range manifests.Fields() {
		name := field.String()
		l, ok := of[name]
		delete(of, name)
		if !field.Executed() || byPath(field) {
			if ok {
				t.Errorf("%s has limits, and is no field of Istio's API that is executed", name)
			}
			continue
		}
		for what, limit := range map[string]string{"near miss": l.nearMiss, "row of precedence": l.precedence} {
			switch {
			case limit == "":
				t.Errorf("%s has no %s, and no reason why there is none", name, what)
			case !strings.HasPrefix(limit, "none:") && !sets(limit, name):
				t.Errorf("%s: the %s is %q, which is no row of the contract that sets the field", name, what, limit)
			}
		}
	}
	for name := range of {
		t.Errorf("there are limits for %s, which is no row of the table", name)
	}
}

// columns are the two columns of docs/fields.md about a field; a field without effect has none.
func (l limits) columns() string {
	cell := func(limit string) string {
		if reason, none := strings.CutPrefix(limit, "none: "); none {
			return "– (" + reason + ")"
		}
		return strings.ReplaceAll(limit, "|", `\|`)
	}
	if l == (limits{}) {
		return " – | – |"
	}
	return fmt.Sprintf(" %s | %s |", cell(l.nearMiss), cell(l.precedence))
}
