package manifests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// istioVersions are the versions of Istio's networking API; they share one schema.
var istioVersions = []string{
	"networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3",
}

// istioKinds are the kinds of Istio that are read, each with an empty spec.
var istioKinds = map[string]proto.Message{
	"VirtualService":  (*networking.VirtualService)(nil),
	"DestinationRule": (*networking.DestinationRule)(nil),
	"Gateway":         (*networking.Gateway)(nil),
	"ServiceEntry":    (*networking.ServiceEntry)(nil),
	"Sidecar":         (*networking.Sidecar)(nil),
}

// kubernetesKinds are the kinds of Kubernetes that are read, with their API version and how to make an empty one.
var kubernetesKinds = map[string]struct {
	version string
	empty   func() any
}{
	"Service":    {"v1", func() any { return new(corev1.Service) }},
	"Namespace":  {"v1", func() any { return new(corev1.Namespace) }},
	"Deployment": {"apps/v1", func() any { return new(appsv1.Deployment) }},
}

// acceptedKinds lists all kinds that are read, for messages.
var acceptedKinds = strings.Join(slices.Concat(
	slices.Sorted(maps.Keys(istioKinds)), slices.Sorted(maps.Keys(kubernetesKinds)), []string{"Gateway, HTTPRoute and ReferenceGrant of " + GatewayAPI}), ", ")

// Parse reads a file of YAML documents. It accepts what the API server and Istio's webhook accept, except what this package does
// not execute. Its error is Problems, with all problems of the file up to a limit. file is only for messages.
func Parse(file string, data []byte) ([]Object, error) {
	data, problem := utf8Text(file, data, maxFile)
	if problem != nil {
		return nil, Problems{*problem}
	}
	var objects []Object
	var problems Problems
	lines := make(map[identity]int)
	for _, whole := range split(file, data) {
		for _, d := range whole.items() {
			o := d.read()
			if len(d.problems) == 0 {
				if first, ok := lines[o.identity()]; ok {
					d.problem("", "has the kind and name of the object in line %d: write an object once", first)
				}
				lines[o.identity()] = o.Line
			}
			objects = append(objects, o)
			problems = append(problems, d.problems...)
		}
		if len(problems) >= mostProblems {
			problems = append(problems, Problem{File: file, Line: whole.first,
				Text: fmt.Sprintf("the file was read up to this document only, since it has %d problems so far", len(problems))})
			break
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return objects, nil
}

// utf8Text is the text of a file without the mark that some editors write before UTF-8. The problem says that it is no such text, or
// larger than most bytes.
func utf8Text(file string, data []byte, most int) ([]byte, *Problem) {
	if len(data) > most {
		return nil, &Problem{File: file, Text: fmt.Sprintf("is larger than the %d bytes that a manifest may have", most)}
	}
	if isUTF16(data) {
		return nil, &Problem{File: file, Text: "is UTF-16: save the file as UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, &Problem{File: file, Line: invalidLine(data), Text: "is not UTF-8: save the file as UTF-8"}
	}
	return data, nil
}

// isUTF16 reports whether a text begins with the mark of UTF-16.
func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

// invalidLine is the line of the first byte that is not UTF-8.
func invalidLine(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return 1 + bytes.Count(data[:i], []byte("\n"))
		}
		i += size
	}
	return 0
}

// head has the fields that every object has.
type head struct {
	metav1.TypeMeta `json:",inline"`
	Meta            metav1.ObjectMeta `json:"metadata"`
}

// decodeYAML makes fields and data from the document's text. It returns false, and records the problem, when the text cannot be
// read.
func (d *document) decodeYAML() bool {
	if !d.index() {
		return false
	}
	convert := yaml.YAMLToJSONStrict
	if d.merged {
		convert = yaml.YAMLToJSON // the strict form refuses a key that overrides a merged one; index has refused keys that are written twice
	}
	var err error
	if d.data, err = convert(d.text); err != nil {
		d.syntax(err)
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(d.data))
	decoder.UseNumber()
	if err := decoder.Decode(&d.fields); err != nil {
		d.syntax(err)
		return false
	}
	return true
}

// read makes an object from one decoded document. It records problems in d.problems, and with problems the Object must not be
// used.
func (d *document) read() Object {
	if len(d.problems) > 0 {
		return Object{}
	}
	fields, ok := d.fields.(map[string]any)
	if !ok {
		d.problem("", "is not an object: it must have apiVersion, kind and metadata")
		return Object{}
	}
	o := Object{File: d.file, Line: d.lines.of("", d.first), YAML: d.text, lines: d.lines}
	o.APIVersion, o.Kind = d.required(fields, "apiVersion"), d.required(fields, "kind")
	if meta, ok := fields["metadata"].(map[string]any); ok {
		if name, ok := meta["name"].(string); ok && name != "" && o.Kind != "" {
			d.object = o.Kind + " " + name
		}
	}
	if len(d.problems) > 0 {
		return o
	}
	d.decode(&o, fields, d.data)
	o.Beyond = d.beyond
	if len(d.problems) == 0 {
		d.checkName(&o)
		d.validate(&o)
	}
	return o
}

// required is the value of a field of the document that must be a string and not empty.
func (d *document) required(fields map[string]any, name string) string {
	text, ok := fields[name].(string)
	if !ok || text == "" {
		d.problem(name, "must be a string that is not empty")
	}
	return text
}

// decode fills the object from its fields by its kind.
func (d *document) decode(o *Object, fields map[string]any, data []byte) {
	if o.IsGatewayAPI() {
		d.decodeGatewayAPI(o, fields, data)
		return
	}
	if kind, ok := kubernetesKinds[o.Kind]; ok {
		if o.APIVersion != kind.version {
			d.problem("apiVersion", "must be %s for kind %s, not %q", kind.version, o.Kind, o.APIVersion)
			return
		}
		o.Kubernetes = kind.empty()
		if d.strict(data, o.Kubernetes); len(d.problems) == 0 {
			d.checkFields(kubernetesFields[o.Kind], "", "", fields)
		}
		o.Meta = *o.Kubernetes.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
		return
	}
	empty, ok := istioKinds[o.Kind]
	if !ok {
		d.problem("kind", "%q is not supported by hellochaos; accepted: %s", o.Kind, acceptedKinds)
		return
	}
	if !slices.Contains(istioVersions, o.APIVersion) {
		d.problem("apiVersion", "must be one of %s for kind %s, not %q", strings.Join(istioVersions, ", "), o.Kind, o.APIVersion)
		return
	}
	o.Istio = empty.ProtoReflect().New().Interface()
	d.fill("spec", o.Istio.ProtoReflect(), fields["spec"])
	// The spec was read above, and status is ignored, since the cluster writes it.
	delete(fields, "spec")
	delete(fields, "status")
	rest, err := json.Marshal(fields)
	if err != nil {
		d.problem("", "cannot be read: %v", err)
		return
	}
	var h head
	d.strict(rest, &h)
	o.Meta = h.Meta
}

// checkName refuses names that Kubernetes refuses.
func (d *document) checkName(o *Object) {
	for _, wrong := range validation.IsDNS1123Subdomain(o.Meta.Name) {
		d.problem("metadata.name", "%q is not a valid name: %s", o.Meta.Name, wrong)
	}
	if o.Meta.Namespace != "" {
		d.checkLabel("metadata.namespace", o.Meta.Namespace)
	}
}
