// Package cluster is a mesh on a real Kubernetes with Istio: it installs the demo chain, applies and takes back the
// objects of a run, finds the ways into the chain, reads what its services counted, and says when every proxy obeys. It
// knows the Kubernetes API and Istio's objects; it knows no load, no statistics and no verdicts.
//
// Every change that a run makes is written down first, in a journal on this machine and in the cluster, so that it can be
// taken back from any machine after any end (see journal). Objects that another has changed meanwhile are never
// overwritten.
package cluster

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// manager is the name under which the API server books the fields that we set.
	manager = "hellochaos"
	// managedBy is the label of every object that we made.
	managedBy = "app.kubernetes.io/managed-by"
	// istioSystem is where Istio's control plane and its ingress gateway stand.
	istioSystem = "istio-system"
	// requestTime bounds a single request to the API server; watches are bounded by their contexts.
	requestTime = 15 * time.Second
)

// Options choose a cluster and a namespace as kubectl does, and how a run deals with what it finds there.
type Options struct {
	// Kubeconfig is a file; empty: $KUBECONFIG, then ~/.kube/config, then the pod's service account.
	Kubeconfig string
	// Context is the kubeconfig's context; empty: its current one.
	Context string
	// Namespace is where the chain stands; empty: the context's, or "default".
	Namespace string
	// DirectURL and GatewayURL are the entries, where they are not to be looked for.
	DirectURL, GatewayURL string
	// PrometheusURL is a Prometheus that scrapes the cluster; empty: none is asked.
	PrometheusURL string
	// TakeOver allows to put away what others made for the chain's hosts, and to put it back at the end.
	TakeOver bool
	// Wait bounds each wait: for pods, for proxies, for the API server to come back.
	Wait time.Duration
	// CountDown, when set, is told how long a wait for somebody else's lease will still last at most, about once a second, and
	// 0 when it is over.
	CountDown func(left time.Duration)
	// Command is what the user typed and Version the program's, for the journal; Say, when set, tells progress by the line.
	Command []string
	Version string
	Say     func(format string, args ...any)
}

// Cluster is a connection to one namespace of one cluster. It may be used concurrently.
type Cluster struct {
	options Options
	config  *rest.Config
	core    *clientset
	dynamic dynamic.Interface
	// server is the API server's URL, context the kubeconfig's context in use, namespace the chain's.
	server, context, namespace string
	// istioVersion is the version of networking.istio.io that the server prefers, "v1"; empty: Istio's kinds are not there.
	istioVersion string
	kubernetes   string // the server's version
	lease        leaseTimes
}

// Connect reads the kubeconfig and asks the API server for its version and for Istio's API. The error says which file,
// context or address it was, and what to do.
func Connect(ctx context.Context, o Options) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: o.Context})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w; name the file with --kubeconfig or $KUBECONFIG, and one of its contexts with --context", err)
	}
	c := &Cluster{options: o, config: config, server: config.Host, namespace: o.Namespace, context: o.Context, lease: usualLease}
	if c.namespace == "" {
		if c.namespace, _, err = loader.Namespace(); err != nil {
			return nil, fmt.Errorf("reading the namespace of the kubeconfig's context: %w; name a namespace with -n", err)
		}
		if err := manifests.CheckNamespace(c.namespace); err != nil {
			return nil, fmt.Errorf("the namespace of the kubeconfig's context: %w; name a namespace with -n", err)
		}
	}
	if raw, err := loader.RawConfig(); err == nil && c.context == "" {
		c.context = raw.CurrentContext
	}
	// The API server limits us by its own priority and fairness, which client-go obeys (429 with Retry-After); this limit
	// only keeps a fault of ours from flooding it.
	config.WarningHandler = rest.NoWarnings{} // what they are about is told by doctor
	config.QPS, config.Burst, config.UserAgent = 100, 200, "hellochaos/"+o.Version
	if err := c.clients(); err != nil {
		return nil, fmt.Errorf("making clients for %s: %w", c.server, err)
	}
	return c, c.versions(ctx)
}

func (c *Cluster) clients() (err error) {
	client, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return err
	}
	return c.clientsOver(client)
}

func (c *Cluster) clientsOver(client *http.Client) (err error) {
	bounded := *client
	if bounded.Transport == nil {
		bounded.Transport = http.DefaultTransport
	}
	bounded.Transport = boundedAnswers{bounded.Transport, fromPod}
	client = &bounded
	if c.core, err = newClientset(c.config, client); err != nil {
		return err
	}
	c.dynamic, err = dynamic.NewForConfigAndClient(c.config, client)
	return err
}

// versions asks the server what it is.
func (c *Cluster) versions(ctx context.Context) error {
	return c.again(ctx, "asking the API server "+c.server+" for its version", func(ctx context.Context) error {
		version, err := c.core.serverVersion(ctx)
		if err != nil {
			return err
		}
		c.kubernetes = version.GitVersion
		groups, err := c.core.serverGroups(ctx)
		if err != nil {
			return err
		}
		for _, group := range groups.Groups {
			if group.Name == istioGroup {
				for _, v := range group.Versions {
					if c.istioVersion == "" || slices.Index(istioVersions, v.Version) < slices.Index(istioVersions, c.istioVersion) {
						c.istioVersion = v.Version
					}
				}
			}
		}
		return nil
	})
}

// Namespace is where the chain stands.
func (c *Cluster) Namespace() string { return c.namespace }

// say tells progress.
func (c *Cluster) say(format string, args ...any) {
	if c.options.Say != nil {
		c.options.Say(format, args...)
	}
}
