package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/attack/share"
)

// localCrew are processes of this program on this machine.
type localCrew struct {
	size    int
	folder  string // in which they find what they are told
	workers []localWorker
}

// localWorker is one of them.
type localWorker struct {
	process *exec.Cmd
	out     io.Reader
	said    strings.Builder // on its standard error
}

// Size implements share.Crew.
func (c *localCrew) Size() int { return c.size }

// OneClock implements share.Crew.
func (c *localCrew) OneClock() bool { return true }

// Start implements share.Crew.
func (c *localCrew) Start(ctx context.Context, file string, order []byte, _ time.Duration) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("this program does not know where its file is: %w", err)
	}
	if c.folder, err = os.MkdirTemp("", "hellochaos-workers"); err != nil { // nobody else may read it: a plan may have secrets
		return err
	}
	if err := os.WriteFile(filepath.Join(c.folder, file), order, 0o600); err != nil {
		return err
	}
	c.workers = make([]localWorker, c.size)
	for i := range c.workers {
		w := &c.workers[i]
		w.process = exec.CommandContext(ctx, program, "worker", "--orders", c.folder, "--index", strconv.Itoa(i))
		w.process.Cancel = func() error { return w.process.Process.Signal(os.Interrupt) }
		w.process.WaitDelay = 10 * time.Second
		w.process.Stderr = &w.said
		if w.out, err = w.process.StdoutPipe(); err == nil {
			err = w.process.Start()
		}
		if err != nil {
			return fmt.Errorf("starting worker %d of %d: %w", i+1, c.size, err)
		}
	}
	return nil
}

// Follow implements share.Crew.
func (c *localCrew) Follow(_ context.Context, index int, take func([]byte) error) error {
	w := &c.workers[index]
	lines := bufio.NewScanner(w.out)
	lines.Buffer(nil, share.MostLine)
	var wrong error
	for wrong == nil && lines.Scan() {
		wrong = take(lines.Bytes())
	}
	if wrong = errors.Join(wrong, lines.Err()); wrong != nil {
		_ = w.process.Process.Kill() // what it says cannot be used
	}
	if err := w.process.Wait(); err != nil && wrong == nil {
		return fmt.Errorf("%w%s", err, lastLine(w.said.String()))
	}
	return wrong
}

// Tell implements share.Crew. A worker sees all of a text, or nothing.
func (c *localCrew) Tell(_ context.Context, file, text string) error {
	name := filepath.Join(c.folder, file)
	if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// End implements share.Crew.
func (c *localCrew) End(context.Context) error {
	for i := range c.workers {
		if p := c.workers[i].process; p != nil && p.Process != nil && p.ProcessState == nil {
			_ = p.Process.Kill() // it may have ended meanwhile
			_ = p.Wait()
		}
	}
	return os.RemoveAll(c.folder)
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
