package attack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
)

func TestClassify(t *testing.T) {
	reading := func(err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
	}
	for _, test := range []struct {
		err, ended error
		want       string
	}{
		{context.DeadlineExceeded, context.DeadlineExceeded, Timeout},
		{reading(errnoReset), context.DeadlineExceeded, Timeout},
		{reading(os.ErrDeadlineExceeded), nil, Timeout},
		{context.Canceled, context.Canceled, Canceled},
		{reading(errnoRefused), nil, Refused},
		{reading(errnoReset), nil, Reset},
		{reading(syscall.EPIPE), nil, Closed},
		{io.EOF, nil, Closed},
		{fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", io.ErrUnexpectedEOF), nil, Closed},
		{errors.New("http: server closed idle connection"), nil, Closed},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, nil, Unknown},
		{&tls.CertificateVerificationError{Err: errors.New("x509: certificate signed by unknown authority")}, nil, Secure},
		{errors.New("http: server gave HTTP response to HTTPS client"), nil, Secure},
		{reading(syscall.EMFILE), nil, Full},
		{errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP status code "abc"`), nil, Garbled},
		{errors.New("net/http: server response headers exceeded 10 bytes; aborted"), nil, Garbled},
		{errors.New("what nobody knows"), nil, Other},
	} {
		class := classify(test.err, test.ended)
		if string(class) != test.want {
			t.Errorf("%v (ended: %v): got %q, want %q", test.err, test.ended, class, test.want)
		}
		// http.Client and Vegeta wrap the error, and the class can still be found.
		text := (&url.Error{Op: "Get", URL: "http://frontend/timeout", Err: class}).Error()
		if got := classOf(text); got != test.want {
			t.Errorf("%s: got class %q, want %q", text, got, test.want)
		}
	}
}

func TestClassOfUnknown(t *testing.T) {
	for text, want := range map[string]string{
		"body cut": Cut,
		`Get "http://frontend/": dial tcp: lookup frontend on 10.0.0.10:53: no such host`: Other,
		"": Other,
	} {
		if got := classOf(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
