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

// front stands before the API server and can make trouble: trouble gets every request first, and says whether that was all.
type front struct {
	proxy   *httputil.ReverseProxy
	trouble func(w http.ResponseWriter, r *http.Request) (handled bool)
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !f.trouble(w, r) {
		f.proxy.ServeHTTP(w, r)
	}
}

// newFront starts a front before the bed's API server. kubeconfig leads the bed's account through it.
func (b *bed) newFront(t *testing.T, trouble func(http.ResponseWriter, *http.Request) bool) (f *front, kubeconfig string) {
	t.Helper()
	anonymous := rest.AnonymousClientConfig(b.config) // the account brings its own token
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
	listening := httptest.NewTLSServer(f) // clients keep tokens to themselves where there is no TLS
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
