package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/attack/gauge"
	"github.com/hellochaos/hellochaos/reports/load"
)

const (
	// mostWorkers is how many processes one machine is asked to run.
	mostWorkers = 64
	// workersBegin is how long workers have from their start until the instant at which all of them begin.
	workersBegin = 700 * time.Millisecond
)

// checkWorkers refuses what --workers-local cannot do.
func (f *attackFlags) checkWorkers(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("workers-local") || f.part != "" {
		return nil
	}
	var problems []error
	if f.local < 2 || f.local > mostWorkers {
		problems = append(problems, fmt.Errorf("--workers-local %d: must be a number from 2 to %d", f.local, mostWorkers))
	}
	for _, flag := range []string{"output", "capacity", "abort-on-fail"} {
		if cmd.Flags().Changed(flag) {
			problems = append(problems, fmt.Errorf("--%s: is not possible with --workers-local: what one process alone knows is not handed on", flag))
		}
	}
	if f.targets == "-" {
		problems = append(problems, errors.New("--targets -: with --workers-local, each process reads the targets, so they must be in a file"))
	}
	return errors.Join(problems...)
}

// readPart reads the hidden flag by which a process knows which part of the attack it has.
func (f *attackFlags) readPart(o *gauge.Options) error {
	if f.part == "" {
		return nil
	}
	index, of, ok := strings.Cut(f.part, "/")
	var begin int64
	var wrong [3]error
	o.Part, wrong[0] = strconv.Atoi(index)
	o.Parts, wrong[1] = strconv.Atoi(of)
	begin, wrong[2] = strconv.ParseInt(f.begin, 10, 64)
	if err := errors.Join(wrong[:]...); !ok || err != nil {
		return fmt.Errorf("--part %s --begin %s: must be as the process that starts workers writes it", f.part, f.begin)
	}
	o.Begin = time.Unix(0, begin)
	return nil
}

// workers has several processes of this program send the attack, and merges what they count.
func (f *attackFlags) workers(ctx context.Context, a *gauge.Attack, tell func(gauge.Progress)) (*load.Report, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("--workers-local: this program does not know where its file is: %w", err)
	}
	begin := time.Now().Add(workersBegin)
	return a.Merge(ctx, f.local, tell, func(ctx context.Context, index int, lines func(io.Reader) error) error {
		args := append(append([]string{}, os.Args[1:]...), fmt.Sprintf("--part=%d/%d", index, f.local), fmt.Sprintf("--begin=%d", begin.UnixNano()))
		worker := exec.CommandContext(ctx, program, args...)
		worker.Cancel = func() error { return worker.Process.Signal(os.Interrupt) }
		worker.WaitDelay = 10 * time.Second
		out, err := worker.StdoutPipe()
		if err != nil {
			return err
		}
		var said strings.Builder
		worker.Stderr = &said
		if err := worker.Start(); err != nil {
			return err
		}
		read := lines(out)
		if err := worker.Wait(); err != nil {
			return fmt.Errorf("%w%s", err, lastLine(said.String()))
		}
		return read
	})
}

// lastLine is the last line that says something of what a worker wrote to its standard error.
func lastLine(text string) string {
	last := ""
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "nothing was started") {
			last = ": " + line
		}
	}
	return last
}

// work sends the part of the attack that this process has, for the process that started it.
func (f *attackFlags) work(cmd *cobra.Command, a *gauge.Attack) error {
	if err := protect(cmd.Context()); err != nil {
		return err
	}
	if err := a.Work(cmd.Context(), cmd.OutOrStdout()); err != nil {
		return failure{err}
	}
	return nil
}
