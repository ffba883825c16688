package service

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

// HeaderScript lists what a Script service does with each try of a call, such as "500,reset,200". A word is a status in [200, 599]
// to answer, "reset" (end the connection by a TCP reset), "close" (close the connection) or "hang" (answer 200 after the hang
// duration). The attempt count of a try selects its word, and the last word is for all later tries. A request without a script is
// answered 200.
const HeaderScript = "x-hellochaos-script"

// HeaderTell names a header of the request, whose values the answer of a Script service has in HeaderTold, joined by "|". Where the
// request has no such header, HeaderTold is "-". ServerName in place of a header is the name that the client asked for when it connected with
// TLS (SNI): "-" without TLS and without a name. ClientCertificate is whether it showed a certificate: "shown" or "-".
const (
	HeaderTell        = "x-hellochaos-tell"
	HeaderTold        = "x-hellochaos-told"
	ServerName        = ":server-name"
	ClientCertificate = ":client-certificate"
)

// Headers of the answer of a Script service. They say what the service received.
const (
	// HeaderBody is the length of the request's body in bytes.
	HeaderBody = "x-hellochaos-body"
	// HeaderPath is the request's path and query, as it was sent.
	HeaderPath = "x-hellochaos-path"
	// HeaderHost is the request's Host header, as it was sent.
	HeaderHost = "x-hellochaos-host"
	// HeaderMethod is the request's method.
	HeaderMethod = "x-hellochaos-method"
)

// script answers a try as the script of its request says. It accepts any method.
func (s *Service) script(r *http.Request, t try) answer {
	line, problem := scriptLine(r.Header.Get(HeaderScript), t.attempt)
	if problem != "" {
		return refusal(http.StatusBadRequest, problem)
	}
	// The body is read first, because a close with unread data would send a reset.
	received, err := io.Copy(io.Discard, r.Body)
	if err != nil || line.hang && !wait(r.Context(), s.config.Hang) {
		return answer{code: trail.CodeCut}
	}
	if line.code == trail.CodeBroken {
		return answer{code: line.code, reset: line.reset}
	}
	a := trailAnswer(&trail.Hop{Service: s.config.Service, Version: s.config.Version, Status: line.code, Attempt: t.attempt}, t)
	a.header = a.header.Clone()
	a.header.Set(HeaderBody, strconv.FormatInt(received, 10))
	a.header.Set(HeaderPath, r.RequestURI)
	a.header.Set(HeaderHost, r.Host)
	a.header.Set(HeaderMethod, r.Method)
	if name := r.Header.Get(HeaderTell); name != "" {
		told := "-"
		values := r.Header.Values(name)
		if name == ServerName && r.TLS != nil && r.TLS.ServerName != "" {
			values = []string{r.TLS.ServerName}
		}
		if name == ClientCertificate && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			values = []string{"shown"}
		}
		if len(values) > 0 {
			told = strings.Join(values, "|")
		}
		a.header.Set(HeaderTold, told)
	}
	return a
}

// line is one word of a script.
type line struct {
	code        int // the status to answer; trail.CodeBroken: no answer
	reset, hang bool
}

// scriptLine returns the word of script for the try with this attempt count; 0 counts as 1. It reads every word, so that a bad word
// is reported at the first try.
func scriptLine(script string, attempt int) (now line, problem string) {
	if script == "" {
		return line{code: http.StatusOK}, ""
	}
	number := 0
	for word := range strings.SplitSeq(script, ",") {
		read, ok := readLine(word)
		if !ok {
			return line{}, fmt.Sprintf("header %s has %q: each word must be reset, close, hang or a status in [200, 599], and commas join the words",
				HeaderScript, word)
		}
		if number < max(attempt, 1) {
			now = read
		}
		number++
	}
	return now, ""
}

func readLine(word string) (l line, ok bool) {
	switch word {
	case "reset":
		return line{code: trail.CodeBroken, reset: true}, true
	case "close":
		return line{code: trail.CodeBroken}, true
	case "hang":
		return line{code: http.StatusOK, hang: true}, true
	}
	code, err := strconv.Atoi(word)
	return line{code: code}, err == nil && len(word) == 3 && code >= 200 && code <= 599
}

// breakConnection ends the connection of a request without answering.
func breakConnection(w http.ResponseWriter, reset bool) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // the connection is not HTTP/1 over TCP, and net/http ends it
		panic(http.ErrAbortHandler)
	}
	if lingering, ok := connection.(interface{ SetLinger(seconds int) error }); ok && reset {
		_ = lingering.SetLinger(0) // after an error the connection ends by a plain close
	}
	_ = connection.Close()
}
