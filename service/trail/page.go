package trail

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Page is the answer of h in the form of the Istio 101 tutorial: a line for the service, and a line for each call that the request
// caused. Each line ends with a newline:
//
//	frontend-prod - 0.287secs
//	http://middleware/ -> middleware-canary - 0.241secs
//	http://backend/ -> StatusCodeError: 500 - ""
//
// A line has "StatusCodeError: 502 - …" with the quoted beginning of the body for every status outside 200 to 299, as the client of
// the tutorial (request-promise) reported it. For a call without an answer, it has "Error: " and the error.
func Page(h *Hop) string {
	return string(appendCalls(append(appendWorkload(make([]byte, 0, 512), h), '\n'), h, ""))
}

// appendCalls appends a line for each call that h caused. The calls of a hop that makes several are indented by two spaces more, so
// that the caller of a line is the nearest line above it with less indentation. In the tutorial's chain every hop makes one call,
// and no line is indented.
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

// appendOutcome appends the outcome of a call.
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

// appendWorkload appends the name and the time of a hop, such as "middleware-canary - 0.241secs".
func appendWorkload(page []byte, h *Hop) []byte {
	page = append(page, h.Service...)
	if h.Version != "" {
		page = append(append(page, '-'), h.Version...)
	}
	page = strconv.AppendFloat(append(page, " - "...), h.Elapsed.Round(time.Millisecond).Seconds(), 'f', 3, 64)
	return append(page, "secs"...)
}

// oneLine removes line breaks and control characters from text that another server has sent.
func oneLine(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return strings.Join(words, " ")
}
