package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A command names the page that it wrote, or has the browser open it; a browser that cannot be started is a warning, and no failure.
func TestShow(t *testing.T) {
	programs := t.TempDir()
	opened := filepath.Join(programs, "opened")
	t.Setenv("PATH", programs)
	for _, c := range []struct {
		name, script       string
		open               bool
		written            []string
		progress, warnings string
	}{
		{"named", "", false, []string{"report.json", "report.html"}, "to read it in a browser, open out/report.html\n", ""},
		{"no page was written", "", true, []string{"report.json"}, "", ""},
		{"no browser", "", true, []string{"report.html"}, "", "warning: no browser could be started, so that out/report.html was not opened: "},
		{"a browser that fails", "exit 3", true, []string{"report.html"}, "", "was not opened: exit status 3\n"},
		{"opened", `echo "$1" >` + opened, true, []string{"report.txt", "sweep.html"}, "", ""},
	} {
		if c.script != "" {
			if err := os.WriteFile(filepath.Join(programs, "xdg-open"), []byte("#!/bin/sh\n"+c.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		var progress, warnings strings.Builder
		(&deliveryFlags{out: "out", open: c.open}).show(&progress, &warnings, c.written)
		if progress.String() != c.progress || !strings.Contains(warnings.String(), c.warnings) || (warnings.Len() > 0) != (c.warnings != "") {
			t.Errorf("%s: %q and %q, want %q and %q", c.name, progress.String(), warnings.String(), c.progress, c.warnings)
		}
	}
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if address, err := os.ReadFile(opened); err != nil || string(address) != "file://"+filepath.Join(folder, "out", "sweep.html")+"\n" {
		t.Errorf("opened %q, %v", address, err)
	}
	if err := (&deliveryFlags{open: true}).checkOpen(); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("--open without --out: %v", err)
	}
}
