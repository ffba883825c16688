package manifests

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

// tree is a new folder with files by path; paths may have folders.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// others reads one text as standard input.
func others(t *testing.T, text string) *Others {
	t.Helper()
	o, err := LoadOthers([]string{"-"}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// object is the YAML of an object with a name alone.
func object(version, kind, name string) string {
	return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: %s}\n---\n", version, kind, name)
}

// workloads are the reduced workloads of others' files: "StatefulSet shop/db 2 app=db".
func workloads(o *Others) (all []string) {
	for i := range o.Objects {
		if k, ok := o.Objects[i].Kubernetes.(*appsv1.Deployment); ok {
			replicas := "-"
			if k.Spec.Replicas != nil {
				replicas = fmt.Sprint(*k.Spec.Replicas)
			}
			all = append(all, fmt.Sprintf("%s %s/%s %s %v", o.Objects[i].Kind, o.Objects[i].InNamespace(), o.Objects[i].Meta.Name, replicas, k.Spec.Template.Labels))
		}
	}
	return all
}

// kinds are the counts of kinds: "ConfigMap 2 standard input:1".
func kinds(counts []KindCount) string {
	var all []string
	for _, c := range counts {
		all = append(all, fmt.Sprintf("%s %s %d %s:%d", c.APIVersion, c.Kind, c.Count, c.File, c.Line))
	}
	return strings.Join(all, ", ")
}

// Each kind is read, passed over, named as one that acts on requests, or named as unknown; each once, with the first place.
func TestOthersKinds(t *testing.T) {
	o := others(t, object("v1", "ConfigMap", "a")+object("v1", "ConfigMap", "b")+object("rbac.authorization.k8s.io/v1", "Role", "a")+
		object("networking.istio.io/v1alpha3", "EnvoyFilter", "a")+object("gateway.networking.k8s.io/v1", "BackendTLSPolicy", "a")+
		object("telemetry.istio.io/v1", "Telemetry", "a")+object("security.istio.io/v1", "AuthorizationPolicy", "a")+
		object("networking.k8s.io/v1", "Ingress", "a")+object("networking.k8s.io/v1", "IngressClass", "a")+object("security.istio.io/v1beta1", "AuthorizationPolicy", "b")+
		object("example.com/v1", "Service", "a")+virtualServiceYAML("a", "x")+"---\n"+object("batch/v1", "Job", "a")+
		"# the kind may be written as YAML allows\n{apiVersion: v1, \"kind\": ConfigMap, metadata: {name: c}}\n---\napiVersion: v1\nkind: List\nitems:\n"+
		item(object("v1", "Secret", "a")[:len(object("v1", "Secret", "a"))-4]))
	for name, c := range map[string]struct {
		counts []KindCount
		want   string
	}{
		"passed over": {o.PassedOver, "v1 ConfigMap 3 standard input:1, rbac.authorization.k8s.io/v1 Role 1 standard input:9, telemetry.istio.io/v1 Telemetry 1 standard input:21, " +
			"networking.k8s.io/v1 IngressClass 1 standard input:33, batch/v1 Job 1 standard input:52, v1 Secret 1 standard input:62"},
		"not executed": {o.NotExecuted, "networking.istio.io/v1alpha3 EnvoyFilter 1 standard input:13, gateway.networking.k8s.io/v1 BackendTLSPolicy 1 standard input:17, " +
			"security.istio.io/v1 AuthorizationPolicy 2 standard input:25, networking.k8s.io/v1 Ingress 1 standard input:29"},
		"unknown": {o.Unknown, "example.com/v1 Service 1 standard input:41"},
	} {
		if got := kinds(c.counts); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
	if got := names(o.Objects); got != "VirtualService a" {
		t.Errorf("objects %s", got)
	}
}

// A workload of any kind, image and number of containers is reduced to its name and its pods.
func TestOthersWorkloads(t *testing.T) {
	pod := "spec: {initContainers: [{name: i, image: x}], containers: [{name: a, image: evil, env: [{name: SERVICE_NAME, value: nonsense}]}, {name: b, command: [sh]}], hostNetwork: true}"
	workload := func(version, kind, name, more string) string {
		return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: %s}\nspec: {%s template: {metadata: {labels: {app: %s}}, %s}, newField: 1}\n---\n", version, kind, name, more, name, pod)
	}
	o := others(t, workload("apps/v1", "Deployment", "d", "replicas: 5, selector: {matchLabels: {app: d}},")+workload("apps/v1", "StatefulSet", "s", "replicas: 0, serviceName: s,")+
		workload("apps/v1", "DaemonSet", "ds", "")+workload("apps/v1", "ReplicaSet", "r", "replicas: 1,")+workload("extensions/v1beta1", "Deployment", "old", "")+
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop, labels: {app: p}}\n"+pod+"\n")
	want := []string{"Deployment default/d 5 map[app:d]", "StatefulSet default/s 0 map[app:s]", "DaemonSet default/ds - map[app:ds]", "ReplicaSet default/r 1 map[app:r]",
		"Deployment default/old - map[app:old]", "Pod shop/p - map[app:p]"}
	if got := workloads(o); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if k := o.Objects[0].Kubernetes.(*appsv1.Deployment); len(k.Spec.Template.Spec.Containers) != 0 || o.Objects[0].YAML != nil {
		t.Errorf("something of the pod was kept: %+v", k.Spec.Template.Spec)
	}
	if len(o.Remarks) != 1 || !strings.HasPrefix(o.Remarks[0], "Deployment old (standard input:21) has apiVersion extensions/v1beta1, which Kubernetes removed in release 1.16") {
		t.Errorf("remarks %q, want one about the API of Deployment old", o.Remarks)
	}
	if _, err := Read(o.Objects); err != nil {
		t.Errorf("Read refuses them: %v", err)
	}
}

// What a Deployment made does not count beside it, and pods of Helm's tests do not count at all.
func TestOthersOwnedWorkloads(t *testing.T) {
	owned := func(kind, name, ownerKind, owner string) string {
		return fmt.Sprintf("- {apiVersion: %s, kind: %s, metadata: {name: %s, ownerReferences: [{apiVersion: apps/v1, kind: %s, name: %s, uid: u, controller: true}]}, spec: {}}\n",
			map[string]string{"Pod": "v1", "ReplicaSet": "apps/v1"}[kind], kind, name, ownerKind, owner)
	}
	const deployment = "- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {}}\n"
	for name, c := range map[string]struct{ items, want string }{
		"all":             {deployment + owned("ReplicaSet", "web-5d", "Deployment", "web") + owned("Pod", "web-5d-x", "ReplicaSet", "web-5d"), "Deployment web"},
		"without the set": {deployment + owned("Pod", "web-5d-x", "ReplicaSet", "web-5d"), "Deployment web"},
		"pods alone":      {owned("Pod", "web-5d-x", "ReplicaSet", "web-5d") + owned("Pod", "db-0", "StatefulSet", "db"), "Pod web-5d-x, Pod db-0"},
		"a test":          {deployment + "- {apiVersion: v1, kind: Pod, metadata: {name: t, annotations: {helm.sh/hook: test}}, spec: {}}\n", "Deployment web"},
	} {
		if got := names(others(t, "apiVersion: v1\nkind: List\nitems:\n"+c.items).Objects); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A Service may have every field of Kubernetes.
func TestOthersService(t *testing.T) {
	o := others(t, `apiVersion: v1
kind: Service
metadata: {name: a, labels: {chart: x}}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  loadBalancerSourceRanges: [10.0.0.0/8]
  sessionAffinity: ClientIP
  publishNotReadyAddresses: true
  trafficDistribution: PreferClose
  clusterIP: None
  ports:
    - {name: web, port: 80, targetPort: http, appProtocol: http}
    - {name: dns, port: 53, protocol: UDP}
    - {name: dns-tcp, port: 53}
---
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}, "spec": {"type": "ExternalName", "externalName": "b.example.com"}}
`)
	if got := names(o.Objects); got != "Service a, Service b" {
		t.Errorf("objects %s", got)
	}
}

func TestOthersFolders(t *testing.T) {
	dir := tree(t, map[string]string{
		"b/deep/er/x.yml":        virtualServiceYAML("x", "x"),
		"a.yaml":                 virtualServiceYAML("a", "a"),
		"c.json":                 `{"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": {"name": "c", "namespace": "shop"}, "spec": {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}}`,
		"package.json":           `{"name": "a", // no JSON`,
		"values.yaml":            "replicas: {{ 1",
		"kustomization.yaml":     "resources: [a.yaml]",
		"README.md":              "apiVersion: v1\nkind: no",
		".github/workflows.yaml": "apiVersion: [kind",
		"mixed.yaml":             "replicas: 1\n---\n" + object("v1", "Namespace", "n"),
		"off.yaml":               "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: bare\n  labels:\n    istio-injection: disabled\n",
	})
	// A file that is found twice is read once.
	o, err := LoadOthers([]string{dir, filepath.Join(dir, "b"), filepath.Join(dir, "a.yaml")}, nil)
	if err == nil || err.Error() != filepath.Join(dir, "b")+": is a folder without a .yaml, .yml or .json file" || o != nil {
		t.Errorf("a folder that was read already: %v", err)
	}
	o, err = LoadOthers([]string{dir, filepath.Join(dir, "a.yaml")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(o.Objects); got != "VirtualService a, VirtualService x, Sidecar c" {
		t.Errorf("objects %s", got)
	}
	if got, want := kinds(o.PassedOver), "v1 Namespace 2 "+filepath.Join(dir, "mixed.yaml")+":3"; got != want {
		t.Errorf("passed over %s, want %s", got, want)
	}
	want := []string{"kustomization.yaml was passed over", "Namespace bare (" + filepath.Join(dir, "off.yaml") + ":6) is labelled istio-injection: disabled", "package.json has no object", "values.yaml has no object"}
	if len(o.Remarks) != len(want) {
		t.Fatalf("remarks %q", o.Remarks)
	}
	for i := range want {
		if !strings.Contains(o.Remarks[i], want[i]) {
			t.Errorf("remark %q, want %q", o.Remarks[i], want[i])
		}
	}
	if got := names(o.From([]string{filepath.Join(dir, "c.json")})); got != "Sidecar c" {
		t.Errorf("of c.json are %s", got)
	}
}

// All problems of all files are found at once, with the line and the field, and the words of Parse where Istio's objects are read.
func TestOthersProblems(t *testing.T) {
	dir := tree(t, map[string]string{
		"vs.yaml": "# a comment\n" + virtualServiceYAML("a", "a") + "  tcp: []\n", "twice.yaml": virtualServiceYAML("b", "b") + "---\n" + virtualServiceYAML("b", "c") + "---\n" + object("v1", "Servic", "s"),
		"svc.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  selectr: {a: b}\n  ports: [{port: 80}]\n", "kind.yaml": object("apps/v1", "Deploymnt", "a"),
		"ports.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: p}\nspec:\n  ports:\n    - {port: 0}\n    - {port: 80}\n    - {port: 80}\n",
		"d.yaml":     "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: two\n", "neg.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: -2\n",
		"v9.yaml": object("networking.istio.io/v9", "VirtualService", "a"), "utf16.yaml": "\xff\xfea\x00", "latin.yaml": object("v1", "Secret", "\xe4"),
		"helm.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Values.name }}}\n", "empty.yaml": "# nothing\n", "chart/Chart.yaml": "name: x", "none/x.txt": "",
		"bare.yaml": "a: b\n", "kustomization.yaml": "a: b",
	})
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, want := range map[string][]string{
		"vs.yaml": {":8: VirtualService a: spec.tcp: " + notExecuted},
		"twice.yaml": {`:16: Servic s: kind: Servic is no kind of v1 (did you mean "Service"?); its kinds are Binding, ComponentStatus, ConfigMap, Endpoints, Event, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodTemplate, ReplicationController, ResourceQuota, Secret, Service, ServiceAccount`,
			":8: VirtualService b: has the kind and name of the object in line 1: write an object once"},
		"svc.yaml":   {":5: Service a: spec.selectr: unknown field: Kubernetes' API has no field of this name here"},
		"ports.yaml": {":6: Service p: spec.ports[0].port: 0 is not a port: it must be between 1 and 65535, inclusive", ":8: Service p: spec.ports[2].port: 80 is the number of another port: each port must have its own"},
		"kind.yaml":  {`:2: Deploymnt a: kind: Deploymnt is no kind of apps/v1 (did you mean "Deployment"?); its kinds are ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet`},
		"d.yaml":     {":5: Deployment d: spec.replicas: must be a whole number, not a string"},
		"neg.yaml":   {":5: Deployment d: spec.replicas: must be at least 0, not -2"},
		"v9.yaml":    {`:1: VirtualService a: apiVersion: must be one of networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3 for kind VirtualService, not "networking.istio.io/v9"`},
		"utf16.yaml": {": is UTF-16: save the file as UTF-8"},
		"latin.yaml": {":3: is not UTF-8: save the file as UTF-8"},
		"helm.yaml":  {":3: document 1: metadata.name: has a key that is not a string: each key of a map must be a string", ":1: document 1: has braces as templates of Helm have: pipe the output of 'helm template' into '-f -'"},
		"empty.yaml": {": has no objects"},
		"none":       {": is a folder without a .yaml, .yml or .json file"},
		"chart":      {": is a chart of Helm, which hellochaos does not run: pipe the output of 'helm template " + path("chart") + "' into '-f -'"},
		"bare.yaml":  {":1: document 1: apiVersion: must be a string that is not empty", ":1: document 1: kind: must be a string that is not empty"},
		"missing":    {": no such file or directory"}, "kustomization.yaml": {": is a file of kustomize, which hellochaos does not run: pipe the output of 'kubectl kustomize " + dir + "' into '-f -'"},
	} {
		_, err := LoadOthers([]string{path(name)}, nil)
		var problems Problems
		if !errors.As(err, &problems) || len(problems) != len(want) {
			t.Errorf("%s: %v, want %q", name, err, want)
			continue
		}
		for i := range want {
			if got := strings.TrimPrefix(problems[i].Error(), path(name)); got != want[i] {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got, want[i])
			}
		}
	}
	_, err := LoadOthers([]string{path("svc.yaml"), path("svc.yaml"), "https://a/b", path("neg.yaml")}, nil)
	if got := strings.Count(fmt.Sprint(err), "\n"); got != 3 {
		t.Errorf("four problems in all are %v", err)
	}
}

// Files that are too large or have too many objects are refused with one message. Those with as many objects that are not read are
// read.
func TestOthersBounds(t *testing.T) {
	many := func(n int, f func(int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	const most = "more than 3000 objects or 2048 KiB have been read: hellochaos runs one application on this machine, so name its files alone"
	for name, c := range map[string]struct{ text, want string }{
		"10,000 objects that act": {many(10_000, func(i int) string {
			return fmt.Sprintf("{apiVersion: v1, kind: Pod, metadata: {name: a-%d}}\n---\n", i)
		}), most},
		"10,000 objects passed":     {many(10_000, func(i int) string { return object("v1", "ConfigMap", fmt.Sprint("a-", i)) }), ""},
		"10 MB of an object passed": {object("v1", "ConfigMap", "a") + "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: " + strings.Repeat("x", 10<<20) + "}\n", ""},
		"20 MB":                     {strings.Repeat("#", 20<<20), "is larger than the 16777216 bytes that a manifest may have"},
		"10 MB without an object":   {strings.Repeat("a: b\n", 2<<20), "is no object of Kubernetes: it has no apiVersion and no kind"},
		"an object of 2 MB":         {virtualServiceYAML("a", "x") + "# " + strings.Repeat("x", 2<<20), "is larger than the 1048576 bytes that an object may have"},
		"a JSON object of 1.5 MB":   {`{"apiVersion": "v1", "kind": "Service", "x": "` + strings.Repeat("x", 3<<19) + `"}`, "is larger than the 1048576 bytes that an object may have"},
		"a List of 10,000":          {"apiVersion: v1\nkind: List\nitems:\n" + strings.Repeat("- {apiVersion: v1, kind: Pod}\n", 10_000), most},
		"200 problems":              {many(200, func(i int) string { return "apiVersion: v1\nkind: Servic\nmetadata: {name: a}\n---\n" }), "the file was read up to this document only, since it has 100 problems so far"},
	} {
		_, err := LoadOthers([]string{"-"}, strings.NewReader(c.text))
		problems, _ := err.(Problems)
		if c.want == "" && err != nil || c.want != "" && (len(problems) == 0 || !strings.Contains(problems[len(problems)-1].Text, c.want) || len(problems) > 1 && name != "200 problems") {
			t.Errorf("%s: %.300v, want %q", name, err, c.want)
		}
	}
}

// A line of a text inside of an object is not taken for its kind.
func TestHeadLines(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: v1\nkind: Secret\n":                                     "v1 Secret true",
		"kind: \"Secret\" # x\r\napiVersion: 'a/v1'\r\n":                     "a/v1 Secret true",
		"apiVersion: v1\nmetadata:\n  kind: Secret\n":                        "  false",
		"apiVersion: v1\nkind: VirtualService\na: \"\nkind: Secret\n\"":      "  false",
		"apiVersion: v1\nkind: &a Secret\n":                                  "  false",
		"apiVersion: v1\nkind: *a\n":                                         "  false",
		"apiVersion: v1\nkind: >\n  Secret\n":                                "  false",
		"{apiVersion: v1, kind: Secret}":                                     "  false",
		"kinds: x\napiVersion: v1\nkind: " + strings.Repeat("x", 300) + "\n": "  false",
	} {
		version, kind, plain := headLines([]byte(text))
		if got := fmt.Sprint(version, " ", kind, " ", plain); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
