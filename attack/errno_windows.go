package attack

import "golang.org/x/sys/windows"

// What the system calls a connection that is refused, and one that the other side has reset. The constants of package
// syscall that have the usual names are inventions there, which no system call returns.
const (
	errnoRefused = windows.WSAECONNREFUSED
	errnoReset   = windows.WSAECONNRESET
)
