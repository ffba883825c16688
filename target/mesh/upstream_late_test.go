package mesh

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// lateEnd is a connection whose peer closes it after a time, and whose deadlines nobody keeps, as on a machine that comes to them too late.
type lateEnd struct {
	net.Conn
	after time.Duration
}

func (lateEnd) Write(p []byte) (int, error)     { return len(p), nil }
func (lateEnd) SetReadDeadline(time.Time) error { return nil }
func (lateEnd) Close() error                    { return nil }
func (c lateEnd) Read([]byte) (int, error) {
	time.Sleep(c.after)
	return 0, io.EOF
}

// A connection that a service breaks once the limit of its try is over counts as the limit, whichever of the two the proxy sees first. One that
// breaks before is a reset.
func TestLimitBeforeTheEndOfTheConnection(t *testing.T) {
	for after, want := range map[time.Duration]error{time.Second: errReset, 2 * time.Second: errPerTryTimeout, 3 * time.Second: errPerTryTimeout} {
		synctest.Test(t, func(t *testing.T) {
			end := lateEnd{after: after}
			_, err := new(upstream).exchange(t.Context(), &connection{Conn: end, reader: bufio.NewReader(end)}, getRoot(), 2*time.Second)
			if !errors.Is(err, want) {
				t.Errorf("an end after %v: %v, want %v", after, err, want)
			}
		})
	}
}
