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

// forwardAgain is the time after which a port-forward connects to the API server again.
const forwardAgain = 200 * time.Millisecond

// forward is a port of the loopback interface that leads to a pod through the API server.
type forward struct {
	url    string // "http://127.0.0.1:41234"
	dialer httpstream.Dialer
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

// forward opens a port that leads to a port of a pod until Close. ctx limits only the time until it is
// open. When the pod resets one connection, client-go ends the whole port-forward; it is then opened again, on the same port.
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

// forwardDialer speaks WebSocket to the API server, or SPDY if the server is too old for WebSocket.
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

// keep forwards until ctx ends. It sends the local port to opened once the port is known, or the error to failed if the first
// connection fails.
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

// once forwards from a local port, or from any free one if local is 0, until its connection to the API server is lost or given
// up, or ctx ends. It calls ready with the local port when it is open, and returns that port; it returns 0 if it never opened.
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
	if outer.Err() != nil { // there is nothing to wait for: the connection that is being opened ends by itself
		return 0, context.Cause(outer)
	}
	return 0, <-ended
}

// impatient opens connections that end their port-forward as soon as client-go gives the connection up or cannot use it any
// more. By itself, client-go waits up to half a minute after a stream's error for the other side to close the connection, and
// in that time accepts connections that get no answer.
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
