// Package live keeps a running session: the embedded mesh with a steady load, whose policies, faults and rate a user changes while it runs. It
// judges the requests as a run does (scenarios/run), and tells what happens: each try of a call, the numbers that were measured beside those
// that are predicted, and what was changed. It knows how to run and what to tell; how a page shows it is live/page's business.
package live

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/run"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/mesh"
)

const (
	// MaxRate is the highest rate, in requests a second: with four tries of each call the mesh carries it on one core.
	MaxRate = 500
	// mostDrawn is about how many tries a second are told of: of more, only those of some requests are.
	mostDrawn = 800
	// mostKept is how many tries wait to be taken; what comes beyond is counted as missed.
	mostKept = 4096
	// alone is how long the load goes on when nobody watches it any more, since a page that is loaded again is back at once.
	alone = 3 * time.Second
)

// Controls are what a user moves.
type Controls struct {
	// Stage is the last stage that is applied; empty for the application alone, and in Options for all phases of a scenario file.
	Stage string `json:"stage"`
	// Fail and Hang are the probabilities that a try fails or hangs; Rate is in requests a second, and 0 in Options is one that suits the graph.
	Fail float64 `json:"fail"`
	Hang float64 `json:"hang"`
	Rate float64 `json:"rate"`
	// Canary is the percentage of the calls to middleware that go to its canary.
	Canary int `json:"canary"`
	// Header is the value of x-dev-user in all requests; empty: the requests are those of the stage.
	Header string `json:"header"`
	// Break is the name of the mesh.Break that the mesh does wrong; empty: none.
	Break string `json:"break"`
	// Stopped says that no requests are sent but those by hand.
	Stopped bool `json:"stopped"`
}

// Options are how a session begins.
type Options struct {
	Controls Controls
	// Scenario is a scenario file; nil: the bundled stages.
	Scenario *scenarios.Scenario
	// Overrides are objects, by the names of stages, in place of the bundled ones; may be nil.
	Overrides map[string][]manifests.Object
	// Seed is that of all draws; 0: one by chance.
	Seed uint64
	// Log is told a line of each request that is not the load's, when it was answered; nil: nobody is.
	Log io.Writer
}

// Session is a running mesh with its load. Its methods may be called by several goroutines at once.
type Session struct {
	mesh  *mesh.Mesh
	seed  uint64
	began time.Time
	asks  chan ask
	dirty chan struct{}
	ended chan struct{} // closed when Run returns

	lock     sync.Mutex
	state    *State
	numbers  *Numbers
	news     Batch
	open     map[string]int // the places in news.Tries of tries that have not ended
	prefix   string
	every    uint32
	foreign  int64
	watchers int
	hand     int
	sent     map[string]chan Try
	log      *requestLog // nil: nobody asked for it
}

// ask is something that the goroutine of Run does between two loads, and how it went.
type ask struct {
	change func(*settings) (*settings, error) // nil: only the watchers have changed
	reply  chan error
}

// New starts the mesh and applies the objects, so that requests can be sent to it. Run sends the load; Close ends the mesh.
func New(ctx context.Context, o Options) (*Session, error) {
	seed := o.Seed
	if seed == 0 {
		seed = rand.Uint64N(1<<20) + 1
	}
	s := &Session{seed: seed, began: time.Now(), asks: make(chan ask), dirty: make(chan struct{}, 1), ended: make(chan struct{}), open: map[string]int{}, sent: map[string]chan Try{}, every: 1}
	steps, err := stepsOf(o.Scenario)
	if err != nil {
		return nil, err
	}
	if o.Scenario != nil && o.Controls.Stage == "" {
		o.Controls.Stage = steps.names[len(steps.names)-1]
	}
	first, err := (&settings{seed: seed, steps: steps, overrides: o.Overrides}).first(o.Controls)
	if err != nil {
		return nil, err
	}
	sealed := o.Scenario != nil && o.Scenario.StandIns
	options := mesh.Options{Seed: seed, Break: o.Controls.Break, Sealed: sealed, Tries: s.heard}
	if o.Log != nil {
		s.log = newRequestLog(o.Log)
		options.AccessLog = s.log.answered
	}
	if s.mesh, err = mesh.New(options); err != nil {
		return nil, fmt.Errorf("starting the embedded mesh: %w", err)
	}
	if err := s.show(ctx, first, ""); err != nil {
		_, closing := s.mesh.Close(ctx)
		return nil, errors.Join(err, closing)
	}
	return s, nil
}

// Close ends the mesh; Run must have returned.
func (s *Session) Close(ctx context.Context) error {
	_, err := s.mesh.Close(ctx)
	return err
}

// Mesh is the mesh of the session, for its addresses.
func (s *Session) Mesh() target.Target { return s.mesh }

// Run sends the load while somebody watches, and makes the changes that are asked for, until ctx ends. It must be called once.
func (s *Session) Run(ctx context.Context) {
	defer close(s.ended)
	now := s.now()
	for ctx.Err() == nil {
		next := s.load(ctx, now)
		if next == nil {
			continue
		}
		now = next
	}
}

func (s *Session) now() *settings {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.state.settings
}

// load sends the requests of the settings until others are in force, which it returns, or until the watchers have come or gone.
func (s *Session) load(ctx context.Context, now *settings) *settings {
	keeping, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if !s.watched() || now.controls.Stopped {
			return
		}
		s.begin(now)
		if err := now.plan.Keep(keeping, s.mesh, run.Keeping{Foreign: s.others, Tell: s.stands}); err != nil {
			s.fail(err)
		}
	}()
	defer func() { stop(); <-ended }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case a := <-s.asks:
			if a.change == nil {
				a.reply <- nil
				return nil
			}
			next, err := a.change(now)
			if err != nil {
				a.reply <- err
				continue
			}
			stop()
			<-ended
			if err := s.show(ctx, next, next.changed(now)); err != nil {
				a.reply <- err
				return now
			}
			a.reply <- nil
			return next
		}
	}
}

// show makes the mesh obey settings, and tells of them.
func (s *Session) show(ctx context.Context, next *settings, notice string) error {
	if err := s.mesh.Deviate(next.controls.Break); err != nil {
		return err
	}
	if err := s.mesh.Apply(ctx, next.plan.Objects()[len(next.plan.Objects())-1]); err != nil {
		return err
	}
	state, err := s.describe(ctx, next)
	if err != nil {
		return err
	}
	state.Notice = notice
	s.lock.Lock()
	defer s.lock.Unlock()
	s.state, s.numbers = state, nil
	s.news.State, s.news.Numbers, s.news.Anew = state, nil, true
	s.mark()
	return nil
}

// begin begins the numbers of settings.
func (s *Session) begin(now *settings) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.prefix, s.foreign = now.plan.Prefix(), 0
	s.every = uint32(max(1, now.controls.Rate*(1+now.plan.TriesEach())/mostDrawn))
	told := *s.state
	told.Every = int(s.every)
	s.state, s.news.State, s.news.Anew = &told, &told, true
	s.mark()
}

// fail tells that the load ended with an error.
func (s *Session) fail(err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	told := *s.state
	told.Error = err.Error()
	s.state, s.news.State = &told, &told
	s.mark()
}

// ask has the goroutine of Run do something.
func (s *Session) ask(ctx context.Context, change func(*settings) (*settings, error)) error {
	a := ask{change, make(chan error, 1)}
	select {
	case s.asks <- a:
		return <-a.reply
	case <-s.ended:
		return errors.New("the session has ended")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Set puts other controls in force. The error has a line for each value that is not accepted; then nothing has changed.
func (s *Session) Set(ctx context.Context, c Controls) error {
	return s.ask(ctx, func(now *settings) (*settings, error) { return now.with(c) })
}

// Edit puts other YAML in the place of a stage's; empty text brings the stage's own back. The error has a line for each problem, which begins
// with the name of the stage's file and the number of the line, where it has one.
func (s *Session) Edit(ctx context.Context, stage, text string) error {
	return s.ask(ctx, func(now *settings) (*settings, error) { return now.edited(stage, text) })
}

// Watch notes that somebody watches; the load is sent until the function that it returns was called, and a few seconds longer.
func (s *Session) Watch() (leave func()) {
	s.watch(1)
	return sync.OnceFunc(func() {
		go func() {
			select {
			case <-s.ended:
			case <-time.After(alone):
			}
			s.watch(-1)
		}()
	})
}

// watch notes that one more watches, or one less, and has Run look whether anybody does.
func (s *Session) watch(more int) {
	s.lock.Lock()
	s.watchers += more
	changed := s.watchers == 0 || s.watchers == 1 && more > 0
	s.lock.Unlock()
	if changed {
		_ = s.ask(context.Background(), nil) // it fails only where the session has ended
	}
}

func (s *Session) watched() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.watchers > 0
}

// others is how many requests came that are not the load's.
func (s *Session) others() int64 {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.foreign
}

// stands takes how the phase stands.
func (s *Session) stands(at *run.Standing) {
	numbers := numbersOf(at)
	s.lock.Lock()
	defer s.lock.Unlock()
	s.numbers, s.news.Numbers = numbers, numbers
	s.mark()
}

// heard takes what the mesh tells of a try.
func (s *Session) heard(t *mesh.Try) {
	s.lock.Lock()
	defer s.lock.Unlock()
	enters := t.Caller == "" || t.Caller == gateway
	byHand, load := strings.HasPrefix(t.Request, handPrefix), s.prefix != "" && strings.HasPrefix(t.Request, s.prefix)
	if enters && !load && t.Attempt <= 1 && t.Ended.IsZero() {
		s.foreign++
	}
	if s.log != nil && !load {
		s.log.try(t)
	}
	// Hosts outside get no name of the request, so that their tries have one of the proxy's.
	if !byHand && (s.watchers == 0 || enters && !load || chosen(t.Request)%s.every != 0) {
		return
	}
	told := s.tryOf(t)
	if to := s.sent[t.Request]; to != nil && !t.Ended.IsZero() {
		select {
		case to <- told:
		default: // more tries than a waterfall has room for
		}
	}
	key := told.Request + " " + told.Path
	if at, begun := s.open[key]; begun && !t.Ended.IsZero() {
		s.news.Tries[at] = told
		delete(s.open, key)
		return
	}
	if len(s.news.Tries) >= mostKept {
		s.news.Missed++
		return
	}
	if t.Ended.IsZero() {
		s.open[key] = len(s.news.Tries)
	}
	s.news.Tries = append(s.news.Tries, told)
	s.mark()
}

// chosen is a hash by which some requests are chosen.
func chosen(request string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(request)) // never fails
	return h.Sum32()
}

// mark notes that there is something to take. The lock must be held.
func (s *Session) mark() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// News has a value when there is something to Take.
func (s *Session) News() <-chan struct{} { return s.dirty }

// Take returns what happened since it was called last.
func (s *Session) Take() Batch {
	s.lock.Lock()
	defer s.lock.Unlock()
	news := s.news
	news.Now = s.at(time.Now())
	s.news = Batch{}
	clear(s.open)
	return news
}

// Whole is the state and the numbers as they are, for somebody who comes new.
func (s *Session) Whole() Batch {
	s.lock.Lock()
	defer s.lock.Unlock()
	return Batch{Now: s.at(time.Now()), State: s.state, Numbers: s.numbers, Anew: true}
}

// at is a time in milliseconds since the session began.
func (s *Session) at(t time.Time) float64 { return float64(t.Sub(s.began).Microseconds()) / 1000 }
