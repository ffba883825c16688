package standins

import (
	"fmt"
	"maps"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hellochaos/hellochaos/manifests"
)

// selects is the label by which a Deployment of the set selects its pods: those of the files may share all their labels.
const selects = "hellochaos-stand-in"

// deployment is a Deployment of the set before it is an object.
type deployment struct {
	from             *manifests.Object // what names it; nil where no file does
	line             int
	namespace, name  string
	service, version string
	labels           map[string]string // of its pods
	replicas         int
	// env are the variables of the stand-in that say what it calls, and how it fails and works; none: it makes no calls.
	env []corev1.EnvVar
}

// deploy adds a Deployment to the set, and returns its name. It is a Deployment of the demo chain with another name, other labels and
// other calls, or none.
func (b *builder) deploy(d deployment) string {
	name := dnsName(d.name)
	for n := 2; b.taken[d.namespace+"/"+name]; n++ {
		name = fmt.Sprintf("%s-%d", dnsName(d.name), n)
	}
	b.taken[d.namespace+"/"+name] = true
	b.count += d.replicas
	labels := map[string]string{selects: name[:min(len(name), 63)]}
	maps.Copy(labels, d.labels)
	k := b.pattern.DeepCopy()
	replicas := int32(d.replicas)
	k.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: d.namespace, Labels: labels}
	k.Spec.Replicas = &replicas
	k.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{selects: labels[selects]}}
	k.Spec.Template.Labels = labels
	container := &k.Spec.Template.Spec.Containers[0]
	container.Env = environment(container.Env, d.service, d.version, d.env)
	b.object(d.from, d.line, "apps/v1", "Deployment", k.ObjectMeta, k)
	return name
}

// pattern is a Deployment of the demo chain, which has everything that a cluster wants of one.
func pattern() *appsv1.Deployment {
	for _, o := range manifests.Application() {
		if k, ok := o.Kubernetes.(*appsv1.Deployment); ok {
			return k
		}
	}
	panic("the demo chain has no Deployment") // it is in the program
}

// environment is that of a stand-in with the variables own, or without calls.
func environment(of []corev1.EnvVar, service, version string, own []corev1.EnvVar) []corev1.EnvVar {
	env := []corev1.EnvVar{{Name: "SERVICE_NAME", Value: service + "-" + version}}
	if strings.Contains(version, "-") {
		env[0].Value = service
		env = append(env, corev1.EnvVar{Name: "SERVICE_VERSION", Value: version})
	}
	if len(own) == 0 {
		own = []corev1.EnvVar{{Name: "CALLS", Value: "[]"}}
	}
	env = append(env, own...)
	for _, v := range of {
		switch v.Name {
		case "PORT", "GOMEMLIMIT", "HANG_DURATION":
			env = append(env, v)
		}
	}
	return env
}

// dnsName is a text as the name of an object: lower case, with "-" in place of what such a name cannot have.
func dnsName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return strings.Trim(name[:min(len(name), 200)], "-")
}
