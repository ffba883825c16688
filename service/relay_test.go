package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// wire is a server that keeps the head of the request, answers with the given bytes and closes the connection. For the answer
// "reset" it resets the connection.
func wire(t *testing.T, answer string) (address string, received chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	received = make(chan string, 10)
	ended := make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			received <- message(connection)
			if answer == "reset" {
				_ = connection.(*net.TCPConn).SetLinger(0)
			} else {
				_, _ = io.WriteString(connection, answer)
			}
			_ = connection.Close()
		}
	}()
	return listener.Addr().String(), received
}

// message reads a request with its body, word for word.
func message(connection net.Conn) string {
	var text strings.Builder
	request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(connection, &text)))
	if err == nil {
		_, err = io.Copy(io.Discard, request.Body)
	}
	if err != nil {
		return err.Error()
	}
	return text.String()
}

// exchange writes bytes to a relay and returns all that it writes back.
func exchange(t *testing.T, relay place, request string) (string, error) {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(relay.url, "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(connection)
	return string(text), err
}

func newRelay(t *testing.T) place {
	return open(t, Config{Service: "caller", Version: "v1", Role: Relay})
}

func TestRelaySendsOnWordForWord(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, test := range []struct{ name, request, want string }{
		{"nothing is added", "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"},
		{"a target as it is", "GET /a\\b/%2e%2E/../c%20?x=%2e&y HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
			"GET /a\\b/%2e%2E/../c%20?x=%2e&y HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"},
		{"a target that looks like a host", "GET //a/b HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
			"GET http://HOST//a/b HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"},
		{"a proxy's headers", "GET / HTTP/1.1\r\nHost: HOST\r\nX-Envoy-Attempt-Count: 7\r\nx-a: 1\r\nx-a: \r\nConnection: close\r\nCookie: c\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: HOST\r\nCookie: c\r\nX-A: 1\r\nX-A: \r\nX-Envoy-Attempt-Count: 7\r\nConnection: close\r\n\r\n"},
		{"a connection's headers", "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close, x-b\r\nX-B: 1\r\nX-C: 2\r\nKeep-Alive: 1\r\nTE: trailers\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: HOST\r\nX-C: 2\r\nConnection: close\r\n\r\n"},
		{"a body", "POST /p HTTP/1.1\r\nHost: HOST\r\nUser-Agent: u\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
			"POST /p HTTP/1.1\r\nHost: HOST\r\nUser-Agent: u\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"},
		{"a body in chunks", "BREW /p HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
			"BREW /p HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			address, received := wire(t, ok)
			s := newRelay(t)
			answer, err := exchange(t, s, strings.ReplaceAll(test.request, "HOST", address))
			if err != nil || !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") {
				t.Fatalf("relay answered %q, %v", answer, err)
			}
			if got, want := <-received, strings.ReplaceAll(test.want, "HOST", address); got != want {
				t.Errorf("received\n%q, want\n%q", got, want)
			}
			if got := total(counted(t, s.url)); got != 0 {
				t.Errorf("counted %d tries, want none: a relay is no hop", got)
			}
		})
	}
}

func TestRelayHandsBackWordForWord(t *testing.T) {
	const ask = "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
	for _, test := range []struct{ name, answer, want string }{
		{"a redirect", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /x\r\nConnection: close\r\n\r\n"},
		{"a body", "HTTP/1.1 503 Service Unavailable\r\nServer: envoy\r\nX-A: 1\r\nX-A: 2\r\nDate: then\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno",
			"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nDate: then\r\nServer: envoy\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\nno"},
		{"a connection's headers", "HTTP/1.1 200 OK\r\nKeep-Alive: 5\r\nConnection: close\r\n\r\nbody",
			"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"},
	} {
		t.Run(test.name, func(t *testing.T) {
			address, _ := wire(t, test.answer)
			got, err := exchange(t, newRelay(t), strings.ReplaceAll(ask, "HOST", address))
			if err != nil || got != test.want {
				t.Errorf("relay answered\n%q %v, want\n%q", got, err, test.want)
			}
		})
	}
}

func TestRelayBreaksItsConnectionAsItsOwnBroke(t *testing.T) {
	refused := func() string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		return listener.Addr().String()
	}
	closed, _ := wire(t, "")
	reset, _ := wire(t, "reset")
	half, _ := wire(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
	for _, test := range []struct {
		name, address string
		reset         bool
	}{
		{"closed", closed, false},
		{"reset", reset, true},
		{"refused", refused(), false},
		{"half an answer", half, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := exchange(t, newRelay(t), fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\n\r\n", test.address))
			if got != "" || errors.Is(err, syscall.ECONNRESET) != test.reset || err != nil && !test.reset {
				t.Errorf("relay answered %q, %v; want nothing, and a reset: %v", got, err, test.reset)
			}
		})
	}
}

// When the caller closes its connection, the request of the relay ends.
func TestRelayEndsWithItsCaller(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	rec := &recorder{answer: func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	}}
	upstream := listen(t, rec)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, newRelay(t).url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host, request.Close = strings.TrimPrefix(upstream, "http://"), true
	if _, err := new(http.Transport).RoundTrip(request); !errors.Is(err, context.Canceled) {
		t.Fatalf("the call ended with %v, want its cancellation", err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the relay's request goes on 10s after its caller left")
	}
}

func TestRelayAnswersForItself(t *testing.T) {
	s := newRelay(t)
	for _, path := range []string{"healthz", "readyz", "metrics"} {
		if got := get(t, s.url+path).StatusCode; got != 200 {
			t.Errorf("/%s = %d, want 200", path, got)
		}
	}
	if got := get(t, s.url+"probe/?host=no").StatusCode; got != 400 {
		t.Errorf("%s = %d, want 400", trail.ProbePath, got)
	}
}

func FuzzRelayTarget(f *testing.F) {
	for _, target := range []string{"/", "//a", "/a?b#c", "/%zz", "*", "http://x/y", "/a b"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		text := "GET " + target + " HTTP/1.1\r\nHost: one\r\n\r\n"
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil || r.Method != http.MethodGet || r.Host != "one" {
			return
		}
		want := r.RequestURI
		if strings.HasPrefix(want, "//") {
			want = "http://one" + want
		}
		var line strings.Builder
		if err := onward(r).Write(&line); err != nil {
			return // net/http refuses to write what a proxy would refuse to read
		}
		if got, _, _ := strings.Cut(line.String(), "\r\n"); got != "GET "+want+" HTTP/1.1" {
			t.Errorf("sent on %q as %q", r.RequestURI, got)
		}
	})
}
