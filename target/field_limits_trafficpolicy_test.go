package target_test

// trafficPolicyLimits are the limits of the fields of DestinationRules.
var trafficPolicyLimits = map[string]limits{}
