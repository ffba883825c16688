package service

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// probe sends a probe to s and returns its answer.
func probe(t *testing.T, s place, rest string) (p trail.Probe) {
	t.Helper()
	r := get(t, s.url+"probe/"+rest)
	if err := json.Unmarshal([]byte(r.body), &p); r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/json" || err != nil {
		t.Fatalf("probe %s = %d %q %v, want 200 and a probe in JSON", rest, r.StatusCode, r.body, err)
	}
	return p
}

func TestProbeSaysWhatCameBack(t *testing.T) {
	long := strings.Repeat("é", trail.MaxProbeBody)
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   trail.Probe
	}{
		{"an answer", status(418, "nonce"), trail.Probe{Status: 418, Body: "nonce"}},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Location", "/x"); w.WriteHeader(302) }, trail.Probe{Status: 302}},
		{"a long body", status(200, "x"+long), trail.Probe{Status: 200, Body: "x" + long[:trail.MaxProbeBody-2]}},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, trail.Probe{Error: "EOF"}},
		{"half an answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
		}, trail.Probe{Error: "reading the answer of status 200: unexpected EOF"}},
	} {
		rec := &recorder{answer: test.answer}
		if got := probe(t, hop(t, rec), "a?host=n.hellochaos.invalid"); got != test.want {
			t.Errorf("%s: probe = %.200v, want %.200v", test.name, got, test.want)
		}
		if got := len(rec.received()); got != 1 {
			t.Errorf("%s: upstream received %d requests, want 1", test.name, got)
		}
	}
}

func TestProbeIsSentOnceByAConnectionOfItsOwn(t *testing.T) {
	type sent struct{ line, address string }
	received := make(chan sent, 3)
	rec := &recorder{answer: func(_ http.ResponseWriter, r *http.Request) {
		received <- sent{fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Host, " ", r.ContentLength, " ", len(r.Header["Fail"])), r.RemoteAddr}
	}}
	s := hop(t, rec)
	get(t, s.url) // leaves an idle connection, which a probe must not use
	addresses := map[string]bool{(<-received).address: true}
	for range 2 {
		probe(t, s, "a/b?host=no-1.x.hellochaos.invalid")
		got := <-received
		if want := "GET /a/b no-1.x.hellochaos.invalid 0 0"; got.line != want || addresses[got.address] {
			t.Errorf("upstream received %q over %s, want %q over a connection of its own", got.line, got.address, want)
		}
		addresses[got.address] = true
	}
	if got, want := total(counted(t, s.url)), 1; got != want {
		t.Errorf("counted %d tries, want %d: probes are none", got, want)
	}
}

// carried is a transport that answers with the address of the request.
type carried struct{}

func (carried) RoundTrip(r *http.Request) (*http.Response, error) {
	body := fmt.Sprint(r.URL.Host, " ", r.Host, " ", r.URL.Path)
	return &http.Response{StatusCode: 200, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestProbeGoesByTheTransportOfTheMesh(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Role: Chain, Upstream: "http://backend/up"}, "backend n.hellochaos.invalid /a"},
		{Config{Role: Chain, Upstream: "http://backend:8080/up?x=1"}, "backend:8080 n.hellochaos.invalid /a"},
		{Config{Role: Chain, Upstream: "https://time.example/"}, "time.example n.hellochaos.invalid /a"},
		{Config{Role: Relay, Upstream: "http://one/"}, "one n.hellochaos.invalid /a"},
		{Config{Role: Relay}, "192.0.2.1 n.hellochaos.invalid /a"},
	} {
		test.config.Service, test.config.Version, test.config.Transport = "a", "b", carried{}
		if got, want := probe(t, open(t, test.config), "a?host=n.hellochaos.invalid"), (trail.Probe{Status: 200, Body: test.want}); got != want {
			t.Errorf("%s %s: probe = %v, want %v", test.config.Role, test.config.Upstream, got, want)
		}
	}
}

func TestProbeIsNoOpenProxy(t *testing.T) {
	rec := &recorder{}
	s := hop(t, rec)
	for _, host := range []string{"", "backend", "hellochaos.invalid", ".hellochaos.invalid", "n.hellochaos.invalid.", "n.hellochaos.invalid:80",
		"n.hellochaos.invalid.example.com", "nhellochaos.invalid", "a/b.hellochaos.invalid", "a%20.hellochaos.invalid",
		"a%0d%0ax:y.hellochaos.invalid", "u@n.hellochaos.invalid", "%C3%A9.hellochaos.invalid"} {
		r := get(t, s.url+"probe/?host="+host)
		if r.StatusCode != 400 || !strings.Contains(r.body, "it must be NAME.hellochaos.invalid\n") {
			t.Errorf("host %q = %d %q, want 400 and what is wanted", host, r.StatusCode, r.body)
		}
	}
	if r, err := send(t, t.Context(), http.MethodPost, s.url+"probe/?host=n.hellochaos.invalid", nil); err != nil || r.StatusCode != 405 {
		t.Errorf("POST = %v %v, want 405", r.Response, err)
	}
	if got := len(rec.received()); got != 0 {
		t.Errorf("upstream received %d requests, want none", got)
	}
}

// A script and the clock answer no probes: for them the path is like any other.
func TestOtherRolesAnswerNoProbe(t *testing.T) {
	for _, config := range []Config{{Role: Script, Service: "one", Version: "a"}, {Role: Clock}} {
		s := open(t, config)
		get(t, s.url+"probe/?host=n.hellochaos.invalid")
		if got := total(counted(t, s.url)); got != 1 {
			t.Errorf("%s counted %d tries, want 1", config.Role, got)
		}
	}
}

func TestProbeEndsInTime(t *testing.T) {
	rec := &recorder{answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
	s := hop(t, rec)
	began := time.Now()
	got := probe(t, s, "?host=n.hellochaos.invalid")
	if took := time.Since(began); got.Error != "context deadline exceeded" || took < probeTime || took > 10*time.Second {
		t.Errorf("probe = %v after %v, want the deadline after %v", got, took, probeTime)
	}
}

// For a host that cannot be resolved, the transport connects to the fallback at the port of the request.
func TestFreshConnectsToTheFallback(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	lines := make(chan string, 2)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			r, err := http.ReadRequest(bufio.NewReader(connection))
			if err == nil {
				lines <- r.Host
				_, _ = io.WriteString(connection, "HTTP/1.1 204 No Content\r\n\r\n")
			}
			_ = connection.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, test := range []struct{ host, fallback string }{
		{"nobody.hellochaos.invalid:" + port, "127.0.0.1"},
		{"127.0.0.1:" + port, "192.0.2.1"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+test.host+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(newFresh(test.fallback), request); got != (trail.Probe{Status: 204}) {
			t.Fatalf("%s with fallback %s: %v, want 204", test.host, test.fallback, got)
		}
		if got := <-lines; got != test.host {
			t.Errorf("received Host %q, want %q", got, test.host)
		}
	}
}
