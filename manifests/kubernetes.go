package manifests

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/yamlnode"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/json"
)

// checkFields refuses the fields that accepted does not name. pattern is path with "[]" in place of the indices of lists.
func (d *document) checkFields(accepted map[string][]string, path, pattern string, value any) {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			d.checkFields(accepted, fmt.Sprintf("%s[%d]", path, i), pattern+"[]", item)
		}
	case map[string]any:
		names, listed := accepted[pattern]
		if !listed {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			switch {
			case v[name] == nil: // the same as absent
			case slices.Contains(names, name):
				d.checkFields(accepted, yamlnode.Join(path, name), yamlnode.Join(pattern, name), v[name])
			default:
				d.problem(yamlnode.Join(path, name), notExecuted)
			}
		}
	}
}

// goField finds the parts of a message of the JSON decoder: "json: cannot unmarshal string into Go struct field
// ServiceSpec.spec.replicas of type int32".
var goField = regexp.MustCompile(`^json: cannot unmarshal (.+) into Go (?:struct field [A-Za-z]*\.(\S+)|value) of type (\S+)$`)

// strict decodes JSON into a Kubernetes type as the API server does with fieldValidation Strict: names are
// case-sensitive and unknown ones are problems.
func (d *document) strict(data []byte, into any) {
	unknown, err := json.UnmarshalStrict(data, into)
	for _, err := range unknown {
		field := ""
		if at, ok := err.(json.FieldError); ok {
			field = at.FieldPath()
		}
		d.problem(field, "unknown field%s", acceptedBeside(field, into))
	}
	if err == nil {
		return
	}
	if place := goField.FindStringSubmatch(err.Error()); place != nil {
		d.problem(place[2], "%s", wrongType(place[1], strings.TrimPrefix(place[3], "*")))
		return
	}
	d.problem("", "cannot be read as Kubernetes' API reads it: %v", err)
}

// index is a list's index in a path.
var index = regexp.MustCompile(`\[\d+\]`)

// acceptedBeside lists the fields that are accepted where an unknown field of object stands: a Kubernetes object, or the head of
// one of Istio's.
func acceptedBeside(field string, object any) string {
	kind := reflect.TypeOf(object).Elem().Name()
	if reflect.TypeOf(object).Elem() == reflect.TypeFor[gatewayv1.Gateway]() {
		kind = fieldsOf(gatewayVersions[0], kind)
	}
	holder := index.ReplaceAllString(field[:max(0, strings.LastIndexByte(field, '.'))], "[]")
	names := kubernetesFields[kind][holder]
	if kind == reflect.TypeFor[head]().Name() && holder == "" {
		names = []string{"apiVersion", "kind", "metadata", "spec", "status"}
	}
	if names != nil {
		return "; accepted: " + strings.Join(names, ", ")
	}
	return ": Kubernetes' API has no field of this name here"
}

// jsonTypes are the words for the types of JSON and of Go in messages of the JSON decoder.
var jsonTypes = map[string]string{"array": "a list", "object": "an object", "string": "a string", "number": "a number",
	"bool": "true or false", "int32": "a whole number", "int64": "a whole number"}

// wrongType is the problem of a field whose JSON type is found where Kubernetes' API has a field of the Go type wanted.
func wrongType(found, wanted string) string {
	kind, _, _ := strings.Cut(found, " ") // "number 1.5"
	if name, ok := jsonTypes[kind]; ok {
		found = name
	}
	switch {
	case jsonTypes[wanted] != "":
		return "must be " + jsonTypes[wanted] + ", not " + found
	case strings.HasPrefix(wanted, "[]"):
		return "must be a list, not " + found
	case strings.HasPrefix(wanted, "map["):
		return "must be a map, not " + found
	}
	return "must not be " + found + ": Kubernetes' API has another type here"
}
