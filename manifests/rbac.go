package manifests

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// CheckNamespace returns an error unless Kubernetes accepts the name for a namespace. An accepted name is safe in YAML and in a
// command line: it adds nothing but the name.
func CheckNamespace(name string) error {
	if wrong := validation.IsDNS1123Label(name); len(wrong) > 0 {
		return fmt.Errorf("%q cannot be a namespace: %s", name, strings.Join(wrong, "; "))
	}
	return nil
}

// RBAC is the YAML of a ServiceAccount named hellochaos in a namespace, with the least permissions that a run there and
// its restore need. It must be applied without kubectl's -n, since two of its objects belong to istio-system. The error is that of
// CheckNamespace.
func RBAC(namespace string) ([]byte, error) { return permissionsIn("rbac.yaml", namespace) }

// RBACWorkers is the YAML of what load by workers on a cluster needs (--workers-on-cluster), for the same ServiceAccount.
func RBACWorkers(namespace string) ([]byte, error) {
	return permissionsIn("rbac-workers.yaml", namespace)
}

// permissionsIn is a file of permissions for a namespace.
func permissionsIn(file, namespace string) ([]byte, error) {
	if err := CheckNamespace(namespace); err != nil {
		return nil, err
	}
	data, err := files.ReadFile(file)
	if err != nil {
		panic(err) // cannot happen: the file is embedded in the program
	}
	text := strings.NewReplacer(
		"namespace: "+Namespace, "namespace: "+namespace,
		"name: hellochaos-"+Namespace, "name: hellochaos-"+namespace,
		"resourceNames: ["+Namespace+"]", "resourceNames: ["+namespace+"]",
		"--namespace "+Namespace, "--namespace "+namespace,
		`namespace "`+Namespace+`"`, `namespace "`+namespace+`"`,
	).Replace(string(data))
	return []byte(text), nil
}
