package target_test

// virtualServiceLimits are the limits of the fields of VirtualServices.
var virtualServiceLimits = map[string]limits{}
