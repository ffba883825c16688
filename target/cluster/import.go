package cluster

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Imported is what a namespace has that decides what becomes of requests there.
type Imported struct {
	// Application has the Services and the workloads, and Policies the rest, as documents of YAML. A workload has its labels, its number
	// of replicas, and of its containers names, images and ports alone: what is secret may be in the rest.
	Application, Policies []byte
	// Calls are who calls whom, by the counters that Source names; Source is empty where nothing counts calls.
	Calls  []ImportedCall
	Source string
	// Remarks are sentences about what could not be read.
	Remarks []string
}

// ImportedCall says that a workload of the namespace calls a host.
type ImportedCall struct {
	// Workload is the name of the Deployment or StatefulSet, and Host the full name that it calls.
	Workload, Host string
	// Count is how many tries were counted so far.
	Count int64
}

// imported are the kinds that Import reads: those that an application consists of, and those that act on its requests. Kinds that the
// API server does not have are left out; "" stands for the version of Istio's API.
var imported = []struct {
	schema.GroupVersionResource
	application bool
}{
	{schema.GroupVersionResource{Version: "v1", Resource: "services"}, true},
	{schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, true},
	{schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}, true},
	{schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}, true},
	{schema.GroupVersionResource{Group: istioGroup, Resource: "gateways"}, false},
	{schema.GroupVersionResource{Group: istioGroup, Resource: "virtualservices"}, false},
	{schema.GroupVersionResource{Group: istioGroup, Resource: "destinationrules"}, false},
	{schema.GroupVersionResource{Group: istioGroup, Resource: "serviceentries"}, false},
	{schema.GroupVersionResource{Group: istioGroup, Resource: "sidecars"}, false},
	{schema.GroupVersionResource{Group: istioGroup, Resource: "workloadentries"}, false},
	{schema.GroupVersionResource{Group: istioGroup, Version: "v1alpha3", Resource: "envoyfilters"}, false},
	{schema.GroupVersionResource{Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"}, false},
	{schema.GroupVersionResource{Group: "security.istio.io", Version: "v1", Resource: "requestauthentications"}, false},
	{schema.GroupVersionResource{Group: "security.istio.io", Version: "v1", Resource: "peerauthentications"}, false},
	{schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}, false},
	{schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}, false},
}

// Import reads the namespace, and changes nothing. The error names the kind that could not be listed, and says what the user can do.
func (c *Cluster) Import(ctx context.Context) (*Imported, error) {
	all := &Imported{}
	var application, policies bytes.Buffer
	var workloads []unstructured.Unstructured
	for _, kind := range imported {
		resource := kind.GroupVersionResource
		if resource.Version == "" {
			if resource.Version = c.istioVersion; resource.Version == "" {
				continue
			}
		}
		found, err := c.listed(ctx, resource)
		switch {
		case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
			continue
		case apierrors.IsForbidden(err) && !kind.application:
			all.Remarks = append(all.Remarks, fmt.Sprintf("%s could not be listed, so that none of them is imported: %v", resource.Resource, err))
			continue
		case err != nil:
			return nil, err
		}
		for i := range found {
			to := &policies
			if kind.application {
				to = &application
				if resource.Resource != "services" {
					workloads = append(workloads, found[i])
				}
			}
			if err := write(to, &found[i]); err != nil {
				return nil, err
			}
		}
	}
	all.Application, all.Policies = application.Bytes(), policies.Bytes()
	return all, c.importCalls(ctx, workloads, all)
}

// listed are the objects of a kind in the namespace, but for those by which a run of hellochaos finds out what proxies hold.
func (c *Cluster) listed(ctx context.Context, resource schema.GroupVersionResource) (found []unstructured.Unstructured, err error) {
	err = c.again(ctx, fmt.Sprintf("listing %s in namespace %s", resource.Resource, c.namespace), func(ctx context.Context) error {
		list, err := c.dynamic.Resource(resource).Namespace(c.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(list.Items, func(u unstructured.Unstructured) bool { return u.GetName() == probeName })
		for i := range found { // the items of a list need not have them
			found[i].SetAPIVersion(resource.GroupVersion().String())
		}
		return nil
	})
	return found, err
}

// write adds an object to a text as a document of YAML, without what the cluster added to it.
func write(to *bytes.Buffer, u *unstructured.Unstructured) error {
	data, err := yaml.Marshal(asWritten(u))
	if err != nil {
		return fmt.Errorf("writing %s %s as YAML: %w", u.GetKind(), u.GetName(), err)
	}
	if to.Len() > 0 {
		to.WriteString("---\n")
	}
	to.Write(data)
	return nil
}
