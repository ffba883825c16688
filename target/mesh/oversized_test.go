package mesh

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// patience is how long a test waits for something that must happen at once.
const patience = 30 * time.Second

// asked sends text on a new connection and returns the answer, whose body it has read. A server that refuses the request need not
// read all of the text.
func asked(t *testing.T, address, text string) *http.Response {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(patience))
	sent := make(chan struct{})
	go func() { defer close(sent); _, _ = io.WriteString(connection, text) }()
	defer func() { <-sent }()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	_ = connection.Close()
	return response
}

// A proxy accepts heads as large as Envoy does, and answers 431 itself to larger ones. An app may refuse a head that the proxy
// accepts.
func TestOversizedHeadsAreRefused(t *testing.T) {
	lines := make(chan AccessLogEntry, 1)
	m := applied(t, Options{AccessLog: func(line AccessLogEntry) { lines <- line }}, serviceOne+deployment1("one"))
	sidecar := m.sidecars[sidecarName{manifests.Namespace, "one", ""}].server.address
	headers := func(n int) string { // Host is one of them
		text := ""
		for i := range n - 1 {
			text += fmt.Sprintf("X-%d: a\r\n", i%50) // some of them twice
		}
		return text
	}
	bytes := func(n int) string { return "X-A: " + strings.Repeat("a", n-len("/Hostone")-len("X-A")) + "\r\n" }
	for _, test := range []struct {
		name, headers    string
		status, attempts int
		flags, detail    string
	}{
		{"100 headers", headers(100), 200, 1, "-", "via_upstream"},
		{"101 headers", headers(101), 431, 0, "DPE", "http1.headers_too_large"},
		{"60 KiB", bytes(60 << 10), 431, 1, "-", "via_upstream"},
		{"60 KiB and a byte", bytes(60<<10 + 1), 431, 0, "DPE", "http1.headers_too_large"},
	} {
		response := asked(t, sidecar, "GET / HTTP/1.1\r\nHost: one\r\n"+test.headers+"\r\n")
		if line := <-lines; response.StatusCode != test.status || line.Attempts != test.attempts || line.Flags != test.flags || line.Detail != test.detail {
			t.Errorf("%s: %d, %d tries, flags %s, %s; want %d, %d tries, %s, %s", test.name, response.StatusCode, line.Attempts, line.Flags, line.Detail,
				test.status, test.attempts, test.flags, test.detail)
		}
		if response.Close != (test.flags == "DPE") {
			t.Errorf("%s: the connection ends: %v", test.name, response.Close)
		}
	}
}

// Every server of the mesh refuses a head that is larger than its limit, without keeping all of it in memory.
func TestHugeHeadsAreRefused(t *testing.T) {
	m := applied(t, Options{}, serviceOne+deployment1("one")+`
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
`)
	for name, address := range servers(m) {
		if response := asked(t, address, "GET / HTTP/1.1\r\nHost: one\r\nX-A: "+strings.Repeat("a", 900_000)+"\r\n\r\n"); response.StatusCode != 431 {
			t.Errorf("%s: %d, want 431", name, response.StatusCode)
		}
	}
}

// servers are the addresses of a mesh of app one.
func servers(m *Mesh) map[string]string {
	all := map[string]string{
		"pod":     m.pods.replicasOf(m.rules.Workloads)[0].server.address,
		"sidecar": m.sidecars[sidecarName{manifests.Namespace, "one", ""}].server.address,
	}
	for _, gateway := range m.gateways {
		all["gateway"] = gateway.server.address
	}
	return all
}

// Proxies and apps close a connection on which the announced body does not arrive.
func TestABodyThatNeverComesEndsItsConnection(t *testing.T) {
	formerPod, formerProxy := podLimits, proxyLimits
	defer func() { podLimits, proxyLimits = formerPod, formerProxy }()
	podLimits.Body, proxyLimits.Body = 50*time.Millisecond, 50*time.Millisecond
	m := applied(t, Options{}, serviceOne+deployment1("one"))
	for name, address := range servers(m) {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = connection.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: one\r\nContent-Length: 100\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, connection); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is open after %v", name, patience)
		}
		_ = connection.Close()
	}
}

// Envoy refuses a request that has both a Content-Length and a Transfer-Encoding. The mesh reads the chunks instead and sends
// only one of the two headers to the upstream, so that both servers agree on where the request ends and no second request can
// hide in it.
func TestContentLengthBesideChunksIsDropped(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	m := applied(t, Options{}, deployment1("one")+"---"+entryOutside(port))
	sidecar := m.sidecars[sidecarName{manifests.Namespace, "one", ""}].server.address
	for _, test := range []struct {
		body          string
		length, coded int // how often a header of each kind is there
	}{
		{"hidden", 1, 0},
		{strings.Repeat("a", maxReplay+1), 0, 1}, // is not kept, and so is sent on as it comes
	} {
		heads := make(chan string, 1)
		go func() { heads <- receiveHead(listener) }()
		response := asked(t, sidecar, "POST / HTTP/1.1\r\nHost: "+listener.Addr().String()+"\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"+
			fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(test.body), test.body))
		head := strings.ToLower(<-heads)
		length, coded := strings.Count(head, "content-length: "), strings.Count(head, "transfer-encoding: ")
		if response.StatusCode != 200 || length != test.length || coded != test.coded || strings.Contains(head, "content-length: 3\r") {
			t.Errorf("a body of %d bytes: %d, and the upstream received\n%s", len(test.body), response.StatusCode, head)
		}
	}
}

// receiveHead answers the next request with 200 and returns its head as received, or the text of an error.
func receiveHead(listener net.Listener) string {
	connection, err := listener.Accept()
	if err != nil {
		return err.Error()
	}
	defer connection.Close()
	var text strings.Builder
	request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(connection, &text)))
	if err != nil {
		return err.Error()
	}
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return err.Error()
	}
	_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	head, _, _ := strings.Cut(text.String(), "\r\n\r\n")
	return head
}
