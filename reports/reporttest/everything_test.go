package reporttest

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/reports"
)

// What Everything promises is true, so that a new field is added to it.
func TestEverythingIsSet(t *testing.T) {
	set := map[string]bool{}
	visit(reflect.ValueOf(Everything()), "Report", set)
	for name, ok := range set {
		if !ok {
			t.Errorf("%s has a value nowhere in Everything()", name)
		}
	}
	if len(set) < 150 {
		t.Errorf("%d fields, want at least 150", len(set))
	}
}

func visit(v reflect.Value, name string, set map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Elem(), name, set)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), name, set)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			key := v.Type().Name() + "." + v.Type().Field(i).Name
			set[key] = set[key] || !v.Field(i).IsZero()
			visit(v.Field(i), key, set)
		}
	}
}

// Every report of the package is one that can be saved and read.
func TestReportsCanBeRead(t *testing.T) {
	for name, r := range Named() {
		var out bytes.Buffer
		if err := reports.JSON(&out, r); err != nil {
			t.Fatal(err)
		}
		if _, err := reports.Read(&out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
