package differential

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service"
)

// standIns are the pods of a world, each as a demo service on a port of the loopback interface.
type standIns struct {
	servers []*http.Server
	serving sync.WaitGroup
	at      map[string]netip.AddrPort // by the address of the pod, without a port
}

// startStandIns starts the pods that have these addresses. around makes what answers for a pod from its service.
func startStandIns(rules *manifests.Rules, pods map[string]string, around func(pod string, inner http.Handler) http.Handler) (*standIns, error) {
	s := &standIns{at: make(map[string]netip.AddrPort)}
	for address, pod := range pods {
		if err := s.start(rules, address, pod, around); err != nil {
			s.close()
			return nil, fmt.Errorf("starting %s: %w", pod, err)
		}
	}
	return s, nil
}

func (s *standIns) start(rules *manifests.Rules, address, pod string, around func(string, http.Handler) http.Handler) error {
	for i := range rules.Workloads {
		w := &rules.Workloads[i]
		if "pod "+w.Namespace+"/"+w.Name != pod {
			continue
		}
		config, _, err := service.FromEnvironment(func(name string) string { return w.Env[name] })
		if err != nil {
			return err
		}
		answering, err := service.New(config)
		if err != nil {
			return err
		}
		s.at[address], err = s.serve(around(pod, answering))
		return err
	}
	return fmt.Errorf("no Deployment has it")
}

// serve serves a handler, and returns where.
func (s *standIns) serve(handler http.Handler) (netip.AddrPort, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	limits := service.DefaultLimits
	limits.Connections = 0
	server := limits.Server(handler)
	s.servers = append(s.servers, server)
	s.serving.Go(func() { _ = server.Serve(limits.Listener(listener)) }) // it ends by close
	return listener.Addr().(*net.TCPAddr).AddrPort(), nil
}

// close ends all of them.
func (s *standIns) close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
	s.serving.Wait()
}

// nobody is where nobody answers.
var nobody = netip.MustParseAddrPort("127.0.0.1:1")

// place is where the pod with an address answers.
func (s *standIns) place(address string) netip.AddrPort {
	if host, _, err := net.SplitHostPort(address); err == nil && s.at[host].IsValid() {
		return s.at[host]
	}
	return nobody
}
