package mesh

import (
	"crypto/tls"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/target/certificates"
)

// pod is one replica of a Deployment: the demo service on a listener of its own.
type pod struct {
	service *service.Service
	server  *server
	secure  *server   // the same with TLS; nil where nobody speaks TLS with it
	by      [2]string // the names of its service and version
	metrics *upstream // connections to its /metrics and its spans, through no proxy
}

// deployment is a running workload.
type deployment struct {
	workload    manifests.Workload
	sidecar     sidecarName
	work        time.Duration // by how much a Break makes its tries longer
	certificate []string      // the names of the certificate by which its pods speak TLS; none where they do not
	pods        []*pod
}

// pods are the running deployments, by namespace and name.
type pods map[deploymentName]*deployment

type deploymentName struct{ namespace, name string }

func nameOf(w *manifests.Workload) deploymentName { return deploymentName{w.Namespace, w.Name} }

// startPod starts the replica of a number, in which every try that does not fail takes work longer than its environment says. calls sends its
// calls to the proxy of its app. It speaks TLS as well unless secure is nil. o says who is told
// of requests that come through no proxy, and whether tries are recorded.
func startPod(w *manifests.Workload, number int, calls transport, work time.Duration, secure *tls.Config, o *Options) (*pod, error) {
	config, _, err := service.FromEnvironment(func(name string) string { return w.Env[name] })
	if err != nil {
		return nil, fmt.Errorf("starting Deployment %s: reading its environment: %w", w.Name, err)
	}
	config.Transport, config.Replica, config.Untraced = calls, fmt.Sprintf("%s-%d", w.Name, number), o.Untraced
	if config.Role == service.Chain {
		config.Work += work
	}
	p := &pod{by: [2]string{config.Service, config.Version}}
	if p.service, err = service.New(config); err != nil {
		return nil, fmt.Errorf("starting Deployment %s: %w", w.Name, err)
	}
	if p.server, err = serve(p.watched(o.Tries), podLimits, nil); err != nil {
		p.service.Close()
		return nil, fmt.Errorf("starting Deployment %s: %w", w.Name, err)
	}
	p.metrics = &upstream{address: p.server.address}
	if secure == nil {
		return p, nil
	}
	if p.secure, err = serve(p.service, podLimits, secure); err != nil {
		p.close()
		return nil, fmt.Errorf("starting Deployment %s: %w", w.Name, err)
	}
	return p, nil
}

func (p *pod) close() {
	p.metrics.close()
	p.server.close()
	if p.secure != nil {
		p.secure.close()
	}
	p.service.Close()
}

func (d *deployment) close() {
	for _, pod := range d.pods {
		pod.close()
	}
}

// deploy runs the workloads. It keeps the deployments of p that did not change and starts the others. The caller must close those
// that only p has. On error deploy closes everything that it started. hosts are the names by which workloads speak TLS, by workload.
func (p pods) deploy(rules *manifests.Rules, hosts map[deploymentName][]string, issuer *certificates.Issuer, calls func(sidecarName) (transport, error),
	work func(*manifests.Workload) time.Duration, o *Options) (pods, error) {
	next := make(pods, len(rules.Workloads))
	var problems []error
	for i := range rules.Workloads {
		w := &rules.Workloads[i]
		names, sidecar := hosts[nameOf(w)], sidecarNameOf(rules, w)
		if running := p[nameOf(w)]; running != nil && reflect.DeepEqual(running.workload, *w) && slices.Equal(running.certificate, names) && running.sidecar == sidecar && running.work == work(w) {
			next[nameOf(w)] = running
			continue
		}
		started := &deployment{workload: *w, sidecar: sidecar, certificate: names, work: work(w)}
		next[nameOf(w)] = started
		through, err := calls(sidecar)
		var secure *tls.Config
		if len(names) > 0 && err == nil {
			secure, err = issuer.Host(names)
		}
		for len(started.pods) < w.Replicas && err == nil {
			var pod *pod
			if pod, err = startPod(w, len(started.pods), through, started.work, secure, o); err == nil {
				started.pods = append(started.pods, pod)
			}
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	if problems != nil {
		next.closeExcept(p)
		return nil, errors.Join(problems...)
	}
	return next, nil
}

// closeExcept closes the deployments that are not in kept, and returns the addresses at which they listened.
func (p pods) closeExcept(kept pods) (gone []string) {
	for name, d := range p {
		if kept[name] == d {
			continue
		}
		d.close()
		for _, pod := range d.pods {
			gone = append(gone, pod.server.address)
			if pod.secure != nil {
				gone = append(gone, pod.secure.address)
			}
		}
	}
	return gone
}

// replicasOf are the replicas of workloads, in the order of the workloads.
func (p pods) replicasOf(workloads []manifests.Workload) (replicas []*pod) {
	for i := range workloads {
		if d := p[nameOf(&workloads[i])]; d != nil {
			replicas = append(replicas, d.pods...)
		}
	}
	return replicas
}

// namesOfHosts are the names by which workloads speak TLS for hosts outside the mesh, by workload.
func namesOfHosts(rules *manifests.Rules) map[deploymentName][]string {
	all := make(map[deploymentName][]string)
	for _, external := range rules.SecureAddresses() {
		service := rules.Answering(external)
		if service == nil {
			continue
		}
		for _, w := range rules.Selected(service) {
			names := append(all[nameOf(&w)], rules.Certificate(external)...)
			slices.Sort(names)
			all[nameOf(&w)] = slices.Compact(names)
		}
	}
	return all
}

// serving are the pods that answer at an external host:port. It returns false when no Service answers there.
func (p pods) serving(rules *manifests.Rules, external string) ([]*pod, bool) {
	service := rules.Answering(external)
	if service == nil {
		return nil, false
	}
	return p.replicasOf(rules.Selected(service)), true
}
