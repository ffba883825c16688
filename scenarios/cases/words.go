package cases

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/hellochaos/hellochaos/manifests"
)

// String is the part as YAML on one line.
func (p part) String() string {
	var all []string
	for _, m := range p.values {
		all = append(all, flow(m))
	}
	if p.name == "route" {
		return "[" + strings.Join(all, ", ") + "]"
	}
	return strings.Join(all, "")
}

// flow is a message as YAML on one line.
func flow(m proto.Message) string {
	data, err := protojson.Marshal(m)
	var value any
	if err == nil {
		err = json.Unmarshal(data, &value)
	}
	var n yaml.Node
	if err == nil {
		err = n.Encode(value)
	}
	if err != nil {
		return "that cannot be shown" // no message that manifests.Parse read
	}
	n.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&n)
	if err != nil {
		return "that cannot be shown"
	}
	return strings.TrimSpace(string(text))
}

// has says what an http entry has of a part, as the end of a clause.
func has(name string, e *manifests.HTTPEntry) string {
	if name == "delegate" {
		if own, namespace, delegated := e.Delegate(); delegated {
			return fmt.Sprintf("is of the delegate {name: %s, namespace: %s}", own, namespace)
		}
		return "nobody delegates to it"
	}
	if own := partOf(name, e.Written()); len(own.values) > 0 {
		return "has " + own.String()
	}
	return "has none"
}

// named is the name of the rule that a request meets, with its place, or the reason why it meets none of the files.
func (j *judge) named(r *manifests.Rule, e *manifests.HTTPEntry) string {
	if e != nil {
		return fmt.Sprintf("%s (%s:%d)", r.Name, r.File, r.Line)
	}
	why := r.Why
	if n := len(j.rules.Dropped()); n > 0 {
		why += fmt.Sprintf("; Istio drops %s of the files, HC121", counted(n, "rule"))
	}
	if why = strings.TrimPrefix(why, "; "); why != "" {
		why = " (" + why + ")"
	}
	return "no rule of the files" + why
}

// becomes says what becomes of a request that meets a rule, as a clause.
func becomes(r *manifests.Rule) string {
	switch {
	case r.Direct != nil && r.Direct.Reset:
		return "the proxy ends the connection without an answer"
	case r.Direct != nil:
		return fmt.Sprintf("the proxy answers %d", r.Direct.Status)
	case r.Redirect != nil:
		return fmt.Sprintf("the proxy answers %d, a redirect", r.Redirect.Status)
	case r.Fault != nil && r.Fault.AbortShare == 1:
		return fmt.Sprintf("the proxy answers %d", r.Fault.AbortStatus)
	}
	var all []string
	for i := range r.Split {
		d := &r.Split[i]
		if d.Share == 0 {
			continue
		}
		text := strings.TrimSuffix(d.Host, ".svc.cluster.local")
		if d.Subset != "" {
			text += ", subset " + d.Subset
		}
		if d.Share < 1 {
			text += fmt.Sprintf(" (%.3g %%)", 100*d.Share)
		}
		all = append(all, text)
	}
	text := "it goes to " + strings.Join(all, " or ")
	if r.Fault != nil && r.Fault.AbortShare > 0 {
		text += fmt.Sprintf(", unless it is among the %.3g %% that the proxy answers %d", 100*r.Fault.AbortShare, r.Fault.AbortStatus)
	}
	return text
}
