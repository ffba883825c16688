package mesh

import "net/http"

// maxHead is how many bytes Envoy accepts for the path of a request and the names and values of its headers together. maxHeaders
// is how many headers it accepts, Host included. They are Envoy's defaults of max_request_headers_kb and max_headers_count, which
// Istio does not change.
const (
	maxHead    = 60 << 10
	maxHeaders = 100
)

// oversized reports whether the head of a request is larger than Envoy accepts. Envoy answers such a request with 431 and closes
// the connection.
func oversized(r *http.Request) bool {
	count, size := 1, len(r.RequestURI)+len("Host")+len(r.Host)
	for name, values := range r.Header {
		count += len(values)
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return count > maxHeaders || size > maxHead
}
