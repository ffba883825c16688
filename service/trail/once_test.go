package trail_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/hellochaos/hellochaos/service/trail"
)

// The server breaks every connection at its second request. http.Transport sends such a request again, unless Once prevents it.
func TestOnce(t *testing.T) {
	const count = 10
	for _, once := range []bool{false, true} {
		var received atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.ContentLength != 0 || r.TransferEncoding != nil || r.Header.Get("Content-Length") != "" {
				t.Errorf("received length %d, encoding %v, header %v: want no word of a body", r.ContentLength, r.TransferEncoding, r.Header)
			}
			received.Add(1)
			if before := r.Context().Value(requests{}).(*atomic.Int64); before.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
		}))
		server.Config.ConnContext = countRequests
		server.Start()
		transport := new(http.Transport)
		failed := 0
		for range count {
			request, err := http.NewRequest(http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if once {
				trail.Once(request)
			}
			response, err := transport.RoundTrip(request)
			if err != nil {
				failed++
				continue
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		transport.CloseIdleConnections()
		server.Close()
		if got := received.Load(); once && (got != count || failed != count/2) || !once && (got <= count || failed != 0) {
			t.Errorf("once %v: server received %d of %d requests, %d failed", once, got, count, failed)
		}
	}
}

// requests is the key, in the context of a connection, of its count of requests.
type requests struct{}

func countRequests(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, requests{}, new(atomic.Int64))
}
