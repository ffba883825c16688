package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hellochaos/hellochaos/reports"
)

// signals returns a context that ends at the first signal. A second signal ends the program at once. If undo holds a command
// then, the program prints it, because that command puts back what the program leaves behind.
func signals(ctx context.Context, undo *atomic.Pointer[string], stderr io.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		select {
		case <-received:
			cancel()
		case <-done:
			return
		}
		if undo.Load() == nil {
			signal.Stop(received) // from now on the system ends the program at a signal
		}
		select {
		case <-received:
			command := undo.Load()
			if command == nil { // meanwhile everything was put back
				os.Exit(reports.ExitAborted)
			}
			fmt.Fprintf(stderr, "hellochaos: a second signal ended the program before the cluster was put back; to put it back, type:\n  %s\n", *command)
			os.Exit(reports.ExitNotRestored)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		close(done)
		cancel()
	}
}

// protection says whether the first signal ends the program at once or only the context of its command. A command asks for
// protection while it has something to end or to put back. Without protection, the program ends at once, also while it reads a
// file, a FIFO or standard input: the end of a context does not interrupt such a read.
type protection struct {
	mutex            sync.Mutex
	protected, ended bool
}

// protectionKey is the key of the protection in the context of a command.
type protectionKey struct{}

// errEnded is the error of a command that a signal has ended.
var errEnded = errors.New("a signal ended the program")

// protect makes the program wait for the command after a signal: from now on, the command must end soon after its context. It
// returns errEnded where a signal has already ended the program.
func protect(ctx context.Context) error {
	p, ok := ctx.Value(protectionKey{}).(*protection)
	if !ok {
		return nil
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.ended {
		return errEnded
	}
	p.protected = true
	return nil
}

// unprotect ends the protection: a signal may interrupt what the command has still to do.
func unprotect(ctx context.Context) {
	if p, ok := ctx.Value(protectionKey{}).(*protection); ok {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.protected = false
	}
}

// end reports whether a signal ends the program at once. After that, the command can no longer ask for protection.
func (p *protection) end() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.ended = !p.protected
	return p.ended
}

// interruptible runs a command in a context that ends at the first signal. When the signal comes while the command is not
// protected, interruptible returns errEnded at once; otherwise it waits for the command.
func interruptible(ctx context.Context, command func(context.Context) error) error {
	p := &protection{}
	finished := make(chan error, 1)
	go func() { finished <- command(context.WithValue(ctx, protectionKey{}, p)) }()
	select {
	case err := <-finished:
		return err
	case <-ctx.Done():
		if p.end() {
			return errEnded
		}
		return <-finished
	}
}
