package differential

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// features are the parts of Istio's API that an object has, such as "VirtualService http.match.headers.*.regex", and the forms of the hosts in
// it, such as "VirtualService hosts: wildcard".
func features(o tree) map[string]bool {
	all := make(map[string]bool)
	kind := o["kind"].(string)
	if kind == "Gateway" && strings.HasPrefix(o["apiVersion"].(string), "gateway.") {
		kind = "Gateway of Gateway API"
	}
	collect(o["spec"], kind, "", all)
	return all
}

// anyNames are the fields whose keys are names that the user chooses.
var anyNames = []string{"headers", "withoutHeaders", "queryParams", "labels", "set", "add", "selector"}

func collect(part any, kind, path string, all map[string]bool) {
	switch p := part.(type) {
	case tree:
		for key, value := range p {
			if name := path[strings.LastIndexByte(path, '.')+1:]; slices.Contains(anyNames, name) && key != "request" && key != "response" {
				key = "*"
			}
			collect(value, kind, strings.TrimPrefix(path+"."+key, "."), all)
		}
	case []any:
		for _, value := range p {
			collect(value, kind, path, all)
		}
	case string:
		all[kind+" "+path] = true
		if strings.HasSuffix(path, "host") || strings.HasSuffix(path, "hosts") {
			all[kind+" "+path+": "+form(p)] = true
		}
	default:
		all[kind+" "+path] = true
	}
}

// form is the form of a host.
func form(host string) string {
	_, name, namespaced := strings.Cut(host, "/")
	if !namespaced {
		name = host
	}
	words := []string{"full"}
	switch {
	case name == "*":
		words[0] = "star"
	case strings.HasPrefix(name, "*"):
		words[0] = "wildcard"
	case !strings.Contains(name, "."):
		words[0] = "short"
	case strings.HasSuffix(name, ".cluster.local"):
	case strings.HasSuffix(name, "example"):
		words[0] = "outside"
	default:
		words[0] = "dotted"
	}
	if name != strings.ToLower(name) {
		words = append(words, "upper case")
	}
	if namespaced {
		words = append(words, "of a namespace")
	}
	return strings.Join(words, ", ")
}

// count is how often something was seen.
type count map[string]int

// names are what was seen, sorted.
func (c count) names() []string { return slices.Sorted(maps.Keys(c)) }

// kindOf is what an outcome has in common with others that may have one cause: what kinds of things the request meets.
func kindOf(outcome string) string {
	words := regexp.MustCompile(`404|reset|redirect|direct \d+|NC|UH|external|pod|retry|timeout|fault abort|fault delay`)
	found := words.FindAllString(outcome, -1)
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " ")
}
