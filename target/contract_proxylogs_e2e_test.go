//go:build e2e

package target_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// unrouted is the beginning of the address to which a relay connects when it has no other: for probes, and for requests to hosts
// that DNS does not resolve.
const unrouted = "192.0.2.1:"

// logTime is how long the lines of an access log may take to arrive. A proxy writes them once a second.
const logTime = 30 * time.Second

// proxyLogs are the access logs of pods, to which lines are added as they arrive.
type proxyLogs struct {
	callers map[string]bool // the pods that send; the lines of all other pods are about tries that they received
	mutex   sync.Mutex
	calls   map[string][]proxyLine // by tag
	tries   map[string][]string    // the pods that received a call's tries, by its User-Agent
	number  map[string]int64       // how many tries were received, by tag
	tcp     []proxyLine            // TCP connections that did not carry HTTP
	grown   chan struct{}
}

// follow reads a pod's log until it ends.
func (l *proxyLogs) follow(pod string, log io.Reader) error {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		line, ok := readProxyLine(lines.Text())
		if !ok {
			continue
		}
		l.add(pod, line)
		select {
		case l.grown <- struct{}{}:
		default:
		}
	}
	return lines.Err()
}

func (l *proxyLogs) add(pod string, line proxyLine) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	tag := path.Dir(line.agent)
	switch {
	case !l.callers[pod]:
		l.tries[line.agent] = append(l.tries[line.agent], pod)
		l.number[tag]++
	case line.method != "-":
		l.calls[tag] = append(l.calls[tag], line)
	case !strings.HasPrefix(line.local, unrouted):
		l.tcp = append(l.tcp, line)
	}
}

// await waits for the lines of an exchange: one for each call in the log of its sender, and one for each try in the log of its
// receiver.
func (l *proxyLogs) await(ctx context.Context, s sent) ([]logLine, error) {
	ctx, cancel := context.WithTimeout(ctx, logTime)
	defer cancel()
	for {
		lines, tries := l.linesOf(s)
		if len(lines) >= s.calls && tries >= s.tries {
			l.forget()
			return lines, nil
		}
		select {
		case <-l.grown:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the access logs: got %d calls and %d tries, want %d and %d: %w", len(lines), tries,
				s.calls, s.tries, ctx.Err())
		}
	}
}

// forget drops the lines about TCP connections, which name no call.
func (l *proxyLogs) forget() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.tcp = nil
}

// linesOf are the lines of an exchange's calls, and the number of their tries. The line of a TCP connection names no call: when a
// call of the exchange ended without an answer, the last of these lines belong to the exchange.
func (l *proxyLogs) linesOf(s sent) (lines []logLine, tries int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, line := range l.calls[s.tag] {
		lines = append(lines, logLine{line.flags, line.detail, l.tries[line.agent]})
	}
	if missing := s.calls - len(lines); s.broken && len(l.tcp) >= missing {
		for _, line := range l.tcp[len(l.tcp)-missing:] {
			lines = append(lines, logLine{flags: line.flags, detail: line.detail})
		}
	}
	return lines, l.number[s.tag]
}

// followLogs follows the proxies of pods until the test ends.
func followLogs(t *testing.T, core kubernetes.Interface, pods []corev1.Pod) *proxyLogs {
	t.Helper()
	l := &proxyLogs{callers: make(map[string]bool), calls: make(map[string][]proxyLine), tries: make(map[string][]string),
		number: make(map[string]int64), grown: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	var group errgroup.Group
	t.Cleanup(func() {
		cancel()
		if err := group.Wait(); err != nil {
			t.Errorf("following the access logs: %v", err)
		}
	})
	now := metav1.Now()
	for _, pod := range pods {
		l.callers[pod.Name] = pod.Labels["app"] == "caller" || pod.Labels["istio"] == "ingressgateway"
		options := corev1.PodLogOptions{Container: "istio-proxy", Follow: true, SinceTime: &now}
		log, err := core.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &options).Stream(ctx)
		if err != nil {
			t.Fatalf("reading the access log of pod %s: %v", pod.Name, err)
		}
		group.Go(func() error {
			defer log.Close()
			if err := l.follow(pod.Name, log); err != nil && ctx.Err() == nil {
				return fmt.Errorf("pod %s: %w", pod.Name, err)
			}
			return nil
		})
	}
	return l
}
