package manifests

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
)

// Unstructured is the object as an API server takes it. It is made from the fields and not from the text, so it has what was
// changed in a Clone. It has apiVersion, kind, metadata and spec but no status, and no namespace where the object names none.
func (o *Object) Unstructured() (map[string]any, error) {
	object, err := o.whole()
	if err != nil {
		return nil, fmt.Errorf("turning %s into JSON: %w", o.Name(), err)
	}
	for i := range o.Beyond {
		if err := o.Beyond[i].put(object); err != nil {
			return nil, fmt.Errorf("turning %s into JSON: %w", o.Name(), err)
		}
	}
	metadata := map[string]any{"name": o.Meta.Name}
	if o.Meta.Namespace != "" {
		metadata["namespace"] = o.Meta.Namespace
	}
	for field, values := range map[string]map[string]string{"labels": o.Meta.Labels, "annotations": o.Meta.Annotations} {
		if len(values) > 0 {
			some := map[string]any{}
			for key, value := range values {
				some[key] = value
			}
			metadata[field] = some
		}
	}
	delete(object, "status")
	object["apiVersion"], object["kind"], object["metadata"] = o.APIVersion, o.Kind, metadata
	return object, nil
}

// whole is the object with all fields that its Go type has.
func (o *Object) whole() (map[string]any, error) {
	if o.Istio == nil {
		object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o.Kubernetes)
		removeNull(object)
		return object, err
	}
	text, err := json.Marshal(o.Istio) // Istio's types marshal themselves as their protocol buffers do
	if err != nil {
		return nil, err
	}
	spec := map[string]any{}
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, err
	}
	numbers(spec, o.Istio.ProtoReflect())
	if policy, ok := spec["outboundTrafficPolicy"].(map[string]any); ok && policy["mode"] == nil {
		policy["mode"] = "REGISTRY_ONLY" // the JSON of protocol buffers leaves this value out, since its number is 0
	}
	return map[string]any{"spec": spec}, nil
}

// numbers replaces the texts that the JSON of protocol buffers has for integers of 64 bits by numbers: an API server takes nothing else for
// them. written is the JSON of message.
func numbers(written map[string]any, message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		inner := written[field.JSONName()]
		switch {
		case field.Kind() == protoreflect.Uint64Kind:
			written[field.JSONName()] = int64(value.Uint())
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			list, _ := inner.([]any)
			for i, one := range list {
				if fields, ok := one.(map[string]any); ok {
					numbers(fields, value.List().Get(i).Message())
				}
			}
		default:
			if fields, ok := inner.(map[string]any); ok {
				numbers(fields, value.Message())
			}
		}
		return true
	})
}

// removeNull removes null values, which Go's types write for a time that is not set.
func removeNull(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if inner == nil {
				delete(v, key)
			}
			removeNull(inner)
		}
	case []any:
		for _, inner := range v {
			removeNull(inner)
		}
	}
}
