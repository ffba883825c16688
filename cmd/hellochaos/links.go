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

// linkFlags are the addresses of the programs to which a report links.
type linkFlags struct{ grafana, kiali, tracing string }

func (f *linkFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.grafana, "grafana-url", "", "`URL` of a Grafana: the run imports dashboards and writes annotations there, with the token in $GRAFANA_TOKEN")
	set.StringVar(&f.kiali, "kiali-url", "", "`URL` of the cluster's Kiali, to which the report links (default: what the run finds on the cluster)")
	set.StringVar(&f.tracing, "tracing-url", "", "`URL` of the cluster's Jaeger or Zipkin, to which the report links (default: what the run finds on the cluster)")
}

// check returns what is wrong with the flags. The texts do not repeat the values, which may contain a password.
func (f *linkFlags) check() error {
	var problems []error
	for _, flag := range []struct{ name, value string }{{"grafana-url", f.grafana}, {"kiali-url", f.kiali}, {"tracing-url", f.tracing}} {
		if _, err := address(flag.value); err != nil {
			problems = append(problems, fmt.Errorf("--%s: %w", flag.name, err))
		}
	}
	return errors.Join(problems...)
}

// address parses the value of a flag; an empty value gives nil.
func address(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	return destination.BaseURL(text)
}

// link sends the run to Grafana, where the user named one, and adds links to its report. c is the cluster that was tested, nil for
// the embedded mesh; prometheus is the value of --prometheus-url. link takes some seconds at most: every request has a time limit.
func (f *linkFlags) link(ctx context.Context, c *cluster.Cluster, prometheus string, report *reports.Report) {
	at, _ := address(f.grafana) // check has refused what cannot be parsed
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
	if !report.Aborted && (f.kiali == "" || f.tracing == "" || prometheus == "") { // a user who interrupts a run should not have to wait for links
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

// commandLine is the command line for reports and journals: without the users and passwords that its URLs contain.
func commandLine() []string {
	line := []string{"hellochaos"}
	for _, argument := range os.Args[1:] {
		line = append(line, destination.HideUserInfo(argument))
	}
	return line
}
