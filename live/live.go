// Package live keeps a running session: the embedded mesh with a steady load, whose policies, faults and rate a user changes while it runs. It
// judges the requests as a run does (scenarios/run), and tells what happens: each try of a call, the numbers that were measured beside those
// that are predicted, and what was changed. It knows how to run and what to tell; how a page shows it is live/page's business.
package live

import (
	"context"
	"errors"
	"fmt"
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
	// Entry is the fixed address, such as 127.0.0.1:8081, that leads to where requests of the stage enter; empty: there is none.
	Entry string
	// Log is told a line of each request that is not the load's, when it was answered; nil: nobody is.
	Log io.Writer
}

// Session is a running mesh with its load. Its methods may be called by several goroutines at once.
type Session struct {
	feed
	mesh  *mesh.Mesh
	seed  uint64
	entry string // that of Options
	asks  chan ask
	ended chan struct{} // closed when Run returns
	log   *requestLog   // nil: nobody asked for it

	// What follows is under the lock of the feed.
	prefix  string
	foreign int64
	hand    int
	sent    map[string]chan Try
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
	s := &Session{feed: newFeed(), seed: seed, entry: o.Entry, asks: make(chan ask), ended: make(chan struct{}), sent: map[string]chan Try{}}
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
	options := mesh.Options{Seed: seed, Break: o.Controls.Break, Sealed: sealed, Tries: s.heard, Untraced: true}
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
	s.state, s.news.State = state, state
	s.anew()
	return nil
}

// begin begins the numbers of settings.
func (s *Session) begin(now *settings) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.prefix, s.foreign = now.plan.Prefix(), 0
	s.thin(now.controls.Rate, now.plan.TriesEach())
	s.told(func(state *State) { state.Every = int(s.every) })
	s.news.Anew = true
}

// fail tells that the load ended with an error.
func (s *Session) fail(err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.told(func(state *State) { state.Error = err.Error() })
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
		case to <- *told:
		default: // more tries than a waterfall has room for
		}
	}
	s.add(told)
}
