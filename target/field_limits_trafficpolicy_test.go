package target_test

// Rows that show the limits of many fields of DestinationRules.
const (
	subsetBalancers  = "balancers of subsets before that of the host"
	heldEjections    = "ejections that a port, a subset or a share holds back"
	rareEjections    = "ejections by gateway errors, and how long they last"
	answersApart     = "ejections where connections are counted apart"
	leftAlone        = "names and certificates that a proxy leaves alone"
	certificatesSeen = "certificates that a proxy looks at and shows"
	competing        = "DestinationRules that compete for a host"
	ofPort           = "a balancer of a port"
	otherPortsOwn    = "a balancer of another port"
	manyCalls        = "connectionPool: as many as come"
	callsAtPort      = "connectionPool: the limit of the port holds"
	manyConnections  = "connectionPool: connections and who waits for one"
	budgets          = "maxRetries, and a retryBudget in its place"
	oneFailure       = "outlierDetection: one failure is not enough"
	failuresAtPort   = "outlierDetection: the ejection of the port holds"
	openedTLS        = "TLS that a proxy opens"
	keys             = "consistentHash"
	brokenConnection = "ejections of pods that break connections"
)

// trafficPolicyLimits are the limits of the fields of DestinationRules.
var trafficPolicyLimits = map[string]limits{
	"DestinationRule.host":          {"DestinationRule: a wildcard of others", "DestinationRule: the host before a wildcard"},
	"DestinationRule.subsets":       {"subset that nothing defines", competing},
	"DestinationRule.trafficPolicy": {"DestinationRule: a wildcard of others", competing},
	"DestinationRule.exportTo":      {ofExports, competing},
	"Subset.name":                   {"subset that nothing defines", competing},
	"Subset.labels":                 {"subset without pods", competing},
	"Subset.trafficPolicy":          {subsetBalancers, subsetBalancers},

	"TrafficPolicy.loadBalancer":         {ofPort, subsetBalancers},
	"TrafficPolicy.connectionPool":       {manyCalls, callsAtPort},
	"TrafficPolicy.outlierDetection":     {oneFailure, heldEjections},
	"TrafficPolicy.retryBudget":          {budgets, budgets},
	"TrafficPolicy.tls":                  {openedTLS, openedTLS},
	"TrafficPolicy.portLevelSettings":    {otherPortsOwn, heldEjections},
	"PortTrafficPolicy.port":             {otherPortsOwn, ofPort},
	"PortTrafficPolicy.loadBalancer":     {otherPortsOwn, ofPort},
	"PortTrafficPolicy.connectionPool":   {callsAtPort, callsAtPort},
	"PortTrafficPolicy.outlierDetection": {heldEjections, heldEjections},
	"PortTrafficPolicy.tls":              {openedTLS, openedTLS},

	"LoadBalancerSettings.simple":             {ofPort, subsetBalancers},
	"LoadBalancerSettings.consistentHash":     {keys, subsetBalancers},
	"ConsistentHashLB.httpHeaderName":         {keys, subsetBalancers},
	"ConsistentHashLB.httpCookie":             {keys, subsetBalancers},
	"ConsistentHashLB.useSourceIp":            {subsetBalancers, subsetBalancers},
	"ConsistentHashLB.httpQueryParameterName": {keys, subsetBalancers},
	"HTTPCookie.name":                         {keys, subsetBalancers},
	"HTTPCookie.path":                         {subsetBalancers, subsetBalancers},
	"HTTPCookie.ttl":                          {subsetBalancers, subsetBalancers},
	"SimpleLB.LEAST_REQUEST":                  {subsetBalancers, subsetBalancers},
	"SimpleLB.LEAST_CONN":                     {subsetBalancers, subsetBalancers},
	"SimpleLB.UNSPECIFIED":                    {subsetBalancers, subsetBalancers},
	"SimpleLB.RANDOM":                         {ofPort, subsetBalancers},
	"SimpleLB.ROUND_ROBIN":                    {subsetBalancers, subsetBalancers},

	"ConnectionPoolSettings.tcp":           {manyConnections, manyConnections},
	"ConnectionPoolSettings.http":          {manyCalls, callsAtPort},
	"TCPSettings.maxConnections":           {manyConnections, manyConnections},
	"HTTPSettings.http1MaxPendingRequests": {manyConnections, manyConnections},
	"HTTPSettings.http2MaxRequests":        {manyCalls, callsAtPort},
	"HTTPSettings.maxRetries":              {budgets, budgets},
	"RetryBudget.percent":                  {budgets, budgets},
	"RetryBudget.minRetryConcurrency":      {budgets, budgets},

	"OutlierDetection.consecutive5xxErrors":           {oneFailure, heldEjections},
	"OutlierDetection.consecutiveGatewayErrors":       {rareEjections, rareEjections},
	"OutlierDetection.splitExternalLocalOriginErrors": {answersApart, brokenConnection},
	"OutlierDetection.consecutiveLocalOriginFailures": {answersApart, brokenConnection},
	"OutlierDetection.interval":                       {rareEjections, rareEjections},
	"OutlierDetection.baseEjectionTime":               {rareEjections, rareEjections},
	"OutlierDetection.maxEjectionPercent":             {heldEjections, heldEjections},
	"OutlierDetection.minHealthPercent":               {heldEjections, heldEjections},

	"ClientTLSSettings.mode":               {"TLS switched off", openedTLS},
	"ClientTLSSettings.sni":                {leftAlone, openedTLS},
	"ClientTLSSettings.subjectAltNames":    {leftAlone, certificatesSeen},
	"ClientTLSSettings.insecureSkipVerify": {openedTLS, leftAlone},
	"ClientTLSSettings.credentialName":     {openedTLS, openedTLS},
	"TLSmode.SIMPLE":                       {openedTLS, openedTLS},
	"TLSmode.MUTUAL":                       {leftAlone, leftAlone},
}
