package target_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	networking "istio.io/api/networking/v1alpha3"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
)

// documents are the objects of a manifest as maps.
func documents(t *testing.T, text string) (all []map[string]any) {
	t.Helper()
	for part := range strings.SplitSeq("\n"+text, "\n---\n") {
		if len(bytes.TrimSpace([]byte(part))) == 0 {
			continue
		}
		var document map[string]any
		if err := yaml.Unmarshal([]byte(part), &document); err != nil {
			t.Fatal(err)
		}
		all = append(all, document)
	}
	return all
}

// leaf is a place at which two manifests differ: the values there, nil for none.
type leaf struct {
	kind, path    string // path has "[]" in place of the indices of lists
	before, after any
}

// differInAlone returns an error unless two manifests differ, and every difference belongs to the field.
func differInAlone(field manifests.Field, before, after []map[string]any) error {
	if len(before) != len(after) {
		return fmt.Errorf("the manifests have %d and %d objects", len(before), len(after))
	}
	var all []leaf
	for i := range before {
		kind := kindOf(before[i])
		for _, l := range differences("", before[i], after[i]) {
			l.kind = kind
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return errors.New("the manifests do not differ")
	}
	for _, l := range all {
		if rows := l.rows(); !slices.Contains(rows, field.String()) {
			return fmt.Errorf("the manifests differ in %s of %s, too, which belongs to %s", l.path, l.kind, strings.Join(rows, ", "))
		}
	}
	return nil
}

// kindOf is what the table calls the kind of an object.
func kindOf(document map[string]any) string {
	kind, _ := document["kind"].(string)
	if version, _ := document["apiVersion"].(string); kind == "Gateway" && strings.HasPrefix(version, manifests.GatewayAPI) {
		return manifests.GatewayAPI + " " + kind
	}
	return kind
}

// differences are the innermost places at which two values differ.
func differences(path string, before, after any) (all []leaf) {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	was, wasMap := before.(map[string]any)
	is, isMap := after.(map[string]any)
	if (wasMap || before == nil) && (isMap || after == nil) && len(was)+len(is) > 0 {
		names := maps.Clone(was)
		if names == nil {
			names = make(map[string]any)
		}
		maps.Copy(names, is)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			all = append(all, differences(strings.TrimPrefix(path+"."+name, "."), was[name], is[name])...)
		}
		return all
	}
	wasItems, wasList := before.([]any)
	isItems, isList := after.([]any)
	if (wasList || before == nil) && (isList || after == nil) && len(wasItems)+len(isItems) > 0 {
		for i := range max(len(wasItems), len(isItems)) {
			all = append(all, differences(path+"[]", item(wasItems, i), item(isItems, i))...)
		}
		return all
	}
	return []leaf{{path: path, before: before, after: after}}
}

// item is an item of a list, nil where the list is shorter.
func item(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// specs are the kinds of Istio whose fields the table has by message.
var specs = map[string]proto.Message{
	"VirtualService":  (*networking.VirtualService)(nil),
	"DestinationRule": (*networking.DestinationRule)(nil),
	"Gateway":         (*networking.Gateway)(nil),
	"ServiceEntry":    (*networking.ServiceEntry)(nil),
	"Sidecar":         (*networking.Sidecar)(nil),
}

// rows are the names of the rows that a difference can belong to: those of the fields on the way to it, and that of its value by the
// second manifest.
func (l *leaf) rows() (names []string) {
	for end := range len(l.path) + 1 {
		if end == len(l.path) || strings.ContainsRune(".[", rune(l.path[end])) {
			names = append(names, l.kind+"."+l.path[:end])
			if l.kind == "HTTPRoute" { // the type of a filter says which of its settings there is, so that both change together
				names = append(names, l.kind+"."+l.path[:end]+".type")
			}
		}
	}
	rest, ok := strings.CutPrefix(l.path, "spec.")
	spec := specs[l.kind]
	if !ok || spec == nil {
		return names
	}
	message := spec.ProtoReflect().Descriptor()
	for rest != "" && message != nil {
		var name string
		name, rest, _ = strings.Cut(rest, ".")
		field := message.Fields().ByJSONName(strings.TrimSuffix(name, "[]"))
		if field == nil {
			return names
		}
		names = append(names, string(message.Name())+"."+field.JSONName())
		if enum := field.Enum(); enum != nil {
			of := enumeration(message, enum)
			names = append(names, fmt.Sprintf("%s.%v", of, l.after))
		}
		if message = field.Message(); field.IsMap() {
			_, rest, _ = strings.Cut(rest, ".") // the key
			message = field.MapValue().Message()
		}
	}
	return names
}

// enumeration is what the table calls an enumeration of a message: with the message where another one has an enumeration of its name.
func enumeration(message protoreflect.MessageDescriptor, enum protoreflect.EnumDescriptor) string {
	qualified := string(message.Name()) + "." + string(enum.Name())
	if slices.ContainsFunc(manifests.Fields(), func(f manifests.Field) bool { return f.Of == qualified }) {
		return qualified
	}
	return string(enum.Name())
}

// TestDifferInAlone holds differInAlone to pairs that differ in another field, too, or in no field.
func TestDifferInAlone(t *testing.T) {
	attempts := manifests.Field{Of: "HTTPRetry", Name: "attempts"}
	for _, c := range []struct {
		name, before, after string
		field               manifests.Field
		want                string
	}{
		{"the field", retried("attempts: 1"), retried("attempts: 2"), attempts, ""},
		{"a field around it", retried("attempts: 1"), retried("attempts: 2"), manifests.Field{Of: "HTTPRoute", Name: "retries"}, ""},
		{"added with what has it", rules("one", to("one")), retried("attempts: 2"), attempts, ""},
		{"nothing", retried("attempts: 1"), retried("attempts: 1"), attempts, "do not differ"},
		{"another field", retried("attempts: 1"), retried("attempts: 1, retryOn: 5xx"), attempts, "spec.http[].retries.retryOn"},
		{"one more field", retried("attempts: 1"), retried("attempts: 2, retryOn: 5xx"), attempts, "spec.http[].retries.retryOn"},
		{"another object", retried("attempts: 1"), retried("attempts: 2") + serviceOf("one"), attempts, "1 and 2 objects"},
		{"the value", balancer("{loadBalancer: {}}"), balancer("{loadBalancer: {simple: RANDOM}}"), manifests.Field{Of: "SimpleLB", Name: "RANDOM"}, ""},
		{"another value", balancer("{loadBalancer: {}}"), balancer("{loadBalancer: {simple: RANDOM}}"), manifests.Field{Of: "SimpleLB", Name: "ROUND_ROBIN"}, "spec.trafficPolicy.loadBalancer.simple"},
		{"a path", serviceOf("one"), strings.Replace(serviceOf("one"), "port: 80", "port: 81", 1), manifests.Field{Of: "Service", Name: "spec.ports[].port"}, ""},
		{"another path", serviceOf("one"), strings.Replace(serviceOf("one"), "port: 80", "port: 81", 1), manifests.Field{Of: "Service", Name: "spec.ports[].name"}, "spec.ports[].port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := differInAlone(c.field, documents(t, c.before), documents(t, c.after))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
		})
	}
}
