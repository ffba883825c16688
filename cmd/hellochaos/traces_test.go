package main

import (
	"strings"
	"testing"
)

// Wrong destinations are reported with all other problems, before anything is started and without their passwords.
func TestTracesUsage(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "hunter2")
	got := usage(t, "run", "retyr", "--otlp-endpoint", "https://me:hunter2@collector", "--zipkin-url", "zipkin:9411")
	if got.code != 2 || got.stdout != "" || strings.Contains(got.stderr, "hunter2") {
		t.Errorf("exit %d, %q on stdout and %q on stderr, want 2, nothing, and no password", got.code, got.stdout, got.stderr)
	}
	for _, want := range []string{"no stage retyr", "--otlp-endpoint: must have no user or password", "OTEL_EXPORTER_OTLP_HEADERS: entry 1", "--zipkin-url: must be http"} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
		}
	}
}

// The verdict of a run does not depend on whether a server accepts its traces.
func TestTracesNobodyTakes(t *testing.T) {
	report := measure(t, 0, "run", "egress", "--otlp-endpoint", "http://127.0.0.1:1", "--zipkin-url", "http://127.0.0.1:1")
	if len(report.Remarks) == 0 || len(report.Links) > 0 {
		t.Errorf("remarks %q and links %v, want why nothing was taken, and none", report.Remarks, report.Links)
	}
	for _, remark := range report.Remarks {
		if !strings.HasPrefix(remark, "traces: ") {
			t.Errorf("remark %q, want one of the traces", remark)
		}
	}
}
