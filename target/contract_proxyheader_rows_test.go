package target_test

// proxyHeaderRows are conditions on headers that a proxy writes before it looks at the rules (mutateRequestHeaders of Envoy's
// conn_manager_utility.cc).
func proxyHeaderRows() []row {
	const id, address = "x-request-id", "x-forwarded-for"
	const tea = "directResponse: {status: 418}"
	asks := func(header, condition string) string {
		return "match: [{headers: {" + header + ": " + condition + "}}], " + tea
	}
	told := func(from, header, value string, status int) exchange {
		q := request{from: from, host: "one"}
		if from != "" {
			q.host = "one.example"
		}
		if header != "" {
			q.header = map[string]string{header: value}
		}
		return exchange{request: q, want: want{Status: status}}
	}
	behind := func(first string) string { return gateway(first + "}\n    - {" + to("one")) }
	return []row{
		{"a sidecar keeps an x-request-id", rules("one", asks(id, "{exact: abc}"), to("one")), []exchange{told("", id, "abc", 418), told("", "", "", 200), told("", id, "", 200)}},
		{"a beginning that no drawn x-request-id has", rules("one", asks(id, "{prefix: req-}"), to("one")), []exchange{told("", id, "req-1", 418), told("", "", "", 200)}},
		{"a gateway draws an x-request-id", behind(asks(id, "{exact: abc}")), []exchange{told(fromGateway, id, "abc", 200)}},
		{"a sidecar adds no x-forwarded-for", rules("one", asks(address, "{}"), to("one")), []exchange{told("", "", "", 200), told("", address, "192.0.2.7", 418)}},
		{"a gateway adds x-forwarded-for", behind(asks(address, "{}")), []exchange{told(fromGateway, "", "", 418), told(fromGateway, address, "192.0.2.7", 418)}},
	}
}
