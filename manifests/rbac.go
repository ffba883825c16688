package manifests

import "strings"

// RBAC is the YAML of a ServiceAccount named hellochaos in a namespace, with the least permissions that a run there and
// its restore need. kubectl applies it without -n: two of its objects stand in istio-system.
func RBAC(namespace string) []byte {
	data, err := files.ReadFile("rbac.yaml")
	if err != nil {
		panic(err) // it is part of the build
	}
	return []byte(strings.NewReplacer(
		"namespace: "+Namespace, "namespace: "+namespace,
		"name: hellochaos-"+Namespace, "name: hellochaos-"+namespace,
		"resourceNames: ["+Namespace+"]", "resourceNames: ["+namespace+"]",
		"--namespace "+Namespace, "--namespace "+namespace,
		`namespace "`+Namespace+`"`, `namespace "`+namespace+`"`,
	).Replace(string(data)))
}
