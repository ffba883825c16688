package manifests

import (
	"net/http"
	"sync"
	"time"
)

// Namespace is where the objects stand when they do not say: short names resolve in it.
const Namespace = "default"

// Rules is what a set of objects means to the proxies of a mesh. It is made once by Read and its answers never change,
// so it may be used concurrently; those that mean something else are made of it as new ones (Changed).
type Rules struct {
	// Workloads are the Deployments, in the order of their names and namespaces.
	Workloads []Workload
	// Services are the Kubernetes Services, by fully qualified name.
	Services map[string]*Service
	// Gateways is the Gateway, by "namespace/name": one, or none.
	Gateways map[string]*Gateway

	virtualServices []virtualService
	entries         []entry
	destinations    map[string]*destinationRule // by fully qualified host
	sidecars        map[string]*sidecar         // by namespace
	clusters        map[cluster]*Endpoints
	unknown         *Endpoints
	// passthrough keeps the rule of every host outside the registry that was asked for under ALLOW_ANY, so that its
	// Endpoints stay the same: host:port -> *Rule.
	passthrough *sync.Map
}

// Workload is a Deployment: Replicas pods of one program.
type Workload struct {
	Name      string // "middleware-canary"
	Namespace string
	Labels    map[string]string // of its pods: app, version
	Env       map[string]string // of its container
	Replicas  int
}

// Service is a Kubernetes Service.
type Service struct {
	Host     string // fully qualified: "middleware.default.svc.cluster.local"
	Ports    []ServicePort
	selector map[string]string
	// hidden services are not in the mesh's registry (annotation networking.istio.io/exportTo "~"); DNS knows them.
	hidden bool
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Port     int
	target   int  // the pods' port
	declared bool // as HTTP, by its name or its appProtocol
}

// Gateway is a Gateway's servers, as far as HTTP goes.
type Gateway struct {
	// Selector are the labels of the pods that are this gateway.
	Selector map[string]string

	name     string // "default/frontend"
	port     int
	patterns []hostPattern
}

// Caller says whose proxy sends a request.
type Caller struct {
	// Gateway is the "namespace/name" of the Gateway when an ingress gateway sends; empty for a sidecar.
	Gateway string
	// Namespace is the sidecar's namespace.
	Namespace string
}

// Request is what the choice of a rule looks at.
type Request struct {
	Host   string // as in the Host header, with or without a port
	Method string
	Path   string // as NormalPath makes it, with the query
	Header http.Header
}

// Rule is a decision for a request. Exactly one of Split, Direct and Redirect is set.
type Rule struct {
	// Name says which rule it is, for messages: "VirtualService middleware, http[1]", "no rule".
	Name string
	// File and Line say where it stands; empty and 0 for what holds without a rule.
	File string
	Line int
	// Split is where the request goes; the shares add up to 1.
	Split []Destination
	// Direct is the proxy's own answer: a directResponse, no rule (404 NR), a host outside the registry (502, or a reset).
	Direct *Direct
	// Redirect is the proxy's own answer with a location.
	Redirect *Redirect
	Retry    Retry
	// Timeout ends a call with all its tries; 0 is none.
	Timeout time.Duration
	// Fault is injected before the destination is looked up; nil is none.
	Fault *Fault
}

// Destination is one arm of a split.
type Destination struct {
	Host   string // fully qualified
	Subset string // empty: the whole service
	Port   int
	Share  float64 // in [0,1]

	endpoints *Endpoints // what Endpoints answers, looked up once
}

// Direct is an answer that the proxy gives itself.
type Direct struct {
	Status int
	Body   string
	// Reset is true where nobody speaks HTTP: the connection ends without an answer (Istio's TCP BlackHoleCluster), and
	// Status is 0.
	Reset bool
	// Flags and Detail are Envoy's response flags ("-" for none, "NR") and response code detail ("route_not_found").
	Flags, Detail string
}

// Redirect is an answer that sends the client elsewhere.
type Redirect struct {
	Status    int
	URI       string // empty: unchanged
	Authority string // empty: unchanged
}

// Fault is a fault injection.
type Fault struct {
	Delay       time.Duration // 0: none
	DelayShare  float64       // in [0,1]
	AbortStatus int           // 0: none
	AbortShare  float64       // in [0,1]
}

// Retry is a retry policy as it takes effect: the YAML's, or Istio's default where the YAML is silent.
type Retry struct {
	// Default says that the YAML is silent: the policy is Istio's own.
	Default bool
	// Attempts is how many times a failed try may be sent again; 0 is never.
	Attempts int
	// PerTry ends a single try; 0 is no limit of its own.
	PerTry time.Duration
	// Base is the first back-off interval, 25 ms by default.
	Base time.Duration
	// PreviousHosts: a retry looks for an endpoint that was not tried yet.
	PreviousHosts bool
	// On is retryOn as it takes effect, for messages: "5xx,connect-failure,refused-stream".
	On string

	classes class
	codes   []int
}

// Failure is how a try ended badly, as the caller's proxy sees it.
type Failure struct {
	// Status is the answer's; 0 when there was none, and then exactly one of the three below is set.
	Status         int
	ConnectFailure bool // the connection could not be made
	Reset          bool // it ended before the answer's headers
	PerTryTimeout  bool // the per-try timeout ended it
	// RateLimited says that the answer carries x-envoy-ratelimited.
	RateLimited bool
}

// Endpoints is the outcome of looking up a destination.
type Endpoints struct {
	// Known is false when no such cluster exists (host or subset undefined): 503 NC.
	Known bool
	// External is the host:port to dial for a ServiceEntry's host; empty for a Service.
	External string
	// Workloads that the Service's selector and the subset's labels select; none: 503 UH.
	Workloads []Workload
	// Balancer is the simple load balancer: "LEAST_REQUEST" (the default), "RANDOM", "ROUND_ROBIN".
	Balancer string
}
