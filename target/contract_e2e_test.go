//go:build e2e

package target_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"flag"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
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

// TestContractOnCluster checks real Istio against the table of the embedded mesh: each row must pass. Most of the time of a row is spent
// waiting for proxies and for their logs, so two namespaces share the rows.
func TestContractOnCluster(t *testing.T) {
	installGatewayAPI(t)
	c := contractOnCluster{t: t}
	divided := divideRows(t)
	if strings.Contains(flag.Lookup("test.run").Value.String(), "/") { // for some rows by name one namespace is enough
		divided = divided.inOne()
	}
	first := newOnCluster(t, policiesOfContract, true)
	began := time.Now()
	var group sync.WaitGroup
	defer group.Wait() // also when the second namespace cannot be made: no row may outlive the test
	group.Go(func() { c.check(first, divided.first) })
	if len(divided.second) > 0 {
		second := newOnCluster(t, policiesOfContract, false)
		bare := parse(t, "")
		group.Go(func() {
			c.check(second, divided.second)
			if err := second.Apply(t.Context(), bare); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	c.check(first, divided.alone)
	release, _, _ := strings.Cut(first.Describe().Detail, ", namespace ")
	t.Logf("%d of %d rows passed on %s in %v", c.passed.Load(), len(table(first.namespace)), release, time.Since(began).Round(time.Second))
	t.Run("Apply is atomic", func(t *testing.T) {
		if sent, stale := applyUnderLoad(t, first, 15); stale != 0 {
			t.Errorf("%d of %d requests were answered by the old rule, want 0", stale, sent)
		}
	})
	for name, policy := range refused() {
		t.Run("refused: "+name, func(t *testing.T) {
			if err := rehearse(t.Context(), first.core, first.namespace, policy); !isRefusal(err) {
				t.Errorf("the API server answered %v, want a refusal of:%s", err, policy)
			}
		})
	}
	// Server-side apply would turn the field that becomes empty into null, which the schema refuses.
	t.Run("Apply empties a field", func(t *testing.T) {
		for _, policy := range []string{balancer("{loadBalancer: {simple: ROUND_ROBIN}}"), balancer("{loadBalancer: {}}")} {
			if err := first.Apply(t.Context(), parse(t, policy)); err != nil {
				t.Errorf("%v, of:%s", err, policy)
			}
		}
	})
}

// contractOnCluster checks rows. Several subjects may do so at the same time.
type contractOnCluster struct {
	t      *testing.T
	passed atomic.Int64
}

// check has a subject check the rows of these numbers.
func (c *contractOnCluster) check(s *onCluster, numbers []int) {
	rows := table(s.namespace)
	for _, number := range numbers {
		row := rows[number]
		c.t.Run(row.name, func(t *testing.T) {
			observed := observe(t, s, row)
			for i, e := range row.exchanges {
				if err := e.want.check(&observed[i]); err != nil {
					t.Errorf("exchange %d (%v): %v", i, e.request, err)
				}
			}
			if !t.Failed() { // a row that -run leaves out is not counted
				c.passed.Add(1)
			}
		})
	}
}

// shares are the numbers of the rows by the namespace that checks them. Each has the order of the table, and the second one has neighbours in it: what
// a proxy keeps of the row before, such as which pods it has ejected, is the same in each run.
type shares struct {
	// first has all rows with a Gateway, since all namespaces share the ingress gateway, where two would claim the same host.
	first, second []int
	// alone are rows of the first namespace that are checked when the second one has no rules but those of base: their callers know the rules of all
	// namespaces.
	alone []int
}

func divideRows(t *testing.T) (all shares) {
	t.Helper()
	rows := table(manifests.Namespace)
	var anywhere []int
	for number, row := range rows {
		objects, err := manifests.Parse("policy.yaml", []byte(row.policy))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case slices.ContainsFunc(objects, importsAll):
			all.alone = append(all.alone, number)
		case slices.ContainsFunc(objects, func(o manifests.Object) bool { return o.Kind == "Gateway" }):
			all.first = append(all.first, number)
		default:
			anywhere = append(anywhere, number)
		}
	}
	half := min(max(0, len(rows)/2-len(all.first)), len(anywhere))
	all.first, all.second = append(all.first, anywhere[:half]...), anywhere[half:]
	slices.Sort(all.first)
	return all
}

// inOne are the same rows, all of them checked by the first namespace.
func (s shares) inOne() shares {
	return shares{first: slices.Sorted(slices.Values(slices.Concat(s.first, s.second))), alone: s.alone}
}

// importsAll reports whether an object is a Sidecar that imports objects of all namespaces.
func importsAll(o manifests.Object) bool {
	sidecar, ok := o.Istio.(*networking.Sidecar)
	all := func(host string) bool { return strings.HasPrefix(host, "*/") }
	return ok && (len(sidecar.Egress) == 0 || slices.ContainsFunc(sidecar.Egress, func(listener *networking.IstioEgressListener) bool {
		return slices.ContainsFunc(listener.Hosts, all)
	}))
}

// policiesOfContract are what the contract applies in a namespace.
func policiesOfContract(namespace string) (policies []string) {
	for _, row := range table(namespace) {
		policies = append(policies, row.policy)
	}
	for _, version := range applied {
		policies = append(policies, rules("two", to("two/"+version)))
	}
	return policies
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

// installGatewayAPI installs Gateway API on the cluster that KUBECONFIG names, until the test ends.
func installGatewayAPI(t *testing.T) {
	t.Helper()
	_, config := newClient(t)
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
}

// newOnCluster deploys base in a new namespace of the cluster that KUBECONFIG names, and begins a run that may apply these policies.
// entered says that requests may enter at the ingress gateway, whose log is then read: it has lines of all namespaces. What the contract has in
// another namespace is deployed, too. The namespaces are deleted when the test ends.
func newOnCluster(t *testing.T, policies func(namespace string) []string, entered bool) *onCluster {
	t.Helper()
	core, config := newClient(t)
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
	for _, policy := range policies(s.namespace) {
		ofRun, _ := s.other.split(parse(t, policy))
		sets = append(sets, ofRun)
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
	pods := podsOf(t, core, s.namespace, "")
	for _, pod := range pods {
		if pod.Labels["app"] == "caller" {
			s.callerURL = "http://" + net.JoinHostPort(pod.Status.PodIP, "3000")
		}
	}
	if entered {
		pods = append(pods, podsOf(t, core, "istio-system", "istio=ingressgateway")...)
	}
	s.logs = followLogs(t, core, pods)
	return s
}

// certify makes a namespace, and Secrets with certificates of one issuer until the test ends: one of the name of the namespace beside the ingress
// gateway, and one for the pods of the namespace. It returns how clients connect to servers with them.
func certify(t *testing.T, core kubernetes.Interface, namespace string) *tls.Config {
	t.Helper()
	deleteOldSecrets(t, core)
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
		if _, err := secrets.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: ofContract}, Type: corev1.SecretTypeTLS, Data: data}, metav1.CreateOptions{}); err != nil {
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

// ofContract are the labels of the Secrets with certificates of the contract.
var ofContract = map[string]string{"hellochaos.dev/test": "contract"}

// deleteOldSecrets deletes the Secrets that a killed test has left beside the ingress gateway. Those that are younger than the longest test may be
// in use by another one.
func deleteOldSecrets(t *testing.T, core kubernetes.Interface) {
	t.Helper()
	const longest = time.Hour
	secrets := core.CoreV1().Secrets("istio-system")
	all, err := secrets.List(t.Context(), metav1.ListOptions{LabelSelector: labels.FormatLabels(ofContract)})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range all.Items {
		if time.Since(secret.CreationTimestamp.Time) < longest {
			continue
		}
		if err := secrets.Delete(t.Context(), secret.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	}
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
