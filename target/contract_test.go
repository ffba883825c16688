package target_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
	"github.com/hellochaos/hellochaos/target/certificates"
	"github.com/hellochaos/hellochaos/target/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// row is one case of the contract: objects that are laid over base, then requests and what must be observed of them.
type row struct {
	name      string
	policy    string // YAML
	exchanges []exchange
}

type exchange struct {
	request  request
	times    int // how often the request is sent; 0 means once
	parallel int // how many are sent at a time; 0 means one
	want     want
}

// request is what is sent. By default it is GET / and goes through the sidecar of the app "caller".
type request struct {
	from               string
	method, host, path string
	header             map[string]string
	body               string
	shows              string // how the client differs from that of the run, at a server with TLS: anonymous or stranger
	agent              string // the User-Agent, by which its lines are found in access logs
}

// Where a request enters.
const (
	fromSidecar = ""
	fromGateway = "gateway"
	fromDirect  = "direct"
	fromDoor    = "door" // the pods that a mesh makes for the Gateway of a row, whose access log is not read
)

// empty stands in a want for an answer without a body.
const empty = "(empty)"

// want is what must be observed. A field with its zero value expects nothing.
type want struct {
	Status           int               // the status of every answer
	Statuses         map[int]span      // how many answers have each status
	Body             string            // the whole body of every answer
	Service, Version string            // the service and version that every answer comes from
	Header           map[string]string // headers of every answer
	Tries            *span             // how many tries all apps received
	Cut              *span             // how many of these tries had a caller that went away
	Attempts         string            // the attempt counts of the tries, in order
	Versions         map[string]span   // how many tries each version received
	Flags, Detail    string            // the flags and the detail in every line of the caller's access log
	Flagged          map[string]span   // how many lines of that log have these flags
	Distinct         *span             // how many calls sent no two tries to the same host
	Pods             *span             // how many pods received the tries of all calls together
	Elapsed          *times            // the time of every answer
	Median           *times            // the median of the answers' times
	Tenth            *times            // the time below which a tenth of the answers' times lies
	Broken           bool              // whether every connection ends without an answer
}

// span is a closed interval of counts, times one of durations.
type span struct{ low, high int64 }

type times struct{ low, high time.Duration }

// subject is a mesh that is checked against the table, with its entries and the access log of its caller.
type subject interface {
	target.Target
	// caller is the base URL at which the mesh treats requests like those of the app "caller".
	caller() (string, error)
	// logged waits for the lines of an exchange in the access log, one for each call.
	logged(ctx context.Context, s sent) ([]logLine, error)
}

// sent is an exchange whose calls have ended.
type sent struct {
	tag    string // the User-Agent of its call number n is "TAG/n"
	calls  int
	tries  int64 // how many tries of these calls the apps received
	broken bool  // whether a call ended without an answer
}

// logLine is one call in the access log of the proxy that sent it.
type logLine struct {
	flags, detail string
	hosts         []string // the hosts to which the tries were sent
}

// embedded is the subject that needs no cluster.
type embedded struct {
	*mesh.Mesh
	mutex sync.Mutex
	lines map[string][]logLine // by tag
	grown chan struct{}
	door  string // the Gateway of the objects, whatever its name is; empty without one
}

// Apply notes which Gateway the objects have.
func (e *embedded) Apply(ctx context.Context, objects []manifests.Object) error {
	e.door = ""
	for i := range objects {
		if o := &objects[i]; o.Kind == "Gateway" {
			e.door = o.InNamespace() + "/" + o.Meta.Name
		}
	}
	return e.Mesh.Apply(ctx, objects)
}

// Address takes the Gateway that there is where a request asks for one.
func (e *embedded) Address(ctx context.Context, entry manifests.Entry) (target.Address, error) {
	if entry.Gateway != "" && e.door != "" {
		entry.Gateway = e.door
	}
	return e.Mesh.Address(ctx, entry)
}

func newEmbedded(tb testing.TB, broken string) *embedded {
	tb.Helper()
	e := &embedded{lines: make(map[string][]logLine), grown: make(chan struct{}, 1)}
	var err error
	if e.Mesh, err = mesh.New(mesh.Options{Seed: 1, Break: broken, AccessLog: e.log}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := e.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func (e *embedded) caller() (string, error) { return e.Sidecar("caller") }

func (e *embedded) log(entry mesh.AccessLogEntry) {
	tag := path.Dir(entry.Agent)
	e.mutex.Lock()
	e.lines[tag] = append(e.lines[tag], logLine{entry.Flags, entry.Detail, entry.Hosts})
	e.mutex.Unlock()
	select {
	case e.grown <- struct{}{}:
	default:
	}
}

func (e *embedded) logged(ctx context.Context, s sent) ([]logLine, error) {
	for {
		e.mutex.Lock()
		lines := e.lines[s.tag]
		e.mutex.Unlock()
		if len(lines) >= s.calls {
			return lines, nil
		}
		select {
		case <-e.grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// observation is what an exchange showed.
type observation struct {
	answers  []received
	counters target.Counters
	lines    []logLine
}

// received is one answer.
type received struct {
	status  int
	header  http.Header
	body    string
	hop     trail.Hop // the zero Hop when the answer has no trail
	elapsed time.Duration
	broken  bool // whether the connection ended without an answer
}

// TestContract checks the embedded mesh against the table: each row must pass. It checks the table as well: each row must fail as
// soon as any one of its expectations is changed.
func TestContract(t *testing.T) {
	names := make(map[string]bool)
	for _, row := range table(manifests.Namespace) {
		if names[row.name] {
			t.Fatalf("two rows are called %q", row.name)
		}
		names[row.name] = true
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			observed := observe(t, newEmbedded(t, ""), row)
			for i, e := range row.exchanges {
				if err := e.want.check(&observed[i]); err != nil {
					t.Errorf("exchange %d (%v): %v", i, e.request, err)
					continue
				}
				changes := changed(e.want)
				if len(changes) == 0 {
					t.Errorf("exchange %d expects nothing", i)
				}
				for what, other := range changes {
					if other.check(&observed[i]) == nil {
						t.Errorf("exchange %d passes with %s changed", i, what)
					}
				}
			}
		})
	}
	if len(names) < 100 {
		t.Errorf("the table has %d rows, want at least 100", len(names))
	}
}

// observe applies the objects of a row and sends its requests.
func observe(t *testing.T, s subject, r row) []observation {
	t.Helper()
	if err := s.Apply(t.Context(), parse(t, r.policy)); err != nil {
		t.Fatal(err)
	}
	var all []observation
	var exchanged []sent
	before := counters(t, s)
	for i, e := range r.exchanges {
		tag := fmt.Sprintf("%s/%d", url.PathEscape(t.Name()), i)
		o := observation{answers: send(t, s, e, tag)}
		after := counters(t, s)
		o.counters, before = after.Since(before), after
		all = append(all, o)
		tries := o.counters.Sum(func(target.Tries) bool { return true })
		broken := slices.ContainsFunc(o.answers, func(a received) bool { return a.broken })
		exchanged = append(exchanged, sent{tag, len(o.answers), tries, broken})
	}
	for i, e := range r.exchanges { // after all exchanges, since a proxy writes its log with a delay
		if e.request.from == fromDirect || e.request.from == fromDoor || !e.want.ofLog() {
			continue
		}
		var err error
		if all[i].lines, err = s.logged(t.Context(), exchanged[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// ofLog reports whether something of the access log is wanted. A proxy writes it with a delay, and no line has the name of a request that
// is not HTTP.
func (w *want) ofLog() bool {
	return w.Flags != "" || w.Detail != "" || w.Flagged != nil || w.Distinct != nil || w.Pods != nil
}

// counters reads the counters of a subject. A try that does not end within a minute fails the test.
func counters(t *testing.T, s subject) target.Counters {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	read, err := s.Counters(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// parsedBase is base, which is read once: that takes longer than what most rows do with it.
var parsedBase = sync.OnceValues(func() ([]manifests.Object, error) { return manifests.Parse("base.yaml", []byte(base)) })

// parse is base with a policy laid over it, in copies that the caller may change.
func parse(t *testing.T, policy string) []manifests.Object {
	t.Helper()
	shared, err := parsedBase()
	if err != nil {
		t.Fatal(err)
	}
	var objects []manifests.Object
	for i := range shared {
		objects = append(objects, shared[i].Clone())
	}
	over, err := manifests.Parse("policy.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	return manifests.Overlay(objects, over)
}

// send sends the requests of an exchange, each on a connection of its own, since net/http may send a request again when a kept
// connection breaks.
func send(t *testing.T, s subject, e exchange, tag string) []received {
	t.Helper()
	address, err := entrance(t.Context(), s, e.request.from)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: e.request.client(t, address.TLS)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answers := make([]received, max(e.times, 1))
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(max(e.parallel, 1))
	for i := range answers {
		group.Go(func() (err error) {
			q := e.request
			q.agent = fmt.Sprintf("%s/%d", tag, i)
			answers[i], err = q.send(ctx, client, address.URL)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return answers
}

// client is how a client with these settings connects for the request; nil for a server without TLS.
func (q request) client(t *testing.T, usual *tls.Config) *tls.Config {
	if usual == nil {
		return nil
	}
	config := usual.Clone()
	config.ServerName, _, _ = strings.Cut(q.host, ":")
	if q.shows == "" {
		return config
	}
	// The certificate of the server may be one of the mesh, which the client does not know. The client shows its own whomever the server trusts.
	shown := &tls.Certificate{}
	if q.shows == stranger {
		other, err := certificates.NewIssuer()
		if err != nil {
			t.Fatal(err)
		}
		shown = &other.Client().Certificates[0]
	}
	config.InsecureSkipVerify, config.VerifyConnection = true, nil
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil }
	return config
}

// cut reports whether a connection was cut: it ended without an answer, or with an alert of TLS.
func cut(err error) bool {
	var alert *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &alert) && alert.Op == "remote error"
}

func entrance(ctx context.Context, s subject, from string) (target.Address, error) {
	entry := manifests.Entry{Service: "frontend"}
	switch from {
	case fromSidecar:
		url, err := s.caller()
		return target.Address{URL: url}, err
	case fromGateway, fromDoor:
		entry = manifests.Entry{Gateway: "default/door"}
	}
	return s.Address(ctx, entry)
}

func (q request) send(ctx context.Context, client *http.Client, address string) (received, error) {
	r, err := http.NewRequestWithContext(ctx, cmp.Or(q.method, http.MethodGet), address, strings.NewReader(q.body))
	if err != nil {
		return received{}, err
	}
	r.Host, r.URL.Opaque = q.host, cmp.Or(q.path, "/") // net/http would escape characters of any other form of the path
	r.Header.Set("User-Agent", q.agent)
	for name, value := range q.header {
		r.Header[name] = []string{value} // upper and lower case as in the row
	}
	began := time.Now()
	response, err := client.Do(r)
	if cut(err) {
		return received{broken: true, elapsed: time.Since(began)}, nil
	}
	if err != nil {
		return received{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return received{}, err
	}
	a := received{status: response.StatusCode, header: response.Header, body: string(body), elapsed: time.Since(began)}
	if response.Header.Get(trail.HeaderTrail) != "" {
		err = json.Unmarshal(body, &a.hop)
	}
	return a, err
}

// check returns an error that lists every difference between an observation and what is wanted.
func (w *want) check(o *observation) error {
	var problems []error
	seen := make(map[string]bool)
	differ := func(what string, got, want any) {
		if !seen[what] { // the first of a thousand equal differences is enough
			problems = append(problems, fmt.Errorf("%s: got %v, want %v", what, got, want))
		}
		seen[what] = true
	}
	within := func(what string, got int64, want *span) {
		if want != nil && (got < want.low || got > want.high) {
			differ(what, got, *want)
		}
	}
	for i := range o.answers {
		w.checkAnswer(&o.answers[i], differ)
	}
	for _, line := range o.lines {
		if w.Flags != "" && line.flags != w.Flags {
			differ("flags", line.flags, w.Flags)
		}
		if w.Detail != "" && line.detail != w.Detail {
			differ("detail", line.detail, w.Detail)
		}
	}
	within("tries", o.counters.Sum(func(target.Tries) bool { return true }), w.Tries)
	within("cut tries", o.counters.Sum(func(t target.Tries) bool { return t.Status == target.StatusCut }), w.Cut)
	within("calls with distinct hosts", o.distinct(), w.Distinct)
	within("pods that received tries", o.pods(), w.Pods)
	for version, want := range w.Versions {
		within("tries of version "+version, o.counters.Sum(func(t target.Tries) bool { return t.Version == version }), &want)
	}
	for flags, want := range w.Flagged {
		within("lines flagged "+flags, o.flagged(flags), &want)
	}
	for status, want := range w.Statuses {
		within(fmt.Sprint("answers of status ", status), o.answered(status), &want)
	}
	if got := o.attempts(); w.Attempts != "" && got != w.Attempts {
		differ("attempt counts", got, w.Attempts)
	}
	if got := o.quantile(2); w.Median != nil && (got < w.Median.low || got > w.Median.high) {
		differ("median time", got, *w.Median)
	}
	if got := o.quantile(10); w.Tenth != nil && (got < w.Tenth.low || got > w.Tenth.high) {
		differ("time of the fastest tenth", got, *w.Tenth)
	}
	return errors.Join(problems...)
}

// checkAnswer checks what every answer must have.
func (w *want) checkAnswer(a *received, differ func(what string, got, want any)) {
	if a.broken != w.Broken {
		differ("connection without an answer", a.broken, w.Broken)
	}
	if w.Status != 0 && a.status != w.Status {
		differ("status", a.status, w.Status)
	}
	if body := cmp.Or(a.body, empty); w.Body != "" && body != w.Body {
		differ("body", body, w.Body)
	}
	if w.Service != "" && a.hop.Service != w.Service {
		differ("service", a.hop.Service, w.Service)
	}
	if w.Version != "" && a.hop.Version != w.Version {
		differ("version", a.hop.Version, w.Version)
	}
	for name, value := range w.Header {
		if got := a.header.Get(name); got != value {
			differ("header "+name, got, value)
		}
	}
	if w.Elapsed != nil && (a.elapsed < w.Elapsed.low || a.elapsed > w.Elapsed.high) {
		differ("time", a.elapsed, *w.Elapsed)
	}
}

func (o *observation) answered(status int) (n int64) {
	for _, a := range o.answers {
		if a.status == status {
			n++
		}
	}
	return n
}

func (o *observation) flagged(flags string) (n int64) {
	for _, line := range o.lines {
		if line.flags == flags {
			n++
		}
	}
	return n
}

// attempts is the attempt counts of the tries, in order.
func (o *observation) attempts() string {
	var counts []int
	for _, t := range o.counters {
		for range t.Count {
			counts = append(counts, t.Attempt)
		}
	}
	slices.Sort(counts)
	return strings.Trim(fmt.Sprint(counts), "[]")
}

// distinct is the number of calls that sent no two tries to the same host.
func (o *observation) distinct() (n int64) {
	for _, line := range o.lines {
		hosts := slices.Clone(line.hosts)
		slices.Sort(hosts)
		if len(slices.Compact(hosts)) == len(line.hosts) {
			n++
		}
	}
	return n
}

// pods is the number of hosts to which the calls sent their tries.
func (o *observation) pods() int64 {
	hosts := make(map[string]bool)
	for _, line := range o.lines {
		for _, host := range line.hosts {
			hosts[host] = true
		}
	}
	return int64(len(hosts))
}

// quantile is the time below which 1/parts of the answers' times lie.
func (o *observation) quantile(parts int) time.Duration {
	all := make([]time.Duration, 0, len(o.answers))
	for _, a := range o.answers {
		all = append(all, a.elapsed)
	}
	slices.Sort(all)
	return all[len(all)/parts]
}

// changed is copies of w in each of which one expectation is changed, by a description of the change.
func changed(w want) map[string]want {
	all := make(map[string]want)
	fields := reflect.ValueOf(w)
	for i := range fields.NumField() {
		for what, value := range changes(fields.Field(i)) {
			other := w
			reflect.ValueOf(&other).Elem().Field(i).Set(value)
			all[fields.Type().Field(i).Name+what] = other
		}
	}
	return all
}

// changes are values near the one of a field that the same observation cannot meet.
func changes(field reflect.Value) map[string]reflect.Value {
	if field.IsZero() {
		return nil
	}
	all := make(map[string]reflect.Value)
	switch v := field.Interface().(type) {
	case bool:
		all[" not"] = reflect.ValueOf(false)
	case int:
		all[" + 1"] = reflect.ValueOf(v + 1)
	case string:
		all[" + x"] = reflect.ValueOf(v + "x")
	case *span:
		all[" above"] = reflect.ValueOf(&span{v.high + 1, v.high + 2})
		all[" below"] = reflect.ValueOf(&span{v.low - 2, v.low - 1})
	case *times:
		all[" above"] = reflect.ValueOf(&times{v.high + 1, v.high + 2})
		all[" below"] = reflect.ValueOf(&times{v.low - 2, v.low - 1})
	default: // a map: one of its values at a time
		for _, key := range field.MapKeys() {
			for what, value := range changes(addressed(field.MapIndex(key))) {
				other := reflect.MakeMap(field.Type())
				for _, k := range field.MapKeys() {
					other.SetMapIndex(k, field.MapIndex(k))
				}
				other.SetMapIndex(key, reflect.Indirect(value))
				all[fmt.Sprintf("[%v]%s", key, what)] = other
			}
		}
	}
	return all
}

// addressed turns a span into a pointer to it, so that the zero span counts as an expectation. It returns any other value as it
// is.
func addressed(v reflect.Value) reflect.Value {
	if s, ok := v.Interface().(span); ok {
		return reflect.ValueOf(&s)
	}
	return v
}
