package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
)

const (
	// runLabel is the label of the ConfigMap that holds a run's journal; its value is the run's name.
	runLabel = "hellochaos.dev/run"
	// journalKey is the journal's key in its ConfigMap, and mostJournal is the greatest length of a journal in bytes, so that a
	// ConfigMap can hold it.
	journalKey  = "journal.jsonl"
	mostJournal = 1000 << 10
)

// journalFormat is the version of the journal's lines. It must be raised whenever a program that does not know a new kind of
// line, or a new field, would fail to put everything back.
const journalFormat = 1

// scratchFormat is that of a journal with lines about namespaces that the run has made.
const scratchFormat = 2

// workersFormat is that of a journal that names the objects of workers.
const workersFormat = 3

// line is one line of a journal: exactly one of its fields but Time is set.
type line struct {
	Time time.Time `json:"time"`
	// Run is set in the first line.
	Run *header `json:"run,omitempty"`
	// Before is an object as it was before the first change. There is one such line for every object that the run may change.
	Before *snapshot `json:"before,omitempty"`
	// Intent is what an object will become, recorded before the write; Done is what it became.
	Intent *outcome `json:"intent,omitempty"`
	Done   *outcome `json:"done,omitempty"`
	// Made is a namespace that the run is about to make, and then, once more, the one that it has made.
	Made *madeNamespace `json:"made,omitempty"`
}

// header names the run that wrote a journal.
type header struct {
	// Format is the journalFormat, and Version the version, of the program that wrote the journal.
	Format    int       `json:"format"`
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Command   []string  `json:"command,omitempty"`
	Server    string    `json:"server"`
	Namespace string    `json:"namespace"`
	Host      string    `json:"host"`
	Process   int       `json:"process"`
	Started   time.Time `json:"started"`
	// Kept says that the namespaces of the run stay when it ends, and StandIns is a hash of what runs in them (DeployScratch).
	Kept     bool   `json:"kept,omitempty"`
	StandIns string `json:"standIns,omitempty"`
	// Steady is how the chain answered before the first change, as steadyState returns it.
	Steady string `json:"steady,omitempty"`
}

// snapshot is an object without its status; Object is nil if the object did not exist.
type snapshot struct {
	Reference reference      `json:"object"`
	Object    map[string]any `json:"was,omitempty"`
}

// outcome is the content of an object after a write; Content is nil if the object does not exist any more.
type outcome struct {
	Reference reference `json:"object"`
	Content   content   `json:"becomes,omitempty"`
}

// journal is the record of a run's writes, in a file on this machine and in a ConfigMap beside the chain. It has all that is
// needed to put the cluster back. Before flush returns, every line is in both copies, and the file is synced to the disk.
type journal struct {
	cluster *Cluster
	run     string
	file    *os.File
	text    bytes.Buffer
	flushed int // how much of text is on disk
	stored  int // how much of text is in the cluster
	version string
}

// journalFolder is the folder of all journals' files: $XDG_STATE_HOME/hellochaos, by default ~/.local/state/hellochaos.
func journalFolder() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("looking for a place for journals: %w; set $XDG_STATE_HOME to a folder that can be written", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "hellochaos"), nil
}

// newJournal makes both copies of a journal that begins with this header, these snapshots, and lines about namespaces that the run has
// made.
func (c *Cluster) newJournal(ctx context.Context, h header, before []snapshot, more ...line) (*journal, error) {
	h.Format = journalFormat
	if len(more) > 0 {
		h.Format = scratchFormat
	}
	if slices.ContainsFunc(before, func(s snapshot) bool { return ofWorkers(s.Reference) }) {
		h.Format = workersFormat
	}
	j := &journal{cluster: c, run: h.Name}
	j.add(line{Run: &h})
	for i := range before {
		j.add(line{Before: &before[i]})
	}
	for i := range more {
		j.add(more[i])
	}
	if j.text.Len() > mostJournal {
		return nil, &fullError{h.Name, j.text.Len()}
	}
	folder, err := journalFolder()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the journals' folder: %w; set $XDG_STATE_HOME to a folder that can be written", err)
	}
	j.file, err = os.OpenFile(filepath.Join(folder, h.Name+".jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the journal: %w; set $XDG_STATE_HOME to a folder that can be written", err)
	}
	if err := j.store(); err != nil {
		return nil, err
	}
	err = c.again(ctx, "making the journal "+j.name(), func(ctx context.Context) error {
		made, err := c.core.CoreV1().ConfigMaps(c.namespace).Create(ctx, j.object(), metav1.CreateOptions{FieldManager: manager})
		if apierrors.IsAlreadyExists(err) { // an earlier try made it, but its answer was lost
			made, err = c.core.CoreV1().ConfigMaps(c.namespace).Get(ctx, j.name(), metav1.GetOptions{})
		}
		if err == nil {
			j.version, j.stored = made.ResourceVersion, j.text.Len()
		}
		return err
	})
	return j, err
}

// journalPrefix begins the names of the journals' ConfigMaps; the run's name follows.
const journalPrefix = "hellochaos-run-"

// name is the name of the journal's ConfigMap.
func (j *journal) name() string { return journalPrefix + j.run }

func (j *journal) object() *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: j.name(), Namespace: j.cluster.namespace, ResourceVersion: j.version,
			Labels: map[string]string{managedBy: manager, runLabel: j.run}},
		Data: map[string]string{journalKey: j.text.String()},
	}
}

// add appends a line without storing it, so that the line about one write can be stored together with the next intent.
func (j *journal) add(l line) {
	l.Time = time.Now().UTC()
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // cannot happen: a line has only values that JSON can express
	}
	j.text.Write(append(text, '\n'))
}

// fullError says that a journal has no room for the next write of a run.
type fullError struct {
	run   string
	bytes int
}

func (e *fullError) Error() string {
	return fmt.Sprintf("the journal of run %s would need %d bytes, but its ConfigMap has room for %d; the run changed nothing that the journal does not record: run fewer stages at a time",
		e.run, e.bytes, mostJournal)
}

// flush stores all lines, on this machine and in the cluster. When they do not fit, it returns a fullError and drops the lines
// that are not stored yet. The caller must then not make the write that they announce, so that the stored lines are still
// enough to put everything back.
func (j *journal) flush(ctx context.Context) error {
	if full := j.text.Len(); full > mostJournal {
		j.text.Truncate(max(j.stored, j.flushed))
		return &fullError{j.run, full}
	}
	if err := j.store(); err != nil {
		return err
	}
	return j.cluster.again(ctx, "writing the journal "+j.name(), func(ctx context.Context) error {
		configMaps := j.cluster.core.CoreV1().ConfigMaps(j.cluster.namespace)
		stored, err := configMaps.Update(ctx, j.object(), metav1.UpdateOptions{FieldManager: manager})
		if apierrors.IsConflict(err) {
			// Either an earlier try of this process, whose answer was lost, changed the ConfigMap, or somebody restores this run.
			if stored, err = configMaps.Get(ctx, j.name(), metav1.GetOptions{}); err == nil && stored.Data[journalKey] != j.text.String() {
				return fmt.Errorf("somebody else has changed the journal: is run %s being restored at the same time?", j.run)
			}
		}
		if err == nil {
			j.version, j.stored = stored.ResourceVersion, j.text.Len()
		}
		return err
	})
}

// store appends the lines that the file does not have yet, and waits until they are on the disk.
func (j *journal) store() error {
	if j.file == nil {
		return nil
	}
	if _, err := j.file.Write(j.text.Bytes()[j.flushed:]); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	j.flushed = j.text.Len()
	return nil
}

// remove deletes both copies of a journal when everything has been put back.
func (j *journal) remove(ctx context.Context) error {
	err := j.cluster.again(ctx, "removing the journal "+j.name(), func(ctx context.Context) error {
		err := j.cluster.core.CoreV1().ConfigMaps(j.cluster.namespace).Delete(ctx, j.name(), metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
	if err == nil && j.file != nil {
		err = os.Remove(j.file.Name())
	}
	return err
}

// close closes the file.
func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close() // no line can be lost: every line was synced
	}
}

// readJournal reads the lines of a journal. A last line that was cut off, for example by a power loss, counts as not written.
// A journal of another format, and a line of an unknown kind, are errors, since this program would not put back what they
// record.
func readJournal(r io.Reader) ([]line, error) {
	text, err := io.ReadAll(io.LimitReader(r, 64<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	var lines []line
	number := 0
	for one := range strings.Lines(string(text)) {
		number++
		if !strings.HasSuffix(one, "\n") {
			break
		}
		if number == 1 {
			if err := readable(one); err != nil {
				return nil, fmt.Errorf("reading the journal, line 1: %w", err)
			}
		}
		l, err := readLine(one)
		if err != nil {
			return nil, fmt.Errorf("reading the journal, line %d: %w", number, err)
		}
		lines = append(lines, l)
	}
	if len(lines) == 0 || lines[0].Run == nil {
		return nil, errors.New("reading the journal: its first line does not name the run that wrote it")
	}
	return lines, nil
}

// readable returns an error if the first line of a journal has a format that this program does not know.
func readable(first string) error {
	var l line
	if err := json.Unmarshal([]byte(first), &l); err != nil {
		return err
	}
	if l.Run != nil && (l.Run.Format < journalFormat || l.Run.Format > workersFormat) {
		return fmt.Errorf("hellochaos %q wrote the journal in format %d, but this hellochaos reads only formats %d to %d: restore with the version that wrote the journal",
			l.Run.Version, l.Run.Format, journalFormat, workersFormat)
	}
	return nil
}

// lineKinds are the fields of a line besides its time; each line has exactly one of them.
var lineKinds = []string{"run", "before", "intent", "done", "made"}

func readLine(text string) (l line, err error) {
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return l, err
	}
	kinds := 0
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch {
		case name == "time":
		case slices.Contains(lineKinds, name) && fields[name] != nil:
			kinds++
		default:
			return l, fmt.Errorf("%q is not a kind of line that this hellochaos knows (%s)", name, strings.Join(lineKinds, ", "))
		}
	}
	if kinds != 1 {
		return l, fmt.Errorf("it has %d of the fields %s, but must have exactly one of them", kinds, strings.Join(lineKinds, ", "))
	}
	return l, json.Unmarshal([]byte(text), &l)
}
