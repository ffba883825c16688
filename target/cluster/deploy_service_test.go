package cluster

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
)

const (
	frontendService = "/api/v1/namespaces/shop/services/frontend"
	backendService  = "/api/v1/namespaces/shop/services/backend"
)

func serviceType(u *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(u.Object, "spec", "type")
	return text
}

// The type is the frontend's alone, it can be changed by another deploy, and without a choice it is the tutorial's.
func TestDeployChoosesTheServiceType(t *testing.T) {
	s, c, said := newAPIServer(t, 10*time.Second)
	s.react = rollsOut
	for _, test := range []struct{ choice, want, change string }{
		{"", LoadBalancer, "created"}, {ClusterIP, ClusterIP, "changed"}, {ClusterIP, ClusterIP, "unchanged"},
		{NodePort, NodePort, "changed"}, {LoadBalancer, LoadBalancer, "changed"},
	} {
		if err := c.Deploy(t.Context(), manifests.Application(), Choices{ServiceType: test.choice}); err != nil {
			t.Fatal(err)
		}
		if lines, want := said(), "Service frontend "+test.change; !slices.Contains(lines, want) {
			t.Errorf("type %q: deploy printed %q, want %q among it", test.choice, lines, want)
		}
		if got, backend := serviceType(s.at(frontendService)), serviceType(s.at(backendService)); got != test.want || backend != "" {
			t.Errorf("type %q: frontend has %q and backend %q, want %q and none", test.choice, got, backend, test.want)
		}
	}
}

// A run must not open to the outside what deploy has closed, nor take an address away before a stage does.
func TestARunKeepsTheServiceType(t *testing.T) {
	for _, test := range []struct{ live, want string }{
		{`{"spec":{"type":"ClusterIP"}}`, ClusterIP}, {`{"spec":{"type":"NodePort"}}`, NodePort},
		{`{"spec":{"type":"LoadBalancer"}}`, LoadBalancer}, {`{"spec":{}}`, ClusterIP}, {"", ClusterIP},
	} {
		s, c, _ := newAPIServer(t, 10*time.Second)
		if test.live != "" {
			s.put(t, frontendService, test.live)
		}
		has, err := c.entryType(t.Context())
		if err != nil || has != test.want {
			t.Fatalf("Service %s: type %q, %v, want %q", test.live, has, err, test.want)
		}
		r := &Run{cluster: c, entryType: has}
		for stage, want := range map[string]string{"": test.want, "retry": test.want, "ingress": ClusterIP} {
			objects, err := scenarios.Through(stage, nil)
			if err != nil {
				t.Fatal(err)
			}
			wanted, err := r.wanted([][]manifests.Object{objects})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(wanted, func(u *unstructured.Unstructured) bool { return u.GetKind() == "Service" && u.GetName() == "frontend" })
			if i < 0 || serviceType(wanted[i]) != want {
				t.Errorf("Service %s, stage %q: the run writes %v, want type %s", test.live, stage, wanted[i].Object, want)
			}
		}
	}
}
