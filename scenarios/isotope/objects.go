package isotope

import (
	"encoding/json"
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/calls"
)

// Version is the version of every service, and the label version of its pods: isotope knows none.
const Version = "v1"

// Objects are a Service and a Deployment for each service, as standins.Of reads those of an application. The container of a Deployment has
// the variables by which a stand-in makes the calls of the service (CALLS), fails (FAIL_PROBABILITY), and sleeps (WORK_DURATION).
func (t *Topology) Objects() (all []manifests.Object) {
	for i := range t.Services {
		s := &t.Services[i]
		meta := metav1.ObjectMeta{Name: s.Name, Namespace: s.Namespace}
		app, replicas := map[string]string{"app": s.Name}, int32(s.Replicas)
		service := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: app, Ports: []corev1.ServicePort{{Name: "http", Port: Port}}}}
		deployment := &appsv1.Deployment{ObjectMeta: meta}
		deployment.Spec.Replicas = &replicas
		deployment.Spec.Template.Labels = map[string]string{"app": s.Name, "version": Version}
		deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "service", Env: t.environment(s)}}
		all = append(all,
			manifests.Object{File: t.File, Line: s.Line, APIVersion: "v1", Kind: "Service", Meta: meta, Kubernetes: service},
			manifests.Object{File: t.File, Line: s.Line, APIVersion: "apps/v1", Kind: "Deployment", Meta: meta, Kubernetes: deployment})
	}
	return all
}

// environment is what the stand-in of a service is told beside its name.
func (t *Topology) environment(s *Service) []corev1.EnvVar {
	steps := make([][]calls.Call, len(s.Steps))
	for i, step := range s.Steps {
		for _, c := range step {
			steps[i] = append(steps[i], calls.Call{URL: "http://" + c.Host + "/"})
		}
	}
	text, err := json.Marshal(steps)
	if err != nil {
		panic(fmt.Sprintf("calls that are no JSON: %v", err)) // they are strings alone
	}
	env := []corev1.EnvVar{{Name: "CALLS", Value: string(text)}}
	if s.ErrorRate != nil {
		env = append(env, corev1.EnvVar{Name: "FAIL_PROBABILITY", Value: strconv.FormatFloat(*s.ErrorRate, 'f', -1, 64)})
	}
	if s.Work > 0 {
		env = append(env, corev1.EnvVar{Name: "WORK_DURATION", Value: s.Work.String()})
	}
	return env
}
