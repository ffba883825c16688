package manifests

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/proto"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is one YAML document, read strictly.
type Object struct {
	// File and Line say where the document begins, for messages.
	File string
	Line int
	// APIVersion and Kind as written: "networking.istio.io/v1", "VirtualService".
	APIVersion, Kind string
	Meta             metav1.ObjectMeta
	// Istio is the spec of an object of Istio's networking API (*istio.io/api/networking/v1alpha3.VirtualService
	// and so on; the versions share one type); nil for a Kubernetes object.
	Istio proto.Message
	// Kubernetes is the whole object of a Kubernetes kind (*corev1.Service, *appsv1.Deployment …); nil otherwise.
	Kubernetes any
	// YAML is the document's text.
	YAML []byte

	// lines are where its fields stand, for what only the whole set shows to be wrong.
	lines positions
}

// problem is something wrong with a field; an empty field means the whole object.
func (o *Object) problem(field, format string, args ...any) Problem {
	return Problem{File: o.File, Line: o.lines.of(field, o.Line), Object: o.Name(), Field: field, Text: fmt.Sprintf(format, args...)}
}

// Name is "Kind name", as messages have it.
func (o *Object) Name() string { return o.Kind + " " + o.Meta.Name }

// Clone is a deep copy: what is changed in it is not changed in o.
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
	return c
}

// identity is what tells one object from another in a mesh; versions of an API do not.
type identity struct{ kind, namespace, name string }

func (o *Object) identity() identity { return identity{o.Kind, o.namespace(), o.Meta.Name} }

// namespace is where the object stands: a Namespace stands nowhere, the others in Namespace when they do not say.
func (o *Object) namespace() string {
	switch {
	case o.Kind == "Namespace":
		return ""
	case o.Meta.Namespace == "":
		return Namespace
	}
	return o.Meta.Namespace
}
