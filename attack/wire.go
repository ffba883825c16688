package attack

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// wire is a connection to which a loop writes. write takes as much as it can without waiting, and returns the rest.
type wire interface {
	write(p []byte) (rest []byte, err error)
	close()
}

// errLate is the error of a request whose time is over.
var errLate = errors.New("there was no complete answer in time")

// isEOF reports whether an error says that the other side has closed the connection in order.
func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// open opens the connection of a link, on a goroutine of its own.
func (l *loop) open(c *link) {
	ctx, cancel := context.WithCancel(l.alive)
	c.cancel = cancel
	l.blocking.Go(func() {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.to.address)
		if err != nil {
			l.post(post{link: c, err: err})
			return
		}
		if c.to.name == "" {
			if plain, err := socketOf(conn); plain != nil || err != nil {
				l.post(post{link: c, opened: plain, err: err})
				return
			}
			l.stream(ctx, c, conn)
			return
		}
		secure, err := l.plan.secure(ctx, conn, c.to.name)
		if err != nil {
			conn.Close()
			l.post(post{link: c, err: err})
			return
		}
		l.stream(ctx, c, secure)
	})
}

// secure begins TLS on a connection.
func (p *Plan) secure(ctx context.Context, conn net.Conn, name string) (*tls.Conn, error) {
	settings := p.TLS.Clone()
	if settings == nil {
		settings = &tls.Config{}
	}
	settings.ServerName = cmp.Or(settings.ServerName, name)
	if p.HTTP2 {
		settings.NextProtos = []string{"h2"}
	}
	secure := tls.Client(conn, settings)
	if err := secure.HandshakeContext(ctx); err != nil {
		var plain tls.RecordHeaderError
		if errors.As(err, &plain) && string(plain.RecordHeader[:]) == "HTTP/" {
			err = fmt.Errorf("%s: %w", errPlainServer, err)
		}
		return nil, err
	}
	return secure, nil
}

// stream is a wire whose reads block, for TLS and for systems on which a loop cannot wait for connections itself.
type stream struct {
	net.Conn
	loop *loop
}

// stream reads a connection until it ends, and tells the loop what it reads.
func (l *loop) stream(ctx context.Context, c *link, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	l.post(post{link: c, opened: &stream{conn, l}})
	buffer, used := make([]byte, 16<<10), make(chan struct{}, 1)
	for {
		n, err := conn.Read(buffer)
		if n > 0 {
			l.post(post{link: c, data: buffer[:n], used: used})
			select {
			case <-used:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			l.post(post{link: c, err: err})
			return
		}
	}
}

// mostAtOnce is how many bytes a write to a connection takes without waiting: all of its requests before were read, so that the buffers of the
// system are empty.
const mostAtOnce = 4 << 10

// write writes the request, or has a goroutine write one that might block. A write fails when the connection has ended, which the goroutine
// that reads it finds, too; it may find an answer first.
func (s *stream) write(p []byte) (rest []byte, err error) {
	if len(p) <= mostAtOnce {
		_, _ = s.Conn.Write(p)
		return nil, nil
	}
	request := append([]byte(nil), p...)
	s.loop.blocking.Go(func() { _, _ = s.Conn.Write(request) })
	return nil, nil
}

func (s *stream) close() { s.Conn.Close() }
