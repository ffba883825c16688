//go:build e2e

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

const (
	gatewayModule = "sigs.k8s.io/gateway-api"
	// installTime is how long the API server and Istio may take until the definitions are of use, and then until they are gone.
	installTime = 2 * time.Minute
)

var (
	definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// InstallGatewayAPI installs the experimental channel of Gateway API on a cluster, for tests, from the module whose types hellochaos reads,
// and waits until Istio has made its GatewayClass and the API server lists the kinds. It leaves definitions as they are that the cluster
// has already; they must be those of the experimental channel. remove deletes those that InstallGatewayAPI made, with all objects of their
// kinds, and waits until they are gone.
func InstallGatewayAPI(ctx context.Context, config *rest.Config) (remove func(context.Context) error, err error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	all, err := readDefinitions(ctx)
	if err != nil {
		return nil, err
	}
	var made []string
	remove = func(ctx context.Context) error { return removeDefinitions(ctx, client, made) }
	for _, u := range all {
		_, err := client.Resource(definitions).Create(ctx, u, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			continue
		}
		if err != nil {
			return nil, errors.Join(err, remove(ctx))
		}
		made = append(made, u.GetName())
	}
	err = waitUntil(ctx, "the kinds of "+manifests.GatewayAPI, func(ctx context.Context) (bool, error) { return listed(ctx, config) })
	if err == nil {
		err = makeClass(ctx, client)
	}
	if err != nil {
		return nil, errors.Join(err, remove(ctx))
	}
	return remove, nil
}

// makeClass makes the GatewayClass of Istio, and waits until Istio has accepted it. Istio makes it by itself when it starts; when the
// definitions are removed and come again later, it may take minutes to try again.
func makeClass(ctx context.Context, client dynamic.Interface) error {
	class := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"controllerName": "istio.io/gateway-controller"}}}
	class.SetGroupVersionKind(gatewayClasses.GroupVersion().WithKind("GatewayClass"))
	class.SetName("istio")
	if _, err := client.Resource(gatewayClasses).Create(ctx, class, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("making GatewayClass istio: %w", err)
	}
	return waitUntil(ctx, "GatewayClass istio", func(ctx context.Context) (bool, error) {
		u, err := client.Resource(gatewayClasses).Get(ctx, "istio", metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		conditions, _, err := unstructured.NestedSlice(u.Object, "status", "conditions")
		return slices.ContainsFunc(conditions, func(c any) bool {
			condition, _ := c.(map[string]any)
			return condition["type"] == "Accepted" && condition["status"] == "True"
		}), err
	})
}

// listed reports whether the API server lists all kinds that a run asks it for. It does so some time after it took their definitions.
func listed(ctx context.Context, config *rest.Config) (bool, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return false, err
	}
	list, err := client.ServerResourcesForGroupVersion(manifests.GatewayAPI + "/v1")
	if err != nil && !apierrors.IsNotFound(err) || ctx.Err() != nil {
		return false, err
	}
	for _, name := range gatewayAPIResources {
		if list == nil || !slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == name }) {
			return false, nil
		}
	}
	return true, nil
}

// readDefinitions reads the definitions from the files of the module. The others of its files are policies against older releases.
func readDefinitions(ctx context.Context) (all []*unstructured.Unstructured, err error) {
	folder, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", gatewayModule).Output()
	if err != nil {
		return nil, fmt.Errorf("looking for the module %s: %w", gatewayModule, err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(folder)), "config", "crd", "experimental", "gateway.networking.k8s.io_*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		u := new(unstructured.Unstructured)
		if err := yaml.Unmarshal(text, &u.Object); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if u.GetKind() == "CustomResourceDefinition" {
			all = append(all, u)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the module %s has no definitions in %s", gatewayModule, folder)
	}
	return all, nil
}

func removeDefinitions(ctx context.Context, client dynamic.Interface, names []string) error {
	var problems []error
	for _, name := range names {
		if err := client.Resource(definitions).Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			problems = append(problems, err)
		}
	}
	for _, name := range names {
		problems = append(problems, waitUntil(ctx, "the end of "+name, func(ctx context.Context) (bool, error) {
			_, err := client.Resource(definitions).Get(ctx, name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return true, nil
			}
			return false, err
		}))
	}
	return errors.Join(problems...)
}

// waitUntil asks until the answer is yes.
func waitUntil(ctx context.Context, what string, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, installTime, fmt.Errorf("%s: waited for %v", what, installTime))
	defer cancel()
	for {
		yes, err := ask(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case yes:
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
}
