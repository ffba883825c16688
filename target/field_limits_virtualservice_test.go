package target_test

// Rows that show the limits of many fields.
const (
	missedPaths   = "paths, a port and headers that calls just miss"
	missedShares  = "shares and weights of 0"
	missedRetries = "one failure too many, and one of another status"

	firstRule   = "the first rule that holds, and not the one that asks for most"
	keptRoute   = "a rewritten call keeps its rule and its destination"
	ownSettings = "a delegate keeps settings of its own"
	faultsFirst = "a delay, then an abort, and no mirror"

	ofDelegates = "shares of mirrors and of delays, and delegates of a namespace"
	ofExports   = "exportTo of VirtualServices, DestinationRules and ServiceEntries"
	ofRedirects = "redirects by prefix, scheme and port"
	ofHeaders   = "a header of the rule and of one of its destinations"
	otherPort   = "destination with a port that the Service lacks"
	noPercent   = "mirror of 0 percent"
	onlyDelayed = "delay is not counted by the time limits"
)

// virtualServiceLimits are the limits of the fields of VirtualServices.
var virtualServiceLimits = map[string]limits{
	"VirtualService.hosts":    {"rule for a wildcard", "a wildcard inside that of another VirtualService"},
	"VirtualService.gateways": {"a match of gateways that are not listed", "a rule of the gateway and another of the mesh"},
	"VirtualService.http":     {"no rule matches", "catch-all before a header rule"},
	"VirtualService.exportTo": {ofExports, ofExports},

	"HTTPRoute.match":              {"uri exact", "catch-all before a header rule"},
	"HTTPRoute.route":              {"no rule matches", "catch-all before a header rule"},
	"HTTPRoute.redirect":           {missedPaths, "headers of a redirect"},
	"HTTPRoute.directResponse":     {missedPaths, firstRule},
	"HTTPRoute.timeout":            {onlyDelayed, "perTryTimeout beyond the timeout"},
	"HTTPRoute.retries":            {"retryOn 5xx", "abort is not retried"},
	"HTTPRoute.fault":              {"a fault without a percentage", faultsFirst},
	"HTTPRoute.rewrite":            {"rewrite of a prefix", keptRoute},
	"HTTPRoute.headers":            {missedPaths, "a header of the rule and of its only destination"},
	"HTTPRoute.delegate":           {"a delegate takes what both ask for", ownSettings},
	"HTTPRoute.mirror":             {noPercent, "an aborted call is not copied"},
	"HTTPRoute.mirrors":            {"a mirror that leads to nobody", faultsFirst},
	"HTTPRoute.mirrorPercentage":   {noPercent, noPercent},
	"HTTPRoute.mirrorPercent":      {missedShares, noPercent},
	"HTTPMirrorPolicy.destination": {"a mirror that leads to nobody", faultsFirst},
	"HTTPMirrorPolicy.percentage":  {ofDelegates, missedShares},

	"HTTPMatchRequest.uri":             {"uri exact", firstRule},
	"HTTPMatchRequest.method":          {"method", firstRule},
	"HTTPMatchRequest.authority":       {"authority", firstRule},
	"HTTPMatchRequest.headers":         {"header exact", firstRule},
	"HTTPMatchRequest.withoutHeaders":  {"withoutHeaders with a value", firstRule},
	"HTTPMatchRequest.queryParams":     {"queryParams exact", firstRule},
	"HTTPMatchRequest.ignoreUriCase":   {missedPaths, firstRule},
	"HTTPMatchRequest.gateways":        {"a match of the gateway's", "sourceLabels beside gateways"},
	"HTTPMatchRequest.port":            {"a match of a port", firstRule},
	"HTTPMatchRequest.sourceNamespace": {"a match of another namespace", "a destination that no Sidecar imports, beside a match of another namespace"},
	"HTTPMatchRequest.sourceLabels":    {"sourceLabels of which it has one", "sourceLabels beside gateways"},
	"StringMatch.exact":                {"header exact", firstRule},
	"StringMatch.prefix":               {"header prefix", firstRule},
	"StringMatch.regex":                {"header regex", firstRule},
	"Delegate.name":                    {"a delegate that does not exist is dropped", ownSettings},
	"Delegate.namespace":               {ofDelegates, ofDelegates},

	"HTTPRewrite.uri":             {"rewrite of a prefix", keptRoute},
	"HTTPRewrite.authority":       {missedPaths, keptRoute},
	"HTTPRewrite.uriRegexRewrite": {"rewrite by a regex", keptRoute},
	"RegexRewrite.match":          {"rewrite by a regex", keptRoute},
	"RegexRewrite.rewrite":        {"rewrite by a regex", keptRoute},
	"Headers.request":             {missedPaths, ofHeaders},
	"Headers.response":            {missedPaths, ofHeaders},
	"HeaderOperations.set":        {missedPaths, ofHeaders},
	"HeaderOperations.add":        {missedPaths, "removed before added"},
	"HeaderOperations.remove":     {missedPaths, "removed before added"},

	"HTTPRouteDestination.destination": {"a destination in upper case", keptRoute},
	"HTTPRouteDestination.weight":      {missedShares, "retries stay in the arm"},
	"HTTPRouteDestination.headers":     {missedShares, ofHeaders},
	"Destination.host":                 {"a destination in upper case", keptRoute},
	"Destination.subset":               {"subset that nothing defines", "retries stay in the arm"},
	"Destination.port":                 {otherPort, "a match of a port"},
	"PortSelector.number":              {otherPort, "a match of a port"},

	"HTTPRetry.attempts":                 {missedRetries, "the app's x-envoy-max-retries is ignored"},
	"HTTPRetry.perTryTimeout":            {onlyDelayed, "perTryTimeout beyond the timeout"},
	"HTTPRetry.retryOn":                  {"retryOn 5xx", "abort is not retried"},
	"HTTPRetry.backoff":                  {missedRetries, "timeout includes the back-off"},
	"HTTPRetry.retryIgnorePreviousHosts": {missedRetries, "retries stay in the arm"},

	"HTTPFaultInjection.delay": {missedShares, faultsFirst},
	"HTTPFaultInjection.abort": {"a fault without a percentage", faultsFirst},
	"Delay.fixedDelay":         {missedShares, onlyDelayed},
	"Delay.percentage":         {missedShares, missedShares},
	"Delay.percent":            {missedShares, missedShares},
	"Abort.httpStatus":         {"a fault without a percentage", faultsFirst},
	"Abort.percentage":         {missedShares, faultsFirst},
	"Percent.value":            {noPercent, noPercent},

	"HTTPRedirect.uri":                        {missedPaths, firstRule},
	"HTTPRedirect.authority":                  {missedPaths, firstRule},
	"HTTPRedirect.redirectCode":               {missedPaths, firstRule},
	"HTTPRedirect.prefixRewrite":              {missedPaths, ofRedirects},
	"HTTPRedirect.scheme":                     {missedPaths, ofRedirects},
	"HTTPRedirect.port":                       {ofRedirects, ofRedirects},
	"HTTPRedirect.derivePort":                 {missedPaths, ofRedirects},
	"RedirectPortSelection.FROM_REQUEST_PORT": {missedPaths, ofRedirects},
	"HTTPDirectResponse.status":               {missedPaths, firstRule},
	"HTTPDirectResponse.body":                 {missedPaths, firstRule},
	"HTTPBody.string":                         {missedPaths, firstRule},
}
