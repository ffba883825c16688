package attack

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// Error classes of a request without a whole answer. There are no others, whatever the texts of the errors were.
const (
	Timeout  = "timeout"            // no whole answer within Plan.Timeout
	Refused  = "connection refused" // nobody listens there
	Reset    = "connection reset"   // the peer reset the connection before the answer began
	Closed   = "connection closed"  // the peer closed the connection before the answer began
	Cut      = "body cut"           // the answer began and its body did not end
	Canceled = "canceled"           // given up by the attack's own abort; never observed
	Other    = "other"              // anything else: unknown host, not HTTP, TLS
)

// failure is an error that has no more to say than its class, so that the class survives Vegeta, which passes errors
// on as text.
type failure string

// Error is the class.
func (f failure) Error() string { return string(f) }

// errServerClosedIdle is the text of net/http's unexported error for a reused connection that turned out closed.
const errServerClosedIdle = "http: server closed idle connection"

// classify is the class of what the transport said of a request whose context ended with ended, or is nil.
func classify(err, ended error) failure {
	var timeout net.Error
	switch {
	case errors.Is(ended, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case ended != nil:
		return Canceled
	case errors.Is(err, errnoRefused):
		return Refused
	case errors.Is(err, errnoReset):
		return Reset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE),
		strings.Contains(err.Error(), errServerClosedIdle):
		return Closed
	}
	return Other
}

// classOf is the class at the end of a Vegeta result's error, `Get "http://frontend/": timeout`.
func classOf(text string) string {
	for _, class := range [...]string{Timeout, Refused, Reset, Closed, Cut, Canceled} {
		if strings.HasSuffix(text, class) {
			return class
		}
	}
	return Other
}
