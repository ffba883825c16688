package manifests

import (
	"bytes"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is one YAML document, read strictly.
type Object struct {
	// File and Line say where the document begins, for messages.
	File string
	Line int
	// APIVersion and Kind are as the document has them: "networking.istio.io/v1", "VirtualService".
	APIVersion, Kind string
	Meta             metav1.ObjectMeta
	// Istio is the spec of an object of Istio's networking API (*istio.io/api/networking/v1alpha3.VirtualService
	// and so on; the versions share one type); nil for a Kubernetes object.
	Istio proto.Message
	// Kubernetes is the whole object of a Kubernetes kind (*corev1.Service, *appsv1.Deployment, *corev1.Namespace) or of Gateway API
	// (*gatewayv1.HTTPRoute, *gatewayv1.Gateway, *gatewayv1.ReferenceGrant); nil for an object of Istio.
	Kubernetes any
	// Beyond are fields that this package does not execute; there are none unless LoadForCluster read the object.
	Beyond []Beyond
	// YAML is the document's text.
	YAML []byte

	// lines says where its fields stand, for problems that show only when all objects are read together.
	lines positions
}

// problem is a Problem of one of the object's fields; an empty field means the whole object.
func (o *Object) problem(field, format string, args ...any) Problem {
	return Problem{File: o.File, Line: o.lines.of(field, o.Line), Object: o.Name(), Field: field, Text: fmt.Sprintf(format, args...)}
}

// Name is the kind and the name, "VirtualService middleware", as messages print them.
func (o *Object) Name() string { return o.Kind + " " + o.Meta.Name }

// Clone is a deep copy: changing it does not change o.
func (o *Object) Clone() Object {
	c := *o
	c.Meta = *o.Meta.DeepCopy()
	if o.Istio != nil {
		c.Istio = proto.Clone(o.Istio)
	}
	if k, ok := o.Kubernetes.(runtime.Object); ok {
		c.Kubernetes = k.DeepCopyObject()
	}
	c.YAML = bytes.Clone(o.YAML)
	c.Beyond = slices.Clone(o.Beyond)
	return c
}

// identity is what distinguishes one object from another in a mesh. The version of the API is no part of it. kind is as fieldsOf has it:
// Istio and Gateway API have a Gateway each.
type identity struct{ kind, namespace, name string }

func (o *Object) identity() identity {
	return identity{fieldsOf(o.APIVersion, o.Kind), o.namespace(), o.Meta.Name}
}

// namespace is where the object stands: its metadata.namespace, or Namespace when that is empty. A Namespace stands in none.
func (o *Object) namespace() string {
	switch {
	case o.Kind == "Namespace":
		return ""
	case o.Meta.Namespace == "":
		return Namespace
	}
	return o.Meta.Namespace
}
