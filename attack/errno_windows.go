package attack

import "golang.org/x/sys/windows"

// The numbers by which Windows reports a refused connection, and a connection that the other side has reset. Package syscall has
// constants with the usual names there, but no system call returns them.
const (
	errnoRefused = windows.WSAECONNREFUSED
	errnoReset   = windows.WSAECONNRESET
)
