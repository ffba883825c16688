package grafana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hellochaos/hellochaos/reports/destination"
)

// client sends requests to a Grafana. No error that it returns has the token or the password in it.
type client struct {
	*destination.Client
	base    *url.URL // without user and password
	header  http.Header
	user    *url.Userinfo
	secrets destination.Secrets
}

func newClient(o Options) *client {
	c := &client{header: http.Header{"Accept": {"application/json"}}, user: o.URL.User}
	bare := *o.URL
	bare.User = nil
	c.base = &bare
	token := strings.TrimSpace(o.Token)
	if token != "" {
		c.header.Set("Authorization", "Bearer "+token)
	}
	c.secrets = append(destination.SecretsOf(c.user), token)
	c.Client = destination.New(destination.Options{Timeout: requestTimeout, Secrets: c.secrets})
	return c
}

// page returns the address for a browser of a path that Grafana returned. A Grafana that is served below a path of its own returns
// paths that begin with that path.
func (c *client) page(path string) string {
	path = "/" + strings.TrimLeft(path, "/") // A path such as "//example.org" would lead to another host.
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

// annotation is the body of POST /api/annotations. Times are milliseconds since 1970. It names no dashboard, so it belongs to the whole
// organisation, and dashboards find it by its tags.
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

// importing is the body of POST /api/dashboards/db.
type importing struct {
	Dashboard json.RawMessage `json:"dashboard"`
	Message   string          `json:"message"`
	Overwrite bool            `json:"overwrite"`
}

// create creates a dashboard that Grafana does not have, and returns its path.
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

var errNotGrafana = errors.New("the answer does not have the form of Grafana's API: is this the URL of a Grafana?")

// refused returns an error for an answer that is not a success, with Grafana's message and with what the user can do.
func (c *client) refused(r *destination.Refusal) error {
	text := ""
	if message := c.message(r.Body); message != "" {
		text += " (" + message + ")"
	}
	switch {
	case r.Status == http.StatusUnauthorized:
		text += ": set GRAFANA_TOKEN to the token of a service account"
	case r.Status == http.StatusForbidden:
		text += ": the token needs the role Editor"
	case r.Status == http.StatusNotFound:
		text += ": is this the URL of a Grafana, with its path?"
	}
	return fmt.Errorf("%w%s", r, text)
}

// fatal reports whether all other requests would fail for the same reason: there was no answer, it was not that of a Grafana, or Grafana
// did not accept the credentials.
func fatal(err error) bool {
	var refused *destination.Refusal
	return !errors.As(err, &refused) || refused.Status == http.StatusUnauthorized || refused.Status/100 == 3
}

// do sends a request and reads the JSON of the answer into reply. The request has body as JSON, unless body is nil.
func (c *client) do(ctx context.Context, method, path string, body, reply any) error {
	at, err := url.Parse(c.base.String() + path)
	if err != nil {
		return errors.New("no request can be sent to the URL")
	}
	at.User = c.user
	request := destination.Request{Method: method, URL: at, Header: c.header}
	if body != nil {
		if request.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("writing the request: %w", err)
		}
		request.Header = c.header.Clone()
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.Do(ctx, request)
	var refusal *destination.Refusal
	switch {
	case errors.As(err, &refusal):
		return c.refused(refusal)
	case err != nil:
		return err
	case json.Unmarshal(answer, reply) != nil:
		return errNotGrafana
	}
	return nil
}

// message returns the message of an answer of Grafana, in one line. It is empty where the answer has none.
func (c *client) message(text []byte) string {
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &answer) != nil {
		return ""
	}
	return c.secrets.Line(answer.Message, 120)
}
