package manifests

import (
	"net/http"
	"slices"
)

// knownMethods are the methods that Envoy's parser of HTTP/1.1 takes as long as allow_custom_methods is not set, which Istio never does
// (isMethodValid of its balsa_parser.cc; each was measured, and so were those of the registry that are missing here). They are written in
// capitals.
var knownMethods = []string{"ACL", "BIND", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR",
	"MKCOL", "MOVE", "MSEARCH", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "REBIND", "REPORT", "SEARCH", "SOURCE",
	"SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE"}

// KnownMethod reports whether Envoy takes requests with a method: it answers 400 to others, and looks at no rule.
func KnownMethod(name string) bool { return slices.Contains(knownMethods, name) }

// The rules of requests that a proxy answers before it looks at any of its routes.
var (
	badMethod = &Rule{Name: "no rule", Why: "Envoy knows no method of this name, and looks at no rule",
		Direct: &Direct{Status: http.StatusBadRequest, Body: "Bad Request", Flags: "DPE", Detail: "http1.codec_error"}}
	emptyScheme = noRoute("the request has an empty header x-forwarded-proto, with which a sidecar looks at no rule")
)

// unrouted is the answer to a request for which a proxy that reads it as HTTP looks at no route; nil where it does. A gateway
// writes x-forwarded-proto itself, and a sidecar believes the one that it gets: without a scheme there is no route (getRouteFromEntries of
// Envoy's config_impl.cc).
func (q *Request) unrouted(gateway bool) *Rule {
	if method := q.Method; method != "" && !KnownMethod(method) {
		return badMethod
	}
	if values := q.Header["X-Forwarded-Proto"]; !gateway && len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return v != "" }) {
		return emptyScheme
	}
	return nil
}
