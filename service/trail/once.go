package trail

import (
	"io"
	"net/http"
	"strings"
)

// identity is an encoding that adds no header.
var identity = []string{"identity"}

// Once makes an http.Transport send r, a request without a body, once at most. The Transport sends a request again,
// unseen, when a reused connection breaks, unless it has a body that cannot be had twice (net/http,
// Request.isReplayable and persistConn.shouldRetryRequest): such a try would be in no ledger. The empty body that r
// gets leaves nothing on the wire; the encoding that is named spares the Transport the question, by a goroutine and a
// timer, whether the body is empty.
func Once(r *http.Request) { r.Body, r.TransferEncoding = nothing{}, identity }

// OnceWith is Once for a request with a body that is not empty. The Transport cannot have the body twice, since it is not
// told how (Request.GetBody).
func OnceWith(r *http.Request, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
}

// nothing is an empty body that http.Transport does not know to be empty.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, io.EOF }
func (nothing) Close() error             { return nil }

// WriteTo spares io.Copy, which net/http writes bodies with, a buffer of 32 KiB.
func (nothing) WriteTo(io.Writer) (int64, error) { return 0, nil }
