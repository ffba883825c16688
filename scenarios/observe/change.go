package observe

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/scenarios/oracle"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Kinds of what a call must not meet while rules change.
const (
	// Lost: neither the old rules nor the new ones of its caller explain it.
	Lost oracle.Kind = "lost"
	// OldAfterNew: its proxy obeyed the old rules after it had obeyed the new ones for the same host.
	OldAfterNew oracle.Kind = "old rules after new ones"
	// Late: its proxy obeyed the old rules although all proxies were said to obey the new ones.
	Late oracle.Kind = "old rules after the change"
	// Early: its proxy obeyed the new rules before anybody had applied them.
	Early oracle.Kind = "new rules before the change"
)

// ChangeKinds are the kinds, worst first.
var ChangeKinds = []oracle.Kind{Lost, OldAfterNew, Late, Early}

// Change counts what requests showed that were sent while rules changed. It keeps the times of each call, so its memory grows with them. It
// must not be used by two goroutines at once.
type Change struct {
	// Requests were judged, with Calls together. Mixed are the requests of which one call met the old rules and another one the new ones.
	Requests, Calls, Mixed int64
	// Open are the calls of which a time limit keeps secret which rules they met.
	Open int64

	cohorts []Cohort
	entries []string
	name    func(number int) string
	judge   oracle.Judge
	tell    func(*oracle.Told) // take
	lost    []moment
	streams map[stream]*sides
	watched map[string][]span // all calls, by the proxy that sent them
	over    time.Duration     // when the last of them was looked up at the latest
	now     asked
}

// stream is the calls of one proxy to one host, which meet its rules for this host one after another. A proxy may take the rules of another
// host sooner or later, since objects are applied one by one.
type stream struct{ proxy, host string }

// sides are the calls of a stream that only the old rules explain, and those that only the new ones do.
type sides struct{ old, new []moment }

// span is between when a proxy looked its rules up for a call: not before from and not after to.
type span struct{ from, to time.Duration }

// moment is a call, and when its proxy looked its rules up. answered is when the answer of its request was
// there. All are times since the attack began.
type moment struct {
	number int // of the request
	stream stream
	span
	answered time.Duration
	elapsed  time.Duration    // how long its caller waited
	mismatch *oracle.Mismatch // with the new rules; nil where they explain it
}

// asked is the request that is being judged.
type asked struct {
	request       oracle.Request
	number        int
	cohort        int
	sent, latency time.Duration
	old, new      bool
}

// NewChange counts nothing yet. The requests of the cohorts of an attack go the ways of an oracle.Change, and enter at the proxies that
// entries names for each ("" where no proxy is on their way). name is the name of a request.
func NewChange(cohorts []Cohort, entries []string, name func(number int) string) *Change {
	c := &Change{cohorts: cohorts, entries: entries, name: name, streams: map[stream]*sides{}, watched: map[string][]span{}}
	c.tell = c.take
	return c
}

// Add judges an observation and counts what it showed.
func (c *Change) Add(o *attack.Observation) {
	cohort := &c.cohorts[o.Cohort]
	c.now = asked{request: cohort.Request, number: o.Number, cohort: o.Cohort, sent: o.Started, latency: o.Latency}
	c.now.request.Name = c.name(o.Number)
	call := trail.Call{Status: o.Status, Error: o.Error, Elapsed: o.Latency, Hop: o.Trail}
	c.judge.Changing(&c.now.request, cohort.Way, &call, c.tell)
	c.Requests++
	if c.now.old && c.now.new {
		c.Mixed++
	}
}

// take counts what one call showed.
func (c *Change) take(t *oracle.Told) {
	at := stream{t.Caller, t.Host}
	if t.Caller == oracle.Edge {
		at.proxy = c.entries[c.now.cohort]
	}
	c.Calls++
	if t.Open {
		c.Open++
		return
	}
	c.see(moment{c.now.number, at, span{c.now.sent + t.From, c.now.sent + t.To}, c.now.sent + c.now.latency, t.Elapsed, t.Mismatch}, t.Old, t.New)
}

// see notes a call that is explained by the old rules, by the new ones, by both or by none.
func (c *Change) see(m moment, old, new bool) {
	c.over = max(c.over, m.to)
	c.watched[m.stream.proxy] = append(c.watched[m.stream.proxy], m.span)
	s := c.streams[m.stream]
	if s == nil {
		s = &sides{}
		c.streams[m.stream] = s
	}
	switch {
	case old && new:
	case old:
		s.old, c.now.old = append(s.old, m), true
	case new:
		s.new, c.now.new = append(s.new, m), true
	default:
		c.lost = append(c.lost, m)
	}
}

// Evidence is how many calls tell which of the two sets of rules they met.
func (c *Change) Evidence() (calls int64) {
	for _, s := range c.streams {
		calls += int64(len(s.old) + len(s.new))
	}
	return calls
}

// Changed is what a change came to.
type Changed struct {
	// Proxies are those that sent a call, by name.
	Proxies []Proxy
	// Wrong are the calls that met what they must not, by kind, with the first of each.
	Wrong map[oracle.Kind]*Wrong
}

// Proxy is what the calls of one proxy showed.
type Proxy struct {
	Name string
	// Old and New are how many calls only the old rules explain, and only the new ones.
	Old, New int64
	// LastOld and FirstNew are when the answer of the last request with one of the former, and of the first one with one of the latter, was
	// there, since the change began; they may be negative.
	LastOld, FirstNew time.Duration
	// Unwatched is the longest time during the change in which the proxy may have looked up no rules: what befell it for a shorter time may
	// have gone unseen.
	Unwatched time.Duration
}

// Wrong is calls of one kind, and the first of them.
type Wrong struct {
	Count int64
	// Request is its name, Proxy sent it, to Host, no later than At after the change began.
	Request, Proxy, Host string
	At                   time.Duration
	// Mismatch says what the new rules expect; nil where they explain the call.
	Mismatch *oracle.Mismatch
}

// slow is how long a call takes that may have been cut by a limit of a server which a busy machine let wait.
const slow = time.Second

// Conclude holds the order of the calls against the change, which began and ended at these times since the attack began. Where two calls
// overlap, so that nobody can tell which of them met its rules first, nothing is held against them. busy says that requests left late, so that
// this machine may have lost slow calls itself: these are open.
func (c *Change) Conclude(began, ended time.Duration, busy bool) Changed {
	if busy {
		lost := len(c.lost)
		c.lost = slices.DeleteFunc(c.lost, func(m moment) bool { return m.elapsed >= slow })
		c.Open += int64(lost - len(c.lost))
	}
	changed := Changed{Wrong: map[oracle.Kind]*Wrong{}}
	note := func(kind oracle.Kind, m *moment) { changed.note(kind, m, began, c.name) }
	for i := range c.lost {
		note(Lost, &c.lost[i])
	}
	proxies := map[string]*Proxy{}
	for name, calls := range c.watched {
		if name != "" {
			proxies[name] = &Proxy{Name: name, Unwatched: unwatched(calls, began, ended, c.over)}
		}
	}
	for at, s := range c.streams {
		s.order(began, ended, note)
		if p := proxies[at.proxy]; p != nil {
			p.add(s, began)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(proxies)) {
		changed.Proxies = append(changed.Proxies, *proxies[name])
	}
	return changed
}

// unwatched is the longest time that begins between two times and in which no call lies as a whole, until the last of all calls is over.
func unwatched(calls []span, began, ended, over time.Duration) (longest time.Duration) {
	slices.SortFunc(calls, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	next := over // when the first of the calls behind one is over
	for i := len(calls) - 1; i >= 0 && calls[i].from >= began; i-- {
		if calls[i].from <= ended {
			longest = max(longest, next-calls[i].from)
		}
		next = min(next, calls[i].to)
	}
	return max(longest, next-began)
}

// order notes the calls of a stream that came in an order that they must not.
func (s *sides) order(began, ended time.Duration, note func(oracle.Kind, *moment)) {
	obeyed := time.Duration(-1) // when the new rules were obeyed at the latest for the first time; -1: never
	for i := range s.new {
		m := &s.new[i]
		if obeyed < 0 || m.to < obeyed {
			obeyed = m.to
		}
		if m.to < began {
			note(Early, m)
		}
	}
	for i := range s.old {
		m := &s.old[i]
		switch {
		case obeyed >= 0 && m.from > obeyed:
			note(OldAfterNew, m)
		case m.from > ended:
			note(Late, m)
		}
	}
}

// add adds the calls of a stream to those of its proxy.
func (p *Proxy) add(s *sides, began time.Duration) {
	for i := range s.old {
		if at := s.old[i].answered - began; p.Old == 0 || at > p.LastOld {
			p.LastOld = at
		}
		p.Old++
	}
	for i := range s.new {
		if at := s.new[i].answered - began; p.New == 0 || at < p.FirstNew {
			p.FirstNew = at
		}
		p.New++
	}
}

// note counts a call of a kind.
func (c *Changed) note(kind oracle.Kind, m *moment, began time.Duration, name func(int) string) {
	w := c.Wrong[kind]
	if w == nil {
		w = &Wrong{At: math.MaxInt64}
		c.Wrong[kind] = w
	}
	w.Count++
	if at := m.to - began; at < w.At {
		w.Request, w.Proxy, w.Host, w.At, w.Mismatch = name(m.number), m.stream.proxy, m.stream.host, at, m.mismatch
	}
}
