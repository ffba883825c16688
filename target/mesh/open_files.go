package mesh

const (
	// filesPerRequest is how many sockets one request in flight has open: of eight connections, load generator to gateway, each
	// of the three services to its proxy and that on to the next service, and gateway to the first, both ends are in this process.
	filesPerRequest = 16
	// filesBesides is what the process has open besides: listeners, files, what reads the counters.
	filesBesides = 128
)

// OpenFiles is how many files and sockets this process has open at most while a run has so many requests in flight.
func OpenFiles(inFlight int) int { return filesPerRequest*inFlight + filesBesides }
