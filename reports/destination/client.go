// Package destination sends requests to the programs that get a report or to which a report links: Grafana, OTLP receivers, Zipkin,
// Kiali, Jaeger. It knows HTTP, the form of these programs' addresses, and the rules for all of them: it follows no redirect, so
// credentials reach only the host that the user named; only an answer of 2xx is a success; it reads an answer up to a limit; and no
// error has a credential or the address of the request in it. It must not know the API of any program, and not what is in a report.
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

// MostAnswer is the largest size of an answer in bytes.
const MostAnswer = 16 << 20

// Options are the settings of a client.
type Options struct {
	// Timeout is how long a request may take until its answer is read. With 0 only its context limits it.
	Timeout time.Duration
	// Secrets are removed from errors.
	Secrets Secrets
	// Direct is true where requests must not go through the proxy that the environment names, as to an address within a cluster.
	Direct bool
	// TLS has the user's own certificates. It is nil where the system's certificates are used.
	TLS *tls.Config
}

// Client sends requests to one program. It must be closed.
type Client struct {
	http      *http.Client
	transport *http.Transport
	options   Options
}

// New returns a client. It sends no request.
func New(o Options) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS
	if o.Direct {
		transport.Proxy = nil
	}
	return &Client{options: o, transport: transport, http: &http.Client{Transport: transport,
		// Go follows a redirect with all headers except Authorization and Cookie, so a header such as "api-key" would reach the other
		// host. A POST becomes a GET without a body, and its success would not mean that the body was accepted.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Close closes the connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Request is a request to URL. User and password of the URL authenticate the request, unless Header has an Authorization.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
}

// Do sends a request and returns the body of an answer of 2xx. The error is a *Refusal where the answer is another. It is the context's
// cause where the context ended. Otherwise there was no answer, or it was too long.
func (c *Client) Do(ctx context.Context, r Request) ([]byte, error) {
	if c.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.options.Timeout, fmt.Errorf("no answer within %s", c.options.Timeout))
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, errors.New("no request can be sent to the URL")
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

// unanswered returns the reason for which there was no answer. It removes the URL from the error, which may have a password in it.
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
	// Status is the status of the answer, such as 401 or 302.
	Status int
	// Redirected is the scheme and host to which a redirect leads. It is empty where the answer is no redirect.
	Redirected string
	// Body and Header are those of the answer. They may have anything in them: the credentials of the request, control characters.
	Body   []byte
	Header http.Header
}

// Error returns the status in words, and where a redirect leads.
func (r *Refusal) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)))
	if r.Redirected != "" {
		text += ": a redirect to " + r.Redirected + ", which hellochaos did not follow, because it would send credentials to that host; if that host is right, name its URL"
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
