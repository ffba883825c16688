package scenarios

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/spelling"
	"github.com/hellochaos/hellochaos/yamlnode"
)

// mostApplied is how many files a scenario file may apply: a pattern that matches more was meant otherwise.
const mostApplied = 1000

// IsFile reports whether an argument names a scenario file, and not a stage: it ends in .yaml or .yml, or has a slash.
func IsFile(argument string) bool {
	return strings.ContainsAny(argument, `/\`) || slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(argument))
}

// OpenFile reads a scenario file of a user, and the manifests that it applies, which are read as strictly as the bundled ones. The error
// is manifests.Problems with all that is wrong with the file and with these.
//
// A file with after stands on that bundled stage: the phase before is that stage, which is only compared with, as where the stage behind
// it is run. Without after, the objects of the file are all there is, and no phase comes before its first one: what a mesh does without
// the file's rules would tell nothing of them, each rule of the first phase is probed all the same, and whether the entry can be reached
// without them (a Gateway, a ServiceEntry) depends on the file. A file that wants a phase to compare with writes it: apply beside phases.
func OpenFile(path string) (*Scenario, error) {
	data, err := content(path)
	if err != nil {
		return nil, manifests.Problems{{File: path, Text: err.Error()}}
	}
	f, d := read(path, data)
	l := &loader{decoder: d, form: f, folder: filepath.Dir(path), path: path}
	s := &Scenario{Name: f.Name, Title: f.Title, File: path, After: f.After}
	var known bool
	s.line, known = l.before()
	objects, whole := l.all()
	if s.StandIns = len(f.Services) > 0; s.StandIns && whole {
		objects = l.standIn(objects)
	}
	if known && whole {
		l.agree(s.line, objects)
	}
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	s.tested = d.stages(f)
	for i := range s.tested {
		s.tested[i].own = objects[i]
	}
	s.line = append(s.line, s.tested...)
	if len(f.Apply) > 0 && len(f.Phases) > 0 {
		s.tested = s.tested[1:]
	}
	if f.After != "" || s.StandIns { // without these, no chain has a namespace that objects could miss
		s.Remarks = l.remarks
	}
	return s, nil
}

// content is the text of a file, up to one byte more than is accepted.
func content(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a folder, and must be a scenario file; a folder of manifests is proved by: hellochaos verify -f " + printable.Word(path))
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	return data, cause(err)
}

// cause is an error of the file system without the path, which messages name already.
func cause(err error) error {
	var place *os.PathError
	if errors.As(err, &place) {
		return place.Err
	}
	return err
}

// loader reads what a scenario file names.
type loader struct {
	*decoder
	form         *form
	folder, path string
	remarks      []string
}

// before are the bundled stages that the file stands on; false where it names none that there is.
func (l *loader) before() (line, bool) {
	if l.form.After == "" {
		return nil, true
	}
	known := namesOf(bundled)
	at := slices.Index(known, l.form.After)
	l.must("after", at >= 0, "there is no bundled stage %q%s: the stages are %s", l.form.After, spelling.DidYouMean(l.form.After, known), strings.Join(known, ", "))
	return slices.Clone(bundled[:at+1]), at >= 0
}

// all are the objects of the stages of the file; false where some could not be read.
func (l *loader) all() (own [][]manifests.Object, whole bool) {
	noted := len(l.problems)
	if len(l.form.Apply) > 0 {
		own = append(own, l.objects("apply", l.form.Apply))
	}
	for i := range l.form.Phases {
		own = append(own, l.objects(fmt.Sprintf("phases[%d].apply", i), l.form.Phases[i].Apply))
	}
	return own, len(l.problems) == noted
}

// objects are those of the files that a list names, each of them once.
func (l *loader) objects(path string, names []string) (all []manifests.Object) {
	var files []string
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		found, err := l.files(name)
		switch {
		case err != nil:
			l.must(at, false, "%s", err)
		case found == nil:
			some, err := manifests.Bundled(name)
			if err != nil {
				panic(err) // a test parses every bundled file
			}
			all = append(all, some...)
		}
		for _, file := range found {
			if !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	if len(files) > mostApplied {
		l.must(path, false, "names %d files, and a phase may apply %d", len(files), mostApplied)
		return nil
	}
	if len(l.form.Services) > 0 {
		return l.others(path, files)
	}
	own, remarks, err := manifests.LoadFiles(files, strings.NewReader(""))
	l.remarks = append(l.remarks, remarks...)
	var wrong manifests.Problems
	if errors.As(err, &wrong) {
		l.problems = append(l.problems, wrong...)
	}
	for i := range own {
		o := &own[i]
		if slices.ContainsFunc(all, func(b manifests.Object) bool { return same(&b, o) }) {
			l.problems = append(l.problems, manifests.Problem{File: o.File, Line: o.Line, Object: o.Name(), Text: "is in the bundled file, too, that the phase applies: write an object once"})
		}
	}
	return append(all, own...)
}

// same reports whether two objects have the same kind, namespace and name.
func same(a, b *manifests.Object) bool {
	return a.Kind == b.Kind && a.InNamespace() == b.InNamespace() && a.Meta.Name == b.Meta.Name
}

// files are the paths that a name leads to, relative to the scenario file; none where it is the name of a bundled file that the file may
// apply. The scenario file itself is never among them, so that a copy of a bundled one may have its name.
func (l *loader) files(name string) ([]string, error) {
	switch {
	case name == "":
		return nil, errors.New("must not be empty")
	case strings.Contains(name, "://"), filepath.IsAbs(name):
		return nil, errors.New("must be a name, a folder or a pattern relative to the folder of the scenario file")
	case filepath.Clean(name) == "-":
		return nil, errors.New("must be a file: what comes on standard input can be laid over the file with -f -")
	}
	path := filepath.Join(l.folder, filepath.FromSlash(name))
	if sameFile(path, l.folder) {
		return nil, errors.New("is the folder of the scenario file: name another folder, or a pattern, which leaves the scenario file out")
	}
	if _, err := os.Stat(path); err == nil && !sameFile(path, l.path) {
		return []string{path}, nil
	}
	if strings.ContainsAny(name, "*?[") {
		return l.matches(name)
	}
	if _, err := manifests.BundledYAML(name); err == nil && l.form.After != "" {
		return nil, nil
	}
	if sameFile(path, l.path) {
		return nil, errors.New("is the scenario file itself, and must be a file with manifests")
	}
	return nil, l.missing(name)
}

// sameFile reports whether two paths are there and lead to the same file or folder.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// matches are the files that a pattern matches, without folders and the scenario file.
func (l *loader) matches(pattern string) ([]string, error) {
	folder := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(l.folder)
	found, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
	if err != nil {
		return nil, fmt.Errorf("is not a pattern: %w", err)
	}
	found = slices.DeleteFunc(found, func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.IsDir() || sameFile(path, l.path)
	})
	if len(found) == 0 {
		return nil, fmt.Errorf("no file matches %s in the folder %s", pattern, l.folder)
	}
	return found, nil
}

// missing is the error of a name that leads to no file.
func (l *loader) missing(name string) error {
	var near []string
	entries, _ := os.ReadDir(filepath.Dir(filepath.Join(l.folder, name))) // what cannot be read suggests nothing
	for _, entry := range entries {
		near = append(near, filepath.ToSlash(filepath.Join(filepath.Dir(name), entry.Name())))
	}
	text := fmt.Sprintf("there is no file %s in the folder %s", name, l.folder)
	if _, err := manifests.BundledYAML(name); err == nil {
		return fmt.Errorf("%s, and only a file with after applies the bundled %s", text, name)
	}
	if l.form.After != "" {
		text += ", and no bundled one"
		for i := range bundled {
			near = append(near, bundled[i].Apply...)
		}
	}
	return errors.New(text + spelling.DidYouMean(name, near))
}

// agree notes names of the file that those before it have, and rules that it speaks of and nobody has.
func (l *loader) agree(before line, own [][]manifests.Object) {
	var inForce []manifests.Object
	for i := range before {
		objects, err := before[i].objects()
		if err != nil {
			panic(err) // a test parses every bundled file
		}
		inForce = manifests.Overlay(inForce, objects)
	}
	for i, p := range l.form.Parameters {
		taken := slices.ContainsFunc(before.parameters(), func(other Parameter) bool { return other.Name == p.Name })
		l.must(fmt.Sprintf("parameters[%d].name", i), !taken, "%s is a parameter of a bundled stage that the file stands on: choose another name", p.Name)
	}
	for i := range own {
		path, part := "", l.form.first()
		if at := i - (len(own) - len(l.form.Phases)); at >= 0 {
			path, part = fmt.Sprintf("phases[%d]", at), l.form.Phases[at]
		}
		l.must(yamlnode.Join(path, "name"), !slices.Contains(namesOf(before), part.Name), "is the name of a bundled stage that the file stands on: choose another one")
		inForce = manifests.Overlay(inForce, own[i])
		for j, u := range part.Unmet {
			l.known(yamlnode.Join(path, fmt.Sprintf("unmet[%d].rule", j)), u.Rule, own[i], "is applied here")
		}
		for j, a := range part.Accepted {
			l.known(yamlnode.Join(path, fmt.Sprintf("accepted[%d].rule", j)), a.Rule, inForce, "is in force")
		}
	}
	for j, a := range l.form.Accepted {
		l.known(fmt.Sprintf("accepted[%d].rule", j), a.Rule, inForce, "is in force")
	}
}

// known notes the name of an object that is not among some.
func (l *loader) known(path, rule string, among []manifests.Object, which string) {
	var names []string
	for i := range among {
		if among[i].Kind == "VirtualService" || among[i].Kind == "HTTPRoute" {
			names = append(names, among[i].Name())
		}
	}
	l.must(path, slices.Contains(names, rule), "no %s %s%s", rule, which, spelling.DidYouMean(rule, names))
}
