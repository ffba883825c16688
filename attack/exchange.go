package attack

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"github.com/hellochaos/hellochaos/service/trail"
)

// exchange is a request that a RoundTripper sends, and the body of its answer.
type exchange struct {
	of          *loop
	link        *link
	context     context.Context
	trace       httptrace.ClientTrace
	connections atomic.Int32 // that the request was given to
	opened      atomic.Int32 // of them, those that were opened for it
}

// roundTrip has the RoundTripper send a request, on a goroutine of its own.
func (l *loop) roundTrip(c *link, at Slot) {
	e := &exchange{of: l, link: c}
	e.context, c.cancel = context.WithCancel(l.alive)
	e.trace.GotConn = func(info httptrace.GotConnInfo) {
		if e.connections.Add(1); !info.Reused {
			e.opened.Add(1)
		}
	}
	request := l.requestFor(at).WithContext(httptrace.WithClientTrace(e.context, &e.trace))
	stop := c.cancel
	l.blocking.Go(func() {
		o, err := e.send(request)
		stop()
		if e.connections.Load() > 1 {
			l.resends.Add(1)
		}
		l.post(post{link: c, outcome: &o, err: err, dialed: int(e.opened.Load())})
	})
}

// requestFor is the request of a slot in the form of net/http, which sends it once.
func (l *loop) requestFor(at Slot) *http.Request {
	c := &l.plan.Cohorts[at.Cohort]
	to := l.plan.urlOf(c)
	f := &l.forms[at.Cohort]
	request := &http.Request{Method: f.method, URL: to, Host: c.Host, Header: l.plan.headerOf(c, to), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if host, ok := l.plan.asked(c); ok {
		request.URL.Host = host
	}
	if !l.plan.Bare {
		name := requestName(f.prefix, at.Number)
		request.Header[requestHeader] = []string{name}
		if l.plan.Trace {
			trace, span := traceIDs(name, l.began)
			request.Header[traceIDKey], request.Header[spanIDKey] = []string{trace}, []string{span}
		}
	}
	if len(c.Body) == 0 {
		trail.Once(request)
	} else {
		trail.OnceWith(request, string(c.Body))
	}
	return request
}

// send sends the request and reads the answer. Redirects are answers like any other.
func (e *exchange) send(request *http.Request) (o outcome, err error) {
	response, err := e.of.base.RoundTrip(request)
	if err != nil {
		return outcome{class: classify(err, e.context.Err())}, err
	}
	defer response.Body.Close()
	kept := int64(0)
	if response.Header.Get(trail.HeaderTrail) == trail.Form {
		kept = int64(e.of.kept)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, kept))
	more := int64(0)
	if err == nil {
		more, err = io.Copy(io.Discard, response.Body)
	}
	switch {
	case err == nil:
		return outcome{status: response.StatusCode, in: int64(len(body)) + more, out: max(0, request.ContentLength), trail: kept > 0, body: body}, nil
	case strings.Contains(err.Error(), "malformed"):
		return outcome{class: Garbled}, err
	}
	if class := classify(err, e.context.Err()); class == Timeout || class == Canceled {
		return outcome{class: class}, err
	}
	return outcome{class: Cut}, err
}
