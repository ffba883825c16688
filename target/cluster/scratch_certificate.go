package cluster

import (
	"context"
	"encoding/base64"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hellochaos/hellochaos/manifests/scratch"
)

// certify writes the Secrets with the certificates that pods of the set need, and the right of gateway pods to list them, without which Istio does
// not pass them on. They are deleted with their namespaces. Where the pods are those of DeployScratch, only the certificate of the gateway is a
// new one, which clients must trust: the keys of another run were in its memory alone, and pods hold the files of theirs. The error names a
// Secret that it has not written before it was killed.
func (s *Scratch) certify(ctx context.Context) error {
	for i := range s.set.Certificates {
		certificate := &s.set.Certificates[i]
		if s.adopted && certificate.Name != scratch.Credential {
			if err := s.certified(ctx, certificate); err != nil {
				return err
			}
			continue
		}
		objects, err := s.secret(certificate)
		if err != nil {
			return err
		}
		for _, u := range objects {
			if err := s.send(ctx, u); err != nil {
				return err
			}
		}
	}
	return nil
}

// certified returns an error if there is no Secret of a certificate. To write it now would not do: pods that run already trust another issuer.
func (s *Scratch) certified(ctx context.Context, of *scratch.Certificate) error {
	secrets, err := s.cluster.labelled(ctx, "Secret", of.Namespace, ourObjects)
	if err != nil {
		return err
	}
	for i := range secrets {
		if secrets[i].GetName() == of.Name {
			return nil
		}
	}
	return fmt.Errorf("the Secret %s of namespace %s, which pods need, is not there: 'hellochaos deploy' was killed before it wrote it, or somebody has deleted it; "+
		"delete what was deployed with %s, and deploy it again", of.Name, of.Namespace, s.cluster.undeployCommand())
}

// secret is the Secret of a certificate, behind the right to list those of its namespace where the pods are gateways.
func (s *Scratch) secret(of *scratch.Certificate) (all []*unstructured.Unstructured, err error) {
	data, err := s.issuer.Secret(of.Hosts...)
	if err != nil {
		return nil, err
	}
	encoded := map[string]any{}
	for name, value := range data {
		encoded[name] = base64.StdEncoding.EncodeToString(value)
	}
	object := func(kind string, fields map[string]any) {
		u := &unstructured.Unstructured{Object: fields}
		u.SetGroupVersionKind(s.cluster.resource(kind).GroupVersion().WithKind(kind))
		u.SetNamespace(of.Namespace)
		u.SetName(of.Name)
		u.SetLabels(map[string]string{managedBy: manager})
		all = append(all, u)
	}
	if of.Namespace == s.set.Gateway {
		reads := map[string]any{"apiGroups": []any{""}, "resources": []any{"secrets"}, "verbs": []any{"list"}} // the one that istiod asks for
		object("Role", map[string]any{"rules": []any{reads}})
		object("RoleBinding", map[string]any{"roleRef": map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": of.Name},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": "default", "namespace": of.Namespace}}})
	}
	object("Secret", map[string]any{"type": string(corev1.SecretTypeTLS), "data": encoded})
	return all, nil
}
