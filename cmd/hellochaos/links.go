package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/grafana"
	"github.com/hellochaos/hellochaos/reports/links"
)

// linkFlags say which programs a report links to.
type linkFlags struct{ grafana, kiali, tracing string }

func (f *linkFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.grafana, "grafana-url", "", "`URL` of a Grafana, which gets dashboards and annotations; $GRAFANA_TOKEN is its token")
	set.StringVar(&f.kiali, "kiali-url", "", "`URL` of the cluster's Kiali, to link to")
	set.StringVar(&f.tracing, "tracing-url", "", "`URL` of the cluster's Jaeger or Zipkin, to link to")
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
	return reports.BaseURL(text)
}

// link tells Grafana of a run and adds the links to its report. namespace is the chain's on a cluster, prometheus the cluster's
// own, if any. It takes grafana.Timeout and a few seconds at most, whatever happens.
func (f *linkFlags) link(ctx context.Context, namespace, prometheus string, report *reports.Report) {
	var all [4]*url.URL
	for i, text := range []string{f.grafana, f.kiali, f.tracing, prometheus} {
		all[i], _ = address(text) // check has seen them
	}
	if all[0] != nil {
		grafana.Tell(ctx, grafana.Options{URL: all[0], Token: os.Getenv("GRAFANA_TOKEN"), Namespace: namespace}, report)
	}
	if namespace != "" {
		links.Add(ctx, links.Options{Kiali: all[1], Tracing: all[2], Prometheus: all[3], Namespace: namespace}, report)
	}
}

// commandLine is the command line as it may be kept: without users and passwords in its URLs.
func commandLine() []string {
	line := []string{"hellochaos"}
	for _, argument := range os.Args[1:] {
		line = append(line, reports.HideUserInfo(argument))
	}
	return line
}
