package service

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// long is longer than any test here takes. short is a limit for which a test waits.
const long, short = 30 * time.Second, 50 * time.Millisecond

// patient are limits that no test reaches.
var patient = Limits{Head: long, Body: long, Write: long, Idle: long, HeadBytes: 8 << 10}

// serveLimited serves a service with limits, and returns its address.
func serveLimited(t *testing.T, config Config, limits Limits) string {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, ended := limits.Server(s), make(chan error, 1)
	go func() { ended <- server.Serve(limits.Listener(listener)) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve = %v, want the server's end", err)
		}
		s.Close()
	})
	return listener.Addr().String()
}

// dial connects to address and sends text. Reads from the connection fail after long.
func dial(t *testing.T, address, text string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(long))
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	return connection
}

// status200 reads an answer, which must have status 200.
func status200(t *testing.T, reader *bufio.Reader) {
	t.Helper()
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 200 {
		t.Errorf("status %d, %v; want 200", response.StatusCode, err)
	}
}

// everyRole is a configuration of each role.
var everyRole = []Config{
	{Role: Chain, Service: "one", Version: "a", Upstream: "http://127.0.0.1:1/"},
	{Role: Clock},
	{Role: Script, Service: "one", Version: "a"},
	{Role: Relay, Service: "one", Version: "a"},
}

// In every role the connection is closed when the body does not come in time. Most roles answer first.
func TestABodyThatNeverComesEndsItsConnection(t *testing.T) {
	limits := patient
	limits.Body = short
	for _, config := range everyRole {
		t.Run(string(config.Role), func(t *testing.T) {
			t.Parallel()
			address := serveLimited(t, config, limits)
			open := map[string]net.Conn{}
			for _, path := range []string{"/", "/healthz", "/readyz", "/metrics", "/spans", "/probe/?host=a.hellochaos.invalid"} {
				for _, request := range []string{
					"GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 100\r\n\r\n",
					"POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 100\r\n\r\nbegun",
					"POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1:1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n",
					"POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1:1\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n",
				} {
					open[request] = dial(t, address, request)
				}
			}
			for request, connection := range open {
				if _, err := io.Copy(io.Discard, connection); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%q: the connection is open after %v", request, long)
				}
			}
		})
	}
}

func TestAHeadThatDoesNotEndEndsItsConnection(t *testing.T) {
	limits := patient
	limits.Head = short
	address := serveLimited(t, Config{Role: Clock}, limits)
	for _, text := range []string{"", "GET / HT", "GET / HTTP/1.1\r\nHost: one\r\n", "GET / HTTP/1.1\r\nHost: one\r\n\r\nGET /"} {
		if _, err := io.Copy(io.Discard, dial(t, address, text)); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: the connection is open after %v", text, long)
		}
	}
}

func TestAnIdleConnectionEnds(t *testing.T) {
	limits := patient
	limits.Idle = short
	connection := dial(t, serveLimited(t, Config{Role: Clock}, limits), "GET / HTTP/1.1\r\nHost: one\r\n\r\n")
	if _, err := io.Copy(io.Discard, connection); err != nil {
		t.Errorf("reading to the connection's end: %v", err)
	}
}

// A caller that reads no answer cannot make the server wait for it.
func TestAnAnswerThatNobodyTakesEndsItsConnection(t *testing.T) {
	limits := patient
	limits.Write = short
	connection := dial(t, serveLimited(t, Config{Role: Clock}, limits), "")
	requests := strings.Repeat("GET /metrics HTTP/1.1\r\nHost: one\r\n\r\n", 100)
	for {
		if _, err := io.WriteString(connection, requests); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the connection is open after %v", long)
		} else if err != nil {
			return
		}
	}
}

// The limits are for callers: a try itself may take longer than the limits of its body and of its answer.
func TestLimitsDoNotCutATry(t *testing.T) {
	limits := patient
	limits.Body, limits.Write = time.Second, time.Second
	address := serveLimited(t, Config{Role: Script, Service: "one", Version: "a", Hang: 1500 * time.Millisecond}, limits)
	connection := dial(t, address, "POST / HTTP/1.1\r\nHost: one\r\nX-Hellochaos-Script: hang\r\nContent-Length: 4\r\n\r\nbody")
	reader := bufio.NewReader(connection)
	status200(t, reader)
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: one\r\nX-Hellochaos-Script: hang\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	status200(t, reader)
}

// A handler that waits before it reads still has the whole time for the body.
func TestTheTimeOfABodyBeginsWhenItIsRead(t *testing.T) {
	limits := patient
	limits.Body = time.Second
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked, sent := make(chan struct{}), make(chan struct{})
	server := limits.Server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-sent
		wait(r.Context(), 1500*time.Millisecond)
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != "body" {
			t.Errorf("the body is %q, %v", body, err)
		}
	}))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(limits.Listener(listener)) }()
	connection := dial(t, listener.Addr().String(), "POST / HTTP/1.1\r\nHost: one\r\nContent-Length: 4\r\n\r\n")
	<-asked
	if _, err := io.WriteString(connection, "body"); err != nil {
		t.Error(err)
	}
	close(sent)
	status200(t, bufio.NewReader(connection))
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	<-ended
}

func TestALargeHeadIsRefused(t *testing.T) {
	address := serveLimited(t, Config{Role: Clock}, patient)
	const first = "GET / HTTP/1.1\r\nHost: one\r\nX-A: "
	for _, test := range []struct{ size, status int }{{patient.HeadBytes, 200}, {patient.HeadBytes + 1, 431}, {900 << 10, 431}} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = connection.SetDeadline(time.Now().Add(long))
		go func() { // fails if the server does not read all of it
			_, _ = io.WriteString(connection, first+strings.Repeat("a", test.size-len(first)-4)+"\r\n\r\n")
		}()
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil || response.StatusCode != test.status || response.Close != (test.status == 431) {
			t.Errorf("a head of %d bytes: %+v, %v; want %d, and an end where it is refused", test.size, response, err, test.status)
		}
		_ = connection.Close()
	}
}

func TestConnectionsBeyondTheBoundWait(t *testing.T) {
	limits := patient
	limits.Connections = 2
	address := serveLimited(t, Config{Role: Script, Service: "one", Version: "a"}, limits)
	const request = "GET / HTTP/1.1\r\nHost: one\r\n\r\n"
	first, second := dial(t, address, request), dial(t, address, request)
	status200(t, bufio.NewReader(first))
	status200(t, bufio.NewReader(second))
	third := dial(t, address, request)
	_ = third.SetReadDeadline(time.Now().Add(short))
	if _, err := third.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection beyond the bound: %v, want nothing while the others are open", err)
	}
	_ = third.SetReadDeadline(time.Now().Add(long))
	if _, err := io.WriteString(first, "GET / HTTP/1.1\r\nHost: one\r\nX-Hellochaos-Script: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	status200(t, bufio.NewReader(third)) // the first was hijacked and closed
	fourth := dial(t, address, request)
	_ = second.Close()
	status200(t, bufio.NewReader(fourth))
}

// Closing the listener ends the wait for the end of a connection.
func TestCloseEndsTheWaitForASlot(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := Limits{Connections: 1}.Listener(inner)
	dial(t, inner.Addr().String(), "")
	connection, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	ended := make(chan error, 1)
	go func() { _, err := listener.Accept(); ended <- err }()
	_ = listener.Close()
	_ = listener.Close() // a second Close does no harm
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept = %v, want %v", err, net.ErrClosed)
	}
}

// With limits, a script can still reset the TCP connection.
func TestAScriptResetsALimitedConnection(t *testing.T) {
	address := serveLimited(t, Config{Role: Script, Service: "one", Version: "a"}, patient)
	for script, want := range map[string]error{"reset": syscall.ECONNRESET, "close": io.EOF} {
		connection := dial(t, address, fmt.Sprintf("GET / HTTP/1.1\r\nHost: one\r\nX-Hellochaos-Script: %s\r\n\r\n", script))
		if _, err := connection.Read(make([]byte, 1)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", script, err, want)
		}
	}
}

// No pool of connections that hellochaos or Envoy keeps may be idle for longer than the server allows.
func TestConnectionsAreIdleLongerThanInAnyPool(t *testing.T) {
	const envoy = time.Hour
	if own := newTransport().IdleConnTimeout; DefaultLimits.Idle <= envoy || DefaultLimits.Idle <= own {
		t.Errorf("connections may be idle for %v: want more than Envoy's %v and our own %v", DefaultLimits.Idle, envoy, own)
	}
}
