//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// Real Istio loses calls while a subset loses its name that rules still use, and none while that is put back, when the subset is there before
// the rules that use it.
func TestE2EThroughChange(t *testing.T) {
	b := newBed(t)
	folder := t.TempDir()
	rules, err := os.ReadFile(filepath.Join("..", "..", "manifests", "prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	renamed := strings.NewReplacer("name: prod\n", "name: old\n", "subset: prod", "subset: canary").Replace(string(rules))
	for name, text := range map[string]string{"move.yaml": move, "rules.yaml": renamed} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, got := b.run(t, filepath.Join(folder, "move.yaml"), "--through-change", "--rate", "60", "--exclude", "0.5", "--take-over")
	if len(report.Changes) != 2 {
		t.Fatalf("exit %d: %d changes, want one, and one that is put back; %s", got.code, len(report.Changes), got.stderr)
	}
	there, back := &report.Changes[0], &report.Changes[1]
	t.Logf("%s\n%s", strings.Join(there.Words, " "), strings.Join(back.Words, " "))
	if there.Verdict != reports.Fail || there.Lost == 0 || there.OldAfterNew+there.Early > 0 || !strings.Contains(there.Troubles[0].Met, "503") {
		t.Errorf("%+v", there)
	}
	watched := back.Verdict == reports.Pass || strings.Contains(back.Why, "may have been asked nothing") // by a busy machine
	if !watched || back.Evidence < 60 || back.Lost+back.OldAfterNew+back.Late+back.Early > 0 {
		t.Errorf("%+v", back)
	}
	for _, c := range report.Changes {
		if !c.ByConnection || len(c.Proxies) < 3 {
			t.Errorf("%s: %+v", c.Title(), c)
		}
		for _, p := range c.Proxies {
			if !strings.HasPrefix(p.Name, "frontend-prod-") && !strings.HasPrefix(p.Name, "middleware-") && !strings.HasPrefix(p.Name, "backend-prod-") {
				t.Errorf("%s: proxy %q, want the pod's name", c.Title(), p.Name)
			}
		}
	}
}
