package mesh

import (
	"bufio"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Try is what Options.Tries is told: that a try begins, that it has ended, or that a proxy has answered a call itself.
type Try struct {
	// Request is the name of the request (trail.HeaderRequest), or, where it has none, one that the first proxy or pod gave it. Path is the way to the try (trail.Tries).
	Request, Path string
	// Caller is the app whose sidecar sends the try, or "gateway"; it is empty for a request that comes through no proxy.
	Caller string
	// Host is the Host header of the call.
	Host string
	// Service and Version are those of the pod to which the try is sent; empty where that is a host outside, or where the proxy answers.
	Service, Version string
	// Attempt counts the tries of the call from 1; 0: there was no try, since the proxy answered, or the request came through none.
	Attempt int
	// Began is when the try was sent, Ended when its answer began or was given up; zero: the try begins.
	Began, Ended time.Time
	// Status is that of the answer; 0: there was none.
	Status int
	// Cut says that the try took longer than the rule allows, so that the proxy gave it up.
	Cut bool
}

// tell tells that a try to an endpoint begins. It returns what told needs; nil where nobody listens.
func (c *call) tell(to *upstream) *Try {
	tell := c.view.proxy.tries
	if tell == nil {
		return nil
	}
	t := &Try{Request: c.draws.request, Path: trail.Tries(c.draws.tries, len(c.tried)), Caller: c.view.proxy.name, Host: c.downstream.Host,
		Attempt: len(c.tried), Began: time.Now()}
	t.Service, t.Version = c.view.pods.at(to.address)
	tell(t)
	return t
}

// told tells how a try ended that tell has told of.
func (c *call) told(t *Try, failure manifests.Failure) {
	if t == nil {
		return
	}
	ended := *t
	ended.Ended, ended.Status, ended.Cut = time.Now(), failure.Status, failure.PerTryTimeout
	c.view.proxy.tries(&ended)
}

// answered tells that the proxy answered the call itself, with a status.
func (c *call) answered(began time.Time, status int) {
	c.view.proxy.tries(&Try{Request: c.draws.request, Path: trail.Tries(c.draws.tries, 0), Caller: c.view.proxy.name, Host: c.downstream.Host,
		Began: began, Ended: time.Now(), Status: status})
}

// at are the names of the service and the version that listen at an address; empty where no pod does.
func (p pods) at(address string) (service, version string) {
	for _, d := range p {
		for _, pod := range d.pods {
			if pod.server.address == address || pod.secure != nil && pod.secure.address == address {
				return pod.by[0], pod.by[1]
			}
		}
	}
	return "", ""
}

// watched is the service of a pod, which tells of the requests that come through no proxy.
func (p *pod) watched(tell func(*Try)) http.Handler {
	if tell == nil {
		return p.service
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header[keyAttempt] != nil || r.URL.Path == "/metrics" || r.URL.Path == trail.SpansPath {
			p.service.ServeHTTP(w, r)
			return
		}
		if r.Header[keyRequest] == nil { // so that what it leads to can be told apart from what others lead to
			r.Header[keyRequest] = []string{"unnamed/" + strconv.FormatUint(rand.Uint64(), 36)}
		}
		t := Try{Request: r.Header[keyRequest][0], Path: trail.Tries(r.Header.Get(trail.HeaderTries), 0), Host: r.Host, Service: p.by[0], Version: p.by[1], Began: time.Now()}
		begun := t
		tell(&begun)
		watched := &statusWriter{ResponseWriter: w}
		defer func() { // also where the service breaks the connection
			t.Ended, t.Status = time.Now(), watched.status
			tell(&t)
		}()
		p.service.ServeHTTP(watched, r)
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(body []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(body)
}

// Hijack implements http.Hijacker: a service may break the connection.
func (w *statusWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hijacker, ok := w.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("the connection cannot be taken over")
	}
	return hijacker.Hijack()
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
