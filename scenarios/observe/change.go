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
	// OldAfterNew: its proxy obeyed the old rules after it had obeyed the new ones for the same host; with proxies that take up rules by
	// connection, on the same connection.
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
	// Unnamed are the calls of services that do not say their pod, where each pod has a proxy of its own.
	Unnamed int64

	cohorts []Cohort
	entries []string
	by      Unit
	name    func(number int) string
	judge   oracle.Judge
	tell    func(*oracle.Told) // take
	lost    []moment
	streams map[stream]*sides
	watched map[string][]span // all calls, by the proxy that sent them
	over    time.Duration     // when the last of them was looked up at the latest
	now     asked
}

// Unit is what takes up new rules at one moment.
type Unit bool

const (
	// ByProxy: a proxy does, for all calls of the pods of one app. So it is with the embedded mesh.
	ByProxy Unit = false
	// ByConnection: each connection to the proxy of a pod does. In Envoy a connection belongs to one worker thread, and each thread is handed
	// new routes and clusters by a message of its own (source/common/rds/rds_route_config_provider_impl.cc, onConfigUpdate).
	ByConnection Unit = true
)

// stream is the calls of one proxy to one host, which meet its rules for this host one after another. A proxy may take the rules of another
// host sooner or later, since objects are applied one by one. With ByConnection it is those calls on one connection; 0 is an unknown one.
type stream struct {
	proxy, host string
	connection  int
}

// sides are the calls of a stream that only the old rules explain, and those that only the new ones do.
type sides struct{ old, new []moment }

// span is between when a proxy looked its rules up for a call: not before from and not after to.
type span struct{ from, to time.Duration }

// moment is a call, and when its proxy looked its rules up. answered is when the answer of its request was
// there. All are times since the attack began.
type moment struct {
	number int // of the request
	stream stream
	turn   int // on a known connection
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
// entries names for each ("" where no proxy is on their way). by is what takes up rules at one moment, and name is the name of a request.
func NewChange(cohorts []Cohort, entries []string, by Unit, name func(number int) string) *Change {
	c := &Change{cohorts: cohorts, entries: entries, by: by, name: name, streams: map[stream]*sides{}, watched: map[string][]span{}}
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
	at := stream{proxy: t.Caller, host: t.Host}
	switch {
	case t.Caller == oracle.Edge:
		at.proxy = c.entries[c.now.cohort]
	case c.by == ByConnection && t.Pod == "":
		c.Unnamed++
	case c.by == ByConnection:
		at.proxy, at.connection = t.Pod, t.Connection
	}
	c.Calls++
	if t.Open {
		c.Open++
		return
	}
	c.see(moment{c.now.number, at, t.Turn, span{c.now.sent + t.From, c.now.sent + t.To}, c.now.sent + c.now.latency, t.Elapsed, t.Mismatch}, t.Old, t.New)
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
	// Spread is by how much a call that met the old rules was certainly later than one to the same host that met the new ones. With
	// ByConnection that is right between two connections; 0 where no call shows it.
	Spread time.Duration
	// Unwatched is the longest time during the change in which the proxy may have looked up no rules: what befell it for a shorter time may
	// have gone unseen. With ByConnection it is counted from the first call of the pod to the last one: rules may lead to a pod no more.
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

// Conclude holds the order of the calls against the change, which began and ended at these times since the attack began. Where nobody can tell
// which of two calls met its rules first, nothing is held against them. busy says that requests left late, so that
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
			proxies[name] = &Proxy{Name: name, Unwatched: c.unwatched(calls, began, ended)}
		}
	}
	obeyed := c.obeyed()
	for at, s := range c.streams {
		s.order(began, ended, c.after(at, s, obeyed), note)
		p := proxies[at.proxy]
		if p == nil {
			continue
		}
		p.add(s, began)
		at.connection = 0
		if first, some := obeyed[at]; some {
			p.spread(s, first)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(proxies)) {
		changed.Proxies = append(changed.Proxies, *proxies[name])
	}
	return changed
}

// unwatched is the longest time that begins between two times and in which no call lies as a whole: until the last of all calls is over, or
// with ByConnection between the first of these calls and the last one.
func (c *Change) unwatched(calls []span, began, ended time.Duration) (longest time.Duration) {
	slices.SortFunc(calls, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	first, next := began, c.over // next is when the first of the calls behind one is over
	if c.by == ByConnection {
		first, next = max(began, calls[0].from), 0
		for _, call := range calls {
			next = max(next, call.to)
		}
	}
	for i := len(calls) - 1; i >= 0 && calls[i].from >= began; i-- {
		if calls[i].from <= ended {
			longest = max(longest, next-calls[i].from)
		}
		next = min(next, calls[i].to)
	}
	return max(longest, next-first)
}

// obeyed is when each proxy obeyed the new rules for a host at the latest for the first time, on whichever connection.
func (c *Change) obeyed() map[stream]time.Duration {
	first := map[stream]time.Duration{}
	for at, s := range c.streams {
		at.connection = 0
		for i := range s.new {
			if known, some := first[at]; !some || s.new[i].to < known {
				first[at] = s.new[i].to
			}
		}
	}
	return first
}

// order notes the calls of a stream that came in an order that they must not. after reports whether one that only the old rules explain was
// certainly looked up after one that only the new rules do.
func (s *sides) order(began, ended time.Duration, after func(*moment) bool, note func(oracle.Kind, *moment)) {
	for i := range s.new {
		if m := &s.new[i]; m.to < began {
			note(Early, m)
		}
	}
	for i := range s.old {
		switch m := &s.old[i]; {
		case after(m):
			note(OldAfterNew, m)
		case m.from > ended:
			note(Late, m)
		}
	}
}

// after returns what reports whether a call of a stream that met the old rules was looked up after one that met the new ones. The calls of a
// connection have turns. Those of a proxy that takes up rules at once are held against the time at which it obeyed the new ones at the latest
// for the first time. Of other connections, as those of a gateway, nothing is said: each of its threads takes up rules by itself.
func (c *Change) after(at stream, s *sides, obeyed map[stream]time.Duration) func(*moment) bool {
	switch {
	case len(s.new) > 0 && at.connection != 0:
		first := slices.MinFunc(s.new, func(a, b moment) int { return cmp.Compare(a.turn, b.turn) }).turn
		return func(m *moment) bool { return m.turn > first }
	case len(s.new) > 0 && c.by == ByProxy:
		return func(m *moment) bool { return m.from > obeyed[at] }
	}
	return func(*moment) bool { return false }
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

// spread notes by how much calls that met the old rules were later than the first one to the same host that met the new ones.
func (p *Proxy) spread(s *sides, first time.Duration) {
	for i := range s.old {
		p.Spread = max(p.Spread, s.old[i].from-first)
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
