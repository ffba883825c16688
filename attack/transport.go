package attack

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// transport makes Vegeta's hits into the requests of a plan and sends each exactly once.
type transport struct {
	base    http.RoundTripper
	context context.Context // ends all requests in flight when it ends
	timeout time.Duration
	plan    *Plan
	kinds   []kind // by cohort
	resends atomic.Int64
	trace   bool
	began   time.Time // of the attack

	opened, inFlight, mostInFlight atomic.Int64
	errors                         sync.Mutex // guards first
	first                          map[string]string
}

// kind is what the requests of a cohort share; it is never written to.
type kind struct {
	prefix       string   // of their names
	url          *url.URL // nil: that of the plan
	host, method string
	header       http.Header
	body         string
}

// seqHeader is where Vegeta puts the number of a hit.
const seqHeader = "X-Vegeta-Seq"

var requestHeader = http.CanonicalHeaderKey(trail.HeaderRequest)

func newTransport(ctx context.Context, plan *Plan, base http.RoundTripper, began time.Time) *transport {
	t := &transport{base: base, context: ctx, timeout: plan.Timeout, plan: plan, trace: plan.Trace, began: began, first: map[string]string{}}
	for _, cohort := range plan.Cohorts {
		header := cohort.Header.Clone()
		if header == nil {
			header = make(http.Header, 2)
		}
		if !plan.Bare {
			header.Set("Accept", "application/json")
		}
		k := kind{prefix: plan.prefix(&cohort), host: cohort.Host, method: cmp.Or(cohort.Method, http.MethodGet), header: header, body: string(cohort.Body)}
		if cohort.URL != "" {
			k.url, _ = readURL(cohort.URL) // Check has read it
		}
		if host, ok := plan.asked(&cohort); ok {
			k.url = plan.urlOf(&cohort)
			k.url.Host = host
		}
		t.kinds = append(t.kinds, k)
	}
	return t
}

// dialer returns the transport that opens the connections of a plan: HTTP/1.1, straight to the address. A connection
// that was idle for two seconds is not used again, because servers close idle ones (Node.js after five seconds), and a
// request that meets the closing would count as failed.
func dialer(plan *Plan) *http.Transport {
	addresses := map[string]string{}
	for i := range plan.Cohorts {
		if host, ok := plan.asked(&plan.Cohorts[i]); ok {
			addresses[host] = plan.urlOf(&plan.Cohorts[i]).Host
		}
	}
	open := (&net.Dialer{Timeout: plan.Timeout}).DialContext
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return open(ctx, network, cmp.Or(addresses[address], address))
		},
		TLSClientConfig:     plan.TLS.Clone(),
		MaxIdleConnsPerHost: plan.Connections,
		IdleConnTimeout:     2 * time.Second,
		DisableCompression:  true,
	}
}

// urlOf is where the requests of a cohort go. Check has read it.
func (p *Plan) urlOf(c *Cohort) *url.URL {
	to, _ := readURL(cmp.Or(c.URL, p.URL))
	return to
}

// asked is the host of the requests of a cohort with the port of their URL, where these go over connections of Plan.TLS: net/http makes
// connections of their own for each such name, and asks for it.
func (p *Plan) asked(c *Cohort) (string, bool) {
	to := p.urlOf(c)
	if p.TLS == nil || to.Scheme != "https" || c.Host == "" {
		return "", false
	}
	name := (&url.URL{Host: c.Host}).Hostname()
	return net.JoinHostPort(strings.ToLower(name), to.Port()), true
}

// client returns the HTTP client that Vegeta sends with. Redirects are answers like any other. The timeout is the
// transport's own: http.Client would start a goroutine for each request to watch it.
func (t *transport) client() *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip sends one hit. Errors are failures: nothing but their class.
func (t *transport) RoundTrip(hit *http.Request) (*http.Response, error) {
	number, err := strconv.ParseUint(hit.Header.Get(seqHeader), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("number of a hit in %s: %w", seqHeader, err)
	}
	e := &exchange{of: t}
	e.context, e.end = context.WithTimeout(t.context, t.timeout)
	e.trace.GotConn = e.gotConn
	request := hit.WithContext(httptrace.WithClientTrace(e.context, &e.trace))
	at := t.plan.slot(int(number))
	of := &t.kinds[at.Cohort]
	request.Method, request.Header = of.method, maps.Clone(of.header)
	if !t.plan.Bare {
		e.name[0] = requestName(of.prefix, at.Number)
		request.Header[requestHeader] = e.name[:]
	}
	if t.trace {
		trace, span := traceIDs(e.name[0], t.began)
		request.Header[traceIDKey], request.Header[spanIDKey] = []string{trace}, []string{span}
	}
	if of.url != nil {
		request.URL, request.Host = of.url, of.url.Host
	}
	if of.host != "" {
		request.Host = of.host
	}
	if of.body == "" {
		trail.Once(request)
	} else {
		trail.OnceWith(request, of.body)
	}

	e.begin()
	response, err := t.base.RoundTrip(request)
	if e.connections.Load() > 1 {
		t.resends.Add(1)
	}
	if err != nil {
		class := classify(err, e.context.Err())
		t.note(class, err)
		e.finish()
		return nil, class
	}
	e.body, response.Body = response.Body, e
	if t.plan.Bare {
		e.sent = len(of.body)
		response.Header[sizeHeader] = e.sizes[:]
	}
	return response, nil
}

// note keeps the text of the first error of a class.
func (t *transport) note(class failure, err error) {
	t.errors.Lock()
	defer t.errors.Unlock()
	if _, known := t.first[string(class)]; !known && class != Canceled {
		t.first[string(class)] = err.Error()
	}
}

// noted are the texts of note.
func (t *transport) noted() map[string]string {
	t.errors.Lock()
	defer t.errors.Unlock()
	return maps.Clone(t.first)
}

// sizeHeader is where an exchange leaves the sizes of both bodies for the observation. Vegeta passes the headers of an answer on, and counts
// of its body only what it keeps.
const sizeHeader = "X-Hellochaos-Sizes"

// sizesOf are the sizes that an exchange left in the headers of an answer; 0 where it left none.
func sizesOf(header http.Header) (in, out int64) {
	if sizes := header[sizeHeader]; len(sizes) == 2 {
		in, _ = strconv.ParseInt(sizes[0], 10, 64) // an exchange wrote them
		out, _ = strconv.ParseInt(sizes[1], 10, 64)
	}
	return in, out
}

// exchange is one request on its way and the body of its answer.
type exchange struct {
	of          *transport
	context     context.Context
	end         context.CancelFunc
	trace       httptrace.ClientTrace
	connections atomic.Int32 // connections that the request was given to
	name        [1]string
	body        io.ReadCloser
	finished    bool
	read        int64     // of the body
	sent        int       // bytes of the request's body
	sizes       [2]string // of the answer's body and of the request's, once the exchange is closed
}

func (e *exchange) gotConn(info httptrace.GotConnInfo) {
	e.connections.Add(1)
	if !info.Reused {
		e.of.opened.Add(1)
	}
}

// begin counts the exchange as in flight.
func (e *exchange) begin() {
	now := e.of.inFlight.Add(1)
	for most := e.of.mostInFlight.Load(); now > most && !e.of.mostInFlight.CompareAndSwap(most, now); {
		most = e.of.mostInFlight.Load()
	}
}

// finish ends the exchange; a second call changes nothing.
func (e *exchange) finish() {
	if !e.finished {
		e.finished = true
		e.of.inFlight.Add(-1)
	}
	e.end()
}

// Read reads the answer's body. An error is a failure, as in RoundTrip.
func (e *exchange) Read(buffer []byte) (int, error) {
	n, err := e.body.Read(buffer)
	e.read += int64(n)
	if err == nil || err == io.EOF {
		return n, err
	}
	if class := classify(err, e.context.Err()); class == Timeout || class == Canceled {
		e.of.note(class, err)
		return n, class
	}
	e.of.note(Cut, err)
	return n, failure(Cut)
}

// Close ends the exchange.
func (e *exchange) Close() error {
	defer e.finish()
	if e.of.plan.Bare {
		e.sizes = [2]string{strconv.FormatInt(e.read, 10), strconv.Itoa(e.sent)}
	}
	return e.body.Close()
}
