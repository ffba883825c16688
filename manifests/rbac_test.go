package manifests

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

func TestRBACIsForOneNamespaceAndIstios(t *testing.T) {
	for _, namespace := range []string{Namespace, "shop"} {
		data, err := RBAC(namespace)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		if namespace != Namespace && strings.Contains(text, Namespace) {
			t.Errorf("RBAC(%q) still contains %s:\n%s", namespace, Namespace, text)
		}
		var got []string
		for _, document := range strings.Split(text, "\n---\n") {
			var o rbacv1.RoleBinding // whose fields the others' metadata share
			if err := yaml.Unmarshal([]byte(document), &o); err != nil {
				t.Fatal(err)
			}
			got = append(got, o.Kind+" "+o.Namespace+"/"+o.Name)
			for _, subject := range o.Subjects {
				if want := (rbacv1.Subject{Kind: "ServiceAccount", Name: "hellochaos", Namespace: namespace}); subject != want {
					t.Errorf("%s is for %+v, want %+v", got[len(got)-1], subject, want)
				}
			}
		}
		want := "ServiceAccount NS/hellochaos, Role NS/hellochaos, RoleBinding NS/hellochaos, " +
			"Role istio-system/hellochaos, RoleBinding istio-system/hellochaos-NS"
		if want, got := strings.ReplaceAll(want, "NS", namespace), strings.Join(got, ", "); got != want {
			t.Errorf("RBAC(%q) is %s, want %s", namespace, got, want)
		}
	}
}

// RBAC refuses names that Kubernetes refuses: such a name could end the YAML document and begin another one.
func TestRBACRefusesNames(t *testing.T) {
	for _, namespace := range []string{"", "A_B", "x\n---\nkind: Evil", "x y", "-x", "a.b", "x\x1b[2J", "$(id)", strings.Repeat("x", 64)} {
		text, err := RBAC(namespace)
		if err == nil || len(text) > 0 || strings.ContainsAny(err.Error(), "\n\x1b") || !strings.Contains(err.Error(), "cannot be a namespace") {
			t.Errorf("%q: %v with %d bytes of YAML, want a refusal on one line", namespace, err, len(text))
		}
	}
}
