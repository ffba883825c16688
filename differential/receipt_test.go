package differential

import (
	"maps"
	"net/http"
	"net/netip"
	"sync"

	"github.com/hellochaos/hellochaos/differential/envoy"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
)

// receipts are what the stand-ins of a set received, by request: its last try.
type receipts struct {
	mutex sync.Mutex
	last  map[string]receipt
}

// receipt is what a stand-in received.
type receipt struct {
	by     string // "pod default/one-v1", "external api.example:80"
	host   string
	path   string
	header http.Header
	tries  int
}

// around notes the tries that somebody receives, and gives its answers the headers of envoy.SomeAnswer. A copy that a mirror gets is no try: Envoy
// writes x-envoy-internal into copies alone (AsyncStreamImpl::sendHeaders; it removes what a client says there).
func (r *receipts) around(by string, inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		name := q.Header.Get(trail.HeaderRequest)
		if q.Header.Get("X-Envoy-Internal") == "" {
			r.mutex.Lock()
			r.last[name] = receipt{by, q.Host, q.RequestURI, q.Header.Clone(), r.last[name].tries + 1}
			r.mutex.Unlock()
		}
		maps.Copy(w.Header(), envoy.SomeAnswer.Clone())
		inner.ServeHTTP(w, q)
	})
}

// outside are those who answer for hosts outside the mesh.
type outside struct {
	*standIns
	receipts *receipts
	external map[string]netip.AddrPort
	err      error
}

// passedThrough is the name of who answers where a connection is passed through.
const passedThrough = "passed through"

func (o *outside) place(address string) netip.AddrPort {
	if at := o.standIns.place(address); at != nobody {
		return at
	}
	by := "external " + address
	if address == "" {
		by = passedThrough
	}
	if !o.external[by].IsValid() {
		script, err := service.New(service.Config{Role: service.Script, Service: "outside", Version: "v1"})
		if err == nil {
			o.external[by], err = o.serve(o.receipts.around(by, script))
		}
		if err != nil {
			o.err = err
		}
	}
	return o.external[by]
}
