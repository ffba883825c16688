package manifests

import (
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"
)

// Hash says by which part of a request its endpoint is chosen: consistentHash. Requests with the same key go to the same endpoint as long as
// the endpoints are the same. Exactly one of the fields but Path and TTL is set, or none, where there is no key.
type Hash struct {
	// Header and Query are the name of a header or of a parameter of the query.
	Header, Query string
	// Cookie is the name of a cookie.
	Cookie string
	// Source is the client's address.
	Source bool
	// Path and TTL are those of the cookie that the proxy gives a client that sends none; nil gives none.
	Path string
	TTL  *time.Duration
}

// hashOf is what a consistentHash says; nil where there is none.
func hashOf(balancer *networking.LoadBalancerSettings) *Hash {
	c := balancer.GetConsistentHash()
	if c == nil {
		return nil
	}
	h := &Hash{Header: c.GetHttpHeaderName(), Query: c.GetHttpQueryParameterName(), Source: c.GetUseSourceIp()}
	if cookie := c.GetHttpCookie(); cookie != nil {
		h.Cookie, h.Path = cookie.Name, cookie.Path
		if cookie.Ttl != nil {
			ttl := cookie.Ttl.AsDuration()
			h.TTL = &ttl
		}
	}
	return h
}

// Key is the part of a request that decides its endpoint, or "" where the request has none; the endpoint is then chosen by chance. path is
// that of the request with its query, and client its address with the port.
func (h *Hash) Key(header http.Header, path, client string) string {
	switch {
	case h.Header != "":
		return strings.Join(header.Values(h.Header), ",")
	case h.Query != "":
		_, query, _ := strings.Cut(path, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			return ""
		}
		return values.Get(h.Query)
	case h.Cookie != "":
		cookie, err := (&http.Request{Header: header}).Cookie(h.Cookie)
		if err != nil {
			return ""
		}
		return cookie.Value
	case h.Source:
		host, _, err := net.SplitHostPort(client)
		if err != nil {
			return client
		}
		return host
	}
	return ""
}

// String says what the key is: "header x-user".
func (h *Hash) String() string {
	switch {
	case h.Header != "":
		return "header " + h.Header
	case h.Query != "":
		return "query parameter " + h.Query
	case h.Cookie != "":
		return "cookie " + h.Cookie
	case h.Source:
		return "source address"
	}
	return "nothing"
}

// mostMaglev is the first size of a table that Istio refuses.
const mostMaglev = 5000011

// checkHash refuses what Istio's validateLoadBalancer refuses.
func (d *document) checkHash(field string, balancer *networking.LoadBalancerSettings) {
	c := balancer.GetConsistentHash()
	if c == nil {
		return
	}
	if cookie := c.GetHttpCookie(); cookie != nil && cookie.Name == "" {
		d.problem(field+".httpCookie.name", "must be set, since Istio refuses a cookie without a name")
	}
	if c.HashKey == nil {
		d.problem(field, "must have httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName: without a key Istio chooses endpoints by chance, and hellochaos does "+
			"not support that")
	}
	//lint:ignore SA1019 files have the deprecated field
	if c.GetMinimumRingSize() != 0 && c.GetHashAlgorithm() != nil {
		d.problem(field+".minimumRingSize", "must not stand beside ringHash or maglev, since Istio refuses that")
	}
	if m := c.GetMaglev(); m != nil && (m.TableSize >= mostMaglev || !new(big.Int).SetUint64(m.TableSize).ProbablyPrime(0)) {
		d.problem(field+".maglev.tableSize", "%s", fmt.Sprintf("must be a prime number below %d, not %d", mostMaglev, m.TableSize))
	}
}
