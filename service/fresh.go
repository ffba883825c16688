package service

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// anywhere is an address that no host has (TEST-NET-1, RFC 5737). The listener of a sidecar for an HTTP port accepts connections to
// every address, and decides by the Host of the request.
const anywhere = "192.0.2.1"

// lookupTime is how long the lookup of a name may take before the name counts as unknown. A resolver that cannot reach other
// servers takes long to report that.
const lookupTime = time.Second

// newFresh returns a transport that opens a new connection for each request, so that a broken connection belongs to one request,
// and no request is sent twice. For a host that it cannot resolve, it connects to fallback.
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

// resolve returns an address of host, or fallback if it finds none within lookupTime.
func resolve(ctx context.Context, host, fallback string) string {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil || len(addresses) == 0 {
		return fallback
	}
	return addresses[0]
}
