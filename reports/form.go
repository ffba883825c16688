package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/stats"
)

// most is the largest whole number that a report may have, and mostFloat the largest other number. Both are far larger than any
// number of a run, and small enough that reports can add them up without losing digits that they show.
const (
	most      = 1_000_000_000_000
	mostFloat = 1e15
)

// ranges are the accepted ranges of fields by their name in JSON. A whole number that is not listed must be from 0 to most, any other
// number from -mostFloat to mostFloat.
var ranges = map[string]stats.Interval{
	"fail": {Hi: 1}, "hang": {Hi: 1}, "tolerance": {Hi: 1}, "alpha_early": {Hi: 1}, "alpha_final": {Hi: 1}, "quantile": {Hi: 1},
	"aborts": {Hi: 1}, "delays": {Hi: 1}, "share": {Hi: 1}, "exclude": {Hi: 1}, "excludes": {Hi: 1}, "distance": {Hi: 1}, "limit": {Hi: 1},
	"canary_weight": {Hi: 100}, "status": {Hi: 999}, "call_status": {Hi: 999}, "answer": {Hi: 999}, "abort_status": {Hi: 999},
	"parent": {Lo: -1, Hi: most}, "seed": {Hi: math.MaxUint64},
	"elapsed_seconds": {Hi: mostFloat}, "applied_seconds": {Hi: mostFloat}, "latency_seconds": {Hi: mostFloat},
	"value_seconds": {Hi: mostFloat}, "call_elapsed_seconds": {Hi: mostFloat}, "per_try_timeout_seconds": {Hi: mostFloat},
	"timeout_seconds": {Hi: mostFloat}, "delay_seconds": {Hi: mostFloat}, "predicted_error": {Hi: mostFloat}, "first_at_seconds": {Hi: mostFloat}, "last_at_seconds": {Hi: mostFloat},
	"planned_rate": {Hi: mostFloat}, "achieved_rate": {Hi: mostFloat}, "rate": {Hi: mostFloat},
}

// checkForm finds what is wrong with the form of a report: fields that are missing, unknown or given twice, and values that do not
// have the type, the enumeration or the range of their field. data must be valid JSON, and kind is the type that the report must have.
// The unknown fields of a newer minor version are skipped.
func checkForm(data []byte, kind reflect.Type, s schema, found *problems) {
	f := &form{decoder: json.NewDecoder(bytes.NewReader(data)), schema: s, found: found}
	f.decoder.UseNumber()
	f.value(&field{kind: kind})
}

// form reads a report token by token, and compares each with the type that it should have.
type form struct {
	decoder *json.Decoder
	schema  schema
	found   *problems
	place   []step
}

// step is one step of a place in a report: a field, an entry of a map, or an element of an array.
type step struct {
	name  string
	index int  // of an element, which has no name
	entry bool // of a map
}

func (f *form) problem(format string, args ...any) {
	var place strings.Builder
	for i, s := range f.place {
		switch {
		case s.entry:
			fmt.Fprintf(&place, "[%q]", s.name)
		case s.name == "":
			fmt.Fprintf(&place, "[%d]", s.index)
		case i > 0:
			place.WriteString("." + s.name)
		default:
			place.WriteString(s.name)
		}
	}
	f.found.add(place.String(), format, args...)
}

// within reads a value whose place is one step below the current one.
func (f *form) within(s step, of *field) {
	f.place = append(f.place, s)
	f.value(of)
	f.place = f.place[:len(f.place)-1]
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// value reads the value of a field.
func (f *form) value(of *field) {
	kind := of.kind
	if reflect.PointerTo(kind).Implements(unmarshaler) {
		f.selfDecoding(kind)
		return
	}
	if isBins(kind) {
		f.bins(kind)
		return
	}
	token := f.token()
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
		if token == nil {
			return
		}
	}
	switch kind.Kind() {
	case reflect.Struct:
		if f.opens(token, '{', "an object") {
			f.object(kind)
		}
	case reflect.Map:
		if token != nil && f.opens(token, '{', "an object") {
			f.entries(kind)
		}
	case reflect.Slice, reflect.Array:
		if kind.Elem().Kind() == reflect.Uint8 {
			f.bytes(token)
			return
		}
		if token == nil && kind.Kind() == reflect.Slice {
			return // Go writes an empty slice as null.
		}
		if f.opens(token, '[', "an array") {
			f.elements(kind)
		}
	case reflect.String:
		f.text(token, of)
	case reflect.Bool:
		if _, ok := token.(bool); !ok {
			f.wrong(token, "true or false")
		}
	default:
		f.number(token, kind.Kind(), of.name)
	}
}

// token returns the next token; null is nil. The text is valid JSON, so there is no error.
func (f *form) token() json.Token {
	token, _ := f.decoder.Token()
	return token
}

// selfDecoding reads a value whose type has its own UnmarshalJSON.
func (f *form) selfDecoding(kind reflect.Type) {
	var raw json.RawMessage
	_ = f.decoder.Decode(&raw) // valid JSON, see token
	if err := json.Unmarshal(raw, reflect.New(kind).Interface()); err != nil {
		accepted := err.Error()
		if kind == timeType {
			accepted = "must be a time such as 2026-01-02T15:04:05Z"
		}
		f.problem("%s: %s", shown(string(raw)), accepted)
	}
}

// isBins reports whether a type is a list of bins: of pairs of whole numbers.
func isBins(kind reflect.Type) bool {
	return kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Array && kind.Elem().Len() == 2 && kind.Elem().Elem().Kind() == reflect.Int64
}

// bins reads an array of bins. Most of a report is bins, so they are read as a whole, and token by token only where something is
// wrong with them.
func (f *form) bins(kind reflect.Type) {
	var raw json.RawMessage
	_ = f.decoder.Decode(&raw) // valid JSON, see token
	if pairs(raw) {
		return
	}
	slow := *f
	slow.decoder = json.NewDecoder(bytes.NewReader(raw))
	slow.decoder.UseNumber()
	if token := slow.token(); token != nil && slow.opens(token, '[', "an array") {
		slow.elements(kind)
	}
}

// pairs reports whether a JSON text is an array of pairs of whole numbers from 0 to most.
func pairs(raw []byte) bool {
	depth, numbers, digits := 0, 0, 0
	for _, c := range raw {
		switch {
		case c == '[':
			depth, numbers = depth+1, 0
		case c == ']' && depth == 2 && numbers != 2:
			return false
		case c == ']':
			depth, digits = depth-1, 0
		case '0' <= c && c <= '9':
			if digits++; digits == 1 {
				numbers++
			}
			if depth != 2 || digits > 12 {
				return false
			}
		case c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t':
			digits = 0
		default:
			return false
		}
	}
	return true
}

// opens reports whether a token opens the object or array that is expected. If not, it adds a problem and skips the value.
func (f *form) opens(token json.Token, delimiter json.Delim, accepted string) bool {
	if token == delimiter {
		return true
	}
	f.wrong(token, accepted)
	return false
}

// wrong adds the problem that a value is not accepted, and skips the rest of the value.
func (f *form) wrong(token json.Token, accepted string) {
	there := "null"
	switch v := token.(type) {
	case json.Delim:
		there = map[json.Delim]string{'{': "an object", '[': "an array"}[v]
		f.skip()
	case string:
		there = strconv.Quote(shown(v))
	case json.Number:
		there = shown(v.String())
	case bool:
		there = strconv.FormatBool(v)
	}
	f.problem("%s: must be %s", there, accepted)
}

// skip skips the rest of an object or array that has been opened.
func (f *form) skip() {
	for depth := 1; depth > 0; {
		switch f.token() {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

func (f *form) object(kind reflect.Type) {
	known := fieldsOf(kind)
	given := make(map[string]bool, len(known))
	for f.decoder.More() {
		name := f.token().(string)
		i := indexOf(known, func(k *field) bool { return k.name == name })
		again := given[name]
		given[name] = true
		switch {
		case again:
			f.unwanted(name, "given twice: a field must be given once")
		case i >= 0:
			f.within(step{name: name}, &known[i])
		default:
			f.unknown(known, name)
		}
	}
	f.token() // the closing brace
	for _, k := range known {
		if k.required && !given[k.name] {
			f.place = append(f.place, step{name: k.name})
			f.problem("missing: must be %s", k.accepted())
			f.place = f.place[:len(f.place)-1]
		}
	}
}

// unknown reads a field that the type does not have.
func (f *form) unknown(known []field, name string) {
	// Go's decoder ignores the case of names, and would read this field as the known one.
	i := indexOf(known, func(k *field) bool { return strings.EqualFold(k.name, name) })
	switch {
	case i >= 0:
		f.unwanted(name, "the field must be written "+known[i].name)
	case f.schema.newer:
		if _, opened := f.token().(json.Delim); opened {
			f.skip()
		}
	default:
		f.unwanted(name, "unknown field: schema "+f.schema.known+" does not have it")
	}
}

// unwanted adds the problem that a field should not be there, and skips its value.
func (f *form) unwanted(name, why string) {
	f.place = append(f.place, step{name: name})
	f.problem("%s", why)
	f.place = f.place[:len(f.place)-1]
	if _, opened := f.token().(json.Delim); opened {
		f.skip()
	}
}

func (f *form) entries(kind reflect.Type) {
	given := map[string]bool{}
	for f.decoder.More() {
		name := f.token().(string)
		if given[name] {
			f.unwanted(name, "given twice: a name must be given once")
			continue
		}
		given[name] = true
		f.within(step{name: name, entry: true}, &field{kind: kind.Elem()})
	}
	f.token()
}

func (f *form) elements(kind reflect.Type) {
	n := 0
	element := &field{kind: kind.Elem()}
	for ; f.decoder.More(); n++ {
		f.within(step{index: n}, element)
	}
	f.token()
	if kind.Kind() == reflect.Array && n != kind.Len() {
		f.problem("%d elements: must be %d", n, kind.Len())
	}
}

func (f *form) text(token json.Token, of *field) {
	s, ok := token.(string)
	if !ok || len(of.enumeration) > 0 && indexOf(of.enumeration, func(e *string) bool { return *e == s }) < 0 {
		f.wrong(token, of.accepted())
	}
}

// bytes reads bytes, which JSON has in base64.
func (f *form) bytes(token json.Token) {
	if token == nil {
		return // Go writes an empty slice as null.
	}
	s, ok := token.(string)
	if ok {
		_, err := base64.StdEncoding.DecodeString(s)
		ok = err == nil
	}
	if !ok {
		f.wrong(token, "bytes in base64")
	}
}

func (f *form) number(token json.Token, kind reflect.Kind, name string) {
	number, ok := token.(json.Number)
	limits, narrow := ranges[name]
	float := kind == reflect.Float64
	if !ok {
		f.wrong(token, map[bool]string{true: "a number", false: "a whole number"}[float])
		return
	}
	switch {
	case narrow:
	case float:
		limits = stats.Interval{Lo: -mostFloat, Hi: mostFloat}
	default:
		limits = stats.Interval{Hi: most}
	}
	v, err := strconv.ParseFloat(number.String(), 64)
	what := "a number"
	if !float {
		what = "a whole number"
		if _, wrong := strconv.ParseUint(strings.TrimPrefix(number.String(), "-"), 10, 64); wrong != nil {
			err = wrong
		}
	}
	if err != nil || v < limits.Lo || v > limits.Hi {
		f.wrong(token, fmt.Sprintf("%s from %g to %g", what, limits.Lo, limits.Hi))
	}
}
