package main

import (
	"strings"
	"testing"
)

// A run with a page ends as it does without one, although nobody has opened the page.
func TestRunPage(t *testing.T) {
	got := execute(t, "run", "egress", "--fail", "0.1", "--exclude", "0.2", "--page", "--quiet", "--seed", "7")
	if got.code != 0 || !strings.HasPrefix(got.stderr, "page of the run: http://127.0.0.1:") || !strings.HasPrefix(got.stdout, "PASS") {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := sameNumbers([]string{"hellochaos", "run", "./my shop.yaml", "--page", "--fail", "0.5"}, 7); got != "hellochaos run './my shop.yaml' --fail 0.5 --seed 7" {
		t.Errorf("%q", got)
	}
}
