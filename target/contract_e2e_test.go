//go:build e2e

package target_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// TestContractOnCluster holds real Istio against the table that the embedded mesh is held against: each row must pass.
func TestContractOnCluster(t *testing.T) {
	s := newOnCluster(t)
	passed, rows := 0, table(s.namespace)
	began := time.Now()
	for _, row := range rows {
		if t.Run(row.name, func(t *testing.T) {
			observed := observe(t, s, row)
			for i, e := range row.exchanges {
				if err := e.want.check(&observed[i]); err != nil {
					t.Errorf("exchange %d (%v): %v", i, e.request, err)
				}
			}
		}) {
			passed++
		}
	}
	t.Logf("%d of %d rows passed on %s in %v", passed, len(rows), s.Describe().Detail, time.Since(began).Round(time.Second))
}

// onCluster is the subject that is real Istio: base in a namespace of its own, which a run of package cluster changes.
type onCluster struct {
	*cluster.Run
	namespace string
	callerURL string
	logs      *proxyLogs
}

func (s *onCluster) caller() (string, error) { return s.callerURL, nil }

func (s *onCluster) logged(ctx context.Context, of sent) ([]logLine, error) {
	return s.logs.await(ctx, of)
}

// newOnCluster deploys base in a new namespace of the cluster that KUBECONFIG names, and begins a run that may apply
// every row. The namespace goes with the test.
func newOnCluster(t *testing.T) *onCluster {
	t.Helper()
	s := &onCluster{namespace: "contract-" + strings.ToLower(rand.Text()[:8])}
	core := newClient(t)
	options := cluster.Options{Kubeconfig: os.Getenv(clientcmd.RecommendedConfigPathEnvVar), Namespace: s.namespace, Wait: 4 * time.Minute,
		Version: "contract", Say: t.Logf}
	c, err := cluster.Connect(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deleteNamespace(t, core, s.namespace) })
	if err := c.Deploy(t.Context(), reachable(parse(t, "")), ""); err != nil {
		t.Fatal(err)
	}
	var sets [][]manifests.Object
	for _, row := range table(s.namespace) {
		sets = append(sets, parse(t, row.policy))
	}
	if s.Run, err = c.Begin(t.Context(), sets); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if _, err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	pods := append(podsOf(t, core, s.namespace, ""), podsOf(t, core, "istio-system", "istio=ingressgateway")...)
	for _, pod := range pods {
		if pod.Labels["app"] == "caller" {
			s.callerURL = "http://" + net.JoinHostPort(pod.Status.PodIP, "3000")
		}
	}
	s.logs = followLogs(t, core, pods)
	return s
}

// reachable lets requests to the caller pass its sidecar, which would make paths normal, name its own tries in headers
// and drop others before the relay sends them on: what is tested is what the sidecar does with them then. All proxies
// ask for little, so that base fits a small node.
func reachable(objects []manifests.Object) []manifests.Object {
	for i := range objects {
		d, ok := objects[i].Kubernetes.(*appsv1.Deployment)
		if !ok {
			continue
		}
		d.Spec.Template.Annotations = map[string]string{"sidecar.istio.io/proxyCPU": "10m", "sidecar.istio.io/proxyMemory": "64Mi"}
		if d.Spec.Template.Labels["app"] == "caller" {
			d.Spec.Template.Annotations["traffic.sidecar.istio.io/excludeInboundPorts"] = "3000"
		}
	}
	return objects
}

// newClient is a client of the cluster that KUBECONFIG names.
func newClient(t *testing.T) kubernetes.Interface {
	t.Helper()
	file := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
	if file == "" {
		t.Fatal("this test needs a cluster: set KUBECONFIG")
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	// client-go shares one transport among all clients of one configuration: package cluster's are closed here too.
	t.Cleanup(func() { utilnet.CloseIdleConnectionsFor(client.Transport) })
	core, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	return core
}

func podsOf(t *testing.T, core kubernetes.Interface, namespace, selector string) []corev1.Pod {
	t.Helper()
	pods, err := core.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil || len(pods.Items) == 0 {
		t.Fatalf("listing the pods %s of namespace %s: got %d, %v", selector, namespace, len(pods.Items), err)
	}
	return pods.Items
}

func deleteNamespace(t *testing.T, core kubernetes.Interface, namespace string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := core.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("deleting namespace %s: %v", namespace, err)
	}
}

// unrouted is the beginning of the addresses that a relay connects to for want of one: probes', and those of requests
// to hosts that resolve to nothing.
const unrouted = "192.0.2.1:"

// logTime is how long lines of an access log may be on their way: a proxy writes them each second.
const logTime = 30 * time.Second

// proxyLogs are the access logs of pods, as they grow.
type proxyLogs struct {
	callers map[string]bool // the pods that send: the others' lines are of what they received
	mutex   sync.Mutex
	lines   []podLine
	grown   chan struct{}
}

type podLine struct {
	pod string
	proxyLine
}

// follow reads a pod's log until it ends.
func (l *proxyLogs) follow(pod string, log io.Reader) error {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		line, ok := readProxyLine(lines.Text())
		if !ok {
			continue
		}
		l.mutex.Lock()
		l.lines = append(l.lines, podLine{pod, line})
		l.mutex.Unlock()
		select {
		case l.grown <- struct{}{}:
		default:
		}
	}
	return lines.Err()
}

// await waits for the lines of an exchange: one of each call where it was sent, and one of each try where it was
// received. Its calls are known by their User-Agent, and a connection that was no HTTP by being the only one that leads
// to an address of somebody's. The lines before it are forgotten.
func (l *proxyLogs) await(ctx context.Context, of sent) ([]logLine, error) {
	ctx, cancel := context.WithTimeout(ctx, logTime)
	defer cancel()
	for {
		lines, tries := l.of(of.tag)
		if len(lines) >= of.calls && tries >= of.tries {
			l.mutex.Lock()
			l.lines = nil
			l.mutex.Unlock()
			return lines, nil
		}
		select {
		case <-l.grown:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the access logs: got %d calls and %d tries, want %d and %d: %w", len(lines), tries,
				of.calls, of.tries, ctx.Err())
		}
	}
}

// of are the lines of the calls with a tag, and the number of their tries.
func (l *proxyLogs) of(tag string) (lines []logLine, tries int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	hosts := make(map[string][]string)
	for _, line := range l.lines {
		if !l.callers[line.pod] && strings.HasPrefix(line.agent, tag+"/") {
			hosts[line.agent] = append(hosts[line.agent], line.pod)
			tries++
		}
	}
	for _, line := range l.lines {
		switch {
		case !l.callers[line.pod]:
		case strings.HasPrefix(line.agent, tag+"/"):
			lines = append(lines, logLine{line.flags, line.detail, hosts[line.agent]})
		case line.method == "-" && !strings.HasPrefix(line.local, unrouted):
			lines = append(lines, logLine{flags: line.flags, detail: line.detail})
		}
	}
	return lines, tries
}

// followLogs follows the proxies of pods until the test ends.
func followLogs(t *testing.T, core kubernetes.Interface, pods []corev1.Pod) *proxyLogs {
	t.Helper()
	l := &proxyLogs{callers: make(map[string]bool), grown: make(chan struct{}, 1)}
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
