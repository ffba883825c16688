// Package grafana shows a run in Grafana: it imports dashboards, writes an annotation for each phase, and adds links with the time range
// of the run to the report. It knows Grafana's HTTP API and the report of a run. It must not know how anything was measured.
package grafana

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/destination"
)

// Timeout is the longest time that Tell takes, and requestTimeout the longest time that one request may take.
const (
	Timeout        = 10 * time.Second
	requestTimeout = 5 * time.Second
)

// Options name a Grafana, and the cluster on which the chain runs.
type Options struct {
	// URL is the address of Grafana. A user and password in it are used where there is no token. They are never printed.
	URL *url.URL
	// Token is the token of a service account. It may be empty.
	Token string
	// Namespace is the namespace of the chain. It is empty where the run was not on a cluster, so that there are no metrics of Istio.
	Namespace string
}

// Tell imports the dashboards that Grafana does not have yet, writes an annotation for each phase, and adds links to the report, only to
// dashboards that exist. All problems become one remark of the report, and change nothing else.
func Tell(ctx context.Context, o Options, r *reports.Report) {
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, fmt.Errorf("the requests took longer than %s", Timeout))
	defer cancel()
	t := &telling{client: newClient(o), namespace: o.Namespace, report: r}
	defer t.client.Close()
	for _, step := range []func(context.Context) error{t.dashboards, t.annotations, t.istio} {
		if err := step(ctx); err != nil {
			t.trouble(err)
			if fatal(err) {
				break // All further requests would fail for the same reason.
			}
		}
	}
	if len(t.troubles) > 0 {
		r.Remarks = append(r.Remarks, fmt.Sprintf("Grafana at %s: %s", destination.WithoutPassword(o.URL), strings.Join(t.troubles, "; ")))
	}
}

// telling is the state of one call of Tell.
type telling struct {
	client    *client
	namespace string
	report    *reports.Report
	troubles  []string
}

func (t *telling) trouble(err error) {
	if !slices.Contains(t.troubles, err.Error()) {
		t.troubles = append(t.troubles, err.Error())
	}
}

// dashboards imports the dashboards of hellochaos that Grafana does not have, and links to all of them. It never overwrites one,
// because somebody may have edited it.
func (t *telling) dashboards(ctx context.Context) error {
	wanted := []*Dashboard{ours[0]}
	if t.namespace != "" {
		wanted = ours
	}
	query := url.Values{"type": {"dash-db"}}
	for _, d := range wanted {
		query.Add("dashboardUIDs", d.UID)
	}
	found, err := t.client.search(ctx, query)
	if err != nil {
		return fmt.Errorf("looking for the dashboards of hellochaos: %w", err)
	}
	for _, d := range wanted {
		i := slices.IndexFunc(found, func(h hit) bool { return h.UID == d.UID })
		address := ""
		if i >= 0 {
			address = found[i].URL
			if revision, known := revisionOf(found[i].Tags); known && revision < d.Revision {
				t.troubles = append(t.troubles, fmt.Sprintf("Grafana has revision %[2]d of the dashboard %[1]q, which hellochaos does not overwrite; 'hellochaos dashboard %[3]s' prints revision %[4]d, which you can import", found[i].Title, revision, d.Name, d.Revision))
			}
		} else if address, err = t.client.create(ctx, d); err != nil {
			return fmt.Errorf("importing dashboard %q: %w", d.Title, err)
		}
		variables := url.Values{}
		switch d.Name {
		case "run":
			for i := range t.report.Phases {
				variables.Add("var-phase", t.report.Phases[i].Name)
			}
		case "mesh":
			variables.Set("var-namespace", t.namespace)
		}
		t.link(d.Title, address, variables)
	}
	return nil
}

// link adds a link with the time range of the run to the report.
func (t *telling) link(title, address string, variables url.Values) {
	from := t.report.Started
	to := from.Add(time.Duration(t.report.Elapsed * float64(time.Second)))
	variables.Set("from", strconv.FormatInt(from.UnixMilli(), 10))
	variables.Set("to", strconv.FormatInt(to.Add(time.Millisecond-1).UnixMilli(), 10)) // the whole of the last millisecond
	t.report.Links = append(t.report.Links, reports.Link{Title: "Grafana: " + title, URL: t.client.page(address) + "?" + variables.Encode()})
}

// annotations writes an annotation for each phase that sent requests.
func (t *telling) annotations(ctx context.Context) error {
	for i := range t.report.Phases {
		p := &t.report.Phases[i]
		if p.Started.IsZero() {
			continue
		}
		if err := t.client.annotate(ctx, annotationOf(t.report, p)); err != nil {
			return fmt.Errorf("writing annotations: %w", err)
		}
	}
	return nil
}

func annotationOf(r *reports.Report, p *reports.Phase) annotation {
	return annotation{
		Time:    p.Started.UnixMilli(),
		TimeEnd: p.Started.Add(time.Duration(p.Elapsed * float64(time.Second))).UnixMilli(),
		Tags:    []string{"hellochaos", p.Name, r.ID(), string(p.Verdict)},
		Text:    fmt.Sprintf("hellochaos: %s: %s; %d requests", p.Name, p.Verdict, p.Sent),
	}
}

// istio links to Istio's own dashboards. It finds them by their titles, because most of them get a new uid with every installation.
func (t *telling) istio(ctx context.Context) error {
	if t.namespace == "" {
		return nil
	}
	found, err := t.client.search(ctx, url.Values{"type": {"dash-db"}, "query": {"Istio"}})
	if err != nil {
		return fmt.Errorf("looking for Istio's dashboards: %w", err)
	}
	address := func(title string) string {
		if i := slices.IndexFunc(found, func(h hit) bool { return h.Title == title }); i >= 0 {
			return found[i].URL
		}
		return ""
	}
	if at := address("Istio Mesh Dashboard"); at != "" {
		t.link("Istio Mesh Dashboard", at, url.Values{})
	}
	if at := address("Istio Service Dashboard"); at != "" {
		for _, service := range t.report.Services() {
			t.link("Istio Service Dashboard, "+service, at, url.Values{
				"var-service": {service + "." + t.namespace + ".svc.cluster.local"}, "var-qrep": {"source", "destination"}})
		}
	}
	if at := address("Istio Workload Dashboard"); at != "" {
		t.link("Istio Workload Dashboard", at, url.Values{"var-namespace": {t.namespace}, "var-qrep": {"source", "destination"}})
	}
	return nil
}
