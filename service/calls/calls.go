// Package calls reads the configuration of the calls that a stand-in (the demo service under the name of a service) makes for each
// try: the form of its environment variable CALLS, and the headers that it can pass on. The stand-in, the check of manifests and the
// graph of a scenario use it. It must not know how calls are sent.
package calls

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Call is a request that a stand-in sends for each try that does not fail.
type Call struct {
	// URL is an absolute http or https URL: "http://ratings/stars?of=1".
	URL string `json:"url"`
	// Method is one of Methods; empty means GET. The answer to HEAD has no body, and therefore no trail.
	Method string `json:"method,omitempty"`
	// Body is the body of the request; empty: the request has no body.
	Body string `json:"body,omitempty"`
	// External says that the called service is not a stand-in. It gets only the headers of tracing, and its answer is never read as
	// a trail.
	External bool `json:"external,omitempty"`
}

// Bounds of the configuration of calls.
const (
	// Max is how many calls a stand-in can make for a try.
	Max = 256
	// MaxBody is how long the body of a call may be, in bytes.
	MaxBody = 64 << 10
)

// Methods are the methods that a call may have.
var Methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// Read reads the calls of a stand-in from a JSON array of steps. The steps are made one after another; each is an array of calls,
// which are made at the same time. Without a step the stand-in makes no call.
//
//	[[{"url":"http://details/"},{"url":"http://reviews/","method":"POST","body":"x"}],[{"url":"http://audit/"}]]
//
// problems has everything that is wrong with the form of text. Each problem begins with its place: "[0][1].url is …" is a problem of
// the second call of the first step. Check finds what is wrong with the values.
func Read(text string) (steps [][]Call, problems []string) {
	var raw [][]json.RawMessage
	err := json.Unmarshal([]byte(text), &raw)
	if err == nil && raw == nil {
		err = errors.New("null is not an array")
	}
	if err != nil {
		return nil, []string{fmt.Sprintf(" is %.200q: it must be an array of steps, each an array of calls such as "+
			`{"url": "http://backend/"}, or [] for no call: %s`, text, withoutTypes(err))}
	}
	steps = make([][]Call, len(raw))
	for i, step := range raw {
		steps[i] = make([]Call, len(step))
		for j, text := range step {
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&steps[i][j]); err != nil {
				problems = append(problems, fmt.Sprintf("[%d][%d]%s", i, j, wrongMember(err)))
			}
		}
	}
	return steps, problems
}

// withoutTypes is the error of a JSON decoder for a text that is not an array of arrays, without the names of Go's types.
func withoutTypes(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("%v, at byte %d", err, syntax.Offset)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Sprintf("the JSON %s at byte %d is not an array", kind.Value, kind.Offset)
	}
	return err.Error()
}

// wrongMember is the problem of a call that is valid JSON, from the error of the JSON decoder.
func wrongMember(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Sprintf(` is a JSON %s: it must be a call such as {"url": "http://backend/"}`, kind.Value)
	case errors.As(err, &kind) && kind.Type.Kind() == reflect.Bool:
		return fmt.Sprintf(".%s is a JSON %s: it must be true or false", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Sprintf(".%s is a JSON %s: it must be a string", kind.Field, kind.Value)
	}
	_, name, _ := strings.Cut(err.Error(), "unknown field ")
	return fmt.Sprintf(" has a member %s: only url, method, body and external are accepted", name)
}

// Check returns all problems of the values of calls. Each problem begins with its place, as the problems of Read do.
func Check(steps [][]Call) (problems []string) {
	count := 0
	for i, step := range steps {
		if len(step) == 0 {
			problems = append(problems, fmt.Sprintf("[%d] has no call: each step must have at least one", i))
		}
		for j := range step {
			count++
			for _, problem := range step[j].problems() {
				problems = append(problems, fmt.Sprintf("[%d][%d].%s", i, j, problem))
			}
		}
	}
	if count > Max {
		problems = append(problems, fmt.Sprintf(" has %d calls: at most %d are accepted", count, Max))
	}
	return problems
}

func (c *Call) problems() (problems []string) {
	if !Callable(c.URL) {
		problems = append(problems, fmt.Sprintf("url is %q: it must be an absolute http or https URL, such as http://backend/", c.URL))
	}
	if c.Method != "" && !slices.Contains(Methods, c.Method) {
		problems = append(problems, fmt.Sprintf("method is %q: it must be one of %s", c.Method, strings.Join(Methods, ", ")))
	}
	if len(c.Body) > MaxBody {
		problems = append(problems, fmt.Sprintf("body has %d bytes: at most %d are accepted", len(c.Body), MaxBody))
	}
	return problems
}

// Callable reports whether address is an absolute http or https URL.
func Callable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// notForwarded are headers that a stand-in cannot pass on from a try to its calls: those that it sets itself, those that belong to
// one connection (RFC 9110 section 7.6.1), and those that would be wrong for the call, because they describe the try.
var notForwarded = []string{"host", "content-length", "accept", "accept-encoding", "expect", "connection", "keep-alive", "proxy-connection", "te",
	"trailer", "transfer-encoding", "upgrade", trail.HeaderTries, trail.HeaderAttempt, trail.HeaderExpected}

// Headers are the names in a list whose names are separated by commas or spaces: the form of the variable FORWARD_HEADERS.
func Headers(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// CheckHeaders returns a problem for each name that is not a header that a stand-in can pass on from a try to its calls.
func CheckHeaders(names []string) (problems []string) {
	for _, name := range names {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			problems = append(problems, fmt.Sprintf("has %q, which is not the name of a header: write names of headers, joined by commas", name))
		case slices.Contains(notForwarded, strings.ToLower(name)):
			problems = append(problems, fmt.Sprintf("has %q, which a service cannot pass on to its calls; it passes on none of %s", name, strings.Join(notForwarded, ", ")))
		}
	}
	return problems
}
