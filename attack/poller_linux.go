package attack

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poller waits for connections and for the next planned start, by epoll. Go's own timers are as exact as a millisecond, and its own waiting for
// connections costs a switch of goroutines for each answer.
type poller struct {
	epoll, event int     // descriptors
	links        []*link // by the descriptors of their sockets
	ready        []unix.EpollEvent
}

func newPoller() (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, event, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(event)})
	}
	if err != nil {
		unix.Close(epoll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	return &poller{epoll: epoll, event: event, ready: make([]unix.EpollEvent, 128)}, nil
}

// close ends the poller. The loop has no connections any more.
func (p *poller) close() {
	unix.Close(p.event)
	unix.Close(p.epoll)
}

// exact makes the timers of this thread exact, which are late by up to 50 µs otherwise, and returns how to undo it.
func (p *poller) exact() (undo func()) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it, requests leave a little later
	return func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }
}

// wake ends a wait. Any goroutine may call it.
func (p *poller) wake() {
	one := [8]byte{1}
	_, _ = unix.Write(p.event, one[:]) // it fails only when so many wakes are pending already that one more changes nothing
}

// wait waits for so long at most, below 0 without end, and handles what comes.
func (p *poller) wait(most time.Duration, l *loop) {
	n := p.poll()
	if n == 0 && most != 0 {
		var until *unix.Timespec
		if most > 0 {
			t := unix.NsecToTimespec(int64(most))
			until = &t
		}
		_, _ = unix.Ppoll([]unix.PollFd{{Fd: int32(p.epoll), Events: unix.POLLIN}}, until, nil) // an interrupted wait is a short one
		n = p.poll()
	}
	for _, e := range p.ready[:n] {
		switch {
		case int(e.Fd) == p.event:
			var count [8]byte
			_, _ = unix.Read(p.event, count[:])
		case p.links[e.Fd] != nil:
			c := p.links[e.Fd]
			if e.Events&unix.EPOLLOUT != 0 {
				l.goOn(c)
			}
			if e.Events&^unix.EPOLLOUT != 0 && !c.gone {
				p.read(c, l)
			}
		}
	}
}

// poll is how many connections are ready.
func (p *poller) poll() int {
	n, err := unix.EpollWait(p.epoll, p.ready, 0)
	if err != nil {
		return 0 // interrupted
	}
	return n
}

// add begins to wait for a connection.
func (p *poller) add(c *link) error {
	s, ok := c.wire.(socket)
	if !ok {
		return nil
	}
	if grown := int(s) + 1 - len(p.links); grown > 0 {
		p.links = append(p.links, make([]*link, grown)...)
	}
	p.links[s] = c
	return p.control(unix.EPOLL_CTL_ADD, s, unix.EPOLLIN)
}

func (p *poller) control(operation int, s socket, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.epoll, operation, int(s), &unix.EpollEvent{Events: events, Fd: int32(s)}))
}

// writable begins or ends to wait until a connection takes more.
func (p *poller) writable(c *link, wait bool) {
	if s, ok := c.wire.(socket); ok {
		events := uint32(unix.EPOLLIN)
		if wait {
			events |= unix.EPOLLOUT
		}
		_ = p.control(unix.EPOLL_CTL_MOD, s, events) // the descriptor is there, and has no other events
	}
}

// remove ends to wait for a connection that is about to be closed.
func (p *poller) remove(c *link) {
	if s, ok := c.wire.(socket); ok {
		p.links[s] = nil
	}
}

// read reads what a connection has, and hands it to the loop.
func (p *poller) read(c *link, l *loop) {
	s, ok := c.wire.(socket)
	if !ok {
		return
	}
	n, err := syscall.Read(int(s), l.buffer) // package syscall tells the race detector who wrote what was read
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
	case err != nil:
		l.received(c, nil, os.NewSyscallError("read", err), l.now())
	case n == 0:
		l.received(c, nil, io.EOF, l.now())
	default:
		l.received(c, l.buffer[:n], nil, l.now())
	}
}

// socket is a wire that never blocks: the descriptor of a connection of TCP.
type socket int

// socketOf takes the socket of a connection out of Go's hands.
func socketOf(conn net.Conn) (wire, error) {
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	descriptor := -1
	var failed error
	err = raw.Control(func(fd uintptr) { descriptor, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	return socket(descriptor), nil
}

func (s socket) write(p []byte) (rest []byte, err error) {
	for len(p) > 0 {
		n, err := syscall.Write(int(s), p)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return p, nil
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return p, os.NewSyscallError("write", err)
		default:
			p = p[n:]
		}
	}
	return nil, nil
}

func (s socket) close() { unix.Close(int(s)) }
