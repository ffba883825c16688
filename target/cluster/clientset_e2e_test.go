//go:build e2e

package cluster

import (
	"testing"

	"k8s.io/client-go/kubernetes"
)

// whole is client-go's own clientset, for the kinds that only tests touch.
func whole(t *testing.T, c *Cluster) kubernetes.Interface {
	t.Helper()
	all, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
