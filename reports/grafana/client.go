package grafana

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/hellochaos/hellochaos/reports"
)

// mostAnswer is how much of an answer is read, in bytes.
const mostAnswer = 4 << 20

// client talks to a Grafana. Nothing that it returns holds the token or the password.
type client struct {
	http  *http.Client
	base  *url.URL // without user and password
	token string
	user  *url.Userinfo
	idle  func()
}

func newClient(o Options) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	c := &client{token: strings.TrimSpace(o.Token), user: o.URL.User, idle: transport.CloseIdleConnections}
	bare := *o.URL
	bare.User = nil
	c.base = &bare
	// A redirect leads to a page for people to log in, or away from the host that the token is for.
	c.http = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c
}

func (c *client) close() { c.idle() }

// page is where a browser finds what Grafana names by its path. Under a path of its own, Grafana names it with that path.
func (c *client) page(path string) string {
	path = "/" + strings.TrimLeft(path, "/") // never another host, "//example.org"
	if strings.HasPrefix(path, c.base.Path+"/") {
		path = strings.TrimPrefix(path, c.base.Path)
	}
	return c.base.String() + path
}

// hit is one dashboard that a search finds.
type hit struct {
	UID   string   `json:"uid"`
	Title string   `json:"title"`
	URL   string   `json:"url"`
	Tags  []string `json:"tags"`
}

func (c *client) search(ctx context.Context, query url.Values) ([]hit, error) {
	var found []hit
	err := c.do(ctx, http.MethodGet, "/api/search?"+query.Encode(), nil, &found)
	return found, err
}

// annotation is what POST /api/annotations takes; times are milliseconds since 1970. Without a dashboard it is the whole
// organisation's, and dashboards ask for it by its tags.
type annotation struct {
	Time    int64    `json:"time"`
	TimeEnd int64    `json:"timeEnd"`
	Tags    []string `json:"tags"`
	Text    string   `json:"text"`
}

func (c *client) annotate(ctx context.Context, a annotation) error {
	var reply struct {
		ID int64 `json:"id"`
	}
	return c.do(ctx, http.MethodPost, "/api/annotations", a, &reply)
}

// importing is what POST /api/dashboards/db takes.
type importing struct {
	Dashboard json.RawMessage `json:"dashboard"`
	Message   string          `json:"message"`
	Overwrite bool            `json:"overwrite"`
}

// create makes a dashboard that is not there and returns its path.
func (c *client) create(ctx context.Context, d *Dashboard) (string, error) {
	var reply struct {
		UID string `json:"uid"`
		URL string `json:"url"`
	}
	err := c.do(ctx, http.MethodPost, "/api/dashboards/db", importing{Dashboard: d.JSON, Message: fmt.Sprintf("hellochaos, revision %d", d.Revision)}, &reply)
	if err == nil && (reply.UID != d.UID || reply.URL == "") {
		err = errNotGrafana
	}
	return reply.URL, err
}

var errNotGrafana = errors.New("the answer is not one of Grafana's: is this the URL of a Grafana?")

// refusal is an answer that is not a success.
type refusal struct {
	status  int
	message string
}

func (r refusal) Error() string {
	text := fmt.Sprintf("%d %s", r.status, http.StatusText(r.status))
	if r.message != "" {
		text += " (" + r.message + ")"
	}
	switch {
	case r.status == http.StatusUnauthorized:
		text += ": set GRAFANA_TOKEN to the token of a service account"
	case r.status == http.StatusForbidden:
		text += ": the token needs the role Editor"
	case r.status == http.StatusNotFound, r.status >= 300 && r.status < 400:
		text += ": is this the URL of a Grafana, with its path?"
	}
	return text
}

// unreachable is a request without an answer.
type unreachable struct{ error }

// fatal reports whether other requests would fail in the same way.
func fatal(err error) bool {
	var away unreachable
	var refused refusal
	return errors.As(err, &away) || errors.Is(err, errNotGrafana) || errors.As(err, &refused) && refused.status == http.StatusUnauthorized
}

// do sends a request with a body of JSON, unless it is nil, and reads the answer's JSON into reply.
func (c *client) do(ctx context.Context, method, path string, body, reply any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := c.request(ctx, method, path, body)
	if err != nil {
		return unreachable{err}
	}
	response, err := c.http.Do(request)
	if err != nil {
		return unreachable{c.plain(ctx, err)}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	switch {
	case err != nil:
		return unreachable{c.plain(ctx, err)}
	case response.StatusCode < 200 || response.StatusCode > 299:
		return refusal{response.StatusCode, c.message(text)}
	case len(text) > mostAnswer || json.Unmarshal(text, reply) != nil:
		return errNotGrafana
	}
	return nil
}

func (c *client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("writing the request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, content)
	if err != nil {
		return nil, errors.New("the URL cannot be asked")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "hellochaos")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.token != "":
		request.Header.Set("Authorization", "Bearer "+c.token)
	case c.user != nil:
		password, _ := c.user.Password()
		request.SetBasicAuth(c.user.Username(), password)
	}
	return request, nil
}

// plain is why there was no answer, without the URL that was asked.
func (c *client) plain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer in time (%s a request, %s in all)", requestTimeout, Timeout)
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	return errors.New(c.hide(err.Error()))
}

// message is what Grafana says of a refusal, in one line; empty where it says nothing.
func (c *client) message(text []byte) string {
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &said) != nil {
		return ""
	}
	line := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, said.Message)
	if runes := []rune(line); len(runes) > 120 {
		line = string(runes[:120]) + "…"
	}
	return c.hide(line)
}

// hide takes the token and the password out of a text, and URLs' users.
func (c *client) hide(text string) string {
	password, _ := c.user.Password()
	for _, secret := range []string{c.token, password} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return reports.HideUserInfo(text)
}
