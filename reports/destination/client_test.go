package destination

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Credentials reach the host that was named and no other one, whatever it answers, and no redirect is a success.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s reached the other host with %v", r.Method, r.URL, r.Header)
	}))
	defer elsewhere.Close()
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		named := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			if r.Header.Get("api-key") != "s3cret" || user != "u" || password != "pa55" {
				t.Errorf("the named host got %v", r.Header)
			}
			w.Header().Set("Location", strings.Replace(elsewhere.URL, "http://", "http://u:pa55@", 1)+"/s3cret")
			w.WriteHeader(status)
		}))
		c := New(Options{Secrets: []string{"s3cret", "pa55"}})
		u := parse(t, named.URL)
		u.User = url.UserPassword("u", "pa55")
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			_, err := c.Do(t.Context(), Request{Method: method, URL: u, Header: http.Header{"api-key": {"s3cret"}}, Body: []byte("x")})
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Status != status || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "pa55") {
				t.Errorf("%s answered with %d: %v, want a refusal without secrets", method, status, err)
			}
			if refusal.Redirected != elsewhere.URL {
				t.Errorf("%d redirects to %q, want %q", status, refusal.Redirected, elsewhere.URL)
			}
		}
		c.Close()
		named.Close()
	}
}

// What cannot be a success is an error on one line, without the URL and the secrets.
func TestErrors(t *testing.T) {
	hold := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Method, " ", string(body), " ", r.UserAgent())
	})
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		for range MostAnswer>>20 + 1 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "half")
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(hold) // first, since the server waits for its handlers
	for _, c := range []struct{ url, want string }{
		{server.URL + "/ok", ""},
		{server.URL + "/nowhere", "404 Not Found"},
		{server.URL + "/long", "the answer is longer than 16 MiB"},
		{server.URL + "/slow", "no answer within 200ms"},
		{server.URL + "/cut", "unexpected EOF"},
		{"http://127.0.0.1:1/s3cret", "dial tcp 127.0.0.1:1: connect: connection refused"},
	} {
		client := New(Options{Secrets: []string{"s3cret"}, Direct: true})
		if strings.HasSuffix(c.url, "/slow") {
			client.options.Timeout = 200 * time.Millisecond
		}
		body, err := client.Do(t.Context(), Request{Method: http.MethodPost, URL: parse(t, c.url), Body: []byte("hello")})
		client.Close()
		if c.want == "" {
			if err != nil || string(body) != "POST hello hellochaos" {
				t.Errorf("%s: %q, %v", c.url, body, err)
			}
			continue
		}
		if err == nil || err.Error() != c.want || body != nil {
			t.Errorf("%s: %v with %d bytes, want the error %q", c.url, err, len(body), c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := New(Options{})
	defer client.Close()
	if _, err := client.Do(ctx, Request{Method: http.MethodGet, URL: parse(t, server.URL)}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestLine(t *testing.T) {
	secrets := Secrets{"tok", "token", "x"}
	for text, want := range map[string]string{
		"two\nlines":                 "two lines",
		"\x1b[31m red":               `\u001b[31m red`,
		"token and http://u:p@a/":    "… and http://…@a/",
		strings.Repeat("ä", 50):      strings.Repeat("ä", 40) + "…",
		"x is too short to be known": "x is too short to be known",
	} {
		if got := secrets.Line(text, 40); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// Certificates of the user's own are those that count.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secure") }))
	defer server.Close()
	server.Config.ErrorLog = nil
	for _, c := range []struct {
		config *tls.Config
		want   string
	}{{nil, ""}, {server.Client().Transport.(*http.Transport).TLSClientConfig.Clone(), "secure"}} {
		client := New(Options{TLS: c.config})
		body, err := client.Do(t.Context(), Request{Method: http.MethodGet, URL: parse(t, server.URL)})
		client.Close()
		if string(body) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q, %v, want %q", body, err, c.want)
		}
	}
}
