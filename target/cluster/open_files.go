package cluster

const (
	// filesPerRequest is how many sockets one request in flight has open: its own, and the other end of it where it goes through
	// a port-forward of this process.
	filesPerRequest = 2
	// filesBesides is what the process has open besides: connections to the API server, files.
	filesBesides = 128
)

// OpenFiles is how many files and sockets this process has open at most while a run has so many requests in flight.
func OpenFiles(inFlight int) int { return filesPerRequest*inFlight + filesBesides }
