package oracle_test

import (
	"fmt"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

func TestMostTries(t *testing.T) {
	for _, c := range []struct {
		stage, want string
	}{
		{"", "map[backend:1 frontend:1 middleware:1]"}, // the clock is blocked
		{"retry", "map[backend:16 clock:16 frontend:1 middleware:4]"},
		{"ingress", "map[backend:64 clock:64 frontend:4 middleware:16]"},
	} {
		entry := direct
		if c.stage == "ingress" {
			entry = manifests.Entry{Gateway: "default/frontend"}
		}
		_, first := enter(t, c.stage, entry)
		if got := fmt.Sprint(oracle.MostTries(first, first)); got != c.want {
			t.Errorf("stage %s: %s, want %s", c.stage, got, c.want)
		}
	}
}
