//go:build unix

package openfiles

import "syscall"

// limit is how many files this process may have open at once.
func limit() (allowed uint64, known bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return uint64(l.Cur), true // it is signed on some systems
}
