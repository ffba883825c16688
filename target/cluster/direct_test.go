package cluster

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// direct takes an HTTP client's requests to a handler in the same process without a socket: synctest's clock does not run
// while a goroutine waits for a socket.
type direct struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	answer := &directAnswer{header: http.Header{}, body: writer, begun: make(chan int, 1)}
	go func() {
		defer writer.Close()
		defer r.Body.Close()
		d.handler.ServeHTTP(answer, r)
		answer.WriteHeader(http.StatusOK)
	}()
	select {
	case code := <-answer.begun:
		return &http.Response{Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: answer.header, Body: reader, ContentLength: -1, Request: r}, nil
	case <-r.Context().Done():
		reader.Close()
		return nil, r.Context().Err()
	}
}

// directAnswer is what a handler answers, read while it is written.
type directAnswer struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	begun  chan int
}

func (a *directAnswer) Header() http.Header { return a.header }

func (a *directAnswer) WriteHeader(code int) { a.once.Do(func() { a.begun <- code }) }

func (a *directAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// Flush implements http.Flusher: nothing is held back.
func (a *directAnswer) Flush() { a.WriteHeader(http.StatusOK) }

// newHolding is an API server with objects, and a Cluster of it, in namespace shop, that needs no socket.
func newHolding(t *testing.T, o Options, objects ...runtime.Object) (*apiServer, *Cluster) {
	t.Helper()
	s := &apiServer{objects: map[string]*unstructured.Unstructured{}, watchers: map[chan watchEvent]string{}}
	s.hold(t, objects...)
	return s, connectDirectly(t, o, s)
}

// connectDirectly is a Cluster of a handler, in namespace shop.
func connectDirectly(t *testing.T, o Options, handler http.Handler) *Cluster {
	t.Helper()
	c := &Cluster{options: o, namespace: "shop", config: &rest.Config{Host: "http://api.invalid", QPS: -1}}
	if err := c.clientsOver(&http.Client{Transport: direct{handler}}); err != nil {
		t.Fatal(err)
	}
	return c
}

// hold stores objects as they are.
func (s *apiServer) hold(t *testing.T, objects ...runtime.Object) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, object := range objects {
		gvks, _, err := kinds.ObjectKinds(object)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{Object: fields}
		u.SetGroupVersionKind(gvks[0])
		root := "/api/" + u.GetAPIVersion()
		if gvks[0].Group != "" {
			root = "/apis/" + u.GetAPIVersion()
		}
		for resource, kind := range kindsByResource {
			if kind == u.GetKind() {
				s.store(root+"/namespaces/"+u.GetNamespace()+"/"+resource+"/"+u.GetName(), u)
			}
		}
	}
}
