package mesh

const (
	// filesPerRequest is how many sockets one request in flight has open. It uses eight connections: from the load generator to the
	// gateway, from the gateway to the first service, from each of the three services to its proxy, and from each of these proxies to
	// the next service. Both ends of each are in this process.
	filesPerRequest = 16
	// filesBesides is how many other files and sockets the process has open: listeners, files, connections that read the counters.
	filesBesides = 128
)

// OpenFiles is the largest number of files and sockets that this process has open while a run has inFlight requests in flight.
func OpenFiles(inFlight int) int { return filesPerRequest*inFlight + filesBesides }
