package cluster

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What is as a run wants it is neither read nor tried again one by one, until somebody writes it or the run wants something else.
func TestWriteTriesWhatChanged(t *testing.T) {
	s, c, _ := newAPIServer(t, 10*time.Second)
	putRule(t, s, "middleware", 1)
	r := running(t, c, recordOf(s.at(shopRules+"middleware")))
	r.known = append(r.known, &record{reference: reference{"VirtualService", "shop", "backend"}})
	t.Cleanup(r.journal.close)
	asked := 0 // about one rule
	s.read = func(path string, _ *unstructured.Unstructured) {
		if strings.HasPrefix(path, shopRules) {
			asked++
		}
	}
	s.refuse = func(q *http.Request, _ *unstructured.Unstructured) *metav1.Status {
		if strings.HasPrefix(q.URL.Path, shopRules) {
			asked++
		}
		return nil
	}
	write := func(number int) error {
		asked = 0
		_, err := r.write(t.Context(), []*unstructured.Unstructured{rule("middleware", number)})
		return err
	}
	for _, step := range []struct{ number, want int }{{2, 3}, {2, 0}, {3, 3}, {3, 0}} { // a read, a dry run and a write
		if err := write(step.number); err != nil || asked != step.want {
			t.Errorf("writing %d: %d requests, %v, want %d", step.number, asked, err, step.want)
		}
	}
	var edit *editedError
	putRule(t, s, "middleware", 9)
	if err := write(3); !errors.As(err, &edit) || edit.reference.Name != "middleware" {
		t.Errorf("after somebody has written middleware: %v, want that", err)
	}
	putRule(t, s, "middleware", 3)
	putRule(t, s, "backend", 9)
	if err := write(3); !errors.As(err, &edit) || edit.reference.Name != "backend" {
		t.Errorf("after somebody has made backend: %v, want that", err)
	}
}
