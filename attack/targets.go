package attack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/net/http/httpguts"
)

// MaxTargets is how many targets a file may have.
const MaxTargets = 10_000

// ReadTargets reads the targets of a file in one of Vegeta's formats, by Vegeta's own readers: JSON, one object a line, where the first line
// that is not blank begins with "{", or else the text format. Each target becomes a bare cohort, named by its method and URL. body and header
// are what Vegeta's flags of these names are: the body of targets that have none, and headers that each target has beside its own. The error
// joins one line for each target that cannot be read, with the file's name and the line.
func ReadTargets(file string, text, body []byte, header http.Header) ([]Cohort, error) {
	split, reader := blocks, vegeta.NewHTTPTargeter
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		split, reader = objects, vegeta.NewJSONTargeter
	}
	parts, err := split(text)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	var cohorts []Cohort
	var problems []error
	for _, part := range parts {
		var target vegeta.Target
		err := reader(strings.NewReader(part.text), body, header)(&target)
		if err == nil {
			err = errors.Join(CheckURL(target.URL), checkHeader(target.Header))
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: %w", file, part.line, err))
			continue
		}
		cohorts = append(cohorts, NewTarget(target.Method, target.URL, target.Header, target.Body))
	}
	switch {
	case len(parts) == 0:
		problems = append(problems, fmt.Errorf("%s: has no target: a target is a line such as 'GET http://localhost:8080/', or an object of JSON with method and url", file))
	case len(parts) > MaxTargets:
		problems = append(problems, fmt.Errorf("%s: has %d targets, and at most %d are accepted", file, len(parts), MaxTargets))
	}
	return cohorts, errors.Join(problems...)
}

// checkHeader refuses headers that net/http would not send.
func checkHeader(header http.Header) error {
	for name, values := range header {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("header %q: is no name of a header", name)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("header %s: %q cannot be sent", name, value)
			}
		}
	}
	return nil
}

// NewTarget returns the cohort of a bare plan that sends this request. A header Host, in any case of letters, becomes the host that the
// requests ask for, as with Vegeta.
func NewTarget(method, url string, header http.Header, body []byte) Cohort {
	c := Cohort{Name: method + " " + url, Method: method, URL: url, Body: body, Header: header.Clone()}
	for name, values := range c.Header {
		if strings.EqualFold(name, "Host") && len(values) > 0 {
			c.Host = values[0]
			delete(c.Header, name)
		}
	}
	return c
}

// part is the text of a target, and the line at which it begins, from 1.
type part struct {
	line int
	text string
}

// lines are the lines of a text without their ends.
func lines(text []byte) (all []string, err error) {
	scanner := bufio.NewScanner(bytes.NewReader(text))
	scanner.Buffer(nil, len(text)+1)
	for scanner.Scan() {
		all = append(all, scanner.Text())
	}
	return all, scanner.Err()
}

// objects are the lines of a JSON file that are not blank.
func objects(text []byte) (parts []part, err error) {
	all, err := lines(text)
	for i, line := range all {
		if strings.TrimSpace(line) != "" {
			parts = append(parts, part{i + 1, line + "\n"})
		}
	}
	return parts, err
}

// methodLine is how the first line of a target begins in the text format.
var methodLine = regexp.MustCompile(`^[A-Z]+\s`)

// blocks are the targets of a file in the text format: a line with method and URL, and lines of headers up to a blank line, to the name of a
// file with the body, which begins with "@", or directly to the next target where there are none. Vegeta reads a target that follows headers
// without a blank line as one more header; that is refused.
func blocks(text []byte) (parts []part, err error) {
	all, err := lines(text)
	if err != nil {
		return nil, err
	}
	within, headers := false, false
	for i, line := range all {
		trimmed := strings.TrimSpace(line)
		switch begins := methodLine.MatchString(trimmed); {
		case trimmed == "":
			within = false
		case strings.HasPrefix(trimmed, "#"):
			headers = headers || within // Vegeta takes a comment below the first line for the beginning of the headers
		case within && headers && begins:
			return nil, fmt.Errorf("%d: a blank line must stand between the headers of a target and the next target", i+1)
		case !within || begins:
			parts = append(parts, part{i + 1, trimmed + "\n"})
			within, headers = true, false
		default:
			last := &parts[len(parts)-1]
			last.text += trimmed + "\n"
			headers, within = true, !strings.HasPrefix(trimmed, "@")
		}
	}
	return parts, nil
}
