//go:build !windows

package attack

import "syscall"

// The numbers by which the system reports a refused connection, and a connection that the other side has reset.
const (
	errnoRefused = syscall.ECONNREFUSED
	errnoReset   = syscall.ECONNRESET
)
