package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/net"

	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// Spans implements target.Target. It reads the spans as it reads the counters: through the API server, from the pods' apps.
func (r *Run) Spans(ctx context.Context, requests []string) (all []trail.Recording, err error) {
	var problems []error
	for i := range r.rules.Workloads {
		w := &r.rules.Workloads[i]
		if !r.cluster.ours(w) || !target.Records(w) {
			continue
		}
		pods, err := r.cluster.podsOf(ctx, w)
		if err != nil {
			problems = append(problems, err)
		}
		for j := range pods {
			if !ready(&pods[j]) {
				continue
			}
			recording, err := r.cluster.podSpans(ctx, &pods[j], requests)
			if err != nil {
				problems = append(problems, fmt.Errorf("reading the spans of pod %s through the API server: %w", pods[j].Name, err))
				continue
			}
			all = append(all, *recording)
		}
	}
	return all, errors.Join(problems...)
}

// podSpans reads the spans of one pod. It does not use podGet, since its query has the same name more than once.
func (c *Cluster) podSpans(ctx context.Context, pod *corev1.Pod, requests []string) (*trail.Recording, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	get := c.core.CoreV1().RESTClient().Get().Namespace(pod.Namespace).Resource("pods").
		Name(net.JoinSchemeNamePort("http", pod.Name, strconv.Itoa(portOf(pod)))).SubResource("proxy").Suffix(trail.SpansPath)
	for name, values := range target.SpansQuery(requests) {
		for _, value := range values {
			get = get.Param(name, value)
		}
	}
	body, err := get.DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	return target.ReadSpans(bytes.NewReader(body))
}
