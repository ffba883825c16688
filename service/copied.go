package service

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

var (
	copiesKey       = http.CanonicalHeaderKey(trail.HeaderCopies)
	forwardedForKey = http.CanonicalHeaderKey(trail.HeaderForwardedFor)
)

// copied says whether a request is a copy that a proxy sent to a mirror (trail.Copy), was made on behalf of one (trail.BelowCopy), or
// neither (trail.NoCopy), as far as its trail.HeaderCopies tells.
func copied(header http.Header) string {
	told := header[copiesKey]
	if len(told) == 0 {
		return trail.NoCopy
	}
	if told[0] == trail.CopiesBelow {
		return trail.BelowCopy
	}
	if usual, err := strconv.Atoi(told[0]); err == nil && addresses(header) > usual {
		return trail.Copy
	}
	return trail.NoCopy
}

// addresses is how many addresses trail.HeaderForwardedFor has.
func addresses(header http.Header) (n int) {
	for _, line := range header[forwardedForKey] {
		n += 1 + strings.Count(line, ",")
	}
	return n
}

// tellCopies puts trail.HeaderCopies into the header of a call, where the request on whose behalf it is made has it.
func tellCopies(received, sent http.Header) {
	switch {
	case len(received[copiesKey]) == 0:
	case copied(received) == trail.NoCopy:
		sent[copiesKey] = []string{strconv.Itoa(addresses(sent))}
	default:
		sent[copiesKey] = []string{trail.CopiesBelow}
	}
}
