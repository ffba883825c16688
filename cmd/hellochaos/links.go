package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/destination"
	"github.com/hellochaos/hellochaos/reports/grafana"
	"github.com/hellochaos/hellochaos/reports/links"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// linkFlags say which programs a report links to.
type linkFlags struct{ grafana, kiali, tracing string }

func (f *linkFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.grafana, "grafana-url", "", "`URL` of a Grafana, which gets dashboards and annotations; $GRAFANA_TOKEN is its token")
	set.StringVar(&f.kiali, "kiali-url", "", "`URL` of the cluster's Kiali, to link to (default: looked for)")
	set.StringVar(&f.tracing, "tracing-url", "", "`URL` of the cluster's Jaeger or Zipkin, to link to (default: looked for)")
}

// check says what is wrong with the flags, without what may be a password.
func (f *linkFlags) check() error {
	var problems []error
	for _, flag := range []struct{ name, value string }{{"grafana-url", f.grafana}, {"kiali-url", f.kiali}, {"tracing-url", f.tracing}} {
		if _, err := address(flag.value); err != nil {
			problems = append(problems, fmt.Errorf("--%s: %w", flag.name, err))
		}
	}
	return errors.Join(problems...)
}

// address is a flag's URL, nil when there is none.
func address(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	return destination.BaseURL(text)
}

// link tells Grafana of a run and adds the links to its report; c is the cluster that was tested, if one was, and prometheus what
// the user said of it. It takes seconds at most, whatever happens.
func (f *linkFlags) link(ctx context.Context, c *cluster.Cluster, prometheus string, report *reports.Report) {
	at, _ := address(f.grafana) // check has seen them all
	if at != nil {
		namespace := ""
		if c != nil {
			namespace = c.Namespace()
		}
		grafana.Tell(ctx, grafana.Options{URL: at, Token: os.Getenv("GRAFANA_TOKEN"), Namespace: namespace}, report)
	}
	if c == nil {
		return
	}
	var found cluster.Addons
	if !report.Aborted && (f.kiali == "" || f.tracing == "" || prometheus == "") { // whoever interrupts a run does not wait for links
		found = c.Addons(ctx)
	}
	place := func(given string, found []string) (p links.Place) {
		p.Given, _ = address(given)
		for _, text := range found {
			if at, _ := address(text); at != nil {
				p.Found = append(p.Found, at)
			}
		}
		return p
	}
	links.Add(ctx, links.Options{Kiali: place(f.kiali, found.Kiali), Tracing: place(f.tracing, found.Tracing),
		Prometheus: place(prometheus, found.Prometheus), Namespace: c.Namespace()}, report)
}

// commandLine is the command line as it may be kept: without users and passwords in its URLs.
func commandLine() []string {
	line := []string{"hellochaos"}
	for _, argument := range os.Args[1:] {
		line = append(line, destination.HideUserInfo(argument))
	}
	return line
}
