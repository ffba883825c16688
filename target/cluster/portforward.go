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
	ctx, cancel := context.WithTimeoutCause(ctx, requestTime, errors.New("it did not open in time"))
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
		ready := make(chan struct{})
		pf, err := portforward.NewOnAddressesForStreamingWithContext(ctx, f.dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("%d:%d", local, port)}, ready, io.Discard, io.Discard)
		if err != nil {
			failed <- err
			return
		}
		ended := make(chan error, 1)
		go func() { ended <- pf.ForwardPorts() }()
		select {
		case <-ready:
			if ports, wrong := pf.GetPorts(); wrong == nil && local == 0 {
				local = ports[0].Local
				opened <- local
			}
			err = <-ended
		case err = <-ended:
		case <-ctx.Done(): // a connection that is still being opened ends by itself
			return
		}
		if local == 0 {
			failed <- err
			return
		}
		select {
		case <-time.After(forwardAgain):
		case <-ctx.Done():
		}
	}
}

// Close ends the port-forward with all its connections.
func (f *forward) Close() error {
	f.stop()
	f.ended.Wait()
	return nil
}
