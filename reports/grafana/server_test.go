package grafana

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// server follows Grafana's HTTP API documents: authentication, search, create, annotations and their errors. It looks at every
// field of a request and refuses those that the documents do not have.
type server struct {
	*httptest.Server
	t     *testing.T
	under string // the path that it is served under
	role  string // of the token: Editor, Viewer

	mutex       sync.Mutex
	dashboards  []stored
	annotations []map[string]any
	requests    []string
}

// stored is a dashboard as a search shows it; model is empty where it came from a file.
type stored struct {
	ID    int      `json:"id"`
	UID   string   `json:"uid"`
	OrgID int      `json:"orgId"`
	Title string   `json:"title"`
	URI   string   `json:"uri"`
	URL   string   `json:"url"`
	Slug  string   `json:"slug"`
	Type  string   `json:"type"`
	Tags  []string `json:"tags"`
	Star  bool     `json:"isStarred"`
	model map[string]any
}

const token, user, password = "glsa_s3cret", "admin", "pa55word"

func newServer(t *testing.T, under string) *server {
	s := &server{t: t, under: under, role: "Editor"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+under+"/api/search", s.search)
	mux.HandleFunc("POST "+under+"/api/dashboards/db", s.create)
	mux.HandleFunc("POST "+under+"/api/annotations", s.annotate)
	s.Server = httptest.NewServer(s.authenticated(mux))
	t.Cleanup(s.Close)
	return s
}

func (s *server) put(uid, title string, tags ...string) {
	s.dashboards = append(s.dashboards, stored{ID: len(s.dashboards) + 1, UID: uid, OrgID: 1, Title: title, Type: "dash-db",
		URL: s.under + "/d/" + uid + "/a-slug", URI: "db/a-slug", Tags: append([]string{}, tags...)})
}

func (s *server) base() *url.URL {
	u, err := url.Parse(s.URL + s.under)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

func message(text string) map[string]string { return map[string]string{"message": text} }

func (s *server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.requests = append(s.requests, r.Method+" "+strings.TrimPrefix(r.URL.Path, s.under))
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
		switch got := r.Header.Get("Authorization"); {
		case got != "Bearer "+token && got != basic:
			answer(w, http.StatusUnauthorized, message("Invalid API key "+got))
		case r.Header.Get("Accept") != "application/json":
			s.t.Errorf("%s: Accept %q", r.URL.Path, r.Header.Get("Accept"))
		case r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/json":
			answer(w, http.StatusBadRequest, message("bad content type"))
		case r.Method == http.MethodPost && s.role == "Viewer":
			answer(w, http.StatusForbidden, message("You'll need additional permissions to perform this action. Permissions needed: any of dashboards:create"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (s *server) search(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	for name := range query {
		if !slices.Contains([]string{"query", "tag", "type", "dashboardIds", "dashboardUIDs", "folderUIDs", "starred", "limit", "page"}, name) {
			s.t.Errorf("search: no parameter %q in Grafana's document", name)
		}
	}
	if got := query.Get("type"); got != "dash-db" {
		s.t.Errorf("search: type %q, want dash-db", got)
	}
	found := []stored{}
	for _, d := range s.dashboards {
		if uids := query["dashboardUIDs"]; len(uids) > 0 && !slices.Contains(uids, d.UID) {
			continue
		}
		if strings.Contains(strings.ToLower(d.Title), strings.ToLower(query.Get("query"))) {
			found = append(found, d)
		}
	}
	answer(w, http.StatusOK, found)
}

// decode reads a body that may have these members and must have those marked with "!".
func (s *server) decode(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		s.t.Errorf("%s: %v", r.URL.Path, err)
		answer(w, http.StatusBadRequest, message("bad request data"))
		return false
	}
	return true
}

func (s *server) create(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Dashboard map[string]any `json:"dashboard"`
		FolderUID *string        `json:"folderUid"`
		Message   *string        `json:"message"`
		Overwrite *bool          `json:"overwrite"`
	}
	if !s.decode(w, r, &body) {
		return
	}
	uid, _ := body.Dashboard["uid"].(string)
	title, _ := body.Dashboard["title"].(string)
	id, hasID := body.Dashboard["id"]
	if !hasID || id != nil || uid == "" || len(uid) > 40 || title == "" || body.Overwrite == nil || *body.Overwrite {
		s.t.Errorf("create: id %v (%v), uid %q, title %q, overwrite %v: want a null id, a uid of at most 40 bytes, a title, and no overwriting", id, hasID, uid, title, body.Overwrite)
	}
	for _, d := range s.dashboards {
		if d.UID == uid {
			answer(w, http.StatusPreconditionFailed, map[string]string{"message": "The dashboard has been changed by someone else", "status": "version-mismatch"})
			return
		}
	}
	var tags []string
	for _, tag := range body.Dashboard["tags"].([]any) {
		tags = append(tags, tag.(string))
	}
	s.put(uid, title, tags...)
	made := &s.dashboards[len(s.dashboards)-1]
	made.model = body.Dashboard
	answer(w, http.StatusOK, map[string]any{"id": made.ID, "uid": uid, "url": made.URL, "status": "success", "version": 1, "slug": "a-slug"})
}

func (s *server) annotate(w http.ResponseWriter, r *http.Request) {
	var body struct {
		DashboardUID *string  `json:"dashboardUID"`
		PanelID      *int     `json:"panelId"`
		Time         int64    `json:"time"`
		TimeEnd      int64    `json:"timeEnd"`
		Tags         []string `json:"tags"`
		Text         string   `json:"text"`
	}
	if !s.decode(w, r, &body) {
		return
	}
	if body.Text == "" || body.Time == 0 || body.TimeEnd < body.Time || len(body.Tags) == 0 {
		s.t.Errorf("annotation %+v: want a text, tags, and an end not before its beginning", body)
	}
	s.annotations = append(s.annotations, map[string]any{"time": body.Time, "timeEnd": body.TimeEnd, "tags": strings.Join(body.Tags, ","), "text": body.Text})
	answer(w, http.StatusOK, map[string]any{"message": "Annotation added", "id": len(s.annotations)})
}

func (s *server) String() string { return fmt.Sprint(s.requests) }
