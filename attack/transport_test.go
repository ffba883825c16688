package attack

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// listen starts a server of raw connections. behave has the connection, a request that was read from it, and how many
// came on it before; the connection is closed when it returns false. It returns the address and the count of requests.
func listen(t *testing.T, behave func(connection *net.TCPConn, before int) (more bool)) (url string, received *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	received = new(atomic.Int64)
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() {
				defer connection.Close()
				reader := bufio.NewReader(connection)
				for before := 0; ; before++ {
					if _, err := http.ReadRequest(reader); err != nil {
						return
					}
					received.Add(1)
					if !behave(connection.(*net.TCPConn), before) {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		connections.Wait()
	})
	return "http://" + listener.Addr().String() + "/", received
}

// closeOnReuse answers the first request on a connection and closes the connection at the second, which Go's Transport resends.
func closeOnReuse(connection *net.TCPConn, before int) (more bool) {
	if before > 0 {
		return false
	}
	io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	return true
}

// getAll sends count requests one after the other through transport and returns how many failed.
func getAll(t *testing.T, transport http.RoundTripper, url string, count int) (failures int) {
	t.Helper()
	for range count {
		response, err := (&http.Client{Transport: transport}).Get(url)
		if err != nil {
			failures++
			continue
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	return failures
}

func TestTransportNeverResends(t *testing.T) {
	const count = 20
	t.Run("as it would be without us", func(t *testing.T) {
		url, received := listen(t, closeOnReuse)
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		if failures := getAll(t, transport, url, count); failures != 0 || received.Load() <= count {
			t.Errorf("got %d failures and %d requests at the server, want none, and more than %d: Go's resends", failures, received.Load(), count)
		}
	})
	t.Run("attack", func(t *testing.T) {
		url, received := listen(t, closeOnReuse)
		plan := planFor(url, count, 200)
		plan.Connections = 1
		var observations []Observation
		result, err := Run(t.Context(), plan, collect(&observations))
		if err != nil {
			t.Fatal(err)
		}
		if received.Load() != count || result.Sent != count || result.Resends != 0 {
			t.Errorf("got %d requests at the server, %d sent and %d resends, want %d, %d and 0", received.Load(), result.Sent, result.Resends, count, count)
		}
		for _, o := range observations { // each connection has one answer and one failure
			if wantFailure := o.Number%2 == 1; o.EdgeFailure() != wantFailure || wantFailure && o.Error != Closed {
				t.Errorf("request %d: got status %d, error %q; want failure %v", o.Number, o.Status, o.Error, wantFailure)
			}
		}
	})
}

// resending lets Go's Transport resend, as it does when a request has no body.
type resending struct{ base http.RoundTripper }

func (r resending) RoundTrip(request *http.Request) (*http.Response, error) {
	request.Body = nil
	return r.base.RoundTrip(request)
}

func TestTransportCountsResends(t *testing.T) {
	url, received := listen(t, closeOnReuse)
	plan := planFor(url, 20, 200)
	plan.Connections = 1
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	result, err := run(t.Context(), plan, resending{base}, func(*Observation) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if want := int(received.Load()) - result.Sent; want < 1 || result.Resends != want {
		t.Errorf("got %d resends of %d requests of which %d arrived, want %d", result.Resends, result.Sent, received.Load(), want)
	}
}

func TestFailuresOverSockets(t *testing.T) {
	const header = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
	release := make(chan struct{}) // of the case that runs
	say := func(text string, end func(*net.TCPConn)) func(*net.TCPConn, int) bool {
		return func(connection *net.TCPConn, _ int) bool {
			io.WriteString(connection, text)
			end(connection)
			return false
		}
	}
	hold := func(*net.TCPConn) { <-release }
	closing := func(*net.TCPConn) {}
	reset := func(connection *net.TCPConn) { connection.SetLinger(0) }
	for _, test := range []struct {
		name   string
		behave func(*net.TCPConn, int) bool
		want   string
	}{
		{"no answer in time", say("", hold), Timeout},
		{"header and no body in time", say(header, hold), Timeout},
		{"closed before the answer", say("", closing), Closed},
		{"closed after the status line", say(header[:17], closing), Closed},
		{"closed in the body", say(header+"beginning", closing), Cut},
		{"reset before the answer", say("", reset), Reset},
		{"not HTTP", say("SSH-2.0-OpenSSH_9.9\r\n", closing), Garbled},
	} {
		t.Run(test.name, func(t *testing.T) {
			release = make(chan struct{})
			url, received := listen(t, test.behave)
			defer close(release) // so that it runs before listen waits for its connections
			plan := planFor(url, 3, 1000)
			if test.want == Timeout {
				plan.Timeout = 150 * time.Millisecond
			}
			result, err := Run(t.Context(), plan, func(o *Observation) bool {
				if o.Status != 0 || o.Error != test.want || !o.EdgeFailure() || o.Trail != nil {
					t.Errorf("got status %d, error %q, want no answer and %q", o.Status, o.Error, test.want)
				}
				if test.want == Timeout && o.Latency < plan.Timeout {
					t.Errorf("got latency %v of a timeout at %v", o.Latency, plan.Timeout)
				}
				return true
			})
			// The client may give up a connection, in time, before the server has read its request.
			if err != nil || result.Sent != 3 || result.Observed != 3 || received.Load() > 3 {
				t.Errorf("got %+v, %v with %d received, want 3 sent and observed", result, err, received.Load())
			}
		})
	}
}

// A connection may be reset after the beginning of the body was read, or at the same time. The answer has begun in both cases.
func TestResetInTheBodyIsACut(t *testing.T) {
	begun := make(chan struct{})
	url, _ := listen(t, func(connection *net.TCPConn, _ int) bool {
		io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning")
		<-begun
		connection.SetLinger(0)
		return false
	})
	plan := planFor(url, 1, 1)
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	var got Observation
	_, err := run(t.Context(), plan, telling{base, begun}, func(o *Observation) bool {
		got = *o
		return true
	})
	if err != nil || got.Status != 0 || got.Error != Cut {
		t.Errorf("got status %d, error %q, %v; want %q", got.Status, got.Error, err, Cut)
	}
}

// telling closes begun when an answer has begun.
type telling struct {
	base  http.RoundTripper
	begun chan struct{}
}

func (r telling) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.base.RoundTrip(request)
	close(r.begun)
	return response, err
}

func TestConnectionRefused(t *testing.T) {
	// A connection of this test holds the port, so that no other process can listen there.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	url := "http://" + connection.LocalAddr().String() + "/"
	result, err := Run(t.Context(), planFor(url, 5, 1000), func(o *Observation) bool {
		if o.Status != 0 || o.Error != Refused {
			t.Errorf("got status %d, error %q, want %q", o.Status, o.Error, Refused)
		}
		return true
	})
	if err != nil || result.Sent != 5 || result.Observed != 5 {
		t.Errorf("got %+v, %v, want 5 sent and observed", result, err)
	}
}

// The context of a request ends with its answer, so that no timer waits for its timeout.
func TestExchangeEndsWithItsAnswer(t *testing.T) {
	contexts := make(chan context.Context, 3)
	base := roundTrip(func(request *http.Request) (*http.Response, error) {
		contexts <- request.Context()
		if numberOf(request) == 1 {
			return nil, io.EOF
		}
		return answering{"{}"}.RoundTrip(request)
	})
	plan := planFor("http://frontend/", 3, 50)
	plan.Connections = 1
	result, err := run(t.Context(), plan, base, func(o *Observation) bool {
		if got := (<-contexts).Err(); got != context.Canceled {
			t.Errorf("request %d: got context error %v, want %v", o.Number, got, context.Canceled)
		}
		return true
	})
	if err != nil || result.Observed != 3 {
		t.Errorf("got %+v, %v, want 3 observed", result, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }
