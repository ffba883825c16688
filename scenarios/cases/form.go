package cases

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/net/http/httpguts"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/derive"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/yamlnode"
)

// testCase reads a case.
func (d *document) testCase(path string, n *yaml.Node) {
	before := len(d.problems)
	c := Case{File: d.file, Line: n.Line, Description: path}
	fields := d.fields(path, n, caseFields)
	if text := fields["description"]; text != nil {
		if description := strings.Join(strings.Fields(d.str(path+".description", text)), " "); description != "" {
			c.Description = description
		}
	}
	if want := fields["wantMatch"]; want != nil {
		if c.WantMatch = strings.EqualFold(want.Value, "true"); want.Kind != yaml.ScalarNode || want.Tag != "!!bool" {
			d.note(path+".wantMatch", "must be true or false, not %s", yamlnode.Found(want))
		}
	}
	if request := fields["request"]; request != nil {
		c.Requests = d.request(path+".request", request)
	} else if n.Kind == yaml.MappingNode {
		d.note(path+".request", "is missing")
	}
	c.expected = d.parts(path, fields)
	if n.Kind == yaml.MappingNode && len(c.expected) == 0 && len(d.problems) == before {
		d.note(path, "expects nothing, so that it cannot fail: name one of %s", strings.Join(partFields, ", "))
	}
	if len(d.problems) == before {
		d.suite.Cases = append(d.suite.Cases, c)
	}
}

// str is a string.
func (d *document) str(path string, n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		d.note(path, "must be a string (in quotes), not %s", yamlnode.Found(n))
		return ""
	}
	return n.Value
}

// list is a list of strings, at least one.
func (d *document) list(path string, n *yaml.Node) (all []string) {
	switch {
	case n == nil:
		d.note(path, "is missing: it must be a list with at least one item")
		return nil
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		d.note(path, "must be a list with at least one item, not %s", yamlnode.Found(n))
		return nil
	}
	for i, item := range n.Content {
		field := path + "[" + itoa(i) + "]"
		d.lines[field] = item.Line
		all = append(all, d.str(field, item))
	}
	return all
}

// request reads the requests of a case: the product of its lists, in the order in which istio-config-validator makes it.
func (d *document) request(path string, n *yaml.Node) (all []Request) {
	fields := d.fields(path, n, requestFields)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	hosts, methods := d.list(path+".authority", fields["authority"]), d.list(path+".method", fields["method"])
	paths := d.list(path+".uri", fields["uri"])
	header, unsent := d.headers(path+".headers", fields["headers"])
	for i, host := range hosts {
		if !httpguts.ValidHostHeader(host) || host == "" || strings.ContainsAny(host, "*/@") {
			d.note(path+".authority["+itoa(i)+"]", "must be a host, with or without a port, not %q", host)
		}
	}
	for i := range paths {
		paths[i] = d.path(path+".uri["+itoa(i)+"]", paths[i])
	}
	for i, method := range methods {
		if !httpguts.ValidHeaderFieldName(method) { // both are tokens of HTTP
			d.note(path+".method["+itoa(i)+"]", "%q is not a method", method)
		}
	}
	if product := len(hosts) * len(methods) * len(paths); d.requests+product > MostRequests {
		d.note(path, "makes %d requests, and with those of the cases before there are more than %d: name fewer files, or shorten the lists", product, MostRequests)
		return nil
	}
	for _, path := range paths {
		for _, host := range hosts {
			for _, method := range methods {
				one := Request{Wanted: derive.Wanted{Host: host, Method: method, Path: path, Header: header}, Unsent: unsent}
				if !slices.Contains(sent, method) {
					one.Unsent = "hellochaos sends no " + method
				}
				all = append(all, one)
			}
		}
	}
	d.requests += len(all)
	return all
}

// sent are the methods that a run can send: an answer to HEAD would have no trail, and CONNECT is for proxies.
var sent = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// path is the path of a URI with its query, as a proxy sees it.
func (d *document) path(field, uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		d.note(field, "%q is not a URI", uri)
		return ""
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path+u.RawQuery, " \t\r\n") {
		d.note(field, `must be a path that begins with "/" and has no blanks, not %q`, uri)
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return manifests.NormalPath(path)
}

// ownHeaders are those that a run, or HTTP, sets itself, beside those that begin with "x-hellochaos-".
var ownHeaders = []string{"accept", trail.HeaderFail, trail.HeaderHang, trail.HeaderCascade, trail.HeaderAttempt, trail.HeaderExpected, "connection",
	"content-length", "transfer-encoding"}

// Own reports whether a run, or HTTP, sets a header itself, so that a request cannot have another value of it.
func Own(header string) bool {
	key := strings.ToLower(header)
	return slices.Contains(ownHeaders, key) || strings.HasPrefix(key, "x-hellochaos-")
}

// headers reads the headers of a request. unsent is a clause that says why they cannot be sent.
func (d *document) headers(path string, n *yaml.Node) (header http.Header, unsent string) {
	if n == nil {
		return nil, ""
	}
	if n.Kind != yaml.MappingNode {
		d.note(path, "must be a map of strings, not %s", yamlnode.Found(n))
		return nil, ""
	}
	header = http.Header{}
	for i := 0; i < len(n.Content); i += 2 {
		name, field := n.Content[i].Value, yamlnode.Join(path, n.Content[i].Value)
		d.lines[field] = n.Content[i].Line
		value, key := d.str(field, n.Content[i+1]), strings.ToLower(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name) || key == "host":
			d.note(field, "%q is not the name of a header that a case can have", name)
		case !httpguts.ValidHeaderFieldValue(value):
			d.note(field, "%q is not the value of a header", value)
		case header.Values(name) != nil:
			d.note(field, "is the same header as another one: write it once")
		case Own(name):
			unsent = "hellochaos sets the header " + key + " itself"
		}
		header.Set(name, value)
	}
	return header, unsent
}
