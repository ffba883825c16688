//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
)

// move is a scenario behind stage prod. It sends the calls for middleware to the subset canary, and gives the subset prod another name. No order of
// its two objects is right: until a proxy takes the new VirtualService, its rule leads to a subset that is not there any more.
const move = `apiVersion: hellochaos/v1
kind: Scenario
name: move
title: middleware moves to version canary
after: prod
apply: [rules.yaml]
entry: {service: frontend}
`

// Real Istio loses no call while the tutorial's retries are applied and put back, and calls while a subset loses its name that rules still use.
func TestE2EThroughChange(t *testing.T) {
	b := newBed(t)
	folder := t.TempDir()
	rules, err := os.ReadFile(filepath.Join("..", "..", "manifests", "prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	renamed := strings.NewReplacer("name: prod\n", "name: old\n", "subset: prod\n", "subset: canary\n").Replace(string(rules))
	for name, text := range map[string]string{"move.yaml": move, "rules.yaml": renamed} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	few := []string{"--through-change", "--rate", "60", "--exclude", "0.5", "--take-over"}

	report, got := b.run(t, append([]string{"retry"}, few...)...)
	if len(report.Changes) != 2 {
		t.Fatalf("exit %d: %d changes, want one, and one that is put back; %s", got.code, len(report.Changes), got.stderr)
	}
	for i := range report.Changes {
		c := &report.Changes[i]
		t.Logf("%s: %s", c.Title(), strings.Join(c.Words, " "))
		watched := c.Verdict == reports.Pass || strings.Contains(c.Why, "may have been asked nothing") // by a busy machine
		if !watched || !c.ByConnection || c.Evidence < 60 || c.Lost+c.OldAfterNew+c.Late+c.Early > 0 || len(c.Proxies) != 3 {
			t.Errorf("%s: %s: %+v", c.Title(), c.Verdict, c)
		}
		for _, p := range c.Proxies {
			if !strings.Contains(p.Name, "-prod-") || strings.HasSuffix(p.Name, "."+manifests.Namespace) {
				t.Errorf("%s: proxy %q, want the pod's name", c.Title(), p.Name)
			}
		}
	}

	report, _ = b.run(t, append([]string{filepath.Join(folder, "move.yaml")}, few...)...)
	if len(report.Changes) != 2 || report.Changes[0].Verdict != reports.Fail || report.Changes[0].Lost == 0 || !strings.Contains(report.Changes[0].Troubles[0].Met, "503") {
		t.Fatalf("%s: %s; %+v", report.Verdict, report.Summary, report.Changes)
	}
	t.Logf("%s", strings.Join(report.Changes[0].Words, " "))
}
