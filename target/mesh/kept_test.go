package mesh

import (
	"net"
	"strconv"
	"testing"
)

// A proxy that called hundreds of services keeps no more idle connections than are of use, and closes none to the service that it calls.
func TestIdleConnectionsAreBounded(t *testing.T) {
	p := &proxy{upstreams: map[connected]*upstream{}}
	keep := func(u *upstream, n int) {
		for range n {
			near, far := net.Pipe()
			t.Cleanup(func() { far.Close() })
			u.put(&connection{Conn: near})
		}
	}
	for i := range 300 {
		keep(p.upstream(strconv.Itoa(i), nil), 10)
	}
	if kept := p.kept.Load(); kept > mostKept || kept < mostKept/2 {
		t.Errorf("%d idle connections, want %d to %d", kept, mostKept/2, mostKept)
	}
	last := p.upstream("last", nil)
	keep(last, mostKept+100)
	if p.kept.Load() != mostKept+100 || len(last.idle) != mostKept+100 {
		t.Errorf("%d idle connections, %d of them to the service that is called, want %d", p.kept.Load(), len(last.idle), mostKept+100)
	}
	sum := 0
	for _, u := range p.upstreams {
		sum += len(u.idle)
		u.close()
	}
	if int64(sum) != mostKept+100 || p.kept.Load() != 0 {
		t.Errorf("%d connections were counted as %d, and %d after all were closed", mostKept+100, sum, p.kept.Load())
	}
	near, far := net.Pipe()
	defer far.Close()
	last.put(&connection{Conn: near})
	if _, err := near.Write([]byte("x")); err == nil || p.kept.Load() != 0 {
		t.Errorf("a connection of a closed upstream was kept: %v", err)
	}
}
