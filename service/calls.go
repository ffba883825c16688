package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Call is a request that a Chain sends on for each try that does not fail.
type Call struct {
	// URL is an absolute http or https URL: "http://ratings/stars?of=1".
	URL string `json:"url"`
	// Method is GET when empty.
	Method string `json:"method,omitempty"`
	// Body is sent as it is; empty: none.
	Body string `json:"body,omitempty"`
	// External says that the called service is not ours: it gets the trace headers only, and its answer is never read as a
	// trail.
	External bool `json:"external,omitempty"`
}

// Bounds of what a service can be told to call.
const (
	// MaxCalls is how many calls a service makes for a try.
	MaxCalls = 256
	// MaxCallBody is how long the body of a call may be, in bytes.
	MaxCallBody = 64 << 10
)

// ReadCalls reads the calls of a service as the variable CALLS has them: a JSON array of steps, which are made one after
// another, each an array of calls, which are made side by side; null is nil. The error names the place.
//
//	[[{"url":"http://details/"},{"url":"http://reviews/","method":"POST","body":"x"}],[{"url":"http://audit/"}]]
func ReadCalls(text string) (calls [][]Call, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&calls); err != nil {
		return nil, fmt.Errorf("want an array of steps, each an array of calls such as {\"url\": \"http://backend/\"}: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("want nothing after the array of steps")
	}
	return calls, nil
}

// checkCalls says all that is wrong with the calls of a service.
func checkCalls(calls [][]Call) (problems []string) {
	count := 0
	for i, step := range calls {
		if len(step) == 0 {
			problems = append(problems, fmt.Sprintf("[%d] has no call: want at least one in each step", i))
		}
		for j, c := range step {
			count++
			at := fmt.Sprintf("[%d][%d]", i, j)
			if !callable(c.URL) {
				problems = append(problems, fmt.Sprintf("%s.url is %q: want an absolute http or https URL, such as http://backend/", at, c.URL))
			}
			if c.Method != "" && !httpguts.ValidHeaderFieldName(c.Method) { // a method is a token, as the name of a header is
				problems = append(problems, fmt.Sprintf("%s.method is %q: want a method of HTTP, such as POST", at, c.Method))
			}
			if len(c.Body) > MaxCallBody {
				problems = append(problems, fmt.Sprintf("%s.body has %d bytes: want at most %d", at, len(c.Body), MaxCallBody))
			}
		}
	}
	if count > MaxCalls {
		problems = append(problems, fmt.Sprintf("there are %d calls: want at most %d", count, MaxCalls))
	}
	return problems
}

// callable reports whether address is an absolute http or https URL.
func callable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// preparedCall is a Call with all that can be made ready once.
type preparedCall struct {
	Call
	number  int           // among all calls of the service, from 0
	request *http.Request // but for its context, header and body
}

// prepareCalls takes calls that were checked.
func prepareCalls(calls [][]Call) [][]preparedCall {
	steps, number := make([][]preparedCall, len(calls)), 0
	for i, step := range calls {
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

// readAtMost reads body, of expected bytes or -1 when that is not known, and no more than most bytes of it.
func readAtMost(body io.Reader, expected, most int64) ([]byte, error) {
	var text bytes.Buffer
	text.Grow(int(max(0, min(expected, most))) + bytes.MinRead)
	_, err := text.ReadFrom(io.LimitReader(body, most))
	return text.Bytes(), err
}
