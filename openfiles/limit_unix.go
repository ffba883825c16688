//go:build unix

package openfiles

import "syscall"

// limit returns how many files and sockets this process may have open at once; known is false if that cannot be read.
func limit() (allowed uint64, known bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return uint64(l.Cur), true // the conversion is for systems on which Cur is signed
}
