package manifests

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Beyond is a field of an object that Istio executes and this package does not.
type Beyond struct {
	// Field is its path in the object: "spec.http[0].corsPolicy". Line is where it stands.
	Field string
	Line  int
	// Value is what the file has there: map[string]any, []any, string, bool, json.Number.
	Value any
}

// applicable are the fields that may be kept although they are not executed, by message of Istio's API. They are about other protocols, or
// about what becomes of a request after its rule is chosen: a condition that is ignored would make another rule of it.
var applicable = map[protoreflect.Name][]string{
	"VirtualService":       {"tcp", "tls"},
	"HTTPRoute":            {"corsPolicy"},
	"TrafficPolicy":        {"proxyProtocol"},
	"RetryBudget":          {"budgetInterval"},
	"LoadBalancerSettings": {"localityLbSetting", "warmup", "warmupDurationSecs"},
}

// LoadForCluster is LoadOthers for files that a cluster executes: some fields of VirtualServices and DestinationRules that this package
// does not execute are kept in Object.Beyond, and not refused: corsPolicy, proxyProtocol, warmup and others like them. Objects
// of security.istio.io are kept in Others.Policies.
func LoadForCluster(names []string, stdin io.Reader) (*Others, error) {
	return loadOthers(names, stdin, true)
}

// keeps keeps a field that is not executed, if it may be kept.
func (d *document) keeps(field string, in protoreflect.MessageDescriptor, value any) bool {
	name := field[strings.LastIndexByte(field, '.')+1:]
	if !d.keepBeyond || !slices.Contains(applicable[in.Name()], name) {
		return false
	}
	if value != nil { // null is the same as absent
		d.beyond = append(d.beyond, Beyond{Field: field, Line: d.lines.of(field, d.first), Value: value})
	}
	return true
}

// goesBeyond reports whether a field holds one that was kept although it is not executed.
func (d *document) goesBeyond(field string) bool {
	return slices.ContainsFunc(d.beyond, func(b Beyond) bool { return strings.HasPrefix(b.Field, field+".") })
}

// put sets a field that is beyond this package in the object as an API server takes it. The messages around the field are there.
func (b *Beyond) put(object map[string]any) error {
	names := strings.Split(b.Field, ".")
	at := object
	for i, name := range names {
		name, index, listed := strings.Cut(strings.TrimSuffix(name, "]"), "[")
		if i == len(names)-1 {
			at[name] = plain(b.Value)
			return nil
		}
		next := at[name]
		if listed {
			items, _ := next.([]any)
			n, err := strconv.Atoi(index)
			if err != nil || n >= len(items) {
				return fmt.Errorf("field %s: there is no item %s of %s", b.Field, index, name)
			}
			next = items[n]
		}
		fields, ok := next.(map[string]any)
		if !ok {
			return fmt.Errorf("field %s: there is no object %s to hold it", b.Field, name)
		}
		at = fields
	}
	return nil
}

// plain is a decoded value with the types of numbers that an API server's client takes.
func plain(value any) any {
	switch v := value.(type) {
	case map[string]any:
		all := make(map[string]any, len(v))
		for name, inner := range v {
			all[name] = plain(inner)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, inner := range v {
			all[i] = plain(inner)
		}
		return all
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		number, _ := v.Float64() // YAML's numbers were read as JSON, which has no others
		return number
	}
	return value
}
