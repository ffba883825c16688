package cluster

import "k8s.io/apimachinery/pkg/util/version"

// versionsOf are the versions of a cluster by name, "kubernetes" and "istio"; a version that is not known is left out.
func versionsOf(kubernetes, istio string) map[string]string {
	known := map[string]string{}
	for name, release := range map[string]string{"kubernetes": kubernetes, "istio": istio} {
		if _, err := version.ParseGeneric(release); err == nil {
			known[name] = release
		}
	}
	return known
}
