package mesh

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
)

// keyed is the part of a call by which its endpoints are chosen, and the Set-Cookie header for a client that sends no cookie; "" where there is none.
// The value of a cookie that the proxy gives is drawn by the request's name, where Envoy hashes the addresses of the client's connection. The keys of all destinations among which a rule splits are taken together (Istio gives a route the hash policies of all of them).
func (c *call) keyed() (key, cookie string) {
	var parts []string
	for i := range c.rule.Split {
		h := c.view.rules.Endpoints(&c.rule.Split[i]).Hash
		if h == nil {
			continue
		}
		part := h.Key(c.downstream.Header, c.request.Path, c.downstream.RemoteAddr)
		if part == "" && h.TTL != nil {
			part = strconv.FormatUint(hashed(c.draws.request+"/"+c.draws.service), 16)
			cookie = setCookie(h, part)
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n"), cookie
}

// setCookie is the header that gives a client a cookie (Envoy's Utility::makeSetCookieValue).
func setCookie(h *manifests.Hash, value string) string {
	text := fmt.Sprintf("%s=%q", h.Cookie, value)
	if *h.TTL > 0 {
		text += fmt.Sprintf("; Max-Age=%d", int(h.TTL.Seconds()))
	}
	if h.Path != "" {
		text += "; Path=" + h.Path
	}
	return text + "; HttpOnly"
}

// without are the endpoints that are not among those that were tried.
func without(among, tried []*upstream) (left []*upstream) {
	for _, u := range among {
		if !slices.Contains(tried, u) {
			left = append(left, u)
		}
	}
	return left
}

// highest is the endpoint of a key: the one whose hash with the key is the highest, so that a key moves only when its endpoint goes.
func (c *cluster) highest(among []*upstream, key string) *upstream {
	var best *upstream
	var most uint64
	for i, u := range c.endpoints {
		if !slices.Contains(among, u) {
			continue
		}
		if h := hashed(key + "/" + strconv.Itoa(i)); best == nil || h > most {
			best, most = u, h
		}
	}
	return best
}

// hashed is a hash of a text whose bits all depend on each byte (FNV-1a, and the last step of MurmurHash3).
func hashed(text string) uint64 {
	f := fnv.New64a()
	f.Write([]byte(text))
	h := f.Sum64()
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
