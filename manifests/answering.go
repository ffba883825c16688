package manifests

import (
	"net"
	"strconv"
)

// AnswersFor is an annotation of a Service outside the mesh's registry: the name of a host of the internet for which its pods answer on
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
		return nil
	}
	for _, at := range s.Ports {
		if strconv.Itoa(at.Port) == text {
			return s
		}
	}
	return nil
}
