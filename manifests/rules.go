package manifests

import (
	"cmp"
	"net/http"
	"sync"
	"time"
)

// Namespace is where the objects without a metadata.namespace stand. Short names of hosts resolve in it.
const Namespace = "default"

// Rules is what a set of objects means to the proxies of a mesh. Read makes it, and its answers never change, so it may be used
// concurrently. Methods such as Changed make other Rules from it and leave it as it is.
type Rules struct {
	// Workloads are the Deployments, in the order of their names and namespaces.
	Workloads []Workload
	// Services are the Kubernetes Services, by fully qualified name.
	Services map[string]*Service
	// Gateways are the Gateways, by "namespace/name".
	Gateways map[string]*Gateway

	objects         []Object // that were read
	virtualServices []virtualService
	dropped         []Dropped
	sourceLabels    map[string]bool // what matches ask for: "app=reviews"
	entries         []entry
	// destinations are the DestinationRules that the proxies of their own namespace know. exported are those that others may know, and
	// rootOwn those of the root namespace that nobody else knows.
	destinations, exported, rootOwn destinationRules
	ruled                           map[string]map[string]bool // by host, the namespaces that have a DestinationRule, and those that its exportTo names
	patterns                        []string                   // the hosts with "*" of DestinationRules, each once
	restricted                      map[string]bool            // the hosts that are not exported to all
	written                         []WrittenDestinationRule
	sidecars                        map[string]*sidecar // by namespace
	clusters                        map[cluster]*Endpoints
	unknown                         *Endpoints
	owners                          map[string][]string // by host, the namespaces that have a Service or a ServiceEntry for it
	doors                           map[Caller]*door    // by Gateway and Port
	answering                       map[string]*Service // by the host that the annotation AnswersFor names
	secured                         map[string][]string // by external host:port at which TLS is spoken, the names of its certificate
	// outside keeps, by outsideKey, the *Rule of every host outside the registry that a request was for, so that it and its Endpoints
	// stay the same.
	outside *sync.Map

	// relative and ported are read otherwise than Istio does it today (WithoutAbsoluteNames, WithPortsInWildcards).
	relative, ported bool
}

// Workload is a Deployment: Replicas pods of one program.
type Workload struct {
	Name      string // "middleware-canary"
	Namespace string
	Labels    map[string]string // labels of its pods, such as app and version
	Env       map[string]string // environment of its container
	Replicas  int
}

// Service is a Kubernetes Service.
type Service struct {
	Host     string // fully qualified: "middleware.default.svc.cluster.local"
	Ports    []ServicePort
	object   *Object
	selector map[string]string
	// exports are the namespaces whose proxies find it in the mesh's registry (annotation networking.istio.io/exportTo); nil: all. hidden
	// says that it is "~", so that none does. DNS has it in any case.
	exports []string
	hidden  bool
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Port     int
	target   int  // the port of the pods
	declared bool // whether its name or its appProtocol declares it as HTTP
}

// Gateway is what the servers of a Gateway serve.
type Gateway struct {
	// Selector has the labels of the pods that run this gateway.
	Selector map[string]string
	// Servers are those whose requests meet the rules for HTTP, and Opaque the others, both in the order of the Gateway.
	Servers []*Server
	Opaque  []Opaque

	object  *Object
	name    string // "default/frontend"
	listens bool   // whether it is one of Gateway API
}

// Caller names the proxy that sends a request.
type Caller struct {
	// Gateway is the "namespace/name" of the Gateway when an ingress gateway sends the request; empty for a sidecar.
	Gateway string
	// Port is the port of the Gateway at which the request enters; 0 is that of Gateway.Entrance.
	Port int
	// Namespace is the sidecar's namespace.
	Namespace string
	// Labels are those labels of the sidecar's pods that some match asks for by sourceLabels, sorted: "app=reviews,version=v2". They are
	// empty where none does. Rules.SidecarCaller fills them in.
	Labels string
}

// Request has the parts of a request that decide which rule it meets.
type Request struct {
	Host string // as in the Host header, with or without a port
	// ServerName is the name that the client asked for when it connected with TLS (SNI); empty where it is that of Host.
	ServerName string
	Method     string
	Path       string // normalised by NormalPath, with the query
	Header     http.Header
}

// Rule says what a proxy does with a request. Exactly one of Split, Direct and Redirect is set.
type Rule struct {
	// Name identifies the rule in messages: "VirtualService middleware, http[1]", "no rule".
	Name string
	// File and Line say where the rule stands, or the Sidecar that decides about a host outside the registry; empty and 0 where no
	// object says it.
	File string
	Line int
	// Hosts are those of the VirtualService, fully qualified or beginning with "*"; none where no http entry is met.
	Hosts []string
	// Match says in a few words what a request must have to meet the rule: "end-user: jason"; empty where every request does that meets
	// no rule before it.
	Match string
	// Why is a clause that says why the rule is met, where no http entry is: "no ServiceEntry has the host, …"; else empty.
	Why string
	// Split has the destinations among which that of a request is drawn; their shares add up to 1.
	Split []Destination
	// Direct is an answer that the proxy gives itself: a directResponse, 404 with flag NR where no rule matches, or 502 or a reset
	// for a host outside the registry.
	Direct *Direct
	// Redirect is an answer that the proxy gives itself, with a Location header.
	Redirect *Redirect
	// Missing is the status of the answer where a destination does not exist: 500 for an HTTPRoute of Gateway API, and else 503.
	Missing int
	Retry   Retry
	// Timeout ends a call with all its tries; 0 sets no limit.
	Timeout time.Duration
	// Fault is injected before the destination is looked up; nil injects nothing.
	Fault *Fault
	// Rewrite is what is sent in place of the path and the host of a request; nil changes neither.
	Rewrite *Rewrite
	// Mirrors get copies of the requests that go to a destination.
	Mirrors []Mirror
	// Answer are the changes of the headers of Direct and Redirect. Each destination of Split has its own.
	Answer HeaderChanges
}

// NoDestination is the status of the proxy's answer to a request whose destination does not exist.
func (r *Rule) NoDestination() int { return cmp.Or(r.Missing, http.StatusServiceUnavailable) }

// Destination is one of the destinations of a split.
type Destination struct {
	Host   string // fully qualified
	Subset string // empty: the whole service
	Port   int
	Share  float64 // in [0,1]
	// Request and Answer are the changes of the headers of requests that go to the destination, and of their answers, those included
	// that the proxy gives itself in its place.
	Request, Answer HeaderChanges
	// Authority replaces the host of requests that go to the destination, unless the rule's Rewrite does; empty keeps it.
	Authority string
	// TLS is how the proxy opens TLS there; nil where it opens none by a DestinationRule. Calls between pods of the mesh are Istio's mutual
	// TLS in any case.
	TLS *Origination

	denied    bool       // whether the rule may not name it, so that there is no such destination for it
	unseen    bool       // whether the sidecars that obey the rule do not know it
	from      string     // the namespace of the proxy that sends requests there
	atGateway bool       // whether that is a gateway, and no sidecar
	overTLS   bool       // whether requests reach it over TLS
	endpoints *Endpoints // the result of Rules.Endpoints, looked up once
}

// Direct is an answer that the proxy gives itself.
type Direct struct {
	Status int
	Body   string
	// Reset is true at a port where no proxy listens for HTTP: the connection ends without an answer (Istio's TCP
	// BlackHoleCluster), and Status is 0.
	Reset bool
	// Flags and Detail are Envoy's response flags ("-" for none, "NR") and response code detail ("route_not_found").
	Flags, Detail string
}

// Redirect is an answer that sends the client elsewhere.
type Redirect struct {
	Status    int
	Scheme    string // "https"; empty keeps that by which the request came
	URI       string // empty keeps the URI of the request
	Authority string // empty keeps the host of the request
	// Port is put behind the host, unless it is that of the scheme; 0 leaves the port alone.
	Port int
	// Prefix replaces the part of the path that the rule's match asks for; nil replaces nothing.
	Prefix *Rewrite

	requestPort bool // whether Port is that at which the request came
	keepsPort   bool // whether the port of the Host header stays, whatever the schemes are
}

// Fault is a fault injection.
type Fault struct {
	Delay       time.Duration // 0 delays nothing
	DelayShare  float64       // share of the calls that are delayed, in [0,1]
	AbortStatus int           // 0 aborts nothing
	AbortShare  float64       // share of the calls that are aborted, in [0,1]
}

// Retry is the retry policy that takes effect: that of the YAML, or Istio's default where the YAML has no retries.
type Retry struct {
	// Default says that the YAML has no retries, so that the policy is Istio's default; DefaultOn that it has no retryOn, so that On
	// is Istio's default.
	Default, DefaultOn bool
	// Attempts is how many times a failed call may be sent again; 0 means never.
	Attempts int
	// PerTry is the time limit of a single try; 0 sets none.
	PerTry time.Duration
	// Base is the first back-off interval, 25 ms by default.
	Base time.Duration
	// PreviousHosts says that a retry looks for an endpoint that was not tried yet. previousSet: the YAML says so, or that it does not.
	PreviousHosts, previousSet bool
	// On is the retryOn that takes effect, for messages: "5xx,connect-failure,refused-stream".
	On string

	classes class
	codes   []int
}

// Failure is how a try failed, as the caller's proxy sees it.
type Failure struct {
	// Status is the status of the answer. It is 0 when there was no answer, and then exactly one of ConnectFailure, Reset,
	// PerTryTimeout and Overflow is set.
	Status         int
	ConnectFailure bool // the connection could not be made
	Reset          bool // the connection ended before the answer's headers
	PerTryTimeout  bool // the per-try timeout ended the try
	Overflow       bool // a limit of a connectionPool refused the try, which no policy sends again
	// RateLimited says that the answer carries x-envoy-ratelimited.
	RateLimited bool
}

// Endpoints is the outcome of looking up a destination.
type Endpoints struct {
	// Known is false when no object defines the host, the subset or the port: the proxy then answers 503 with flag NC.
	Known bool
	// External are the host:port to dial for a ServiceEntry's host, one for each of its endpoints; none for a Service.
	External []string
	// Workloads are those that the Service's selector and the subset's labels select. Without any the proxy answers 503 with
	// flag UH.
	Workloads []Workload
	// Balancer is the simple load balancer: "LEAST_REQUEST" (the default), "RANDOM", "ROUND_ROBIN".
	Balancer string
	// Hash chooses endpoints by a key in place of Balancer; nil where nothing does.
	Hash *Hash
	// Pool are the limits of the calls of a proxy, and Ejection says which endpoints it avoids; nil where there are none.
	Pool     *Pool
	Ejection *Ejection
	// Rule is the DestinationRule whose policy holds, "DestinationRule reviews", which begins at Line of File; empty where none has one.
	Rule, File string
	Line       int

	secure *Origination // how proxies open TLS there, as far as they may
	// original says that requests go to the address that they are for, at this port where it is not 0: External is that of no request.
	original     bool
	originalPort int
}
