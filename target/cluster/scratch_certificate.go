package cluster

import (
	"context"
	"encoding/base64"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hellochaos/hellochaos/manifests/scratch"
)

// certify writes the Secret with the certificate of the gateway pods, where a Gateway has TLS, and the right to read it, without which Istio does
// not pass it to them. Each run makes its own, also where the pods are those of DeployScratch: the keys of another run were in its memory
// alone. All of it is deleted with its namespace.
func (s *Scratch) certify(ctx context.Context) error {
	if s.issuer == nil {
		return nil
	}
	data, err := s.issuer.Secret()
	if err != nil {
		return err
	}
	encoded := map[string]any{}
	for name, value := range data {
		encoded[name] = base64.StdEncoding.EncodeToString(value)
	}
	reads := map[string]any{"apiGroups": []any{""}, "resources": []any{"secrets"}, "verbs": []any{"get", "list", "watch"}}
	for _, o := range []struct {
		kind   string
		fields map[string]any
	}{
		{"Role", map[string]any{"rules": []any{reads}}},
		{"RoleBinding", map[string]any{"roleRef": map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": scratch.Credential},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": "default", "namespace": s.set.Gateway}}}},
		{"Secret", map[string]any{"type": string(corev1.SecretTypeTLS), "data": encoded}},
	} {
		u := &unstructured.Unstructured{Object: o.fields}
		u.SetGroupVersionKind(s.cluster.resource(o.kind).GroupVersion().WithKind(o.kind))
		u.SetNamespace(s.set.Gateway)
		u.SetName(scratch.Credential)
		u.SetLabels(map[string]string{managedBy: manager})
		if err := s.send(ctx, u); err != nil {
			return err
		}
	}
	return nil
}
