package trail

import (
	"io"
	"net/http"
	"strings"
)

// identity is the value of Request.TransferEncoding with which net/http sends no header for it.
var identity = []string{"identity"}

// Once makes an http.Transport send r, a request without a body, at most once. When a reused connection breaks, the Transport
// sends a request again without reporting it, unless the request has a body that cannot be read twice (net/http,
// Request.isReplayable and persistConn.shouldRetryRequest). No count would include such a try. Once gives r an empty body that
// cannot be read twice; nothing of it is sent. Because Once also sets the transfer encoding, the Transport does not need a
// goroutine and a timer to find out whether the body is empty.
func Once(r *http.Request) { r.Body, r.TransferEncoding = nothing{}, identity }

// OnceWith is Once for a request with a body that is not empty. The Transport cannot read the body twice, because r has no
// function Request.GetBody.
func OnceWith(r *http.Request, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
}

// nothing is an empty body, but http.Transport does not know that it is empty.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, io.EOF }
func (nothing) Close() error             { return nil }

// WriteTo saves the buffer of 32 KiB that io.Copy, by which net/http writes bodies, would need.
func (nothing) WriteTo(io.Writer) (int64, error) { return 0, nil }
