// Package cluster is a mesh on a real Kubernetes with Istio: it installs the demo chain, applies and takes back the
// objects of a run, finds the ways into the chain, reads what its services counted, and reports when every proxy obeys. It
// knows the Kubernetes API and Istio's objects; it must not know about load, statistics or verdicts.
//
// A run records every change in a journal, on this machine and in the cluster, before it makes the change. So the change can
// be taken back from any machine, however the run ended (see journal). A run never overwrites what somebody else has changed
// in the meantime.
package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/manifests/scratch"
)

const (
	// manager is the field manager under which the API server records the fields that this program sets.
	manager = "hellochaos"
	// managedBy is the label of every object that this program made.
	managedBy = "app.kubernetes.io/managed-by"
	// istioSystem is the namespace of Istio's control plane and of its ingress gateway.
	istioSystem = "istio-system"
	// requestTime bounds a single request to the API server; watches are bounded by their contexts.
	requestTime = 15 * time.Second
)

// Options choose a cluster and a namespace as kubectl does, and decide what a run does there.
type Options struct {
	// Kubeconfig is the name of a file; empty means $KUBECONFIG, then ~/.kube/config, then the pod's service account.
	Kubeconfig string
	// Context is a context of the kubeconfig; empty means its current context.
	Context string
	// Namespace is the chain's namespace; empty means that of the context, or "default".
	Namespace string
	// DirectURL and GatewayURL are the addresses of the entries; empty means that a run looks for them.
	DirectURL, GatewayURL string
	// Client is how requests connect to Gateways with TLS whose Secrets the caller has made; nil: a run with such a Gateway is refused. It is
	// not used in namespaces of a run's own, for which BeginScratch makes the Secrets.
	Client *tls.Config
	// PrometheusURL is a Prometheus that scrapes the cluster; empty means that no Prometheus is asked.
	PrometheusURL string
	// TakeOver allows a run to remove objects of others that make rules for the chain's hosts, and to put them back at its end.
	TakeOver bool
	// Gradual makes a run replace one set of objects by another in the steps of manifests.Steps, each of which every proxy obeys before the
	// next, and keep the ways to the entries meanwhile: requests may be under way.
	Gradual bool
	// Workers is how many pods send the load; 0: none, this process does. WorkersImage is the image of hellochaos that they run.
	Workers      int
	WorkersImage string
	// Wait is the longest time of each wait for pods, for proxies, or for the API server to answer again.
	Wait time.Duration
	// CountDown, when set, is called about once a second while the run waits for somebody else's lease, with the longest time
	// that is left to wait, and with 0 when the wait is over.
	CountDown func(left time.Duration)
	// Command is what the user typed and Version the version of the program; both are recorded in the journal. Say, when set,
	// is called with each line about progress.
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
	// server is the API server's URL, context the kubeconfig's context in use, namespace the chain's namespace.
	server, context, namespace string
	// istioVersion is the best version of networking.istio.io that the server has, such as "v1"; empty when Istio is not installed.
	istioVersion string
	// gatewayAPI has the version of Gateway API in which the server has a kind, by the kind; none that it does not have.
	gatewayAPI map[string]string
	kubernetes string // the server's version
	// scratch are the namespaces that a run has made for itself, with its objects; nil for the chain's own namespace.
	scratch *scratch.Set
	// client is how requests connect to Gateways with TLS: Options.Client, or the one for the Secrets that BeginScratch makes; nil: there are no
	// Secrets whose certificates it would trust.
	client *tls.Config
	lease  leaseTimes
}

// Connect reads the kubeconfig and asks the API server for its version and for the version of Istio's API. The error names the
// file, the context or the address that failed, and says what the user can do.
func Connect(ctx context.Context, o Options) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: o.Context})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w; name the file with --kubeconfig or $KUBECONFIG, and one of its contexts with --context", err)
	}
	c := &Cluster{options: o, config: config, server: config.Host, namespace: o.Namespace, context: o.Context, lease: usualLease, client: o.Client}
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
	config.WarningHandler = rest.NoWarnings{} // doctor reports what they warn about
	// The API server limits clients itself (429 with Retry-After), and client-go obeys. These limits only keep a fault of this
	// program from flooding the server.
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

// versions asks the server for its version and for the versions of the APIs of Istio and of Gateway API.
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
			if group.Name == manifests.GatewayAPI {
				if err := c.findGatewayAPI(ctx, group.Versions); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Namespace is the chain's namespace.
func (c *Cluster) Namespace() string { return c.namespace }

// say reports progress, if somebody listens.
func (c *Cluster) say(format string, args ...any) {
	if c.options.Say != nil {
		c.options.Say(format, args...)
	}
}
