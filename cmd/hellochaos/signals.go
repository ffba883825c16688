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

// signals ends ctx at the first signal, and the program at the second one: at once, and with the command that undoes what
// it leaves behind, if it would leave anything.
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
			signal.Stop(received) // a second signal ends the program as the system does
		}
		select {
		case <-received:
			command := undo.Load()
			if command == nil { // all is put back by now
				os.Exit(reports.ExitAborted)
			}
			fmt.Fprintf(stderr, "hellochaos: ended in the middle; to put the cluster back:\n  %s\n", *command)
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

// grip says whether the command holds something that it must end itself, or put back, when a signal comes. Without it the
// first signal ends the program at once, even while a file, a FIFO or standard input is read: no context ends that.
type grip struct {
	mutex       sync.Mutex
	held, ended bool
}

// gripKey is where run's context has the grip.
type gripKey struct{}

// errEnded is of a command that would take hold of something after a signal has ended the program.
var errEnded = errors.New("a signal ended the program")

// hold says that from now on the command itself ends soon after ctx does.
func hold(ctx context.Context) error {
	g, ok := ctx.Value(gripKey{}).(*grip)
	if !ok {
		return nil
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.ended {
		return errEnded
	}
	g.held = true
	return nil
}

// release takes hold back: what is left to do may be ended in the middle.
func release(ctx context.Context) {
	if g, ok := ctx.Value(gripKey{}).(*grip); ok {
		g.mutex.Lock()
		defer g.mutex.Unlock()
		g.held = false
	}
}

// end reports whether a signal ends the program at once; when it does, nothing can be held any more.
func (g *grip) end() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.ended = !g.held
	return g.ended
}

// interruptible runs a command in a context that signals end. It returns errEnded at once when a signal comes while the command
// holds nothing.
func interruptible(ctx context.Context, command func(context.Context) error) error {
	g := &grip{}
	finished := make(chan error, 1)
	go func() { finished <- command(context.WithValue(ctx, gripKey{}, g)) }()
	select {
	case err := <-finished:
		return err
	case <-ctx.Done():
		if g.end() {
			return errEnded
		}
		return <-finished
	}
}
