//go:build !linux

package attack

import (
	"net"
	"time"
)

// poller waits for the next planned start and for what goroutines post: on this system each connection has one that reads it.
type poller struct {
	timer *time.Timer
	woken chan struct{}
}

func newPoller() (*poller, error) {
	p := &poller{timer: time.NewTimer(time.Hour), woken: make(chan struct{}, 1)}
	p.timer.Stop()
	return p, nil
}

func (p *poller) close() {}

func (p *poller) exact() (undo func()) { return func() {} }

// wake ends a wait. Any goroutine may call it.
func (p *poller) wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

// wait waits for so long at most, below 0 without end, or until wake is called.
func (p *poller) wait(most time.Duration, _ *loop) {
	switch {
	case most == 0:
		return
	case most > 0:
		p.timer.Reset(most)
		defer p.timer.Stop()
	}
	select {
	case <-p.woken:
	case <-p.timer.C:
	}
}

func (p *poller) add(*link) error { return nil }

func (p *poller) writable(*link, bool) {}

func (p *poller) remove(*link) {}

func (p *poller) read(*link, *loop) {}

// socketOf leaves every connection to Go.
func socketOf(net.Conn) (wire, error) { return nil, nil }
