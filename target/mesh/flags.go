package mesh

// Envoy's response flags, as its access log prints them.
const (
	flagNoHealthy        = "UH"
	flagNoCluster        = "NC"
	flagNoRoute          = "NR"
	flagTimeout          = "UT"
	flagConnectFailure   = "UF"
	flagTermination      = "UC"
	flagRetriesExhausted = "URX"
	flagDelayed          = "DI"
	flagAborted          = "FI"
	flagDownstreamLeft   = "DC"
	flagProtocolError    = "DPE"
	flagOverflow         = "UO"
)

// Envoy's response code details give the reason for an answer more exactly than its response flags.
const (
	detailViaUpstream    = "via_upstream"
	detailDirect         = "direct_response"
	detailOversized      = "http1.headers_too_large"
	detailNoRoute        = "route_not_found"
	detailNoCluster      = "cluster_not_found"
	detailNoHealthy      = "no_healthy_upstream"
	detailAborted        = "fault_filter_abort"
	detailPerTryTimeout  = "upstream_per_try_timeout"
	detailTimeout        = "response_timeout"
	detailDownstreamLeft = "downstream_remote_disconnect"
	detailConnectFailure = "upstream_reset_before_response_started{remote_connection_failure}"
	detailOverflow       = "upstream_reset_before_response_started{overflow}"
	detailTermination    = "upstream_reset_before_response_started{connection_termination}"
)

// Bodies of answers that Envoy gives itself.
const (
	textTimeout       = "upstream request timeout"
	textOversized     = "Request Header Fields Too Large"
	textNoHealthy     = "no healthy upstream"
	textAborted       = "fault filter abort"
	textReset         = "upstream connect error or disconnect/reset before headers. reset reason: "
	reasonConnect     = "remote connection failure"
	reasonTermination = "connection termination"
	reasonOverflow    = "overflow"
)

// joined is one list of the flags of both lists.
func joined(first, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + "," + second
}
