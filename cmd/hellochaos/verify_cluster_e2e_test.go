//go:build e2e

package main

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/reports"
)

// bookinfo are the rules of an application that is not there: at the gateway, and by header and weight between its services.
const bookinfo = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: bookinfo-gateway}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bookinfo}
spec:
  hosts: ["*"]
  gateways: [bookinfo-gateway]
  http: [{match: [{uri: {exact: /productpage}}], route: [{destination: {host: productpage, port: {number: 9080}}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  exportTo: [".", istio-system]
  hosts: [reviews.default.svc.cluster.local]
  http:
    - match: [{headers: {end-user: {exact: jason}}}]
      route: [{destination: {host: reviews, subset: v2}}]
      retries: {attempts: 2, retryOn: 5xx}
    - match: [{sourceLabels: {app: loader}}]
      route: [{destination: {host: reviews, subset: v3}}]
    - route: [{destination: {host: reviews, subset: v1}, weight: 80}, {destination: {host: reviews, subset: v3}, weight: 20}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}, {name: v3, labels: {version: v3}}]}
`

// bookinfoTLS is bookinfo with TLS at the gateway, and at a host outside.
var bookinfoTLS = strings.Replace(bookinfo, `servers: [`, `servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: MUTUAL, credentialName: bookinfo}}, `, 1) + `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec: {hosts: [api.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec: {host: api.example.com, trafficPolicy: {tls: {mode: MUTUAL, clientCertificate: /a, privateKey: /b, caCertificates: /c, subjectAltNames: [api.example.com]}}}
`

// production is what somebody else has at the shared gateway: it claims a host that bookinfo has rules for, too.
const production = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec: {hosts: [shop.example.com], gateways: [shop], http: [{directResponse: {status: 200}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]
`

// Files of an application that is not there pass on a cluster as on the embedded mesh, check by check. The shared gateway is refused,
// where somebody else claims the host. After undeploy the cluster is as it was before, object by object, and so it is where a run was
// killed, after its restore.
func TestE2EVerifyOnACluster(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	e := newEverything(t)
	e.produce(t)
	plain, file := filepath.Join(t.TempDir(), "bookinfo.yaml"), filepath.Join(t.TempDir(), "bookinfo-tls.yaml")
	for name, text := range map[string]string{plain: bookinfo, file: bookinfoTLS} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := e.objects(t)
	flags := []string{"--seed", "7", "--target", "cluster", "-n", e.base, "--wait", "2m", "--format", "json"}

	got := execute(t, slices.Concat([]string{"verify", "-f", plain, "--shared-gateway"}, flags)...)
	if got.code != reports.ExitInfrastructure || !strings.Contains(got.stderr, "VirtualService shop in namespace "+e.namespace+" claims host shop.example.com at the shared gateway") {
		t.Errorf("at the shared gateway: exit %d, want %d and who claims the host\n%s%s", got.code, reports.ExitInfrastructure, got.stdout, got.stderr)
	}
	e.unchanged(t, before, "refused")

	args := append([]string{"verify", "-f", file}, flags...)
	e.kill(t, args)
	if got := execute(t, "restore", "--all", "--now", "-n", e.base); got.code != 0 || !strings.Contains(got.stdout, "the 3 namespaces that were made for the run are deleted") {
		t.Errorf("restore of a killed run: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	e.unchanged(t, before, "killed and restored")

	if got := execute(t, "deploy", "-f", file, "-n", e.base, "--wait", "2m"); got.code != 0 || !strings.Contains(got.stdout, "Namespace "+e.base+" stands in for default") {
		t.Fatalf("deploy: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	onCluster := reported(t, execute(t, args...), args)
	if onCluster.Verdict != reports.Pass {
		t.Errorf("%s: %s\n%s", onCluster.Verdict, onCluster.Summary, words(onCluster))
	}
	if got := execute(t, "undeploy", "-n", e.base); got.code != 0 {
		t.Errorf("undeploy: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	e.unchanged(t, before, "undeployed")
	listed := slices.ContainsFunc(onCluster.Remarks, func(r string) bool {
		return strings.Contains(r, "reviews.default.svc.cluster.local is reviews."+e.base+".svc.cluster.local")
	})
	if !listed {
		t.Errorf("the remarks %q do not list the host that was rewritten", onCluster.Remarks)
	}
	e.sameAsMesh(t, onCluster, file)
}

// kill starts a run, and kills it when it has made all of its namespaces.
func (e *everything) kill(t *testing.T, args []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for made := 0; made < 3 && t.Context().Err() == nil; time.Sleep(50 * time.Millisecond) {
		list, err := e.core.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=hellochaos"})
		if err != nil {
			t.Fatal(err)
		}
		made = 0
		for i := range list.Items { // other tests may have left namespaces of their own
			if strings.HasPrefix(list.Items[i].Name, e.base) {
				made++
			}
		}
	}
	_ = cmd.Process.Kill()
	if err := cmd.Wait(); err == nil {
		t.Fatal("the run ended by itself before it was killed")
	}
}

// everything is a connection to all objects of the cluster that KUBECONFIG names.
type everything struct {
	core      kubernetes.Interface
	dynamic   dynamic.Interface
	namespace string // of production
	base      string // the first namespace of the runs
}

func newEverything(t *testing.T) *everything {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(clientcmd.RecommendedConfigPathEnvVar))
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Burst, config.WarningHandler = 200, 400, rest.NoWarnings{}
	e := &everything{namespace: "e2e-production", base: "e2e-verify"}
	if e.core, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if e.dynamic, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	return e
}

// produce makes the namespace of somebody else with rules at the shared gateway.
func (e *everything) produce(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if err := e.core.CoreV1().Namespaces().Delete(context.Background(), e.namespace, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	theirs := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": e.namespace}}}
	if _, err := e.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(production, "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &u.Object); err != nil {
			t.Fatal(err)
		}
		_, err := e.dynamic.Resource(istioResource(strings.ToLower(u.GetKind())+"s")).Namespace(e.namespace).Create(t.Context(), u, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// volatile are the resources that a cluster changes by itself all the time, or that show others again.
var volatile = []string{"events", "leases", "componentstatuses"}

// objects is every object of the cluster by resource, namespace and name, without what the cluster itself changes all the time.
func (e *everything) objects(t *testing.T) map[string]any {
	t.Helper()
	all := map[string]any{}
	lists, err := e.core.Discovery().ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range list.APIResources {
			if slices.Contains(volatile, resource.Name) || !slices.Contains(resource.Verbs, "list") {
				continue
			}
			found, err := e.dynamic.Resource(group.WithResource(resource.Name)).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range found.Items {
				// The API server keeps the address of a Service for some time whose creation was cut off by the end of its client.
				if of, _, _ := unstructured.NestedString(o.Object, "spec", "parentRef", "namespace"); resource.Name == "ipaddresses" && of == e.base {
					continue
				}
				// The annotation is a lease in the form that Istio's control plane has.
				for _, field := range [][]string{{"status"}, {"metadata", "managedFields"}, {"metadata", "resourceVersion"}, {"metadata", "annotations", "control-plane.alpha.kubernetes.io/leader"}} {
					unstructured.RemoveNestedField(o.Object, field...)
				}
				all[resource.Name+" "+o.GetNamespace()+"/"+o.GetName()] = o.Object
			}
		}
	}
	if len(all) < 50 {
		t.Fatalf("the cluster has %d objects, want at least 50: %q", len(all), slices.Sorted(maps.Keys(all)))
	}
	return all
}

func (e *everything) unchanged(t *testing.T, before map[string]any, what string) {
	t.Helper()
	if diff := cmp.Diff(before, e.objects(t)); diff != "" {
		t.Errorf("%s: the cluster is not as it was (-before +after):\n%s", what, diff)
	}
}

// sameAsMesh compares a report with one of the embedded mesh for the same seed: each check has the same verdict and prediction, and each
// natural request the same outcome.
func (e *everything) sameAsMesh(t *testing.T, onCluster *reports.Report, file string) {
	t.Helper()
	args := []string{"verify", "-f", file, "--seed", "7", "--format", "json"}
	onMesh := reported(t, execute(t, args...), args)
	here, there := &onCluster.Phases[0], &onMesh.Phases[0]
	verdicts := func(p *reports.Phase) map[string]reports.Verdict {
		all := map[string]reports.Verdict{}
		for _, c := range p.Checks() {
			all[c.Name] = c.Verdict
		}
		return all
	}
	if diff := cmp.Diff(verdicts(there), verdicts(here)); diff != "" || len(here.Checks()) < 8 {
		t.Errorf("of %d checks some differ (-mesh +cluster):\n%s", len(here.Checks()), diff)
	}
	same, all := 0, min(len(here.Outcomes), len(there.Outcomes))
	for n := range all {
		if here.Outcomes[n] == there.Outcomes[n] || here.Outcomes[n]>>2 == 0 || there.Outcomes[n]>>2 == 0 {
			same++
		}
	}
	if same != all || all < 300 {
		t.Errorf("%d of %d natural requests have the same outcome on both", same, all)
	}
}
