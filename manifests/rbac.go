package manifests

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// CheckNamespace returns an error unless Kubernetes takes the name for a namespace's: what it is put into, YAML or a command, then has
// no more than the name in it.
func CheckNamespace(name string) error {
	if wrong := validation.IsDNS1123Label(name); len(wrong) > 0 {
		return fmt.Errorf("%q cannot be a namespace: %s", name, strings.Join(wrong, "; "))
	}
	return nil
}

// RBAC is the YAML of a ServiceAccount named hellochaos in a namespace, with the least permissions that a run there and
// its restore need. kubectl applies it without -n: two of its objects stand in istio-system. The error is CheckNamespace's.
func RBAC(namespace string) ([]byte, error) {
	if err := CheckNamespace(namespace); err != nil {
		return nil, err
	}
	data, err := files.ReadFile("rbac.yaml")
	if err != nil {
		panic(err) // it is part of the build
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
