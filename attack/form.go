package attack

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/hellochaos/hellochaos/service/trail"
)

// form is how the requests of a cohort look on the wire of HTTP/1.1. All that they share is put together once: of a bare plan that is the
// whole request.
type form struct {
	method string
	to     *destination
	prefix string // of their names
	begin  []byte // up to the end of what all have
	end    []byte // the empty line and the body
	whole  []byte // begin and end
	body   int    // its bytes
}

// destination is where connections lead: those with equal fields are used for each other's requests.
type destination struct {
	address string // host and port to connect to
	name    string // that TLS asks for; empty: no TLS
	idle    []*link
}

// forms are those of a plan's cohorts; cohorts with the same destination share it.
func (p *Plan) forms() ([]form, error) {
	type key struct{ address, name string }
	known := map[key]*destination{}
	var all []form
	for i := range p.Cohorts {
		f, to, err := p.form(&p.Cohorts[i])
		if err != nil {
			return nil, err
		}
		same := key{to.address, to.name}
		if known[same] == nil {
			known[same] = &to
		}
		f.to = known[same]
		all = append(all, f)
	}
	return all, nil
}

// form puts the requests of a cohort together, as net/http writes them: the host first, then the headers in order.
func (p *Plan) form(c *Cohort) (f form, to destination, err error) {
	address := p.urlOf(c)
	host, err := httpguts.PunycodeHostPort(cmp.Or(c.Host, address.Host))
	if err != nil || !httpguts.ValidHostHeader(host) {
		return f, to, fmt.Errorf("host %q cannot be asked for", cmp.Or(c.Host, address.Host))
	}
	to = p.destinationOf(c)
	f = form{method: cmp.Or(c.Method, http.MethodGet), prefix: p.prefix(c), body: len(c.Body)}
	f.begin = fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", f.method, address.RequestURI(), host)
	header := p.headerOf(c, address)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			f.begin = fmt.Appendf(f.begin, "%s: %s\r\n", name, strings.TrimSpace(value))
		}
	}
	if f.body > 0 {
		f.begin = fmt.Appendf(f.begin, "Content-Length: %d\r\n", f.body)
	}
	f.end = append([]byte("\r\n"), c.Body...)
	f.whole = slices.Concat(f.begin, f.end)
	return f, to, nil
}

// ownHeaders are those that this program writes itself, as net/http does: they say where a request ends.
var ownHeaders = []string{"Host", "Content-Length", "Transfer-Encoding", "Trailer"}

// userAgent is how requests name the program that sends them, unless the plan says otherwise.
const userAgent = "hellochaos"

// headerOf are the headers that all requests of a cohort have.
func (p *Plan) headerOf(c *Cohort, address *url.URL) http.Header {
	header := http.Header{"User-Agent": {userAgent}}
	for name, values := range c.Header {
		if strings.EqualFold(name, "User-Agent") && name != "User-Agent" {
			delete(header, "User-Agent")
		}
		if !slices.ContainsFunc(ownHeaders, func(own string) bool { return strings.EqualFold(own, name) }) {
			header[name] = values
		}
	}
	if !p.Bare {
		header.Set("Accept", "application/json")
	}
	if user := address.User; user != nil && header.Get("Authorization") == "" { // as http.Client has it
		password, _ := user.Password()
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if p.Fresh {
		header.Set("Connection", "close")
	}
	return header
}

// destinationOf is where the requests of a cohort go.
func (p *Plan) destinationOf(c *Cohort) destination {
	address := p.urlOf(c)
	name := ""
	if address.Scheme == "https" {
		if name = address.Hostname(); p.TLS != nil && c.Host != "" {
			name = strings.ToLower((&url.URL{Host: c.Host}).Hostname())
		}
	}
	return destination{address: p.connectTo(hostAndPort(address)), name: name}
}

// hostAndPort are those of an URL, with the port of its scheme where it names none.
func hostAndPort(u *url.URL) string {
	usual := "80"
	if u.Scheme == "https" {
		usual = "443"
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), usual))
}

// write appends the request with that slot to buffer, or returns the one that all requests share.
func (f *form) write(buffer []byte, at Slot, plan *Plan, began time.Time) []byte {
	if plan.Bare {
		return f.whole
	}
	buffer = append(append(append(buffer[:0], f.begin...), requestHeader...), ": "...)
	name := len(buffer)
	buffer = strconv.AppendInt(append(buffer, f.prefix...), int64(at.Number), 10)
	if plan.Trace {
		trace, span := traceIDs(string(buffer[name:]), began)
		buffer = fmt.Appendf(buffer, "\r\n%s: %s\r\n%s: %s", traceIDKey, trace, spanIDKey, span)
	}
	return append(append(buffer, "\r\n"...), f.end...)
}

var requestHeader = http.CanonicalHeaderKey(trail.HeaderRequest)
