package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Crew are processes that Work, wherever they run.
type Crew interface {
	// Size is how many there are, and OneClock reports whether all have the clock of this process.
	Size() int
	OneClock() bool
	// Start starts them with an order (Order.Encode) in a file of their folder, which takes at most longest from its beginning. On an error none is
	// left, but for what End removes. Workers end soon after ctx.
	Start(ctx context.Context, file string, order []byte, longest time.Duration) error
	// Follow hands each line that a worker writes to take, until the worker has ended, and says why where that was not well. It may hand over a line
	// twice. When ctx ends, it asks the worker to end, and hands over what it says then.
	Follow(ctx context.Context, index int, take func(line []byte) error) error
	// Tell puts a text into a file of the folder of all workers. It may be called again with the same text until they have seen it.
	Tell(ctx context.Context, file, text string) error
	// End ends them, and removes what Start has made.
	End(ctx context.Context) error
}

// Clock says how far the clock of a worker is ahead of the one of this process: between Least and Most. Least comes from the quickest line of the
// worker, and Most from when it was told the instant of its start: no message comes before it was sent.
type Clock struct {
	Least, Most time.Duration
	Known       bool // false: it is that of this process, or the worker did not begin
}

// Outcome is how a worker ended.
type Outcome struct {
	Last  *Line // nil: it wrote none
	Died  error // nil: it sent its share
	Clock Clock
}

// Team directs a crew.
type Team struct {
	Crew Crew
	// Public decides whether load may go to addresses that are none of a private network; nil: it may. It is asked before the start.
	Public func(addresses []string) error

	members []member
	began   time.Time  // the instant of the start, by the clock of this process
	mutex   sync.Mutex // guards members and began
	changed chan struct{}
}

// member is what is known of a worker.
type member struct {
	outcome Outcome
	ended   bool
	public  []string
	waited  int   // lines in which it said that it waits
	least   bool  // Clock.Least is known
	began   int64 // Line.Now of the line in which it said that it knows when to begin; 0: none yet
}

const (
	// leastLines is how many lines tell the clock of a worker.
	leastLines = 3
	// lead is the time from telling the instant of the start until it, for workers on this machine and elsewhere.
	localLead, remoteLead = 300 * time.Millisecond, 3 * time.Second
	// tellEvery is how often workers are told again what they have not seen.
	tellEvery = time.Second
	// endTime bounds the ending of a crew.
	endTime = time.Minute
)

// NotStarted is the error of an attack of which no request was sent.
type NotStarted struct{ Err error }

func (n NotStarted) Error() string { return n.Err.Error() }

func (n NotStarted) Unwrap() error { return n.Err }

// Conduct has the crew send an order, and hands each line to take, one at a time. It returns when all workers have ended. The error is a NotStarted,
// or that of ending the crew.
func (t *Team) Conduct(ctx context.Context, order *Order, take func(index int, l *Line)) (all []Outcome, err error) {
	order.Shares = t.Crew.Size()
	packed, err := order.Encode()
	if err != nil {
		return nil, NotStarted{err}
	}
	t.members, t.changed = make([]member, order.Shares), make(chan struct{}, 1)
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		err = errors.Join(err, t.Crew.End(ending))
	}()
	working, cancel := context.WithCancel(ctx) // ends the workers, too
	defer cancel()
	if err := t.Crew.Start(working, PlanFile, packed, order.Longest()); err != nil {
		return nil, NotStarted{err}
	}
	var follow sync.WaitGroup
	for i := range t.members {
		follow.Go(func() { t.follow(working, i, take) })
	}
	if err := t.begin(ctx); err != nil {
		cancel()
		follow.Wait()
		return nil, NotStarted{err}
	}
	follow.Wait()
	for i := range t.members {
		all = append(all, t.members[i].outcome)
	}
	return all, nil
}

// Began is the instant of the start, by the clock of this process; zero: there was none yet.
func (t *Team) Began() time.Time {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.began
}

// Stop tells the workers that no request from a number on is sent any more.
func (t *Team) Stop(ctx context.Context, number int) error {
	return t.Crew.Tell(ctx, StopFile, strconv.Itoa(number))
}

// follow takes the lines of a worker until it has ended.
func (t *Team) follow(ctx context.Context, index int, take func(int, *Line)) {
	m := &t.members[index]
	read := 0
	err := t.Crew.Follow(ctx, index, func(text []byte) error {
		arrived := time.Now()
		l, err := readLine(text)
		if err != nil {
			return err
		}
		t.mutex.Lock()
		defer t.mutex.Unlock()
		switch {
		case l.Number <= read:
			return nil
		case l.Number > read+1:
			return fmt.Errorf("its line %d came where line %d was due, so that what is between them was lost", l.Number, read+1)
		}
		read = l.Number
		m.note(l, arrived, t.Crew.OneClock())
		t.nudge()
		take(index, l)
		return nil
	})
	t.mutex.Lock()
	defer t.mutex.Unlock()
	last := m.outcome.Last
	switch {
	case last != nil && last.State == Ended && last.Error != "":
		err = errors.New(last.Error)
	case err == nil && (last == nil || last.State != Ended):
		err = errors.New("it ended without an error, and without its last line")
	case last != nil && last.State == Ended:
		err = nil // what became of the process afterwards says nothing about its share
	}
	m.ended, m.outcome.Died = true, err
	t.nudge()
}

// note learns from a line.
func (m *member) note(l *Line, arrived time.Time, oneClock bool) {
	m.outcome.Last = l
	ahead := time.Unix(0, l.Now).Sub(arrived.Round(0)) // its clock is at least so far ahead, since the line took its time
	if c := &m.outcome.Clock; !oneClock && (!m.least || ahead > c.Least) {
		c.Least, m.least = ahead, true
		c.Most = max(c.Most, ahead)
	}
	if l.State != Waiting && m.began == 0 {
		m.began = l.Now
	}
	if l.State == Waiting {
		m.waited, m.public = m.waited+1, l.Public
	}
}

// nudge has begin look again.
func (t *Team) nudge() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// begin waits until all workers are ready, and tells them the instant of the start until all know it.
func (t *Team) begin(ctx context.Context) error {
	if err := t.until(ctx, nil, t.ready); err != nil {
		return err
	}
	if err := t.allowed(); err != nil {
		return err
	}
	wait := remoteLead
	if t.Crew.OneClock() {
		wait = localLead
	}
	told := time.Now().Round(0)
	at := told.Add(wait)
	var instants []int64
	t.mutex.Lock()
	t.began = at
	for i := range t.members {
		instants = append(instants, at.Add(t.members[i].outcome.Clock.Least).UnixNano())
	}
	t.mutex.Unlock()
	text, err := json.Marshal(instants)
	if err != nil {
		return err
	}
	tell := func() error { return t.Crew.Tell(ctx, BeginFile, string(text)) }
	if err := tell(); err != nil {
		return err
	}
	return t.until(ctx, tell, func() (bool, error) { return t.begun(told) })
}

// until waits until done is true, and calls again every now and then meanwhile.
func (t *Team) until(ctx context.Context, again func() error, done func() (bool, error)) error {
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-t.changed:
		case <-ticker.C:
			if again != nil {
				if err := again(); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ready reports whether all workers wait for the start, and their clocks are known. The error names those that ended instead.
func (t *Team) ready() (bool, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	all := true
	var problems []error
	for i := range t.members {
		m := &t.members[i]
		if m.ended {
			problems = append(problems, fmt.Errorf("worker %d of %d did not begin: %w", i+1, len(t.members), m.outcome.Died))
		}
		all = all && (m.waited >= leastLines || m.waited > 0 && t.Crew.OneClock())
	}
	return all, errors.Join(problems...)
}

// allowed asks whether load may go where the workers send it.
func (t *Team) allowed() error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for i := range t.members {
		if public := t.members[i].public; len(public) > 0 && t.Public != nil {
			return t.Public(public)
		}
	}
	return nil
}

// begun reports whether all workers know when to begin, or have ended. told is when they were told it.
func (t *Team) begun(told time.Time) (bool, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	all := true
	for i := range t.members {
		m := &t.members[i]
		last := m.outcome.Last
		knows := last != nil && last.State != Waiting
		if c := &m.outcome.Clock; knows && !c.Known && !t.Crew.OneClock() {
			c.Known, c.Most = true, max(c.Least, time.Unix(0, m.began).Sub(told))
		}
		all = all && (knows || m.ended)
	}
	return all, nil
}

// Clocks is between what the clocks of all workers are ahead of the one of this process; ok is false where they have the same, or nobody began.
func Clocks(all []Outcome) (least, most time.Duration, ok bool) {
	for i := range all {
		if c := all[i].Clock; c.Known {
			if !ok {
				least, most, ok = c.Least, c.Most, true
			}
			least, most = min(least, c.Least), max(most, c.Most)
		}
	}
	return least, most, ok
}

// Missing are the workers that died, as an error; nil where none did.
func Missing(all []Outcome) error {
	var dead []string
	for i := range all {
		if err := all[i].Died; err != nil {
			dead = append(dead, fmt.Sprintf("worker %d of %d died (%v)", i+1, len(all), err))
		}
	}
	if len(dead) == 0 {
		return nil
	}
	return fmt.Errorf("%s: what it had not said of its requests is missing, so that no verdict follows", strings.Join(dead, ", "))
}
