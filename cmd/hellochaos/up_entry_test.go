package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/hellochaos/hellochaos/target"
)

// Each connection goes to where requests enter when it is made, and a connection that leads nowhere is closed.
func TestForward(t *testing.T) {
	answering := func(text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	var at atomic.Value
	at.Store(answering("direct"))
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- forward(ctx, listener, func(context.Context) (target.Address, error) {
			if url := at.Load().(string); url != "" {
				return target.Address{URL: url}, nil
			}
			return target.Address{}, errors.New("nowhere")
		})
	}()
	ask := func() (string, error) {
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		response, err := client.Get("http://" + listener.Addr().String())
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}
	if got, err := ask(); got != "direct" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	at.Store(answering("by the gateway"))
	if got, err := ask(); got != "by the gateway" || err != nil {
		t.Errorf("after the stage: %q, %v", got, err)
	}
	at.Store("")
	if got, err := ask(); err == nil {
		t.Errorf("from nowhere came %q", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
