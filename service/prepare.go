package service

import (
	"net/http"
	"net/url"

	"github.com/hellochaos/hellochaos/service/calls"
	"github.com/hellochaos/hellochaos/service/trail"
)

// preparedCall is a call of the configuration, with the parts of its request that are the same for every try.
type preparedCall struct {
	calls.Call
	number  int           // the index among all calls of the service, from 0
	request *http.Request // without its context, header and body
}

// prepareCalls prepares calls that calls.Check has accepted.
func prepareCalls(configured [][]calls.Call) [][]preparedCall {
	steps, number := make([][]preparedCall, len(configured)), 0
	for i, step := range configured {
		for _, c := range step {
			address, _ := url.Parse(c.URL)
			request := &http.Request{Method: c.Method, URL: address, Host: address.Host}
			if request.Method == "" {
				request.Method = http.MethodGet
			}
			trail.Once(request)
			steps[i] = append(steps[i], preparedCall{Call: c, number: number, request: request})
			number++
		}
	}
	return steps
}
