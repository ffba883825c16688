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

// source is what a page shows: a session, or a run that is followed.
type source interface {
	// News has a value when there is something to Take.
	News() <-chan struct{}
	// Take returns what happened since it was called last, and Whole all as it is.
	Take() live.Batch
	Whole() live.Batch
	// Watch notes that somebody watches, until the function that it returns was called.
	Watch() (leave func())
}

// hub sends what happens to all tabs.
type hub struct {
	of   source
	over <-chan struct{} // closed when nothing comes any more; nil: never
	lock sync.Mutex
	tabs map[*tab]bool
	done bool // the tabs got the last message
}

// tab is an open page.
type tab struct {
	messages chan []byte
	behind   bool // it lost messages, and gets the whole next
}

func newHub(of source, over <-chan struct{}) *hub {
	return &hub{of: of, over: over, tabs: map[*tab]bool{}}
}

// pump takes what happened and sends it to the tabs, encoded once for all, until ctx ends or nothing comes any more.
func (h *hub) pump(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.over:
			h.finish()
			return
		case <-h.of.News():
		}
		batch := h.of.Take()
		h.send(message(&batch))
		select {
		case <-ctx.Done():
			return
		case <-h.over:
		case <-time.After(batchEvery):
		}
	}
}

// finish gives all tabs the whole as it is at the end, after which their streams end.
func (h *hub) finish() {
	h.lock.Lock()
	defer h.lock.Unlock()
	whole := h.of.Whole()
	text := message(&whole)
	for t := range h.tabs {
		for full := true; full; {
			select {
			case t.messages <- text:
				full = false
			default: // it is behind: what it lacks is in the whole
				select {
				case <-t.messages:
				default:
				}
			}
		}
		close(t.messages)
	}
	h.done = true
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
			whole := h.of.Whole()
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
	whole := h.of.Whole()
	t.messages <- message(&whole)
	if h.done {
		close(t.messages)
		return t
	}
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
	defer h.of.Watch()()
	idle := time.NewTicker(alive)
	defer idle.Stop()
	for {
		text := []byte(": still there\n\n")
		select {
		case <-r.Context().Done():
			return
		case next, more := <-t.messages:
			if !more {
				return
			}
			text = next
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
