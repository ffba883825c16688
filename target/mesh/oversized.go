package mesh

import "net/http"

// maxHead is how many bytes Envoy takes for a request's path with the names and values of its headers, and maxHeaders how
// many headers, Host included: its defaults max_request_headers_kb and max_headers_count, which Istio leaves alone.
const (
	maxHead    = 60 << 10
	maxHeaders = 100
)

// oversized reports whether a request's head is larger than Envoy takes. Envoy then answers 431 and closes the connection.
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
