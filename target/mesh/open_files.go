package mesh

const (
	// filesPerRequest is how many sockets one request in flight has open. It uses eight connections: from the load generator to the
	// gateway, from the gateway to the first service, from each of the three services to its proxy, and from each of these proxies to
	// the next service. Both ends of each are in this process.
	filesPerRequest = 16
	// filesBesides is how many other files and sockets the process has open: listeners, files, connections that read the counters.
	filesBesides = 128
	// filesPerCall is how many sockets a call of a service has open, and filesPerPod how many a pod has without any: two connections, from
	// the service to its proxy and on to the next service, and the listeners of both.
	filesPerCall, filesPerPod = 4, 5
)

// OpenFiles is the largest number of files and sockets that this process has open while a run has inFlight requests in flight.
func OpenFiles(inFlight int) int { return filesPerRequest*inFlight + filesBesides }

// OpenFilesOfGraph is the same for services that call each other as a graph: pods is how many there are, and calls how many a request leads
// to. Connections stay open for the next request, so that each call may have as many as there are requests in flight.
func OpenFilesOfGraph(pods int, calls float64, inFlight int) int {
	return filesPerPod*pods + int(filesPerCall*calls*float64(inFlight)) + OpenFiles(inFlight)
}
