package manifests

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Bounds of what LoadOthers reads.
const (
	// maxOthersFile is the size of the largest file in bytes. The definitions of Istio's own kinds have 1 MiB, and a chart may have
	// those of several projects.
	maxOthersFile = 16 << 20
	// mostOthers is how many objects of the kinds that are read, and mostOthersBytes how much text of them, may be in all files
	// together. To read as much takes about a second. A single object is bounded by maxFile.
	mostOthers, mostOthersBytes = 3000, 2 << 20
	// mostFiles and deepestFolder end the search for files in a folder that somebody named by mistake.
	mostFiles, deepestFolder = 10_000, 32
)

// Others is what the files of somebody else's application define.
type Others struct {
	// Objects are all objects that are read, in the order of files and lines. Those of Istio's networking API and Services are whole.
	// A workload (Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Pod) has its own kind, and as its
	// Kubernetes an *appsv1.Deployment with nothing but name, namespace, the labels of its pods, and replicas, which are nil where the
	// file has none. An object may be there more than once: Alternatives has it then.
	Objects []Object
	// PassedOver are the kinds that change nothing about a request. NotExecuted are those that do, or say where requests go, and that
	// hellochaos does not execute: what a request meets in a cluster may differ by them. Unknown are kinds of which hellochaos knows
	// nothing. Each kind is there once, in the order in which the files have them.
	PassedOver, NotExecuted, Unknown []KindCount
	// Policies are objects of kinds that a cluster obeys and that are not read; there are none unless LoadForCluster read the files.
	Policies []Policy
	// Alternatives are objects of different files of which a mesh obeys one at a time.
	Alternatives []Alternative
	// Remarks are sentences about files and objects that are not what they seem: a file without objects, an API that Kubernetes removed.
	Remarks []string
}

// KindCount is the objects of one kind.
type KindCount struct {
	// APIVersion and Kind are those of the first one; File and Line are where it begins.
	APIVersion, Kind, File string
	Line, Count            int
}

// LoadOthers reads the files of an application that was not written for hellochaos: files, folders with their subfolders, and stdin for
// the name "-". Files are YAML or JSON, with any number of documents or Lists. Objects of Istio's networking API are read as strictly
// as by Parse, since a field that is ignored would make a verdict false. A Service may have every field of Kubernetes. The error is
// Problems: those of all files, up to a limit.
//
// In a folder, a text without apiVersion or kind is not taken for a manifest; Helm's charts and kustomize's folders have text that only
// their programs can read.
func LoadOthers(names []string, stdin io.Reader) (*Others, error) {
	return loadOthers(names, stdin, false)
}

func loadOthers(names []string, stdin io.Reader, keepBeyond bool) (*Others, error) {
	r := &othersReader{others: &Others{}, stdin: stdin, keepBeyond: keepBeyond, read: make(map[string]bool), removed: make(map[string]bool)}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			r.problem(called(name), "is named more than once: name it once")
			continue
		}
		r.load(name)
	}
	r.problems = append(r.problems, r.twice()...)
	r.others.Objects = withoutOwned(r.others.Objects)
	if isNamespace := func(o Object) bool { return o.Kind == "Namespace" }; slices.ContainsFunc(r.others.Objects, func(o Object) bool { return o.choosesNamespaces() }) {
		r.others.PassedOver = slices.DeleteFunc(r.others.PassedOver, func(c KindCount) bool { return c.Kind == "Namespace" })
	} else {
		r.others.Objects = slices.DeleteFunc(r.others.Objects, isNamespace) // only listeners look at their labels
	}
	r.others.Alternatives = alternatives(r.others.Objects)
	if len(r.problems) > 0 {
		for i := range r.others.Alternatives {
			r.problems = append(r.problems, r.others.Alternatives[i].problem())
		}
		return nil, r.problems
	}
	return r.others, nil
}

// From are the objects that stand in these files, in the order of Objects.
func (o *Others) From(files []string) (objects []Object) {
	for i := range o.Objects {
		if slices.Contains(files, o.Objects[i].File) {
			objects = append(objects, o.Objects[i])
		}
	}
	return objects
}

// othersReader is the state of LoadOthers.
type othersReader struct {
	others   *Others
	stdin    io.Reader
	problems Problems
	// read are the files so far, by cleaned path; removed are the API versions and kinds of remarks.
	read, removed map[string]bool
	// objects and size are what was read in full so far; full says that it was too much.
	objects, size int
	full          bool
	// keepBeyond: fields that are not executed are kept where they may be.
	keepBeyond bool
}

func (r *othersReader) problem(file, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: file, Text: fmt.Sprintf(format, args...)})
}

func (r *othersReader) remark(format string, args ...any) {
	r.others.Remarks = append(r.others.Remarks, fmt.Sprintf(format, args...))
}

// load reads what one name of LoadOthers names.
func (r *othersReader) load(name string) {
	info, err := os.Stat(name)
	switch {
	case name == stdinName:
		r.text(stdinFile, r.stdin, false)
	case strings.Contains(name, "://"):
		r.problem(name, "is a URL, but -f takes files: download it to a file, or pipe it into '-f -'")
	case err != nil:
		r.problem(name, "%v", cause(err))
	case info.IsDir():
		files := len(r.read)
		if r.folder(name, 0); len(r.read) == files && len(r.problems) == 0 {
			r.problem(name, "is a folder without a .yaml, .yml or .json file")
		}
	case slices.Contains(kustomizations, filepath.Base(name)):
		r.problem(name, "is a file of kustomize, which hellochaos does not run: pipe the output of 'kubectl kustomize %s' into '-f -'", filepath.Dir(name))
	default:
		r.file(name, false)
	}
}

// folder reads the files of a folder and of those in it, in the order of their names.
func (r *othersReader) folder(dir string, depth int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		r.problem(dir, "%v", cause(err))
		return
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "Chart.yaml" }) {
		r.problem(dir, "is a chart of Helm, which hellochaos does not run: pipe the output of 'helm template %s' into '-f -'", dir)
		return
	}
	for _, entry := range entries {
		if slices.Contains(kustomizations, entry.Name()) && !entry.IsDir() && !r.kustomize(filepath.Join(dir, entry.Name())) {
			return
		}
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		_, isYAML := yamlStem(entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), "."):
		case entry.IsDir() && depth == deepestFolder:
			r.problem(path, "is more than %d folders deep", deepestFolder)
		case entry.IsDir():
			r.folder(path, depth+1)
		case slices.Contains(kustomizations, entry.Name()): // it was read above
		case !isYAML && filepath.Ext(path) != ".json":
		case len(r.read) == mostFiles:
			r.full = true
			r.problem(dir, "has more than %d files: name the folder of one application", mostFiles)
		case isFile(path):
			r.file(path, true)
		}
		if r.full {
			return
		}
	}
}

// isFile reports whether a path leads to a file, if need be by a symbolic link.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// file reads a file, unless it was read already. found says that it was found in a folder, and not named.
func (r *othersReader) file(path string, found bool) {
	clean := filepath.Clean(path)
	if r.read[clean] {
		return
	}
	r.read[clean] = true
	f, err := os.Open(path)
	if err != nil {
		r.problem(path, "%v", cause(err))
		return
	}
	defer f.Close()
	r.text(path, f, found)
}

// text reads the documents of a file.
func (r *othersReader) text(file string, from io.Reader, found bool) {
	if r.full {
		return
	}
	data, err := io.ReadAll(io.LimitReader(from, maxOthersFile+1))
	if err != nil {
		r.problem(file, "%v", cause(err))
		return
	}
	if found && !mayBeManifest(data) && !isUTF16(data) {
		r.remark("%s has no object of Kubernetes (apiVersion and kind), and was passed over", file)
		return
	}
	if data, problem := utf8Text(file, data, maxOthersFile); problem != nil {
		r.problems = append(r.problems, *problem)
	} else if documents := split(file, data); len(documents) > 0 {
		r.documents(documents, found)
	} else if !found {
		r.problem(file, "has no objects")
	}
}

// documents reads the documents of a file.
func (r *othersReader) documents(documents []*document, found bool) {
	before := len(r.problems)
	for _, d := range documents {
		wrong := len(r.problems) - before
		if wrong >= mostProblems {
			r.problems = append(r.problems, Problem{File: d.file, Line: d.first,
				Text: fmt.Sprintf("the file was read up to this document only, since it has %d problems so far", wrong)})
		}
		if r.full || wrong >= mostProblems {
			return
		}
		switch manifest := mayBeManifest(d.text); {
		case !manifest && found:
		case !manifest && len(d.text) > maxFile:
			r.problems = append(r.problems, Problem{File: d.file, Line: d.first, Text: "is no object of Kubernetes: it has no apiVersion and no kind"})
		default:
			r.document(d)
		}
	}
}

// document reads a document with an object or a List of objects.
func (r *othersReader) document(d *document) {
	if version, kind, plain := headLines(d.text); plain && kind != listKind {
		if fate := fateOf(version, kind); fate != isRead && fate != isWrong && kind != "Namespace" && !(r.keepBeyond && isPolicy(version, kind)) {
			r.count(fate, version, kind, d.first+linesBefore(d.text), d.file)
			return
		}
		if len(d.text) > maxFile {
			r.problems = append(r.problems, tooLarge(d))
			return
		}
	}
	if !r.afford(d, 1, len(d.text)) {
		return
	}
	items, isList := d.list()
	documents := []*document{d}
	switch {
	case isList && !r.afford(d, len(items), 0):
		return
	case isList:
		documents = d.cut(items)
	case len(d.text) > maxFile:
		d.problems = Problems{tooLarge(d)}
	case len(d.problems) > 0 && bytes.Contains(d.text, []byte("{{")):
		d.problem("", "has braces as templates of Helm have: pipe the output of 'helm template' into '-f -'")
	}
	for _, item := range documents {
		r.object(item)
		r.problems = append(r.problems, item.problems...)
	}
}

func tooLarge(d *document) Problem {
	return Problem{File: d.file, Line: d.first, Text: fmt.Sprintf("is larger than the %d bytes that an object may have", maxFile)}
}

// afford counts objects that are to be read in full, and their text in bytes. It returns false when they are too many, which it
// records as a problem once.
func (r *othersReader) afford(d *document, objects, size int) bool {
	r.objects, r.size = r.objects+objects, r.size+size
	if r.full = r.objects > mostOthers || r.size > mostOthersBytes; r.full {
		r.problems = append(r.problems, Problem{File: d.file, Line: d.first, Text: fmt.Sprintf("is where more than %d objects or %d KiB have been read: "+
			"hellochaos runs one application on this machine, so name its files alone", mostOthers, mostOthersBytes>>10)})
	}
	return !r.full
}

// object reads one decoded object by its kind.
func (r *othersReader) object(d *document) {
	d.keepBeyond = r.keepBeyond
	fields, ok := d.fields.(map[string]any)
	if !ok || len(d.problems) > 0 {
		d.read() // it says what is wrong
		return
	}
	version, _ := fields["apiVersion"].(string)
	kind, _ := fields["kind"].(string)
	switch fate := fateOf(version, kind); {
	case version == "" || kind == "" || fate == isRead && (group(version) == istioGroup || group(version) == GatewayAPI):
		if o := d.read(); len(d.problems) == 0 {
			r.others.Objects = append(r.others.Objects, o)
			r.servers(&o)
		}
	case fate == isRead:
		r.kubernetes(d, version, kind)
	case fate == isWrong:
		d.name(fields, kind)
		d.problem("kind", "%s", noSuchKind(version, kind))
	case r.keepBeyond && isPolicy(version, kind):
		r.policy(d, fields, version, kind)
	case kind == "Namespace" && version == "v1":
		r.namespace(d, fields)
		fallthrough
	default:
		r.count(fate, version, kind, d.lines.of("", d.first), d.file)
	}
}

// servers remarks which servers of a Gateway no rule for HTTP is for.
func (r *othersReader) servers(o *Object) {
	spec, ok := o.Istio.(*networking.Gateway)
	if !ok {
		return
	}
	for i, s := range spec.Servers {
		if why := opaque(s); why != "" {
			field := fmt.Sprintf("spec.servers[%d]", i)
			r.remark("%s, servers[%d] (%s:%d), at port %d, is not HTTP, since %s: no rule for HTTP applies to its connections, and no request is sent there",
				o.Name(), i, o.File, o.lines.of(field, o.Line), s.Port.GetNumber(), why)
		}
	}
}

// namespace remarks that the pods of a namespace have no sidecar.
func (r *othersReader) namespace(d *document, fields map[string]any) {
	meta, _ := fields["metadata"].(map[string]any)
	labels, _ := meta["labels"].(map[string]any)
	r.keepNamespace(d, meta, labels)
	if labels[injection] == "disabled" {
		r.remark("Namespace %v (%s:%d) is labelled %s: disabled, so that no sidecar in it obeys a rule. hellochaos takes its pods for pods with sidecars, "+
			"as those of every other namespace", meta["name"], d.file, d.lines.of("metadata.labels."+injection, d.first), injection)
	}
}

// keepNamespace keeps the labels of a namespace, by which listeners of Gateway API choose whose routes they take.
func (r *othersReader) keepNamespace(d *document, meta, labels map[string]any) {
	name, _ := meta["name"].(string)
	o := Object{File: d.file, Line: d.lines.of("", d.first), APIVersion: "v1", Kind: "Namespace", Meta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	for key, value := range labels {
		if text, ok := value.(string); ok && key != injection {
			o.Meta.Labels[key] = text
		}
	}
	o.Kubernetes = &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: o.Meta}
	r.others.Objects = append(r.others.Objects, o)
}

// count counts an object that is not read.
func (r *othersReader) count(of fate, version, kind string, line int, file string) {
	list := map[fate]*[]KindCount{passes: &r.others.PassedOver, acts: &r.others.NotExecuted, unknown: &r.others.Unknown}[of]
	for i := range *list {
		if c := &(*list)[i]; c.Kind == kind && group(c.APIVersion) == group(version) {
			c.Count++
			return
		}
	}
	*list = append(*list, KindCount{APIVersion: version, Kind: kind, File: file, Line: line, Count: 1})
}

// twice are the problems of objects that one file has twice.
func (r *othersReader) twice() (problems Problems) {
	type key struct {
		identity
		file string
	}
	first := make(map[key]int)
	for i := range r.others.Objects {
		o := &r.others.Objects[i]
		at := key{o.identity(), o.File}
		if line, ok := first[at]; ok {
			problems = append(problems, o.problem("", "has the kind and name of the object in line %d: write an object once", line))
			continue
		}
		first[at] = o.Line
	}
	return problems
}
