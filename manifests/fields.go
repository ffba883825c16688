package manifests

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/yamlnode"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

// notExecuted is the problem of a field that Istio or Kubernetes knows and this package does not execute.
const notExecuted = "is not supported by hellochaos: the prediction would ignore what this field does, and the verdict could be " +
	"false; remove it"

// checkValue refuses a value of an enumeration that Istio knows and this package does not execute.
func (d *document) checkValue(path string, value protoreflect.Enum) {
	accepted := supportedValues[enumeration(value.Descriptor())]
	name := valueName(value)
	if !slices.Contains(accepted, name) {
		d.problem(path, "%s is not supported by hellochaos; accepted: %s", name, strings.Join(accepted, ", "))
	}
}

// enumeration is what the table of what is supported calls an enumeration of Istio's API.
func enumeration(of protoreflect.EnumDescriptor) protoreflect.Name {
	if message := of.Parent().Name(); message == "ServerTLSSettings" && of.Name() == "TLSmode" { // ClientTLSSettings has one of this name
		return message + "." + of.Name()
	}
	return of.Name()
}

// valueName is the name of an enumeration's value as YAML has it, or its number where Istio's API names none.
func valueName(value protoreflect.Enum) string {
	if known := value.Descriptor().Values().ByNumber(value.Number()); known != nil {
		return string(known.Name())
	}
	return strconv.Itoa(int(value.Number()))
}

// fill sets the fields of a message of Istio's API from decoded JSON and records every field that is unknown, not
// supported or of the wrong type. path is where the message stands in the document.
func (d *document) fill(path string, m protoreflect.Message, value any) {
	fields, ok := value.(map[string]any)
	if !ok {
		d.mustBe(path, "an object", value)
		return
	}
	accepted := supported[m.Descriptor().Name()]
	d.holders = append(d.holders, holder{path, m.Descriptor()})
	defer func() { d.holders = d.holders[:len(d.holders)-1] }()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field := yamlnode.Join(path, name)
		fd := fieldNamed(m.Descriptor(), name)
		switch {
		case fd == nil:
			d.unknown(path, name, m.Descriptor())
		case name == oldMirrorPercent && fields[fd.JSONName()] != nil:
			d.problem(field, "cannot be set beside %s, of which it is another name", fd.JSONName())
		case !slices.Contains(accepted, fd.JSONName()) && d.keeps(field, m.Descriptor(), fields[name]):
		case !slices.Contains(accepted, fd.JSONName()):
			d.problem(field, notExecuted)
		case fields[name] == nil:
			// null is the same as absent.
		case fd.ContainingOneof() != nil && m.WhichOneof(fd.ContainingOneof()) != nil:
			d.problem(field, "cannot be set beside %s: only one of the two is accepted", m.WhichOneof(fd.ContainingOneof()).JSONName())
		default:
			d.set(field, m, fd, fields[name])
		}
	}
}

// oldMirrorPercent is the only name of a field in snake case that Istio's CRDs accept.
const oldMirrorPercent = "mirror_percent"

// fieldNamed is the field of a message that has a name in YAML; nil where none has.
func fieldNamed(in protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if name == oldMirrorPercent {
		return in.Fields().ByName(oldMirrorPercent)
	}
	return in.Fields().ByJSONName(name)
}

// set sets one field of a message.
func (d *document) set(path string, m protoreflect.Message, fd protoreflect.FieldDescriptor, value any) {
	switch {
	case fd.IsMap():
		fields, ok := value.(map[string]any)
		if !ok {
			d.mustBe(path, "a map", value)
			return
		}
		entries := m.Mutable(fd).Map()
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if v, ok := d.single(yamlnode.Join(path, key), fd.MapValue(), entries.NewValue, fields[key]); ok {
				entries.Set(protoreflect.ValueOfString(key).MapKey(), v)
			}
		}
	case fd.IsList():
		items, ok := value.([]any)
		if !ok {
			d.mustBe(path, "a list", value)
			return
		}
		list := m.Mutable(fd).List()
		for i, item := range items {
			if v, ok := d.single(fmt.Sprintf("%s[%d]", path, i), fd, list.NewElement, item); ok {
				list.Append(v)
			}
		}
	default:
		empty := func() protoreflect.Value { return m.NewField(fd) }
		if v, ok := d.single(path, fd, empty, value); ok {
			m.Set(fd, v)
		}
	}
}

// mustBe records that a value of decoded JSON is not what the field takes.
func (d *document) mustBe(path, wanted string, value any) {
	if value == nil {
		d.problem(path, "must be %s, but it is missing or empty", wanted)
		return
	}
	d.problem(path, "must be %s, not %s", wanted, kindOf(value))
}

// single makes one value of a field's type from decoded JSON. It returns false, and records the problem, when the JSON has
// another type.
func (d *document) single(path string, fd protoreflect.FieldDescriptor, empty func() protoreflect.Value, value any) (protoreflect.Value, bool) {
	if fd.Kind() == protoreflect.MessageKind {
		return d.message(path, fd.Message().FullName(), empty, value)
	}
	var v protoreflect.Value
	var want string
	switch fd.Kind() {
	case protoreflect.StringKind:
		want = "a string (in quotes)"
		if s, ok := value.(string); ok {
			v = protoreflect.ValueOfString(s)
		}
	case protoreflect.BoolKind:
		want = "true or false"
		if b, ok := value.(bool); ok {
			v = protoreflect.ValueOfBool(b)
		}
	case protoreflect.EnumKind:
		want = "one of " + strings.Join(supportedValues[enumeration(fd.Enum())], ", ")
		if s, ok := value.(string); ok {
			if e := fd.Enum().Values().ByName(protoreflect.Name(s)); e != nil {
				v = protoreflect.ValueOfEnum(e.Number())
			}
		}
	default:
		v, want = number(fd.Kind(), value)
	}
	if !v.IsValid() {
		d.mustBe(path, want, value)
	}
	return v, v.IsValid()
}

// number makes a value of one of the kinds of numbers that Istio's API has. The value is not valid when the JSON is no such
// number; want is what a problem calls the kind.
func number(kind protoreflect.Kind, value any) (v protoreflect.Value, want string) {
	n, _ := value.(json.Number)
	text := n.String()
	switch kind {
	case protoreflect.Int32Kind:
		if i, err := strconv.ParseInt(text, 10, 32); err == nil {
			v = protoreflect.ValueOfInt32(int32(i))
		}
		return v, "a whole number"
	case protoreflect.Uint32Kind:
		if i, err := strconv.ParseUint(text, 10, 32); err == nil {
			v = protoreflect.ValueOfUint32(uint32(i))
		}
		return v, "a whole number of at least 0"
	case protoreflect.Uint64Kind:
		if i, err := strconv.ParseUint(text, 10, 64); err == nil {
			v = protoreflect.ValueOfUint64(i)
		}
		return v, "a whole number of at least 0"
	case protoreflect.DoubleKind:
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) {
			v = protoreflect.ValueOfFloat64(f)
		}
		return v, "a number"
	}
	return v, "of a type that hellochaos reads, which " + kind.String() + " is not"
}

// message makes a value of a message type. Istio's YAML has plain values for Google's Duration, BoolValue, UInt32Value and DoubleValue.
func (d *document) message(path string, name protoreflect.FullName, empty func() protoreflect.Value, value any) (protoreflect.Value, bool) {
	before := len(d.problems)
	v := empty()
	switch name {
	case "google.protobuf.Duration":
		if duration, ok := d.duration(path, value); ok {
			return protoreflect.ValueOfMessage(durationpb.New(duration).ProtoReflect()), true
		}
	case "google.protobuf.BoolValue":
		b, ok := value.(bool)
		if !ok {
			d.mustBe(path, "true or false", value)
			break
		}
		v.Message().Set(v.Message().Descriptor().Fields().ByName("value"), protoreflect.ValueOfBool(b))
	case uint32Value, doubleValue:
		of := v.Message().Descriptor().Fields().ByName("value")
		n, want := number(of.Kind(), value)
		if !n.IsValid() {
			d.mustBe(path, want, value)
			break
		}
		v.Message().Set(of, n)
	default:
		d.fill(path, v.Message(), value)
	}
	return v, len(d.problems) == before
}

// duration reads a duration as Istio does: in Go's form, a whole number of milliseconds, at least 1.
func (d *document) duration(path string, value any) (time.Duration, bool) {
	text, ok := value.(string)
	if !ok {
		d.mustBe(path, `a duration such as "2s" or "300ms"`, value)
		return 0, false
	}
	duration, err := time.ParseDuration(text)
	switch {
	case err != nil:
		d.mustBe(path, `a duration such as "2s" or "300ms"`, value)
	case duration == 0 && (strings.HasSuffix(path, ".httpCookie.ttl") || strings.HasSuffix(path, ".tcp.idleTimeout")):
		return 0, true
	case duration < time.Millisecond:
		d.problem(path, "must be at least 1ms, not %q", text)
	case duration%time.Millisecond != 0:
		d.problem(path, "must be a whole number of milliseconds, not %q", text)
	default:
		return duration, true
	}
	return 0, false
}

// kindOf is what a problem calls a decoded JSON value.
func kindOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case string:
		return strconv.Quote(v)
	case []any:
		return "a list"
	}
	return "an object"
}
