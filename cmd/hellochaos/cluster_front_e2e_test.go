//go:build e2e

package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

// front is a proxy before the API server. trouble gets every request first, and returns whether it has answered the request.
type front struct {
	proxy   *httputil.ReverseProxy
	trouble func(w http.ResponseWriter, r *http.Request) (handled bool)
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !f.trouble(w, r) {
		f.proxy.ServeHTTP(w, r)
	}
}

// newFront starts a front before the API server of the bed. With kubeconfig, the account of the bed connects through it.
func (b *bed) newFront(t *testing.T, trouble func(http.ResponseWriter, *http.Request) bool) (f *front, kubeconfig string) {
	t.Helper()
	anonymous := rest.AnonymousClientConfig(b.config) // the token of the account is in each request
	transport, err := rest.TransportFor(anonymous)
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(b.config.Host)
	if err != nil {
		t.Fatal(err)
	}
	f = &front{proxy: httputil.NewSingleHostReverseProxy(server), trouble: trouble}
	f.proxy.Transport = transport
	listening := httptest.NewTLSServer(f) // clients do not send tokens without TLS
	t.Cleanup(listening.Close)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := b.writeAccount(kubeconfig, listening.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: listening.Certificate().Raw})); err != nil {
		t.Fatal(err)
	}
	return f, kubeconfig
}

// measuring reports whether a request reads the services' counters: the first thing that a phase does once its rules are
// in force, and the last one.
func measuring(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/proxy/metrics") }
