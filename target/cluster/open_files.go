package cluster

const (
	// filesPerRequest is how many sockets one request in flight may use: its own, and the other end of its connection if it goes
	// through a port-forward of this process.
	filesPerRequest = 2
	// filesBesides is how many other files and sockets the process has open, such as connections to the API server.
	filesBesides = 128
)

// OpenFiles is how many files and sockets this process has open at most while inFlight requests are in flight.
func OpenFiles(inFlight int) int { return filesPerRequest*inFlight + filesBesides }
