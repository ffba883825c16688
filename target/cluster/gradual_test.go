package cluster

import (
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// through are the objects of a stage with those before it.
func through(t *testing.T, stage string) []manifests.Object {
	t.Helper()
	objects, err := scenarios.Through(stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// There is a step for what VirtualServices refer to before one for these, the other way round where they are put back, and one step where
// nothing changes.
func TestStepsOfAChange(t *testing.T) {
	egress, prod := through(t, "egress"), through(t, "prod")
	for _, c := range []struct {
		name     string
		from, to []manifests.Object
		middle   string // the kind that the first step has or has no more, and the last one has not or has still
		want     int
	}{{"applied", egress, prod, "DestinationRule", 2}, {"put back", prod, egress, "VirtualService", 2}, {"the same", prod, prod, "", 1}, {"the first set", nil, prod, "", 1}} {
		got := steps(c.from, c.to)
		if len(got) != c.want {
			t.Fatalf("%s: %d steps, want %d", c.name, len(got), c.want)
		}
		count := func(set []manifests.Object) (n int) {
			for i := range set {
				if set[i].Kind == c.middle {
					n++
				}
			}
			return n
		}
		if c.middle != "" && (count(got[0]) == count(c.from) || count(got[0]) != count(got[1])) {
			t.Errorf("%s: the first step does not change the %s alone", c.name, c.middle)
		}
	}
}

// closes counts how often it was closed.
type closes int

func (c *closes) Close() error { *c++; return nil }

// While rules change, requests may be under way at an entry: it stays open until somebody asks for its address again.
func TestEntriesStayOpenWhileRulesChange(t *testing.T) {
	entry := manifests.Entry{Service: "frontend"}
	var closed closes
	r := &Run{cluster: &Cluster{options: Options{DirectURL: "http://new"}}, entries: map[manifests.Entry]openEntry{}}
	r.entries[entry] = openEntry{closer: &closed}
	r.outdate()
	if _, err := r.open(t.Context(), entry); err != nil || closed != 0 {
		t.Errorf("the probes of the gateway: %v, closed %d times, want 0", err, closed)
	}
	for range 2 {
		if got, err := r.Address(t.Context(), entry); err != nil || got.URL != "http://new" || closed != 1 {
			t.Errorf("%q, %v, closed %d times; want http://new, and closed once", got.URL, err, closed)
		}
	}
}
