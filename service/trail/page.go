package trail

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Page is the answer of h as the Istio 101 tutorial showed it, one line for the service and one for each call below
// it, each ended by a newline:
//
//	frontend-prod - 0.287secs
//	http://middleware/ -> middleware-canary - 0.241secs
//	http://backend/ -> StatusCodeError: 500 - ""
//
// "StatusCodeError: 502 - …" with the quoted beginning of the body is what the tutorial's client (request-promise)
// said of every status outside 200 to 299. A call without an answer says "Error: " and why.
func Page(h *Hop) string {
	return string(appendCalls(append(appendWorkload(make([]byte, 0, 512), h), '\n'), h, ""))
}

// appendCalls adds a line for each call below h. The calls of a hop that makes several are indented by two spaces, so
// that a line's caller is the nearest line above it that is indented less; the tutorial's chain needs no indentation.
func appendCalls(page []byte, h *Hop, indent string) []byte {
	if len(h.Calls) > 1 {
		indent += "  "
	}
	for i := range h.Calls {
		call := &h.Calls[i]
		page = append(append(page, indent...), call.URL...)
		page = append(page, " -> "...)
		page = append(appendOutcome(page, call), '\n')
		if call.Hop != nil {
			page = appendCalls(page, call.Hop, indent)
		}
	}
	return page
}

// appendOutcome adds what a call came to.
func appendOutcome(page []byte, call *Call) []byte {
	switch {
	case call.Status == 0:
		return append(append(page, "Error: "...), oneLine(call.Error)...)
	case call.Status < 200 || call.Status > 299:
		page = append(page, "StatusCodeError: "...)
		page = strconv.AppendInt(page, int64(call.Status), 10)
		return strconv.AppendQuote(append(page, " - "...), call.Body)
	case call.Hop != nil:
		return appendWorkload(page, call.Hop)
	default:
		return append(page, oneLine(call.Body)...)
	}
}

// appendWorkload adds "middleware-canary - 0.241secs".
func appendWorkload(page []byte, h *Hop) []byte {
	page = append(page, h.Service...)
	if h.Version != "" {
		page = append(append(page, '-'), h.Version...)
	}
	page = strconv.AppendFloat(append(page, " - "...), h.Elapsed.Round(time.Millisecond).Seconds(), 'f', 3, 64)
	return append(page, "secs"...)
}

// oneLine keeps others' text on its line, and control sequences of it out of terminals.
func oneLine(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return strings.Join(words, " ")
}
