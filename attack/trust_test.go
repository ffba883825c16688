package attack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTrustRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		insecure bool
		cacert   string
	}{"has no certificate in PEM form": {false, empty}, "none: no such file": {false, "none"}, "--cacert and --insecure": {true, empty}} {
		if _, err := Trust(c.insecure, c.cacert); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}
