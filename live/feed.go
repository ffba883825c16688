package live

import (
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target/mesh"
)

const (
	// mostDrawn is about how many tries a second are told of: of more, only those of some requests are.
	mostDrawn = 800
	// mostKept is how many tries wait to be taken; what comes beyond is counted as missed.
	mostKept = 4096
)

// feed gathers what happens until it is taken. Its methods may be called by several goroutines at once.
type feed struct {
	began time.Time
	dirty chan struct{}

	lock     sync.Mutex
	state    *State
	numbers  *Numbers
	news     Batch
	open     map[string]int // the places in news.Tries of tries that have not ended
	every    uint32         // one in how many requests is told of
	watchers int
}

func newFeed() feed {
	return feed{began: time.Now(), dirty: make(chan struct{}, 1), open: map[string]int{}, every: 1}
}

// thin has the tries of so many requests told of that they are not too many; each of them leads to some number of tries. The lock must be held.
func (f *feed) thin(rate, triesEach float64) {
	f.every = uint32(max(1, rate*(1+triesEach)/mostDrawn))
}

// told is called with a copy of the state, changes it and has it told. The lock must be held.
func (f *feed) told(change func(*State)) {
	state := *f.state
	change(&state)
	f.state, f.news.State = &state, &state
	f.mark()
}

// stands takes how the phase stands.
func (f *feed) stands(at *run.Standing) {
	numbers := numbersOf(at)
	f.lock.Lock()
	defer f.lock.Unlock()
	f.numbers, f.news.Numbers = numbers, numbers
	f.mark()
}

// anew forgets the numbers. The lock must be held.
func (f *feed) anew() {
	f.numbers, f.news.Numbers, f.news.Anew = nil, nil, true
	f.mark()
}

// add takes a try that has begun or ended. The lock must be held.
func (f *feed) add(told *Try) {
	key := told.Request + " " + told.Path
	if at, begun := f.open[key]; begun && told.Ended > 0 {
		f.news.Tries[at] = *told
		delete(f.open, key)
		return
	}
	if len(f.news.Tries) >= mostKept {
		f.news.Missed++
		return
	}
	if told.Ended == 0 {
		f.open[key] = len(f.news.Tries)
	}
	f.news.Tries = append(f.news.Tries, *told)
	f.mark()
}

// tryOf is what is told of a try.
func (f *feed) tryOf(t *mesh.Try) *Try {
	told := &Try{Request: t.Request, Path: t.Path, Caller: t.Caller, To: t.Service, Version: t.Version, Attempt: t.Attempt, Began: f.at(t.Began), Status: t.Status, Cut: t.Cut}
	if t.Caller == "" || t.Caller == gateway {
		told.Caller = edge
	}
	if told.To == "" {
		told.To, _, _ = strings.Cut(t.Host, ":")
	}
	if !t.Ended.IsZero() {
		told.Ended = f.at(t.Ended)
	}
	return told
}

// chosen is a hash by which some requests are chosen.
func chosen(request string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(request)) // never fails
	return h.Sum32()
}

// mark notes that there is something to take. The lock must be held.
func (f *feed) mark() {
	select {
	case f.dirty <- struct{}{}:
	default:
	}
}

// News has a value when there is something to Take.
func (f *feed) News() <-chan struct{} { return f.dirty }

// Take returns what happened since it was called last.
func (f *feed) Take() Batch {
	f.lock.Lock()
	defer f.lock.Unlock()
	news := f.news
	news.Now = f.at(time.Now())
	f.news = Batch{}
	clear(f.open)
	return news
}

// Whole is the state and the numbers as they are, for somebody who comes new.
func (f *feed) Whole() Batch {
	f.lock.Lock()
	defer f.lock.Unlock()
	return Batch{Now: f.at(time.Now()), State: f.state, Numbers: f.numbers, Anew: true}
}

// at is a time in milliseconds since the feed began.
func (f *feed) at(t time.Time) float64 { return float64(t.Sub(f.began).Microseconds()) / 1000 }
