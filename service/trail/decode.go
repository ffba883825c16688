package trail

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of the trails that Decode accepts.
const (
	// MaxBytes is the largest length of the JSON in bytes, enough for MaxHops hops of about 380 bytes each.
	MaxBytes = 3 << 19
	// MaxHops is the largest number of hops.
	MaxHops = 4096
	// MaxDepth is the largest number of hops that call each other in a row. Services that read HeaderTries refuse a deeper call.
	MaxDepth = 32
)

// Members of the JSON objects of a trail. The first hopRequired and callRequired of them must be present.
var (
	hopMembers  = []string{"service", "version", "status", "attempt", "elapsed_ns", "calls", "host", "path", "pod"}
	callMembers = []string{"url", "status", "elapsed_ns", "number", "error", "body", "hop", "connection", "turn"}
)

const (
	hopRequired  = 5
	callRequired = 3
)

// Decode reads the JSON that Append writes, with any white space and the members in any order. It is strict, because verdicts
// follow from what it reads. Errors, which name the byte, are: an unknown, missing or repeated member, a null, a number that is
// not a whole number in its range, text that is not UTF-8, text after the end, calls that are not in the order of their numbers,
// and a trail larger than MaxBytes, MaxHops or MaxDepth.
func Decode(data []byte) (*Hop, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("trail of %d bytes: want at most %d", len(data), MaxBytes)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("trail of %d bytes: want UTF-8", len(data))
	}
	d := decoder{form: "trail", text: string(data)}
	hop := d.hop()
	if err := d.end(); err != nil {
		return nil, err
	}
	return hop, nil
}

// decoder reads text, beginning at the index at. It stops at its first error.
type decoder struct {
	form string // what text is, for errors: "trail" or "spans"
	text string
	at   int
	hops int
	deep int // how many hops contain the one that is read

	spanCallCount int
	err           error
}

// end checks that only white space is left, and returns the first error.
func (d *decoder) end() error {
	if d.space(); d.err == nil && d.at < len(d.text) {
		d.want("nothing after the " + d.form)
	}
	return d.err
}

func (d *decoder) hop() *Hop {
	if d.hops++; d.hops > MaxHops {
		d.want(fmt.Sprintf("at most %d hops", MaxHops))
		return nil
	}
	if d.deep++; d.deep > MaxDepth {
		d.want(fmt.Sprintf("at most %d hops one below the other", MaxDepth))
		return nil
	}
	h := new(Hop)
	d.object(hopMembers, hopRequired, func(member int) {
		switch hopMembers[member] {
		case "service":
			h.Service = d.string()
		case "version":
			h.Version = d.string()
		case "status":
			h.Status = int(d.number(100, 599))
		case "attempt":
			h.Attempt = int(d.number(0, math.MaxInt32))
		case "host":
			h.Host = d.string()
		case "path":
			h.Path = d.string()
		case "pod":
			h.Pod = d.string()
		case "elapsed_ns":
			h.Elapsed = time.Duration(d.number(0, math.MaxInt64))
		case "calls":
			h.Calls = d.calls()
		}
	})
	d.deep--
	return h
}

// calls reads at least one call, because a hop without calls has no member "calls".
func (d *decoder) calls() []Call {
	d.token('[')
	all := make([]Call, 0, 1)
	for last, more := -1, true; more && d.err == nil; more = d.next(',') {
		start := d.at
		all = append(all, Call{})
		c := &all[len(all)-1]
		d.call(c)
		d.order(start, &last, c.Number)
	}
	d.token(']')
	return all
}

// order checks that the number of a call, which begins at the index start, is larger than the number of the call before it.
func (d *decoder) order(start int, last *int, number int) {
	if number <= *last && d.err == nil {
		d.at = start
		d.want("calls in the order of their numbers")
	}
	*last = number
}

func (d *decoder) call(c *Call) {
	d.object(callMembers, callRequired, func(member int) {
		switch callMembers[member] {
		case "number":
			c.Number = int(d.number(0, MaxHops))
		case "url":
			c.URL = d.string()
		case "status":
			c.Status = int(d.number(0, 599))
		case "error":
			c.Error = d.string()
		case "elapsed_ns":
			c.Elapsed = time.Duration(d.number(0, math.MaxInt64))
		case "body":
			c.Body = d.string()
		case "hop":
			c.Hop = d.hop()
		case "connection":
			c.Connection = int(d.number(0, math.MaxInt32))
		case "turn":
			c.Turn = int(d.number(0, math.MaxInt32))
		}
	})
}

// object reads an object whose members have these names. The first required names must be present. It calls read at each value,
// with the index of the name.
func (d *decoder) object(names []string, required int, read func(member int)) {
	d.token('{')
	seen := 0
	for more := true; more && d.err == nil; more = d.next(',') {
		start := d.at
		member := slices.Index(names, d.string())
		if d.err == nil && (member < 0 || seen&(1<<member) != 0) {
			d.at = start
			d.want("only the members " + strings.Join(names, ", ") + ", each of them once at most")
		}
		if d.token(':'); d.err != nil {
			return
		}
		seen |= 1 << member
		read(member)
	}
	if d.token('}'); d.err != nil {
		return
	}
	for member, name := range names[:required] {
		if seen&(1<<member) == 0 {
			d.want("member " + name + " before the end of its object")
			return
		}
	}
}

// number reads a whole number in [least, most]. least must not be negative.
func (d *decoder) number(least, most int64) int64 {
	d.space()
	start, value := d.at, int64(0)
	for ; d.at < len(d.text) && d.text[d.at]-'0' <= 9; d.at++ {
		digit := int64(d.text[d.at] - '0')
		if value > (most-digit)/10 {
			d.want(fmt.Sprintf("at most %d", most))
			return 0
		}
		value = 10*value + digit
	}
	if length := d.at - start; length == 0 || length > 1 && d.text[start] == '0' || value < least {
		d.at = start
		d.want(fmt.Sprintf("a whole number in [%d, %d]", least, most))
	}
	return value
}

// string reads a string. It does not copy a string without escapes.
func (d *decoder) string() string {
	d.token('"')
	start, escaped := d.at, false
	for ; d.err == nil && d.at < len(d.text); d.at++ {
		switch b := d.text[d.at]; {
		case b == '"' && escaped:
			d.at++
			return d.unescape(start - 1)
		case b == '"':
			d.at++
			return d.text[start : d.at-1]
		case b == '\\':
			escaped = true
			d.at++ // an escaped character does not end the string
		case b < ' ':
			d.want("no control character in a string")
			return ""
		}
	}
	d.want("the end of a string")
	return ""
}

// unescape reads the string that begins with the quote at start and ends before d.at. It is fast for the escapes \", \\ and \/,
// which are common: the body of the clock has many quotes.
func (d *decoder) unescape(start int) string {
	quoted := d.text[start:d.at]
	plain := make([]byte, 0, len(quoted))
	for i := 1; i < len(quoted)-1; i++ {
		b := quoted[i]
		if b == '\\' {
			i++
			if b = quoted[i]; b != '"' && b != '\\' && b != '/' {
				return d.unescapeAny(start, quoted)
			}
		}
		plain = append(plain, b)
	}
	return string(plain)
}

// unescapeAny reads a string with other escapes by encoding/json.
func (d *decoder) unescapeAny(start int, quoted string) (plain string) {
	if err := json.Unmarshal([]byte(quoted), &plain); err != nil {
		d.at = start
		d.want("a JSON string")
	}
	return plain
}

// token reads the byte b, which must be next.
func (d *decoder) token(b byte) {
	if !d.next(b) {
		d.want(fmt.Sprintf("%q", b))
	}
}

// next reads the byte b if it is next, and reports whether it was.
func (d *decoder) next(b byte) bool {
	d.space()
	if d.err != nil || d.at >= len(d.text) || d.text[d.at] != b {
		return false
	}
	d.at++
	return true
}

func (d *decoder) space() {
	for d.err == nil && d.at < len(d.text) {
		switch d.text[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// want records the error that what was expected at d.at, unless there was an error before. The decoder then stops.
func (d *decoder) want(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%s at byte %d: want %s", d.form, d.at, what)
	}
}
