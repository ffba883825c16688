package cluster

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

// stages are all objects of the tutorial.
func stages(t *testing.T) []manifests.Object {
	t.Helper()
	objects, err := scenarios.Through("canary", nil)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// others is an Istio object of another's.
func others(t *testing.T, kind, namespace, name, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": istioGroup + "/v1", "kind": kind}}
	u.SetNamespace(namespace)
	u.SetName(name)
	text, err := yaml.YAMLToJSON([]byte("{apiVersion: " + istioGroup + "/v1, kind: " + kind + ", spec: " + spec + "}"))
	if err != nil {
		t.Fatal(err)
	}
	read := &unstructured.Unstructured{}
	if err := read.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	u.Object["spec"] = read.Object["spec"]
	return u
}

func pod(namespace, name, containers string, labels map[string]string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}
	for _, container := range strings.Fields(containers) {
		name, image, _ := strings.Cut(container, "=")
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: name, Image: image})
	}
	return p
}

// deployed is a server on which everything is as it should be, with the stages of retry applied.
func deployed(t *testing.T) *fakeServer {
	t.Helper()
	f := newFakeServer()
	f.put(t,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{injectionLabel: "enabled"}}},
		pod(istioSystem, "istiod-1", "discovery=docker.io/istio/pilot:1.31.0", map[string]string{"app": "istiod", revisionLabel: "default"}),
		pod(istioSystem, "gateway-1", "istio-proxy=docker.io/istio/proxyv2:1.31.0", map[string]string{"app": "istio-ingressgateway", "istio": "ingressgateway"}),
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "istio-ingressgateway", Namespace: istioSystem},
			Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Selector: map[string]string{"istio": "ingressgateway"},
				Ports: []corev1.ServicePort{{Name: "http2", Port: 80}, {Name: "https", Port: 443}}},
			Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "10.200.0.2"}}}}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "istio", Namespace: istioSystem}, Data: map[string]string{"mesh": "accessLogFile: /dev/stdout\n"}})
	c := &Cluster{namespace: "shop", istioVersion: "v1"}
	for _, o := range stages(t) {
		if o.Kind == "Namespace" || o.Kind == "Gateway" {
			continue
		}
		u, err := c.desired(&o)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := o.Kubernetes.(*appsv1.Deployment); ok {
			u.Object["status"] = map[string]any{"readyReplicas": int64(1), "updatedReplicas": int64(1)}
			f.put(t, pod(u.GetNamespace(), u.GetName()+"-x1", "hello-service=hello-service istio-proxy=docker.io/istio/proxyv2:1.31.0", d.Spec.Template.Labels))
		}
		f.put(t, u)
	}
	return f
}

// change replaces an object of the server by a changed copy.
func change[T any](t *testing.T, f *fakeServer, at place, edit func(*T)) {
	t.Helper()
	u := f.objects[at]
	if u == nil {
		t.Fatalf("there is no %v to change", at)
	}
	object := new(T)
	text, err := u.MarshalJSON()
	if err == nil {
		err = yaml.Unmarshal(text, object)
	}
	if err != nil {
		t.Fatal(err)
	}
	edit(object)
	if text, err = yaml.Marshal(object); err == nil {
		text, err = yaml.YAMLToJSON(text)
	}
	if err == nil {
		err = u.UnmarshalJSON(text)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// row is a finding by its name.
func row(t *testing.T, findings []Finding, name string) Finding {
	t.Helper()
	i := slices.IndexFunc(findings, func(f Finding) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no row %q among %+v", name, findings)
	}
	return findings[i]
}

func TestDoctorFindsNothingWrong(t *testing.T) {
	c := deployed(t).connect(t)
	var names []string
	for _, f := range c.Doctor(t.Context(), stages(t)) {
		names = append(names, f.Name)
		if f.State != OK || f.Meaning == "" || f.Type != "" {
			t.Errorf("%s is %s, %q, to type %q; want ok, with a meaning and nothing to type", f.Name, f.State, f.Meaning, f.Type)
		}
	}
	want := []string{"api server", "kubernetes", "permissions", "istio", "application", "injection", "sidecars", "webhook", "gateway",
		"gateway api", "mesh config", "hosts", "envoy filters", "mutual TLS", "authorization", "gitops", "egress"}
	if !slices.Equal(names, want) {
		t.Errorf("rows are %q, want %q", names, want)
	}
}

var (
	inShop   = func(resource, name string) place { return place{resource, "shop", name} }
	inIstios = func(resource, name string) place { return place{resource, istioSystem, name} }
)

// doctorCases are what may be wrong, the row that must say so, and the only other rows that may.
var doctorCases = []struct {
	name    string
	change  func(*testing.T, *fakeServer)
	row     string
	state   State
	meaning []string
	command string
	also    []string
}{
	{"old kubernetes", func(_ *testing.T, f *fakeServer) { f.version = "v1.28.9-gke.1" }, "kubernetes", Fail, []string{"v1.28.9-gke.1", "1.29"}, "", nil},
	{"oldest kubernetes", func(_ *testing.T, f *fakeServer) { f.version = "v1.29.0" }, "kubernetes", OK, []string{"v1.29.0"}, "", nil},
	{"future kubernetes", func(_ *testing.T, f *fakeServer) { f.version = "v1.41.0" }, "kubernetes", Warn, []string{"v1.41.0", "newer"}, "", nil},
	{"strange kubernetes", func(_ *testing.T, f *fakeServer) { f.version = "mine" }, "kubernetes", Warn, []string{`"mine"`}, "", nil},

	{"a verb is missing", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"delete virtualservices shop"} },
		"permissions", Fail, []string{"delete virtualservices.networking.istio.io in namespace shop"}, "hellochaos manifests rbac -n shop", nil},
	{"no pod proxy", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"get pods/proxy shop"} },
		"permissions", Fail, []string{"get pods/proxy in namespace shop (to read the services' counters"}, "rbac", nil},
	{"a verb of several is missing", func(_ *testing.T, f *fakeServer) {
		f.forbidden = []string{"update gateways shop", "update sidecars shop", "list sidecars shop"}
	}, "permissions", Fail, []string{"not allowed: update gateways.networking.istio.io in namespace shop (to apply stages and to put everything back); list, update sidecars.networking.istio.io in"}, "rbac", nil},
	{"a verb of all is missing", func(_ *testing.T, f *fakeServer) {
		f.forbidden = []string{"list peerauthentications istio-system", "list authorizationpolicies istio-system"}
	}, "permissions", Warn, []string{"list peerauthentications, authorizationpolicies.security.istio.io in namespace istio-system"}, "rbac", []string{"mutual TLS", "authorization"}},
	{"two verbs are missing", func(_ *testing.T, f *fakeServer) {
		f.forbidden = []string{"update leases shop", "create leases shop", "create pods/portforward shop"}
	}, "permissions", Fail, []string{"create, update leases.coordination.k8s.io", "pods/portforward"}, "rbac", nil},
	{"only sight is missing", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"create pods/portforward shop"} },
		"permissions", Warn, []string{"a run can be made", "create pods/portforward"}, "rbac", nil},
	{"reviews do not answer", func(_ *testing.T, f *fakeServer) { f.slow = "selfsubjectaccessreviews" },
		"permissions", Warn, []string{"could not be checked"}, "", nil},

	{"no istiod", func(_ *testing.T, f *fakeServer) { delete(f.objects, inIstios("pods", "istiod-1")) }, "istio", Warn, []string{"no pod app=istiod"}, "", nil},
	{"istiod hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"list pods istio-system"} },
		"istio", Warn, []string{"could not be checked", "forbidden"}, "rbac", []string{"permissions"}},
	{"istiod not ready", func(t *testing.T, f *fakeServer) {
		change(t, f, inIstios("pods", "istiod-1"), func(p *corev1.Pod) { p.Status.Conditions = nil })
	}, "istio", Fail, []string{"these pods are not ready: istiod-1"}, "describe pod istiod-1", nil},
	{"old istio", func(t *testing.T, f *fakeServer) { release(t, f, "1.19.3") }, "istio", Fail, []string{"Istio 1.19.3, revision default", "1.20"}, "make deploy-istio", []string{"sidecars"}},
	{"istio that retries 503", func(t *testing.T, f *fakeServer) { release(t, f, "1.23.0-distroless") }, "istio", Warn, []string{"503"}, "", []string{"sidecars"}},
	{"istio of no release", func(t *testing.T, f *fakeServer) { release(t, f, "latest") }, "istio", Warn, []string{"Istio unknown", "1.31"}, "istioctl version", []string{"sidecars"}},
	{"istio by digest", func(t *testing.T, f *fakeServer) { release(t, f, "1.31.0@sha256:abc") }, "istio", OK, []string{"Istio 1.31.0"}, "", nil},
	{"a later istio", func(t *testing.T, f *fakeServer) { release(t, f, "1.32-alpha.1") }, "istio", OK, []string{"Istio 1.32-alpha.1, revision default, networking.istio.io/v1"}, "", []string{"sidecars"}},

	{"no deployment", func(_ *testing.T, f *fakeServer) { delete(f.objects, inShop("deployments", "backend-prod")) },
		"application", Fail, []string{"Deployment backend-prod is not there"}, "hellochaos deploy -n shop", nil},
	{"another environment", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("deployments", "backend-prod"), func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Env[1].Value = "http://elsewhere/"
		})
	}, "application", Fail, []string{"UPSTREAM_URI: http://elsewhere/ instead of http://clock.outside"}, "deploy", nil},
	{"a variable more", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("deployments", "backend-prod"), func(d *appsv1.Deployment) {
			c := &d.Spec.Template.Spec.Containers[0]
			c.Env = append(c.Env, corev1.EnvVar{Name: "ROLE", Value: "relay"})
		})
	}, "application", Fail, []string{"ROLE: relay instead of absent"}, "deploy", nil},
	{"another version", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("deployments", "middleware-canary"), func(d *appsv1.Deployment) { d.Spec.Template.Labels["version"] = "v2" })
	}, "application", Fail, []string{"label version: v2 instead of canary"}, "deploy", nil},
	{"another port", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("deployments", "middleware-canary"), func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Ports[0].ContainerPort = 8080
		})
	}, "application", Fail, []string{"ports: 8080 instead of 3000"}, "deploy", nil},
	{"another number", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("deployments", "frontend-prod"), func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(3)) })
	}, "application", Fail, []string{"replicas: 3 instead of 1"}, "deploy", nil},
	{"another image", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("deployments", "frontend-prod"), func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "mine:1" })
	}, "application", OK, []string{"all 4 Deployments"}, "", nil},
	{"a pod that is late", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("deployments", "frontend-prod"), func(d *appsv1.Deployment) { d.Status.ReadyReplicas = 0 })
	}, "application", Fail, []string{"frontend-prod has 0 of 1 pods ready"}, "describe pods", nil},
	{"deployments hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"list deployments shop"} },
		"application", Warn, []string{"could not be checked"}, "rbac", []string{"permissions"}},

	{"no injection", func(t *testing.T, f *fakeServer) { label(t, f, injectionLabel, "disabled") }, "injection", Fail, []string{`"disabled"`}, "kubectl label namespace shop istio-injection=enabled", nil},
	{"no label and no sidecar", func(t *testing.T, f *fakeServer) {
		label(t, f, "other", "x")
		bare(t, f)
	}, "injection", Fail, []string{"no sidecar"}, "istio-injection=enabled", []string{"sidecars"}},
	{"no label but sidecars", func(t *testing.T, f *fakeServer) { label(t, f, "other", "x") }, "injection", Warn, []string{"new pods may get none"}, "istio-injection=enabled", nil},
	{"ambient", func(t *testing.T, f *fakeServer) { label(t, f, "istio.io/dataplane-mode", "ambient") }, "injection", Fail, []string{"ambient"}, "dataplane-mode-", nil},
	{"a revision that is there", func(t *testing.T, f *fakeServer) { label(t, f, revisionLabel, "default") }, "injection", OK, []string{"istio.io/rev=default"}, "", nil},
	{"a revision that is not there", func(t *testing.T, f *fakeServer) {
		label(t, f, revisionLabel, "stable")
		bare(t, f)
	}, "injection", Warn, []string{"istio.io/rev=stable", "tag"}, "istioctl tag list", []string{"sidecars"}},
	{"namespace hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"get namespaces"} }, "injection", Warn, []string{"could not be checked"}, "rbac", nil},
	{"no namespace", func(_ *testing.T, f *fakeServer) { delete(f.objects, place{"namespaces", "", "shop"}) }, "injection", Fail, []string{"no namespace shop"}, "hellochaos deploy -n shop", nil},

	{"no sidecar", bare, "sidecars", Fail, []string{"middleware-canary-x1"}, "rollout restart", nil},
	{"a native sidecar", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("pods", "middleware-canary-x1"), func(p *corev1.Pod) {
			p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers[1:], p.Spec.Containers[:1]
		})
	}, "sidecars", OK, []string{"all 4 pods"}, "", nil},
	{"an older sidecar", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("pods", "backend-prod-x1"), func(p *corev1.Pod) { p.Spec.Containers[1].Image = "istio/proxyv2:1.29.1" })
	}, "sidecars", Warn, []string{"another release", "backend-prod-x1"}, "rollout restart", nil},
	{"pods hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"list pods shop"} }, "sidecars", Warn, []string{"could not be checked"}, "rbac", []string{"permissions"}},

	{"the webhook does not answer", func(_ *testing.T, f *fakeServer) {
		f.admit = func(int64) error {
			return apierrors.NewInternalError(errorText(`failed calling webhook "rev.validation.istio.io": connection refused`))
		}
	}, "webhook", Fail, []string{`failed calling webhook "rev.validation.istio.io": connection refused`}, "app=istiod", nil},
	{"the webhook refuses", func(_ *testing.T, f *fakeServer) {
		f.admit = func(int64) error { return apierrors.NewBadRequest(`admission webhook "x" denied the request: quota`) }
	}, "webhook", Fail, []string{"a webhook that is not Istio's", `denied the request: quota`}, "validatingwebhook", nil},
	{"nothing validates", func(_ *testing.T, f *fakeServer) { f.admit = func(int64) error { return nil } }, "webhook", Warn, []string{"no webhook refuses"}, "validatingwebhook", nil},
	{"nothing may be tried", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"create virtualservices shop"} },
		"webhook", Warn, []string{"could not be checked"}, "rbac", []string{"permissions"}},

	{"no gateway", func(_ *testing.T, f *fakeServer) { delete(f.objects, inIstios("pods", "gateway-1")) },
		"gateway", Fail, []string{"Gateway frontend selects pods istio=ingressgateway"}, "make deploy-istio", nil},
	{"a gateway in another namespace", func(t *testing.T, f *fakeServer) {
		move(t, f, inIstios("pods", "gateway-1"), "edge")
		move(t, f, inIstios("services", "istio-ingressgateway"), "edge")
	}, "gateway", OK, []string{"namespace edge", "10.200.0.2"}, "", nil},
	{"a gateway that may stand elsewhere", func(_ *testing.T, f *fakeServer) {
		delete(f.objects, inIstios("pods", "gateway-1"))
		f.forbidden = []string{"list pods *"}
	}, "gateway", Warn, []string{"could not be checked"}, "kubectl get pods -A", nil},
	{"a gateway not ready", func(t *testing.T, f *fakeServer) {
		change(t, f, inIstios("pods", "gateway-1"), func(p *corev1.Pod) { p.Status.Conditions = nil })
	}, "gateway", Fail, []string{"no pod istio=ingressgateway is ready"}, "describe pod gateway-1", nil},
	{"no service for the gateway", func(_ *testing.T, f *fakeServer) { delete(f.objects, inIstios("services", "istio-ingressgateway")) },
		"gateway", Warn, []string{"no Service"}, "", nil},
	{"no address yet", func(t *testing.T, f *fakeServer) {
		change(t, f, inIstios("services", "istio-ingressgateway"), func(s *corev1.Service) { s.Status = corev1.ServiceStatus{} })
	}, "gateway", Warn, []string{"waits for its load balancer"}, "get service istio-ingressgateway", nil},
	{"a port that the gateway lacks", func(t *testing.T, f *fakeServer) {
		change(t, f, inIstios("services", "istio-ingressgateway"), func(s *corev1.Service) { s.Spec.Ports = s.Spec.Ports[1:] })
	}, "gateway", Fail, []string{"port 80"}, "edit service", nil},

	{"retries for all", func(t *testing.T, f *fakeServer) { mesh(t, f, "defaultHttpRetryPolicy: {attempts: 5}") }, "mesh config", Warn, []string{"defaultHttpRetryPolicy"}, "edit configmap", nil},
	{"no attempt count", func(t *testing.T, f *fakeServer) {
		mesh(t, f, "defaultConfig: {proxyHeaders: {attemptCount: {disabled: true}}}")
	}, "mesh config", Fail, []string{"x-envoy-attempt-count"}, "edit configmap", nil},
	{"a mesh config that is none", func(t *testing.T, f *fakeServer) { mesh(t, f, "\t") }, "mesh config", Warn, []string{"could not be checked"}, "", nil},
	{"mesh config hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"get configmaps istio-system"} },
		"mesh config", Warn, []string{"could not be checked"}, "rbac", []string{"permissions"}},
	{"no mesh config", func(_ *testing.T, f *fakeServer) { delete(f.objects, inIstios("configmaps", "istio")) }, "mesh config", Warn, []string{"no ConfigMap"}, "", nil},

	{"another's rules", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "VirtualService", "shop", "mine", "{hosts: [middleware]}"))
	}, "hosts", Fail, []string{"VirtualService mine in namespace shop has rules for host middleware.shop.svc.cluster.local, which Service middleware is about", "--take-over"},
		"kubectl -n shop delete virtualservice mine", nil},
	{"rules elsewhere", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "VirtualService", istioSystem, "theirs", "{hosts: [middleware.shop.svc.cluster.local]}"))
	}, "hosts", Warn, []string{"VirtualService theirs in namespace istio-system"}, "", nil},
	{"rules hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"list gateways *", "list gateways shop"} },
		"hosts", Warn, []string{"could not be checked"}, "rbac", []string{"permissions", "gitops"}},
	{"other namespaces hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"list gateways *"} },
		"hosts", Warn, []string{"what other namespaces have for the gateway could not be checked"}, "", nil},

	{"an envoy filter", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "EnvoyFilter", "shop", "fewer", "{workloadSelector: {labels: {app: frontend}}}"))
	}, "envoy filters", Warn, []string{"EnvoyFilter fewer in namespace shop"}, "", nil},
	{"an envoy filter for all", func(t *testing.T, f *fakeServer) { f.put(t, others(t, "EnvoyFilter", istioSystem, "all", "{}")) },
		"envoy filters", Warn, []string{"EnvoyFilter all in namespace istio-system"}, "", nil},
	{"an envoy filter for others", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "EnvoyFilter", "shop", "fewer", "{workloadSelector: {labels: {app: other}}}"))
	}, "envoy filters", OK, []string{"no EnvoyFilter of others"}, "", nil},
	{"filters hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"list envoyfilters istio-system"} },
		"envoy filters", Warn, []string{"could not be checked"}, "rbac", []string{"permissions"}},

	{"strict for the namespace", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "PeerAuthentication", "shop", "default", "{mtls: {mode: STRICT}}"))
	}, "mutual TLS", Fail, []string{"PeerAuthentication default in namespace shop is STRICT", "frontend-prod-x1", "backend-prod-x1"}, "kubectl -n shop patch peerauthentication default", nil},
	{"strict for the mesh", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "PeerAuthentication", istioSystem, "default", "{mtls: {mode: STRICT}}"))
	}, "mutual TLS", Fail, []string{"namespace istio-system is STRICT"}, "kubectl -n shop apply -f -", nil},
	{"strict for the mesh, not for the namespace", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "PeerAuthentication", istioSystem, "default", "{mtls: {mode: STRICT}}"),
			others(t, "PeerAuthentication", "shop", "default", "{mtls: {mode: PERMISSIVE}}"))
	}, "mutual TLS", OK, []string{"without mutual TLS"}, "", nil},
	{"strict but for the port", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "PeerAuthentication", "shop", "default", "{mtls: {mode: STRICT}}"))
		for _, app := range []string{"frontend", "middleware", "backend"} {
			f.put(t, others(t, "PeerAuthentication", "shop", app, "{selector: {matchLabels: {app: "+app+"}}, mtls: {mode: STRICT}, portLevelMtls: {3000: {mode: PERMISSIVE}}}"))
		}
	}, "mutual TLS", OK, []string{"without mutual TLS"}, "", nil},
	{"strict for one port", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "PeerAuthentication", "shop", "one", "{selector: {matchLabels: {app: backend}}, portLevelMtls: {3000: {mode: STRICT}}}"))
	}, "mutual TLS", Fail, []string{"STRICT for pods backend-prod-x1:"}, "patch peerauthentication one", nil},

	{"an authorization policy", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "AuthorizationPolicy", "shop", "nobody", "{}"))
	}, "authorization", Warn, []string{"403", "AuthorizationPolicy nobody in namespace shop"}, "", nil},
	{"an authorization policy for others", func(t *testing.T, f *fakeServer) {
		f.put(t, others(t, "AuthorizationPolicy", "shop", "nobody", "{selector: {matchLabels: {app: other}}}"))
	}, "authorization", OK, []string{"no AuthorizationPolicy"}, "", nil},

	{"Argo CD by annotation", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("services", "frontend"), func(s *corev1.Service) {
			s.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop:v1/Service:shop/frontend"}
		})
	}, "gitops", Warn, []string{"Service frontend (Argo CD)"}, "", nil},
	{"Flux by label", func(_ *testing.T, f *fakeServer) {
		f.objects[inShop("virtualservices", "middleware")].SetLabels(map[string]string{"kustomize.toolkit.fluxcd.io/name": "shop", managedBy: manager})
	}, "gitops", Warn, []string{"VirtualService middleware (Flux)"}, "", nil},
	{"Flux by manager", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("services", "backend"), func(s *corev1.Service) {
			s.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "helm-controller", Operation: "Apply"}}
		})
	}, "gitops", Warn, []string{"Service backend (Flux)"}, "", nil},
	{"a label of Helm's", func(t *testing.T, f *fakeServer) {
		change(t, f, inShop("services", "backend"), func(s *corev1.Service) { s.Labels = map[string]string{"app.kubernetes.io/instance": "shop"} })
	}, "gitops", OK, []string{"neither Argo CD nor Flux"}, "", nil},

	{"no clock", func(_ *testing.T, f *fakeServer) { delete(f.objects, place{"services", "outside", "clock"}) },
		"egress", Fail, []string{"no Service clock in namespace outside"}, "hellochaos deploy", nil},
	{"a clock that stands still", func(t *testing.T, f *fakeServer) {
		change(t, f, place{"deployments", "outside", "clock"}, func(d *appsv1.Deployment) { d.Status = appsv1.DeploymentStatus{} })
	}, "egress", Fail, []string{"no pod of Deployment clock is ready"}, "kubectl -n outside describe pods", nil},
	{"a clock that the mesh knows", func(t *testing.T, f *fakeServer) {
		change(t, f, place{"services", "outside", "clock"}, func(s *corev1.Service) { s.Annotations = nil })
	}, "egress", Fail, []string{"networking.istio.io/exportTo"}, "hellochaos deploy", nil},
	{"clock hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"get services outside"} }, "egress", Warn, []string{"could not be checked"}, "", nil},
	{"clock's pods hidden", func(_ *testing.T, f *fakeServer) { f.forbidden = []string{"get deployments outside"} }, "egress", Warn, []string{"could not be checked"}, "", nil},
}

type errorText string

func (e errorText) Error() string { return string(e) }

func release(t *testing.T, f *fakeServer, tag string) {
	change(t, f, inIstios("pods", "istiod-1"), func(p *corev1.Pod) { p.Spec.Containers[0].Image = "docker.io/istio/pilot:" + tag })
}

func label(t *testing.T, f *fakeServer, name, value string) {
	change(t, f, place{"namespaces", "", "shop"}, func(n *corev1.Namespace) { n.Labels = map[string]string{name: value} })
}

func bare(t *testing.T, f *fakeServer) {
	for at := range f.objects {
		if at.resource == "pods" && at.namespace == "shop" {
			change(t, f, at, func(p *corev1.Pod) { p.Spec.Containers = p.Spec.Containers[:1] })
		}
	}
}

func move(t *testing.T, f *fakeServer, at place, namespace string) {
	u := f.objects[at].DeepCopy()
	delete(f.objects, at)
	u.SetNamespace(namespace)
	f.put(t, u)
}

func mesh(t *testing.T, f *fakeServer, text string) {
	change(t, f, inIstios("configmaps", "istio"), func(m *corev1.ConfigMap) { m.Data["mesh"] = text })
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range doctorCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := deployed(t)
			c.change(t, f)
			findings := f.connect(t).Doctor(t.Context(), stages(t))
			got := row(t, findings, c.row)
			if got.State != c.state || !strings.Contains(got.Type, c.command) || (got.Type == "") != (c.command == "") {
				t.Errorf("%s is %s, %q, to type %q; want %s, to type %q", c.row, got.State, got.Meaning, got.Type, c.state, c.command)
			}
			for _, words := range c.meaning {
				if !strings.Contains(got.Meaning, words) {
					t.Errorf("%s means %q, want %q in it", c.row, got.Meaning, words)
				}
			}
			for _, f := range Problems(findings) {
				if f.Name != c.row && !slices.Contains(c.also, f.Name) {
					t.Errorf("%s is %s, too: %s", f.Name, f.State, f.Meaning)
				}
			}
		})
	}
}

// TestDoctorOfOtherObjects: what is looked at depends on the objects that are to be run.
func TestDoctorOfOtherObjects(t *testing.T) {
	without := func(kinds ...string) []manifests.Object {
		return slices.DeleteFunc(stages(t), func(o manifests.Object) bool { return slices.Contains(kinds, o.Kind) })
	}
	external := stages(t)
	for i := range external {
		if d, ok := external[i].Kubernetes.(*appsv1.Deployment); ok && external[i].Meta.Name == "backend-prod" {
			d.Spec.Template.Spec.Containers[0].Env[1].Value = "http://time.example.com/"
		}
	}
	for _, c := range []struct {
		name, mesh string
		objects    []manifests.Object
		row        string
		state      State
		meaning    string
	}{
		{"no gateway wanted", "", without("Gateway"), "gateway", OK, "need no gateway"},
		{"no sidecar, open", "", without("Sidecar"), "mesh config", Warn, "outbound policy: ALLOW_ANY"},
		{"no sidecar, closed", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}", without("Sidecar"), "mesh config", OK, "REGISTRY_ONLY"},
		{"a sidecar", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}", stages(t), "mesh config", OK, "the application's Sidecar sets REGISTRY_ONLY"},
		{"an external host", "", external, "egress", Warn, "time.example.com"},
		{"another's Sidecar", "", without("Sidecar"), "hosts", Fail, "Sidecar default in namespace shop has the configuration of the proxies"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := deployed(t)
			f.objects[inShop("sidecars", "default")].SetLabels(nil)
			mesh(t, f, c.mesh)
			got := row(t, f.connect(t).Doctor(t.Context(), c.objects), c.row)
			if got.State != c.state || !strings.Contains(got.Meaning, c.meaning) {
				t.Errorf("%s is %s, %q; want %s, with %q", c.row, got.State, got.Meaning, c.state, c.meaning)
			}
		})
	}
}

func TestDoctorTakesOver(t *testing.T) {
	f := deployed(t)
	f.put(t, others(t, "VirtualService", "shop", "mine", "{hosts: [middleware]}"))
	c := f.connect(t)
	c.options.TakeOver = true
	got := row(t, c.Doctor(t.Context(), stages(t)), "hosts")
	if got.State != Warn || !strings.Contains(got.Meaning, "VirtualService mine") || !strings.Contains(got.Meaning, "puts them back at its end") || got.Type != "" {
		t.Errorf("hosts is %+v, want a warning that VirtualService mine is removed for the run", got)
	}
}

func TestDoctorWithoutIstio(t *testing.T) {
	f := deployed(t)
	f.groups = nil
	findings := f.connect(t).Doctor(t.Context(), stages(t))
	if got := row(t, findings, "istio"); got.State != Fail || got.Type != "make deploy-istio" {
		t.Errorf("istio is %+v, want fail, to type make deploy-istio", got)
	}
	for _, name := range []string{"injection", "sidecars", "webhook", "gateway", "mesh config", "hosts", "envoy filters", "mutual TLS", "authorization"} {
		if got := row(t, findings, name); got.State != Warn || !strings.Contains(got.Meaning, "Istio is not installed") {
			t.Errorf("%s is %+v, want a warning that Istio is not installed", name, got)
		}
	}
}

func TestDoctorOfAServerThatIsGone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		change  func(*fakeServer)
		meaning string
	}{
		{"refuses", func(f *fakeServer) { f.version = "" }, "does not accept the credentials"},
		{"is silent", func(f *fakeServer) { f.slow = "/version" }, "no answer within 4.5s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := deployed(t)
			cluster := f.connect(t)
			c.change(f)
			begin := time.Now()
			findings := cluster.Doctor(t.Context(), stages(t))
			if len(findings) != 1 || findings[0].Name != "api server" || findings[0].State != Fail || !strings.Contains(findings[0].Meaning, c.meaning) {
				t.Errorf("findings are %+v, want the api server's alone, with %q", findings, c.meaning)
			}
			if elapsed := time.Since(begin); elapsed > 5*time.Second {
				t.Errorf("doctor took %v, want less than 5s", elapsed)
			}
		})
	}
}

// TestDoctorEnds: one thing that does not answer is one row that could not be checked, in time.
func TestDoctorEnds(t *testing.T) {
	t.Parallel()
	f := deployed(t)
	c := f.connect(t)
	f.slow = "/envoyfilters"
	begin := time.Now()
	wrong := Problems(c.Doctor(t.Context(), stages(t)))
	if elapsed := time.Since(begin); elapsed > 5*time.Second {
		t.Errorf("doctor took %v, want less than 5s", elapsed)
	}
	if len(wrong) != 1 || wrong[0].Name != "envoy filters" || wrong[0].State != Warn || !strings.Contains(wrong[0].Meaning, "could not be checked") {
		t.Errorf("wrong are %+v, want envoy filters alone, which could not be checked", wrong)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if findings := c.Doctor(ended, stages(t)); len(findings) != 1 || findings[0].State != Fail {
		t.Errorf("with a context that has ended findings are %+v, want one that fails", findings)
	}
}

// granted are the permissions of a file of manifests, one verb a line, as the API server is asked for them.
func granted(t *testing.T, rbac []byte, err error) (all []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range strings.Split(string(rbac), "\n---\n") {
		var role rbacv1.Role
		if err := yaml.UnmarshalStrict([]byte(document), &role); err != nil || role.Kind != "Role" {
			continue // no Role
		}
		for _, rule := range role.Rules {
			names := rule.ResourceNames
			if len(names) == 0 {
				names = []string{""}
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						for _, name := range names {
							all = append(all, strings.Join([]string{verb, group, resource, role.Namespace, name}, " "))
						}
					}
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestRBACGrantsWhatIsAskedFor: what Doctor asks the API server for is what manifests/rbac.yaml grants, no more, no less.
func TestRBACGrantsWhatIsAskedFor(t *testing.T) {
	f := deployed(t)
	if got := row(t, f.connect(t).Doctor(t.Context(), stages(t)), "permissions"); got.State != OK {
		t.Fatalf("permissions are %+v, want ok", got)
	}
	want := f.asked
	slices.Sort(want)
	if len(want) < 50 {
		t.Fatalf("doctor asked for %d permissions, want at least 50", len(want))
	}
	rbac, err := manifests.RBAC("shop")
	got := granted(t, rbac, err)
	if !slices.Equal(got, want) {
		t.Errorf("rbac.yaml grants\n%s\nwant what is asked for\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What load by workers asks the API server for is what manifests/rbac-workers.yaml grants, no more, no less; what is lacking is named.
func TestRBACForWorkers(t *testing.T) {
	f := deployed(t)
	c := f.connect(t)
	f.asked = nil
	if err := c.MayHaveWorkers(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := f.asked
	slices.Sort(want)
	rbac, err := manifests.RBACWorkers("shop")
	if got := granted(t, rbac, err); len(want) < 10 || !slices.Equal(got, want) {
		t.Errorf("rbac-workers.yaml grants\n%s\nwant what is asked for\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	c.options.Workers = 2
	f.forbidden = []string{"create jobs shop"}
	if err := c.MayHaveWorkers(t.Context()); err == nil || !strings.Contains(err.Error(), "create jobs.batch in namespace shop (to start workers") {
		t.Errorf("%v", err)
	}
	if got := row(t, c.Doctor(t.Context(), stages(t)), "permissions"); got.State != Fail || !strings.Contains(got.Meaning, "create jobs.batch") {
		t.Errorf("%+v", got)
	}
}

func TestClientMinorIsTheLibrarys(t *testing.T) {
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`k8s\.io/client-go v0\.(\d+)\.`).FindSubmatch(module)
	if found == nil || string(found[1]) != fmt.Sprint(clientMinor) {
		t.Errorf("go.mod has client-go %q, clientMinor is %d", found, clientMinor)
	}
}

func FuzzReadMesh(f *testing.F) {
	f.Add("outboundTrafficPolicy: {mode: REGISTRY_ONLY}")
	f.Add("defaultConfig:\n  proxyHeaders:\n    attemptCount: {disabled: true}\n")
	f.Add("\t")
	f.Fuzz(func(t *testing.T, text string) {
		if settings, err := readMesh(text); err == nil && settings.OutboundTrafficPolicy.Mode == "" {
			t.Errorf("readMesh(%q) has no outbound policy, want Istio's default", text)
		}
	})
}

func FuzzReleaseOf(f *testing.F) {
	f.Add("docker.io/istio/pilot:1.31.0-distroless")
	f.Add("10.0.0.1:5000/istio/pilot@sha256:abc")
	f.Add("pilot")
	f.Fuzz(func(t *testing.T, image string) {
		release := releaseOf(pod("a", "b", "discovery="+image, nil))
		if release != "unknown" && minorOf(release) == "" {
			t.Errorf("releaseOf(%q) = %q, which is no version", image, release)
		}
		if f := judgeRelease(release); release == "unknown" && f.State != Warn {
			t.Errorf("an unknown release is %s, want %s", f.State, Warn)
		}
	})
}
