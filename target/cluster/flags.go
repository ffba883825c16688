package cluster

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/manifests"
)

// Flags are the flags of a connection, and of a run, as they were typed. Options checks them later, so that all bad values
// of a command line can be reported at once.
type Flags struct {
	options Options
	wait    string
	set     *pflag.FlagSet // that of AddWorkersFlags; nil: it was not called
}

// AddFlags adds --kubeconfig, --context, --namespace (-n) and --wait to set, as kubectl has them.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{}
	set.StringVar(&f.options.Kubeconfig, "kubeconfig", "", "kubeconfig `file` with the address and credentials of the cluster (default: $KUBECONFIG, then ~/.kube/config)")
	set.StringVar(&f.options.Context, "context", "", "kubeconfig `context` (default: the current one)")
	set.StringVarP(&f.options.Namespace, "namespace", "n", "", "`namespace` of the chain (default: that of the context)")
	set.StringVar(&f.wait, "wait", "60s", "longest `time` of each wait for pods, proxies or the API server")
	return f
}

// AddRunFlags adds the further flags of a run on a cluster: --direct-url, --gateway-url, --prometheus-url and
// --take-over.
func (f *Flags) AddRunFlags(set *pflag.FlagSet) {
	set.StringVar(&f.options.DirectURL, "direct-url", "", "`URL` of the chain's first service, with no caller's proxy on the way (default: found on the cluster)")
	set.StringVar(&f.options.GatewayURL, "gateway-url", "", "`URL` of the ingress gateway (default: found on the cluster)")
	f.AddPrometheusFlag(set, "its counts are compared with those of the services")
	set.BoolVar(&f.options.TakeOver, "take-over", false, "during the run, remove objects of others that make rules for the chain's hosts; put them back at its end")
}

// AddWorkersFlags adds --workers-on-cluster and --workers-image.
func (f *Flags) AddWorkersFlags(set *pflag.FlagSet) {
	f.set = set
	set.IntVar(&f.options.Workers, "workers-on-cluster", 0, "`number` of pods in the namespace that share the requests (default: none, this process sends them)")
	set.StringVar(&f.options.WorkersImage, "workers-image", "hellochaos", "container `image` of hellochaos, which the pods of --workers-on-cluster run")
}

// MostWorkers is how many pods a command directs.
const MostWorkers = 1000

// AddPrometheusFlag adds --prometheus-url. use says what is done with its counts.
func (f *Flags) AddPrometheusFlag(set *pflag.FlagSet, use string) {
	set.StringVar(&f.options.PrometheusURL, "prometheus-url", "", "`URL` of a Prometheus that scrapes the cluster; "+use)
}

// Options reads the flags' values; the error joins one line for each that is wrong.
func (f *Flags) Options() (Options, error) {
	o := f.options
	var problems []error
	var err error
	if o.Wait, err = time.ParseDuration(f.wait); err != nil || o.Wait < time.Second || o.Wait > time.Hour {
		problems = append(problems, fmt.Errorf("--wait %s: must be a time from 1s to 1h", f.wait))
	}
	if o.Namespace != "" {
		if err := manifests.CheckNamespace(o.Namespace); err != nil {
			problems = append(problems, fmt.Errorf("--namespace: %w", err))
		}
	}
	if f.set != nil && f.set.Changed("workers-on-cluster") && (o.Workers < 1 || o.Workers > MostWorkers) {
		problems = append(problems, fmt.Errorf("--workers-on-cluster %d: must be a number from 1 to %d", o.Workers, MostWorkers))
	}
	if f.set != nil && f.set.Changed("workers-image") && o.Workers == 0 {
		problems = append(problems, errors.New("--workers-image: needs --workers-on-cluster"))
	}
	for _, given := range [][2]string{{"--direct-url", o.DirectURL}, {"--gateway-url", o.GatewayURL}, {"--prometheus-url", o.PrometheusURL}} {
		flag, text := given[0], given[1]
		if u, err := url.Parse(text); text != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(text, "?#")) {
			// The message does not repeat the URL, since a secret may be in it.
			problems = append(problems, fmt.Errorf("%s: must be an absolute URL such as http://203.0.113.7, without ? and #", flag))
		}
	}
	return o, errors.Join(problems...)
}
