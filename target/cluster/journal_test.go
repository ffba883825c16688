package cluster

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// written is the text of a journal of these lines.
func written(lines ...line) string {
	j := &journal{}
	for _, l := range lines {
		j.add(l)
	}
	return j.text.String()
}

func TestJournalIsReplayed(t *testing.T) {
	made, theirs := reference{"Gateway", "demo", "frontend"}, reference{"VirtualService", "demo", "middleware"}
	was := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"name": "middleware", "generation": int64(7)}}}
	policy(1, "their", "note").into(was)
	begin := []line{
		{Run: &header{Format: journalFormat, Name: "r1", Namespace: "demo"}},
		{Before: &snapshot{Reference: made}},
		{Before: &snapshot{Reference: theirs, Object: was.Object}},
	}
	type state struct {
		before, ours, pending content
	}
	for _, c := range []struct {
		name         string
		lines        []line
		made, theirs state
	}{
		{"nothing was done", nil, state{}, state{before: policy(1, "their", "note"), ours: policy(1, "their", "note")}},
		{"a write was begun", []line{{Intent: &outcome{made, policy(2)}}}, state{pending: policy(2)},
			state{before: policy(1, "their", "note"), ours: policy(1, "their", "note")}},
		{"written, and the next begun", []line{{Intent: &outcome{made, policy(2)}}, {Done: &outcome{made, policy(2)}}, {Intent: &outcome{theirs, policy(3)}}},
			state{ours: policy(2)}, state{before: policy(1, "their", "note"), ours: policy(1, "their", "note"), pending: policy(3)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, err := readJournal(strings.NewReader(written(append(begin[:3:3], c.lines...)...)))
			if err != nil {
				t.Fatal(err)
			}
			got := records(lines)
			if len(got) != 2 || got[0].reference != made || got[1].reference != theirs {
				t.Fatalf("got %d records, want those of %v and %v", len(got), made, theirs)
			}
			for i, want := range []state{c.made, c.theirs} {
				has := state{before: contentOf(got[i].before), ours: got[i].ours}
				if got[i].pending != nil {
					has.pending = got[i].pending.Content
				}
				if diff := cmp.Diff(want, has, cmp.AllowUnexported(state{})); diff != "" {
					t.Errorf("%v differs (-want +got):\n%s", got[i].reference, diff)
				}
			}
		})
	}
}

func TestReadJournal(t *testing.T) {
	whole := written(line{Run: &header{Format: journalFormat, Name: "r1"}}, line{Before: &snapshot{Reference: reference{Kind: "Service", Name: "a"}}})
	for _, c := range []struct {
		name, text string
		lines      int
		want       string // of the error
	}{
		{"whole", whole, 2, ""},
		{"cut in its last line", whole[:len(whole)-9], 1, ""},
		{"cut in its first line", whole[:20], 0, "does not name the run that wrote it"},
		{"empty", "", 0, "does not name the run that wrote it"},
		{"damaged in the middle", strings.Replace(whole, `"run"`, `"run`, 1), 0, "line 1"},
		{"of a newer format", strings.Replace(whole, `"format":1,`, `"format":4,"scope":"all",`, 1), 0, "hellochaos \"\" wrote the journal in format 4, but this hellochaos reads only formats 1 to 3"},
		{"of a newer format, begun by another line", `{"all":{}}` + "\n" + whole, 0, `"all" is not a kind of line`},
		{"without a format", strings.Replace(whole, `"format":1,`, "", 1), 0, "format 0"},
		{"with an unknown kind of line", whole + `{"time":"2026-01-02T03:04:05Z","renamed":{"object":{"kind":"Service","name":"a"}}}` + "\n", 0,
			`line 3: "renamed" is not a kind of line that this hellochaos knows (run, before, intent, done, made)`},
		{"with a line of no kind", whole + "{}\n", 0, "line 3: it has 0 of the fields run, before, intent, done"},
		{"with a line of two kinds", whole + `{"intent":{"object":{}},"done":{"object":{}}}` + "\n", 0, "line 3: it has 2 of"},
		{"with a line of another case", strings.Replace(whole, `"before"`, `"Before"`, 1), 0, `line 2: "Before" is not a kind`},
		{"without its beginning", whole[strings.Index(whole, "\n")+1:], 0, "does not name the run that wrote it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, err := readJournal(strings.NewReader(c.text))
			if len(lines) != c.lines || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %d lines and %v, want %d and %q", len(lines), err, c.lines, c.want)
			}
		})
	}
}

// FuzzJournal reads what nobody has written: it must not panic, and what it reads can be replayed.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(written(line{Run: &header{Format: journalFormat, Name: "r1"}}, line{Intent: &outcome{reference{"Service", "demo", "a"}, policy(1)}})))
	f.Add([]byte(`{"run":{}}` + "\n" + `{"before":{"object":{},"was":{"spec":1,"metadata":[]}}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, err := readJournal(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, rec := range records(lines) {
			rec.knows(rec.ours)
			putBack(contentOf(rec.before), rec.ours, nil)
		}
	})
}
