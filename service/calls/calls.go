// Package calls holds what a stand-in is told to call for each try, in the form of its environment variable CALLS, and
// which headers it can be told to pass on. It is a leaf: the stand-in obeys it, manifests are checked by it, and the graph
// of a scenario is read from it. It must know nothing of how calls are sent.
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

// Call is a request that a stand-in sends on for each try that does not fail.
type Call struct {
	// URL is an absolute http or https URL: "http://ratings/stars?of=1".
	URL string `json:"url"`
	// Method is one of Methods; GET when empty. The answer to HEAD has no body, and so the trail ends there.
	Method string `json:"method,omitempty"`
	// Body is sent as it is; empty: none.
	Body string `json:"body,omitempty"`
	// External says that the called service is not ours: it gets the trace headers only, and its answer is never read as a
	// trail.
	External bool `json:"external,omitempty"`
}

// Bounds of what a stand-in can be told to call.
const (
	// Max is how many calls a stand-in makes for a try.
	Max = 256
	// MaxBody is how long the body of a call may be, in bytes.
	MaxBody = 64 << 10
)

// Methods are those that a call may have.
var Methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// Read reads the calls of a stand-in: a JSON array of steps, which are made one after another, each an array of calls,
// which are made side by side. Without a step the stand-in calls nobody.
//
//	[[{"url":"http://details/"},{"url":"http://reviews/","method":"POST","body":"x"}],[{"url":"http://audit/"}]]
//
// The problems are all that is wrong with the form of text, and each begins with where it is: "[0][1].url is …" is of the
// second call of the first step. Check says what is wrong with the values.
func Read(text string) (steps [][]Call, problems []string) {
	var raw [][]json.RawMessage
	err := json.Unmarshal([]byte(text), &raw)
	if err == nil && raw == nil {
		err = errors.New("null is neither")
	}
	if err != nil {
		return nil, []string{fmt.Sprintf(" is %.200q: want an array of steps, each an array of calls such as "+
			`{"url": "http://backend/"}; [] for no call: %s`, text, plain(err))}
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

// plain is what a JSON decoder says of a text that is no array of arrays, without the names of Go's types.
func plain(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("%v, at byte %d", err, syntax.Offset)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Sprintf("the JSON %s that ends at byte %d is neither", kind.Value, kind.Offset)
	}
	return err.Error()
}

// wrongMember is what a JSON decoder says of a call whose syntax is right.
func wrongMember(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Sprintf(` is a JSON %s: want a call such as {"url": "http://backend/"}`, kind.Value)
	case errors.As(err, &kind) && kind.Type.Kind() == reflect.Bool:
		return fmt.Sprintf(".%s is a JSON %s: want true or false", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Sprintf(".%s is a JSON %s: want a string", kind.Field, kind.Value)
	}
	_, name, _ := strings.Cut(err.Error(), "unknown field ")
	return fmt.Sprintf(" has a member %s: want url, method, body and external, and no other", name)
}

// Check says all that is wrong with the calls of a stand-in, each problem beginning with where it is, as those of Read do.
func Check(steps [][]Call) (problems []string) {
	count := 0
	for i, step := range steps {
		if len(step) == 0 {
			problems = append(problems, fmt.Sprintf("[%d] has no call: want at least one in each step", i))
		}
		for j := range step {
			count++
			for _, problem := range step[j].problems() {
				problems = append(problems, fmt.Sprintf("[%d][%d].%s", i, j, problem))
			}
		}
	}
	if count > Max {
		problems = append(problems, fmt.Sprintf(" has %d calls: want at most %d", count, Max))
	}
	return problems
}

func (c *Call) problems() (problems []string) {
	if !Callable(c.URL) {
		problems = append(problems, fmt.Sprintf("url is %q: want an absolute http or https URL, such as http://backend/", c.URL))
	}
	if c.Method != "" && !slices.Contains(Methods, c.Method) {
		problems = append(problems, fmt.Sprintf("method is %q: want one of %s", c.Method, strings.Join(Methods, ", ")))
	}
	if len(c.Body) > MaxBody {
		problems = append(problems, fmt.Sprintf("body has %d bytes: want at most %d", len(c.Body), MaxBody))
	}
	return problems
}

// Callable reports whether address is an absolute http or https URL.
func Callable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// own are the headers that a call has of its own, that belong to one connection (RFC 9110 section 7.6.1), or that say of a
// try what is not true of the call that it makes.
var own = []string{"host", "content-length", "accept", "accept-encoding", "expect", "connection", "keep-alive", "proxy-connection", "te",
	"trailer", "transfer-encoding", "upgrade", trail.HeaderTries, trail.HeaderAttempt, trail.HeaderExpected}

// Headers are the names in a list that is joined by commas or spaces, as the variable FORWARD_HEADERS has them.
func Headers(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// CheckHeaders says which names are not those of headers that a stand-in can pass on from a try to its calls.
func CheckHeaders(names []string) (problems []string) {
	for _, name := range names {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			problems = append(problems, fmt.Sprintf("has %q: want names of headers, joined by commas", name))
		case slices.Contains(own, strings.ToLower(name)):
			problems = append(problems, fmt.Sprintf("has %q: want no header that each call has of its own, as it has %s", name, strings.Join(own, ", ")))
		}
	}
	return problems
}
