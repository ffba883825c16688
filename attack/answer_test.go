package attack

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// conformance are answers as a server sends them. The loop must find in each what net/http finds, and say of which class an error is.
var conformance = []struct {
	name, method, answer string
	then                 string // what the server does: close the connection afterwards, or send slowly
	status               int    // 0: an error
	bytes                int64
	class                string
	opened               int // connections for three requests
}{
	{"a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "", 200, 5, "", 1},
	{"no reason", "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 200, 0, "", 1},
	{"an empty reason", "GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "", 200, 0, "", 1},
	{"newlines alone", "GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "", 200, 2, "", 1},
	{"chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;name=value\r\n0123456789\r\n0\r\n\r\n", "", 200, 15, "", 1},
	{"chunks and a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "", 200, 5, "", 1},
	{"trailers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n", "", 200, 2, "", 1},
	{"trailers that are too long", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: " + strings.Repeat("1", 5000) + "\r\n\r\n", "close", 0, 0, Garbled, 3},
	{"a chunk without its end", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", "", 0, 0, Garbled, 3},
	{"no size of a chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "", 0, 0, Garbled, 3},
	{"a size above all", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n", "", 0, 0, Garbled, 3},
	{"an encoding that nobody knows", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "", 0, 0, Garbled, 3},
	{"100", "POST", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", "", 201, 2, "", 1},
	{"103 twice", "GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "", 200, 2, "", 1},
	{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", "", 200, 0, "", 1},
	{"HEAD of chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", 200, 0, "", 1},
	{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", 204, 0, "", 1},
	{"304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", "", 304, 0, "", 1},
	{"an end by closing", "GET", "HTTP/1.1 200 OK\r\n\r\nhello", "close", 200, 5, "", 3},
	{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "", 200, 5, "", 3},
	{"HTTP/1.0 that stays", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", "", 200, 5, "", 1},
	{"a server that says that it closes", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", "", 200, 5, "", 3},
	{"a slow body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "slowly", 200, 5, "", 1},
	{"bytes behind the answer", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 500 Oops\r\n\r\n", "", 200, 5, "", 3},
	{"lengths that differ", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "", 0, 0, Garbled, 3},
	{"a length twice", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "", 200, 5, "", 1},
	{"a length below 0", "GET", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "", 0, 0, Garbled, 3},
	{"no length", "GET", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello", "", 0, 0, Garbled, 3},
	{"a header that goes on", "GET", "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok", "", 200, 2, "", 1},
	{"a line that is no header", "GET", "HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 2\r\n\r\nok", "", 0, 0, Garbled, 3},
	{"a header with a NUL", "GET", "HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 2\r\n\r\nok", "", 0, 0, Garbled, 3},
	{"no HTTP", "GET", "SSH-2.0-OpenSSH_9.9\r\n", "", 0, 0, Garbled, 3},
	{"a status of letters", "GET", "HTTP/1.1 abc OK\r\n\r\n", "", 0, 0, Garbled, 3},
	{"a head that does not end", "GET", "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 10<<20) + "\r\nContent-Length: 2\r\n\r\nok", "close", 0, 0, Garbled, 3},
	{"nothing", "GET", "", "close", 0, 0, Closed, 3},
	{"half a head", "GET", "HTTP/1.1 200 OK\r\nConte", "close", 0, 0, Closed, 3},
	{"half a body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "close", 0, 0, Cut, 3},
	{"half of the chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close", 0, 0, Cut, 3},
	{"no end of the trailers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum", "close", 0, 0, Cut, 3},
}

// The loop and net/http find the same in each answer.
func TestAnswersAsNetHTTP(t *testing.T) {
	log.SetOutput(io.Discard) // net/http complains of bytes behind an answer
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, _ := listen(t, func(connection *net.TCPConn, _ int) bool {
				answer := c.answer
				for c.then == "slowly" && len(answer) >= 7 {
					_, _ = io.WriteString(connection, answer[:7])
					answer = answer[7:]
					<-time.After(time.Millisecond)
				}
				_, _ = io.WriteString(connection, answer) // the client may close before the end
				return c.then != "close"
			})
			plan := planFor(url, 3, 1000)
			plan.Bare, plan.Connections, plan.Grace, plan.Cohorts[0].Method = true, 1, time.Minute, c.method
			base := &http.Transport{DisableCompression: true}
			defer base.CloseIdleConnections()
			for name, by := range map[string]http.RoundTripper{"loop": nil, "net/http": base} {
				var got []Observation
				result, err := run(t.Context(), plan, by, collect(&got))
				if err != nil || len(got) != 3 {
					t.Fatalf("%s: %d observations, %v", name, len(got), err)
				}
				for _, o := range got {
					if o.Status != c.status || o.BytesIn != c.bytes || by == nil && o.Error != c.class {
						t.Errorf("%s: %+v, want status %d, %d bytes, %q (first errors: %v)", name, o, c.status, c.bytes, c.class, result.First)
					}
				}
				// net/http closes some connections a moment later than it has the answer, and its next request meets that.
				if by == nil && result.Opened != c.opened {
					t.Errorf("%s: %d connections, want %d", name, result.Opened, c.opened)
				}
			}
		})
	}
}

// readAnswer reads an answer in pieces of so many bytes; 0: all at once.
func readAnswer(text []byte, head bool, piece int) (a answer, rest []byte, complete bool, err error) {
	a.reset(head, 1<<20)
	for !complete && err == nil && len(text) > 0 {
		n := len(text)
		if piece > 0 {
			n = min(piece, n)
		}
		rest, complete, err = a.feed(text[:n])
		text = text[n:]
	}
	rest = append(append([]byte(nil), rest...), text...)
	if !complete && err == nil {
		complete, _ = a.end(io.EOF)
	}
	return a, rest, complete, err
}

// FuzzAnswer holds whatever a server may send against two rules: the pieces in which it comes change nothing, and what is accepted is what
// net/http accepts, with the same status, the same body, and the same end.
func FuzzAnswer(f *testing.F) {
	for _, c := range conformance {
		if len(c.answer) < 10_000 {
			f.Add([]byte(c.answer), c.method == "HEAD", uint8(7))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, head bool, piece uint8) {
		a, rest, complete, err := readAnswer(text, head, 0)
		b, restOfPieces, completeOfPieces, errOfPieces := readAnswer(text, head, int(piece%32)+1)
		if complete != completeOfPieces || (err != nil) != (errOfPieces != nil) || complete && (a.Status != b.Status || a.Last != b.Last || a.Trail != b.Trail ||
			!bytes.Equal(a.Kept, b.Kept) || !bytes.Equal(rest, restOfPieces)) {
			t.Fatalf("at once: %v %v %d, in pieces: %v %v %d", complete, err, a.Status, completeOfPieces, errOfPieces, b.Status)
		}
		if !complete || a.Status == 101 {
			return
		}
		status, body, left, last, err := byNetHTTP(text, head)
		if err != nil || status != a.Status || !bytes.Equal(body, a.Kept) || left != len(rest) || last && !a.Last {
			t.Fatalf("net/http: %d %q, %d left, last %v, %v; here: %d %q, %d left, last %v", status, body, left, last, err, a.Status, a.Kept, len(rest), a.Last)
		}
	})
}

// byNetHTTP reads an answer as net/http's Transport does: answers of 1xx are passed over.
func byNetHTTP(text []byte, head bool) (status int, body []byte, left int, last bool, err error) {
	reader := bufio.NewReader(bytes.NewReader(text))
	method := http.MethodGet
	if head {
		method = http.MethodHead
	}
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			return 0, nil, 0, false, fmt.Errorf("head: %w", err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode/100 != 1 {
			rest, _ := io.ReadAll(reader)
			return response.StatusCode, body, len(rest), response.Close, err
		}
	}
}

// Nothing is allocated for an answer whose body is not kept.
func TestAnswerAllocatesNothing(t *testing.T) {
	text := []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello")
	var a answer
	if n := testing.AllocsPerRun(100, func() {
		a.reset(false, 0)
		if _, complete, err := a.feed(text); !complete || err != nil {
			t.Error(complete, err)
		}
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// A body that the system does not take at once arrives whole, over TLS as well.
func TestRunSendsALargeBody(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(10 * time.Millisecond) // until the buffers are full
		if got, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(got, want) {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	for _, url := range []string{plain.URL, secure.URL} {
		plan := planFor(url, 6, 200)
		plan.Bare, plan.Cohorts[0].Method, plan.Cohorts[0].Body, plan.TLS, plan.Connections, plan.Grace = true, "POST", want, &tls.Config{InsecureSkipVerify: true}, 2, time.Minute
		var got []Observation
		if _, err := run(t.Context(), plan, nil, collect(&got)); err != nil || len(got) != 6 {
			t.Fatalf("%s: %d observations, %v", url, len(got), err)
		}
		for _, o := range got {
			if o.Status != 200 || o.BytesOut != int64(len(want)) {
				t.Errorf("%s: %+v", url, o)
			}
		}
	}
}
