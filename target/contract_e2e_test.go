//go:build e2e

package target_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/target/certificates"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// TestContractOnCluster checks real Istio against the table of the embedded mesh: each row must pass.
func TestContractOnCluster(t *testing.T) {
	s := newOnCluster(t, nil)
	passed, rows := 0, table(s.namespace)
	began := time.Now()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			observed := observe(t, s, row)
			for i, e := range row.exchanges {
				if err := e.want.check(&observed[i]); err != nil {
					t.Errorf("exchange %d (%v): %v", i, e.request, err)
				}
			}
			if !t.Failed() { // a row that -run leaves out is not counted
				passed++
			}
		})
	}
	t.Logf("%d of %d rows passed on %s in %v", passed, len(rows), s.Describe().Detail, time.Since(began).Round(time.Second))
	t.Run("Apply is atomic", func(t *testing.T) {
		if sent, stale := applyUnderLoad(t, s, 15); stale != 0 {
			t.Errorf("%d of %d requests were answered by the old rule, want 0", stale, sent)
		}
	})
	for name, policy := range refused() {
		t.Run("refused: "+name, func(t *testing.T) {
			if err := rehearse(t.Context(), s.core, s.namespace, policy); !isRefusal(err) {
				t.Errorf("the API server answered %v, want a refusal of:%s", err, policy)
			}
		})
	}
}

// isRefusal reports whether the API server or one of its webhooks refused an object. Server-side apply reports an unknown field
// with the status of an internal error.
func isRefusal(err error) bool {
	return apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) || err != nil && strings.Contains(err.Error(), "field not declared in schema")
}

// rehearse sends an object to the API server as a run would, but as a dry run, which changes nothing.
func rehearse(ctx context.Context, core kubernetes.Interface, namespace, policy string) error {
	var object unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(policy), &object.Object); err != nil {
		return err
	}
	plural := strings.Replace(strings.ToLower(object.GetKind())+"s", "entrys", "entries", 1)
	return core.Discovery().RESTClient().Patch(types.ApplyYAMLPatchType).
		AbsPath("apis", object.GetAPIVersion(), "namespaces", namespace, plural, object.GetName()).
		Param("fieldManager", "contract").Param("force", "true").Param("fieldValidation", metav1.FieldValidationStrict).Param("dryRun", metav1.DryRunAll).
		Body([]byte(policy)).Do(ctx).Error()
}

// onCluster is the subject on real Istio: base in a namespace of its own, which a run of package cluster changes.
type onCluster struct {
	*cluster.Run
	core      kubernetes.Interface
	namespace string
	other     *otherNamespace
	callerURL string
	logs      *proxyLogs
}

func (s *onCluster) caller() (string, error) { return s.callerURL, nil }

func (s *onCluster) logged(ctx context.Context, exchange sent) ([]logLine, error) {
	return s.logs.await(ctx, exchange)
}

// newOnCluster deploys base in a new namespace of the cluster that KUBECONFIG names, and what the contract has in another one, and begins a run that
// may apply every row and these policies. The namespaces are deleted when the test ends.
func newOnCluster(t *testing.T, policies []string) *onCluster {
	t.Helper()
	core, config := newClient(t)
	remove, err := cluster.InstallGatewayAPI(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := remove(ctx); err != nil {
			t.Error(err)
		}
	})
	s := &onCluster{core: core, namespace: "contract-" + strings.ToLower(rand.Text()[:8])}
	options := cluster.Options{Kubeconfig: os.Getenv(clientcmd.RecommendedConfigPathEnvVar), Namespace: s.namespace, Wait: 4 * time.Minute,
		Version: "contract", Say: t.Logf, Client: certify(t, core, s.namespace)}
	c, err := cluster.Connect(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	s.other = newOtherNamespace(t, config, s.namespace)
	t.Cleanup(func() { deleteNamespace(t, core, s.other.name) })
	// E2E_IMAGE is the image in place of hello-service, where a cluster has several of this name.
	if err := c.Deploy(t.Context(), reachable(parse(t, away(s.namespace))), cluster.Choices{Image: os.Getenv("E2E_IMAGE")}); err != nil {
		t.Fatal(err)
	}
	var sets [][]manifests.Object
	for _, row := range table(s.namespace) {
		sets = append(sets, parse(t, row.policy))
	}
	for _, policy := range policies {
		sets = append(sets, parse(t, policy))
	}
	for _, version := range applied {
		sets = append(sets, parse(t, rules("two", to("two/"+version))))
	}
	for i := range sets {
		sets[i], _ = s.other.split(sets[i])
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

// certify makes a namespace, and Secrets with certificates of one issuer until the test ends: one of the name of the namespace beside the ingress
// gateway, and one for the pods of the namespace. It returns how clients connect to servers with them.
func certify(t *testing.T, core kubernetes.Interface, namespace string) *tls.Config {
	t.Helper()
	issuer, err := certificates.NewIssuer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := core.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deleteNamespace(t, core, namespace) })
	for in, name := range map[string]string{"istio-system": namespace, namespace: vaultName} {
		data, err := issuer.Secret(vaultNames()...)
		if err != nil {
			t.Fatal(err)
		}
		secrets := core.CoreV1().Secrets(in)
		if _, err := secrets.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeTLS, Data: data}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := secrets.Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	return issuer.ClientOfSecret()
}

// reachable makes requests to the caller pass by its sidecar, which would otherwise normalise paths and set and remove headers
// before the relay sends the requests on. The test is about what the sidecar does with the requests of the relay. Those to the vault pass by
// that of its pods, too, for which it is a host outside. All proxies request little CPU and memory, so that base fits on a small node. The vault
// and the proxy of the caller have the certificates of a Secret.
func reachable(objects []manifests.Object) []manifests.Object {
	// past is the annotation with the ports that the sidecar of a pod leaves alone.
	const past = "traffic.sidecar.istio.io/excludeInboundPorts"
	for i := range objects {
		d, ok := objects[i].Kubernetes.(*appsv1.Deployment)
		if !ok {
			continue
		}
		d.Spec.Template.Annotations = map[string]string{"sidecar.istio.io/proxyCPU": "10m", "sidecar.istio.io/proxyMemory": "64Mi"}
		switch d.Spec.Template.Labels["app"] {
		case "caller":
			d.Spec.Template.Annotations[past] = "3000"
			d.Spec.Template.Annotations["sidecar.istio.io/userVolume"] = `{"certificates": {"secret": {"secretName": "` + vaultName + `"}}}`
			d.Spec.Template.Annotations["sidecar.istio.io/userVolumeMount"] = `{"certificates": {"mountPath": "` + certificateFiles + `"}}`
		case "vault":
			d.Spec.Template.Annotations[past] = "3000,3443"
			pod := &d.Spec.Template.Spec
			pod.Volumes = []corev1.Volume{{Name: "certificates", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: vaultName}}}}
			app := &pod.Containers[0]
			app.VolumeMounts = []corev1.VolumeMount{{Name: "certificates", MountPath: certificateFiles}}
			app.Env = append(app.Env, corev1.EnvVar{Name: "TLS_FILES", Value: certificateFiles})
		}
	}
	return objects
}

// newClient is a client of the cluster that KUBECONFIG names.
func newClient(t *testing.T) (kubernetes.Interface, *rest.Config) {
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
	// client-go shares one transport among all clients of one configuration, so this closes the connections of package cluster too.
	t.Cleanup(func() { utilnet.CloseIdleConnectionsFor(client.Transport) })
	core, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	return core, config
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
