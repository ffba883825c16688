//go:build e2e

package cluster

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
)

// doctorNamespace is where these tests deploy.
const doctorNamespace = "hellochaos-e2e-doctor"

// doctorLab connects to the cluster of $KUBECONFIG.
func doctorLab(t *testing.T, kubeconfig string) *Cluster {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" {
		t.Fatal("set KUBECONFIG: this test needs a cluster with Istio")
	}
	c, err := Connect(t.Context(), Options{Kubeconfig: kubeconfig, Namespace: doctorNamespace, Wait: 90 * time.Second, Say: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// found is what Doctor says, of which each row is logged.
func found(t *testing.T, c *Cluster, objects []manifests.Object) []Finding {
	t.Helper()
	begin := time.Now()
	findings := c.Doctor(t.Context(), objects)
	elapsed := time.Since(begin)
	t.Logf("doctor took %v", elapsed.Round(time.Millisecond))
	for _, f := range findings {
		t.Logf("%-4s %-13s %s [%s]", f.State, f.Name, f.Meaning, f.Type)
	}
	if elapsed > 5*time.Second {
		t.Errorf("doctor took %v, want less than 5s", elapsed)
	}
	return findings
}

// states are the names of the rows that are not ok, with their states.
func states(findings []Finding) (wrong []string) {
	for _, f := range Problems(findings) {
		wrong = append(wrong, f.Name+" "+string(f.State))
	}
	return wrong
}

// TestDoctorOnACluster goes through what a user meets: an empty namespace, one without injection, one as it should be,
// one with rules of others, and the same by an account with the permissions of manifests/rbac.yaml and no others.
func TestDoctorOnACluster(t *testing.T) {
	c, objects := doctorLab(t, ""), stages(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := c.Undeploy(ctx); err != nil {
			t.Error(err)
		}
	})
	if got, want := states(found(t, c, objects)), []string{"application fail", "injection fail", "sidecars fail", "webhook fail"}; !subset(want, got) {
		t.Errorf("where there is no namespace, wrong are %q, want at least %q", got, want)
	}
	if err := c.Deploy(t.Context(), manifests.Application(), Choices{}); err != nil {
		t.Fatal(err)
	}
	if got := found(t, c, objects); len(states(got)) > 0 {
		t.Errorf("where everything is as it should be, wrong are %+v", Problems(got))
	}
	t.Run("without injection", func(t *testing.T) {
		relabel(t, c, `{"metadata":{"labels":{"istio-injection":"disabled"}}}`)
		defer relabel(t, c, `{"metadata":{"labels":{"istio-injection":"enabled"}}}`)
		if got := row(t, found(t, c, objects), "injection"); got.State != Fail || !strings.Contains(got.Type, "istio-injection=enabled") {
			t.Errorf("injection is %+v, want fail, with the label to type", got)
		}
	})
	t.Run("another's rules", func(t *testing.T) { conflictOnACluster(t, c, objects) })
	t.Run("others' policies", func(t *testing.T) { policiesOnACluster(t, c, objects) })
	t.Run("least permissions", func(t *testing.T) { leastPermissions(t, c, objects) })
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}

func relabel(t *testing.T, c *Cluster, patch string) {
	t.Helper()
	if _, err := c.core.CoreV1().Namespaces().Patch(t.Context(), c.namespace, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// createForTest creates an object until the test ends.
func createForTest(t *testing.T, c *Cluster, resource schema.GroupVersionResource, object *unstructured.Unstructured) {
	t.Helper()
	object.SetAPIVersion(resource.GroupVersion().String())
	objects := c.dynamic.Resource(resource).Namespace(object.GetNamespace())
	if _, err := objects.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := objects.Delete(context.Background(), object.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func conflictOnACluster(t *testing.T, c *Cluster, objects []manifests.Object) {
	createForTest(t, c, c.resource("VirtualService"), others(t, "VirtualService", c.namespace, "mine",
		"{hosts: [middleware], http: [{route: [{destination: {host: middleware}}]}]}"))
	got := row(t, found(t, c, objects), "hosts")
	if want := "kubectl -n " + c.namespace + " delete virtualservice mine"; got.State != Fail || got.Type != want || !strings.Contains(got.Meaning, "VirtualService mine") {
		t.Errorf("hosts is %+v, want fail, naming VirtualService mine, to type %q", got, want)
	}
	taken, err := c.conflicts(t.Context(), [][]manifests.Object{objects})
	if want := []reference{{"VirtualService", c.namespace, "mine"}}; err != nil || !slices.Equal(taken, want) {
		t.Errorf("conflicts = %v, %v, want %v", taken, err, want)
	}
}

func policiesOnACluster(t *testing.T, c *Cluster, objects []manifests.Object) {
	createForTest(t, c, peerAuthentications, others(t, "PeerAuthentication", c.namespace, "strict", "{selector: {matchLabels: {app: frontend}}, mtls: {mode: STRICT}}"))
	createForTest(t, c, authorizationPolicies, others(t, "AuthorizationPolicy", c.namespace, "allow", "{selector: {matchLabels: {app: backend}}, rules: [{}]}"))
	createForTest(t, c, envoyFilters, others(t, "EnvoyFilter", c.namespace, "idle", "{workloadSelector: {labels: {app: middleware}}, configPatches: []}"))
	want := []string{"envoy filters warn", "mutual TLS fail", "authorization warn"}
	if got := states(found(t, c, objects)); !slices.Equal(got, want) {
		t.Errorf("wrong are %q, want %q", got, want)
	}
	// What the row of mutual TLS says is so: whatever comes from outside the mesh is reset.
	soon(t, "the frontend's metrics cannot be read through the API server", func() bool { return readsMetrics(t, c) != nil })
}

// soon waits until something is so that others bring about in their own time.
func soon(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after 20s it is still not so that %s", what)
		}
	}
}

// readsMetrics reads those of the frontend's pod through the API server.
func readsMetrics(t *testing.T, c *Cluster) error {
	t.Helper()
	_, err := c.podGet(t.Context(), frontendPod(t, c), "/metrics", nil)
	return err
}

func frontendPod(t *testing.T, c *Cluster) *corev1.Pod {
	t.Helper()
	list, err := c.core.CoreV1().Pods(c.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=frontend"})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("pods of frontend: %v, %v", list, err)
	}
	return &list.Items[0]
}

// leastPermissions grants manifests/rbac.yaml to an account and looks with its eyes.
func leastPermissions(t *testing.T, c *Cluster, objects []manifests.Object) {
	grant(t, c)
	account := doctorLab(t, tokenFile(t, c))
	findings := found(t, account, objects)
	if got := row(t, findings, "permissions"); got.State != OK {
		t.Errorf("permissions are %+v, want ok", got)
	}
	// Other namespaces are out of its sight: others' rules for the gateway there, and the clock.
	if got, want := states(findings), []string{"hosts warn", "egress warn"}; !slices.Equal(got, want) {
		t.Errorf("wrong are %q, want %q", got, want)
	}
	soon(t, "the frontend's metrics are read, now that nothing is STRICT any more", func() bool { return readsMetrics(t, account) == nil })
	way, err := account.forward(t.Context(), frontendPod(t, account), 3000)
	if err != nil {
		t.Fatal(err)
	}
	if err := way.Close(); err != nil {
		t.Error(err)
	}
	for what, do := range beyond(t, account) {
		if err := do(); !apierrors.IsForbidden(err) {
			t.Errorf("trying to %s: %v, want Forbidden", what, err)
		}
	}
	withoutOneVerb(t, c, account, objects)
}

// beyond is what an account with the least permissions may not do.
func beyond(t *testing.T, account *Cluster) map[string]func() error {
	ctx := t.Context()
	core := whole(t, account).CoreV1()
	patchService := func(namespace, name string) error {
		patch := []byte(`{"metadata":{"labels":{"hellochaos.dev/touched":"yes"}}}`)
		_, err := core.Services(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{DryRun: dryRun})
		return err
	}
	return map[string]func() error{
		"patch a Service of default":      func() error { return patchService("default", "kubernetes") },
		"patch a Service of istio-system": func() error { return patchService(istioSystem, "istiod") },
		"get a Service of default": func() error {
			_, err := core.Services("default").Get(ctx, "kubernetes", metav1.GetOptions{})
			return err
		},
		"create a VirtualService in default": func() error {
			object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"hosts": []any{"x.invalid"}}}}
			object.SetGroupVersionKind(account.resource("VirtualService").GroupVersion().WithKind("VirtualService"))
			object.SetName("mine")
			_, err := account.dynamic.Resource(account.resource("VirtualService")).Namespace("default").Create(ctx, object, metav1.CreateOptions{DryRun: dryRun})
			return err
		},
		"delete a Deployment of its own": func() error {
			return account.core.AppsV1().Deployments(account.namespace).Delete(ctx, "frontend-prod", metav1.DeleteOptions{DryRun: dryRun})
		},
		"read Secrets of its own": func() error {
			_, err := core.Secrets(account.namespace).List(ctx, metav1.ListOptions{})
			return err
		},
		"read another ConfigMap of istio-system": func() error {
			_, err := core.ConfigMaps(istioSystem).Get(ctx, "istio-ca-root-cert", metav1.GetOptions{})
			return err
		},
		"get another namespace": func() error {
			_, err := core.Namespaces().Get(ctx, "default", metav1.GetOptions{})
			return err
		},
	}
}

// withoutOneVerb takes a verb out of the Role; the row of permissions must name it.
func withoutOneVerb(t *testing.T, c, account *Cluster, objects []manifests.Object) {
	roles := whole(t, c).RbacV1().Roles(c.namespace)
	role, err := roles.Get(t.Context(), "hellochaos", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return slices.Contains(r.Resources, "virtualservices") })
	role.Rules[i].Verbs = slices.DeleteFunc(role.Rules[i].Verbs, func(verb string) bool { return verb == "update" })
	if _, err := roles.Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	// The authorizer learns of it by a watch of its own.
	want := "not allowed: update virtualservices, destinationrules, gateways, serviceentries, sidecars.networking.istio.io in namespace " + c.namespace
	var got Finding
	soon(t, "a verb is missing", func() bool {
		got = row(t, found(t, account, objects), "permissions")
		return got.State != OK
	})
	if got.State != Fail || !strings.Contains(got.Meaning, want) || !strings.Contains(got.Type, "hellochaos manifests rbac") {
		t.Errorf("permissions are %+v, want fail, naming %q", got, want)
	}
}

// grant makes the objects of manifests/rbac.yaml; those of istio-system go away at the end, the others with the namespace.
func grant(t *testing.T, c *Cluster) {
	t.Helper()
	resources := map[string]schema.GroupVersionResource{
		"ServiceAccount": corev1.SchemeGroupVersion.WithResource("serviceaccounts"),
		"Role":           rbacv1.SchemeGroupVersion.WithResource("roles"),
		"RoleBinding":    rbacv1.SchemeGroupVersion.WithResource("rolebindings"),
	}
	rbac, err := manifests.RBAC(c.namespace)
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range strings.Split(string(rbac), "\n---\n") {
		u := &unstructured.Unstructured{}
		text, err := yaml.YAMLToJSON([]byte(document))
		if err == nil {
			err = u.UnmarshalJSON(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		objects := c.dynamic.Resource(resources[u.GetKind()]).Namespace(u.GetNamespace())
		if _, err := objects.Patch(t.Context(), u.GetName(), types.ApplyPatchType, text, metav1.PatchOptions{FieldManager: "test", Force: new(true)}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := objects.Delete(context.Background(), u.GetName(), metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// tokenFile is a kubeconfig of the account that was granted.
func tokenFile(t *testing.T, c *Cluster) string {
	t.Helper()
	review, err := whole(t, c).CoreV1().ServiceAccounts(c.namespace).CreateToken(t.Context(), "hellochaos",
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(900))}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["lab"] = &clientcmdapi.Cluster{Server: c.config.Host, CertificateAuthorityData: c.config.CAData, CertificateAuthority: c.config.CAFile}
	config.AuthInfos["account"] = &clientcmdapi.AuthInfo{Token: review.Status.Token}
	config.Contexts["account"] = &clientcmdapi.Context{Cluster: "lab", AuthInfo: "account", Namespace: c.namespace}
	config.CurrentContext = "account"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}
