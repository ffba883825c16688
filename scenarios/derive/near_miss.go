package derive

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/hellochaos/hellochaos/manifests"
)

// nearMisses adds, for the requests that meet an entry, those that differ in one thing that it asks for, as far as they do not meet it by
// another match.
func (d *deriver) nearMisses(e *manifests.HTTPEntry) {
	for _, m := range d.met[ruleOf(e)] {
		all := append(changed(&m), d.elsewhere(e, &m)...)
		if len(m.asked.Labels) > 0 && m.entry.Caller != "" {
			all = append(all, d.byOther(e, &m)...)
		}
		for _, r := range all {
			if len(d.cohorts) < MostCohorts && !d.leads(r, e) {
				d.add(r, 0, true)
			}
		}
	}
}

// elsewhere are copies of a request that the clients of other namespaces send, where the entry is for the callers of its own alone.
func (d *deriver) elsewhere(e *manifests.HTTPEntry, m *made) (all []request) {
	if !e.OwnCallersAlone() {
		return nil
	}
	for _, namespace := range d.clients {
		if namespace != e.Namespace {
			r := m.clone()
			r.entry.Caller = namespace + "/" + d.client
			all = append(all, r)
		}
	}
	return all
}

// byOther are requests that other pods send than those that have the labels which the match asks for: those of a namespace's client, and
// others of the same app.
func (d *deriver) byOther(e *manifests.HTTPEntry, m *made) []request {
	of, _, _ := m.entry.Pods()
	var all []request
	if namespace, ok := d.clientFor("", cmp.Or(m.asked.Namespace, of)); ok {
		r := m.clone()
		r.place = d.inMesh(e.Hosts[0], namespace, m.asked.Port)
		all = append(all, r)
	}
	if w := d.sibling(m); w != nil {
		r := m.clone()
		r.entry.Caller = w.Namespace + "/" + w.Labels["app"] + "/" + w.Name
		all = append(all, r)
	}
	return all
}

// sibling is a workload of the app whose pods send a request, and that has not all of the labels which its match asks for; nil where there
// is none.
func (d *deriver) sibling(m *made) *manifests.Workload {
	namespace, app, _ := m.entry.Pods()
	for i := range d.rules.Workloads {
		w := &d.rules.Workloads[i]
		if w.Namespace == namespace && w.Labels["app"] == app && !slices.Contains(d.rules.Bearers(&m.asked), w) {
			return w
		}
	}
	return nil
}

// changed are copies of a request, each of which breaks one condition of its match.
func changed(m *made) (all []request) {
	with := func(change func(r *request)) {
		r := m.clone()
		change(&r)
		all = append(all, r)
	}
	for _, path := range otherPaths(m.asked.Path) {
		with(func(r *request) { r.path = path })
	}
	if t := m.asked.Method; t != nil && !present(t) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			with(func(r *request) { r.method = method })
		}
	}
	for _, h := range m.asked.Headers {
		with(func(r *request) { r.header.Del(h.Name) })
		for _, value := range otherValues(&h.Text) {
			with(func(r *request) { r.header.Set(h.Name, value) })
		}
	}
	for _, h := range m.asked.Without {
		with(func(r *request) { r.header.Set(h.Name, examples(&h.Text)[0]) })
	}
	for i, q := range m.asked.Query {
		with(func(r *request) { r.query = slices.Delete(r.query, i, i+1) })
		for _, value := range otherValues(&q.Text) {
			with(func(r *request) { r.query[i] = q.Name + "=" + value })
		}
	}
	return all
}

// otherPaths are paths near those that a match asks for: in another case, with one segment more, and without the last part of a prefix.
func otherPaths(t *manifests.Text) (all []string) {
	if t == nil || present(t) {
		return nil
	}
	path := paths(t)[0]
	all = append(all, strings.TrimSuffix(path, "/")+"/"+other, swapCase(path), "/"+other)
	if t.Segments {
		all = append(all, *t.Prefix+other)
	}
	if t.Prefix != nil && len(path) > 1 {
		all = append(all, path[:len(path)-1])
	}
	return all
}

// otherValues are values near those that a condition asks for: in another case, and another one. A condition on presence has none.
func otherValues(t *manifests.Text) []string {
	if present(t) {
		return nil
	}
	value := examples(t)[0]
	all := []string{other}
	if swapped := swapCase(value); swapped != value {
		all = append(all, swapped)
	}
	return all
}

// swapCase has the other case of each letter.
func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}
