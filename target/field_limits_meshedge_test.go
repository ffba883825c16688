package target_test

// Rows that show the limits of many fields of Gateways, ServiceEntries and Sidecars.
const (
	exactServer      = "servers with TLS for a host and for a wildcard"
	sharedPort       = "servers of a Gateway that share a port"
	competingEntries = "ServiceEntries that compete for a host or a port"
	besideOpen       = "hosts that are known beside ALLOW_ANY"
	movedHosts       = "ServiceEntries whose calls go to other addresses"
	unknownAtDoor    = "gateway, unknown host"
	ownRules         = "rule for a host that no Service has"
	opened           = "ServiceEntry opens a host, DNS"
)

// meshEdgeLimits are the limits of the fields of Gateways, ServiceEntries and Sidecars.
var meshEdgeLimits = map[string]limits{
	"Gateway.selector":                {"Gateways of another namespace", only},
	"Gateway.servers":                 {unknownAtDoor, sharedPort},
	"Server.port":                     {sharedPort, only},
	"Server.hosts":                    {unknownAtDoor, sharedPort},
	"Server.tls":                      {"a server with httpsRedirect", sharedPort},
	"Port.number":                     {sharedPort, only},
	"Port.protocol":                   {sharedPort, only},
	"ServerTLSSettings.httpsRedirect": {"a server with httpsRedirect", sharedPort},

	"ServerTLSSettings.mode":                     {exactServer, exactServer},
	"ServerTLSSettings.TLSmode.SIMPLE":           {exactServer, exactServer},
	"ServerTLSSettings.TLSmode.MUTUAL":           {exactServer, exactServer},
	"ServerTLSSettings.TLSmode.OPTIONAL_MUTUAL":  {exactServer, exactServer},
	"ServerTLSSettings.TLSmode.ISTIO_MUTUAL":     {exactServer, exactServer},
	"ServerTLSSettings.TLSmode.PASSTHROUGH":      {exactServer, exactServer},
	"ServerTLSSettings.TLSmode.AUTO_PASSTHROUGH": {exactServer, exactServer},

	"ServiceEntry.hosts":           {movedHosts, competingEntries},
	"ServiceEntry.ports":           {competingEntries, competingEntries},
	"ServiceEntry.resolution":      {anyOf, competingEntries},
	"ServiceEntry.addresses":       {movedHosts, competingEntries},
	"ServiceEntry.endpoints":       {movedHosts, competingEntries},
	"ServiceEntry.subjectAltNames": {leftAlone, leftAlone},
	"ServiceEntry.exportTo":        {ofExports, ofExports},
	"ServicePort.number":           {competingEntries, movedHosts},
	"ServicePort.protocol":         {anyOf, competingEntries},
	"ServicePort.targetPort":       {competingEntries, competingEntries},
	"WorkloadEntry.address":        {competingEntries, competingEntries},
	"WorkloadEntry.ports":          {competingEntries, competingEntries},
	"WorkloadEntry.labels":         {movedHosts, only},
	"Resolution.STATIC":            {anyOf, competingEntries},

	"Sidecar.egress":                {"Sidecar that imports nothing of the namespace", "a host that the Sidecar excludes"},
	"Sidecar.outboundTrafficPolicy": {besideOpen, besideOpen},
	"IstioEgressListener.hosts":     {"an import that rules for more cover", "a host that the Sidecar excludes"},
	"OutboundTrafficPolicy.mode":    {besideOpen, besideOpen},
	"Mode.REGISTRY_ONLY":            {ownRules, opened},
	"Mode.ALLOW_ANY":                {besideOpen, besideOpen},
}
