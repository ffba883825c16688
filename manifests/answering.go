package manifests

import (
	"iter"
	"maps"
	"net"
	"strconv"
	"strings"
)

// AnswersFor is an annotation of a Service outside the mesh's registry: the host of the internet, by name, by address or by a name with "*", for which its pods answer on
// the embedded mesh. On a cluster it does nothing.
const AnswersFor = "hellochaos/answers-for"

// Answering is the Service whose pods answer at an external host:port, as an Endpoints has it: the Service of that name, whether the
// registry has it or not, as a cluster's DNS finds it, or the one that AnswersFor the host. It is nil when no Service has host and
// port.
func (r *Rules) Answering(external string) *Service {
	host, text, err := net.SplitHostPort(external)
	if err != nil {
		return nil
	}
	s := r.Services[host]
	if s == nil {
		s = r.answering[host]
	}
	if s == nil {
		s = r.answering[longestCover(maps.Keys(r.answering), host)]
	}
	if s == nil {
		return nil
	}
	for _, at := range s.Ports {
		if strconv.Itoa(at.Port) == text {
			return s
		}
	}
	return nil
}

// longestCover is the longest of some patterns with "*" that covers a host; empty where none does.
func longestCover(patterns iter.Seq[string], host string) (longest string) {
	for pattern := range patterns {
		if strings.HasPrefix(pattern, "*") && len(pattern) > len(longest) && covers(pattern, host) {
			longest = pattern
		}
	}
	return longest
}
