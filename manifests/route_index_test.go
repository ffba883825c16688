package manifests

import (
	"math/rand/v2"
	"net/http"
	"regexp"
	"testing"
)

// TestRouteIndex holds the index to the order of the routes: on random routes and requests it finds the one that comes first among those
// that hold.
func TestRouteIndex(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	path := func() string {
		text := "/"
		for range random.IntN(5) {
			text += string("aAb/"[random.IntN(4)])
		}
		return text
	}
	condition := func() *text {
		p := path()
		switch random.IntN(8) {
		case 0:
			return nil
		case 1:
			return &text{regex: regexp.MustCompile(`\A(?:` + p + `.*)\z`)}
		case 2:
			return &text{exact: &p, fold: true}
		case 3:
			return &text{prefix: &p, fold: true}
		case 4, 5:
			return &text{exact: &p}
		}
		return &text{prefix: &p}
	}
	met := 0
	for range 300 {
		routes := make([]route, random.IntN(40))
		for i := range routes {
			m := &match{uri: condition()}
			if random.IntN(3) == 0 {
				m.headers = []named{{name: "X-A"}}
			}
			routes[i] = route{match: m}
		}
		index := newRouteIndex(routes)
		for range 50 {
			q := &Request{Path: path() + "?" + path(), Header: http.Header{}}
			if random.IntN(2) == 0 {
				q.Header.Set("X-A", "1")
			}
			v, want := newView(q), -1
			for i := range routes {
				if routes[i].match.matches(&v) {
					want = i
					break
				}
			}
			if got := index.first(routes, &v); got != want {
				t.Fatalf("%s meets route %d, want %d of %d", q.Path, got, want, len(routes))
			}
			if want > 0 {
				met++
			}
		}
	}
	if met < 1000 {
		t.Errorf("only %d requests met a route behind the first one", met)
	}
}
