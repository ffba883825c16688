package manifests

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// place is a message of Istio's API with the path at which it stands in objects of a kind.
type place struct {
	kind, path string
	message    protoreflect.MessageDescriptor
}

// places are all messages that the accepted fields of an object of a kind lead to, from the outermost on, with each of their paths.
func places(kind string) []place {
	all := []place{{kind, "spec", istioKinds[kind].ProtoReflect().Descriptor()}}
	for i := 0; i < len(all); i++ {
		for _, name := range supported[all[i].message.Name()] {
			fd := all[i].message.Fields().ByJSONName(name)
			if fd == nil {
				continue // TestFieldsExist reports it
			}
			path, message := all[i].path+"."+name, fd.Message()
			switch {
			case fd.IsMap():
				path, message = path+".*", fd.MapValue().Message()
			case fd.IsList():
				path += "[]"
			}
			if message != nil && message.ParentFile().Package() == all[i].message.ParentFile().Package() {
				all = append(all, place{kind, path, message})
			}
		}
	}
	return all
}

// istioOrder are the kinds of Istio in the order of the table.
var istioOrder = []string{"VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "Sidecar"}

// TestFieldsExist holds each row of Istio's API to the API: the message has the field, and an accepted field leads to the message.
func TestFieldsExist(t *testing.T) {
	known := make(map[string]bool)
	for _, kind := range istioOrder {
		for _, p := range places(kind) {
			for i := range p.message.Fields().Len() {
				fd := p.message.Fields().Get(i)
				known[Field{Of: string(p.message.Name()), Name: fd.JSONName()}.String()] = true
				if fd.Enum() == nil || !slices.Contains(supported[p.message.Name()], fd.JSONName()) {
					continue
				}
				for j := range fd.Enum().Values().Len() {
					known[Field{Of: string(enumeration(fd.Enum())), Name: string(fd.Enum().Values().Get(j).Name())}.String()] = true
				}
			}
		}
	}
	for _, f := range slices.Concat(istioFields, istioValues) {
		if !known[f.String()] {
			t.Errorf("%s is no field or value to which an accepted field leads", f)
		}
	}
	if len(istioOrder) != len(istioKinds) {
		t.Errorf("the test looks at %v, and %d kinds are read", istioOrder, len(istioKinds))
	}
}

// TestFieldsOnce checks that no row is written twice, and that a reason is a clause.
func TestFieldsOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range Fields() {
		if seen[f.String()] {
			t.Errorf("two rows are for %s", f)
		}
		seen[f.String()] = true
		if f.Without != strings.Trim(f.Without, " .") {
			t.Errorf("%s: the reason %q is no clause", f, f.Without)
		}
	}
}

// TestMetadataFields checks that the rows of metadata are the fields that the API server knows there, no more and no fewer.
func TestMetadataFields(t *testing.T) {
	var want []string
	of := reflect.TypeFor[metav1.ObjectMeta]()
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		want = append(want, name)
	}
	slices.Sort(want)
	for kind, path := range map[string]string{"Gateway": "metadata", "Service": "metadata", "Namespace": "metadata", "Deployment": "spec.template.metadata"} {
		if got := slices.Sorted(slices.Values(kubernetesFields[kind][path])); !slices.Equal(got, want) {
			t.Errorf("%s has rows for %v at %s, want %v", kind, got, path, want)
		}
	}
}
