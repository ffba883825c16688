package mesh

import "time"

// AccessLogEntry is one line of a caller-side proxy's access log: a call with all its tries.
type AccessLogEntry struct {
	Caller   string        // whose proxy: an app's name, or "gateway"
	Host     string        // the request's Host header
	Path     string        // with the query
	Agent    string        // the request's User-Agent
	Status   int           // what the caller got; 0 when it had gone away
	Flags    string        // Envoy's response flags, "URX,UT"; "-" for none
	Detail   string        // Envoy's response code detail, "via_upstream"
	Attempts int           // tries sent; 0 when the proxy answered itself
	Hosts    []string      // the addresses that the tries were sent to, in order
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
		Caller: c.view.proxy.name, Host: c.downstream.Host, Path: c.path, Agent: c.downstream.UserAgent(), Status: a.status, Flags: flags,
		Detail: a.detail, Attempts: len(c.tried), Hosts: hosts, Duration: took,
	}
}
