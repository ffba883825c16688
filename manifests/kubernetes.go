package manifests

import (
	"regexp"
	"strings"

	"sigs.k8s.io/json"
)

// goField finds the path in a message of the JSON decoder: "json: cannot unmarshal string into Go struct field
// ServiceSpec.spec.replicas of type int32".
var goField = regexp.MustCompile(`^json: cannot unmarshal (.+) into Go (?:struct field [A-Za-z]*\.(\S+)|value) of type (\S+)$`)

// strict decodes JSON into a Kubernetes type as the API server does with fieldValidation Strict: names are
// case-sensitive and unknown ones are problems.
func (d *document) strict(data []byte, into any) {
	unknown, err := json.UnmarshalStrict(data, into)
	for _, err := range unknown {
		field := ""
		if at, ok := err.(json.FieldError); ok {
			field = at.FieldPath()
		}
		d.problem(field, "unknown field")
	}
	if err == nil {
		return
	}
	if place := goField.FindStringSubmatch(err.Error()); place != nil {
		d.problem(place[2], "want %s, not %s", strings.TrimPrefix(place[3], "*"), place[1])
		return
	}
	d.problem("", "%v", err)
}
