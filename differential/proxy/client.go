package proxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Client sends requests through an Envoy, as the pod of a sidecar does, or as those who connect to a gateway. The host of a request's URL
// is the address and the port to which the pod connects, or, at a gateway, the port at which the request enters. It follows no redirects,
// and says nothing that the request does not have. idle connections are at most so many.
func (e *Process) Client(idle int, timeout time.Duration) *http.Client {
	dial := func(ctx context.Context, _, address string) (net.Conn, error) {
		if e.gateway {
			return e.enter(ctx, address)
		}
		return e.captured(ctx, address)
	}
	client := Plain(idle, timeout)
	client.Transport.(*http.Transport).DialContext = dial
	return client
}

// Plain is such a client that connects to where the URL says, past every Envoy.
func Plain(idle int, timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConns: idle, MaxIdleConnsPerHost: idle}}
}

// captured is a connection of the sidecar's pod to an address.
func (e *Process) captured(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", e.listeners[outbound])
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(connection, "PROXY TCP4 10.2.99.99 %s 40000 %s\r\n", host, port); err != nil {
		connection.Close()
		return nil, err
	}
	return connection, nil
}

// enter is a connection to a gateway's port.
func (e *Process) enter(ctx context.Context, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := strconv.Atoi(port); err != nil {
		return nil, err
	}
	at, ok := e.listeners["0.0.0.0_"+port]
	if !ok {
		return nil, fmt.Errorf("the gateway has no listener at port %s", port)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", at)
}
