// Package links leads from a report to what Kiali, Jaeger or Zipkin, and Prometheus show of a cluster at the time of the run. It
// knows the forms of their addresses; it must not know how anything was measured.
package links

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/hellochaos/hellochaos/reports"
)

// timeout is the longest that Add takes: it asks the tracing what it is.
const timeout = 5 * time.Second

// Options say where the programs are; nil: not known, and no link.
type Options struct {
	Kiali, Tracing, Prometheus *url.URL
	// Namespace is where the chain runs.
	Namespace string
}

// Add adds the links to the report, and to its remarks what stood in the way of one.
func Add(ctx context.Context, o Options, r *reports.Report) {
	if o.Kiali != nil {
		r.Links = append(r.Links, kiali(o.Kiali, o.Namespace, r, time.Now()))
	}
	if o.Tracing != nil {
		link, err := tracing(ctx, o.Tracing, o.Namespace, r)
		if err != nil {
			r.Remarks = append(r.Remarks, fmt.Sprintf("tracing at %s: %s", reports.WithoutPassword(o.Tracing), err))
		} else {
			r.Links = append(r.Links, link)
		}
	}
	if o.Prometheus != nil {
		r.Links = append(r.Links, prometheus(o.Prometheus, o.Namespace, r))
	}
}

// span is when the run began and ended.
func span(r *reports.Report) (from, to time.Time) {
	return r.Started, r.Started.Add(time.Duration(r.Elapsed * float64(time.Second)))
}

func link(title string, base *url.URL, under string, query url.Values) reports.Link {
	return reports.Link{Title: title, URL: reports.WithoutPassword(base) + under + "?" + query.Encode()}
}

// kiali links to the graph. Kiali counts back from the time of looking, so the link reaches back to the run's beginning now, and
// not for ever.
func kiali(base *url.URL, namespace string, r *reports.Report, now time.Time) reports.Link {
	from, _ := span(r)
	minutes := max(1, int(math.Ceil(now.Sub(from).Minutes())))
	under := "/console/graph/namespaces"
	if path.Base(base.Path) != "kiali" { // its web root, unless it is served elsewhere
		under = "/kiali" + under
	}
	return link(fmt.Sprintf("Kiali: the last %d min of %s when it is opened", minutes, namespace), base, under, url.Values{
		"namespaces": {namespace}, "graphType": {"versionedApp"}, "duration": {strconv.Itoa(60 * minutes)}, "refresh": {"0"}})
}

// prometheus links to the graph of all tries by workload and status.
func prometheus(base *url.URL, namespace string, r *reports.Report) reports.Link {
	from, to := span(r)
	expression := fmt.Sprintf(`sum by (destination_workload, response_code) (rate(istio_requests_total{reporter="destination",destination_workload_namespace=%q}[1m]))`, namespace)
	return link("Prometheus: tries by workload and status", base, "/graph", url.Values{
		"g0.expr": {expression}, "g0.tab": {"0"}, "g0.end_input": {to.UTC().Format(time.DateTime)},
		"g0.range_input": {strconv.Itoa(int(math.Ceil(to.Sub(from).Seconds()))) + "s"}})
}

// tracing links to the traces of the first service, in Jaeger or Zipkin, whichever answers.
func tracing(ctx context.Context, base *url.URL, namespace string, r *reports.Report) (reports.Link, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	from, to := span(r)
	service := "frontend." + namespace
	var problem error
	for _, under := range []string{"", "/jaeger"} { // where Istio's addon has it
		var services struct {
			Data []string `json:"data"`
		}
		if problem = ask(ctx, client, base, under+"/api/services", &services); problem == nil {
			return link("Jaeger: traces of "+service, base, under+"/search", url.Values{
				"service": {service}, "lookback": {"custom"}, "limit": {"100"},
				"start": {strconv.FormatInt(from.UnixMicro(), 10)}, "end": {strconv.FormatInt(to.UnixMicro(), 10)}}), nil
		}
		if ctx.Err() != nil {
			return reports.Link{}, fmt.Errorf("no answer within %s", timeout)
		}
	}
	var services []string
	if problem := ask(ctx, client, base, "/api/v2/services", &services); problem == nil {
		under := "/"
		if path.Base(base.Path) != "zipkin" {
			under = "/zipkin/"
		}
		return link("Zipkin: traces of "+service, base, under, url.Values{
			"serviceName": {service}, "lookback": {"range"}, "limit": {"100"},
			"startTs": {strconv.FormatInt(from.UnixMilli(), 10)}, "endTs": {strconv.FormatInt(to.UnixMilli()+1, 10)}}), nil
	}
	return reports.Link{}, fmt.Errorf("neither Jaeger nor Zipkin answers there: %w", problem)
}

// mostAnswer is how much of an answer is read, in bytes.
const mostAnswer = 1 << 20

// ask gets JSON. Its error does not hold the URL.
func ask(ctx context.Context, client *http.Client, base *url.URL, under string, reply any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, reports.WithoutPassword(base)+under, nil)
	if err != nil {
		return errors.New("the URL cannot be asked")
	}
	request.Header.Set("Accept", "application/json")
	if password, ok := base.User.Password(); ok {
		request.SetBasicAuth(base.User.Username(), password)
	}
	response, err := client.Do(request)
	var asked *url.Error
	if errors.As(err, &asked) {
		return asked.Err
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, mostAnswer)).Decode(reply); err != nil {
		return errors.New("the answer is not JSON of the expected form")
	}
	return nil
}
