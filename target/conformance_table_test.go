//go:build conformance

package target_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/scenarios/standins"
	"github.com/hellochaos/hellochaos/service"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// question is an entry of a file of expected answers.
type question struct {
	ID, Test, Manifest, Base, Cannot string
	From                             struct{ Namespace, Workload string }
	To                               struct {
		Gateway, Scheme, Host, Dial, Method, Path, Query, Protocol, SNI string
		Port                                                            int
		Headers                                                         map[string]string
	}
	Expect struct {
		Status   []int
		Backend  string
		Requests int
		Weights  *struct{ Shares map[string]float64 }
		Request  struct {
			Path, Host, Method string
			Headers            map[string]string
			Absent             []string `json:"absent_headers"`
		} `json:"request_at_backend"`
		Response struct {
			Headers map[string]string
			Absent  []string `json:"absent_headers"`
		}
		Redirect map[string]string
	}
	Server struct {
		FailsFirst int               `json:"fails_first"`
		Failing    string            `json:"failing_answer"`
		Waits      string            `json:"waits_before_answer"`
		WaitsEach  string            `json:"waits_before_each_failing_answer"`
		Sets       map[string]string `json:"sets_response_headers"`
	}
	Derived struct {
		Tries int `json:"tries_at_backend"`
	} `json:"derived_not_compared_upstream"`
}

// TestConformanceTable sends the questions of Gateway API's conformance suite, which stand in the folder that CONFORMANCE names, and prints a table
// of every file.
func TestConformanceTable(t *testing.T) {
	folder := os.Getenv("CONFORMANCE")
	var table strings.Builder
	for _, part := range []struct{ name, expected, base string }{
		{"mesh", "expected-mesh.yaml", "mesh-base.yaml"}, {"httproute", "expected-httproute.yaml", "httproute-base.yaml"},
	} {
		data, err := os.ReadFile(filepath.Join(folder, part.expected))
		if err != nil {
			t.Fatal(err)
		}
		var questions []question
		if err := yaml.Unmarshal(data, &questions); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&table, "\n| %s/ | as expected | otherwise |\n| --- | --- | --- |\n", part.name)
		byFile := map[string][]question{}
		for _, q := range questions {
			byFile[q.Manifest] = append(byFile[q.Manifest], q)
		}
		files, _ := filepath.Glob(filepath.Join(folder, part.name, "*.yaml"))
		for _, file := range append([]string{"none"}, files...) {
			name := filepath.Base(file)
			if len(byFile[name]) > 0 || file != "none" {
				table.WriteString(row1(t, filepath.Join(folder, part.base), file, name, byFile[name]))
			}
		}
	}
	fmt.Println(table.String())
}

// row1 is the row of a file.
func row1(t *testing.T, base, file, name string, questions []question) string {
	files := []string{base}
	if file != "none" {
		files = append(files, file)
	}
	others, err := manifests.LoadOthers(files, nil)
	if err != nil {
		return fmt.Sprintf("| %s | | refused: %s |\n", name, strings.ReplaceAll(strings.ReplaceAll(err.Error(), folderOf(base), ""), "\n", "<br>"))
	}
	set, err := standins.Of(others.Objects)
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Objects {
		if k, ok := set.Objects[i].Kubernetes.(*appsv1.Deployment); ok {
			env := &k.Spec.Template.Spec.Containers[0].Env
			*env = slices.DeleteFunc(*env, func(v corev1.EnvVar) bool {
				return v.Name == "CALLS" || strings.HasPrefix(v.Name, "SERVICE_") || v.Name == "HANG_DURATION"
			})
			*env = append(*env, corev1.EnvVar{Name: "ROLE", Value: "script"}, corev1.EnvVar{Name: "SERVICE_NAME", Value: k.Name}, corev1.EnvVar{Name: "SERVICE_VERSION", Value: "v"}, corev1.EnvVar{Name: "HANG_DURATION", Value: "1s"})
		}
	}
	m, err := mesh.New(mesh.Options{Seed: 1, Sealed: true, Break: os.Getenv("BREAK")})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	if err := m.Apply(t.Context(), set.Objects); err != nil {
		return fmt.Sprintf("| %s | | refused: %s |\n", name, strings.ReplaceAll(strings.ReplaceAll(err.Error(), folderOf(base), ""), "\n", "<br>"))
	}
	right, asked := 0, 0
	var wrong []string
	for _, q := range questions {
		if q.Cannot != "" {
			wrong = append(wrong, q.ID[strings.LastIndexByte(q.ID, '/')+1:]+": no request: "+q.Cannot)
			continue
		}
		asked++
		if problems := q.ask(t, m); len(problems) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s %s %s %s%s: %s", q.ID[strings.LastIndexByte(q.ID, '/')+1:], q.To.Method, q.To.Host, q.To.Path, q.To.Query, strings.Join(problems, "; ")))
		} else {
			right++
		}
	}
	return fmt.Sprintf("| %s | %d of %d | %s |\n", name, right, asked, strings.Join(wrong, "<br>"))
}

func folderOf(base string) string { return filepath.Dir(base) + "/" }

func (q *question) ask(t *testing.T, m *mesh.Mesh) (problems []string) {
	entry := manifests.Entry{Gateway: q.To.Gateway, Port: q.To.Port}
	if q.To.Gateway == "" {
		entry = manifests.Entry{Caller: q.From.Namespace + "/" + standins.Client}
	}
	address, err := m.Address(t.Context(), entry)
	if err != nil {
		return []string{err.Error()}
	}
	host := cmp.Or(q.To.Host, "x")
	switch {
	case strings.HasPrefix(host, "the address") || strings.HasPrefix(host, "<address"):
		host = "gateway.test"
	case q.To.Gateway == "":
		if q.To.Dial != "" {
			return []string{"the mesh finds the rules by the Host header, and not by the address that was called"}
		}
		if !strings.Contains(host, ".") {
			host += "." + "gateway-conformance-mesh"
		}
		if q.To.Port != 80 {
			host += fmt.Sprintf(":%d", q.To.Port)
		}
	}
	note := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	counts, times := map[string]int{}, 1
	if q.Expect.Weights != nil {
		times = 1000
	}
	var a *answered
	for range times {
		if a, err = q.send(t, address, host, ""); err != nil {
			return []string{err.Error()}
		}
		counts[a.hop.Service]++
	}
	if q.Expect.Weights != nil {
		for name, share := range q.Expect.Weights.Shares {
			got := 0.0
			for service, n := range counts {
				if strings.HasPrefix(service, name) {
					got += float64(n) / float64(times)
				}
			}
			if got < share-0.05 || got > share+0.05 || share == 0 && got > 0 {
				note("share of %s %v", name, got)
			}
		}
		return problems
	}
	if !slices.Contains(q.Expect.Status, a.status) {
		note("status %d, expected %v", a.status, q.Expect.Status)
		return problems
	}
	if !strings.HasPrefix(a.hop.Service, q.Expect.Backend) {
		note("backend %s, expected %s", a.hop.Service, q.Expect.Backend)
	}
	if q.Derived.Tries > 0 && a.status != 504 && a.hop.Attempt != q.Derived.Tries {
		note("%d tries, expected %d", a.hop.Attempt, q.Derived.Tries)
	}
	if a.status == 200 {
		if p := q.Expect.Request.Path; p != "" && a.header.Get(service.HeaderPath) != p && q.To.Query == "" {
			note("path at the backend %s, expected %s", a.header.Get(service.HeaderPath), p)
		}
		if h := q.Expect.Request.Host; h != "" && a.header.Get(service.HeaderHost) != h {
			note("host at the backend %s, expected %s", a.header.Get(service.HeaderHost), h)
		}
		for name, want := range q.Expect.Request.Headers {
			if b, err := q.send(t, address, host, name); err != nil || strings.ReplaceAll(b.header.Get(service.HeaderTold), "|", ",") != want {
				note("%s at the backend %q, expected %q", name, b.header.Get(service.HeaderTold), want)
			}
		}
		for _, name := range q.Expect.Request.Absent {
			if b, err := q.send(t, address, host, name); err != nil || b.header.Get(service.HeaderTold) != "-" {
				note("%s at the backend", name)
			}
		}
	}
	for name, want := range q.Expect.Response.Headers {
		got := strings.Join(a.header.Values(name), ",")
		if own := q.Server.Sets[name]; own != "" && (want == own || strings.HasPrefix(want, own+",")) {
			want = strings.TrimPrefix(strings.TrimPrefix(want, own), ",") // the stand-ins do not set it
		}
		if got != want {
			note("%s %q in the answer, expected %q", name, got, want)
		}
	}
	for _, name := range q.Expect.Response.Absent {
		if got := a.header.Get(name); got != "" {
			note("%s %q in the answer", name, got)
		}
	}
	if want := q.Expect.Redirect; want != nil {
		to, err := url.Parse(a.header.Get("Location"))
		if err != nil {
			note("location %v", err)
			return problems
		}
		wantHost := want["host"]
		if strings.HasPrefix(wantHost, "as requested") {
			wantHost, _, _ = strings.Cut(host, ":")
		}
		port := to.Port()
		if strings.HasPrefix(want["port"], "absent") && (port == "80" && to.Scheme == "http" || port == "443" && to.Scheme == "https") {
			port = ""
		}
		wantPort := want["port"]
		if strings.HasPrefix(wantPort, "absent") {
			wantPort = ""
		}
		if to.Scheme != want["scheme"] || to.Hostname() != wantHost || port != wantPort || want["path"] != "" && to.RequestURI() != want["path"] {
			note("location %s, expected %v", to, want)
		}
	}
	return problems
}

type answered struct {
	status int
	header http.Header
	hop    trail.Hop
}

func (q *question) send(t *testing.T, address target.Address, host, tell string) (*answered, error) {
	r, err := http.NewRequestWithContext(t.Context(), cmp.Or(q.To.Method, "GET"), address.URL, nil)
	if err != nil {
		return nil, err
	}
	path := q.To.Path
	if q.To.Query != "" {
		path += "?" + strings.ReplaceAll(q.To.Query, "<fresh for every request>", fmt.Sprint(time.Now().UnixNano()))
	}
	r.Host, r.URL.Opaque = host, path
	for name, value := range q.To.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set(trail.HeaderRequest, fmt.Sprintf("t/%d", time.Now().UnixNano()))
	if q.Server.FailsFirst > 0 {
		word := strings.TrimPrefix(q.Server.Failing, "status ")
		if len(word) != 3 {
			word = "reset"
		}
		if q.Server.WaitsEach != "" {
			word = "hang"
		}
		r.Header.Set(service.HeaderScript, strings.Repeat(word+",", q.Server.FailsFirst)+"200")
	} else if q.Server.Waits != "" {
		r.Header.Set(service.HeaderScript, "hang")
	}
	if tell != "" {
		r.Header.Set(service.HeaderTell, tell)
	}
	var secure *tls.Config
	if address.TLS != nil {
		secure = address.TLS.Clone()
		secure.ServerName = cmp.Or(q.To.SNI, host)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	a := &answered{status: response.StatusCode, header: response.Header}
	if tree, problem := trail.Decode(body); problem == nil && err == nil {
		a.hop = *tree
	}
	return a, err
}
