package mesh

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service"
)

// pod is one replica of a Deployment: the demo service on a listener of its own.
type pod struct {
	service *service.Service
	server  *server
	metrics *upstream // connections to its /metrics and its spans, through no proxy
}

// deployment is a running workload.
type deployment struct {
	workload manifests.Workload
	pods     []*pod
}

// pods are the running deployments, by namespace and name.
type pods map[deploymentName]*deployment

type deploymentName struct{ namespace, name string }

func nameOf(w *manifests.Workload) deploymentName { return deploymentName{w.Namespace, w.Name} }

// startPod starts the replica of a number, in which every try that does not fail takes work longer than its environment says. calls sends its
// calls to the proxy of its app.
func startPod(w *manifests.Workload, number int, calls transport, work time.Duration) (*pod, error) {
	config, _, err := service.FromEnvironment(func(name string) string { return w.Env[name] })
	if err != nil {
		return nil, fmt.Errorf("starting Deployment %s: reading its environment: %w", w.Name, err)
	}
	config.Transport, config.Replica = calls, fmt.Sprintf("%s-%d", w.Name, number)
	if config.Role == service.Chain {
		config.Work += work
	}
	p := &pod{}
	if p.service, err = service.New(config); err != nil {
		return nil, fmt.Errorf("starting Deployment %s: %w", w.Name, err)
	}
	if p.server, err = serve(p.service, podLimits, nil); err != nil {
		p.service.Close()
		return nil, fmt.Errorf("starting Deployment %s: %w", w.Name, err)
	}
	p.metrics = &upstream{address: p.server.address}
	return p, nil
}

func (p *pod) close() {
	p.metrics.close()
	p.server.close()
	p.service.Close()
}

func (d *deployment) close() {
	for _, pod := range d.pods {
		pod.close()
	}
}

// deploy runs the workloads. It keeps the deployments of p that did not change and starts the others. The caller must close those
// that only p has. On error deploy closes everything that it started.
func (p pods) deploy(workloads []manifests.Workload, calls func(*manifests.Workload) (transport, error), work func(*manifests.Workload) time.Duration) (pods, error) {
	next := make(pods, len(workloads))
	var problems []error
	for i := range workloads {
		w := &workloads[i]
		if running := p[nameOf(w)]; running != nil && reflect.DeepEqual(running.workload, *w) {
			next[nameOf(w)] = running
			continue
		}
		started := &deployment{workload: *w}
		next[nameOf(w)] = started
		through, err := calls(w)
		for len(started.pods) < w.Replicas && err == nil {
			var pod *pod
			if pod, err = startPod(w, len(started.pods), through, work(w)); err == nil {
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

// serving are the pods that answer at an external host:port. It returns false when no Service answers there.
func (p pods) serving(rules *manifests.Rules, external string) ([]*pod, bool) {
	service := rules.Answering(external)
	if service == nil {
		return nil, false
	}
	return p.replicasOf(rules.Selected(service)), true
}
