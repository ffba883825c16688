//go:build e2e

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// workersLeft are the names of what workers have left in the namespace.
func (b *bed) workersLeft(t *testing.T) (names []string) {
	t.Helper()
	jobs, err := b.core.BatchV1().Jobs(b.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range jobs.Items {
		names = append(names, "Job "+jobs.Items[i].Name)
	}
	pods, err := b.core.CoreV1().Pods(b.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "job-name"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pods.Items {
		names = append(names, "Pod "+pods.Items[i].Name)
	}
	return names
}

// Pods of the namespace send the requests of a run, which judges them as its own, and are gone afterwards; and so they are when the command was
// killed and its run restored.
func TestE2EWorkersOnCluster(t *testing.T) {
	b := newBed(t)
	report, got := b.run(t, "retry", "--fail", "0.5", "--workers-on-cluster", "3", "--rate", "50", "--max-requests", "400")
	if got.code != 0 && got.code != 3 || len(report.Phases) != 2 || report.Error != "" { // so few requests need not decide all
		t.Fatalf("exit %d, %s: %s %s\n%s", got.code, report.Verdict, report.Summary, report.Error, got.stderr)
	}
	for i := range report.Phases {
		p := &report.Phases[i]
		if p.Observed < 300 || p.Observed != p.Sent || len(p.Mismatches) > 0 || !strings.Contains(p.Way, "by 3 workers in the cluster") ||
			!strings.Contains(strings.Join(p.Compared, "\n"), "3 workers in the cluster sent the requests; their clocks are between") {
			t.Errorf("%s: %d of %d observed, way %q, compared %q, mismatches %+v", p.Name, p.Observed, p.Sent, p.Way, p.Compared, p.Mismatches)
		}
	}
	if left := b.workersLeft(t); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
	b.killedWithWorkers(t)
}

// killedWithWorkers kills an attack as soon as its pods are there, and restores it.
func (b *bed) killedWithWorkers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "attack", "http://frontend."+b.namespace+".svc/healthz", "--rate", "20", "--duration", "1m", "--workers-on-cluster", "2",
		"--kubeconfig", b.account, "-n", b.namespace)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir()) // on "another machine" than the restore
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for len(b.workersLeft(t)) < 3 && ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if ctx.Err() != nil {
		t.Fatalf("there were no workers:\n%s", out.String())
	}
	if got := b.execute(t, "restore", "--all", "--now"); got.code != 0 || !strings.Contains(got.stdout, "the workers are gone, with their Job and ConfigMap, and nothing else was changed") {
		t.Errorf("restore: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if left := b.workersLeft(t); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}
