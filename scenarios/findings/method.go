package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// methods finds matches that ask for a method which Envoy's parser does not know. Methods are compared with regard to case.
func (f *finder) methods() {
	for i := range f.entries {
		e := &f.entries[i]
		for _, asked := range e.Asked() {
			method := unknownMethod(&asked)
			if method == "" {
				continue
			}
			hint := ""
			if upper := strings.ToUpper(method); manifests.KnownMethod(upper) {
				hint = fmt.Sprintf(" (did you mean %q?)", upper)
			}
			f.add(NoMethod, e, e.Line, fmt.Sprintf("%s asks for method %q, which Envoy does not know%s: it answers 400 to such a request, and looks at no rule", e.Name, method, hint), "no request meets it by this match")
		}
	}
}

// unknownMethod is the method that a match asks for exactly and that Envoy does not know; empty where it asks for none such.
func unknownMethod(asked *manifests.Asked) string {
	if asked.Method == nil || asked.Method.Exact == nil || *asked.Method.Exact == "" || manifests.KnownMethod(*asked.Method.Exact) {
		return ""
	}
	return *asked.Method.Exact
}

// unknownMethods reports whether an entry has matches, each of which asks for a method that Envoy does not know.
func unknownMethods(e *manifests.HTTPEntry) bool {
	asked := e.Asked()
	return len(asked) > 0 && !slices.ContainsFunc(asked, func(a manifests.Asked) bool { return unknownMethod(&a) == "" })
}
