package metrics

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports"
)

func TestCheckAddress(t *testing.T) {
	for _, good := range []string{"127.0.0.1:0", ":9464", "[::1]:80", "localhost:http"} {
		if err := CheckAddress(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "9464", "127.0.0.1", "127.0.0.1:", "a:70000", "a:-1", "a:b:c", "http://a:1"} {
		if err := CheckAddress(bad); err == nil || !strings.Contains(err.Error(), "HOST:PORT") {
			t.Errorf("%q: %v, want what is accepted", bad, err)
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestServe(t *testing.T) {
	run := New("1.2.3")
	s, err := Serve("127.0.0.1:0", run)
	if err != nil {
		t.Fatal(err)
	}
	if code, body := get(t, s.URL); code != 200 || body != "" {
		t.Errorf("before the run: %d %q, want an empty page", code, body)
	}
	run.began(&reports.Report{Started: time.Unix(1, 0), Tool: reports.Tool{Go: "go1"}})
	if code, body := get(t, s.URL); code != 200 || !strings.Contains(body, `hellochaos_build_info{goversion="go1",version="1.2.3"} 1`) {
		t.Errorf("%d\n%s", code, body)
	}
	if code, _ := get(t, strings.TrimSuffix(s.URL, "/metrics")+"/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("another path: %d, want 404", code)
	}
	address := strings.TrimSuffix(strings.TrimPrefix(s.URL, "http://"), "/metrics")
	if _, err := Serve(address, run); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("an address in use: %v, want an error that names it", err)
	}
	// A client that holds its connection open does not hold up the end.
	held, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := io.WriteString(held, "GET /metrics HTTP/1.1\r\nHo"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := held.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := held.Read(make([]byte, 1)); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the held connection is still open after Close: %v", err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("the server still listens after Close")
	}
}
