package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const leasePath = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/" + leaseName

// putLease stores a lease that a process of some machine holds, whose clock says that it was renewed now.
func putLease(t *testing.T, s *apiServer, holder, process string, now time.Time) {
	t.Helper()
	s.put(t, leasePath, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}},"spec":{"holderIdentity":%q,"renewTime":%q}}`,
		processAnnotation, process, holder, now.UTC().Format(metav1.RFC3339Micro)))
}

// renewing makes the lease's holder renew it before each look at it, by a clock that is wrong by skew.
func renewing(s *apiServer, skew time.Duration) {
	n := 0
	s.read = func(path string, live *unstructured.Unstructured) {
		if path != leasePath {
			return
		}
		n++
		now := time.Now().Add(skew + time.Duration(n)*time.Millisecond).UTC().Format(metav1.RFC3339Micro)
		if err := unstructured.SetNestedField(live.Object, now, "spec", "renewTime"); err != nil {
			panic(err)
		}
		s.store(path, live)
	}
}

// here is this very process, as a lease names it, and a process of this host that is not there.
func here() (alive, dead string) {
	host, number := process()
	return fmt.Sprintf("%s/%d", host, number), host + "/4194305" // above the largest number that Linux gives
}

func TestSightingTakesNoOthersClock(t *testing.T) {
	begin := time.Now()
	lease := func(holder string, renewed time.Duration) *coordinationv1.Lease {
		at := metav1.NewMicroTime(begin.Add(renewed))
		return &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &at}}
	}
	for _, skew := range []time.Duration{-1000 * time.Hour, -time.Minute, 0, time.Minute, 1000 * time.Hour} {
		var s sighting
		for _, look := range []struct {
			after     time.Duration
			lease     *coordinationv1.Lease
			unchanged time.Duration
			changed   bool
		}{
			{0, lease("r1", skew), 0, false},
			{29 * time.Second, lease("r1", skew), 29 * time.Second, false},
			{30 * time.Second, lease("r1", skew), 30 * time.Second, false},
			{31 * time.Second, lease("r1", skew+5*time.Second), 0, true},
			{40 * time.Second, lease("r1", skew+5*time.Second), 9 * time.Second, true},
			{41 * time.Second, lease("r2", skew+5*time.Second), 0, true},
		} {
			if got := s.unchanged(look.lease, begin.Add(look.after)); got != look.unchanged || s.changed != look.changed {
				t.Errorf("clock wrong by %v, after %v: unchanged for %v, changed %v, want %v, %v", skew, look.after, got, s.changed, look.unchanged, look.changed)
			}
		}
	}
}

// A live run keeps its lease, whatever its clock says and wherever its process number leads.
func TestRestoreOfALiveRunIsRefused(t *testing.T) {
	_, dead := here()
	for _, skew := range []time.Duration{-time.Hour, -30 * time.Second, 0, time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			s, c, said := newAPIServer(t, 10*time.Second)
			c.lease.renew = 20 * time.Millisecond
			putRule(t, s, "middleware", 2)
			putJournal(t, s, "r1", written(append([]line{headOf("r1")}, changedRule("middleware")...)...))
			putLease(t, s, "r1", dead, time.Now().Add(skew))
			renewing(s, skew)
			_, err := c.Restore(t.Context(), "r1", RefuseEdits, false)
			expectError(t, err, "run r1 ("+dead+") is at work in namespace shop: it has just renewed its lease")
			if len(s.writes) != 0 {
				t.Errorf("it wrote %q, want nothing", s.writes)
			}
			if told := said(); len(told) != 1 || !strings.Contains(told[0], "Waiting for up to 30s to see whether it renews the lease") || !strings.Contains(told[0], "--now") {
				t.Errorf("it told %q, want one line about the wait", told)
			}
			left, err := c.Leftovers(t.Context())
			if err != nil || len(left) != 1 || !left[0].Running || left[0].Silent != 0 {
				t.Errorf("status: %+v, %v, want that the run is at work", left, err)
			}
			expectError(t, c.Tidy(t.Context(), false), "is at work")
		})
	}
}

// A dead run loses its lease after as long as a lease lasts, also when its clock was an hour ahead, and when a process of
// its number lives on this host.
func TestRestoreAfterAKillWaitsForTheLease(t *testing.T) {
	alive, _ := here()
	for _, skew := range []time.Duration{-time.Hour, 0, time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			s, c, _ := newAPIServer(t, 10*time.Second)
			c.lease = leaseTimes{duration: 400 * time.Millisecond, renew: 50 * time.Millisecond}
			var counted []time.Duration
			c.options.CountDown = func(left time.Duration) { counted = append(counted, left) }
			putRule(t, s, "middleware", 2)
			putJournal(t, s, "r1", written(append([]line{headOf("r1")}, changedRule("middleware")...)...))
			putLease(t, s, "r1", alive, time.Now().Add(skew))
			left, err := c.Leftovers(t.Context())
			if err != nil || len(left) != 1 || left[0].Running || left[0].Silent < 2*c.lease.renew {
				t.Errorf("status: %+v, %v, want that the run is silent", left, err)
			}
			counted = nil
			begin := time.Now()
			if _, err := c.Restore(t.Context(), "r1", RefuseEdits, false); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(begin); waited < c.lease.duration {
				t.Errorf("it waited %v, want at least %v", waited, c.lease.duration)
			}
			if len(counted) < 2 || counted[0] != c.lease.duration || counted[len(counted)-1] != 0 || !slices.IsSortedFunc(counted, func(a, b time.Duration) int { return int(b - a) }) {
				t.Errorf("it counted %v, want from %v down to 0", counted, c.lease.duration)
			}
			if got := s.paths(); !slices.Equal(got, []string{shopRules + "middleware"}) {
				t.Errorf("there is %q, want middleware alone", got)
			}
		})
	}
}

// The user's word that a run is dead is enough.
func TestRestoreNow(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s, c, said := newAPIServer(t, 10*time.Second) // with the usual 30 s
	putRule(t, s, "middleware", 2)
	putJournal(t, s, "r1", written(append([]line{headOf("r1")}, changedRule("middleware")...)...))
	putLease(t, s, "r1", "elsewhere/7", time.Now())
	begin := time.Now()
	if _, err := c.Restore(t.Context(), "r1", RefuseEdits, true); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(begin); waited > c.lease.duration/2 {
		t.Errorf("it took %v", waited)
	}
	if told := said(); len(told) != 1 || told[0] != "taking the lease from run r1 (elsewhere/7) without waiting, because of --now" {
		t.Errorf("it told %q", told)
	}
}

// Nobody but a restore takes a lease that another has, old as it may seem.
func TestAcquireLeavesAnothersLease(t *testing.T) {
	s, c, _ := newAPIServer(t, 10*time.Second)
	_, dead := here()
	putLease(t, s, "r1", dead, time.Now().Add(-time.Hour))
	_, err := c.acquire(t.Context(), "r2", nil)
	expectError(t, err, "run r1 ("+dead+") is at work in namespace shop, or was killed there", "hellochaos restore --all -n shop")
	expectError(t, c.unfinished(t.Context(), "r2"), "is at work in namespace shop, or was killed")
	if len(s.writes) != 0 {
		t.Errorf("it wrote %q, want nothing", s.writes)
	}
}

// Two processes that restore one run are kept apart.
func TestTwoRestoresOfOneRun(t *testing.T) {
	_, c, _ := newAPIServer(t, 10*time.Second)
	c.lease.renew = 20 * time.Millisecond
	_, lost := context.WithCancelCause(t.Context())
	first, err := c.inherit(t.Context(), restoring("r1"), false, lost)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := first.release(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	_, err = c.inherit(t.Context(), restoring("r1"), false, lost)
	var held *heldError
	if !errors.As(err, &held) || !held.renewed || !holds(held.holder, "r1") {
		t.Errorf("got %v, want that the first one is at work", err)
	}
}

// Whoever loses the lease changes nothing more: a run that applies, a run that closes, and a restore.
func TestLostLeaseEndsEverything(t *testing.T) {
	lose := map[string]func(t *testing.T, s *apiServer){
		"taken":   func(t *testing.T, s *apiServer) { putLease(t, s, "restore-r1-beef", "elsewhere/7", time.Now()) },
		"removed": func(_ *testing.T, s *apiServer) { s.mutex.Lock(); s.remove(leasePath); s.mutex.Unlock() },
	}
	words := map[string]string{"taken": "run restore-r1-beef (elsewhere/7) has taken the lease", "removed": "somebody has removed the lease"}
	for how, take := range lose {
		t.Run(how, func(t *testing.T) {
			s, c, _ := newAPIServer(t, 10*time.Second)
			c.lease.renew = 20 * time.Millisecond
			putRule(t, s, "middleware", 1)
			r := running(t, c, recordOf(s.at(shopRules+"middleware")))
			if _, err := r.change(t.Context(), r.known[0], rule("middleware", 2)); err != nil {
				t.Fatal(err)
			}
			take(t, s)
			<-r.gone.Done()
			expectError(t, r.Apply(t.Context(), nil), "the lease is lost", words[how])
			_, err := r.Close(t.Context())
			expectError(t, err, "0 of 1 objects were put back", "the lease is lost", words[how], "hellochaos restore r1 -n shop")
			if got := contentOf(s.at(shopRules + "middleware"))["spec"]; fmt.Sprint(got) != fmt.Sprint(policy(2)["spec"]) || s.at(journalPath+"r1") == nil {
				t.Errorf("middleware is %v, want it and the journal left to whoever has the lease", got)
			}
		})
		t.Run(how+" from a restore", func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			s, c, _ := newAPIServer(t, 10*time.Second)
			c.lease.renew = 20 * time.Millisecond
			putRule(t, s, "middleware", 2)
			putJournal(t, s, "r1", written(append([]line{headOf("r1")}, changedRule("middleware")...)...))
			// The restore waits for the end of the object, and loses its lease meanwhile.
			s.read = func(path string, live *unstructured.Unstructured) {
				if path == shopRules+"middleware" && live.GetDeletionTimestamp() == nil {
					live.SetDeletionTimestamp(new(metav1.Now()))
					go take(t, s)
				}
			}
			_, err := c.Restore(t.Context(), "r1", OverwriteEdits, false)
			expectError(t, err, "0 of 1 objects were put back", "the lease is lost", words[how])
			if s.at(journalPath+"r1") == nil {
				t.Error("the journal is gone")
			}
		})
	}
}

// A process that could not renew its lease for a while asks whether it still has it before it writes.
func TestOldLeaseIsRenewedBeforeAWrite(t *testing.T) {
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprintf("taken %v", taken), func(t *testing.T) {
			s, c, _ := newAPIServer(t, 10*time.Second)
			c.lease.renew = time.Hour // nobody renews it meanwhile
			putRule(t, s, "middleware", 1)
			r := running(t, c, recordOf(s.at(shopRules+"middleware")))
			r.lease.mutex.Lock()
			r.lease.renewed = r.lease.renewed.Add(-c.lease.duration)
			r.lease.mutex.Unlock()
			if taken {
				putLease(t, s, "r2", "elsewhere/7", time.Now())
			}
			s.writes = nil
			_, err := r.change(t.Context(), r.known[0], rule("middleware", 2))
			if taken {
				expectError(t, err, "the lease is lost: run r2 (elsewhere/7) has taken the lease")
				if len(s.writes) != 0 {
					t.Errorf("it wrote %q", s.writes)
				}
				return
			}
			if err != nil || len(s.writes) == 0 || s.writes[0] != "PUT "+leasePath {
				t.Errorf("it wrote %q, %v, want the lease first", s.writes, err)
			}
			if err := r.lease.release(t.Context()); err != nil {
				t.Error(err)
			}
			r.journal.close()
		})
	}
}
