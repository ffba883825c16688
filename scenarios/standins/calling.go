package standins

import (
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/calls"
)

// Service is a Service of a set with the stand-ins that answer there.
type Service struct {
	// Name is that of the Service, with its namespace behind a dot where that is not manifests.Namespace: "reviews", "reviews.shop".
	Name string
	// Versions are those that its stand-ins report, sorted; Port is the first port of HTTP, 0 where it has none.
	Versions []string
	Port     int
	// Workloads are those of which its stand-ins are, "namespace/name".
	Workloads []string
	// File and Line are where it is written or named; Written says that a file has it.
	File    string
	Line    int
	Written bool

	at          *manifests.Object
	deployments []*appsv1.Deployment
}

// Services are those of the mesh at which stand-ins answer, in the order of the set: not those of hosts outside of it.
func (s *Set) Services() (all []Service) {
	for i := range s.Objects {
		o := &s.Objects[i]
		k, ok := o.Kubernetes.(*corev1.Service)
		if !ok || o.InNamespace() == Outside {
			continue
		}
		one := Service{Name: o.Meta.Name, File: o.File, Line: o.Line, at: o}
		one.Written = !slices.ContainsFunc(s.StoodUp, func(up StoodUp) bool { return up.Object == "Service "+o.Meta.Name && up.Namespace == o.InNamespace() })
		if o.InNamespace() != manifests.Namespace {
			one.Name += "." + o.InNamespace()
		}
		if len(k.Spec.Ports) > 0 {
			one.Port = int(k.Spec.Ports[0].Port)
		}
		s.pods(&one, k)
		all = append(all, one)
	}
	return all
}

// pods finds the stand-ins whose pods a Service selects.
func (s *Set) pods(of *Service, k *corev1.Service) {
	for i := range s.Objects {
		o := &s.Objects[i]
		d, ok := o.Kubernetes.(*appsv1.Deployment)
		if !ok || o.InNamespace() != of.at.InNamespace() || !has(d.Spec.Template.Labels, k.Spec.Selector) {
			continue
		}
		of.deployments = append(of.deployments, d)
		of.Workloads = append(of.Workloads, o.InNamespace()+"/"+o.Meta.Name)
		if version := versionOf(d); !slices.Contains(of.Versions, version) {
			of.Versions = append(of.Versions, version)
		}
	}
	slices.Sort(of.Versions)
}

// versionOf is the version that a stand-in reports.
func versionOf(d *appsv1.Deployment) string {
	name, version := "", ""
	for _, v := range d.Spec.Template.Spec.Containers[0].Env {
		switch v.Name {
		case "SERVICE_NAME":
			name = v.Value
		case "SERVICE_VERSION":
			version = v.Value
		}
	}
	if version != "" {
		return version
	}
	for i := len(name) - 1; i >= 0; i-- { // a version has no dash where it stands behind the name
		if name[i] == '-' {
			return name[i+1:]
		}
	}
	return name
}

// Call makes the stand-ins of a service call these URLs for each request, one after another.
func (s *Service) Call(urls []string) {
	steps := make([][]calls.Call, 0, len(urls))
	for _, url := range urls {
		steps = append(steps, []calls.Call{{URL: url}})
	}
	text, err := json.Marshal(steps)
	if err != nil {
		panic(fmt.Sprintf("calls that are no JSON: %v", err)) // they are strings alone
	}
	for _, d := range s.deployments {
		env := d.Spec.Template.Spec.Containers[0].Env
		if i := slices.IndexFunc(env, func(v corev1.EnvVar) bool { return v.Name == "CALLS" }); i >= 0 {
			env[i].Value = string(text)
		}
	}
}
