package target_test

import "net/http"

// unroutedRows are what random requests to real Envoys found (differential, TestEnvoyMatcher): what decides before, or beside, the rules.
func unroutedRows() []row {
	const proto = "x-forwarded-proto"
	told := func(scheme string) request {
		return request{host: "one", path: "/old", header: map[string]string{proto: scheme}}
	}
	sends := func(location string) want {
		return want{Status: http.StatusMovedPermanently, Body: empty, Tries: exactly(0), Header: map[string]string{"location": location}}
	}
	redirect := rules("one", "redirect: {uri: /new}")
	return []row{
		{"a redirect keeps the scheme that a client tells a sidecar", redirect, []exchange{
			{request: told("https"), want: sends("https://one/new")}, {request: told("HTTPS"), want: sends("https://one/new")},
			{request: told("http"), want: sends("http://one/new")}, {request: told("other"), want: sends("http://one/new")}}},
		{"without a scheme a sidecar has no route", rules("one", to("one")), []exchange{
			{request: told(""), want: want{Status: http.StatusNotFound, Body: empty, Tries: exactly(0), Flags: "NR"}},
			{request: told("other"), want: want{Status: http.StatusOK, Tries: exactly(1)}}}},
		{"a gateway writes the scheme itself", gateway(to("one")), []exchange{
			{request: request{from: fromGateway, host: "one.example", header: map[string]string{proto: ""}}, want: want{Status: http.StatusOK, Tries: exactly(1)}}}},
		{"a method that Envoy does not know", rules("one", "match: [{method: {exact: get}}], "+to("one"), to("one")), []exchange{
			{request: request{host: "one", method: "get"}, want: want{Status: http.StatusBadRequest, Body: "Bad Request", Tries: exactly(0)}},
			{request: request{host: "one", method: "PURGE"}, want: want{Status: http.StatusOK, Tries: exactly(1)}}}},
	}
}
