package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/standins"
	"github.com/hellochaos/hellochaos/spelling"
)

// serviceForm says which others the stand-ins of a service call.
type serviceForm struct {
	Name  string   `yaml:"name" doc:"A Service of the files, or one that their rules name; with its namespace (reviews.shop) where that is not default."`
	Calls []string `yaml:"calls,optional" doc:"What it calls for each request, one after another: addresses such as http://ratings:9080/. Without it, it calls nobody."`
}

// services notes what is wrong with what a file says of its services.
func (d *decoder) services(f *form) {
	d.must("services", !d.there("services") || f.After == "", "is of a file without after: the bundled stages bring their services")
	var names []string
	for i, s := range f.Services {
		path := fmt.Sprintf("services[%d]", i)
		d.must(path+".name", !d.there(path+".name") || s.Name != "", "must not be empty")
		names = append(names, s.Name)
		for j, other := range names[:i] {
			d.must(path+".name", other == "" || other != s.Name, "is %q as services[%d] is: write a service once", s.Name, j)
		}
		for j, address := range s.Calls {
			d.must(fmt.Sprintf("%s.calls[%d]", path, j), strings.HasPrefix(address, "http://") && len(address) > len("http://"), `must be an address such as "http://ratings:9080/", not %q`, address)
		}
	}
}

// others reads files as 'hellochaos verify' reads those of an application that was not written for hellochaos.
func (l *loader) others(path string, files []string) []manifests.Object {
	others, err := manifests.LoadOthers(files, strings.NewReader(""))
	var wrong manifests.Problems
	if errors.As(err, &wrong) {
		l.problems = append(l.problems, wrong...)
	}
	if others == nil {
		return nil
	}
	for _, a := range others.Alternatives {
		l.must(path, false, "applies alternatives, of which a mesh obeys one at a time: %s. Apply the others in further phases, or not at all", a.Of)
	}
	for _, k := range others.NotExecuted {
		l.remarks = append(l.remarks, fmt.Sprintf("NOT EXECUTED: %d %s (first %s:%d). hellochaos does not execute this kind, so that a cluster may treat requests otherwise than is said here.", k.Count, k.Kind, k.File, k.Line))
	}
	l.remarks = append(l.remarks, others.Remarks...)
	return others.Objects
}

// standIn puts stand-ins in place of what answers requests. They are there from the first phase on, for what any phase names; of the
// phases themselves the objects of Istio remain.
func (l *loader) standIn(own [][]manifests.Object) [][]manifests.Object {
	var istio, kubernetes, last []manifests.Object // last are the objects of Istio that are in force at the end
	written := make([][]manifests.Object, len(own))
	for i := range own {
		for _, o := range own[i] {
			if o.Istio != nil {
				written[i], istio, last = append(written[i], o), append(istio, o), manifests.Overlay(last, []manifests.Object{o})
				continue
			}
			kubernetes = manifests.Overlay(kubernetes, []manifests.Object{o})
		}
	}
	set, err := standins.Of(append(kubernetes, istio...))
	if err != nil {
		l.must("services", false, "%s", err)
		return own
	}
	l.remarks = append(l.remarks, set.Remarks...)
	var stand []manifests.Object
	for i := range set.Objects {
		o := set.Objects[i]
		theirs := false
		for j := range istio {
			theirs = theirs || same(&istio[j], &o)
		}
		if !theirs {
			stand = append(stand, o)
		}
	}
	l.call(set, append(slices.Clone(stand), last...))
	written[0] = append(stand, written[0]...)
	return written
}

// call makes stand-ins call others, as the file says. objects are those that are in force at the end.
func (l *loader) call(set *standins.Set, objects []manifests.Object) {
	all := set.Services()
	var names []string
	for i := range all {
		names = append(names, all[i].Name)
	}
	rules, contradiction := manifests.Read(objects)
	for i, s := range l.form.Services {
		at := slices.Index(names, s.Name)
		l.must(fmt.Sprintf("services[%d].name", i), at >= 0, "no file has a Service %q, and no rule names it%s: there are %s", s.Name, spelling.DidYouMean(s.Name, names), strings.Join(names, ", "))
		if at < 0 {
			continue
		}
		all[at].Call(s.Calls)
		_, namespace, _ := strings.Cut(s.Name, ".")
		for j, address := range s.Calls {
			u, err := url.Parse(address)
			if err != nil || contradiction != nil { // which is told when the phases are planned
				continue
			}
			known := Answers(rules, u.Hostname(), cmp.Or(namespace, manifests.Namespace))
			l.must(fmt.Sprintf("services[%d].calls[%d]", i, j), known, "no file has a Service %q, and no rule names it%s", u.Hostname(), spelling.DidYouMean(u.Hostname(), names))
		}
	}
}

// Answers reports whether somebody answers at a host that a service of a namespace calls: a Service by its name, alone or with as much of
// its domain as the search list of a pod completes, or a host outside the mesh.
func Answers(rules *manifests.Rules, host, namespace string) bool {
	for _, name := range []string{manifests.FullHost(host, namespace), host + ".svc.cluster.local", host + ".cluster.local"} {
		if rules.Services[name] != nil {
			return true
		}
		for _, known := range rules.Hosts() {
			suffix, wildcard := strings.CutPrefix(known, "*")
			if known == name || wildcard && strings.HasSuffix(name, suffix) {
				return true
			}
		}
	}
	return false
}
