package target_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestApplyIsAtomic switches all traffic between two versions under load. No request that starts after Apply has returned may be
// answered by a version that the applied rule does not name. On a mesh that uses old rules on purpose (stale-rules) the same test
// must find such requests.
func TestApplyIsAtomic(t *testing.T) {
	t.Run("as Istio", func(t *testing.T) {
		t.Parallel()
		if sent, stale := applyUnderLoad(t, newEmbedded(t, ""), 12); stale != 0 {
			t.Errorf("%d of %d requests were answered by the old rule, want 0", stale, sent)
		}
	})
	t.Run("stale-rules", func(t *testing.T) {
		t.Parallel()
		if sent, stale := applyUnderLoad(t, newEmbedded(t, "stale-rules"), 12); stale == 0 {
			t.Errorf("none of %d requests was answered by the old rule, want some", sent)
		}
	})
}

// applied are the versions between which applyUnderLoad switches.
var applied = [2]string{"a", "b"}

// applyUnderLoad counts the requests that began and ended between two calls of Apply (sent), and how many of those the wrong
// version answered (stale).
func applyUnderLoad(t *testing.T, s subject, applies int64) (sent, stale int64) {
	t.Helper()
	const between, senders = 40, 2
	// begun and done count the calls of Apply that have begun and ended. While both stay the same number, one rule is in force.
	var begun, done, settled, wrong atomic.Int64
	apply := func(n int64) {
		begun.Store(n)
		if err := s.Apply(t.Context(), parse(t, rules("two", to("two/"+applied[n%2])))); err != nil {
			t.Fatal(err)
		}
		done.Store(n)
	}
	apply(1)
	address, err := s.caller()
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	send := func() error {
		rule := done.Load()
		a, err := request{host: "two"}.send(t.Context(), client, address)
		if err == nil && begun.Load() == rule {
			settled.Add(1)
			if a.hop.Version != applied[rule%2] {
				wrong.Add(1)
			}
		}
		return err
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group errgroup.Group
	for range senders {
		group.Go(func() error {
			for ctx.Err() == nil {
				if err := send(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for n := int64(2); n <= applies; n++ {
		for range between {
			if err := send(); err != nil {
				t.Fatal(err)
			}
		}
		apply(n)
	}
	stop()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if settled.Load() < (applies-1)*between {
		t.Fatalf("only %d requests saw one rule, want %d at least", settled.Load(), (applies-1)*between)
	}
	return settled.Load(), wrong.Load()
}
