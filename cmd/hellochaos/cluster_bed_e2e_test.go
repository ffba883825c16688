//go:build e2e

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
)

// bed is a namespace with the chain in it and a rule that somebody has applied by hand, on the cluster that KUBECONFIG names.
type bed struct {
	namespace string
	config    *rest.Config
	core      kubernetes.Interface
	objects   dynamic.Interface
	// account is the kubeconfig of a ServiceAccount with the permissions of manifests/rbac.yaml and manifests/rbac-workers.yaml and no others; the tests run and
	// restore with it. bindings are the RoleBindings that grant the permissions.
	account  string
	bindings []*unstructured.Unstructured
}

// chainKinds are the kinds that a run may change.
var chainKinds = []schema.GroupVersionResource{
	{Version: "v1", Resource: "services"}, {Version: "v1", Resource: "configmaps"},
	{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"},
	istioResource("virtualservices"), istioResource("destinationrules"), istioResource("gateways"), istioResource("serviceentries"), istioResource("sidecars"),
}

// accountKinds are the kinds of manifests/rbac.yaml.
var accountKinds = map[string]schema.GroupVersionResource{
	"ServiceAccount": {Version: "v1", Resource: "serviceaccounts"},
	"Role":           {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	"RoleBinding":    {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
}

func istioResource(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: resource}
}

// byHand is a rule that a user has applied before any run.
const byHand = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: middleware, labels: {team: theirs}, annotations: {note: by hand}}
spec:
  hosts: [middleware]
  http: [{name: theirs, timeout: 7s, route: [{destination: {host: middleware}}]}]
`

// shared is the bed of all tests that put back what they change.
var shared *bed

// newBed returns a bed for a test, and checks at the end of the test that the bed is as it was.
func newBed(t *testing.T) *bed {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	if shared == nil {
		b, err := makeBed()
		if err != nil {
			t.Fatal(err)
		}
		shared = b
		afterAll = b.remove
	}
	b := shared
	before := b.state(t)
	t.Cleanup(func() {
		b.unchanged(t, before)
		if t.Failed() { // the next test gets a new bed
			shared, afterAll = nil, func() error { return nil }
			if err := b.remove(); err != nil {
				t.Error(err)
			}
		}
	})
	return b
}

func makeBed() (*bed, error) {
	file := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
	if file == "" {
		return nil, errors.New("this test needs a cluster: set KUBECONFIG")
	}
	b := &bed{namespace: "e2e-" + strings.ToLower(rand.Text()[:8])}
	var err error
	if b.config, err = clientcmd.BuildConfigFromFlags("", file); err != nil {
		return nil, err
	}
	if b.objects, err = dynamic.NewForConfig(b.config); err != nil {
		return nil, err
	}
	if b.core, err = kubernetes.NewForConfig(b.config); err != nil {
		return nil, err
	}
	if out, err := exec.Command(program, "deploy", "-n", b.namespace, "--wait", "2m").CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("deploy: %w\n%s", err, out), b.remove())
	}
	if err := b.prepare(); err != nil {
		return nil, errors.Join(err, b.remove())
	}
	return b, nil
}

// prepare grants the permissions to the account, and applies the rule byHand.
func (b *bed) prepare() error {
	if err := b.grant(); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "hellochaos-e2e")
	if err != nil {
		return err
	}
	b.account = filepath.Join(folder, "kubeconfig")
	if err := rest.LoadTLSFiles(b.config); err != nil {
		return err
	}
	if err := b.writeAccount(b.account, b.config.Host, b.config.CAData); err != nil {
		return err
	}
	var theirs unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(byHand), &theirs.Object); err != nil {
		return err
	}
	_, err = b.objects.Resource(istioResource("virtualservices")).Namespace(b.namespace).
		Create(context.Background(), &theirs, metav1.CreateOptions{FieldManager: "kubectl-create"})
	return err
}

// grant applies what 'hellochaos manifests rbac' and 'hellochaos manifests rbac-workers' print.
func (b *bed) grant() error {
	run, wrong := manifests.RBAC(b.namespace)
	workers, err := manifests.RBACWorkers(b.namespace)
	if err := errors.Join(wrong, err); err != nil {
		return err
	}
	rbac := slices.Concat(run, []byte("\n---\n"), workers)
	for document := range strings.SplitSeq(string(rbac), "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &u.Object); err != nil {
			return err
		}
		_, err := b.objects.Resource(accountKinds[u.GetKind()]).Namespace(u.GetNamespace()).
			Apply(context.Background(), u.GetName(), u, metav1.ApplyOptions{FieldManager: "kubectl", Force: true})
		if err != nil {
			return err
		}
		b.bindings = append(b.bindings, u)
	}
	return nil
}

// writeAccount writes a kubeconfig of the account for the server at an address, with its certificate.
func (b *bed) writeAccount(file, server string, certificate []byte) error {
	review, err := b.core.CoreV1().ServiceAccounts(b.namespace).CreateToken(context.Background(), "hellochaos",
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(7200))}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("making a token: %w", err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["cluster"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: certificate}
	config.AuthInfos["account"] = &clientcmdapi.AuthInfo{Token: review.Status.Token}
	config.Contexts["account"] = &clientcmdapi.Context{Cluster: "cluster", AuthInfo: "account", Namespace: b.namespace}
	config.CurrentContext = "account"
	return clientcmd.WriteToFile(*config, file)
}

// remove deletes everything. It restores and deletes first what a failed test has left, because undeploy refuses a namespace
// that has unrestored runs or objects of others.
func (b *bed) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var problems []error
	if out, err := exec.CommandContext(ctx, program, "restore", "--all", "--now", "--edited", "overwrite", "-n", b.namespace).CombinedOutput(); err != nil {
		problems = append(problems, fmt.Errorf("restore: %w\n%s", err, out))
	}
	err := b.objects.Resource(istioResource("virtualservices")).Namespace(b.namespace).Delete(ctx, "middleware", metav1.DeleteOptions{})
	problems = append(problems, present(err))
	for _, u := range slices.Backward(b.bindings) {
		err := b.objects.Resource(accountKinds[u.GetKind()]).Namespace(u.GetNamespace()).Delete(ctx, u.GetName(), metav1.DeleteOptions{})
		problems = append(problems, present(err))
	}
	if out, err := exec.CommandContext(ctx, program, "undeploy", "-n", b.namespace).CombinedOutput(); err != nil {
		problems = append(problems, fmt.Errorf("undeploy: %w\n%s", err, out))
	}
	return errors.Join(append(problems, os.RemoveAll(filepath.Dir(b.account)))...)
}

// present returns the error of a deletion, but nil where the object did not exist.
func present(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// execute runs the program on the bed, with the permissions of its account.
func (b *bed) execute(t *testing.T, args ...string) ended {
	t.Helper()
	return execute(t, append(args, "-n", b.namespace, "--kubeconfig", b.account)...)
}

// run runs stages on the bed, with the permissions of its account or with the kubeconfig that args name.
func (b *bed) run(t *testing.T, args ...string) (*reports.Report, ended) {
	t.Helper()
	if !slices.Contains(args, "--kubeconfig") {
		args = append(args, "--kubeconfig", b.account)
	}
	got := execute(t, append(append([]string{"run"}, args...), "--target", "cluster", "-n", b.namespace, "--format", "json")...)
	report := new(reports.Report)
	if err := json.Unmarshal([]byte(got.stdout), report); err != nil {
		t.Fatalf("hellochaos run %v: exit %d, %v\n%s%s", args, got.code, err, got.stdout, got.stderr)
	}
	return report, got
}

// state is the spec, the labels, the annotations and the owners of the fields of everything that a run may change.
func (b *bed) state(t *testing.T) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, resource := range chainKinds {
		list, err := b.objects.Resource(resource).Namespace(b.namespace).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			owners := map[string]string{}
			for _, entry := range o.GetManagedFields() {
				owners[entry.Manager+" "+string(entry.Operation)+" "+entry.Subresource] = string(entry.FieldsV1.GetRawBytes())
			}
			all[resource.Resource+" "+o.GetName()] = map[string]any{
				"spec": o.Object["spec"], "labels": o.GetLabels(), "annotations": o.GetAnnotations(), "owners": owners}
		}
	}
	return all
}

// unchanged asserts that everything is as it was.
func (b *bed) unchanged(t *testing.T, before map[string]any) {
	t.Helper()
	if diff := cmp.Diff(before, b.state(t)); diff != "" {
		t.Errorf("the namespace is not as it was before (-before +after):\n%s", diff)
	}
}
