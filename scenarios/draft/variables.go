package draft

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios"
	"github.com/hellochaos/hellochaos/scenarios/standins"
)

// upstream is the variable by which the services of the Istio 101 tutorial know which service they call for each request.
const upstream = "UPSTREAM_URI"

// Variable is a variable of a container whose value is the address of a service.
type Variable struct {
	// Workload is "namespace/name" of the workload that has it.
	Workload, Name, Address string
}

// document is what is read of a manifest: variables alone. All else was read by manifests.LoadOthers, which passes over these.
type document struct {
	Metadata struct{ Name, Namespace string }
	Spec     struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Env []struct{ Name, Value string }
				}
			}
		}
	}
	Items []document
}

// Variables are those in some files whose values are addresses, http:// and a host, in the order of the files. What cannot be read has none.
func Variables(files []string) (all []Variable) {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
			var d document
			err := decoder.Decode(&d)
			if errors.Is(err, io.EOF) {
				break
			}
			var other *yaml.TypeError // of another kind, whose fields have other types
			if err != nil && !errors.As(err, &other) {
				break
			}
			all = append(all, d.variables()...)
		}
	}
	return all
}

func (d *document) variables() (all []Variable) {
	namespace := d.Metadata.Namespace
	if namespace == "" {
		namespace = manifests.Namespace
	}
	for _, container := range d.Spec.Template.Spec.Containers {
		for _, v := range container.Env {
			if u, err := url.Parse(v.Value); err == nil && u.Scheme == "http" && u.Hostname() != "" {
				all = append(all, Variable{namespace + "/" + d.Metadata.Name, v.Name, v.Value})
			}
		}
	}
	for i := range d.Items {
		all = append(all, d.Items[i].variables()...)
	}
	return all
}

// calls are the addresses that a service is known to call, since the tutorial's own variable names them, and those that other variables
// name, each with its variable. Addresses at which nobody answers are left out.
func calls(s *standins.Service, all []Variable, rules *manifests.Rules) (known, hints []string) {
	namespace := manifests.Namespace
	if _, other, ok := strings.Cut(s.Name, "."); ok {
		namespace = other
	}
	for _, v := range all {
		u, err := url.Parse(v.Address)
		if err != nil || !slices.Contains(s.Workloads, v.Workload) || !scenarios.Answers(rules, u.Hostname(), namespace) {
			continue
		}
		if v.Name == upstream {
			if !slices.Contains(known, v.Address) {
				known = append(known, v.Address)
			}
			continue
		}
		if hint := quoted(v.Address) + " (variable " + v.Name + ")"; !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	return known, hints
}
