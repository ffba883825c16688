package cluster

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

const (
	// probeEvery is the time between two questions to one proxy.
	probeEvery = 40 * time.Millisecond
	// inARow is how many right answers in a row a sidecar must give before the run believes that it obeys, and gatewayInARow how
	// many a gateway must give, since several gateways may be behind one address. One answer is not enough, since each of
	// Envoy's threads takes up new rules by itself; every question is a new connection, so it may reach another thread.
	inARow, gatewayInARow = 3, 10
)

// converge waits until every proxy that sends the chain's calls answers the questions of a probe that was just written.
func (r *Run) converge(ctx context.Context, p *probe, questions []question) error {
	callers, err := r.callers(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.cluster.options.Wait, errors.New("the time that --wait allows is over"))
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for _, pod := range callers {
		group.Go(func() error {
			return obeyed(ctx, "the proxy of pod "+pod.Name, inARow, func(ctx context.Context) (string, error) {
				return r.cluster.askSidecar(ctx, &pod, questions)
			})
		})
	}
	if p.selector != nil || p.parent != "" {
		for name := range r.rules.Gateways {
			group.Go(func() error { return r.convergeGateway(ctx, manifests.Entry{Gateway: name}, p) })
		}
	}
	return group.Wait()
}

// callers are the pods of the chain whose proxies send its calls.
func (r *Run) callers(ctx context.Context) ([]corev1.Pod, error) {
	var callers []corev1.Pod
	for i := range r.rules.Workloads {
		w := &r.rules.Workloads[i]
		if role := w.Env["ROLE"]; !r.cluster.ours(w) || role != "" && role != "chain" && role != "relay" {
			continue
		}
		pods, err := r.cluster.podsOf(ctx, w)
		if err != nil {
			return nil, err
		}
		if len(pods) == 0 && w.Replicas > 0 {
			return nil, fmt.Errorf("the Deployment %s has no pod in namespace %s: 'hellochaos deploy' starts its pods", w.Name, r.cluster.namespace)
		}
		callers = append(callers, pods...)
	}
	return callers, nil
}

// obeyed calls ask until it finds nothing wrong for the given number of times in a row, or until ctx ends. ask returns what is
// wrong with an answer; empty means that the answer is right.
func obeyed(ctx context.Context, who string, times int, ask func(context.Context) (wrong string, err error)) error {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	last := "it has not been reached yet"
	for right := 0; ; {
		switch wrong, err := ask(ctx); {
		case ctx.Err() != nil:
		case err != nil:
			right, last = 0, err.Error()
		case wrong != "":
			right, last = 0, wrong
		default:
			if right++; right == times {
				return nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s does not obey the new rules yet (%s): %w; 'istioctl proxy-status' shows what the control plane has sent to it, and a longer --wait gives it more time", who, last, context.Cause(ctx))
		}
	}
}

// askSidecar sends the questions to a pod's proxy: the pod's app sends them on behalf of this program.
func (c *Cluster) askSidecar(ctx context.Context, pod *corev1.Pod, questions []question) (wrong string, err error) {
	for _, q := range questions {
		body, err := c.podGet(ctx, pod, strings.TrimSuffix(trail.ProbePath, "/")+q.path, map[string]string{"host": q.host})
		if err != nil {
			return "", fmt.Errorf("asking it through the API server: %w", err)
		}
		var answer trail.Probe
		if err := json.Unmarshal(body, &answer); err != nil {
			return "", fmt.Errorf("its answer is not the answer to a probe: %w; is the image of the pod from the same version as this hellochaos?", err)
		}
		if !q.obeys(answer) {
			return fmt.Sprintf("it answers %d %q %s for %s of host %s%s", answer.Status, answer.Body, answer.Error, q.path, q.host, q.why), nil
		}
	}
	return "", nil
}

// podGet sends a GET request to a pod's app through the API server, and returns the body of the answer.
func (c *Cluster) podGet(ctx context.Context, pod *corev1.Pod, path string, query map[string]string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	return c.core.CoreV1().Pods(pod.Namespace).ProxyGet("http", pod.Name, strconv.Itoa(portOf(pod)), path, query).DoRaw(ctx)
}

// portOf is the port at which a pod's app is asked: its variable ADMIN_PORT, PORT, or else 3000.
func portOf(pod *corev1.Pod) int {
	if port := portBy(pod, "ADMIN_PORT"); port != 0 {
		return port
	}
	return cmp.Or(portBy(pod, "PORT"), 3000)
}

// portBy is the port that a variable of a pod's app names; 0 if it names none.
func portBy(pod *corev1.Pod, name string) int {
	for _, container := range pod.Spec.Containers {
		for _, env := range container.Env {
			if port, err := strconv.Atoi(env.Value); env.Name == name && err == nil {
				return port
			}
		}
	}
	return 0
}

// convergeGateway asks an ingress gateway, at the address to which the run will send its requests.
func (r *Run) convergeGateway(ctx context.Context, gateway manifests.Entry, p *probe) error {
	r.mutex.Lock()
	address, err := r.open(ctx, gateway)
	r.mutex.Unlock()
	if err != nil {
		return err
	}
	host, path, status, text := p.atGateway()
	var secure *tls.Config
	if address.TLS != nil {
		secure = address.TLS.Clone()
		secure.ServerName = host
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure}, Timeout: 2 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return obeyed(ctx, "the ingress gateway at "+address.URL, gatewayInARow, func(ctx context.Context) (string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.URL+path, nil)
		if err != nil {
			return "", err
		}
		request.Host = host
		response, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
		if err != nil || response.StatusCode != status || string(body) != text {
			return fmt.Sprintf("it answers %d %q", response.StatusCode, body), err
		}
		return "", nil
	})
}
