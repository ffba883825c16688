package target_test

// meshEdgeLimits are the limits of the fields of Gateways, ServiceEntries and Sidecars.
var meshEdgeLimits = map[string]limits{}
