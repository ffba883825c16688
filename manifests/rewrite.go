package manifests

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Rewrite is what a proxy sends in place of the path or the host of a request.
type Rewrite struct {
	// URI replaces the part of the path that the rule's match asks for: the prefix, the whole path of an exact or regex match, and
	// "/" where the match says nothing of the path. Empty leaves the path alone.
	URI string
	// Regex, in RE2 syntax, replaces each of its matches in the path by Substitution, in which \0 to \9 stand for its groups. The path
	// stays where nothing would be left of it. Empty leaves the path alone.
	Regex, Substitution string
	// Authority is the host that is sent in the Host header. Empty leaves the host alone.
	Authority string

	regex *regexp.Regexp
	of    []*match // under one of which a request meets the rule; empty where every request does
}

// Rewritten is the host and the path, with its query, that a proxy sends for a request that meets the rule and goes to a destination:
// those of the request where nothing rewrites them. The host of the rule comes before that of the destination (Istio's
// processDestination, Envoy's WeightedClusterEntry). d is nil where the request goes nowhere.
func (r *Rule) Rewritten(q *Request, d *Destination) (host, path string) {
	host, path = q.Host, q.Path
	if d != nil && d.Authority != "" {
		host = d.Authority
	}
	if r.Rewrite == nil {
		return host, path
	}
	if r.Rewrite.Authority != "" {
		host = r.Rewrite.Authority
	}
	return host, r.Rewrite.path(q)
}

// Rewrites reports whether the rule may send another path than that of the request.
func (w *Rewrite) Rewrites() bool { return w != nil && (w.URI != "" || w.Regex != "") }

// path is the path that is sent, as Envoy's rewritePathByPrefixOrRegex finds it. The query stays.
func (w *Rewrite) path(q *Request) string {
	switch {
	case w.URI != "":
		return w.URI + q.Path[w.taken(q):]
	case w.Regex != "":
		path, _, _ := strings.Cut(q.Path, "?")
		if sent := w.substituted(path); sent != "" {
			return sent + q.Path[len(path):]
		}
	}
	return q.Path
}

// Of is the path, with its query, that takes the place of that of a request.
func (w *Rewrite) Of(q *Request) string { return w.path(q) }

// taken is the length of the part of a request's path that its match asks for.
func (w *Rewrite) taken(q *Request) int {
	v := newView(q)
	for _, m := range w.of {
		if !m.matches(&v) {
			continue
		}
		switch {
		case m.uri == nil || m.uri.any():
		case m.uri.prefix != nil:
			return len(*m.uri.prefix)
		default:
			return len(v.path)
		}
		break
	}
	return min(len("/"), len(q.Path))
}

// substituted is a path in which each match of the expression is replaced, as RE2's GlobalReplace does it.
func (w *Rewrite) substituted(path string) string {
	return w.regex.ReplaceAllString(path, replacement(w.Substitution))
}

// groupOf finds what a backslash stands before in the substitution of RE2.
var groupOf = regexp.MustCompile(`\\(.?)`)

// replacement is a substitution of RE2 in the form of package regexp: "\1" becomes "${1}".
func replacement(substitution string) string {
	return groupOf.ReplaceAllStringFunc(strings.ReplaceAll(substitution, "$", "$$"), func(escaped string) string {
		if escaped == `\\` {
			return `\`
		}
		return "${" + escaped[1:] + "}"
	})
}

// newRewrite is the rewrite of an http entry; nil where it has none. authority is what the entry's headers set the host to.
func newRewrite(h *networking.HTTPRewrite, authority string) (*Rewrite, error) {
	if h == nil && authority == "" {
		return nil, nil
	}
	w := &Rewrite{URI: h.GetUri(), Authority: h.GetAuthority(), Regex: h.GetUriRegexRewrite().GetMatch(), Substitution: h.GetUriRegexRewrite().GetRewrite()}
	if w.Authority == "" {
		w.Authority = authority
	}
	if w.Regex == "" {
		return w, nil
	}
	var err error
	w.regex, err = regexp.Compile(w.Regex)
	return w, err
}

// checkRewrite refuses what Istio's validateHTTPRewrite refuses, and what no server would accept as a path or a host.
func (d *document) checkRewrite(field string, h *networking.HTTPRewrite) {
	if h == nil {
		return
	}
	regex := h.UriRegexRewrite
	switch {
	case h.Uri != "" && regex != nil:
		d.problem(field, "must have only one of uri and uriRegexRewrite")
	case h.Uri == "" && regex == nil && h.Authority == "":
		d.problem(field, "must have uri, uriRegexRewrite or authority")
	}
	if h.Uri != "" {
		d.checkTarget(field+".uri", h.Uri)
		if !strings.HasPrefix(h.Uri, "/") {
			d.problem(field+".uri", "must begin with a slash, not be %q: no server accepts another path", h.Uri)
		}
	}
	d.checkAuthority(field+".authority", h.Authority)
	if regex == nil {
		return
	}
	if regex.Match == "" || regex.Rewrite == "" {
		d.problem(field+".uriRegexRewrite", "must have match and rewrite")
		return
	}
	d.checkTarget(field+".uriRegexRewrite.rewrite", regex.Rewrite)
	if compiled := d.checkRegex(field+".uriRegexRewrite.match", regex.Match); compiled != nil {
		d.checkGroups(field+".uriRegexRewrite.rewrite", regex.Rewrite, compiled.NumSubexp())
	}
}

// checkGroups refuses a substitution that RE2's CheckRewriteString refuses.
func (d *document) checkGroups(field, substitution string, groups int) {
	for _, escaped := range groupOf.FindAllString(substitution, -1) {
		if escaped == `\\` {
			continue
		}
		if group, err := strconv.Atoi(escaped[1:]); err != nil || group > groups {
			d.problem(field, `has %q: after a backslash there must be a second one, or the number of a group of match, which has %s`,
				escaped, countOf(groups, "group"))
		}
	}
}

func countOf(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// checkTarget refuses characters that cannot be in the path of a request.
func (d *document) checkTarget(field, path string) {
	if i := strings.IndexFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }); i >= 0 {
		d.problem(field, "must not have %q, which cannot be in the path of a request", path[i])
	}
}

// checkAuthority refuses a text that no server accepts as a Host header. The empty text is none.
func (d *document) checkAuthority(field, host string) {
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("/?#@\\", r) }) {
		d.problem(field, "%q is not a host, with or without a port", host)
	}
}
