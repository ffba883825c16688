package attack

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// multiplexer returns the transport of a plan with HTTP/2: net/http's, straight to the address. Requests share connections, and another one is
// opened where the server allows no more requests on those that are there.
func multiplexer(plan *Plan) *http.Transport {
	addresses := map[string]string{}
	for i := range plan.Cohorts {
		if host, ok := plan.asked(&plan.Cohorts[i]); ok {
			addresses[host] = plan.urlOf(&plan.Cohorts[i]).Host
		}
	}
	open := (&net.Dialer{Timeout: plan.Timeout}).DialContext
	protocols := &http.Protocols{}
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return open(ctx, network, plan.connectTo(cmp.Or(addresses[address], address)))
		},
		TLSClientConfig:    plan.TLS.Clone(),
		Protocols:          protocols,
		IdleConnTimeout:    idleFor,
		DisableCompression: true,
	}
}

// connectTo is the address to connect to for a host and port.
func (p *Plan) connectTo(address string) string { return cmp.Or(p.Resolve[address], address) }

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
