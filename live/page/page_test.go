package page

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hellochaos/hellochaos/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served is the address of the page of a session whose load is stopped.
func served(t *testing.T) (string, *live.Session) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	session, err := live.New(ctx, live.Options{Controls: live.Controls{Stage: "retry", Fail: 0.3, Rate: 20, Stopped: true}, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	ran, ended := make(chan struct{}), make(chan error, 1)
	go func() { defer close(ran); session.Run(ctx) }()
	go func() { ended <- Serve(ctx, listener, session) }()
	t.Cleanup(func() {
		stop()
		<-ran
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := session.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return listener.Addr().String(), session
}

// Other hosts and origins, other methods and types, and what is too large are refused, and nothing has changed then.
func TestRefusals(t *testing.T) {
	at, session := served(t)
	_, port, _ := net.SplitHostPort(at)
	const set = `{"stage":"canary","fail":0.9,"hang":0,"rate":20,"canary":0,"header":"","break":"","stopped":true}`
	large := fmt.Sprintf(`{"stage":"retry","yaml":%q}`, strings.Repeat("# 1 MB\n", 1<<20/7))
	for name, c := range map[string]struct {
		method, path, body, host, origin, site, kind string
		status                                       int
		says                                         string
	}{
		"the page":                      {"GET", "/", "", "", "", "none", "", 200, "<!doctype html>"},
		"the page, from a link":         {"GET", "/", "", "", "", "cross-site", "", 200, "<!doctype html>"},
		"localhost":                     {"GET", "/app.js", "", "localhost:" + port, "", "same-origin", "", 200, "EventSource"},
		"another name of this machine":  {"GET", "/", "", "evil.example:" + port, "", "", "", 421, "The page is only for"},
		"another port":                  {"GET", "/", "", "127.0.0.1:1", "", "", "", 421, "The page is only for"},
		"another address":               {"POST", "/set", set, "10.0.0.1:" + port, "", "", "application/json", 421, "The page is only for"},
		"another page posts":            {"POST", "/set", set, "", "http://evil.example", "cross-site", "application/json", 403, "other pages"},
		"another port's page posts":     {"POST", "/set", set, "", "http://127.0.0.1:1", "same-site", "application/json", 403, "other pages"},
		"a page without an origin":      {"POST", "/set", set, "", "null", "cross-site", "application/json", 403, "other pages"},
		"another page listens":          {"GET", "/events", "", "", "", "cross-site", "", 403, "other pages"},
		"a form posts":                  {"POST", "/set", set, "", "", "", "text/plain", 415, "must be application/json"},
		"a GET that would change":       {"GET", "/set", "", "", "", "", "", 404, ""},
		"no JSON":                       {"POST", "/set", "{", "", "", "", "application/json", 400, "one JSON object"},
		"an unknown member":             {"POST", "/set", `{"faill":1}`, "", "", "", "application/json", 400, "faill"},
		"two objects":                   {"POST", "/set", set + set, "", "", "", "application/json", 400, "one JSON object"},
		"1 MB of YAML":                  {"POST", "/edit", large, "", "", "", "application/json", 413, "longer than 256 KB"},
		"controls that are not allowed": {"POST", "/set", strings.Replace(set, "0.9", "9", 1), "", "", "", "application/json", 200, "--fail 9"},
		"a header with a line break":    {"POST", "/send", `{"header":"a\nb"}`, "", "", "", "application/json", 200, "printable"},
		"YAML with a misspelt field":    {"POST", "/edit", `{"stage":"retry","yaml":"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  host: [a]\n"}`, "", "", "", "application/json", 200, "retry.yaml:5"},
		"a file that does not exist":    {"GET", "/../page.go", "", "", "", "", "", 404, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+at+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		for header, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site, "Content-Type": c.kind} {
			if value != "" {
				r.Header.Set(header, value)
			}
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(io.LimitReader(response.Body, 1<<14)) // the events, which are not refused if this test fails, have no end
		response.Body.Close()
		if err != nil || response.StatusCode != c.status || !strings.Contains(string(body), c.says) {
			t.Errorf("%s: %s %.200s (%v), want %d with %q", name, response.Status, body, err, c.status, c.says)
		}
		if got := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self'") {
			t.Errorf("%s: Content-Security-Policy %q", name, got)
		}
	}
	if now := session.Whole().State.Controls; now.Stage != "retry" || now.Fail != 0.3 {
		t.Errorf("%+v, want what was in force", now)
	}
}

// Each tab begins with the whole, and all get the same messages.
func TestTabs(t *testing.T) {
	at, session := served(t)
	var tabs []*bufio.Scanner
	for range 2 {
		response, err := http.Get("http://" + at + "/events")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		tab := bufio.NewScanner(response.Body)
		tab.Buffer(nil, 1<<20)
		if !tab.Scan() || !strings.HasPrefix(tab.Text(), `data: {"now":`) || !strings.Contains(tab.Text(), `"stage":"retry"`) {
			t.Fatalf("%.200q, want the whole", tab.Text())
		}
		tabs = append(tabs, tab)
	}
	c := session.Whole().State.Controls
	c.Fail = 0.6
	if err := session.Set(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var got [2]string
	for i, tab := range tabs {
		for tab.Scan() && !strings.Contains(tab.Text(), `"fail":0.6`) {
		}
		got[i] = tab.Text()
	}
	if got[0] != got[1] || got[0] == "" {
		t.Errorf("the tabs got %.100q and %.100q", got[0], got[1])
	}
}
