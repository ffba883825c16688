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
	c := NewChange(nil, nil, func(number int) string { return fmt.Sprint(number) })
	for i, s := range calls {
		c.see(moment{i, stream{s.proxy, s.host}, span{time.Duration(s.from) * ms, time.Duration(s.to) * ms}, time.Duration(s.to) * ms, time.Duration(s.to-s.from) * ms, nil}, s.old, s.new)
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

func TestWhatProxiesShowOfAChange(t *testing.T) {
	c, got := told(seen{"a", "x", 90, 91, true, false}, seen{"a", "y", 118, 120, true, false}, seen{"a", "x", 150, 155, false, true}, seen{"a", "x", 152, 153, false, true},
		seen{"a", "x", 198, 199, true, true}, seen{"a", "x", 210, 211, true, true}, seen{"b", "x", 80, 85, true, false}, seen{"c", "x", 110, 230, true, true}, seen{"", "x", 110, 111, true, true})
	want := []Proxy{
		{"a", 2, 2, 20 * ms, 53 * ms, 199*ms - 152*ms}, // the other calls are 20, 35, 13 ms apart at most
		{"b", 1, 0, -15 * ms, 0, 130 * ms},
		{"c", 0, 0, 0, 0, 130 * ms},
	}
	if len(got.Proxies) != 3 || got.Proxies[0] != want[0] || got.Proxies[1] != want[1] || got.Proxies[2] != want[2] {
		t.Errorf("got  %+v\nwant %+v", got.Proxies, want)
	}
	if n := c.Evidence(); n != 5 {
		t.Errorf("%d calls tell old from new, want 5", n)
	}
}
