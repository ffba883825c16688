package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// afterAll are functions that end what several tests share.
var afterAll = func() error { return nil }

// program is the built command. The tests that send load run it as users do: a build with the race detector is too
// slow to keep a schedule.
var program string

func TestMain(m *testing.M) {
	os.Unsetenv("GITHUB_STEP_SUMMARY") // in GitHub's Actions it names the summary of the real job
	if os.Getenv(signalled) != "" {
		os.Exit(m.Run())
	}
	folder, err := os.MkdirTemp("", "hellochaos")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(folder, "hellochaos")
	code := 1
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building hellochaos: %v\n%s", err, out)
	} else {
		code = m.Run()
		if err := afterAll(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.RemoveAll(folder)
	os.Exit(code)
}

// ended is the output and the exit code of the program.
type ended struct {
	stdout, stderr string
	code           int
}

// execute runs the program to its end.
func execute(t *testing.T, args ...string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("hellochaos %v: %v", args, err)
	}
	return ended{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
