//go:build !windows

package attack

import "syscall"

// What the system calls a connection that is refused, and one that the other side has reset.
const (
	errnoRefused = syscall.ECONNREFUSED
	errnoReset   = syscall.ECONNRESET
)
