package mesh

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// statusNone is the status of an answer that nobody receives: the caller went away, or the proxy breaks its connection on purpose.
const statusNone = 0

// answer is the answer to a call: that of an upstream, or one that the proxy gives itself.
type answer struct {
	status int
	header http.Header
	text   string        // the body of an answer that the proxy gives itself
	body   io.ReadCloser // the body of an upstream's answer; nil when the proxy answers itself
	flags  string        // Envoy's response flags, joined by commas in the order in which Envoy sets them; empty for none
	detail string        // Envoy's response code detail
}

// proxyAnswer is an answer that the proxy gives itself.
func proxyAnswer(status int, text, flags, detail string) answer {
	a := answer{status: status, text: text, flags: flags, detail: detail}
	if text != "" {
		a.header = http.Header{"Content-Type": textPlain}
	}
	return a
}

// textPlain is the Content-Type of answers that the proxy gives itself. It is never changed.
var textPlain = []string{"text/plain"}

// via is an upstream's answer.
func via(response *http.Response) answer {
	return answer{status: response.StatusCode, header: response.Header, body: response.Body, detail: detailViaUpstream}
}

// broken is how a try without an answer ends for the caller's proxy: with a failure for the retry policy, and with the answer to
// the call if this is its last try. Where the called app has a sidecar, that sidecar answers 503 when the app breaks its
// connection, and the caller's proxy sees an upstream's 503 like any other.
func broken(err error, sidecar bool) (manifests.Failure, answer) {
	const unavailable = http.StatusServiceUnavailable
	switch {
	case errors.Is(err, errOverflow):
		a := proxyAnswer(unavailable, textReset+reasonOverflow, flagOverflow, detailOverflow)
		a.header["X-Envoy-Overloaded"] = []string{"true"}
		return manifests.Failure{Overflow: true}, a
	case errors.Is(err, errPerTryTimeout):
		return manifests.Failure{PerTryTimeout: true},
			proxyAnswer(http.StatusGatewayTimeout, textTimeout, flagTimeout, detailPerTryTimeout)
	case sidecar:
		reason := reasonTermination
		if errors.Is(err, errConnect) {
			reason = reasonConnect
		}
		return manifests.Failure{Status: unavailable}, proxyAnswer(unavailable, textReset+reason, "", detailViaUpstream)
	case errors.Is(err, errConnect):
		return manifests.Failure{ConnectFailure: true},
			proxyAnswer(unavailable, textReset+reasonConnect, flagConnectFailure, detailConnectFailure)
	}
	return manifests.Failure{Reset: true}, proxyAnswer(unavailable, textReset+reasonTermination, flagTermination, detailTermination)
}

// exhaust marks the last answer of a call whose retries are used up. Where this proxy saw the connection break, Envoy puts the
// retries into the text of the answer (onUpstreamReset in router.cc).
func (a *answer) exhaust() {
	if a.flags == flagConnectFailure || a.flags == flagTermination {
		a.text = strings.Replace(a.text, "reset reason: ", "retried and the latest reset reason: ", 1)
	}
	a.flags = joined(flagRetriesExhausted, a.flags)
}

// addCookie adds a Set-Cookie header.
func (a *answer) addCookie(text string) {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Add("Set-Cookie", text)
}

// discard frees what an answer holds that is not delivered.
func (a *answer) discard() {
	if a.body != nil {
		a.body.Close()
	}
}

// deliver sends an answer to the caller and reports whether all of it was sent.
func (a *answer) deliver(w http.ResponseWriter) bool {
	if a.status == statusNone {
		return false
	}
	header := w.Header()
	header["Content-Type"] = nil // without this net/http would guess a Content-Type
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
