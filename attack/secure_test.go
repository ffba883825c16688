package attack

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// A plan with TLS asks for the host of each request, whatever address the request goes to, and uses its connections again.
func TestRunAsksForTheHost(t *testing.T) {
	var mutex sync.Mutex
	asked, connections := map[string]int{}, map[string]bool{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		asked[r.TLS.ServerName+" for "+r.Host]++
		connections[r.RemoteAddr] = true
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs who does not trust it
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate()) // it is for example.com and *.example.com
	plan := planFor(server.URL, 60, 2000)
	plan.Grace = 30 * time.Second
	plan.TLS = &tls.Config{RootCAs: pool}
	plan.Cohorts = []Cohort{{Name: "a", Host: "a.example.com"}, {Name: "b", Host: "B.example.com:443", URL: server.URL + "/b"}}
	var got []Observation
	if _, err := Run(t.Context(), plan, collect(&got)); err != nil {
		t.Fatal(err)
	}
	if len(got) != 60 || asked["a.example.com for a.example.com"] != 30 || asked["b.example.com for B.example.com:443"] != 30 {
		t.Errorf("%d observations, asked %v", len(got), asked)
	}
	if len(connections) > 2*plan.Connections {
		t.Errorf("%d connections for 60 requests, want at most %d for each of the two names", len(connections), plan.Connections)
	}
	plan.TLS, got = &tls.Config{RootCAs: x509.NewCertPool()}, nil
	plan.Requests = 2
	if _, err := Run(t.Context(), plan, collect(&got)); err != nil || len(got) != 2 || got[0].Error != Secure {
		t.Errorf("a certificate of somebody whom the plan does not trust: %+v, %v", got, err)
	}
}
