// Package links adds links to a report that lead to the pages of Kiali, Jaeger or Zipkin, and Prometheus for the time of the run. It
// knows the forms of their addresses. It must not know how anything was measured.
package links

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/destination"
)

// timeout is how long a program that the user named may take to answer. A program that was found in the cluster is either near or cannot
// be reached, so it has only foundTimeout.
const timeout, foundTimeout = 5 * time.Second, 2 * time.Second

// Options name the places of the programs.
type Options struct {
	Kiali, Tracing, Prometheus Place
	// Namespace is the namespace of the scenario's services.
	Namespace string
}

// Place is the place of a program: the URL that the user gave, or else the first URL of Found at which the program answers. Where there
// is neither, there is no link.
type Place struct {
	Given *url.URL
	Found []*url.URL
}

// address is a URL at which a program may be. A URL that the user gave may be reachable only from elsewhere, or through a proxy.
type address struct {
	*url.URL
	given bool
}

// errNowhere is the error for a program that was not found, or does not answer at its address.
var errNowhere = errors.New("the program does not answer at this URL")

// Add adds the links to the report. Where a link to a URL that the user gave cannot be made, it adds a remark with the reason. It takes
// at most as long as timeout.
func Add(ctx context.Context, o Options, r *reports.Report) {
	programs := []struct {
		name string
		Place
		link func(ctx context.Context, at address, namespace string, r *reports.Report) (reports.Link, error)
	}{{"Kiali", o.Kiali, kiali}, {"tracing", o.Tracing, tracing}, {"Prometheus", o.Prometheus, prometheus}}
	links, errs := make([]reports.Link, len(programs)), make([]error, len(programs))
	var asked sync.WaitGroup
	for i, program := range programs {
		asked.Go(func() {
			links[i], errs[i] = program.first(ctx, func(ctx context.Context, at address) (reports.Link, error) {
				return program.link(ctx, at, o.Namespace, r)
			})
		})
	}
	asked.Wait()
	for i, program := range programs {
		switch {
		case errs[i] == nil:
			r.Links = append(r.Links, links[i])
		case program.Given != nil:
			r.Remarks = append(r.Remarks, fmt.Sprintf("%s at %s: %s", program.name, destination.WithoutPassword(program.Given), errs[i]))
		}
	}
}

// first returns the link to the first URL of a program that has one. It sends requests to all of them at once, because some may never
// answer.
func (p Place) first(ctx context.Context, link func(context.Context, address) (reports.Link, error)) (reports.Link, error) {
	urls, patience := p.Found, foundTimeout
	if p.Given != nil {
		urls, patience = []*url.URL{p.Given}, timeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer within %s", patience))
	defer cancel()
	type answer struct {
		link reports.Link
		err  error
	}
	answers := make([]chan answer, len(urls))
	for i, base := range urls {
		answers[i] = make(chan answer, 1)
		go func() {
			link, err := link(ctx, address{base, p.Given != nil})
			answers[i] <- answer{link, err}
		}()
	}
	var errs []error
	for _, asked := range answers {
		got := <-asked
		if got.err == nil {
			return got.link, nil
		}
		errs = append(errs, got.err)
	}
	if ctx.Err() != nil {
		return reports.Link{}, context.Cause(ctx)
	}
	return reports.Link{}, cmp.Or(errors.Join(errs...), errNowhere)
}

// span returns the times at which the run began and ended.
func span(r *reports.Report) (from, to time.Time) {
	return r.Started, r.Started.Add(time.Duration(r.Elapsed * float64(time.Second)))
}

func link(title string, at address, under string, query url.Values) reports.Link {
	return reports.Link{Title: title, URL: destination.WithoutPassword(at.URL) + under + "?" + query.Encode()}
}

// kiali returns a link to Kiali's graph. It sends no request to a Kiali that the user named, which may be reachable only from a browser.
func kiali(ctx context.Context, at address, namespace string, r *reports.Report) (reports.Link, error) {
	var login struct{ Strategy string } // This path needs no login (Kiali's routing/routes.go, AuthenticationInfo).
	if !at.given && (at.ask(ctx, at.under("kiali")+"/api/auth/info", &login) != nil || login.Strategy == "") {
		return reports.Link{}, errNowhere
	}
	return kialiGraph(at, namespace, r, time.Now()), nil
}

// kialiGraph returns the link to the graph. Kiali shows a time range that ends when the page is opened. The range is as long as the time
// since the run began, so a reader who opens the link later does not see all of the run.
func kialiGraph(at address, namespace string, r *reports.Report, now time.Time) reports.Link {
	from, _ := span(r)
	minutes := max(1, int(math.Ceil(now.Sub(from).Minutes())))
	return link(fmt.Sprintf("Kiali: %[2]s, the last %[1]d min before the link is opened", minutes, namespace), at, at.under("kiali")+"/console/graph/namespaces", url.Values{
		"namespaces": {namespace}, "graphType": {"versionedApp"}, "duration": {strconv.Itoa(60 * minutes)}, "refresh": {"0"}})
}

// under returns the path of a program's pages: a folder with its own name. It is empty where the URL ends with that folder.
func (a address) under(root string) string {
	if path.Base(a.Path) == root {
		return ""
	}
	return "/" + root
}

// prometheus returns a link to a graph of all tries by workload and status. Like kiali, it sends no request to a URL that the user gave.
func prometheus(ctx context.Context, at address, namespace string, r *reports.Report) (reports.Link, error) {
	var build struct{ Status string }
	if !at.given && (at.ask(ctx, "/api/v1/status/buildinfo", &build) != nil || build.Status != "success") {
		return reports.Link{}, errNowhere
	}
	from, to := span(r)
	expression := fmt.Sprintf(`sum by (destination_workload, response_code) (rate(istio_requests_total{reporter="destination",destination_workload_namespace=%q}[1m]))`, namespace)
	return link("Prometheus: tries by workload and status", at, "/graph", url.Values{
		"g0.expr": {expression}, "g0.tab": {"0"}, "g0.end_input": {to.UTC().Format(time.DateTime)},
		"g0.range_input": {strconv.Itoa(int(math.Ceil(to.Sub(from).Seconds()))) + "s"}}), nil
}

// tracing returns a link to the traces of the scenario's first service, in Jaeger or in Zipkin: the one that answers.
func tracing(ctx context.Context, at address, namespace string, r *reports.Report) (reports.Link, error) {
	from, to := span(r)
	if len(r.Scenario.Services) == 0 {
		return reports.Link{}, errors.New("the report names no service whose traces could be linked to")
	}
	service := r.Scenario.Services[0] + "." + namespace
	for _, root := range []string{"", "/jaeger"} { // Istio's addon serves Jaeger below /jaeger.
		var services struct{ Data json.RawMessage } // Jaeger answers null where it has no service yet.
		if at.ask(ctx, root+"/api/services", &services) == nil && services.Data != nil {
			return link("Jaeger: traces of "+service, at, root+"/search", url.Values{
				"service": {service}, "lookback": {"custom"}, "limit": {"100"},
				"start": {strconv.FormatInt(from.UnixMicro(), 10)}, "end": {strconv.FormatInt(to.UnixMicro(), 10)}}), nil
		}
	}
	var services []string
	if err := at.ask(ctx, "/api/v2/services", &services); err != nil {
		return reports.Link{}, fmt.Errorf("neither Jaeger nor Zipkin answers at this URL: %w", err)
	}
	return link("Zipkin: traces of "+service, at, at.under("zipkin")+"/", url.Values{
		"serviceName": {service}, "lookback": {"range"}, "limit": {"100"},
		"startTs": {strconv.FormatInt(from.UnixMilli(), 10)}, "endTs": {strconv.FormatInt(to.UnixMilli()+1, 10)}}), nil
}

// ask requests JSON and reads it into reply. The error does not have the URL in it.
func (a address) ask(ctx context.Context, under string, reply any) error {
	at, err := url.Parse(a.String() + under)
	if err != nil {
		return errors.New("no request can be sent to the URL")
	}
	client := destination.New(destination.Options{Secrets: destination.SecretsOf(a.User), Direct: !a.given}) // The address of a Service in the cluster needs no proxy.
	defer client.Close()
	answer, err := client.Do(ctx, destination.Request{Method: http.MethodGet, URL: at, Header: http.Header{"Accept": {"application/json"}}})
	if err != nil {
		return err
	}
	if json.Unmarshal(answer, reply) != nil {
		return errors.New("the answer does not have the expected form")
	}
	return nil
}
