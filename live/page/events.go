package page

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/live"
)

const (
	// batchEvery is how often what happened is sent.
	batchEvery = 50 * time.Millisecond
	// mostBehind is how many messages wait for a tab. One that is further behind gets the whole anew.
	mostBehind = 40
	// alive is how often a tab gets a line that says nothing, so that one that is gone is noticed.
	alive = 15 * time.Second
)

// hub sends what happens to all tabs.
type hub struct {
	session *live.Session
	lock    sync.Mutex
	tabs    map[*tab]bool
}

// tab is an open page.
type tab struct {
	messages chan []byte
	behind   bool // it lost messages, and gets the whole next
}

func newHub(session *live.Session) *hub { return &hub{session: session, tabs: map[*tab]bool{}} }

// pump takes what happened and sends it to the tabs, encoded once for all.
func (h *hub) pump(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.session.News():
		}
		batch := h.session.Take()
		h.send(message(&batch))
		select {
		case <-ctx.Done():
			return
		case <-time.After(batchEvery):
		}
	}
}

// message is an event of the stream.
func message(batch *live.Batch) []byte {
	text, err := json.Marshal(batch)
	if err != nil {
		panic(err) // a batch has no value that JSON has not
	}
	return append(append([]byte("data: "), text...), "\n\n"...)
}

// send gives a message to all tabs. One that is behind waits for the whole.
func (h *hub) send(text []byte) {
	h.lock.Lock()
	defer h.lock.Unlock()
	for t := range h.tabs {
		if t.behind && len(t.messages) == 0 {
			whole := h.session.Whole()
			t.messages <- message(&whole)
			t.behind = false
		}
		if t.behind {
			continue
		}
		select {
		case t.messages <- text:
		default:
			t.behind = true
		}
	}
}

// open adds a tab, which begins with the whole.
func (h *hub) open() *tab {
	h.lock.Lock()
	defer h.lock.Unlock()
	t := &tab{messages: make(chan []byte, mostBehind)}
	whole := h.session.Whole()
	t.messages <- message(&whole)
	h.tabs[t] = true
	return t
}

func (h *hub) close(t *tab) {
	h.lock.Lock()
	defer h.lock.Unlock()
	delete(h.tabs, t)
}

// events is the stream of a tab.
func (h *hub) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	t := h.open()
	defer h.close(t)
	defer h.session.Watch()()
	idle := time.NewTicker(alive)
	defer idle.Stop()
	for {
		text := []byte(": still there\n\n")
		select {
		case <-r.Context().Done():
			return
		case text = <-t.messages:
		case <-idle.C:
		}
		if _, err := w.Write(text); err != nil {
			return
		}
		if err := control.Flush(); err != nil {
			return
		}
	}
}
