package mesh

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// pollDescriptor is WSAPOLLFD of the Windows Sockets API.
type pollDescriptor struct {
	socket          uintptr
	events, revents int16
}

// readable is POLLRDNORM.
const readable = 0x0100

var wsaPoll = windows.NewLazySystemDLL("ws2_32.dll").NewProc("WSAPoll")

// nothingToRead reports whether a socket is open and has nothing to read. WSAPoll, which does not wait here, counts the sockets
// that have data, were closed by the peer, or are broken. Windows has no flag for a single read that does not wait.
func nothingToRead(socket uintptr) bool {
	one := pollDescriptor{socket: socket, events: readable}
	count, _, _ := wsaPoll.Call(uintptr(unsafe.Pointer(&one)), 1, 0)
	return count == 0
}
