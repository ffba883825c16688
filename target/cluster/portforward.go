package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// forwardAgain is the time between two connections of a port-forward to the API server.
const forwardAgain = 200 * time.Millisecond

// forward is a port of the loopback interface that leads to a pod through the API server.
type forward struct {
	url    string // "http://127.0.0.1:41234"
	dialer httpstream.Dialer
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

// forward opens a port that leads to a port of a pod until Close. ctx bounds the opening alone. A single connection that
// the pod resets ends all of them in client-go; it is opened again then, on the same port.
func (c *Cluster) forward(ctx context.Context, pod *corev1.Pod, port int) (*forward, error) {
	at := c.core.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	dialer, err := c.forwardDialer(at)
	if err != nil {
		return nil, fmt.Errorf("forwarding a port to pod %s: %w", pod.Name, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, requestTime, fmt.Errorf("it did not open within %v", requestTime))
	defer cancel()
	lasting, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &forward{dialer: dialer, stop: stop}
	opened := make(chan uint16, 1)
	failed := make(chan error, 1)
	f.ended.Go(func() { f.keep(lasting, port, opened, failed) })
	select {
	case local := <-opened:
		f.url = fmt.Sprintf("http://127.0.0.1:%d", local)
		return f, nil
	case err = <-failed:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return nil, errors.Join(fmt.Errorf("forwarding a port to pod %s: %w", pod.Name, err), f.Close())
}

// forwardDialer speaks WebSocket to the API server, and SPDY to one that is too old for that.
func (c *Cluster) forwardDialer(at *url.URL) (httpstream.Dialer, error) {
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	older := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, at)
	newer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(at, c.config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(newer, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// keep forwards until ctx ends. It tells the local port once it is known, or why the first connection failed.
func (f *forward) keep(ctx context.Context, port int, opened chan<- uint16, failed chan<- error) {
	for local := uint16(0); ctx.Err() == nil; {
		found, err := f.once(ctx, local, port, func(found uint16) {
			if local == 0 {
				opened <- found
			}
		})
		if found == 0 && local == 0 {
			failed <- err
			return
		}
		local = max(local, found)
		select {
		case <-time.After(forwardAgain):
		case <-ctx.Done():
		}
	}
}

// once forwards from a local port, 0 for any, until its connection to the API server is lost or given up, or ctx ends. It
// tells the local port when it is ready, and returns it; 0: it never was.
func (f *forward) once(ctx context.Context, local uint16, port int, ready func(uint16)) (found uint16, err error) {
	outer := ctx
	ctx, end := context.WithCancel(ctx)
	defer end()
	opened := make(chan struct{})
	dialer := impatient{f.dialer, end}
	pf, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("%d:%d", local, port)}, opened, io.Discard, io.Discard)
	if err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- pf.ForwardPorts() }()
	select {
	case <-opened:
		if ports, wrong := pf.GetPorts(); wrong == nil {
			found = ports[0].Local
			ready(found)
		}
		return found, <-ended
	case err = <-ended:
		return 0, err
	case <-ctx.Done():
	}
	if outer.Err() != nil { // a connection that is still being opened ends by itself
		return 0, context.Cause(outer)
	}
	return 0, <-ended
}

// impatient opens connections that end their port-forward when client-go gives them up, or cannot use them any more.
// client-go waits for the other side to close a connection after a stream's error, for half a minute where that side does
// not, and meanwhile takes connections of which nothing comes.
type impatient struct {
	httpstream.Dialer
	end context.CancelFunc
}

func (d impatient) Dial(protocols ...string) (httpstream.Connection, string, error) {
	connection, protocol, err := d.Dialer.Dial(protocols...)
	if err != nil {
		return nil, "", err
	}
	return abandonable{connection, d.end}, protocol, nil
}

type abandonable struct {
	httpstream.Connection
	end context.CancelFunc
}

func (c abandonable) CreateStream(headers http.Header) (httpstream.Stream, error) {
	stream, err := c.Connection.CreateStream(headers)
	if err != nil {
		c.end()
	}
	return stream, err
}

func (c abandonable) Close() error {
	c.end()
	return c.Connection.Close()
}

// Close ends the port-forward with all its connections.
func (f *forward) Close() error {
	f.stop()
	f.ended.Wait()
	return nil
}
