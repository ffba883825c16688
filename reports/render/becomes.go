package render

import (
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Becomes says in one line what a rule does with a call: "to v1 90 %, v2 10 %, 2 retries on 5xx, all ends after 3 s".
func Becomes(c *reports.Call) string {
	if c.Rule == nil {
		return "past every proxy"
	}
	one := *c
	one.Split = nil // what was measured is no part of the rule
	return strings.Join(becoming(&one), ", ")
}
