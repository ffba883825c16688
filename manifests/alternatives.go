package manifests

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Alternative is objects of different files of which a mesh obeys one at a time: files that have them are applied one in place of
// another. The samples of Istio have a dozen files with a VirtualService reviews.
type Alternative struct {
	// Of is what each of them defines: "VirtualService reviews in namespace default", or, where their names differ, "the rules of the
	// sidecars for host reviews.default.svc.cluster.local".
	Of string
	// Objects are in the order of the files.
	Objects []Place
}

// Place is an object and where it begins.
type Place struct {
	Object, File string
	Line         int
}

// mostPlaces is how many places of an alternative are named.
const mostPlaces = 4

// Where names the files with their lines, the first of them only where there are many: "a.yaml:1, b.yaml:1 and 9 more". They are without
// the folder dir.
func (a *Alternative) Where(dir string) string { return placesIn(a.Objects, dir) }

func placesIn(places []Place, dir string) string {
	var all []string
	for _, p := range places {
		file := p.File
		if dir != "" {
			file = strings.TrimPrefix(file, dir+string(filepath.Separator))
		}
		all = append(all, fmt.Sprintf("%s:%d", file, p.Line))
	}
	switch more := len(all) - mostPlaces; {
	case more > 1:
		return fmt.Sprintf("%s and %d more", strings.Join(all[:mostPlaces], ", "), more)
	case len(all) == 1:
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// problem says of the first object that there are others, beside what else is wrong with the files.
func (a *Alternative) problem() Problem {
	first, do := a.Objects[0], "do"
	if len(a.Objects) == 2 {
		do = "does"
	}
	return Problem{File: first.File, Line: first.Line, Text: fmt.Sprintf("defines %s, as %s %s: they are alternatives, of which a mesh obeys one at a time", a.Of, placesIn(a.Objects[1:], filepath.Dir(first.File)), do)}
}

// alternatives finds objects of different files with one kind, namespace and name, and VirtualServices of different names for one
// host of the sidecars, of which Istio obeys one. At a gateway, VirtualServices for one host are merged, so that they are alternatives
// only where the first rule of each takes every request.
func alternatives(objects []Object) (all []Alternative) {
	byClaim := make(map[string]int)
	for i := range objects {
		o := &objects[i]
		for j, claim := range claims(o) {
			at, ok := byClaim[claim]
			if !ok {
				at = len(all)
				byClaim[claim] = at
				all = append(all, Alternative{Of: claim})
			}
			a := &all[at]
			if j > 0 && slices.ContainsFunc(a.Objects, func(p Place) bool { return p.Object == o.Name() }) {
				continue // one of the same name is there already: the name says it
			}
			a.Objects = append(a.Objects, Place{o.Name(), o.File, o.Line})
		}
	}
	return slices.DeleteFunc(all, func(a Alternative) bool {
		return !slices.ContainsFunc(a.Objects, func(p Place) bool { return p.File != a.Objects[0].File })
	})
}

// claims are what only one object of a mesh can have: its kind and name, and, for a VirtualService, all requests of a host.
func claims(o *Object) []string {
	all := []string{o.Name() + " in namespace " + o.namespace()}
	spec, ok := o.Istio.(*networking.VirtualService)
	if !ok {
		return all
	}
	gateways := spec.Gateways
	if len(gateways) == 0 {
		gateways = []string{mesh}
	}
	for _, name := range gateways {
		at := "gateway " + qualifyGateway(name, o.namespace())
		switch {
		case name == mesh && exports(o) != nil:
			at = "the sidecars of " + strings.Join(exports(o), ", ")
		case name == mesh:
			at = "the sidecars"
		case len(spec.Http) == 0 || len(spec.Http[0].Match) > 0:
			continue
		}
		for _, host := range spec.Hosts {
			all = append(all, fmt.Sprintf("the rules of %s for host %s", at, qualify(host, o.namespace())))
		}
	}
	return all
}

// facts is what a file has and what it needs, each as a text that is the same in both.
type facts struct {
	file                   string
	claims, needs, defines map[string]bool
	// namespaces are those of its Services and workloads.
	namespaces map[string]bool
}

// Together are the files that are to be checked together with a file: those that define the subsets, gateways, hosts and delegates
// that its rules name, those that these need in turn, and those with the Services and workloads of the namespaces. No two of them
// have an Alternative in common. The file itself is the last one.
func (o *Others) Together(file string) []string {
	all := o.facts()
	at := slices.IndexFunc(all, func(f *facts) bool { return f.file == file })
	if at < 0 {
		return []string{file}
	}
	chosen := []*facts{all[at]}
	for {
		best := bestOf(all, chosen)
		if best == nil {
			break
		}
		chosen = append(chosen, best)
	}
	for _, f := range all {
		if len(f.namespaces) > 0 && sharesNamespace(f, chosen) && fits(f, chosen) {
			chosen = append(chosen, f)
		}
	}
	var files []string
	for _, f := range chosen[1:] {
		files = append(files, f.file)
	}
	slices.Sort(files)
	return append(files, file)
}

// facts are those of each file, shorter names first: of equally good files the one with the plainest name is meant for all.
func (o *Others) facts() (all []*facts) {
	for i := range o.Objects {
		object := &o.Objects[i]
		at := slices.IndexFunc(all, func(f *facts) bool { return f.file == object.File })
		if at < 0 {
			at = len(all)
			all = append(all, &facts{object.File, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}})
		}
		all[at].add(object)
	}
	slices.SortStableFunc(all, func(a, b *facts) int {
		return cmp.Or(cmp.Compare(len(a.file), len(b.file)), cmp.Compare(a.file, b.file))
	})
	return all
}

func (f *facts) add(o *Object) {
	for _, claim := range claims(o) {
		f.claims[claim] = true
	}
	switch o.Kubernetes.(type) {
	case *corev1.Service:
		f.defines["host "+o.host()], f.namespaces[o.namespace()] = true, true
	case *appsv1.Deployment:
		f.namespaces[o.namespace()] = true
	}
	switch spec := o.Istio.(type) {
	case *networking.Gateway:
		f.defines["gateway "+o.namespace()+"/"+o.Meta.Name] = true
	case *networking.ServiceEntry:
		for _, host := range spec.Hosts {
			f.defines["host "+qualify(host, o.namespace())] = true
		}
	case *networking.DestinationRule:
		for _, s := range spec.Subsets {
			f.defines[subsetFact(qualify(spec.Host, o.namespace()), s.Name)] = true
		}
	case *networking.VirtualService:
		f.addRules(o, spec)
	}
}

func subsetFact(host, subset string) string { return fmt.Sprintf("subset %s of %s", subset, host) }

// addRules adds what a VirtualService needs, and that it is there to be a delegate.
func (f *facts) addRules(o *Object, spec *networking.VirtualService) {
	f.defines["delegate "+o.namespace()+"/"+o.Meta.Name] = true
	for _, name := range spec.Gateways {
		if name != mesh {
			f.needs["gateway "+qualifyGateway(name, o.namespace())] = true
		}
	}
	for _, h := range spec.Http {
		if d := h.Delegate; d != nil {
			f.needs["delegate "+qualifyGateway(d.Name, cmp.Or(d.Namespace, o.namespace()))] = true
		}
		for _, to := range Destinations(h) {
			host := qualify(to.To.GetHost(), o.namespace())
			f.needs["host "+host] = true
			if subset := to.To.GetSubset(); subset != "" {
				f.needs[subsetFact(host, subset)] = true
			}
		}
	}
}

// bestOf is the file that defines most of what the chosen ones still need and fits them; nil when none defines any of it.
func bestOf(all, chosen []*facts) (best *facts) {
	most := 0
	for _, f := range all {
		n := 0
		for need := range f.defines {
			if isNeeded(need, chosen) {
				n++
			}
		}
		if n > most && fits(f, chosen) {
			best, most = f, n
		}
	}
	return best
}

// isNeeded reports whether one of the files needs something that none of them defines.
func isNeeded(need string, chosen []*facts) bool {
	needs := func(f *facts) bool { return f.needs[need] }
	defines := func(f *facts) bool { return f.defines[need] }
	return slices.ContainsFunc(chosen, needs) && !slices.ContainsFunc(chosen, defines)
}

// fits reports whether a file is none of the chosen ones and no alternative to one of them.
func fits(f *facts, chosen []*facts) bool {
	return !slices.ContainsFunc(chosen, func(c *facts) bool { return c == f || share(c.claims, f.claims) })
}

func sharesNamespace(f *facts, chosen []*facts) bool {
	return slices.ContainsFunc(chosen, func(c *facts) bool { return share(c.namespaces, f.namespaces) || share(c.rulesFor(), f.namespaces) })
}

// rulesFor are the namespaces of the Services that a file's rules lead to.
func (f *facts) rulesFor() map[string]bool {
	all := make(map[string]bool)
	for need := range f.needs {
		if host, ok := strings.CutPrefix(need, "host "); ok {
			all[ServiceNamespace(host)] = true
		}
	}
	return all
}

func share(a, b map[string]bool) bool {
	for key := range a {
		if b[key] {
			return true
		}
	}
	return false
}
