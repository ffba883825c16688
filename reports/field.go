package reports

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// field is a field of a type of the report, as its tags describe it.
type field struct {
	name        string
	kind        reflect.Type
	required    bool
	enumeration []string
}

var timeType = reflect.TypeFor[time.Time]()

// accepted returns in words which values a field accepts.
func (k *field) accepted() string {
	if len(k.enumeration) > 0 {
		last := len(k.enumeration) - 1
		return strings.Join(k.enumeration[:last], ", ") + " or " + k.enumeration[last]
	}
	switch k.kind.Kind() {
	case reflect.Struct:
		if k.kind == timeType {
			return "a time"
		}
		return "an object"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// fieldCache has the fields of each type that fieldsOf has returned before.
var fieldCache sync.Map

// fieldsOf returns the fields of a struct in the order of its declaration.
func fieldsOf(kind reflect.Type) []field {
	if found, ok := fieldCache.Load(kind); ok {
		return found.([]field)
	}
	var fields []field
	for _, declared := range reflect.VisibleFields(kind) {
		if declared.Anonymous {
			continue // Its fields follow, and are those of the object itself.
		}
		name, options, _ := strings.Cut(declared.Tag.Get("json"), ",")
		k := field{name: name, kind: declared.Type, required: !strings.Contains(options, "omit")}
		for _, rule := range strings.Split(declared.Tag.Get("jsonschema"), ",") {
			if value, ok := strings.CutPrefix(rule, "enum="); ok {
				k.enumeration = append(k.enumeration, value)
			}
		}
		fields = append(fields, k)
	}
	fieldCache.Store(kind, fields)
	return fields
}

// indexOf returns the index of the first element that is wanted, or -1.
func indexOf[T any](all []T, wanted func(*T) bool) int {
	return slices.IndexFunc(all, func(one T) bool { return wanted(&one) })
}
