package mesh

import (
	"fmt"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

func TestTheEndpointOfAKey(t *testing.T) {
	c := &cluster{keyed: true, endpoints: []*upstream{{}, {}, {}}}
	met := map[*upstream]int{}
	for i := range 60 {
		key := fmt.Sprint(i)
		at := c.highest(c.endpoints, key)
		met[at]++
		for range 3 {
			if again := c.pick(&draws{}, []*upstream{at}, false, key); again != at {
				t.Errorf("key %s goes to two endpoints", key)
			}
			if other := c.pick(&draws{}, []*upstream{at}, true, key); other == at {
				t.Errorf("a retry with key %s that avoids previous endpoints goes to the same one", key)
			}
		}
		var others []*upstream
		for _, u := range c.endpoints {
			if u != at {
				others = append(others, u)
			}
		}
		if next := c.highest(append([]*upstream{at}, others[0]), key); next != at {
			t.Errorf("key %s moves although its endpoint is there", key)
		}
	}
	for _, u := range c.endpoints {
		if met[u] < 8 { // chance gives an endpoint fewer of 60 keys than this in one of 10,000 cases
			t.Errorf("of 60 keys the endpoints have %v", met)
		}
	}
}

func TestTheCookieThatAProxyGives(t *testing.T) {
	ttl, zero := 90*time.Second, time.Duration(0)
	for _, c := range []struct {
		hash manifests.Hash
		want string
	}{
		{manifests.Hash{Cookie: "user", TTL: &ttl, Path: "/a"}, `user="v"; Max-Age=90; Path=/a; HttpOnly`},
		{manifests.Hash{Cookie: "user", TTL: &zero}, `user="v"; HttpOnly`},
	} {
		if got := setCookie(&c.hash, "v"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
