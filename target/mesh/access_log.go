package mesh

import "time"

// AccessLogEntry is one line in the access log of a caller's proxy. It is about one call with all its tries.
type AccessLogEntry struct {
	Request  string        // the name of the request (trail.HeaderRequest), or one that the proxy gave it
	Caller   string        // the app whose sidecar this is, or "gateway"
	Host     string        // the request's Host header
	Path     string        // the request's normalised path, with the query
	Agent    string        // the request's User-Agent
	Status   int           // the status that the caller received; 0 when it received none
	Flags    string        // Envoy's response flags, "URX,UT"; "-" for none
	Detail   string        // Envoy's response code detail, "via_upstream"
	Attempts int           // how many tries were sent; 0 when the proxy answered itself
	Hosts    []string      // the addresses to which the tries were sent, in order
	Duration time.Duration // from the request's head to the answer's last byte
}

// entry is the call's line in the access log.
func (c *call) entry(a *answer, took time.Duration) AccessLogEntry {
	flags := a.flags
	if flags == "" {
		flags = "-"
	}
	hosts := make([]string, len(c.tried))
	for i, endpoint := range c.tried {
		hosts[i] = endpoint.address
	}
	return AccessLogEntry{
		Request: c.draws.request, Caller: c.view.proxy.name, Host: c.downstream.Host, Path: c.request.Path, Agent: c.downstream.UserAgent(), Status: a.status, Flags: flags,
		Detail: a.detail, Attempts: len(c.tried), Hosts: hosts, Duration: took,
	}
}
