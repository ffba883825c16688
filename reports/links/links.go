// Package links leads from a report to what Kiali, Jaeger or Zipkin, and Prometheus show of a cluster at the time of the run. It
// knows the forms of their addresses; it must not know how anything was measured.
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

// A program that the user named may take timeout to say what it is; one that was found is either near or not to be reached.
const timeout, foundTimeout = 5 * time.Second, 2 * time.Second

// Options say where the programs are.
type Options struct {
	Kiali, Tracing, Prometheus Place
	// Namespace is where the chain runs.
	Namespace string
}

// Place is where a program is: at the URL that the user gave, else at the first of those found that answers as the program does.
// Without either there is no link.
type Place struct {
	Given *url.URL
	Found []*url.URL
}

// address is where a program may be. One that the user gave may be another's to reach, or lie behind a proxy.
type address struct {
	*url.URL
	given bool
}

// errNowhere: a program was not found, or does not answer there.
var errNowhere = errors.New("no such program answers there")

// Add adds the links to the report, and to its remarks what stood in the way of one to a URL that the user gave. It takes timeout at
// most.
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

// first is the link to the first of a program's URLs that has one. All are asked at once: some may never answer.
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

// span is when the run began and ended.
func span(r *reports.Report) (from, to time.Time) {
	return r.Started, r.Started.Add(time.Duration(r.Elapsed * float64(time.Second)))
}

func link(title string, at address, under string, query url.Values) reports.Link {
	return reports.Link{Title: title, URL: destination.WithoutPassword(at.URL) + under + "?" + query.Encode()}
}

// kiali links to the graph. A Kiali that the user gave need not be reached from here, and is not asked.
func kiali(ctx context.Context, at address, namespace string, r *reports.Report) (reports.Link, error) {
	var login struct{ Strategy string } // needs no login: Kiali's routing/routes.go, AuthenticationInfo
	if !at.given && (at.ask(ctx, at.under("kiali")+"/api/auth/info", &login) != nil || login.Strategy == "") {
		return reports.Link{}, errNowhere
	}
	return kialiGraph(at, namespace, r, time.Now()), nil
}

// kialiGraph is the address of the graph. Kiali counts back from the time of looking, so the link reaches back to the run's
// beginning now, and not for ever.
func kialiGraph(at address, namespace string, r *reports.Report, now time.Time) reports.Link {
	from, _ := span(r)
	minutes := max(1, int(math.Ceil(now.Sub(from).Minutes())))
	return link(fmt.Sprintf("Kiali: the last %d min of %s when it is opened", minutes, namespace), at, at.under("kiali")+"/console/graph/namespaces", url.Values{
		"namespaces": {namespace}, "graphType": {"versionedApp"}, "duration": {strconv.Itoa(60 * minutes)}, "refresh": {"0"}})
}

// under is where a program's pages are: in a folder of its own name, which the URL may have at its end.
func (a address) under(root string) string {
	if path.Base(a.Path) == root {
		return ""
	}
	return "/" + root
}

// prometheus links to the graph of all tries by workload and status. One that the user gave is not asked either.
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

// tracing links to the traces of the first service, in Jaeger or Zipkin, whichever answers.
func tracing(ctx context.Context, at address, namespace string, r *reports.Report) (reports.Link, error) {
	from, to := span(r)
	service := "frontend." + namespace
	for _, root := range []string{"", "/jaeger"} { // where Istio's addon has it
		var services struct{ Data json.RawMessage } // null where there are none yet
		if at.ask(ctx, root+"/api/services", &services) == nil && services.Data != nil {
			return link("Jaeger: traces of "+service, at, root+"/search", url.Values{
				"service": {service}, "lookback": {"custom"}, "limit": {"100"},
				"start": {strconv.FormatInt(from.UnixMicro(), 10)}, "end": {strconv.FormatInt(to.UnixMicro(), 10)}}), nil
		}
	}
	var services []string
	if err := at.ask(ctx, "/api/v2/services", &services); err != nil {
		return reports.Link{}, fmt.Errorf("neither Jaeger nor Zipkin answers there: %w", err)
	}
	return link("Zipkin: traces of "+service, at, at.under("zipkin")+"/", url.Values{
		"serviceName": {service}, "lookback": {"range"}, "limit": {"100"},
		"startTs": {strconv.FormatInt(from.UnixMilli(), 10)}, "endTs": {strconv.FormatInt(to.UnixMilli()+1, 10)}}), nil
}

// ask gets JSON. Its error does not hold the URL.
func (a address) ask(ctx context.Context, under string, reply any) error {
	at, err := url.Parse(a.String() + under)
	if err != nil {
		return errors.New("the URL cannot be asked")
	}
	password, _ := a.User.Password()
	client := destination.New(destination.Options{Secrets: destination.Secrets{password}, Direct: !a.given}) // a Service's address needs no proxy
	defer client.Close()
	answer, err := client.Do(ctx, destination.Request{Method: http.MethodGet, URL: at, Header: http.Header{"Accept": {"application/json"}}})
	if err != nil {
		return err
	}
	if json.Unmarshal(answer, reply) != nil {
		return errors.New("the answer is not JSON of the expected form")
	}
	return nil
}
