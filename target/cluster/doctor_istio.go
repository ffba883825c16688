package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/printable"
)

const (
	// oldestIstio is the minor version of the oldest release 1.x for which the predictions are made: 1.20 is the first release
	// whose gateways and sidecars count the attempts on every route. retrying503 is that of the last release that retries a
	// 503 where a rule does not say what to retry (Istio's release note 50506).
	oldestIstio, retrying503 = 20, 23
)

// istio checks which control planes are installed and whether they are ready.
func (v *view) istio() Finding {
	if v.cluster.istioVersion == "" {
		return fail("make deploy-istio", "%s does not serve %s: Istio is not installed", v.cluster.server, istioGroup)
	}
	if v.istiod.hidden != nil {
		return v.unseen(v.istiod.hidden)
	}
	if len(v.istiod.items) == 0 {
		return warn("", "%s/%s is served, but no pod app=istiod is in namespace %s: the control plane runs elsewhere, so its release is not known",
			istioGroup, v.cluster.istioVersion, istioSystem)
	}
	var releases, late []string
	worst := good("")
	for i := range v.istiod.items {
		pod := &v.istiod.items[i]
		release := releaseOf(pod)
		text := fmt.Sprintf("Istio %s, revision %s", release, revisionOf(pod))
		if !slices.Contains(releases, text) {
			releases = append(releases, text)
		}
		if !ready(pod) {
			late = append(late, pod.Name)
		}
		if f := judgeRelease(release); severity(f.State) > severity(worst.State) {
			worst = f
		}
	}
	slices.Sort(releases)
	text := fmt.Sprintf("%s, %s/%s", strings.Join(releases, "; "), istioGroup, v.cluster.istioVersion)
	if len(late) == len(v.istiod.items) {
		return fail("kubectl -n "+istioSystem+" describe pod "+printable.Word(late[0]), "%s; these pods are not ready: %s", text, strings.Join(late, ", "))
	}
	if worst.State != OK {
		worst.Meaning = text + ": " + worst.Meaning
		return worst
	}
	return good("%s", text)
}

func severity(s State) int { return slices.Index([]State{OK, Warn, Fail}, s) }

// judgeRelease says what a release of Istio means for the predictions.
func judgeRelease(release string) Finding {
	known, err := version.ParseGeneric(release)
	switch {
	case err != nil:
		return warn("istioctl version", "the image of the control plane does not name its release: the predictions are those for Istio 1.31")
	case known.Major() == 1 && known.Minor() < oldestIstio:
		return fail("make deploy-istio", "the predictions are not made for releases before 1.%d, which were never measured", oldestIstio)
	case known.Major() == 1 && known.Minor() <= retrying503:
		return warn("", "releases up to 1.%d retry a 503 where a rule has no retryOn; the predictions are those for later releases, which do not", retrying503)
	}
	return good("")
}

// releaseOf is the release of a pod of Istio, which is the tag of its image, or "unknown" if the tag is not a version. The label
// app.kubernetes.io/version cannot be used: it is 1.0.0 in everything that istioctl installs from a development build.
func releaseOf(pod *corev1.Pod) string {
	for _, c := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
		image, _, _ := strings.Cut(c.Image, "@")
		tag := image[strings.LastIndexByte(image, ':')+1:]
		if _, err := version.ParseGeneric(tag); err == nil && (c.Name == "discovery" || c.Name == sidecarContainer) {
			return tag
		}
	}
	return "unknown"
}

// revisionOf is the revision of the control plane to which a pod belongs.
func revisionOf(pod *corev1.Pod) string {
	if revision := pod.Labels[revisionLabel]; revision != "" {
		return revision
	}
	return "default"
}

// injection checks whether new pods of the namespace get sidecars, and from which revision.
func (v *view) injection() Finding {
	name := v.cluster.namespace
	enable := fmt.Sprintf("kubectl label namespace %s %s=enabled --overwrite && kubectl -n %s rollout restart deployment", name, injectionLabel, name)
	switch {
	case v.namespace.hidden != nil:
		return v.unseen(v.namespace.hidden)
	case len(v.namespace.items) == 0:
		return fail("hellochaos deploy -n "+name, "there is no namespace %s", name)
	}
	namespace := &v.namespace.items[0]
	revision := namespace.Labels[revisionLabel]
	switch {
	case namespace.Labels["istio.io/dataplane-mode"] == "ambient":
		return fail("kubectl label namespace "+name+" istio.io/dataplane-mode- && "+enable,
			"the namespace is in ambient mode, whose node proxies neither route nor retry HTTP: the stages need sidecars")
	case !injects(namespace) && v.injected() && namespace.Labels[injectionLabel] == "":
		return warn(enable, "the namespace has neither the label %s nor the label %s, but its pods have sidecars: new pods may get none", injectionLabel, revisionLabel)
	case !injects(namespace):
		return fail(enable, "new pods of the namespace get no sidecar (label %s is %q): nothing would obey the rules of a stage", injectionLabel, namespace.Labels[injectionLabel])
	case namespace.Labels[injectionLabel] != "":
		return good("%s=%s", injectionLabel, namespace.Labels[injectionLabel])
	}
	known := slices.ContainsFunc(v.istiod.items, func(p corev1.Pod) bool { return revisionOf(&p) == revision })
	if !known && !v.injected() {
		return warn("istioctl tag list", "%s=%s, but no control plane has that revision and no pod has a sidecar: the revision must be the tag of a control plane",
			revisionLabel, revision)
	}
	return good("%s=%s", revisionLabel, revision)
}

// injected reports whether a pod of the chain has a sidecar.
func (v *view) injected() bool {
	return slices.ContainsFunc(v.chainPods(), func(p *corev1.Pod) bool { return hasSidecar(p) })
}

// sidecars checks whether every pod of the chain has a proxy of the same release as a control plane.
func (v *view) sidecars() Finding {
	if v.pods.hidden != nil {
		return v.unseen(v.pods.hidden)
	}
	name, pods := v.cluster.namespace, v.chainPods()
	if len(pods) == 0 {
		return fail("hellochaos deploy -n "+name, "the chain has no pods")
	}
	releases := map[string]bool{}
	for i := range v.istiod.items {
		releases[minorOf(releaseOf(&v.istiod.items[i]))] = true
	}
	var bare, other []string
	for _, pod := range pods {
		switch {
		case !hasSidecar(pod):
			bare = append(bare, pod.Name)
		case len(releases) > 0 && !releases[minorOf(releaseOf(pod))]:
			other = append(other, pod.Name)
		}
	}
	restart := "kubectl -n " + name + " rollout restart deployment"
	switch {
	case len(bare) > 0:
		return fail(restart, "these pods have no sidecar, so no rule of a stage applies to their calls: %s", strings.Join(bare, ", "))
	case len(other) > 0:
		return warn(restart, "these pods have a sidecar of another release than the control plane: %s", strings.Join(other, ", "))
	}
	return good("all %d pods of the chain have a sidecar", len(pods))
}

// minorOf is the major and minor part of a release, such as "1.31"; empty when the release is not a version.
func minorOf(release string) string {
	known, err := version.ParseGeneric(release)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d.%d", known.Major(), known.Minor())
}

// askWebhook tries two VirtualServices for a host that nobody calls, in a dry run. The first one is correct. The second one fits
// every schema, but Istio's webhook refuses it, since it has a retryOn without any attempts.
func (c *Cluster) askWebhook(ctx context.Context) (valid, invalid error) {
	try := func(retries map[string]any) error {
		u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"hosts": []any{"hellochaos-doctor.invalid"},
			"http": []any{map[string]any{"retries": retries,
				"route": []any{map[string]any{"destination": map[string]any{"host": "hellochaos-doctor.invalid"}}}}},
		}}}
		u.SetGroupVersionKind(c.resource("VirtualService").GroupVersion().WithKind("VirtualService"))
		u.SetGenerateName("hellochaos-doctor-")
		_, err := c.dynamic.Resource(c.resource("VirtualService")).Namespace(c.namespace).Create(ctx, u,
			metav1.CreateOptions{DryRun: dryRun, FieldManager: manager, FieldValidation: metav1.FieldValidationStrict})
		return err
	}
	return try(map[string]any{"attempts": int64(3), "retryOn": "5xx"}), try(map[string]any{"attempts": int64(0), "retryOn": "5xx"})
}

// webhook checks whether Istio's webhook validates objects before the API server accepts them.
func (v *view) webhook() Finding {
	const list = "kubectl get validatingwebhookconfigurations"
	fromWebhook := v.valid != nil && strings.Contains(v.valid.Error(), "webhook")
	switch {
	case fromWebhook && !strings.Contains(v.valid.Error(), "istio.io"):
		return fail(list, "a webhook that is not Istio's refuses a correct VirtualService: %s", oneLine(v.valid))
	case fromWebhook:
		return fail("kubectl -n "+istioSystem+" get pods -l app=istiod", "Istio's webhook refuses a correct VirtualService, or does not answer: %s", oneLine(v.valid))
	case apierrors.IsNotFound(v.valid):
		return fail("hellochaos deploy -n "+v.cluster.namespace, "there is no namespace %s to try a VirtualService in", v.cluster.namespace)
	case v.valid != nil:
		return v.unseen(fmt.Errorf("trying a VirtualService in a dry run: %w", v.valid))
	case v.invalid == nil:
		return warn(list, "no webhook refuses a wrong VirtualService: a mistake in a stage would only show as a wrong figure")
	}
	return good("a correct VirtualService is accepted, and a wrong one is refused")
}

// meshSettings is the part of Istio's mesh-wide configuration that changes what a run measures.
type meshSettings struct {
	OutboundTrafficPolicy struct {
		Mode string `json:"mode"`
	} `json:"outboundTrafficPolicy"`
	DefaultHTTPRetryPolicy map[string]any `json:"defaultHttpRetryPolicy"`
	DefaultConfig          struct {
		ProxyHeaders struct {
			AttemptCount struct {
				Disabled bool `json:"disabled"`
			} `json:"attemptCount"`
		} `json:"proxyHeaders"`
	} `json:"defaultConfig"`
}

// readMesh reads the mesh-wide configuration as istiod does, from the key "mesh" of a ConfigMap.
func readMesh(text string) (settings meshSettings, err error) {
	if err := yaml.Unmarshal([]byte(text), &settings); err != nil {
		return settings, fmt.Errorf("reading the key mesh of ConfigMap istio: %w", err)
	}
	if settings.OutboundTrafficPolicy.Mode == "" {
		settings.OutboundTrafficPolicy.Mode = "ALLOW_ANY"
	}
	return settings, nil
}

// meshConfig checks whether settings of the whole mesh change a run's figures.
func (v *view) meshConfig() Finding {
	if v.config.hidden != nil {
		return v.unseen(v.config.hidden)
	}
	if len(v.config.items) == 0 {
		return warn("", "could not be checked: there is no ConfigMap istio in namespace %s", istioSystem)
	}
	settings, err := readMesh(v.config.items[0].Data["mesh"])
	if err != nil {
		return warn("", "could not be checked: %s", oneLine(err))
	}
	mode := settings.OutboundTrafficPolicy.Mode
	own := v.sidecarMode()
	edit := "kubectl -n " + istioSystem + " edit configmap istio"
	switch {
	case settings.DefaultConfig.ProxyHeaders.AttemptCount.Disabled:
		return fail(edit, "proxyHeaders.attemptCount is disabled: without the header x-envoy-attempt-count the tries of a call cannot be distinguished")
	case settings.DefaultHTTPRetryPolicy != nil:
		return warn(edit, "defaultHttpRetryPolicy is set: calls to services without rules are retried as it says, but the predictions assume Istio's own default")
	case own != "":
		return good("outbound policy: the application's Sidecar sets %s, so the mesh's %s does not matter", own, mode)
	case mode != "REGISTRY_ONLY":
		return warn(edit, "outbound policy: %s, so the clock answers even before stage egress, and the stage shows nothing", mode)
	}
	return good("outbound policy: %s", mode)
}

// sidecarMode is the outbound policy of the Sidecar among the objects; empty when there is no Sidecar.
func (v *view) sidecarMode() string {
	for i := range v.objects {
		if sidecar, ok := v.objects[i].Istio.(*networking.Sidecar); ok && sidecar.OutboundTrafficPolicy != nil {
			return sidecar.OutboundTrafficPolicy.Mode.String()
		}
	}
	return ""
}
