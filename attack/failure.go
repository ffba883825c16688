package attack

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// Classes of the errors by which a request gets no complete answer. Every error is in one of them.
const (
	Timeout  = "timeout"            // no complete answer within Plan.Timeout
	Refused  = "connection refused" // no process listens at the address
	Reset    = "connection reset"   // the peer reset the connection before the answer began
	Closed   = "connection closed"  // the peer closed the connection before the answer began
	Cut      = "body cut"           // the answer began, but its body did not come to its end
	Canceled = "canceled"           // the attack itself was aborted; such a request is never observed
	Unknown  = "name not resolved"  // the name of the host has no address
	Secure   = "TLS failed"         // no secure connection came about: the certificate, the version, or a server without TLS
	Garbled  = "malformed answer"   // what came is no answer of HTTP, or one with a head that is too large
	Full     = "no file or port"    // this machine has no file or no local port left for a connection
	Other    = "other"              // every other error
)

// failure is the class of an error.
type failure string

// Error is the class.
func (f failure) Error() string { return string(f) }

// errServerClosedIdle is the text of an unexported error of net/http, for a reused connection that the server has closed.
const errServerClosedIdle = "http: server closed idle connection"

// Parts of texts of net/http and crypto/tls, whose errors have no common types.
const (
	errHeadTooLarge = "server response headers exceeded"
	errPlainServer  = "server gave HTTP response to HTTPS client"
	errTLS          = "tls: " // the certificate, the version, and what the other side complains of
)

// classify returns the class of err, the error of the transport for a request. ended is the error of the context of the request,
// nil if the context has not ended.
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
	case errors.As(err, new(*net.DNSError)):
		return Unknown
	case strings.Contains(err.Error(), errTLS), strings.Contains(err.Error(), errPlainServer):
		return Secure
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return Full
	case strings.Contains(err.Error(), "malformed"), strings.Contains(err.Error(), errHeadTooLarge):
		return Garbled
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE),
		strings.Contains(err.Error(), errServerClosedIdle):
		return Closed
	}
	return Other
}

// classOf is the class at the end of a Vegeta result's error, `Get "http://frontend/": timeout`.
func classOf(text string) string {
	for _, class := range [...]string{Timeout, Refused, Reset, Closed, Cut, Canceled, Unknown, Secure, Garbled, Full} {
		if strings.HasSuffix(text, class) {
			return class
		}
	}
	return Other
}
