package scenarios

import (
	"encoding/json"
	"reflect"
	"strings"
)

// schemaOf is the version of JSON Schema that Schema is written in.
const schemaOf = "https://json-schema.org/draft/2020-12/schema"

// object is an object of JSON.
type object = map[string]any

// Schema is the JSON Schema of scenario files, for editors: the fields of the form, whether they must be there, and what their values are
// as far as that can be said of a field by itself. What it accepts, 'hellochaos validate' may still refuse.
func Schema() []byte {
	root := schema("", reflect.TypeFor[form]())
	root["$schema"], root["title"] = schemaOf, "hellochaos scenario "+APIVersion
	root["anyOf"] = []object{{"required": []string{"apply"}}, {"required": []string{"phases"}}}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // it consists of texts and numbers
	}
	return append(text, '\n')
}

// schema is the schema of a type at a path, such as "cohorts.weight"; "phases" is no part of a path, since its fields are the file's.
func schema(path string, of reflect.Type) object {
	switch of.Kind() {
	case reflect.Pointer:
		return schema(path, of.Elem())
	case reflect.Struct:
		return structure(path, of)
	case reflect.Slice:
		return object{"type": "array", "minItems": 1, "items": schema(path, of.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": object{"type": "string"}}
	case reflect.Float64:
		return with(object{"type": "number"}, narrowed[path])
	}
	return with(object{"type": "string"}, narrowed[path])
}

// structure is the schema of a struct.
func structure(path string, of reflect.Type) object {
	properties, required := object{}, []string{}
	for i := range of.NumField() {
		field := of.Field(i)
		name, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		at := name
		if path != "" && path != "phases" {
			at = path + "." + name
		}
		one := schema(at, field.Type)
		one["description"] = field.Tag.Get("doc")
		if properties[name] = one; option == "" {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	if of == reflect.TypeFor[entryForm]() {
		s["oneOf"] = []object{{"required": []string{"service"}}, {"required": []string{"caller"}}, {"required": []string{"gateway"}}}
		s["dependentRequired"] = object{"port": []string{"gateway"}}
	}
	return s
}

// with is a schema with what narrows it.
func with(s, more object) object {
	for name, value := range more {
		s[name] = value
	}
	return s
}

// narrowed is what is accepted of the values of a field, by its path, as check asks for it.
var narrowed = map[string]object{
	"apiVersion":         {"const": APIVersion},
	"kind":               {"const": Kind},
	"name":               {"pattern": named.String(), "maxLength": longestName, "not": object{"const": allStages}},
	"after":              {"pattern": named.String(), "maxLength": longestName},
	"title":              {"pattern": oneLine},
	"lessons":            {"pattern": oneLine},
	"expect":             {"minLength": 1},
	"apply":              {"minLength": 1},
	"exclude":            {"exclusiveMinimum": 0, "maximum": mostExcluded},
	"entry.port":         numberOfPort,
	"cohorts.entry.port": numberOfPort,
	"cohorts.name":       {"pattern": oneLine},
	"cohorts.weight":     {"minimum": 1, "maximum": mostWeight, "multipleOf": 1},
	"cohorts.method":     {"enum": methods},
	"cohorts.path":       {"pattern": "^/"},
	"parameters.name":    {"pattern": named.String(), "maxLength": longestName, "not": object{"const": allStages}},
	"parameters.title":   {"pattern": oneLine},
	"unmet.rule":         {"pattern": "^(VirtualService|HTTPRoute) ."},
	"unmet.reason":       {"pattern": oneLine},
	"accepted.finding":   {"pattern": "^HC2"},
	"accepted.rule":      {"pattern": "^(VirtualService|HTTPRoute) ."},
	"accepted.reason":    {"pattern": oneLine},
}

// numberOfPort is a whole number that a port can have.
var numberOfPort = object{"minimum": 1, "maximum": mostPort, "multipleOf": 1}

// oneLine is the pattern of a text on one line, without blanks around it.
const oneLine = `^\S(.*\S)?$`
