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
//
// What the tutorial had no line for stands behind its form: the status of a service that fails, who gave an answer that is a failure, and the
// try that was answered, where a proxy had sent the request before:
//
//	frontend-prod - 0.000secs, failed with 500 on try 4
//	http://middleware/ -> middleware-prod - 0.039secs, on try 3
//	http://backend/ -> StatusCodeError: 500 - "", from backend-prod on try 4
func Page(h *Hop) string {
	page := appendWorkload(make([]byte, 0, 512), h)
	if h.Status >= 500 {
		page = strconv.AppendInt(append(page, ", failed with "...), int64(h.Status), 10)
	} else if h.Attempt > 1 {
		page = append(page, ',')
	}
	return string(appendCalls(append(appendTry(page, h), '\n'), h, ""))
}

func succeeded(status int) bool { return status >= 200 && status <= 299 }

// appendTry appends which try h answered, if it was not the first or only one.
func appendTry(page []byte, h *Hop) []byte {
	if h.Attempt < 2 {
		return page
	}
	return strconv.AppendInt(append(page, " on try "...), int64(h.Attempt), 10)
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
	case !succeeded(call.Status):
		page = append(page, "StatusCodeError: "...)
		page = strconv.AppendInt(page, int64(call.Status), 10)
		page = strconv.AppendQuote(append(page, " - "...), call.Body)
		if call.Hop != nil {
			page = appendTry(appendName(append(page, ", from "...), call.Hop), call.Hop)
		}
		return page
	case call.Hop != nil:
		page = appendWorkload(page, call.Hop)
		if call.Hop.Attempt > 1 {
			page = append(page, ',')
		}
		return appendTry(page, call.Hop)
	default:
		return append(page, oneLine(call.Body)...)
	}
}

// appendWorkload appends the name and the time of a hop, such as "middleware-canary - 0.241secs".
func appendWorkload(page []byte, h *Hop) []byte {
	page = appendName(page, h)
	page = strconv.AppendFloat(append(page, " - "...), h.Elapsed.Round(time.Millisecond).Seconds(), 'f', 3, 64)
	return append(page, "secs"...)
}

// appendName appends the name of a hop's workload, such as "middleware-canary".
func appendName(page []byte, h *Hop) []byte {
	page = append(page, h.Service...)
	if h.Version != "" {
		page = append(append(page, '-'), h.Version...)
	}
	return page
}

// oneLine removes line breaks and control characters from text that another server has sent.
func oneLine(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return strings.Join(words, " ")
}
