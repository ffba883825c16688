package envoy

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// SomeAnswer are headers of an answer, in which the changes of answers are compared.
var SomeAnswer = http.Header{"X-A": {"1"}, "X-B": {"2"}}

// HeaderWords are headers in words, without those that a proxy writes itself.
func HeaderWords(h http.Header) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if name != "X-Forwarded-Proto" && name != "X-Forwarded-For" && name != "X-Request-Id" {
			all = append(all, fmt.Sprintf("%s=%s", name, strings.Join(h[name], "|")))
		}
	}
	return "[" + strings.Join(all, " ") + "]"
}

// changed are headers after one of Envoy's header parsers: it removes, then overwrites, then adds (HeaderParser::evaluateHeaders).
func changed(h http.Header, add []*core.HeaderValueOption, remove []string) (http.Header, error) {
	h = h.Clone()
	for _, name := range remove {
		h.Del(name)
	}
	for _, o := range add {
		if o.AppendAction == core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
			h.Set(o.Header.Key, unescaped(o.Header.Value))
		}
	}
	for _, o := range add {
		switch o.AppendAction {
		case core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD:
		case core.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD:
			h.Add(o.Header.Key, unescaped(o.Header.Value))
		default:
			return nil, fmt.Errorf("header %s is to be added by %s", o.Header.Key, o.AppendAction)
		}
	}
	return h, nil
}

func unescaped(value string) string { return strings.ReplaceAll(value, "%%", "%") }
