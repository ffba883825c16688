package share

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hellochaos/hellochaos/attack"
)

const (
	// lookEvery is how often a worker looks for what it is told, and how often it says that it waits.
	lookEvery = 100 * time.Millisecond
	// observationsEvery is how often a worker says what became of its requests, and mostPending how many bytes it keeps until then.
	observationsEvery = 200 * time.Millisecond
	mostPending       = 256 << 10
	// tallyEvery is how often a worker says what it has counted; a tally that is longer than mostStream bytes a second allow comes less often.
	tallyEvery = 2 * time.Second
	mostStream = 64 << 10
	// mostWait is how long a worker waits to be told the instant of its start, and mostPast how long that may be past when it reads of it.
	mostWait = 10 * time.Minute
	mostPast = 10 * time.Second
)

// Counter counts the observations of a worker whose order asks for no Observations: add counts one, and say returns all that was counted, as JSON
// has it. Both are called by one goroutine at a time.
type Counter func(*Order) (add func(*attack.Observation), say func() any)

// worker is a process that sends a share.
type worker struct {
	order  *Order
	index  int
	folder string
	stop   atomic.Int64 // the number of the first request that is not sent any more; 0: none
	add    func(*attack.Observation)
	say    func() any

	mutex   sync.Mutex // guards what follows
	to      *json.Encoder
	lines   int
	state   State
	pending []byte
	written time.Time     // when the last line with figures was
	pause   time.Duration // until the next one
	failed  error         // of writing
}

// Work sends the share of a worker, by the order in a folder (OrderForm), and writes lines for the process that directs it (LineForm). index is
// from 0. The error was written, too, where that was possible.
func Work(ctx context.Context, folder string, index int, to io.Writer, counter Counter) error {
	w := &worker{folder: folder, index: index, to: json.NewEncoder(to), state: Waiting}
	result, err := w.work(ctx, counter)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	last := &Line{State: Ended}
	if err != nil {
		last.Error = err.Error()
	} else {
		last.Result = &result
	}
	w.figures(last)
	w.write(last)
	if err == nil {
		err = w.failed
	}
	return err
}

func (w *worker) work(ctx context.Context, counter Counter) (result attack.Result, err error) {
	packed, err := os.ReadFile(filepath.Join(w.folder, PlanFile))
	if err != nil {
		return result, err
	}
	if w.order, err = DecodeOrder(packed); err != nil {
		return result, err
	}
	if w.index < 0 || w.index >= w.order.Shares {
		return result, fmt.Errorf("there are %d shares, numbered from 0, and none has the number %d", w.order.Shares, w.index)
	}
	if !w.order.Observations {
		w.add, w.say = counter(w.order)
	}
	begin, err := w.wait(ctx)
	if err != nil {
		return result, err
	}
	looking, done := context.WithCancel(ctx)
	var looks sync.WaitGroup
	looks.Go(func() { w.look(looking) })
	defer looks.Wait()
	defer done()
	return attack.Run(ctx, w.order.of(w.index, begin), w.observe)
}

// wait says that the worker is ready until it is told the instant of its start.
func (w *worker) wait(ctx context.Context) (time.Time, error) {
	var public []string
	if w.order.Reach {
		var err error
		if public, err = attack.Reach(ctx, &w.order.Plan); err != nil {
			return time.Time{}, err
		}
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for began := time.Now(); time.Since(began) < mostWait; {
		if at, err := w.told(); err != nil || !at.IsZero() {
			return at, err
		}
		if err := w.line(&Line{State: Waiting, Public: public}); err != nil {
			return time.Time{}, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		}
	}
	return time.Time{}, fmt.Errorf("nobody said within %v when to begin", mostWait)
}

// told is the instant of the start; zero: it is not known yet.
func (w *worker) told() (time.Time, error) {
	text, err := os.ReadFile(filepath.Join(w.folder, BeginFile))
	if os.IsNotExist(err) {
		return time.Time{}, nil
	}
	var all []int64
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", BeginFile, err)
	}
	if w.index >= len(all) {
		return time.Time{}, fmt.Errorf("%s: has the instants of %d workers, and none for number %d", BeginFile, len(all), w.index)
	}
	at := time.Unix(0, all[w.index])
	if past := time.Since(at); past > mostPast {
		return time.Time{}, fmt.Errorf("it read of the instant of its start %v after it, and did not begin", past.Round(time.Second))
	}
	return at, w.line(&Line{State: Beginning})
}

// observe takes an observation, and reports whether more is to be sent.
func (w *worker) observe(o *attack.Observation) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.order.Observations {
		w.pending = appendObservation(w.pending, o)
	} else {
		w.add(o)
	}
	w.due()
	if w.failed != nil {
		return false
	}
	stop := int(w.stop.Load())
	return stop == 0 || o.Number+1+w.order.Plan.Lead < stop
}

// look says what is due while no observation comes, and notes when the worker is told to stop.
func (w *worker) look(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		w.mutex.Lock()
		w.due()
		w.mutex.Unlock()
		if text, err := os.ReadFile(filepath.Join(w.folder, StopFile)); err == nil && w.stop.Load() == 0 {
			if stop, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				w.stop.Store(max(1, stop))
			}
		}
	}
}

// due writes a line with figures when it is time. The caller holds the mutex.
func (w *worker) due() {
	every := max(tallyEvery, w.pause)
	if w.order.Observations {
		every = observationsEvery
	}
	if len(w.pending) < mostPending && time.Since(w.written) < every || w.order.Observations && len(w.pending) == 0 {
		return
	}
	l := &Line{State: Sending}
	w.figures(l)
	w.write(l)
	w.written = time.Now()
}

// figures puts what is to be said into a line. The caller holds the mutex.
func (w *worker) figures(l *Line) {
	if len(w.pending) > 0 {
		l.Observations, w.pending = pack(w.pending), w.pending[:0]
	}
	if w.say != nil {
		text, err := json.Marshal(w.say())
		if err != nil {
			panic(err) // cannot happen: a counter has only values that JSON can express
		}
		l.Tally = text
		w.pause = time.Duration(len(l.Tally)) * time.Second / mostStream
	}
}

// line writes a line without figures.
func (w *worker) line(l *Line) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.write(l)
	return w.failed
}

// write writes a line. The caller holds the mutex.
func (w *worker) write(l *Line) {
	w.lines++
	l.Form, l.Number, l.Now = LineForm, w.lines, time.Now().UnixNano()
	if err := w.to.Encode(l); err != nil && w.failed == nil {
		w.failed = fmt.Errorf("what was counted could not be handed on: %w", err)
	}
}
