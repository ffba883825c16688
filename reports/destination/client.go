// Package destination sends requests to the programs that a report is brought to or links to: Grafana, OTLP receivers, Zipkin, Kiali,
// Jaeger. It knows HTTP, the form of these programs' addresses, and what must hold whichever program it is: credentials reach no other
// host than the one that the user named, since no redirect is followed; only an answer of 2xx is a success; an answer is read up to a
// limit; and no error holds a credential or the address that was asked. It must not know any program's API, nor what a report says.
package destination

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MostAnswer is how much of an answer is read, in bytes.
const MostAnswer = 16 << 20

// Options say how a program is asked.
type Options struct {
	// Timeout is how long one request may take with its answer; 0: as long as its context allows.
	Timeout time.Duration
	// Secrets are what no error may hold.
	Secrets Secrets
	// Direct: past the proxy that the environment names, to an address within the cluster.
	Direct bool
	// TLS are certificates of the user's own; nil: the system's.
	TLS *tls.Config
}

// Client asks one program. It must be closed.
type Client struct {
	http      *http.Client
	transport *http.Transport
	options   Options
}

// New returns a client; nothing is sent yet.
func New(o Options) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS
	if o.Direct {
		transport.Proxy = nil
	}
	return &Client{options: o, transport: transport, http: &http.Client{Transport: transport,
		// Go follows redirects with all headers but Authorization and Cookie: with "api-key", for example. A POST becomes a GET
		// without the body, whose success would say nothing.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Close closes the connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Request is what is sent: to URL, whose user and password authenticate it unless Header has an Authorization.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
}

// Do sends a request and returns the body of an answer of 2xx. The error is a *Refusal where there was another answer; else there was
// none, not in time, or one that is too long, and the error is the context's cause where the context ended.
func (c *Client) Do(ctx context.Context, r Request) ([]byte, error) {
	if c.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.options.Timeout, fmt.Errorf("no answer within %s", c.options.Timeout))
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, errors.New("the URL cannot be asked")
	}
	for name, values := range r.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	request.Header.Set("User-Agent", "hellochaos")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unanswered(ctx, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, MostAnswer+1))
	switch {
	case response.StatusCode/100 != 2:
		return nil, c.refused(response, body)
	case err != nil:
		return nil, c.unanswered(ctx, err)
	case len(body) > MostAnswer:
		return nil, fmt.Errorf("the answer is longer than %d MiB", MostAnswer>>20)
	}
	return body, nil
}

// unanswered is why there was no answer, without the URL, which may hold a password.
func (c *Client) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	return errors.New(c.options.Secrets.Line(err.Error(), 200))
}

// Refusal is an answer that is not a success.
type Refusal struct {
	// Status is the code of the answer: 401, 302.
	Status int
	// Redirected is the scheme and host that a redirect names; empty: it was none.
	Redirected string
	// Body is what was answered, and Header its headers. They may hold anything: credentials that were sent, control characters.
	Body   []byte
	Header http.Header
}

// Error is the status in words.
func (r *Refusal) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)))
	if r.Redirected != "" {
		text += ": a redirect to " + r.Redirected + ", which was not followed, because credentials would go there; give the URL that it leads to, if that is right"
	}
	return text
}

func (c *Client) refused(response *http.Response, body []byte) *Refusal {
	refusal := &Refusal{Status: response.StatusCode, Body: body, Header: response.Header}
	if to, err := response.Location(); err == nil && response.StatusCode/100 == 3 {
		refusal.Redirected = c.options.Secrets.Line(to.Scheme+"://"+to.Host, 80)
	}
	return refusal
}
