package mesh

import (
	"fmt"
	"io"
	"net/http"
)

// transport sends the requests of an app to its proxy, whatever host they name. In a pod of Istio iptables does that.
type transport struct{ proxy *upstream }

// RoundTrip sends a request to the proxy exactly once.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	request := outgoing{method: r.Method, path: r.URL.RequestURI(), host: r.Host, header: r.Header}
	if request.host == "" {
		request.host = r.URL.Host
	}
	if r.Body != nil && r.Body != http.NoBody {
		defer r.Body.Close()
		var err error
		if request.body, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("reading the request's body: %w", err)
		}
	}
	response, err := t.proxy.send(r.Context(), &request, 0)
	if err != nil {
		return nil, err
	}
	response.Request = r
	return response, nil
}
