package attack

import (
	"fmt"
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
		insecure          bool
		cacert, cert, key string
	}{"has no certificate in PEM form": {false, empty, "", ""}, "none: no such file": {false, "none", "", ""}, "--cacert and --insecure": {true, empty, "", ""},
		"give both": {false, "", empty, ""}, "failed to find any PEM data": {false, "", empty, empty}} {
		if _, err := Trust(c.insecure, c.cacert, c.cert, c.key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}

func TestResolve(t *testing.T) {
	got, err := Resolve([]string{"shop.example:443:127.0.0.1", "a:80:10.0.0.1:8080", "b:80:[::1]:81", "c:80:::1"})
	if want := "map[a:80:10.0.0.1:8080 b:80:[::1]:81 c:80:[::1]:80 shop.example:443:127.0.0.1:443]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "a:80", "a:80:b", "a:x:127.0.0.1", ":80:127.0.0.1", "a:x:127.0.0.1:80"} {
		if _, err := Resolve([]string{text}); err == nil || !strings.Contains(err.Error(), "must be HOST:PORT:ADDRESS") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
