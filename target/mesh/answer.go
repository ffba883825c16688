package mesh

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// statusNone is the status of an answer that nobody gets: the caller went away, or its connection is broken on purpose.
const statusNone = 0

// answer is what a call ends with: an upstream's answer, or the proxy's own.
type answer struct {
	status int
	header http.Header
	text   string        // the body of the proxy's own answer
	body   io.ReadCloser // the body of an upstream's answer; nil when it is the proxy's own
	flags  string        // Envoy's, joined by commas in the order in which Envoy sets them; empty for none
	detail string        // Envoy's response code detail
}

// own is an answer of the proxy itself.
func own(status int, text, flags, detail string) answer {
	a := answer{status: status, text: text, flags: flags, detail: detail}
	if text != "" {
		a.header = http.Header{"Content-Type": {"text/plain"}}
	}
	return a
}

// via is an upstream's answer.
func via(response *http.Response) answer {
	return answer{status: response.StatusCode, header: response.Header, body: response.Body, detail: detailViaUpstream}
}

// broken is what a try without an answer looks like to the caller's proxy: its failure for the retry policy, and the
// answer that the call ends with should it be the last try. Behind a sidecar on the callee's side an app's broken
// connection is that sidecar's answer, an upstream's 503 like any other.
func broken(err error, sidecar bool) (manifests.Failure, answer) {
	const unavailable = http.StatusServiceUnavailable
	switch {
	case errors.Is(err, errPerTryTimeout):
		return manifests.Failure{PerTryTimeout: true},
			own(http.StatusGatewayTimeout, textTimeout, flagTimeout, detailPerTryTimeout)
	case sidecar:
		reason := reasonTermination
		if errors.Is(err, errConnect) {
			reason = reasonConnect
		}
		return manifests.Failure{Status: unavailable}, own(unavailable, textReset+reason, "", detailViaUpstream)
	case errors.Is(err, errConnect):
		return manifests.Failure{ConnectFailure: true},
			own(unavailable, textReset+reasonConnect, flagConnectFailure, detailConnectFailure)
	}
	return manifests.Failure{Reset: true}, own(unavailable, textReset+reasonTermination, flagTermination, detailTermination)
}

// exhaust marks the last answer of a call whose retries are used up. When the proxy itself saw the connection break,
// its text says so (router.cc onUpstreamReset).
func (a *answer) exhaust() {
	if a.flags == flagConnectFailure || a.flags == flagTermination {
		a.text = strings.Replace(a.text, "reset reason: ", "retried and the latest reset reason: ", 1)
	}
	a.flags = joined(flagRetriesExhausted, a.flags)
}

// discard gives up an answer that is not delivered.
func (a *answer) discard() {
	if a.body != nil {
		a.body.Close()
	}
}

// deliver sends an answer to the caller and reports whether it went out whole.
func (a *answer) deliver(w http.ResponseWriter) bool {
	if a.status == statusNone {
		return false
	}
	header := w.Header()
	header["Content-Type"] = nil // net/http would guess one
	copyEndToEnd(header, a.header)
	w.WriteHeader(a.status)
	if a.body == nil {
		io.WriteString(w, a.text) // fails only where the caller has gone or the status has no body
		return true
	}
	defer a.body.Close()
	_, err := io.Copy(w, a.body)
	return err == nil
}
