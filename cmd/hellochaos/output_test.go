package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// Every command whose output is lost ends with exit code 6 and the reason, and does not report that nothing was started.
func TestOutputIsLost(t *testing.T) {
	const full = "/dev/full" // every write to it fails as on a full disk
	if _, err := os.Stat(full); err != nil {
		t.Skipf("this system has no %s: %v", full, err)
	}
	report := saved(t, nil)
	for _, args := range []string{
		"--help", "help run", "help completion bash", "run --help", "--version", "version", "list", "list breaks", "manifests retry", "manifests rbac",
		"dashboard", "dashboard run", "dashboard mesh --format configmap", "completion bash", "completion zsh", "completion fish", "completion powershell",
		"report " + report, "report " + report + " --format html", "report " + report + " --format json", "compare-reports " + report + " " + report,
		"compare " + report + " " + report + " --format json", "run egress --max-requests 10", "run egress --max-requests 10 --quiet", "up retry",
	} {
		t.Run(strings.ReplaceAll(args, report, "DIR"), func(t *testing.T) {
			lost, err := os.OpenFile(full, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer lost.Close()
			cmd := exec.CommandContext(t.Context(), program, strings.Fields(args)...)
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = lost, &stderr
			_ = cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != reports.ExitInfrastructure {
				t.Errorf("exit %d, want %d", code, reports.ExitInfrastructure)
			}
			if text := stderr.String(); strings.Count(text, "standard output could not be written: no space left on device") != 1 || strings.Contains(text, "nothing was started") {
				t.Errorf("stderr must have the reason once, and not that nothing was started:\n%s", text)
			}
		})
	}
}
