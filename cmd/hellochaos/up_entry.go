package main

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"

	"github.com/hellochaos/hellochaos/target"
)

// forward hands the connections of a listener on until ctx ends. It asks where to for each, since the entry of requests changes with the stage:
// the mesh chooses the ports of its own anew each time it is started.
func forward(ctx context.Context, from net.Listener, to func(context.Context) (target.Address, error)) error {
	defer context.AfterFunc(ctx, func() { from.Close() })()
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		client, err := from.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		connections.Go(func() { join(ctx, client, to) })
	}
}

// join copies between a client and an address until either has closed, or ctx ends.
func join(ctx context.Context, client net.Conn, to func(context.Context) (target.Address, error)) {
	defer client.Close()
	address, err := to(ctx)
	if err != nil {
		return
	}
	parsed, err := url.Parse(address.URL)
	if err != nil {
		return
	}
	server, err := new(net.Dialer).DialContext(ctx, "tcp", parsed.Host)
	if err != nil {
		return
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() { client.Close(); server.Close() })()
	var there sync.WaitGroup
	there.Go(func() { _, _ = io.Copy(server, client); server.Close() }) // the end of one side ends the other
	_, _ = io.Copy(client, server)
	client.Close()
	there.Wait()
}
