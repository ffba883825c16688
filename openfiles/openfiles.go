// Package openfiles knows how many files, and with them network sockets, this process may have open at once. It must not
// know what they are for.
package openfiles

import "fmt"

// TooFew is the error of a process that needs more open files than it may have.
type TooFew struct {
	Needed, Allowed uint64
}

func (e TooFew) Error() string {
	return fmt.Sprintf("this process may have %d files and sockets open at once, and needs up to %d: type 'ulimit -n %d' before the command",
		e.Allowed, e.Needed, e.Needed)
}

// Check returns TooFew when the process may have fewer files open than it needs. Where the system has no such limit, or
// does not tell it, Check returns nil. The soft limit need not be raised: Go's runtime raises it to the hard one when a
// program starts.
func Check(needed uint64) error {
	if allowed, known := limit(); known && allowed < needed {
		return TooFew{Needed: needed, Allowed: allowed}
	}
	return nil
}
