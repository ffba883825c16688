package manifests

import (
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/yamlnode"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Field is one row of the table of what is supported: a field, or a value of an enumeration. What Istio or Kubernetes has and the
// table has not is refused. apiVersion, kind and metadata as a whole have no rows: they say what an object is, and with that, which
// rows are for it.
//
// To add a field, write its row, its execution, and the pair of manifests that shows what it does (the tests of package target).
type Field struct {
	// Of is what has the field. It is a message of Istio's API without its package ("HTTPRoute"), for a value the enumeration
	// ("SimpleLB"), with its message where another message has one of the same name ("ServerTLSSettings.TLSmode"), and for a field that
	// is known by its path the kind of object ("Deployment").
	Of string
	// Name is the field ("retries"), the value ("RANDOM"), or the path in the object ("spec.template.spec.containers[].env[].name").
	Name string
	// Without says why the field changes nothing about a request or its answer: it is read, and not executed. It is empty for a field
	// that is executed.
	Without string
}

// executed is Field.Without of a field that changes what the mesh does.
const executed = ""

// Executed reports whether the field changes what the mesh does with some request. The other fields are read and have no effect on
// requests, for the reason that Without gives.
func (f Field) Executed() bool { return f.Without == executed }

// String names the row: "HTTPRoute.retries".
func (f Field) String() string { return f.Of + "." + f.Name }

// Fields are all rows of the table, in its order: the fields of the messages of Istio's API, the values of its enumerations, and the
// fields that are known by their paths.
func Fields() []Field { return slices.Concat(istioFields, istioValues, objectFields()) }

// supported are the names of the accepted fields by message of Istio's API, and supportedValues those of the accepted values by
// enumeration. kubernetesFields are the names of the accepted fields by kind of object and by the path that holds them; of a path
// that holds none, every field of Kubernetes is accepted.
var (
	supported        = byHolder(istioFields)
	supportedValues  = byHolder(istioValues)
	kubernetesFields = byPath(objectFields())
)

// byHolder are the names of the rows by what has the field.
func byHolder(rows []Field) map[protoreflect.Name][]string {
	names := make(map[protoreflect.Name][]string)
	for _, f := range rows {
		of := protoreflect.Name(f.Of)
		names[of] = append(names[of], f.Name)
	}
	return names
}

// byPath are the names of the fields on the paths of the rows, by kind and by the path that holds them: "spec.ports[]" holds "name".
func byPath(rows []Field) map[string]map[string][]string {
	names := make(map[string]map[string][]string)
	for _, f := range rows {
		if names[f.Of] == nil {
			names[f.Of] = map[string][]string{"": {"apiVersion", "kind"}}
		}
		holder := ""
		for segment := range strings.SplitSeq(f.Name, ".") {
			name := strings.TrimSuffix(segment, "[]")
			if !slices.Contains(names[f.Of][holder], name) {
				names[f.Of][holder] = append(names[f.Of][holder], name)
			}
			holder = yamlnode.Join(holder, segment)
		}
	}
	return names
}
