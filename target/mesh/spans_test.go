package mesh

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
)

// Every service of the chain answers with its spans over HTTP. The clock, which stands for a service of somebody else, is not
// asked.
func TestSpans(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	if err := m.Apply(t.Context(), manifests.Application()); err != nil {
		t.Fatal(err)
	}
	address, err := m.Address(t.Context(), manifests.Entry{Service: "frontend"})
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, name := range []string{"1/x/1", "1/x/2"} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address.URL, nil)
		r.Header.Set(trail.HeaderRequest, name)
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	before, err := m.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := m.Spans(t.Context(), []string{"1/x/2"})
	if err != nil {
		t.Fatal(err)
	}
	var recorded []string
	spans := map[string]int{}
	for _, r := range all {
		recorded = append(recorded, r.Service+"-"+r.Version)
		for _, span := range r.Spans {
			if spans[r.Service]++; span.Request != "1/x/2" || span.Status != http.StatusOK || len(span.Calls) == 0 {
				t.Errorf("%s: %+v", r.Service, span)
			}
		}
	}
	slices.Sort(recorded)
	if want := []string{"backend-prod", "frontend-prod", "middleware-canary", "middleware-prod"}; !slices.Equal(recorded, want) {
		t.Errorf("recordings of %q, want %q", recorded, want)
	}
	if spans["frontend"] != 1 || spans["middleware"] != 1 || spans["backend"] != 1 {
		t.Errorf("spans %v, want one of each service", spans)
	}
	if after, err := m.Counters(t.Context()); err != nil || !slices.Equal(after, before) {
		t.Errorf("reading spans was counted: %v, then %v (%v)", before, after, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Spans(over, nil); err == nil || !strings.Contains(err.Error(), "reading the spans of Deployment") {
		t.Errorf("error %v, want one that names a Deployment", err)
	}
}

// A mesh that records no tries says so, so that nobody takes it for one that got none.
func TestUntraced(t *testing.T) {
	m, err := New(Options{Untraced: true})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := m.Spans(t.Context(), nil); err == nil || len(all) > 0 {
		t.Errorf("%v, %v, want an error", all, err)
	}
	if _, err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
