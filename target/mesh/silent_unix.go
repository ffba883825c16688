//go:build unix

package mesh

import "syscall"

// nothingToRead reports whether a socket is open and has nothing to read: a read would have to wait.
func nothingToRead(socket uintptr) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(int(socket), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == syscall.EAGAIN
}
