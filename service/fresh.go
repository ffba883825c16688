package service

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// anywhere is an address that belongs to nobody (TEST-NET-1, RFC 5737). A sidecar's listener for a port of HTTP takes
// every address and decides by Host.
const anywhere = "192.0.2.1"

// lookupTime is how long a name may take to resolve before it counts as unknown: resolvers without a way out are slow to
// say so.
const lookupTime = time.Second

// newFresh is a transport that opens a connection for each request: what breaks is then this request's own, and nothing
// is sent twice. What it cannot resolve it connects to fallback.
func newFresh(fallback string) *http.Transport {
	var dialer net.Dialer
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, fmt.Errorf("dialling %s: %w", address, err)
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort(resolve(ctx, host, fallback), port))
		},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// resolve is an address of host, or fallback when it has none or does not tell in lookupTime.
func resolve(ctx context.Context, host, fallback string) string {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil || len(addresses) == 0 {
		return fallback
	}
	return addresses[0]
}
