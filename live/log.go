package live

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// mostOpen is how many requests are remembered that have no answer yet. The oldest one is forgotten: its caller has gone, or it is none of those
// that enter the mesh.
const mostOpen = 1024

// requestLog writes a line for each request that enters the mesh, when it was answered: its status, how long it took, and how many tries each
// service got for it.
type requestLog struct {
	lock sync.Mutex
	to   io.Writer
	open map[string]*logged
	old  []string // the names of open, the oldest first
}

// logged is a request that is under way: what became of it at each service, in the order in which the first try was sent there.
type logged struct{ hops []hop }

// hop is the tries of one service.
type hop struct {
	service, version string
	tries, status    int
	cut              bool
}

func newRequestLog(to io.Writer) *requestLog { return &requestLog{to: to, open: map[string]*logged{}} }

// entered is the path of a try that no service has called for, and that came through no proxy.
var entered = trail.Tries("", 0)

// try notes a try. One that enters the mesh through no proxy is the whole request.
func (l *requestLog) try(t *mesh.Try) {
	l.lock.Lock()
	defer l.lock.Unlock()
	of := l.of(t.Request)
	of.note(t)
	if t.Caller == "" && t.Path == entered && !t.Ended.IsZero() {
		l.write(t.Request, t.Status, t.Ended.Sub(t.Began), "")
	}
}

// answered takes the line of a proxy's access log. What a gateway answers is the whole request.
func (l *requestLog) answered(e mesh.AccessLogEntry) {
	if e.Caller != gateway {
		return
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	flags := e.Flags
	if flags == "-" {
		flags = ""
	}
	l.write(e.Request, e.Status, e.Duration, flags)
}

func (l *requestLog) of(request string) *logged {
	if of := l.open[request]; of != nil {
		return of
	}
	if len(l.old) >= mostOpen {
		delete(l.open, l.old[0])
		l.old = l.old[1:]
	}
	of := &logged{}
	l.open[request], l.old = of, append(l.old, request)
	return of
}

// note counts a try when it begins, and keeps how it ended.
func (of *logged) note(t *mesh.Try) {
	service, _, _ := strings.Cut(t.Host, ":")
	if t.Service != "" {
		service = t.Service
	}
	at := slices.IndexFunc(of.hops, func(h hop) bool { return h.service == service })
	if at < 0 {
		at = len(of.hops)
		of.hops = append(of.hops, hop{service: service})
	}
	h := &of.hops[at]
	if t.Ended.IsZero() {
		h.tries++
		return
	}
	h.version, h.status, h.cut = t.Version, t.Status, t.Cut
}

// String is what the log says of the tries of a service: "backend-prod (4 tries, the last 500)".
func (h hop) String() string {
	name := h.service
	if h.version != "" {
		name += "-" + h.version
	}
	var said []string
	switch {
	case h.tries == 0:
		said = append(said, "no try")
	case h.tries > 1:
		said = append(said, fmt.Sprintf("%d tries", h.tries))
	}
	last := ""
	switch {
	case h.cut:
		last = "timed out"
	case h.status == 0:
		last = "without an answer"
	case h.status >= 400:
		last = fmt.Sprint(h.status)
	}
	if last != "" && h.tries > 1 {
		last = "the last " + last
	}
	if last != "" {
		said = append(said, last)
	}
	if len(said) == 0 {
		return name
	}
	return name + " (" + strings.Join(said, ", ") + ")"
}

// write writes the line of a request, and forgets it. The lock must be held.
func (l *requestLog) write(request string, status int, took time.Duration, flags string) {
	line := fmt.Sprintf("%3d  %9s", status, took.Round(10*time.Microsecond))
	if flags != "" {
		line += "  " + flags
	}
	if of := l.open[request]; of != nil {
		between := "  "
		for _, h := range of.hops {
			line, between = line+between+h.String(), ", "
		}
		delete(l.open, request)
	}
	fmt.Fprintln(l.to, line) // nobody can be told that nobody reads the log any more
}
