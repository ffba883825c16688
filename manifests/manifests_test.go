package manifests

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// tutorial are the bundled files of the stages without their extension, in the order in which the stages stand on each other. Which
// stages there are is package scenarios' to know; here they are examples.
var tutorial = []string{"egress", "prod", "retry", "ingress", "canary"}

// objectsThrough are the bundled objects that are in force at a stage.
func objectsThrough(t testing.TB, stage string) []Object {
	t.Helper()
	objects := Application()
	for i := range slices.Index(tutorial, stage) + 1 {
		over, err := Bundled(tutorial[i] + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		objects = Overlay(objects, over)
	}
	return objects
}

func TestStageObjects(t *testing.T) {
	want := map[string]string{
		"egress":  "ServiceEntry clock",
		"prod":    "DestinationRule middleware, VirtualService middleware",
		"retry":   "VirtualService frontend, VirtualService middleware, VirtualService backend",
		"ingress": "Gateway frontend, VirtualService frontend, Service frontend",
		"canary":  "VirtualService middleware",
	}
	for _, stage := range tutorial {
		objects, err := Bundled(stage + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got := names(objects); got != want[stage] {
			t.Errorf("stage %s has %s, want %s", stage, got, want[stage])
		}
		for i := range objects {
			if objects[i].Meta.Namespace != "" {
				t.Errorf("%s of stage %s has namespace %q, want none", objects[i].Name(), stage, objects[i].Meta.Namespace)
			}
		}
		text, err := BundledYAML(stage + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if comment, _, _ := strings.Cut(string(text), "apiVersion"); !strings.Contains(comment, "2018") {
			t.Errorf("the comment of %s.yaml does not say what its 2018 form was", stage)
		}
	}
	if got, want := names(Application()), "Service frontend, Service middleware, Service backend, "+
		"Deployment frontend-prod, Deployment middleware-prod, Deployment middleware-canary, Deployment backend-prod, "+
		"Sidecar default, Namespace outside, Service clock, Deployment clock"; got != want {
		t.Errorf("Application() is %s, want %s", got, want)
	}
}

func names(objects []Object) string {
	var list []string
	for i := range objects {
		list = append(list, objects[i].Name())
	}
	return strings.Join(list, ", ")
}

func TestUnknownBundledFile(t *testing.T) {
	want := `no bundled file "retri.yaml" (did you mean "retry.yaml"?); there are application.yaml, canary.yaml, clock.yaml, egress.yaml, ingress.yaml, prod.yaml, rbac-workers.yaml, retry.yaml, gatewayapi/canary.yaml, gatewayapi/ingress.yaml, gatewayapi/prod.yaml, gatewayapi/retry.yaml`
	for what, call := range map[string]func() error{
		"Bundled":     func() error { _, err := Bundled("retri.yaml"); return err },
		"BundledYAML": func() error { _, err := BundledYAML("retri.yaml"); return err },
	} {
		if err := call(); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", what, err, want)
		}
	}
}

// through is the rules that are in force at a stage.
func through(t testing.TB, stage string) *Rules {
	t.Helper()
	r, err := Read(objectsThrough(t, stage))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBundledMeaning checks, stage by stage, where the bundled files lead requests.
func TestBundledMeaning(t *testing.T) {
	const clock = "clock.outside.svc.cluster.local"
	sidecar, gateway := Caller{Namespace: Namespace}, Caller{Gateway: "default/frontend"}
	secret := http.Header{"X-Dev-User": {"super-secret"}}
	for _, c := range []struct {
		stage  string
		caller Caller
		host   string
		header http.Header
		want   string // workloads or external address, or the proxy's own status and detail
		retry  Retry  // Attempts and PerTry only
	}{
		{stage: "", caller: sidecar, host: "middleware", want: "middleware-canary middleware-prod", retry: Retry{Attempts: 2}},
		{stage: "", caller: sidecar, host: "backend", want: "backend-prod", retry: Retry{Attempts: 2}},
		{stage: "", caller: sidecar, host: clock, want: "502 direct_response"},
		{stage: "", caller: gateway, host: "x", want: "404 route_not_found"},
		{stage: "egress", caller: sidecar, host: clock, want: clock + ":80", retry: Retry{Attempts: 2}},
		{stage: "egress", caller: sidecar, host: "middleware", want: "middleware-canary middleware-prod", retry: Retry{Attempts: 2}},
		{stage: "prod", caller: sidecar, host: "middleware", want: "middleware-prod", retry: Retry{Attempts: 2}},
		{stage: "prod", caller: sidecar, host: "middleware", header: secret, want: "middleware-prod", retry: Retry{Attempts: 2}},
		{stage: "retry", caller: sidecar, host: "middleware", want: "middleware-prod", retry: Retry{Attempts: 3, PerTry: 2 * time.Second}},
		{stage: "retry", caller: sidecar, host: "backend", want: "backend-prod", retry: Retry{Attempts: 3, PerTry: 2 * time.Second}},
		{stage: "retry", caller: gateway, host: "x", want: "404 route_not_found"},
		{stage: "ingress", caller: gateway, host: "127.0.0.1:41234", want: "frontend-prod", retry: Retry{Attempts: 3, PerTry: 2 * time.Second}},
		{stage: "ingress", caller: sidecar, host: "frontend", want: "frontend-prod", retry: Retry{Attempts: 2}},
		{stage: "canary", caller: sidecar, host: "middleware", header: secret, want: "middleware-canary", retry: Retry{Attempts: 3, PerTry: 2 * time.Second}},
		{stage: "canary", caller: sidecar, host: "middleware", header: http.Header{"X-Dev-User": {"Super-Secret"}}, want: "middleware-prod", retry: Retry{Attempts: 3, PerTry: 2 * time.Second}},
		{stage: "canary", caller: sidecar, host: "middleware", want: "middleware-prod", retry: Retry{Attempts: 3, PerTry: 2 * time.Second}},
		{stage: "canary", caller: sidecar, host: clock, want: clock + ":80", retry: Retry{Attempts: 2}},
	} {
		r := through(t, c.stage)
		rule := r.Table(c.caller).Route(&Request{Host: c.host, Method: "GET", Path: "/", Header: c.header})
		if got := outcome(r, rule); got != c.want {
			t.Errorf("stage %q, %+v, host %s, header %v: %s, want %s", c.stage, c.caller, c.host, c.header, got, c.want)
		}
		if got := (Retry{Attempts: rule.Retry.Attempts, PerTry: rule.Retry.PerTry}); rule.Direct == nil && !sameRetry(got, c.retry) {
			t.Errorf("stage %q, host %s: %d retries of %v, want %d of %v", c.stage, c.host,
				got.Attempts, got.PerTry, c.retry.Attempts, c.retry.PerTry)
		}
	}
}

func sameRetry(a, b Retry) bool { return a.Attempts == b.Attempts && a.PerTry == b.PerTry }

// outcome is where a rule leads, as text: workloads, an external address, or the proxy's own answer.
func outcome(r *Rules, rule *Rule) string {
	if rule.Direct != nil && rule.Direct.Reset {
		return "reset"
	}
	if rule.Direct != nil {
		return strings.TrimSpace(strconv.Itoa(rule.Direct.Status) + " " + rule.Direct.Detail)
	}
	if rule.Redirect != nil {
		return strconv.Itoa(rule.Redirect.Status) + " to " + rule.Redirect.Authority + rule.Redirect.URI
	}
	var arms []string
	for i := range rule.Split {
		e := r.Endpoints(&rule.Split[i])
		switch {
		case !e.Known:
			arms = append(arms, "unknown")
		case len(e.External) > 0:
			arms = append(arms, e.External...)
		case len(e.Workloads) == 0:
			arms = append(arms, "none")
		}
		for _, w := range e.Workloads {
			arms = append(arms, w.Name)
		}
	}
	return strings.Join(arms, " ")
}

func TestBundledRetriesCover500(t *testing.T) {
	for stage, want := range map[string]bool{"": false, "prod": false, "retry": true, "canary": true} {
		rule := through(t, stage).Table(Caller{Namespace: Namespace}).Route(&Request{Host: "middleware", Path: "/"})
		if got := rule.Retry.Covers(Failure{Status: 500}); got != want {
			t.Errorf("stage %q: a 500 of middleware is sent again: %v, want %v", stage, got, want)
		}
	}
}

func TestBundledFrontendServiceType(t *testing.T) {
	for stage, want := range map[string]corev1.ServiceType{"": "LoadBalancer", "retry": "LoadBalancer", "ingress": "ClusterIP", "canary": "ClusterIP"} {
		objects := objectsThrough(t, stage)
		i := slices.IndexFunc(objects, func(o Object) bool { return o.Name() == "Service frontend" })
		if got := objects[i].Kubernetes.(*corev1.Service).Spec.Type; got != want {
			t.Errorf("stage %q: Service frontend has type %s, want %s", stage, got, want)
		}
	}
}

func TestClockIsHiddenButNamed(t *testing.T) {
	s := through(t, "").Service("clock.outside.svc.cluster.local")
	if s == nil || !s.hidden || s.Ports[0] != (ServicePort{Port: 80, target: 3000, declared: true}) {
		t.Errorf("the clock's Service is %+v, want it hidden with port 80 -> 3000", s)
	}
}

func TestWorkloads(t *testing.T) {
	want := map[string]map[string]string{
		"frontend-prod":     {"SERVICE_NAME": "frontend-prod", "UPSTREAM_URI": "http://middleware/", "PORT": "3000", "HANG_DURATION": "3s"},
		"middleware-prod":   {"SERVICE_NAME": "middleware-prod", "UPSTREAM_URI": "http://backend/", "PORT": "3000", "HANG_DURATION": "3s"},
		"middleware-canary": {"SERVICE_NAME": "middleware-canary", "UPSTREAM_URI": "http://backend/", "PORT": "3000", "HANG_DURATION": "3s"},
		"backend-prod": {"SERVICE_NAME": "backend-prod", "UPSTREAM_URI": "http://clock.outside.svc.cluster.local/",
			"UPSTREAM_EXTERNAL": "true", "PORT": "3000", "HANG_DURATION": "3s"},
		"clock": {"ROLE": "clock", "SERVICE_NAME": "clock-prod", "PORT": "3000"},
	}
	workloads := through(t, "").Workloads
	if !slices.IsSortedFunc(workloads, func(a, b Workload) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the workloads are not in the order of their names")
	}
	if len(workloads) != len(want) {
		t.Fatalf("%d workloads, want %d", len(workloads), len(want))
	}
	for _, w := range workloads {
		want[w.Name]["GOMEMLIMIT"] = "160MiB"
		if w.Replicas != 1 {
			t.Errorf("%s has %d replicas, want 1", w.Name, w.Replicas)
		}
		for name, value := range want[w.Name] {
			if w.Env[name] != value {
				t.Errorf("%s has %s=%q, want %q", w.Name, name, w.Env[name], value)
			}
		}
		if len(w.Env) != len(want[w.Name]) {
			t.Errorf("%s has the environment %v, want %v", w.Name, w.Env, want[w.Name])
		}
	}
}

// Each pod has a memory limit, so that requests from anybody cannot exhaust the memory of a node; it has no token, since it needs
// none; and Kubernetes restarts it when it does not answer.
func TestPodsAreBounded(t *testing.T) {
	pods := 0
	for _, o := range Application() {
		deployment, ok := o.Kubernetes.(*appsv1.Deployment)
		if !ok {
			continue
		}
		pods++
		pod := deployment.Spec.Template.Spec
		if token := pod.AutomountServiceAccountToken; token == nil || *token {
			t.Errorf("%s: its pods get a token for the API server", o.Name())
		}
		container := pod.Containers[0]
		if got, want := container.Resources.Limits.Memory().String(), "256Mi"; got != want {
			t.Errorf("%s has a limit of memory of %s, want %s", o.Name(), got, want)
		}
		if probe := container.LivenessProbe; probe == nil || probe.HTTPGet.Path != "/healthz" || probe.PeriodSeconds*probe.FailureThreshold != 60 {
			t.Errorf("%s has the liveness probe %v, want /healthz for 60 s", o.Name(), probe)
		}
	}
	if pods != 5 {
		t.Errorf("%d Deployments, want 5", pods)
	}
}

func TestOverlayReplacesInPlaceAndAppends(t *testing.T) {
	base := parse(t, virtualServiceYAML("a", "1"), virtualServiceYAML("b", "1"))
	over := parse(t, virtualServiceYAML("c", "2"), virtualServiceYAML("a", "2"))
	got := Overlay(base, over)
	var hosts []string
	for i := range got {
		hosts = append(hosts, got[i].Meta.Name+got[i].Istio.(*networking.VirtualService).Hosts[0])
	}
	if want := []string{"a2", "b1", "c2"}; !slices.Equal(hosts, want) {
		t.Errorf("Overlay: %v, want %v", hosts, want)
	}
	if host := base[0].Istio.(*networking.VirtualService).Hosts[0]; host != "1" {
		t.Errorf("Overlay changed its input: host %s, want 1", host)
	}
}

func TestOverlayTellsNamespacesApart(t *testing.T) {
	base := parse(t, virtualServiceYAML("a", "1"))
	for namespace, want := range map[string]int{Namespace: 1, "other": 2} {
		over := parse(t, virtualServiceYAML("a", "2"))
		over[0].Meta.Namespace = namespace
		if got := len(Overlay(base, over)); got != want {
			t.Errorf("namespace %s: %d objects, want %d", namespace, got, want)
		}
	}
}

func virtualServiceYAML(name, host string) string {
	return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec:\n" +
		"  hosts: [\"" + host + "\"]\n  http: [{route: [{destination: {host: middleware}}]}]\n"
}

// parse reads documents that Parse must accept.
func parse(t testing.TB, documents ...string) []Object {
	t.Helper()
	objects, err := Parse("test.yaml", []byte(strings.Join(documents, "\n---\n")))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestCloneIsDeep(t *testing.T) {
	for _, o := range append(Application(), parse(t, virtualServiceYAML("a", "1"))...) {
		first := o.YAML[0]
		c := o.Clone()
		c.Meta.Labels = map[string]string{"changed": "yes"}
		c.YAML[0] = '!'
		if v, ok := c.Istio.(*networking.VirtualService); ok {
			v.Hosts[0] = "changed"
			if got := o.Istio.(*networking.VirtualService).Hosts[0]; got != "1" {
				t.Errorf("%s: the clone's host is the object's: %s", o.Name(), got)
			}
		}
		if o.Kubernetes != nil && o.Kubernetes == c.Kubernetes {
			t.Errorf("%s: the clone shares its Kubernetes object", o.Name())
		}
		if o.YAML[0] != first {
			t.Errorf("%s: the clone shares its text", o.Name())
		}
	}
}
