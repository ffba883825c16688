//go:build conformance

package target_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
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
	ID, Test, Manifest, Base, Cannot, Setup string
	From                                    struct{ Namespace, Workload string }
	To                                      struct {
		Gateway, Scheme, Host, Dial, Method, Path, Query, Protocol, SNI string
		Port                                                            int
		Headers                                                         map[string]string
	}
	Expect struct {
		Status   []int
		Backend  string
		Requests int
		Weights  *struct{ Shares map[string]float64 }
		Every    string `json:"every_answer"`
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
		Mirrored []struct {
			Backend  string
			Requests int
			Accepted []int64
		} `json:"mirrored_to"`
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
				table.WriteString(fileRow(t, filepath.Join(folder, part.base), file, name, byFile[name]))
			}
		}
	}
	fmt.Println(table.String())
}

// fileRow is the row of a file: how many questions are answered as expected, and what becomes of the others.
func fileRow(t *testing.T, base, file, name string, questions []question) string {
	files := []string{base}
	if file != "none" {
		files = append(files, file)
	}
	m, err := laid(t, files, false)
	if err != nil {
		text := strings.ReplaceAll(err.Error(), filepath.Dir(base)+"/", "")
		return fmt.Sprintf("| %s | | refused: %s |\n", name, strings.ReplaceAll(text, "\n", "<br>"))
	}
	right, asked := 0, 0
	var wrong []string
	for i := range questions {
		q := &questions[i]
		number := q.ID[strings.LastIndexByte(q.ID, '/')+1:]
		if q.Cannot != "" {
			wrong = append(wrong, q.Cannot)
			continue
		}
		asked++
		if strings.Contains(q.Setup, "is deleted") {
			if m, err = laid(t, files, true); err != nil {
				t.Fatal(err)
			}
		}
		if problems := q.ask(t, m); len(problems) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s (%s %s): %s", number, q.To.Host, q.To.Path, strings.Join(problems, "; ")))
		} else {
			right++
		}
	}
	return fmt.Sprintf("| %s | %d of %d | %s |\n", name, right, asked, strings.Join(wrong, "<br>"))
}

// somebody calls in the namespace of the mesh's base also where no file has a rule.
const somebody = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: all, namespace: gateway-conformance-mesh}\nspec: {egress: [{hosts: ['*/*']}]}\n"

// laid is a mesh with stand-ins for what some files have, with or without ReferenceGrants. Each tells what it was sent. BREAK names a deviation
// of the mesh.
func laid(t *testing.T, files []string, noGrants bool) (*mesh.Mesh, error) {
	others, err := manifests.LoadOthers(files, nil)
	if err != nil {
		return nil, err
	}
	others.Objects = slices.DeleteFunc(others.Objects, func(o manifests.Object) bool { return noGrants && o.Kind == "ReferenceGrant" })
	if len(files) == 1 {
		others.Objects = append(others.Objects, parse(t, somebody)...)
	}
	set, err := standins.Of(others.Objects)
	if err != nil {
		return nil, err
	}
	for i := range set.Objects {
		k, ok := set.Objects[i].Kubernetes.(*appsv1.Deployment)
		if !ok {
			continue
		}
		env := &k.Spec.Template.Spec.Containers[0].Env
		*env = slices.DeleteFunc(*env, func(v corev1.EnvVar) bool { return v.Name != "PORT" && v.Name != "GOMEMLIMIT" })
		for name, value := range map[string]string{"ROLE": "script", "SERVICE_NAME": k.Name, "SERVICE_VERSION": "v", "HANG_DURATION": "1s"} {
			*env = append(*env, corev1.EnvVar{Name: name, Value: value})
		}
	}
	m, err := mesh.New(mesh.Options{Seed: 1, Sealed: true, Break: os.Getenv("BREAK")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.Background()) })
	return m, m.Apply(t.Context(), set.Objects)
}

// ask sends a question, and lists what is otherwise than expected.
func (q *question) ask(t *testing.T, m *mesh.Mesh) (problems []string) {
	entry := manifests.Entry{Gateway: q.To.Gateway, Port: q.To.Port}
	if q.To.Gateway == "" {
		entry = manifests.Entry{Caller: q.From.Namespace + "/" + standins.Client}
	}
	address, err := m.Address(t.Context(), entry)
	if err != nil {
		return []string{err.Error()}
	}
	if q.To.Dial != "" || strings.HasPrefix(q.To.Host, "<address") {
		return []string{"the embedded mesh knows a call by its Host header alone, and not by the address"}
	}
	host := q.host()
	switch {
	case q.Expect.Weights != nil:
		return q.shares(t, address, host)
	case q.Expect.Every != "":
		return q.every(t, address, host)
	}
	a, err := q.send(t, address, host, "")
	switch {
	case err != nil:
		return []string{err.Error()}
	case !slices.Contains(q.Expect.Status, a.status):
		return []string{fmt.Sprintf("status %d, expected %v", a.status, q.Expect.Status)}
	}
	if !strings.HasPrefix(a.hop.Service, q.Expect.Backend) {
		problems = append(problems, fmt.Sprintf("backend %s, expected %s", a.hop.Service, q.Expect.Backend))
	}
	if q.Derived.Tries > 0 && a.status != http.StatusGatewayTimeout && a.hop.Attempt != q.Derived.Tries {
		problems = append(problems, fmt.Sprintf("%d tries, expected %d", a.hop.Attempt, q.Derived.Tries))
	}
	return slices.Concat(problems, q.arrived(t, a, address, host), q.answered(a), q.location(a, host), q.mirrored(t, m, address, host))
}

// mirrored sends the requests of a question of which copies are to be sent, and compares how many each backend got, which gets nothing else.
func (q *question) mirrored(t *testing.T, m *mesh.Mesh, address target.Address, host string) (problems []string) {
	for _, to := range q.Expect.Mirrored {
		before, err := m.Counters(t.Context())
		if err != nil {
			return []string{err.Error()}
		}
		requests := max(to.Requests, 1)
		for range requests {
			if _, err := q.send(t, address, host, ""); err != nil {
				return []string{err.Error()}
			}
		}
		after, err := m.Counters(t.Context())
		if err != nil {
			return []string{err.Error()}
		}
		least, most := int64(requests), int64(requests)
		if len(to.Accepted) == 2 {
			least, most = to.Accepted[0], to.Accepted[1]
		}
		got := after.Since(before).Sum(func(t target.Tries) bool { return strings.HasPrefix(t.Service, to.Backend) })
		if got < least || got > most {
			problems = append(problems, fmt.Sprintf("%d copies of %d requests at %s, expected %d to %d", got, requests, to.Backend, least, most))
		}
	}
	return problems
}

// host is the Host header of a question.
func (q *question) host() string {
	host := q.To.Host
	switch {
	case strings.HasPrefix(host, "the address"):
		return "gateway.test"
	case q.To.Gateway != "":
		return host
	case !strings.Contains(host, "."):
		host += ".gateway-conformance-mesh"
	}
	if q.To.Port != 80 {
		host += fmt.Sprintf(":%d", q.To.Port)
	}
	return host
}

// shares sends a thousand requests, and compares who answers them.
func (q *question) shares(t *testing.T, address target.Address, host string) (problems []string) {
	const requests = 1000
	counts := map[string]float64{}
	for range requests {
		a, err := q.send(t, address, host, "")
		if err != nil {
			return []string{err.Error()}
		}
		counts[a.hop.Service]++
	}
	for name, share := range q.Expect.Weights.Shares {
		got := 0.0
		for service, n := range counts {
			if strings.HasPrefix(service, name) {
				got += n / requests
			}
		}
		if math.Abs(got-share) > 0.05 || share == 0 && got > 0 {
			problems = append(problems, fmt.Sprintf("%s gets %v, expected %v", name, got, share))
		}
	}
	return problems
}

// every sends a hundred requests, each of which must arrive with the name of the backend that answers it in the header Backend.
func (q *question) every(t *testing.T, address target.Address, host string) []string {
	for range q.Expect.Requests {
		a, err := q.send(t, address, host, "Backend")
		if err != nil {
			return []string{err.Error()}
		}
		if told := a.header.Get(service.HeaderTold); told == "-" || !strings.HasPrefix(a.hop.Service, told) {
			return []string{fmt.Sprintf("%s was sent the header Backend %q", a.hop.Service, told)}
		}
	}
	return nil
}

// arrived compares what the backend was sent.
func (q *question) arrived(t *testing.T, a *received, address target.Address, host string) (problems []string) {
	if a.status != http.StatusOK {
		return nil
	}
	want := q.Expect.Request
	differ := func(what, got, want string) {
		if got != want {
			problems = append(problems, fmt.Sprintf("%s at the backend %q, expected %q", what, got, want))
		}
	}
	if want.Path != "" && q.To.Query == "" {
		differ("path", a.header.Get(service.HeaderPath), want.Path)
	}
	if want.Host != "" {
		differ("host", a.header.Get(service.HeaderHost), want.Host)
	}
	headers := map[string]string{}
	maps.Copy(headers, want.Headers)
	for _, name := range want.Absent {
		headers[name] = "-"
	}
	for name, value := range headers {
		if b, err := q.send(t, address, host, name); err != nil {
			problems = append(problems, err.Error())
		} else {
			differ(name, strings.ReplaceAll(b.header.Get(service.HeaderTold), "|", ","), value)
		}
	}
	return problems
}

// answered compares the headers of the answer. The stand-ins set none of their own, so that those of the backend are left out.
func (q *question) answered(a *received) (problems []string) {
	own := map[string]string{}
	for name, value := range q.Server.Sets {
		own[strings.ToLower(name)] = value
	}
	for name, want := range q.Expect.Response.Headers {
		if backend := own[strings.ToLower(name)]; backend != "" {
			want = strings.TrimPrefix(strings.TrimPrefix(want, backend), ",")
		}
		if got := strings.Join(a.header.Values(name), ","); got != want {
			problems = append(problems, fmt.Sprintf("%s %q in the answer, expected %q", name, got, want))
		}
	}
	for _, name := range q.Expect.Response.Absent {
		if got := a.header.Get(name); got != "" {
			problems = append(problems, fmt.Sprintf("%s %q in the answer", name, got))
		}
	}
	return problems
}

// location compares where a redirect leads, with its host and its port, which upstream does not all.
func (q *question) location(a *received, host string) []string {
	want := q.Expect.Redirect
	if want == nil {
		return nil
	}
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		return []string{err.Error()}
	}
	wantHost, port, wantPort := want["host"], to.Port(), want["port"]
	if strings.HasPrefix(wantHost, "as requested") {
		wantHost, _, _ = strings.Cut(host, ":")
	}
	if strings.HasPrefix(wantPort, "absent") {
		wantPort = ""
		if port == "80" && to.Scheme == "http" || port == "443" && to.Scheme == "https" {
			port = ""
		}
	}
	if to.Scheme != want["scheme"] || to.Hostname() != wantHost || port != wantPort || want["path"] != "" && to.RequestURI() != want["path"] {
		return []string{fmt.Sprintf("location %s, expected %v", to, want)}
	}
	return nil
}

// script is what the backend does with the tries of a question: what the conformance suite's own server does.
func (q *question) script() string {
	word := strings.TrimPrefix(q.Server.Failing, "status ")
	switch {
	case q.Server.FailsFirst == 0 && q.Server.Waits != "":
		return "hang"
	case q.Server.FailsFirst == 0:
		return ""
	case q.Server.WaitsEach != "":
		word = "hang"
	case len(word) != len("500"):
		word = "reset"
	}
	return strings.Repeat(word+",", q.Server.FailsFirst) + "200"
}

// send sends the request of a question. The answer has what arrived in the header tell, unless that is empty.
func (q *question) send(t *testing.T, address target.Address, host, tell string) (*received, error) {
	name := fmt.Sprint(time.Now().UnixNano())
	path := q.To.Path
	if q.To.Query != "" {
		path += "?" + strings.ReplaceAll(q.To.Query, "<fresh for every request>", name)
	}
	r := request{host: host, path: path, method: q.To.Method, agent: "conformance", header: map[string]string{trail.HeaderRequest: "t/" + name}}
	maps.Copy(r.header, q.To.Headers)
	if script := q.script(); script != "" {
		r.header[service.HeaderScript] = script
	}
	if tell != "" {
		r.header[service.HeaderTell] = tell
	}
	secure := address.TLS.Clone()
	if secure != nil {
		secure.ServerName = cmp.Or(q.To.SNI, host)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := r.send(t.Context(), client, address.URL)
	return &a, err
}
