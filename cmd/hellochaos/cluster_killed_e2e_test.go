//go:build e2e

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// killer kills a process when the API server has done its n-th write, before the process gets the answer.
type killer struct {
	mutex  sync.Mutex
	left   int
	victim *os.Process
}

// trouble is the trouble of a front.
func (k *killer) trouble(f *front, r *http.Request) (handled bool) {
	write := r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "" &&
		!strings.Contains(r.URL.Path, "/leases") && !strings.Contains(r.URL.Path, "accessreviews")
	if !write {
		return false
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.left--; k.left != 0 {
		return false
	}
	f.proxy.ServeHTTP(httptest.NewRecorder(), r)
	_ = k.victim.Kill()
	panic(http.ErrAbortHandler)
}

// After whichever write a run is killed, restore puts everything back from only the journal in the cluster.
func TestE2EKilledAtEveryWrite(t *testing.T) {
	b := newBed(t)
	before := b.state(t)
	k := new(killer)
	var f *front
	f, kubeconfig := b.newFront(t, func(_ http.ResponseWriter, r *http.Request) bool { return k.trouble(f, r) })
	for n := 1; ; n++ {
		cmd := exec.CommandContext(t.Context(), program, "run", "prod", "--fail", "0", "--rate", "200", "--max-requests", "20",
			"--target", "cluster", "--kubeconfig", kubeconfig, "-n", b.namespace)
		cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir()) // on "another machine" than the restore
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		k.mutex.Lock()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		k.left, k.victim = n, cmd.Process
		k.mutex.Unlock()
		_ = cmd.Wait()
		if cmd.ProcessState.Exited() {
			if n < 20 {
				t.Errorf("the run ended by itself with its write %d, want at least 20 writes\n%s", n, out.String())
			}
			t.Logf("killed after each of %d writes", n-1)
			return
		}
		if got := b.execute(t, "restore", "--all", "--now"); got.code != 0 {
			t.Fatalf("killed after write %d, restore: exit %d\n%s%s", n, got.code, got.stdout, got.stderr)
		}
		if diff := cmp.Diff(before, b.state(t)); diff != "" {
			t.Fatalf("killed after write %d and restored, the namespace is not as it was (-before +after):\n%s", n, diff)
		}
	}
}
