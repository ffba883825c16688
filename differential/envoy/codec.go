package envoy

import (
	"slices"
	"strings"
)

// methods are those of isMethodValid in Envoy's balsa_parser.cc. Other ones are refused as long as allow_custom_methods is not set.
var methods = strings.Fields(`ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY OPTIONS
	PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE`)

// parsed is Envoy's answer to a request of HTTP/1.1 that its codec refuses; nil where it takes it.
func parsed(q *Request) *Outcome {
	if slices.Contains(methods, q.Method) {
		return nil
	}
	return &Outcome{Answer: "direct 400 Bad Request " + HeaderWords(SomeAnswer)}
}
