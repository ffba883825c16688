package mesh

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// peer is a server whose connections a test handles.
type peer struct {
	upstream *upstream
	requests atomic.Int64
}

// newPeer serves connection n, counted from 1, by handle, which gets a reader that counts the requests it reads.
func newPeer(t *testing.T, handle func(n int, conn net.Conn, read func() (*http.Request, error))) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{upstream: &upstream{address: listener.Addr().String()}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				handle(n, conn, func() (*http.Request, error) {
					r, err := http.ReadRequest(reader)
					if err == nil {
						p.requests.Add(1)
					}
					return r, err
				})
			})
		}
	})
	t.Cleanup(func() {
		p.upstream.close()
		listener.Close()
		serving.Wait()
		if active := p.upstream.active.Load(); active != 0 {
			t.Errorf("%d requests are still active", active)
		}
	})
	return p
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// fetch sends a request and reads its answer whole.
func (p *peer) fetch(ctx context.Context, request *outgoing, perTry time.Duration) (string, error) {
	response, err := p.upstream.send(ctx, request, perTry)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func getRoot() *outgoing { return &outgoing{method: http.MethodGet, path: "/", host: "one"} }

func TestUpstreamReplacesConnectionThatWasClosed(t *testing.T) {
	closed := make(chan struct{})
	p := newPeer(t, func(n int, conn net.Conn, read func() (*http.Request, error)) {
		if _, err := read(); err == nil {
			io.WriteString(conn, okAnswer)
		}
		if n == 1 {
			conn.Close()
			close(closed)
		}
	})
	for i := range 2 {
		if body, err := p.fetch(t.Context(), getRoot(), 0); body != "ok" || err != nil {
			t.Fatalf("request %d: got %q, %v, want ok", i+1, body, err)
		}
		<-closed
	}
	if got := p.requests.Load(); got != 2 {
		t.Errorf("got %d requests, want 2", got)
	}
}

func TestUpstreamKeepsConnection(t *testing.T) {
	var connections atomic.Int64
	p := newPeer(t, func(n int, conn net.Conn, read func() (*http.Request, error)) {
		connections.Add(1)
		for {
			if _, err := read(); err != nil {
				return
			}
			io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n"+okAnswer)
		}
	})
	for range 3 {
		if body, err := p.fetch(t.Context(), getRoot(), 10*time.Second); body != "ok" || err != nil {
			t.Fatalf("got %q, %v, want ok", body, err)
		}
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}

func TestUpstreamNeverSendsTwice(t *testing.T) {
	p := newPeer(t, func(n int, conn net.Conn, read func() (*http.Request, error)) {
		if _, err := read(); err == nil {
			io.WriteString(conn, okAnswer)
		}
		read() // the second request gets no answer
	})
	if _, err := p.fetch(t.Context(), getRoot(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := p.fetch(t.Context(), getRoot(), 0); !errors.Is(err, errReset) {
		t.Errorf("got error %v, want %v", err, errReset)
	}
	if got := p.requests.Load(); got != 2 {
		t.Errorf("got %d requests, want 2", got)
	}
}

func TestUpstreamEndsWaiting(t *testing.T) {
	ended := make(chan error, 2)
	read := make(chan struct{}, 2)
	p := newPeer(t, func(n int, conn net.Conn, readRequest func() (*http.Request, error)) {
		readRequest()
		read <- struct{}{}
		_, err := conn.Read(make([]byte, 1))
		ended <- err
	})
	if _, err := p.fetch(t.Context(), getRoot(), 20*time.Millisecond); !errors.Is(err, errPerTryTimeout) {
		t.Errorf("per-try timeout: got error %v, want %v", err, errPerTryTimeout)
	}
	if err := <-ended; err == nil {
		t.Error("the peer's connection outlived the per-try timeout")
	}
	<-read
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-read; cancel() }()
	if _, err := p.fetch(ctx, getRoot(), 0); err == nil {
		t.Error("cancelled: got no error")
	}
	if err := <-ended; err == nil {
		t.Error("the peer's connection outlived the context")
	}
}

func TestUpstreamCannotConnect(t *testing.T) {
	u := &upstream{address: refusing(t)}
	if _, err := u.send(t.Context(), getRoot(), 0); !errors.Is(err, errConnect) {
		t.Errorf("got error %v, want %v", err, errConnect)
	}
}

func TestUpstreamSendsBodies(t *testing.T) {
	got := make(chan string, 1)
	p := newPeer(t, func(n int, conn net.Conn, read func() (*http.Request, error)) {
		for {
			r, err := read()
			if err != nil {
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			got <- string(body) + " " + strings.Join(r.TransferEncoding, "") + r.Header.Get("Content-Length")
			io.WriteString(conn, okAnswer)
		}
	})
	for _, test := range []struct {
		name, want string
		request    outgoing
	}{
		{"kept", "abc 3", outgoing{body: []byte("abc")}},
		{"none", " 0", outgoing{}},
		{"with a rest of known length", "abcdef 6", outgoing{body: []byte("abc"), rest: strings.NewReader("def"), length: 6}},
		{"with a rest of unknown length", "abcdef chunked", outgoing{body: []byte("abc"), rest: strings.NewReader("def"), length: -1}},
	} {
		test.request.method, test.request.path, test.request.host = http.MethodPost, "/", "one"
		if _, err := p.fetch(t.Context(), &test.request, 0); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := <-got; got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestUpstreamGivesUpAnswers closes answers before they were read to their end. The connection of an answer that has arrived must
// be kept; that of an answer that stalls after its head must be closed at once.
func TestUpstreamGivesUpAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		answer      string
		connections int64
	}{
		"arrived":          {okAnswer, 1},
		"arrived, chunked": {"HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1},
		"stalled":          {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 9\r\n\r\nok", 2},
		"stalled, chunked": {"HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int64
			p := newPeer(t, func(n int, conn net.Conn, read func() (*http.Request, error)) {
				connections.Add(1)
				for {
					if _, err := read(); err != nil {
						return
					}
					io.WriteString(conn, test.answer)
				}
			})
			for range 2 {
				response, err := p.upstream.send(t.Context(), getRoot(), 0)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close() // would not return before the test ends if it waited
			}
			if got := connections.Load(); got != test.connections {
				t.Errorf("got %d connections, want %d", got, test.connections)
			}
		})
	}
}
