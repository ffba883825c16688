// Package page serves the page of a running session (live), or of a run, on loopback: its files, the stream of what happens, and what a user changes. It
// knows HTTP and browsers; what a change means is package live's business.
package page

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/live"
)

//go:embed files
var files embed.FS

const (
	// maxBody is how large what a page sends may be, in bytes: the stages have 2 KB of YAML.
	maxBody = 256 << 10
	// headTime is how long the head of a request may take.
	headTime = 5 * time.Second
	// farewell is how long open pages have to take the last message.
	farewell = time.Second
	// policy is the page's Content-Security-Policy: it runs its own files, and reaches nobody else.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// Serve serves the page of a session on a listener until ctx ends. When it returns, every connection is closed and every goroutine has ended.
func Serve(ctx context.Context, listener net.Listener, session *live.Session) error {
	h := newHub(session, nil)
	mux := pages(h)
	mux.Handle("POST /set", posted(func(ctx context.Context, c live.Controls) (any, error) { return nil, session.Set(ctx, c) }))
	mux.Handle("POST /edit", posted(func(ctx context.Context, e edit) (any, error) { return nil, session.Edit(ctx, e.Stage, e.YAML) }))
	mux.Handle("POST /send", posted(func(ctx context.Context, r request) (any, error) { return session.Send(ctx, r.Header) }))
	return serve(ctx, listener, h, mux)
}

// Show serves the page of a run that is followed, which nobody can move, until the following has ended and all open pages were told so, or ctx
// ends. When it returns, every connection is closed and every goroutine has ended.
func Show(ctx context.Context, listener net.Listener, following *live.Following) error {
	h := newHub(following, following.Over())
	return serve(ctx, listener, h, pages(h))
}

// serve serves until ctx ends, or until the pump of the hub does.
func serve(ctx context.Context, listener net.Listener, h *hub, mux *http.ServeMux) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	server := &http.Server{Handler: guarded(mux, listener.Addr()), ReadHeaderTimeout: headTime, BaseContext: func(net.Listener) context.Context { return ctx }}
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			running.Add(1)
		case http.StateClosed, http.StateHijacked: // its handler has returned
			running.Done()
		}
	}
	running.Go(func() {
		h.pump(ctx)
		ending, cancel := context.WithTimeout(ctx, farewell)
		defer cancel()
		_ = server.Shutdown(ending) // who has not read the end by then does not get it
		server.Close()
	})
	err := server.Serve(listener)
	if !errors.Is(err, http.ErrServerClosed) {
		stop()
	}
	running.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the page: %w", err)
}

// pages has the paths of every page.
func pages(h *hub) *http.ServeMux {
	static, err := fs.Sub(files, "files")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(static))
	mux.HandleFunc("GET /events", h.events)
	return mux
}

// edit is the YAML of a stage; empty: that which it had.
type edit struct {
	Stage string `json:"stage"`
	YAML  string `json:"yaml"`
}

// request is one request by hand.
type request struct {
	Header string `json:"header"`
}

// guarded refuses what a page of another origin may send: other names of this machine lead to the same address (DNS rebinding), and any page may
// post to it.
func guarded(next http.Handler, at net.Addr) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		switch {
		case !ours(r.Host, at):
			http.Error(w, "The page is only for http://"+at.String()+"/, and for localhost at this port.", http.StatusMisdirectedRequest)
		case !sameOrigin(r):
			http.Error(w, "Requests of other pages are refused.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ours reports whether a Host header names the loopback interface with the port of the listener.
func ours(host string, at net.Addr) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, "80"
	}
	listener, err := netip.ParseAddrPort(at.String())
	if err != nil || port != fmt.Sprint(listener.Port()) {
		return false
	}
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return strings.EqualFold(name, "localhost") || err == nil && address.IsLoopback()
}

// sameOrigin reports whether a request comes from the page itself, or from no page at all.
func sameOrigin(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	if origin := r.Header.Get("Origin"); origin != "" {
		return origin == "http://"+r.Host
	}
	navigates := r.Method == http.MethodGet && r.URL.Path == "/"
	return site == "" || site == "same-origin" || site == "none" || navigates
}

// refusal is what a page is told that asked for something that is not accepted.
type refusal struct {
	Problems []string `json:"problems"`
}

// posted reads JSON, and answers with JSON: what do returns, or the problems.
func posted[T any](do func(context.Context, T) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			refuse(w, http.StatusUnsupportedMediaType, "Content-Type must be application/json")
			return
		}
		var asked T
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&asked)
		if err == nil {
			_, err = decoder.Token()
		}
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the text is longer than %d KB, which the page does not take: use hellochaos verify -f FILE", maxBody>>10))
			return
		}
		if !errors.Is(err, io.EOF) {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("the body must be one JSON object with known members: %v", err))
			return
		}
		answer, err := do(r.Context(), asked)
		if err != nil {
			refuse(w, http.StatusOK, strings.Split(err.Error(), "\n")...) // what a user may do is no error of the page, which a browser would log
			return
		}
		write(w, http.StatusOK, answer)
	})
}

func refuse(w http.ResponseWriter, status int, problems ...string) {
	write(w, status, refusal{problems})
}

func write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the browser is gone where it fails
}
