package target_test

// sourceLabelRows: Istio's sourceMatchHTTP. The requests are sent by the sidecar of pods with app: caller, or by a gateway whose pods have
// istio: ingressgateway.
func sourceLabelRows() []row {
	one, other := want{Status: 200, Service: "one"}, want{Status: 200, Service: "two", Version: "b"}
	at := func(w want) []exchange { return []exchange{{request: request{host: "one"}, want: w}} }
	door := func(w want) []exchange {
		return []exchange{{request: request{from: fromGateway, host: "one.example"}, want: w}}
	}
	return []row{
		{"sourceLabels that the caller has", first("{sourceLabels: {app: caller}}"), at(one)},
		{"sourceLabels that it has not", first("{sourceLabels: {app: one}}"), at(other)},
		{"sourceLabels of which it has one", first("{sourceLabels: {app: caller, version: v9}}"), at(other)},
		{"sourceLabels beside gateways", first("{sourceLabels: {app: one}, gateways: [mesh]}"), at(one)},
		{"sourceLabels of a gateway", gateway("match: [{sourceLabels: {istio: ingressgateway}}], " + to("one")), door(one)},
		{"sourceLabels of another gateway", gateway("match: [{sourceLabels: {istio: other}}], " + to("one")), door(want{Status: 404, Flags: "NR"})},
	}
}
