package observe

import (
	"fmt"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/scenarios/oracle"
)

// seen is a call of an invented sequence: looked up between two times in milliseconds since the attack began.
type seen struct {
	proxy, host string
	from, to    int
	old, new    bool
}

const ms = time.Millisecond

// told is what a sequence of calls comes to while a change is applied from 100 ms on, until 200 ms.
func told(calls ...seen) (*Change, Changed) {
	c := NewChange(nil, nil, ByProxy, func(number int) string { return fmt.Sprint(number) })
	for i, s := range calls {
		c.see(moment{i, stream{proxy: s.proxy, host: s.host}, 0, span{time.Duration(s.from) * ms, time.Duration(s.to) * ms}, time.Duration(s.to) * ms, time.Duration(s.to-s.from) * ms, nil}, s.old, s.new)
	}
	return c, c.Conclude(100*ms, 200*ms, false)
}

// A machine whose requests leave late may have lost calls itself that took long, and no others.
func TestSlowCallsOfABusyMachine(t *testing.T) {
	for _, busy := range []bool{false, true} {
		c, _ := told(seen{"a", "x", 110, 1110, false, false}, seen{"a", "x", 120, 130, false, false})
		want := map[bool]int64{false: 2, true: 1}[busy]
		if got := c.Conclude(100*ms, 200*ms, busy).Wrong[Lost]; got.Count != want || c.Open != 2-want {
			t.Errorf("busy %v: %d lost and %d open, want %d lost", busy, got.Count, c.Open, want)
		}
	}
}

func TestTheOrderOfCallsDuringAChange(t *testing.T) {
	old := func(proxy, host string, from, to int) seen { return seen{proxy, host, from, to, true, false} }
	changed := func(proxy, host string, from, to int) seen { return seen{proxy, host, from, to, false, true} }
	for _, c := range []struct {
		name  string
		calls []seen
		kind  oracle.Kind // of the only wrong calls; "": none
		first string      // the request of the first of them
		count int64
	}{
		{"old, then new", []seen{old("a", "x", 110, 111), changed("a", "x", 120, 121), changed("a", "x", 210, 211)}, "", "", 0},
		{"old after new", []seen{old("a", "x", 110, 111), changed("a", "x", 120, 121), old("a", "x", 122, 123), changed("a", "x", 124, 125), old("a", "x", 126, 127)}, OldAfterNew, "2", 2},
		{"old after new, observed in another order", []seen{old("a", "x", 122, 123), changed("a", "x", 120, 121)}, OldAfterNew, "0", 1},
		{"old and new overlap", []seen{changed("a", "x", 120, 130), old("a", "x", 125, 135)}, "", "", 0},
		{"old at one proxy after new at another", []seen{changed("a", "x", 120, 121), old("b", "x", 140, 141)}, "", "", 0},
		{"old for one host after new for another", []seen{changed("a", "x", 120, 121), old("a", "y", 140, 141)}, "", "", 0},
		{"both explain it", []seen{changed("a", "x", 120, 121), {"a", "x", 140, 141, true, true}}, "", "", 0},
		{"neither explains it", []seen{old("a", "x", 110, 111), {"a", "x", 140, 141, false, false}, {"a", "x", 130, 131, false, false}, changed("a", "x", 150, 151)}, Lost, "2", 2},
		{"neither explains a call past every proxy", []seen{{"", "x", 140, 141, false, false}}, Lost, "0", 1},
		{"old when all was applied", []seen{old("a", "x", 190, 205), old("a", "x", 201, 202)}, Late, "1", 1},
		{"new before anything was applied", []seen{changed("a", "x", 90, 99), changed("a", "x", 95, 101)}, Early, "0", 1},
	} {
		_, got := told(c.calls...)
		if c.kind == "" {
			if len(got.Wrong) > 0 {
				t.Errorf("%s: %+v, want nothing wrong", c.name, got.Wrong)
			}
			continue
		}
		if wrong := got.Wrong[c.kind]; wrong == nil || len(got.Wrong) != 1 || wrong.Count != c.count || wrong.Request != c.first {
			t.Errorf("%s: %+v, want %d %s, first request %s", c.name, got.Wrong, c.count, c.kind, c.first)
		}
	}
}

// Where each connection takes up rules by itself, old rules after new ones are wrong on one connection alone, whose calls have turns; of calls
// without a connection, as those of a gateway, no order is known.
func TestTheOrderOfCallsOnConnections(t *testing.T) {
	type call struct {
		connection, turn, from, to int
		new                        bool
	}
	for _, c := range []struct {
		name  string
		calls []call
		kind  oracle.Kind // of the only wrong call; "": none
	}{
		{"old, then new", []call{{1, 7, 110, 111, false}, {1, 8, 112, 113, true}}, ""},
		{"old after new on another connection", []call{{1, 7, 110, 111, true}, {2, 9, 120, 121, false}}, ""},
		{"old after new, though the requests overlap", []call{{1, 8, 109, 125, false}, {1, 7, 110, 124, true}}, OldAfterNew},
		{"old after new when all was applied, counted once", []call{{1, 7, 110, 111, true}, {1, 8, 210, 211, false}}, OldAfterNew},
		{"old after new at a gateway", []call{{0, 0, 110, 111, true}, {0, 0, 120, 121, false}}, ""},
		{"old on another connection when all was applied", []call{{1, 7, 110, 111, true}, {2, 9, 201, 202, false}}, Late},
	} {
		of := NewChange(nil, nil, ByConnection, func(number int) string { return fmt.Sprint(number) })
		for i, s := range c.calls {
			at := span{time.Duration(s.from) * ms, time.Duration(s.to) * ms}
			of.see(moment{i, stream{"a", "x", s.connection}, s.turn, at, at.to, 0, nil}, !s.new, s.new)
		}
		got := of.Conclude(100*ms, 200*ms, false)
		if wrong := got.Wrong[c.kind]; c.kind == "" && len(got.Wrong) > 0 || c.kind != "" && (wrong == nil || len(got.Wrong) != 1 || wrong.Count != 1) {
			t.Errorf("%s: %+v, want %q", c.name, got.Wrong, c.kind)
		}
		if apart := got.Proxies[0].Spread; c.name == "old after new on another connection" && apart != 9*ms {
			t.Errorf("%s: %v apart, want 9ms", c.name, apart)
		}
	}
}

// A pod's proxy is watched from its first call to its last one, since rules may lead to a pod no more. The answers of a service that do not
// say its pod do not tell its proxy.
func TestTheCallsOfPods(t *testing.T) {
	c := NewChange(nil, []string{""}, ByConnection, func(number int) string { return fmt.Sprint(number) })
	for _, at := range []time.Duration{90, 120, 150, 900} {
		told := oracle.Told{Caller: "middleware", Pod: "middleware-1", Connection: 1, Host: "backend", Old: true, New: true, To: ms}
		if at == 900 {
			told.Pod = "middleware-2"
		}
		c.now.sent = at * ms
		c.take(&told)
	}
	c.take(&oracle.Told{Caller: "backend", Host: "clock", Old: true, New: true})
	c.take(&oracle.Told{Caller: oracle.Edge, Host: "frontend", Old: true, New: true})
	got := c.Conclude(100*ms, 1000*ms, false).Proxies
	if len(got) != 3 || got[1].Name != "middleware-1" || got[1].Unwatched != 31*ms || got[2].Name != "middleware-2" || got[2].Unwatched != ms {
		t.Errorf("%+v", got)
	}
	if c.Unnamed != 1 {
		t.Errorf("%d calls of unknown pods, want 1", c.Unnamed)
	}
}

func TestWhatProxiesShowOfAChange(t *testing.T) {
	c, got := told(seen{"a", "x", 90, 91, true, false}, seen{"a", "y", 118, 120, true, false}, seen{"a", "x", 150, 155, false, true}, seen{"a", "x", 152, 153, false, true},
		seen{"a", "x", 198, 199, true, true}, seen{"a", "x", 210, 211, true, true}, seen{"b", "x", 80, 85, true, false}, seen{"c", "x", 110, 230, true, true}, seen{"", "x", 110, 111, true, true})
	want := []Proxy{
		{"a", 2, 2, 20 * ms, 53 * ms, 0, 199*ms - 152*ms}, // the other calls are 20, 35, 13 ms apart at most
		{"b", 1, 0, -15 * ms, 0, 0, 130 * ms},
		{"c", 0, 0, 0, 0, 0, 130 * ms},
	}
	if len(got.Proxies) != 3 || got.Proxies[0] != want[0] || got.Proxies[1] != want[1] || got.Proxies[2] != want[2] {
		t.Errorf("got  %+v\nwant %+v", got.Proxies, want)
	}
	if n := c.Evidence(); n != 5 {
		t.Errorf("%d calls tell old from new, want 5", n)
	}
}
