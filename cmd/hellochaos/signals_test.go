//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hellochaos/hellochaos/reports"
)

// A first signal ends a command that waits for input: of a FIFO whose writer does not write, or of standard input without an end.
func TestSignalWhileReading(t *testing.T) {
	folder := t.TempDir()
	fifo := filepath.Join(folder, "retry.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  string
		stdin bool
	}{
		{args: "report " + fifo}, {args: "compare-reports " + fifo + " " + fifo}, {args: "run retry --manifests " + folder},
		{args: "run retry -f " + fifo}, {args: "up retry --manifests " + folder}, {args: "up -f " + folder},
		{args: "report -", stdin: true}, {args: "compare - " + folder, stdin: true}, {args: "run retry -f -", stdin: true},
	} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(strings.ReplaceAll(c.args, folder, "DIR")+" "+signal.String(), func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), program, strings.Fields(c.args)...)
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				input, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				if c.stdin { // this is more than a pipe holds, so the write ends only when the program reads
					_, err = io.WriteString(input, strings.Repeat("#", 200_000))
				} else { // the FIFO opens for writing only when the program has opened it for reading
					var writer *os.File
					if writer, err = os.OpenFile(fifo, os.O_WRONLY, 0); err == nil {
						defer writer.Close()
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				_ = cmd.Wait()
				got := ended{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
				if want := (ended{"", "hellochaos: a signal ended the program\n", reports.ExitAborted}); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			})
		}
	}
}

// A signal does not end a protected command at once, and after a signal has ended the program no command gets protection.
func TestProtection(t *testing.T) {
	p := &protection{}
	ctx := context.WithValue(t.Context(), protectionKey{}, p)
	if err := protect(ctx); err != nil || p.end() {
		t.Fatalf("protect: %v; a signal ends a protected command at once: %v", err, p.ended)
	}
	unprotect(ctx)
	if !p.end() {
		t.Error("a signal does not end an unprotected command at once")
	}
	if err := protect(ctx); err != errEnded {
		t.Errorf("protect after the end: %v, want errEnded", err)
	}
}
