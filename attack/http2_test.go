package attack

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Requests of HTTP/2 share connections, over TLS and without (h2c). A server of HTTP/1.1 is told before the first of them.
func TestRunHTTP2(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.Header.Get("X-A") != "1" || r.Host != "shop.example" {
			w.WriteHeader(http.StatusBadRequest)
		}
		w.Write([]byte("hello"))
	})
	plain := httptest.NewUnstartedServer(handler)
	plain.Config.Protocols = &http.Protocols{}
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	defer plain.Close()
	secure := httptest.NewUnstartedServer(handler)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	for _, url := range []string{plain.URL, secure.URL} {
		plan := planFor(url, 50, 1000)
		plan.Bare, plan.HTTP2, plan.Grace, plan.TLS = true, true, time.Minute, &tls.Config{InsecureSkipVerify: true}
		plan.Cohorts[0] = NewTarget("POST", url, http.Header{"X-A": {"1"}, "Host": {"shop.example"}}, []byte("order"))
		if _, err := Reach(t.Context(), &plan); err != nil {
			t.Fatal(err)
		}
		var got []Observation
		result, err := Run(t.Context(), plan, collect(&got))
		if err != nil || len(got) != 50 || result.Opened == 0 || result.Opened > 8 {
			t.Fatalf("%s: %d observations, %d connections, %v", url, len(got), result.Opened, err)
		}
		for _, o := range got {
			if o.Status != 200 || o.BytesIn != 5 || o.BytesOut != 5 {
				t.Errorf("%s: %+v, %v", url, o, result.First)
			}
		}
	}
	old := httptest.NewTLSServer(handler)
	defer old.Close()
	plan := planFor(old.URL, 1, 1)
	plan.HTTP2, plan.TLS = true, &tls.Config{InsecureSkipVerify: true}
	if _, err := Reach(t.Context(), &plan); err == nil || !strings.Contains(err.Error(), "without --http2") {
		t.Errorf("a server of HTTP/1.1: %v", err)
	}
}

// Each request has a connection of its own where the plan asks for that, to the address that the plan has for the host, with a certificate.
func TestRunFreshConnections(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) != 1 || r.TLS.ServerName != "example.com" || r.Header.Get("Connection") != "close" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate()) // it is for example.com
	plan := planFor("https://example.com:4430/", 10, 1000)
	plan.Bare, plan.Fresh, plan.Grace, plan.Resolve = true, true, time.Minute, map[string]string{"example.com:4430": server.Listener.Addr().String()}
	plan.TLS = &tls.Config{RootCAs: pool, Certificates: server.TLS.Certificates}
	if _, err := Reach(t.Context(), &plan); err != nil {
		t.Fatal(err)
	}
	var got []Observation
	result, err := Run(t.Context(), plan, collect(&got))
	if err != nil || len(got) != 10 || result.Opened != 10 {
		t.Fatalf("%d observations, %d connections, %v", len(got), result.Opened, err)
	}
	for _, o := range got {
		if o.Status != 200 {
			t.Errorf("%+v, %v", o, result.First)
		}
	}
}
