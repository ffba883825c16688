// Package openfiles checks how many files and network sockets this process may have open at once. It must not know what they are
// used for.
package openfiles

import "fmt"

// TooFew is the error for a process that needs more open files than it may have. Both numbers count files and sockets.
type TooFew struct {
	Needed, Allowed uint64
}

func (e TooFew) Error() string {
	return fmt.Sprintf("this process may have %d files and sockets open at once, and needs up to %d: type 'ulimit -n %d' before the command",
		e.Allowed, e.Needed, e.Needed)
}

// Allowed is how many files and sockets this process may have open at once; known is false if the system has no such limit, or it cannot
// be read.
func Allowed() (allowed uint64, known bool) { return limit() }

// Check returns TooFew if the process may have fewer than needed files and sockets open at once. It returns nil if the system has
// no such limit or the limit cannot be read. Check does not raise the soft limit, because Go's runtime raises it to the hard
// limit when a program starts.
func Check(needed uint64) error {
	if allowed, known := limit(); known && allowed < needed {
		return TooFew{Needed: needed, Allowed: allowed}
	}
	return nil
}
