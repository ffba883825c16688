package draft

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
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

// Called is an address that a workload calls, or may call.
type Called struct {
	// Workload is "namespace/name" of the caller, and Address that of a service: http://ratings:9080/. Without a port it is the service's.
	Workload, Address string
	// By is how that is known, as in "perhaps ADDRESS (By)": "variable RATINGS_URL". Sure says that it does call there.
	By   string
	Sure bool
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

// Variables are the addresses, http:// and a host, that variables of containers have in some files, in the order of the files. What cannot
// be read has none.
func Variables(files []string) (all []Called) {
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

func (d *document) variables() (all []Called) {
	namespace := d.Metadata.Namespace
	if namespace == "" {
		namespace = manifests.Namespace
	}
	for _, container := range d.Spec.Template.Spec.Containers {
		for _, v := range container.Env {
			if u, err := url.Parse(v.Value); err == nil && u.Scheme == "http" && u.Hostname() != "" {
				all = append(all, Called{namespace + "/" + d.Metadata.Name, v.Value, "variable " + v.Name, v.Name == upstream})
			}
		}
	}
	for i := range d.Items {
		all = append(all, d.Items[i].variables()...)
	}
	return all
}

// calls are the addresses that a service is known to call, how that is known, and hints at those that it may call. Addresses at which
// nobody answers are left out.
func calls(s *standins.Service, all []Called, services []standins.Service, rules *manifests.Rules) (known, by, hints []string) {
	namespace := manifests.Namespace
	if _, other, ok := strings.Cut(s.Name, "."); ok {
		namespace = other
	}
	for _, c := range all {
		u, err := url.Parse(c.Address)
		if err != nil || !slices.Contains(s.Workloads, c.Workload) || !scenarios.Answers(rules, u.Hostname(), namespace) {
			continue
		}
		if port := portOf(services, manifests.FullHost(u.Hostname(), namespace)); u.Port() == "" && port != 0 && port != 80 {
			u.Host = fmt.Sprintf("%s:%d", u.Hostname(), port)
		}
		if hint := quoted(u.String()) + " (" + c.By + ")"; !c.Sure && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
		if !c.Sure || slices.Contains(known, u.String()) {
			continue
		}
		known = append(known, u.String())
		if !slices.Contains(by, c.By) {
			by = append(by, c.By)
		}
	}
	return known, by, hints
}

// portOf is the first port of HTTP of the service with a full host; 0 where there is none.
func portOf(services []standins.Service, host string) int {
	for i := range services {
		name, namespace, _ := strings.Cut(services[i].Name, ".")
		if manifests.FullHost(name, cmp.Or(namespace, manifests.Namespace)) == host {
			return services[i].Port
		}
	}
	return 0
}

// Acyclic are those of the calls that close no circle among the services of a set, in their order, and those that do: a stand-in that a
// request comes back to would call forever.
func Acyclic(all []Called, services []standins.Service) (kept, circular []Called) {
	of := map[string]string{} // the full host of a workload's service
	for i := range services {
		name, namespace, _ := strings.Cut(services[i].Name, ".")
		for _, workload := range services[i].Workloads {
			of[workload] = manifests.FullHost(name, cmp.Or(namespace, manifests.Namespace))
		}
	}
	leads := map[string][]string{}
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return from == to || slices.ContainsFunc(leads[from], func(next string) bool { return reaches(next, to) })
	}
	for _, c := range all {
		u, err := url.Parse(c.Address)
		if err != nil {
			continue
		}
		from, to := of[c.Workload], u.Hostname()
		if reaches(to, from) {
			circular = append(circular, c)
			continue
		}
		leads[from] = append(leads[from], to)
		kept = append(kept, c)
	}
	return kept, circular
}
